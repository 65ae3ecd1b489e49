"""An answer on its way: a Teams of the tests, a real store with a claimed turn, and the deliveries of that turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from bot.domain import Address, Chart, Incoming, IncomingKind, Place, Reply, Text
from bot.ports import Claim, Journal
from bot.references import ConversationReference
from handlers.teams.conversations import Conversations
from handlers.teams.delivery import TeamsDelivery
from handlers.teams.pace import Paces
from handlers.teams.wire import Wire
from storage import Store, open_store
from tests.doubles.teams import CLIENT_ID, TeamsDouble, running
from tests.doubles.teams_people import GROUP, MAYA, PAYMENTS, ROOMS, Room, Someone, chat_with
from tests.doubles.teams_shown import Shown

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
KINDS = {"personal": "personal", "groupChat": "group", "channel": "channel"}
CHAT = chat_with(MAYA)
SOON = 0.02  # seconds between two calls here, so that tests don't take Teams' time


async def no_picture(_: Chart) -> bytes:
    raise AssertionError("no chart was to be drawn")


@dataclass
class World:
    """Where the answers of one process go; `again` is the next process, which knows what is stored and nothing else."""

    teams: TeamsDouble
    store: Store
    wire: Wire
    conversations: Conversations
    paces: Paces
    picture: Any = no_picture
    stops: list[str] = field(default_factory=list)
    clock: list[float] | None = None
    claim: Claim | None = None

    async def turn(
        self,
        room: Room,
        thread: str = "",
        *,
        person: Someone | None = MAYA,
        channel: str | None = None,
        kind: IncomingKind = IncomingKind.ASK,
    ) -> Address:
        """A turn asked there, claimed from the inbox; its answer's address."""
        place = Place(platform="teams", workspace=room.tenant, channel=channel or room.id, thread=thread)
        incoming = Incoming(
            kind=kind,
            dedupe_key=uuid4().hex,
            place=place,
            text="how is checkout?",
            received_at=NOW,
            speaker_id=person.key if person is not None else None,
            question="1",
        )
        await self.store.inbox.put(incoming)
        return await self.claimed()

    async def claimed(self, lease: float = 60.0) -> Address:
        self.claim = await self.store.inbox.claim(worker=uuid4().hex, lease=lease)
        assert self.claim is not None
        return Address(
            turn_id=self.claim.turn_id,
            place=self.claim.incoming.place,
            asker=self.claim.incoming.speaker_id,
            asker_home=None,
            question=self.claim.incoming.question,
            asked_at=NOW,
        )

    @property
    def journal(self) -> Journal:
        assert self.claim is not None
        return self.store.inbox.journal(self.claim)

    async def known(self) -> dict[int, tuple[str, str | None]]:
        return dict(await self.journal.known())

    def delivery(self, address: Address) -> TeamsDelivery:
        async def stopped() -> None:
            self.stops.append(address.turn_id)

        clock = {"now": lambda: self.clock[0]} if self.clock is not None else {}
        return TeamsDelivery(
            self.wire,
            self.conversations.reference,
            address,
            self.journal,
            picture=self.picture,
            paces=self.paces,
            stopped=stopped,
            **clock,  # type: ignore[arg-type]
        )

    def reference(self, room: Room) -> ConversationReference:
        return ConversationReference(
            platform="teams",
            workspace=room.tenant,
            conversation=room.id,
            kind=KINDS[room.kind],  # type: ignore[arg-type]
            service_url=self.teams.service_url,
            name=(room.name or "").lower(),
            person_id=room.people[0].key if room.kind == "personal" else None,
            team_id=room.team,
            known_at=NOW,
        )

    async def knows(self, *rooms: Room) -> None:
        for room in rooms:
            await self.store.references.remember(self.reference(room))

    def asked(self, room: Room = PAYMENTS) -> str:
        """The id of a person's root message in a channel."""
        root = self.teams.connector.new_id()
        self.teams.connector.questions[room.id].add(root)
        return root

    def shown(self, room: Room) -> list[Shown]:
        return self.teams.ledger.in_(room.id)

    def texts(self, room: Room) -> list[str]:
        return [one.text for one in self.shown(room)]

    async def until(self, look: Callable[[], Any]) -> Any:
        async with asyncio.timeout(10):
            while not (found := look()):  # noqa: ASYNC110 - not all that is looked at tells of changes
                await asyncio.sleep(0.01)
        return found

    async def seen(self, room: Room, text: str) -> None:
        """Wait until this stands there and the message's id is written down."""
        await self.until(lambda: any(text in one.words or text == one.informative for one in self.shown(room)))
        async with asyncio.timeout(10):
            while not any(message_id for _, message_id in (await self.known()).values()):  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@asynccontextmanager
async def world(
    folder: Path, *, gap: float = SOON, known: tuple[Room, ...] = (CHAT, GROUP, PAYMENTS)
) -> AsyncIterator[World]:
    async with running() as teams, open_store(f"sqlite:///{folder}/director.db") as store:
        await store.migrate()
        teams.rules.stream_seconds, teams.rules.per_thread = 0.0, {}
        token = teams.bot_token()

        async def given() -> str:
            return token

        wire = Wire(given, client_id=CLIENT_ID)
        made = World(
            teams=teams,
            store=store,
            wire=wire,
            conversations=Conversations(store.references, wire),
            paces=Paces(gap),
        )
        await made.knows(*known)
        try:
            yield made
        finally:
            await wire.close()
        both = [call.body for call in teams.ledger.calls if call.body.get("text") and call.body.get("attachments")]
        assert both == [], "Teams makes two messages of one with text and a card, and names no id of either"


def reply(*texts: str, **more: Any) -> Reply:
    return Reply(summary="Checkout is fine.", parts=tuple(Text(markdown=text) for text in texts), **more)


__all__ = ["CHAT", "GROUP", "MAYA", "PAYMENTS", "ROOMS", "World", "reply", "world"]
