"""What an activity from Teams means: something said, a click, a verdict, coming or going, or nothing for us.

Pure, and tolerant of missing and odd fields: Teams adds kinds of activities without asking.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.domain import Place
from bot.references import ConversationKind, ConversationReference
from handlers.plain import visible
from handlers.teams.words import Mention, channel_name, clean, command_words, plain_words, without_slash_command

ID_LIMIT = 500  # characters; Teams' longest ids have about half, and an index takes no endless ones

_KINDS: Mapping[str, ConversationKind] = {"personal": "personal", "groupchat": "group", "channel": "channel"}
_THREAD = ";messageid="
_MADE = ("channelCreated", "channelRenamed", "channelRestored")
_GONE = ("teamDeleted", "teamHardDeleted")
_RICH = ("xml", "html")


class Unreadable(Exception):
    """The activity lacks what every one of its kind has."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where an activity comes from. `address` is the conversation's id as it came, `conversation` without its thread.

    `home` is the person's own tenant where it differs from the conversation's.
    """

    tenant: str
    service_url: str
    address: str
    conversation: str
    thread: str
    kind: ConversationKind
    activity: str
    person: str | None
    home: str | None
    team: str | None
    channel_name: str

    @property
    def place(self) -> Place:
        return Place(platform="teams", workspace=self.tenant, channel=self.conversation, thread=self.thread)

    @property
    def key(self) -> str:
        """The same for every delivery of this activity."""
        return f"teams:{self.tenant}:{self.address}:{self.activity}"

    def reference(self, at: datetime) -> ConversationReference:
        return ConversationReference(
            platform="teams",
            workspace=self.tenant,
            conversation=self.conversation,
            kind=self.kind,
            service_url=self.service_url,
            name=self.channel_name,
            person_id=self.person if self.kind == "personal" else None,
            team_id=self.team if self.kind == "channel" else None,
            known_at=at,
        )


@dataclass(frozen=True)
class Said:
    """Something said to the Director; `command` when it was sent as one, so that only its sender sees it."""

    origin: Origin
    text: str
    command: bool


@dataclass(frozen=True)
class Clicked:
    """A button of a card. `card` is the message it stands in; `answered` when the click waits for words in return."""

    origin: Origin
    verb: str
    value: str
    card: str
    answered: bool


@dataclass(frozen=True)
class Judged:
    """A person says whether an answer helped: `verdict` is like or dislike, `words` what was added."""

    origin: Origin
    message: str
    verdict: str
    words: str


@dataclass(frozen=True)
class Added:
    """The Director can speak here now; `greets` when a person has just got it for themselves."""

    origin: Origin
    greets: bool


@dataclass(frozen=True)
class Removed:
    """The Director can no longer speak in this conversation, or in the team with this id."""

    origin: Origin
    conversation: str


@dataclass(frozen=True)
class Unasked:
    """Nothing for the Director to do; where it comes from may still be worth knowing."""

    origin: Origin | None


@dataclass(frozen=True)
class UnknownInvoke:
    """A question of Teams' that nobody here answers."""

    origin: Origin | None
    name: str


Meaning = Said | Clicked | Judged | Added | Removed | Unasked | UnknownInvoke
Body = Mapping[str, Any]


def tenant_of(body: Body) -> str:
    """The tenant it was said in, in lower case; empty when the activity doesn't say."""
    conversation, data = _object(body.get("conversation")), _object(body.get("channelData"))
    tenant = _id(conversation.get("tenantId")) or _id(_object(data.get("tenant")).get("id"))
    return tenant.lower()


def meaning(body: Body, *, me: str) -> Meaning:
    """What an activity means; `me` is the Director's own id.

    Raises:
        Unreadable: a message or click without the ids that make it one.
    """
    kind = body.get("type")
    origin, ours = _origin(body), _ours(body, me)
    if kind == "message":
        return _message(body, origin, ours)
    if kind == "invoke":
        return _invoke(body, origin)
    if origin is not None and kind == "conversationUpdate":
        return _update(body, origin, ours)
    if origin is not None and kind == "installationUpdate":
        return _installation(body, origin)
    return Unasked(origin)


# --- messages --------------------------------------------------------------------------------------------------------


def _message(body: Body, origin: Origin | None, ours: frozenset[str]) -> Meaning:
    if origin is None or not origin.activity:
        raise Unreadable("a message without conversation or id")
    if _by_a_bot(body, ours):
        return Unasked(origin)
    if origin.person is None:
        raise Unreadable("a message without a sender")
    text, value = _text(body.get("text")), _object(body.get("value"))
    if not text.strip() and value:
        return _submitted(body, origin, value)
    mentions = _mentions(body)
    targeted = _object(body.get("recipient")).get("isTargeted") is True
    if origin.kind != "personal" and not targeted and not any(mention.id in ours for mention in mentions):
        return Unasked(origin)
    words = plain_words(text, mentions, me=ours, rich=body.get("textFormat") in _RICH)
    if targeted:
        # A command that begins no reply stands in no thread: nobody else sees the message that would be its root.
        root = origin.thread == origin.activity
        return Said(replace(origin, thread="") if root else origin, command_words(words), command=True)
    return Said(origin, without_slash_command(words), command=False)


def _submitted(body: Body, origin: Origin, value: Body) -> Meaning:
    """A button's click from a client that knows no Action.Execute arrives as a message without words."""
    verb = _id(value.get("verb")) or _id(value.get("action"))
    if not verb:
        return Unasked(origin)
    return Clicked(origin, verb, _text(value.get("value")), _id(body.get("replyToId")), answered=False)


def _by_a_bot(body: Body, ours: frozenset[str]) -> bool:
    sender = _object(body.get("from"))
    sender_id = _id(sender.get("id"))
    return sender.get("role") == "bot" or sender_id.startswith("28:") or sender_id in ours


def _mentions(body: Body) -> list[Mention]:
    found = []
    for entity in map(_object, _list(body.get("entities"))):
        if entity.get("type") == "mention":
            mentioned = _object(entity.get("mentioned"))
            found.append(Mention(_id(mentioned.get("id")), _text(mentioned.get("name")), _text(entity.get("text"))))
    return found


# --- invokes ---------------------------------------------------------------------------------------------------------


def _invoke(body: Body, origin: Origin | None) -> Meaning:
    name, value = _id(body.get("name")), _object(body.get("value"))
    if name not in ("adaptiveCard/action", "message/submitAction"):
        return UnknownInvoke(origin, name)
    if origin is None or origin.person is None:
        raise Unreadable("a click without conversation or person")
    card = _id(body.get("replyToId"))
    if name == "adaptiveCard/action":
        action = _object(value.get("action"))
        data = _object(action.get("data"))
        verb = _id(action.get("verb")) or _id(data.get("verb"))
        return Clicked(origin, verb, _text(data.get("value")), card, answered=True)
    if value.get("actionName") != "feedback":
        return UnknownInvoke(origin, name)
    given = _object(value.get("actionValue"))
    verdict = given.get("reaction")
    if verdict not in ("like", "dislike"):
        raise Unreadable("feedback without a reaction")
    return Judged(origin, card, verdict, _feedback(given.get("feedback")))


def _feedback(given: object) -> str:
    """Teams sends what was added as JSON inside a string, or as the string alone."""
    try:
        parsed = json.loads(_text(given))
    except (ValueError, RecursionError):
        parsed = None
    words = _object(parsed).get("feedbackText", "") if isinstance(parsed, Mapping) else given
    return visible(clean(_text(words))).strip()


# --- coming and going ------------------------------------------------------------------------------------------------


def _update(body: Body, origin: Origin, ours: frozenset[str]) -> Meaning:
    data = _object(body.get("channelData"))
    event, channel = data.get("eventType"), _object(data.get("channel"))
    channel_id = _id(channel.get("id"))
    if event in _GONE and origin.team is not None:
        return Removed(origin, origin.team)
    if event == "channelDeleted" and channel_id:
        return Removed(origin, channel_id)
    if _among(ours, body.get("membersRemoved")):
        alone = event == "channelMemberRemoved"  # from one private or shared channel, not from its team
        return Removed(origin, origin.conversation if alone else _whole(origin))
    if event in _MADE and channel_id:
        name = _named(channel_id, origin.team, _text(channel.get("name")))
        return Added(
            replace(origin, conversation=channel_id, thread="", kind="channel", channel_name=name), greets=False
        )
    if _among(ours, body.get("membersAdded")):
        return Added(origin, greets=origin.kind == "personal")
    return Unasked(origin)


def _installation(body: Body, origin: Origin) -> Meaning:
    action = body.get("action")
    if action == "remove":
        return Removed(origin, _whole(origin))
    if action in ("add", "add-upgrade"):
        return Added(origin, greets=action == "add" and origin.kind == "personal")
    return Unasked(None)  # "remove-upgrade" comes before "add-upgrade"


def _among(ours: frozenset[str], members: object) -> bool:
    return any(_id(_object(member).get("id")) in ours for member in _list(members))


def _whole(origin: Origin) -> str:
    return origin.team if origin.kind == "channel" and origin.team else origin.conversation


# --- every activity --------------------------------------------------------------------------------------------------


def _origin(body: Body) -> Origin | None:
    conversation, data = _object(body.get("conversation")), _object(body.get("channelData"))
    address, tenant, service_url = _id(conversation.get("id")), tenant_of(body), _id(body.get("serviceUrl"))
    bare, _, root = address.partition(_THREAD)
    if not bare or not tenant or not service_url:
        return None
    kind = _kind(conversation, bare)
    sender = _object(body.get("from"))
    home = _id(sender.get("tenantId")).lower()
    team = _id(_object(data.get("team")).get("id")) or None
    channel = _object(data.get("channel"))
    says_name = _id(channel.get("id")) in ("", bare)
    return Origin(
        tenant=tenant,
        service_url=service_url,
        address=address,
        conversation=bare,
        thread=root if kind == "channel" else "",
        kind=kind,
        activity=_id(body.get("id")),
        person=_id(sender.get("aadObjectId")) or _id(sender.get("id")) or None,
        home=home if home and home != tenant else None,
        team=team,
        channel_name=_named(bare, team, _text(channel.get("name")) if says_name else "") if kind == "channel" else "",
    )


def _kind(conversation: Body, bare: str) -> ConversationKind:
    said = conversation.get("conversationType")
    known = _KINDS.get(said.lower()) if isinstance(said, str) else None
    if known is not None:
        return known
    if "@thread.tacv2" in bare or "@thread.skype" in bare:
        return "channel"
    # What isn't known to be personal needs a mention.
    return "group" if conversation.get("isGroup") is True or said or "@thread." in bare else "personal"


def _named(channel: str, team: str | None, name: str) -> str:
    """General has its team's id, and no name that Teams would say."""
    return channel_name(name) or ("general" if channel == team else "")


def _ours(body: Body, me: str) -> frozenset[str]:
    return frozenset(filter(None, (me, _id(_object(body.get("recipient")).get("id")))))


def _object(value: object) -> Body:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _id(value: object) -> str:
    """An id that can be stored and sent back; empty when it is none."""
    if not isinstance(value, str) or not 0 < len(value) <= ID_LIMIT:
        return ""
    return "" if any(unicodedata.category(character) in ("Cc", "Cs") for character in value) else value
