"""A Microsoft Teams on this machine over real HTTP: people who write to a bot, and a connector that shows its answers.

Its rooms and people stand in `teams_people`, its rules in `teams_connector`, what is shown in `teams_shown`. Re-export
the fixture from a folder's conftest.py: `from tests.doubles.teams import teams`.
"""

from __future__ import annotations

import asyncio
import html
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

import aiohttp
import pytest
from aiohttp import web

from tests.doubles.teams_connector import Connector
from tests.doubles.teams_login import CLIENT_ID, SECRET, Login
from tests.doubles.teams_people import ROOMS, TENANT, Room, Someone
from tests.doubles.teams_rules import Fault, Rules
from tests.doubles.teams_shown import Delivered, Json, Ledger, Shown

__all__ = ["CLIENT_ID", "NAME", "SECRET", "Fault", "Said", "TeamsConfig", "TeamsDouble", "running", "teams"]

BOT = f"28:{CLIENT_ID}"
NAME = "Director"


@dataclass(frozen=True, kw_only=True)
class TeamsConfig:
    """`ack_seconds`: how long Teams waits for a 2xx; `retry_delays`: when it delivers again after that (5xx, silence).

    `connections`: how many connections are kept alive to the bot (0: as many as needed), with `fresh` none at all.
    """

    ack_seconds: float = 15.0
    retry_delays: tuple[float, ...] = (0.0, 2.0, 4.0)
    connections: int = 0
    fresh: bool = False
    expires_in: int = 3600


@dataclass(frozen=True)
class Said:
    """What a person wrote: `root` is where the reply chain hangs in a channel, "" elsewhere."""

    id: str
    room: Room
    root: str
    person: Someone
    delivered: Delivered = field(repr=False)


class TeamsDouble(Login):
    """`bot` is the address that activities go to; set it before anyone speaks."""

    def __init__(self, config: TeamsConfig | None = None, *, bot: str = "") -> None:
        self.config, self.bot, self.ledger = config or TeamsConfig(), bot, Ledger()
        super().__init__(self.config.expires_in)
        self.rooms: dict[str, Room] = {room.id: room for room in ROOMS}
        self.connector = Connector(self.ledger, self.rooms, self._authorized, BOT)
        self.connections = 0  # how many were made to the bot
        self._tasks: set[asyncio.Task[Any]] = set()
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    # --- life --------------------------------------------------------------------------------------------------------

    @property
    def rules(self) -> Rules:
        return self.connector.rules

    @property
    def service_url(self) -> str:
        return f"{self.url}/emea/"

    @property
    def openid_url(self) -> str:
        return f"{self.url}/v1/.well-known/openidconfiguration"

    def environment(self, *tenants: str) -> dict[str, str]:
        """What `director serve` needs to be this Teams' bot."""
        return {
            "TEAMS_CLIENT_ID": CLIENT_ID,
            "TEAMS_CLIENT_SECRET": SECRET,
            "TEAMS_TENANT_ID": TENANT,
            "TEAMS_ALLOWED_TENANTS": ",".join(tenants or (TENANT,)),
            "TEAMS_LOGIN_URL": self.url,
            "TEAMS_OPENID_URL": self.openid_url,
        }

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=8 * 2**20)
        app.router.add_routes([*self.login_routes(), *self.connector.routes()])
        self._runner = web.AppRunner(app, shutdown_timeout=0.2, access_log=None, keepalive_timeout=75)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        lasting = {} if self.config.fresh else {"keepalive_timeout": 600.0}
        connector = aiohttp.TCPConnector(limit=self.config.connections, force_close=self.config.fresh, **lasting)  # type: ignore[arg-type]
        counting = aiohttp.TraceConfig()
        counting.on_connection_create_end.append(self._connected)
        self._session = aiohttp.ClientSession(connector=connector, trace_configs=[counting])
        return self

    async def _connected(self, *_: object) -> None:
        self.connections += 1

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
        if self._runner is not None:
            await self._runner.cleanup()

    # --- people speak ------------------------------------------------------------------------------------------------

    def activity(self, kind: str, person: Someone, room: Room, *, root: str = "", **more: Any) -> Json:
        """An activity as Teams builds it; `more` is laid over it, None takes a field out."""
        conversation: Json = {"conversationType": room.kind, "tenantId": room.tenant, "id": room.id}
        data: Json = {"tenant": {"id": room.tenant}}
        if room.kind != "personal":
            conversation["isGroup"] = True
        if room.kind == "channel":
            conversation["id"] = f"{room.id};messageid={root}" if root else room.id
            data |= {"teamsChannelId": room.id, "teamsTeamId": room.team}
            data |= {"channel": {"id": room.id}, "team": {"id": room.team}}
        built: Json = {
            "type": kind,
            "id": self.connector.new_id(),
            "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "channelId": "msteams",
            "serviceUrl": self.service_url,
            "from": person.account(),
            "conversation": conversation,
            "recipient": {"id": BOT, "name": NAME},
            "channelData": data,
            "locale": "en-US",
            "localTimezone": person.zone,
            **more,
        }
        return {name: value for name, value in built.items() if value is not None}

    async def say(
        self,
        person: Someone,
        room: Room,
        text: str,
        *,
        mention: bool | None = None,
        reply_to: Said | Shown | str | None = None,
        targeted: bool = False,
        **more: Any,
    ) -> Said:
        """A person writes; Teams hands it over in the background, again and again until the bot takes it.

        `text` is what the person typed behind the mention. Without `mention` the Director is mentioned where it has to
        be. `targeted`: a slash command, seen by nobody else.
        """
        mention = room.kind != "personal" and not targeted if mention is None else mention
        built = self.message(person, room, text, mention=mention, reply_to=reply_to, targeted=targeted, **more)
        delivered = self.hand_over(built)
        _, _, root = built["conversation"]["id"].partition(";messageid=")
        return Said(built["id"], room, root, person, delivered)

    def message(
        self,
        person: Someone,
        room: Room,
        text: str,
        *,
        mention: bool,
        reply_to: Said | Shown | str | None = None,
        targeted: bool = False,
        **more: Any,
    ) -> Json:
        """The activity of a message. In a channel a message that replies to nothing is its own root."""
        built = self.activity("message", person, room)
        root = ""
        if room.kind == "channel":
            root = _root_of(reply_to) or ("" if targeted else built["id"])
            if root and reply_to is None:
                self.connector.questions[room.id].add(root)
            if root:
                built["conversation"]["id"] = f"{room.id};messageid={root}"
        marked = f"<at>{NAME}</at> {text}" if mention else text
        entities: list[Json] = [
            {"type": "clientInfo", "locale": "en-US", "country": "US", "platform": "Web", "timezone": person.zone}
        ]
        if mention:
            mentioned = {"id": BOT, "name": NAME}
            entities.insert(0, {"type": "mention", "mentioned": mentioned, "text": f"<at>{NAME}</at>"})
        shown_as = f"<p>{html.escape(text)}</p>"
        built |= {
            "text": marked,
            "textFormat": "plain",
            "entities": entities,
            "attachments": [{"contentType": "text/html", "content": shown_as}],
        }
        if targeted:
            built["recipient"] = {**built["recipient"], "isTargeted": True}
        return {name: value for name, value in {**built, **more}.items() if value is not None}

    async def invoke(self, person: Someone, room: Room, name: str, value: Any, **more: Any) -> Delivered:
        """Something that wants its answer at once, e.g. `adaptiveCard/action`; with the answer's status and body."""
        return await self.attempt(self.activity("invoke", person, room, name=name, value=value, **more))

    async def press(self, person: Someone, shown: Shown, *, verb: str) -> Delivered:
        """Press the button of a shown card that has this verb."""
        action = next(one for one in shown.buttons if one.get("verb") == verb)
        value = {
            "action": {"type": "Action.Execute", "verb": verb, "data": action.get("data", {})},
            "trigger": "manual",
        }
        room = self.rooms[shown.conversation]
        root = (shown.root or shown.id) if room.kind == "channel" else ""
        return await self.invoke(person, room, "adaptiveCard/action", value, root=root, replyToId=shown.id)

    async def install(self, person: Someone, room: Room, *, told: bool = True) -> Delivered | None:
        """The Director is added to a room, or to the team of a channel; `told`: and hears of it."""
        self.connector.away -= {room.id, room.team or room.id}
        return await self._membership(person, room, "add") if told else None

    async def remove(self, person: Someone, room: Room, *, told: bool = True) -> Delivered | None:
        self.connector.away.add(room.team or room.id)
        return await self._membership(person, room, "remove") if told else None

    async def _membership(self, person: Someone, room: Room, action: str) -> Delivered:
        """Teams tells it twice: as an update of the conversation's members and as an update of the installation."""
        where = next((one for one in self.rooms.values() if one.id == room.team), room)
        list_name = "membersAdded" if action == "add" else "membersRemoved"
        update = self.activity("conversationUpdate", person, where, **{list_name: [{"id": BOT}]})
        update["channelData"]["eventType"] = "teamMemberAdded" if action == "add" else "teamMemberRemoved"
        await self.attempt(update)
        return await self.attempt(self.activity("installationUpdate", person, where, action=action))

    # --- handing over ------------------------------------------------------------------------------------------------

    def token(self, **how: Any) -> str:
        """The channel's token for the Director, or one with something wrong; see `Keys.token`."""
        return self.keys.token(**{"audience": CLIENT_ID, "service_url": self.service_url, **how})

    def hand_over(self, activity: Json) -> Delivered:
        """Deliver in the background as Teams does."""
        delivered = Delivered(activity=activity)
        self.ledger.delivered.append(delivered)
        task = asyncio.create_task(self._deliver(delivered))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return delivered

    async def attempt(
        self, activity: Any, *, token: str | None = "", headers: Mapping[str, str] | None = None
    ) -> Delivered:
        """One delivery and its answer. `token` None: no Authorization at all."""
        delivered = Delivered(activity=activity if isinstance(activity, dict) else {})
        self.ledger.delivered.append(delivered)
        await self._attempt(delivered, activity, self.token() if token == "" else token, headers)
        delivered.over = True
        return delivered

    async def _deliver(self, delivered: Delivered) -> None:
        for delay in (None, *self.config.retry_delays):
            if delay is not None:
                await asyncio.sleep(delay)
            await self._attempt(delivered, delivered.activity, self.token(), None)
            status = delivered.attempts[-1]
            if status is not None and status < 500 and status != 429:
                break
        delivered.over = True
        self.ledger.note()

    async def _attempt(
        self, delivered: Delivered, body: Any, token: str | None, headers: Mapping[str, str] | None
    ) -> None:
        assert self._session is not None
        known = {"Authorization": f"Bearer {token}"} if token is not None else {}
        limit = aiohttp.ClientTimeout(total=self.config.ack_seconds)
        sent: dict[str, Any] = {"data": body} if isinstance(body, bytes | str) else {"json": body}
        begun = time.monotonic()
        try:
            async with self._session.post(
                self.bot, headers={**known, **(headers or {})}, timeout=limit, **sent
            ) as answer:
                raw = await answer.read()
                delivered.answer = await answer.json() if raw and answer.content_type == "application/json" else None
                delivered.attempts.append(answer.status)
        except (aiohttp.ClientError, TimeoutError):
            delivered.attempts.append(None)
        delivered.seconds = time.monotonic() - begun
        self.ledger.note()

    # --- what came of it ---------------------------------------------------------------------------------------------

    async def answer(self, said: Said, *words: str, seconds: float = 15.0, many: int = 1) -> list[Shown]:
        """The Director's messages where something was said, once they are whole and say these words.

        In a channel: those of the reply chain. Targeted ones count for the person who spoke.
        """

        def look(ledger: Ledger) -> list[Shown] | None:
            found = [
                one
                for one in ledger.in_(said.room.id, said.root if said.room.kind == "channel" else None)
                if int(one.id) > int(said.id) and one.only in (None, said.person.id)
            ]
            spoken = " ".join(one.words for one in found)
            whole = len(found) >= many and not any(one.made for one in found)
            return found if whole and all(word in spoken for word in words) else None

        return await self.ledger.settled(look, seconds)

    async def until(self, look: Callable[[Ledger], Any], seconds: float = 15.0) -> Any:
        return await self.ledger.until(look, seconds)


def _root_of(reply_to: Said | Shown | str | None) -> str:
    if isinstance(reply_to, Shown):
        return reply_to.root or reply_to.id
    return reply_to.root if isinstance(reply_to, Said) else reply_to or ""


@asynccontextmanager
async def running(config: TeamsConfig | None = None, *, bot: str = "") -> AsyncIterator[TeamsDouble]:
    async with TeamsDouble(config, bot=bot) as double:
        yield double


@pytest.fixture
async def teams() -> AsyncIterator[TeamsDouble]:
    """A Teams whose bot doesn't exist yet: set `teams.bot`. It waits a second for it and delivers again at once."""
    async with running(TeamsConfig(ack_seconds=1.0, retry_delays=(0.05, 0.1))) as double:
        yield double
