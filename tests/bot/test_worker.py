"""From a stored request to an answer that stands once, whatever goes wrong on the way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.domain import (
    Address,
    Answer,
    Incoming,
    IncomingKind,
    Message,
    Person,
    Place,
    Reply,
    Said,
    Signal,
    SignalKind,
    Slot,
    Standing,
    Text,
)
from bot.errors import UsageError
from bot.ports import CannotPost, DeliveryFailed, Journal, TurnState
from bot.turn import NothingToSay, Turn
from bot.worker import Pace, Worker
from storage import DatabaseUnreachable, Store, open_store

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
QUICK = Pace(lease=2.0, pulse=0.05, idle=0.05, first_retry=0.05, attempts=3, turn=5.0)


class FixedClock:
    def now(self) -> datetime:
        return NOW


@dataclass
class Room:
    """A chat platform in memory: what stands where, and what it should refuse."""

    stands: list[tuple[str, str, str]] = field(default_factory=list)  # channel, turn, text
    statuses: list[str] = field(default_factory=list)
    refuse: list[Exception] = field(default_factory=list)
    abandoned: int = 0

    async def person(self, place: Place, person_id: str) -> Person:
        return Person(id=person_id, name="Dana", standing=Standing.MEMBER)

    async def before(self, place: Place, *, question: str | None, limit: int) -> tuple[Said, ...]:
        return ()

    def delivery(self, address: Address, journal: Journal) -> _Delivery:
        return _Delivery(self, address)

    @property
    def texts(self) -> list[str]:
        return [text for _, _, text in self.stands]


@dataclass
class _Delivery:
    room: Room
    address: Address

    async def status(self, line: str) -> None:
        self.room.statuses.append(line)

    async def write(self, markdown: str) -> None:
        pass

    async def finish(self, reply: Reply) -> None:
        if self.room.refuse:
            raise self.room.refuse.pop(0)
        self.room.stands.append((self.address.place.channel, self.address.turn_id, reply.summary))

    async def abandon(self) -> None:
        self.room.abandoned += 1


@dataclass
class Scripted:
    """Answers as the test says."""

    script: Callable[[Turn], Awaitable[Answer]]

    async def answer(self, turn: Turn) -> Answer:
        return await self.script(turn)


def says(text: str) -> Answer:
    return Answer(reply=Reply(summary=text, parts=(Text(markdown=text),)))


async def echo(turn: Turn) -> Answer:
    return says(f"re: {turn.incoming.text}")


def asked(text: str, *, thread: str = "1.0", kind: IncomingKind = IncomingKind.ASK) -> Incoming:
    return Incoming(
        kind=kind,
        dedupe_key=f"{thread}:{text}",
        place=Place(platform="slack", workspace="T1", channel="C1", thread=thread),
        text=text,
        received_at=NOW,
        speaker_id="U1",
        question="1.0",
    )


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(f"sqlite:///{tmp_path}/director.db") as store:
        await store.migrate()
        yield store


@contextlib.asynccontextmanager
async def working(
    store: Store, room: Room, script: Callable[[Turn], Awaitable[Answer]] = echo, pace: Pace = QUICK
) -> AsyncIterator[Worker]:
    worker = Worker(
        inbox=store.inbox,
        memory=store.memory,
        director=Scripted(script),
        chats={"slack": room},
        clock=FixedClock(),
        pace=pace,
    )
    run = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        await worker.drain(5)
        await run


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while True:
            holds = condition()
            if holds if isinstance(holds, bool) else await holds:
                return
            await asyncio.sleep(0.01)


async def states(store: Store) -> list[TurnState]:
    return [record.state for record in reversed(await store.inbox.turns(state=None, limit=50))]


async def test_a_question_is_answered_where_it_was_asked(store: Store) -> None:
    room = Room()
    await store.inbox.put(asked("how are we?"))
    async with working(store, room):
        await until(lambda: room.texts == ["re: how are we?"])
    assert await states(store) == [TurnState.DONE]


async def test_one_thread_is_answered_in_order_and_threads_side_by_side(store: Store) -> None:
    room, slow = Room(), asyncio.Event()

    async def first_waits(turn: Turn) -> Answer:
        if turn.incoming.text == "first":
            await slow.wait()
        return says(turn.incoming.text)

    for text, thread in (("first", "1.0"), ("second", "1.0"), ("elsewhere", "2.0")):
        await store.inbox.put(asked(text, thread=thread))
    async with working(store, room, first_waits):
        await until(lambda: room.texts == ["elsewhere"])
        slow.set()
        await until(lambda: room.texts == ["elsewhere", "first", "second"])


async def test_what_a_person_did_wrong_is_told_in_the_answer(store: Store) -> None:
    room = Room()

    async def refuse(turn: Turn) -> Answer:
        raise UsageError("There is no service called chekout. Did you mean checkout?")

    await store.inbox.put(asked("status chekout"))
    async with working(store, room, refuse):
        await until(lambda: room.texts == ["There is no service called chekout. Did you mean checkout?"])


async def test_an_unexpected_error_is_told_with_a_reference_and_shows_no_detail(store: Store) -> None:
    room = Room()

    async def break_down(turn: Turn) -> Answer:
        raise RuntimeError("secret detail")

    await store.inbox.put(asked("hello"))
    async with working(store, room, break_down):
        await until(lambda: len(room.texts) == 1)
    assert room.texts[0].startswith("Something went wrong on my side (reference ")
    assert "secret" not in room.texts[0]


async def test_an_answer_that_can_not_be_delivered_now_is_delivered_later_without_being_made_again(
    store: Store,
) -> None:
    room, made = Room(refuse=[DeliveryFailed("Slack is away"), DeliveryFailed("still away")]), []

    async def count(turn: Turn) -> Answer:
        made.append(turn.id)
        return says("once")

    await store.inbox.put(asked("hello"))
    async with working(store, room, count):
        await until(lambda: room.texts == ["once"])
    assert len(made) == 1


async def test_an_answer_that_never_can_be_delivered_is_parked_and_can_be_taken_up_again(store: Store) -> None:
    room = Room(refuse=[DeliveryFailed("away")] * 3)
    await store.inbox.put(asked("hello"))
    async with working(store, room):
        await until(lambda: _parked(store))
        [record] = await store.inbox.turns(state=TurnState.PARKED, limit=5)
        assert record.reason == "away"
        await store.inbox.retry(record.turn_id)
        await until(lambda: room.texts == ["re: hello"])


async def _parked(store: Store) -> bool:
    return await states(store) == [TurnState.PARKED]


async def test_a_channel_that_refuses_the_answer_leaves_the_asker_told_once(store: Store) -> None:
    room = Room(refuse=[CannotPost("I'm not in #secret. Type /invite @Director there.")])
    await store.inbox.put(asked("review", thread="", kind=IncomingKind.COMMAND))

    async def script(turn: Turn) -> Answer:
        return says(turn.incoming.text)

    async with working(store, room, script):
        await until(lambda: len(room.stands) == 1)
    [parked] = await store.inbox.turns(state=TurnState.PARKED, limit=5)
    channel, _, text = room.stands[0]
    assert channel == "U1"
    assert text == (
        "I could not post my answer: I'm not in #secret. Type /invite @Director there. "
        f"It is kept; whoever runs me can post it with `director inbox retry {parked.turn_id}`."
    )


async def test_a_scheduled_post_that_is_refused_names_its_schedule_and_how_to_end_it(store: Store) -> None:
    room = Room(refuse=[CannotPost("That channel is archived. Unarchive it or choose another one.")])
    slot = Slot(schedule_id="s4", local="2026-11-23T09:00", zone="UTC", due_at=NOW)
    due = asked("digest for checkout", thread="", kind=IncomingKind.SLOT)
    await store.inbox.put(due.model_copy(update={"slot": slot, "channel_name": "payments", "question": None}))

    async def script(turn: Turn) -> Answer:
        return says(turn.incoming.text)

    async with working(store, room, script):
        await until(lambda: len(room.stands) == 1)
    [parked] = await store.inbox.turns(state=TurnState.PARKED, limit=5)
    channel, _, text = room.stands[0]
    assert channel == "U1"
    assert text == (
        "I could not post the digest for checkout of schedule s4 in #payments: That channel is archived. "
        "Unarchive it or choose another one. "
        f"It is kept; whoever runs me can post it with `director inbox retry {parked.turn_id}`. "
        "`schedule pause s4` stops the schedule, `remove s4` ends it."
    )


async def test_a_database_that_fails_while_an_answer_is_made_is_no_answer(store: Store) -> None:
    room, failures = Room(), [DatabaseUnreachable("The database is starting.")]

    async def script(turn: Turn) -> Answer:
        if failures:
            raise failures.pop()
        return says("the digest")

    await store.inbox.put(asked("digest", kind=IncomingKind.SLOT))
    async with working(store, room, script):
        await until(lambda: room.texts == ["the digest"])
    assert await states(store) == [TurnState.DONE]


async def test_stop_ends_the_answer_that_is_being_made(store: Store) -> None:
    room, started = Room(), asyncio.Event()

    async def forever(turn: Turn) -> Answer:
        started.set()
        await asyncio.Event().wait()
        return says("never")

    question = asked("a long one")
    await store.inbox.put(question)
    async with working(store, room, forever):
        await started.wait()
        await store.inbox.signal(
            Signal(kind=SignalKind.STOP, dedupe_key="stop1", place=question.place, person_id="U1", at=NOW)
        )
        await until(lambda: room.texts == ["Stopped, as asked. Nothing of this answer was kept."])
    assert (await store.memory.thread(question.place)).messages == ()


async def test_an_answer_that_takes_too_long_says_so(store: Store) -> None:
    room = Room()

    async def forever(turn: Turn) -> Answer:
        await asyncio.Event().wait()
        return says("never")

    await store.inbox.put(asked("hello"))
    async with working(store, room, forever, Pace(lease=2, pulse=0.05, idle=0.05, turn=0.1)):
        await until(lambda: len(room.texts) == 1)
    assert room.texts[0].startswith("This took longer than 0 seconds and I stopped.")


async def test_a_worker_that_stops_gives_its_turn_back_for_another_one(store: Store) -> None:
    room, started = Room(), asyncio.Event()

    async def stuck(turn: Turn) -> Answer:
        started.set()
        await asyncio.Event().wait()
        return says("never")

    async with working(store, room, stuck) as worker:
        await store.inbox.put(asked("hello"))
        await started.wait()
        await worker.drain(0.05)
    assert room.abandoned == 1
    async with working(store, room):
        await until(lambda: room.texts == ["re: hello"])


async def test_a_worker_that_stops_with_its_hands_full_takes_no_further_turn(store: Store) -> None:
    room, taken, go = Room(), [], asyncio.Event()

    async def slow(turn: Turn) -> Answer:
        taken.append(turn.incoming.text)
        await go.wait()
        return says(turn.incoming.text)

    for thread in ("1.0", "2.0"):
        await store.inbox.put(asked(f"in {thread}", thread=thread))
    async with working(store, room, slow, replace(QUICK, turns_at_once=1)) as worker:
        await until(lambda: len(taken) == 1)
        draining = asyncio.create_task(worker.drain(5))
        await asyncio.sleep(0)
        go.set()
        await draining
    assert (taken, room.texts) == (["in 1.0"], ["in 1.0"])
    assert await states(store) == [TurnState.DONE, TurnState.NEW]


async def test_a_worker_frozen_past_its_lease_posts_nothing_when_it_wakes(store: Store) -> None:
    first, second = Room(), Room()
    awake, started = asyncio.Event(), asyncio.Event()

    async def frozen(turn: Turn) -> Answer:
        started.set()
        await awake.wait()
        return says("from the frozen one")

    sleepy = Pace(lease=0.2, pulse=60.0, idle=0.05)
    await store.inbox.put(asked("hello"))
    async with working(store, first, frozen, sleepy):
        await started.wait()
        async with working(store, second):
            await until(lambda: second.texts == ["re: hello"])
        awake.set()
    assert first.texts == []


async def test_a_question_whose_process_dies_each_time_ends_with_a_word_to_the_asker(store: Store) -> None:
    room, made = Room(), []

    async def count(turn: Turn) -> Answer:
        made.append(turn.id)
        return says("an answer")

    await store.inbox.put(asked("poison"))
    for _ in range(QUICK.deaths):
        assert await store.inbox.claim(worker="dying", lease=-1.0) is not None
    async with working(store, room, count):
        await until(lambda: len(room.texts) == 1)
    assert made == []
    assert room.texts[0].startswith("I began to answer this 10 times, and each time my process ended")
    assert await states(store) == [TurnState.DONE]


async def test_a_platform_that_is_away_for_hours_is_waited_for(store: Store) -> None:
    room = Room(refuse=[DeliveryFailed("away")] * 40)
    patient = replace(QUICK, attempts=Pace().attempts, first_retry=0.001, longest_retry=0.001)
    await store.inbox.put(asked("hello"))
    async with working(store, room, pace=patient):
        await until(lambda: room.texts == ["re: hello"])


async def test_a_turn_with_nothing_to_say_is_done_in_silence(store: Store) -> None:
    room = Room()

    async def nothing(turn: Turn) -> Answer:
        raise NothingToSay("the schedule was removed")

    await store.inbox.put(asked("review", kind=IncomingKind.SLOT))
    async with working(store, room, nothing):
        await until(lambda: _done(store))
    assert room.texts == []


async def _done(store: Store) -> bool:
    return await states(store) == [TurnState.DONE]


async def test_turns_of_a_platform_that_this_process_does_not_serve_are_left_to_others(store: Store) -> None:
    room = Room()
    elsewhere = asked("hello").model_copy(
        update={"place": Place(platform="console", workspace="T1", channel="terminal"), "dedupe_key": "x"}
    )
    await store.inbox.put(elsewhere)
    await store.inbox.put(asked("for us"))
    async with working(store, room):
        await until(lambda: room.texts == ["re: for us"])
    assert await states(store) == [TurnState.NEW, TurnState.DONE]


async def test_what_was_said_is_remembered_with_the_answer(store: Store) -> None:
    room = Room()
    said = (Message(role="user", content="hello"), Message(role="assistant", content="good morning"))

    async def remember(turn: Turn) -> Answer:
        return says("good morning").model_copy(update={"messages": said})

    question = asked("hello")
    await store.inbox.put(question)
    async with working(store, room, remember):
        await until(lambda: room.texts == ["good morning"])
    assert (await store.memory.thread(question.place)).messages == said
