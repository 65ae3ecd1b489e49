"""The Slack edge of one workspace, put together: Bolt's listeners on one side, the Chat port on the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import aiohttp
import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp

from bot.domain import Address, Person, Place, Reply, Said
from bot.errors import Unreachable, UsageError
from bot.ports import DeliveryFailed, Intake, Journal
from bot.settings import SlackSettings
from handlers import once
from handlers.picture import Picture, draw
from handlers.slack import wire as wires
from handlers.slack.delivery import SlackDelivery
from handlers.slack.events import STORE_LIMIT
from handlers.slack.listeners import listening
from handlers.slack.people import People
from handlers.slack.private import ResponseUrls
from handlers.slack.signing import signed
from handlers.slack.socket import Socket
from handlers.slack.wire import TROUBLE, Wire, code

log = structlog.get_logger(__name__)

EVENTS_PATH = "/slack/events"
_REFUSED = frozenset(
    ("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type")
)

# Says for a channel's id or name with `#` whether the Director reads on in threads that it takes part in.
FollowThreads = Callable[[str], bool]


def utc_now() -> datetime:
    return datetime.now(UTC)


def build(
    settings: SlackSettings,
    intake: Intake | None,
    *,
    follow_threads: FollowThreads | None = None,
    picture: Picture | None = draw,
    now: Callable[[], datetime] = utc_now,
) -> SlackEdge:
    """The edge for the settings' workspace, not yet connected. Without an intake it can post but not listen."""
    return SlackEdge(settings, intake, follow_threads=follow_threads, picture=picture, now=now)


class SlackEdge:
    """Implements `bot.ports.Chat`. Call `open` before anything else and `close` in the end."""

    def __init__(
        self,
        settings: SlackSettings,
        intake: Intake | None,
        *,
        follow_threads: FollowThreads | None,
        picture: Picture | None,
        now: Callable[[], datetime],
    ) -> None:
        self._settings, self._intake, self._follow_threads = settings, intake, follow_threads
        self._picture, self._now = picture, now
        self.wire = Wire(wires.client(settings.bot_token.get_secret_value(), settings.api_url))
        self._people = People(self.wire)
        self._urls = ResponseUrls()
        self._app: AsyncApp | None = None
        self._socket: Socket | None = None
        self._http: set[asyncio.Task[Any]] = set()

    # --- life --------------------------------------------------------------------------------------------------------

    @property
    def team(self) -> str:
        """The workspace's id: `Place.workspace` of everything that comes from here."""
        return self.wire.team

    @property
    def name(self) -> str:
        """What people call the Director in an @mention."""
        return self.wire.name

    async def open(self) -> None:
        """Find out whose token it is; needed before posting or listening.

        Raises:
            UsageError: Slack refuses the bot token.
            Unreachable: Slack doesn't answer.
        """
        if self.wire.client.session is None:
            self.wire.client.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=wires.TIMEOUT))
        try:
            answer = await self.wire.client.auth_test()
        except TROUBLE as error:
            await self.close()
            name = code(error)
            if name in _REFUSED:
                raise UsageError(
                    f"Slack refused SLACK_BOT_TOKEN ({name}). Copy the Bot User OAuth Token (xoxb-…) from "
                    "OAuth & Permissions of your app."
                ) from error
            raise Unreachable(f"Slack could not be reached ({name}). Check the network and SLACK_API_URL.") from error
        data = answer.data if isinstance(answer.data, dict) else {}
        self.wire.identified(data)
        log.info("slack.identified", team=self.wire.team, me=self.wire.me)

    async def start_socket(self) -> None:
        """Listen by Socket Mode; returns when connected, reconnects by itself.

        Raises:
            UsageError: Slack refuses the app token.
            Unreachable: Slack doesn't answer.
        """
        token = self._settings.app_token
        if token is None:
            raise UsageError("SLACK_APP_TOKEN is not set, so there is no Socket Mode; use signed HTTP instead.")
        client = wires.client(token.get_secret_value(), self._settings.api_url)
        client.session = self.wire.client.session
        self._socket = Socket(self._listening(), token.get_secret_value(), client)
        await self._socket.open()

    def http_routes(self) -> tuple[web.RouteDef, ...]:
        """The route of signed HTTP; none with Socket Mode. Needs a signing secret."""
        if self._settings.app_token is not None:
            return ()
        if self._settings.signing_secret is None:
            raise UsageError(
                "SLACK_SIGNING_SECRET is not set; without it nobody could tell Slack's requests from others."
            )
        self._listening()
        return (web.post(EVENTS_PATH, self._handle),)

    async def connected(self) -> bool:
        """Whether events can come in now: for readiness."""
        if self._settings.app_token is None:
            return bool(self.wire.team)
        return self._socket is not None and await self._socket.connected()

    async def close(self) -> None:
        """Let what is being stored be stored, then disconnect."""
        if self._socket is not None:
            await self._socket.close()
            self._socket = None
        if self._http:
            await asyncio.wait(self._http, timeout=STORE_LIMIT + 1)
        if self.wire.client.session is not None:
            await self.wire.client.session.close()
            self.wire.client.session = None

    # --- the Chat port -----------------------------------------------------------------------------------------------

    async def person(self, place: Place, person_id: str) -> Person:  # noqa: ARG002 - other platforms need the place
        return await self._people.person(person_id)

    async def before(self, place: Place, *, question: str | None, limit: int) -> tuple[Said, ...]:
        return await self._people.before(place, question=question, limit=limit)

    def delivery(self, address: Address, journal: Journal) -> SlackDelivery:
        return SlackDelivery(self.wire, address, journal, urls=self._urls, picture=self._picture)

    async def in_group(self, group: str, person_id: str) -> bool:
        """Whether a person belongs to a user group (`S0…`); no when Slack doesn't say."""
        return await self._people.in_group(group, person_id)

    # --- for the command line ----------------------------------------------------------------------------------------

    async def channel(self, name_or_id: str) -> tuple[Place, str]:
        """The channel's place and its name with `#`. Raises UsageError when there is none, Unreachable."""
        try:
            channel, name = await self._people.resolve_channel(name_or_id)
        except DeliveryFailed as error:
            raise Unreachable("Slack could not be reached. Check the network and SLACK_API_URL.") from error
        return Place(platform="slack", workspace=self.wire.team, channel=channel), name

    async def joined(self, channel: str) -> bool:
        """Whether the Director is in this channel and it isn't archived; True where Slack doesn't say."""
        try:
            return await self._people.joined(channel)
        except TROUBLE:
            return True

    async def channel_name(self, channel: str) -> str:
        """`#payments`; the id itself where Slack doesn't say."""
        try:
            return await self._people.channel_name(channel)
        except TROUBLE:
            return channel

    async def post(self, place: Place, reply: Reply) -> str:
        """Post a reply outside of any turn and return the first message's id. Raises CannotPost or Unreachable."""
        return await once.post(self, "Slack", place, reply, at=self._now())

    # --- listening ---------------------------------------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.Response:
        app = self._listening()
        task = asyncio.current_task()
        if task is not None:
            self._http.add(task)
            task.add_done_callback(self._http.discard)
        secret = self._settings.signing_secret
        if secret is None or not signed(secret.get_secret_value(), request.headers, await request.read()):
            log.warning("slack.not_signed", remedy="if Slack sent it, check SLACK_SIGNING_SECRET and this clock")
            return web.json_response({"error": "invalid request"}, status=401)
        try:
            return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))
        except Exception as error:  # noqa: BLE001  Bolt's own, on bodies of another form; listeners' errors end in it
            log.error("slack.unreadable", kind=type(error).__name__)  # noqa: TRY400  a traceback may quote the body
            return web.json_response({"error": "unreadable request"}, status=400)

    def _listening(self) -> AsyncApp:
        if self._intake is None:
            raise UsageError("This connection to Slack only posts; it has no inbox to put questions into.")
        if self._app is None:
            secret = self._settings.signing_secret
            self._app = listening(
                self.wire,
                self._intake,
                signing_secret=secret.get_secret_value() if secret else uuid4().hex,  # Socket Mode needs none
                urls=self._urls,
                follows=self._follows,
                now=self._now,
            )
        return self._app

    async def _follows(self, channel: str) -> bool:
        if self._follow_threads is None:
            return False
        return self._follow_threads(channel) or self._follow_threads(await self._people.channel_name(channel))
