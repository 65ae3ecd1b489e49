"""Workers that are killed at any moment lose nothing and remember nothing twice."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.ports import TurnState
from storage import Store, open_store
from tests.storage.examples import ask, place

ROOT = Path(__file__).parents[2]
THREADS = 6
TURNS = 300
KILLS = 20
SEED = 61


@contextmanager
def _worker(url: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.storage.worker_process", url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


async def _finished(store: Store) -> bool:
    counts = [await store.inbox.turns(state=state, limit=1) for state in TurnState if state is not TurnState.DONE]
    return not any(counts)


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_killed_workers_lose_no_turn_and_remember_none_twice(url: str):
    chance = random.Random(SEED)  # noqa: S311  kills need no secrecy
    async with open_store(url) as store:
        for number in range(TURNS):
            await store.inbox.put(ask(str(number), where=place(f"{number % THREADS}.0")))
        for _ in range(KILLS):
            with _worker(url) as victim:
                assert victim.stdout is not None
                for _ in range(chance.randint(1, 12)):  # dies somewhere within the turn it took last
                    assert await asyncio.to_thread(victim.stdout.readline)
                await asyncio.sleep(chance.random() * 0.01)
        deaths = sum(turn.deaths for turn in await store.inbox.turns(state=None, limit=TURNS))
        with _worker(url):
            async with asyncio.timeout(120):
                while not await _finished(store):
                    await store.inbox.wait(0.1)
        turns = await store.inbox.turns(state=None, limit=TURNS)
        for thread in range(THREADS):
            expected = [str(number) for number in range(thread, TURNS, THREADS) for _ in ("asked", "answered")]
            remembered = await store.memory.thread(place(f"{thread}.0"))
            assert [message.content for message in remembered.messages] == expected
    assert {turn.state for turn in turns} == {TurnState.DONE}
    assert all(turn.answer is not None and turn.answer.reply.summary == turn.incoming.text for turn in turns)
    assert deaths > 0, "no kill hit a turn: this proved nothing"
