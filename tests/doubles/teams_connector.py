"""The Bot Connector of the double: takes a bot's calls by the rules that Microsoft documents, and fails on demand."""

from __future__ import annotations

import asyncio
import copy
import json
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.doubles.teams_people import Room, Someone, chat_with
from tests.doubles.teams_rules import Fault, Refused, Rules, refusal
from tests.doubles.teams_shown import CARD, Call, Json, Ledger, Shown


@dataclass
class _Spoilt:
    what: str
    fault: Fault
    left: int
    conversation: str | None


class Connector:
    """`authorized` says whether a bearer token is one that the double gave out."""

    def __init__(
        self, ledger: Ledger, rooms: Mapping[str, Room], authorized: Callable[[str | None], bool], bot: str
    ) -> None:
        self.ledger, self.rules = ledger, Rules()
        self._rooms, self._authorized, self._bot = rooms, authorized, bot
        self._spoilt: list[_Spoilt] = []
        self._sent: dict[str, deque[float]] = defaultdict(deque)
        self._last_stream: dict[str, float] = {}
        self._ended: dict[str, str] = {}  # stream -> why it takes nothing more
        self.away: set[str] = set()  # rooms and teams where the bot is not
        self.blocked: set[str] = set()  # rooms of people who blocked it
        self.questions: dict[str, set[str]] = defaultdict(set)  # channel -> roots by people
        self._last_id = 0

    def routes(self) -> list[web.RouteDef]:
        one = "/{region}/v3/conversations/{conversation}/activities"
        return [
            web.post("/{region}/v3/conversations", self._answering(self._create, "create")),
            web.post(one, self._answering(self._post, "send")),
            web.post(one + "/{activity}", self._answering(self._post, "send")),
            web.put(one + "/{activity}", self._answering(self._put, "update")),
            web.delete(one + "/{activity}", self._answering(self._delete, "delete")),
            web.get(
                "/{region}/v3/conversations/{conversation}/members/{member}", self._answering(self._member, "member")
            ),
            web.get("/{region}/v3/conversations/{conversation}/members", self._answering(self._members, "members")),
            web.get("/{region}/v3/conversations/{conversation}/pagedMembers", self._answering(self._paged, "members")),
            web.get("/{region}/v3/teams/{team}/conversations", self._answering(self._channels, "channels")),
        ]

    def spoil(self, what: str, fault: Fault, *, times: int = 1, conversation: str | None = None) -> None:
        """Let the next calls go wrong: send, stream, targeted, update, delete, member, channels, create."""
        self._spoilt.append(_Spoilt(what, fault, times, conversation))

    def heal(self) -> None:
        self._spoilt.clear()

    def new_id(self) -> str:
        """As Teams counts: milliseconds since 1970, never the same twice."""
        self._last_id = max(self._last_id + 1, int(time.time() * 1000))
        return str(self._last_id)

    def cancel(self, stream: str) -> None:
        """The person presses Teams' own Stop under a streamed message."""
        self._ended[stream] = "Content stream was canceled by user."
        self.ledger.messages[stream].streaming = False
        self.ledger.note()

    # --- one call ----------------------------------------------------------------------------------------------------

    def _answering(self, act: Callable[..., Json | None], what: str) -> Any:
        async def handle(request: web.Request) -> web.StreamResponse:
            at, body = time.monotonic(), await _body(request)
            conversation, kind = request.match_info.get("conversation", ""), _kind(what, request, body)
            fault = self._fault(kind, conversation)
            if fault is not None and fault.seconds:
                await asyncio.sleep(fault.seconds)
            status: int | None
            try:
                answer, status, code = self._done(act, request, body, kind, fault), 201, ""
                if answer is None or request.method != "POST":
                    status = 202 if request.method == "POST" else 200
                response: web.StreamResponse = web.json_response(answer or {}, status=status)
            except Refused as refused:
                status, code = refused.status, refused.code
                response = refusal(refused, fault)
            if fault is not None:
                status = await self._spoiled(request, fault, status)
            call = Call(what=kind, conversation=conversation, body=body, at=at, status=status, code=code)
            self.ledger.calls.append(call)
            self.ledger.note()
            return response

        return handle

    def _done(
        self, act: Callable[..., Json | None], request: web.Request, body: Json, kind: str, fault: Fault | None
    ) -> Json | None:
        if not self._authorized(request.headers.get("Authorization")):
            raise Refused(401, "Unauthorized", "Authorization has been denied for this request.")
        wrong = None if fault is None or fault.only_late else Refused(fault.status, fault.code, fault.message)
        if wrong is not None and fault is not None and not fault.taken:
            raise wrong
        answer = act(request, body, kind)
        if wrong is not None:
            raise wrong
        return answer

    async def _spoiled(self, request: web.Request, fault: Fault, status: int | None) -> int | None:
        """What becomes of an answer on its way back."""
        if fault.holds:
            self.ledger.note()
            await asyncio.sleep(fault.holds)
        if not fault.cut:
            return status
        if request.transport is not None:
            request.transport.abort()
        return None

    def _fault(self, kind: str, conversation: str) -> Fault | None:
        for one in self._spoilt:
            if one.what == kind and one.conversation in (None, conversation, conversation.partition(";")[0]):
                one.left -= 1
                if one.left <= 0:
                    self._spoilt.remove(one)
                return one.fault
        return None

    def _room(self, conversation: str) -> tuple[Room, str]:
        bare, _, root = conversation.partition(";messageid=")
        room = self._rooms.get(bare)
        if room is None:
            raise Refused(404, "ConversationNotFound", "Conversation not found.")
        if room.id in self.away or room.team in self.away:
            raise Refused(403, "BotNotInConversationRoster", "The bot is not part of the conversation roster.")
        if room.id in self.blocked:
            raise Refused(403, "ConversationBlockedByUser", "User blocked the conversation with the bot.")
        if root and root not in self.questions[bare] and root not in self.ledger.messages:
            raise Refused(404, "ConversationNotFound", "Conversation not found.")
        return room, root

    def _paced(self, room: Room) -> None:
        now, sent = time.monotonic(), self._sent[room.id]
        for seconds, most in self.rules.per_thread.items():
            if sum(now - at < seconds for at in sent) >= most:
                raise Refused(429, "Throttled", "API calls quota exceeded! maximum admitted 7 per 1s.")
        sent.append(now)

    # --- messages ----------------------------------------------------------------------------------------------------

    def _post(self, request: web.Request, body: Json, kind: str) -> Json | None:
        room, root = self._room(request.match_info["conversation"])
        self._fits(body)
        if kind == "stream":
            return self._stream(room, body)
        self._paced(room)
        if body.get("type") == "typing":
            self.ledger.typing.append((time.monotonic(), room.id))
            return None
        only = None
        if kind == "targeted":
            if not self.rules.targeted or room.kind == "personal":
                raise Refused(400, "BadRequest", "Targeted messages are not supported in this conversation.")
            recipient = body.get("recipient") or {}
            person = _find(room, str(recipient.get("id") or recipient.get("aadObjectId")))
            if person is None:
                raise Refused(400, "BadRequest", "Recipient of a targeted message must be a member.")
            only = person.id
        made = [
            Shown(id=self.new_id(), conversation=room.id, root=root, activity=part, at=time.monotonic(), only=only)
            for part in _split(body)
        ]
        self.ledger.messages.update((shown.id, shown) for shown in made)
        return {"id": made[0].id} if len(made) == 1 else None

    def _stream(self, room: Room, body: Json) -> Json | None:
        info = _stream_info(body)
        stream, final = str(info.get("streamId") or ""), info.get("streamType") == "final"
        if room.kind != "personal" or not self.rules.streaming:
            raise Refused(403, "ContentStreamNotAllowed", "Content stream is not allowed")
        if not body.get("text") and not (final and body.get("attachments")):
            raise Refused(400, "BadRequest", "Start streaming activities should include text")
        if (body["type"] == "message") is not final:
            kinds = "Only start streaming and continue streaming types are allowed as a typing activity"
            raise Refused(400, "BadSyntax", kinds)
        now = time.monotonic()
        last, self._last_stream[room.id] = self._last_stream.get(room.id), now
        # Clocks and wires tremble: what left a second apart may arrive a little closer.
        if last is not None and now - last < self.rules.stream_seconds * 0.95:
            raise Refused(429, "Throttled", "API calls quota exceeded")
        if not stream:
            return self._started(room, body, info)
        shown = self.ledger.messages.get(stream)
        if shown is None or not shown.streamed:
            raise Refused(404, "ActivityNotFound", "There is no such stream.")
        self._continued(shown, body, info, final=final)
        return None

    def _started(self, room: Room, body: Json, info: Json) -> Json:
        if info.get("streamType") != "final" and info.get("streamSequence") != 1:
            raise Refused(400, "BadRequest", "Start streaming activities should have sequence 1")
        shown = Shown(
            id=self.new_id(),
            conversation=room.id,
            root="",
            activity={},
            at=time.monotonic(),
            streamed=True,
            streaming=True,
        )
        self.ledger.messages[shown.id] = shown
        self._show(shown, body, info, final=False)
        return {"id": shown.id}

    def _continued(self, shown: Shown, body: Json, info: Json, *, final: bool) -> None:
        if shown.id in self._ended:
            raise Refused(403, "ContentStreamNotAllowed", self._ended[shown.id])
        if time.monotonic() - shown.at > self.rules.stream_limit:
            shown.streaming = False
            self._ended[shown.id] = "Content stream finished due to exceeded streaming time."
            self.ledger.note()
            raise Refused(403, "ContentStreamNotAllowed", self._ended[shown.id])
        sequence = info.get("streamSequence")
        if final:
            if sequence is not None:
                raise Refused(400, "BadRequest", "streamSequence must not be set for the final message")
        elif not isinstance(sequence, int):
            raise Refused(400, "BadRequest", "Continue streaming activities should have a sequence")
        elif sequence <= shown.sequence:
            return  # out of order: 202, and dropped
        if info.get("streamType") != "informative" and shown.text not in str(body.get("text") or ""):
            message = "Request streamed content should contain the previously streamed content."
            raise Refused(403, "ContentStreamNotAllowed", message)
        self._show(shown, body, info, final=final)

    def _show(self, shown: Shown, body: Json, info: Json, *, final: bool) -> None:
        if info.get("streamType") == "informative":
            if shown.text:
                self.ledger.problems.append("an informative update after the answer's words")
            shown.informative = str(body["text"])
        else:
            shown.activity = body
            shown.informative = ""
        shown.sequence = info.get("streamSequence") or shown.sequence
        shown.updates.append((time.monotonic(), str(body.get("text") or "")))
        if final:
            shown.streaming = False
            self._ended[shown.id] = "Content stream is not allowed on an already completed streamed message"

    def _put(self, request: web.Request, body: Json, kind: str) -> Json:
        room, _ = self._room(request.match_info["conversation"])
        self._fits(body)
        self._paced(room)
        shown = self._standing(request, room)
        if len(_split(body)) > 1:
            raise Refused(400, "BadSyntax", "Activity resulted into multiple skype activities")
        shown.activity = copy.deepcopy(body)
        shown.edits.append((time.monotonic(), shown.activity))
        shown.streaming, shown.informative = False, ""
        self._ended.setdefault(shown.id, "Content stream is not allowed on an already completed streamed message")
        return {"id": shown.id}

    def _delete(self, request: web.Request, body: Json, kind: str) -> Json:
        room, _ = self._room(request.match_info["conversation"])
        self._paced(room)
        shown = self._standing(request, room)
        shown.deleted, shown.streaming = True, False
        return {}

    def _standing(self, request: web.Request, room: Room) -> Shown:
        shown = self.ledger.messages.get(request.match_info["activity"])
        if shown is None or shown.deleted or shown.conversation != room.id:
            raise Refused(404, "ActivityNotFound", "The activity was not found in the conversation.")
        return shown

    def _fits(self, body: Json) -> None:
        if len(json.dumps(body, ensure_ascii=False).encode()) > self.rules.size:
            raise Refused(413, "MessageSizeTooBig", "Message size too large.")
        if body.get("type") not in ("message", "typing"):
            raise Refused(400, "BadSyntax", f"Unknown activity type {body.get('type')}")
        for one in body.get("attachments") or []:
            content = one.get("content")
            if one.get("contentType") == CARD and (
                not isinstance(content, dict) or content.get("type") != "AdaptiveCard"
            ):
                raise Refused(400, "BadSyntax", "Failed to process card attachment: no AdaptiveCard.")

    # --- people and rooms --------------------------------------------------------------------------------------------

    def _create(self, request: web.Request, body: Json, kind: str) -> Json:
        members = body.get("members") or []
        wanted = str(members[0].get("id")) if members else ""
        people = {person for room in self._rooms.values() for person in room.people}
        found = next((one for one in people if wanted in (one.id, one.object_id)), None)
        if found is None:
            raise Refused(400, "BadSyntax", "Failed to decrypt pairwise id")
        tenant = body.get("tenantId") or (body.get("channelData") or {}).get("tenant", {}).get("id")
        room = chat_with(found)
        if tenant != room.tenant:
            raise Refused(403, "ForbiddenOperationException", "Bot is not installed for this user.")
        self._room(room.id)
        return {"id": room.id}

    def _member(self, request: web.Request, body: Json, kind: str) -> Json:
        room, _ = self._room(request.match_info["conversation"])
        found = _find(room, request.match_info["member"])
        if found is None:
            raise Refused(404, "MemberNotFoundInConversation", "Member not found in the conversation.")
        return found.member()

    def _members(self, request: web.Request, body: Json, kind: str) -> Any:
        room, _ = self._room(request.match_info["conversation"])
        return [one.member() for one in room.people]

    def _paged(self, request: web.Request, body: Json, kind: str) -> Json:
        return {"members": self._members(request, body, kind)}

    def _channels(self, request: web.Request, body: Json, kind: str) -> Json:
        team = request.match_info["team"]
        found = [room for room in self._rooms.values() if room.kind == "channel" and room.team == team]
        if not found or team in self.away:
            raise Refused(404, "NotFound", "The team was not found.")
        return {"conversations": [{"id": one.id, **({"name": one.name} if one.name else {})} for one in found]}


def _split(body: Json) -> list[Json]:
    """The messages that Teams makes of one with text and cards: each its own, and then it names the id of none."""
    cards = body.get("attachments") or []
    if not cards or (len(cards) == 1 and not body.get("text")):
        return [body]
    text = [{**body, "attachments": []}] if body.get("text") else []
    return [*text, *({**body, "text": "", "attachments": [one]} for one in cards)]


def _find(room: Room, person_id: str) -> Someone | None:
    return next((one for one in room.people if person_id in (one.id, one.object_id)), None)


async def _body(request: web.Request) -> Json:
    try:
        found = await request.json() if request.can_read_body else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _stream_info(body: Json) -> Json:
    """The entity leads; channelData says the same for older clients."""
    found: Json = next((one for one in body.get("entities") or [] if one.get("type") == "streaminfo"), {})
    return found


def _kind(what: str, request: web.Request, body: Json) -> str:
    if what != "send":
        return what
    if request.query.get("isTargetedActivity") == "true":
        return "targeted"
    return "stream" if _stream_info(body) else "send"
