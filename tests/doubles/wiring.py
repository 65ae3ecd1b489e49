"""A composition root for tests of the command line: stores in memory, hand-made assessments, a channel to post in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from bot.domain import Address, Incoming, IncomingKind, Place, Reply, Signal, Text
from bot.errors import UsageError
from bot.feedback import Feedback
from bot.planning import Planning, Surroundings
from bot.ports import Chat, TurnRecord, TurnState
from bot.reliability.assessment import Assessment, Figures, Objective, State
from bot.reliability.definitions import Indicator, ObjectiveDefinition, PrometheusQuery, Window
from bot.settings import Settings, load_settings
from tests.doubles.remembered import MemoryDeploys, MemoryHours, MemoryIssued
from tests.doubles.stores import MemoryPlans, MemorySchedules

NOW = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
CHANNELS = {"#payments": "C1", "#general": "C2"}


def objective(service: str, state: State = State.OK, *, unreachable: bool = False) -> Objective:
    known = state not in (State.QUERY_FAILED, State.NO_DATA)
    figures = Figures(bad=Fraction(1600), total=Fraction(2_000_000), sli=Fraction(9992, 10_000)) if known else Figures()
    if known:
        figures = Figures(**{**figures.__dict__, "consumed": Fraction(4, 5), "remaining": Fraction(1, 5)})
    return Objective(
        definition=ObjectiveDefinition(
            service=service,
            slo=f"{service}-availability",
            name="availability",
            target=Decimal("0.999"),
            window=Window("28d", timedelta(days=28)),
            indicator=Indicator("errors", total=PrometheusQuery("all"), bad=PrometheusQuery("bad")),
        ),
        state=state,
        sentence=f"{service} is {state.value}.",
        figures=figures,
        remarks=(),
        method="increase" if known else None,
        queries={"bad": "bad", "total": "all"},
        source="Prometheus",
        evaluated_at=NOW,
        unreachable=unreachable,
    )


@dataclass
class FixedReliability:
    """Answers with the objectives it was given, and remembers what was asked and what was issued."""

    items: tuple[Objective, ...]
    asked: list[tuple[Sequence[str] | None, datetime]] = field(default_factory=list)
    issued: list[tuple[Sequence[str] | None, datetime]] = field(default_factory=list)

    async def issue(self, services: Sequence[str] | None, at: datetime) -> Assessment:
        self.issued.append((services, at))
        return self._chosen(services, at)

    async def assess(self, services: Sequence[str] | None, at: datetime) -> Assessment:
        self.asked.append((services, at))
        return self._chosen(services, at)

    def _chosen(self, services: Sequence[str] | None, at: datetime) -> Assessment:
        known = {item.service for item in self.items}
        for name in services or ():
            if name not in known:
                raise UsageError(f"There is no service {name!r}.")
        chosen = tuple(item for item in self.items if not services or item.service in services)
        return Assessment(at=at, items=chosen, asked=tuple(services or ()))


class FixedInbox:
    def __init__(self, turns: Sequence[TurnRecord] = ()) -> None:
        self.records = {turn.turn_id: turn for turn in turns}
        self.retried: list[str] = []

    async def turns(self, *, state: TurnState | None, limit: int) -> Sequence[TurnRecord]:
        return [turn for turn in self.records.values() if state is None or turn.state is state][:limit]

    async def turn(self, turn_id: str) -> TurnRecord | None:
        return self.records.get(turn_id)

    async def retry(self, turn_id: str) -> bool:
        turn = self.records.get(turn_id)
        if turn is None or turn.state is not TurnState.PARKED:
            return False
        self.retried.append(turn_id)
        return True


@dataclass
class FixedFeedback:
    said: Sequence[Feedback] = ()

    async def latest(self, *, workspace: str | None, limit: int) -> Sequence[Feedback]:
        return [one for one in self.said if workspace in (None, one.place.workspace)][:limit]


@dataclass
class MemoryStore:
    inbox: FixedInbox = field(default_factory=FixedInbox)
    plans: MemoryPlans = field(default_factory=MemoryPlans)
    schedules: MemorySchedules = field(default_factory=MemorySchedules)
    feedback: FixedFeedback = field(default_factory=FixedFeedback)
    the_hours: MemoryHours = field(default_factory=MemoryHours)
    the_issued: MemoryIssued = field(default_factory=MemoryIssued)
    the_deploys: MemoryDeploys = field(default_factory=MemoryDeploys)

    def hours(self, workspace: str) -> MemoryHours:
        return self.the_hours

    def issued(self, workspace: str) -> MemoryIssued:
        return self.the_issued

    def deploys(self, workspace: str) -> MemoryDeploys:
        return self.the_deploys


class Noticeboard:
    """Channels to post in."""

    def __init__(self) -> None:
        self.posts: list[tuple[Place, Reply]] = []

    async def channel(self, name_or_id: str) -> tuple[Place, str]:
        for name, channel in CHANNELS.items():
            if name_or_id in (name, name.removeprefix("#"), channel):
                return Place(platform="slack", workspace="T1", channel=channel), name
        raise UsageError(f"I can't see a channel {name_or_id}; invite me there.")

    async def post(self, place: Place, reply: Reply) -> str:
        self.posts.append((place, reply))
        return f"{len(self.posts)}.0"


class KnownJournal:
    def __init__(self) -> None:
        self.messages: dict[int, tuple[str, str | None]] = {}

    async def intend(self, part: int, how: str) -> None:
        self.messages[part] = (how, None)

    async def shown(self, part: int, message_id: str) -> None:
        self.messages[part] = ("post", message_id)

    async def known(self) -> dict[int, tuple[str, str | None]]:
        return self.messages

    async def owned(self, message_ids: Any) -> frozenset[str]:
        return frozenset(message_ids)


class Echo:
    """An intake whose worker answers at once: it streams the first half of what it was told, then finishes.

    Words that begin with "never" are kept without an answer until someone says stop.
    """

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self.taken: list[Incoming] = []
        self.signals: list[Signal] = []
        self.arrived = asyncio.Event()
        self._working: set[asyncio.Task[None]] = set()

    async def put(self, incoming: Incoming) -> bool:
        self.taken.append(incoming)
        self.arrived.set()
        if not incoming.text.startswith("never"):
            task = asyncio.create_task(self._answer(incoming))
            self._working.add(task)
        return True

    async def signal(self, signal: Signal) -> bool:
        self.signals.append(signal)
        await self._answer(self.taken[-1], "Stopped, as asked.")
        return True

    async def knows(self, place: Place) -> bool:
        return bool(place)

    async def _answer(self, incoming: Incoming, text: str | None = None) -> None:
        address = Address(
            turn_id=incoming.dedupe_key,
            place=incoming.place,
            asker=incoming.speaker_id,
            asker_home=None,
            question=incoming.question,
            asked_at=incoming.received_at,
        )
        delivery = self._chat.delivery(address, KnownJournal())
        person = await self._chat.person(incoming.place, incoming.speaker_id or "")
        said = text or f"You ({person.standing.value}) said: {incoming.text}"
        if incoming.kind is IncomingKind.ASK and text is None:
            await delivery.status("thinks …")
            await delivery.write(said[: len(said) // 2])
            await delivery.write(said[len(said) // 2 :])
        await delivery.finish(Reply(summary=said, parts=(Text(markdown=said),)))


class FakeWiring:
    """Each room can be replaced before a command runs; `checks` are doctor's, an exception there is raised."""

    def __init__(self, folder: Path, environ: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.environ = environ or {}
        self.the_store = MemoryStore()
        self.the_reliability = FixedReliability((objective("checkout"), objective("search")))
        self.board = Noticeboard()
        self.checks: dict[str, str | Exception | None] = dict.fromkeys(
            ("database", "slack", "teams", "metrics", "model")
        )
        self.revisions: tuple[str | None, str] = (None, "0002")
        self.served: list[object] = []
        self.broken: BaseException | None = None
        self.no_store: Exception | None = None
        self.remembering: list[bool] = []  # whether each look at the metrics had a database
        self.echo: Echo | None = None

    def now(self) -> datetime:
        return NOW

    def settings(self) -> Settings:
        if self.broken is not None:
            raise self.broken
        return load_settings(self.environ, self.folder)

    @asynccontextmanager
    async def store(self, settings: Settings) -> AsyncIterator[MemoryStore]:
        if self.no_store is not None:
            raise self.no_store
        yield self.the_store

    async def migrate(self, settings: Settings) -> tuple[str | None, str]:
        return self.revisions

    @asynccontextmanager
    async def reliability(
        self, settings: Settings, store: MemoryStore | None = None
    ) -> AsyncIterator[FixedReliability]:
        self.remembering.append(store is not None)
        yield self.the_reliability

    @asynccontextmanager
    async def planning(self, settings: Settings, store: MemoryStore) -> AsyncIterator[Planning]:
        yield Planning(model=None, store=store.plans, surroundings=Surroundings())

    @asynccontextmanager
    async def posting(self, settings: Settings) -> AsyncIterator[Noticeboard]:
        yield self.board

    @asynccontextmanager
    async def core(self, settings: Settings, chat: Chat) -> AsyncIterator[Echo]:
        self.echo = Echo(chat)
        yield self.echo

    async def check(self, settings: Settings, room: str) -> str | None:
        said = self.checks[room]
        if isinstance(said, Exception):
            raise said
        if said == "hangs":
            await asyncio.Event().wait()
        return said

    async def serve(self, settings: Settings) -> int:
        self.served.append(settings)
        return 0

    async def demo(self, *, port: int | None, teams_port: int | None, open_browser: bool) -> int:
        self.served.append((port, teams_port, open_browser))
        return 0
