"""Several workers on one database: every turn is taken once, a thread's turns one after the other and in order."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, defaultdict

import pytest
from sqlalchemy import text

from bot.domain import Answer, Message, Reply, Text
from bot.ports import TurnState
from storage import open_store
from tests.storage.examples import ask, place

WORKERS = 4
THREADS = 10
TURNS = 200


class Ledger:
    """What the workers did, written down at the moment they did it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self.order: dict[str, list[int]] = defaultdict(list)
        self.claims: Counter[str] = Counter()
        self.by_worker: Counter[str] = Counter()
        self.overlaps: list[str] = []

    def begin(self, worker: str, turn_id: str, thread: str, number: int) -> None:
        with self._lock:
            if thread in self._busy:
                self.overlaps.append(thread)
            self._busy.add(thread)
            self.claims[turn_id] += 1
            self.by_worker[worker] += 1
            self.order[thread].append(number)

    def end(self, thread: str) -> None:
        with self._lock:
            self._busy.discard(thread)


async def _work(url: str, name: str, ledger: Ledger, filled: threading.Event) -> None:
    async with open_store(url) as store:
        while True:
            last_look = filled.is_set()
            claim = await store.inbox.claim(worker=name, lease=60)
            if claim is None:
                if last_look and not await store.inbox.turns(state=TurnState.NEW, limit=1):
                    return
                await store.inbox.wait(0.02)
                continue
            thread, number = claim.incoming.place.thread, int(claim.incoming.text)
            ledger.begin(name, claim.turn_id, thread, number)
            said = (Message(role="user", content=claim.incoming.text),)
            reply = Reply(summary="ok", parts=(Text(markdown="ok"),))
            await store.inbox.answered(claim, Answer(reply=reply, messages=said))
            ledger.end(thread)
            await store.inbox.done(claim)


async def test_workers_side_by_side_take_each_turn_once_and_in_order(url: str):
    ledger, filled = Ledger(), threading.Event()
    workers = [
        threading.Thread(target=asyncio.run, args=(_work(url, f"w{n}", ledger, filled),)) for n in range(WORKERS)
    ]
    async with open_store(url) as store:
        for worker in workers[:2]:
            worker.start()
        for number in range(TURNS):
            await store.inbox.put(ask(str(number), where=place(f"{number % THREADS}.0")))
        filled.set()
        for worker in workers[2:]:
            worker.start()
        for worker in workers:
            await asyncio.to_thread(worker.join, 50)
        expected = {f"{n}.0": list(range(n, TURNS, THREADS)) for n in range(THREADS)}
        remembered = {
            thread: [int(str(message.content)) for message in (await store.memory.thread(place(thread))).messages]
            for thread in expected
        }
        left = [turn for turn in await store.inbox.turns(state=None, limit=TURNS) if turn.state is not TurnState.DONE]
    assert ledger.overlaps == []
    assert (len(ledger.claims), set(ledger.claims.values())) == (TURNS, {1})
    assert ledger.order == expected
    assert remembered == expected
    assert left == []


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_an_earlier_turn_that_is_committed_late_never_runs_beside_a_later_one(url: str):
    """Numbers are given when a row is written, not when it is committed."""
    async with open_store(url) as slow, open_store(url) as fast:
        written, go_on = threading.Event(), threading.Event()

        def put_slowly(connection):
            stored = slow._inbox._put(connection, ask("earlier number"))
            written.set()
            assert go_on.wait(30)
            return stored

        putting = asyncio.create_task(slow._db.write(put_slowly))
        await asyncio.to_thread(written.wait, 30)
        await fast.inbox.put(ask("later number"))
        running = await fast.inbox.claim(worker="w1", lease=60)
        assert running is not None
        go_on.set()
        assert await putting
        assert running.incoming.text == "later number"
        assert await slow.inbox.claim(worker="w2", lease=60) is None
        await fast.inbox.done(running)
        following = await slow.inbox.claim(worker="w2", lease=60)
        assert following is not None
        assert following.incoming.text == "earlier number"


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_two_claims_that_cannot_see_each_other_never_run_one_thread_twice(url: str):
    """Each commits what the other's snapshot lacks; only the unique index on held threads sees both."""
    async with open_store(url) as one, open_store(url) as two:
        number_given, commit_put = threading.Event(), threading.Event()
        claim_made, commit_claim = threading.Event(), threading.Event()

        def put(connection):
            stored = one._inbox._put(connection, ask("earlier number"))
            number_given.set()
            assert commit_put.wait(30)
            return stored

        def claim(connection):
            made = one._inbox._claim(connection, "w1", 60, None)
            claim_made.set()
            assert commit_claim.wait(30)
            return made

        putting = asyncio.create_task(one._db.write(put))
        assert await asyncio.to_thread(number_given.wait, 30)
        await two.inbox.put(ask("later number"))
        claiming = asyncio.create_task(one._db.write(claim))
        assert await asyncio.to_thread(claim_made.wait, 30)
        commit_put.set()
        await putting
        blind = asyncio.create_task(two.inbox.claim(worker="w2", lease=60))
        while not await one._db.read(lambda c: c.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))):
            await one.inbox.wait(0.01)
        commit_claim.set()
        made = await claiming
        assert made is not None
        assert (made.incoming.text, await blind) == ("later number", None)
