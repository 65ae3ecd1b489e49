"""The Teams edge, put together: activities on one side, the Chat port on the other."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog
from aiohttp import web

from bot.domain import Address, Person, Place, Reply, Said, Signal, SignalKind
from bot.errors import DirectorError, UsageError
from bot.ports import Intake, Journal
from bot.references import References
from bot.schedule_grammar import ChannelRef
from bot.settings import TeamsSettings
from handlers import once
from handlers.picture import Picture, draw
from handlers.teams.conversations import Conversations, NoReferences
from handlers.teams.credentials import Credentials, LoginUnreachable, ManagedIdentity, Nobody, Secret
from handlers.teams.delivery import TeamsDelivery
from handlers.teams.endpoint import PATH, Endpoint, same_machine
from handlers.teams.listening import STORE_LIMIT, Listening
from handlers.teams.pace import Paces
from handlers.teams.people import People
from handlers.teams.playground import PlaygroundWire
from handlers.teams.tokens import Tokens
from handlers.teams.wire import Wire

log = structlog.get_logger(__name__)

PLAYGROUND_ID = "00000000-0000-0000-0000-000000000000"  # a playground asks for no identity
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # of a tenant
READY_LIMIT = 2.0  # seconds; who asks whether we are ready has no patience


def utc_now() -> datetime:
    return datetime.now(UTC)


def build(
    settings: TeamsSettings,
    intake: Intake | None,
    references: References | None,
    *,
    picture: Picture | None = draw,
    now: Callable[[], datetime] = utc_now,
) -> TeamsEdge:
    """The edge for the settings' bot. Without an intake it can post but not listen; without references only check."""
    return TeamsEdge(
        credentials=_credentials(settings),
        client_id=settings.client_id,
        tokens=Tokens(settings.client_id, settings.openid_url),
        tenants=frozenset(tenant.lower() for tenant in settings.allowed_tenants),
        intake=intake,
        references=references,
        picture=picture,
        now=now,
    )


def playground(
    intake: Intake | None,
    references: References,
    *,
    picture: Picture | None = draw,
    now: Callable[[], datetime] = utc_now,
) -> TeamsEdge:
    """An edge without credentials, which only this machine can reach and which reaches only this machine."""
    return TeamsEdge(
        credentials=Nobody(),
        client_id=PLAYGROUND_ID,
        tokens=None,
        tenants=None,
        intake=intake,
        references=references,
        picture=picture,
        now=now,
    )


class TeamsEdge:
    """Implements `bot.ports.Chat` and `handlers.platforms.Directory`. Call `open` first and `close` in the end."""

    name = "Director"

    def __init__(
        self,
        *,
        credentials: Credentials,
        client_id: str,
        tokens: Tokens | None,
        tenants: Collection[str] | None,
        intake: Intake | None,
        references: References | None,
        picture: Picture | None,
        now: Callable[[], datetime],
    ) -> None:
        self._credentials, self._client_id, self._tokens, self._tenants = credentials, client_id, tokens, tenants
        self._intake, self._picture, self._now = intake, picture, now
        wire = Wire if tokens is not None else PlaygroundWire
        self.wire: Wire = wire(credentials, client_id=client_id, refused=credentials.refused)
        self._conversations = Conversations(references or NoReferences(), self.wire, now=now)
        self._people = People(self.wire, self._conversations.reference)
        self._paces = Paces()
        self._endpoint: Endpoint | None = None

    # --- life --------------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Find out whether Microsoft knows us. That nobody answers there is only logged: it is tried again.

        Raises:
            UsageError: Microsoft refuses the credentials.
        """
        try:
            await self._credentials()
        except LoginUnreachable as error:
            log.warning("teams.no_token_yet", reason=str(error))
            return
        except UsageError:
            await self.close()
            raise
        log.info("teams.identified", me=self.wire.me)

    def http_routes(self) -> tuple[web.RouteDef, ...]:
        """The route that activities arrive on."""
        if self._intake is None:
            raise UsageError("This connection to Teams only posts; it has no inbox to put questions into.")
        if self._endpoint is None:
            listening = Listening(self._intake, self._conversations, me=self.wire.me, now=self._now)
            self._endpoint = Endpoint(listening.take, self._from_teams, tenants=self._tenants)
        return (web.post(PATH, self._endpoint.handle),)

    async def connected(self) -> bool:
        """Whether what comes in could be answered: for readiness."""
        try:
            async with asyncio.timeout(READY_LIMIT):
                await self._credentials()
        except (DirectorError, TimeoutError):
            return False
        return True

    async def check(self) -> str:
        """For doctor. Raises DirectorError with what to do."""
        await self._credentials()
        if self._tokens is not None:
            await self._tokens.reach()
        if names := [tenant for tenant in sorted(self._tenants or ()) if not _ID.fullmatch(tenant)]:
            raise UsageError(
                f"Nobody of {', '.join(names)} is heard: messages name tenants by their ids. Give the directory "
                "(tenant) id in TEAMS_ALLOWED_TENANTS, or in TEAMS_TENANT_ID where there is no such list."
            )
        tenants = ", ".join(sorted(self._tenants or ()))
        return f"Microsoft gives a token for {self._client_id}; people of {tenants} are heard at {PATH}"

    async def close(self) -> None:
        """Let what is being stored be stored, then let go of every connection."""
        if self._endpoint is not None:
            await self._endpoint.drained(STORE_LIMIT + 1)
        await self.wire.close()
        await self._credentials.close()
        if self._tokens is not None:
            await self._tokens.close()

    # --- the Chat port -----------------------------------------------------------------------------------------------

    async def person(self, place: Place, person_id: str) -> Person:
        return await self._people.person(place, person_id)

    async def before(self, place: Place, *, question: str | None, limit: int) -> tuple[Said, ...]:  # noqa: ARG002
        """Teams shows a bot no history."""
        return ()

    def delivery(self, address: Address, journal: Journal) -> TeamsDelivery:
        return TeamsDelivery(
            self.wire,
            self._conversations.reference,
            address,
            journal,
            picture=self._picture,
            paces=self._paces,
            stopped=partial(self._stopped, address),
        )

    # --- channels, for schedules and rights --------------------------------------------------------------------------

    async def find(self, place: Place, channel: ChannelRef) -> ChannelRef | None:
        return await self._conversations.find(place, channel)

    async def joined(self, place: Place, channel: ChannelRef) -> bool:
        return await self._conversations.joined(place, channel)

    async def groups_of(self, person: Person) -> Collection[str]:  # noqa: ARG002
        """Teams tells a bot of no groups."""
        return ()

    # --- for the command line ----------------------------------------------------------------------------------------

    async def channel(self, name_or_id: str) -> tuple[Place, str]:
        """The channel's place and its name with `#`. Raises UsageError when there is none, or more than one."""
        found = await self._conversations.channel(name_or_id)
        place = Place(platform="teams", workspace=found.workspace, channel=found.conversation)
        return place, f"#{found.name}" if found.name else found.conversation

    async def post(self, place: Place, reply: Reply) -> str:
        """Post a reply outside of any turn and return the first message's id. Raises CannotPost or Unreachable."""
        return await once.post(self, "Teams", place, reply, at=self._now())

    async def _stopped(self, address: Address) -> None:
        """Someone pressed Teams' own Stop under a streamed answer: the same as saying stop there."""
        if self._intake is None:
            return
        signal = Signal(
            kind=SignalKind.STOP,
            dedupe_key=f"teams:{address.place.workspace}:stopped:{address.turn_id}",
            place=address.place,
            person_id=address.asker or "",
            at=self._now(),
        )
        try:
            async with asyncio.timeout(STORE_LIMIT):
                await self._intake.signal(signal)
        except (DirectorError, TimeoutError) as error:
            log.warning("teams.stop_not_stored", kind=type(error).__name__)

    async def _from_teams(self, request: web.Request, body: Mapping[str, Any]) -> None:
        if self._tokens is None:
            same_machine(request, body)
        else:
            await self._tokens.check(request.headers.get("Authorization"), body)


def _credentials(settings: TeamsSettings) -> Credentials:
    if settings.client_secret is None:
        return ManagedIdentity(settings.client_id)
    return Secret(settings.login_url, settings.tenant_id, settings.client_id, settings.client_secret.get_secret_value())
