"""`director serve` killed again and again while people talk to it: every question ends with one whole answer.

`CHAOS_SECONDS` says how long each database is tormented, `CHAOS_SEED` which torment it is.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.domain import IncomingKind
from bot.ports import TurnState
from handlers.slack.standin import Ledger, Message, Standin
from storage import open_store
from tests.doubles.anthropic_double import AnthropicDouble, Stream, says
from tests.doubles.process import Served
from tests.doubles.slack import GENERAL, MAYA, OMAR, PAYMENTS
from tests.system.conftest import Town, Towns

SECONDS = float(os.environ.get("CHAOS_SECONDS", "25"))
SEED = int(os.environ.get("CHAOS_SEED", "61"))
THREADS = 8
PATIENCE = 2  # unanswered questions with which people still ask another one
MOST = 100_000
SETTLED = 120.0  # seconds in which the last answers have to stand once nobody kills any more
FINISHED = (TurnState.DONE, TurnState.PARKED)
SIZES = (3, 30, 60, 300, 2_600)  # words; the longest needs several messages
WORD = re.compile(r"\bq[a-z]+x[a-z]+\b")
ASKED = re.compile(r"please explain (q[a-z]+)\b")


def letters(number: int) -> str:
    """A number without digits: the gate has views on figures."""
    found = ""
    while True:
        found = chr(ord("a") + number % 20) + found
        number //= 20
        if number == 0:
            return found


def words(name: str) -> list[str]:
    """The whole answer to the question of this name."""
    return [f"{name}x{letters(number)}" for number in range(SIZES[sum(map(ord, name)) % len(SIZES)])]


def answer(body: dict[str, Any]) -> Stream:
    """What the model says to the last question of a conversation, at a person's reading pace."""
    name = ASKED.findall(str(body["messages"]))[-1]
    spoken = words(name)
    lines = [" ".join(spoken[start : start + 12]) for start in range(0, len(spoken), 12)]
    whole = "\n\n".join(lines)
    return says(whole, chunk=max(len(whole) // 60, 8), pause=0.02)


def read(messages: Sequence[Message]) -> list[str]:
    """The words that a reader of these messages finds, in their order."""
    found: list[str] = []
    for message in messages:
        shown = "\n".join(str(block.get("text")) for block in message.blocks or [] if block["type"] == "markdown")
        found += WORD.findall(shown or message.text)
    return found


@dataclass
class Talk:
    """One thread: its root and the names of the questions, in the order in which Slack handed them over."""

    channel: str
    root: str = ""
    names: list[str] = field(default_factory=list)

    def expected(self) -> list[str]:
        return [word for name in self.names for word in words(name)]


class People:
    """Who asks: several threads at once, the next question often before the last one's answer."""

    def __init__(self, slack: Standin, chance: random.Random) -> None:
        self._slack, self._chance = slack, chance
        self.talks = [Talk(PAYMENTS) for _ in range(THREADS)] + [Talk(MAYA)]
        self.digests_sent = self.digests_taken = 0
        self._number = 0

    async def talk(self, until: float) -> None:
        async with asyncio.TaskGroup() as group:
            for one in self.talks:
                group.create_task(self._ask(one, until))
            group.create_task(self._command(until))

    async def _ask(self, talk: Talk, until: float) -> None:
        while time.monotonic() < until:
            self._number += 1
            name = f"q{letters(self._number)}"
            ts = await self._slack.say(MAYA, talk.channel, f"@Director please explain {name}", talk.root or None)
            talk.names.append(name)
            if talk.channel == PAYMENTS:
                talk.root = talk.root or ts
            await self._slack.wait_for(lambda ledger, ts=ts: taken(ledger, ts), 60)
            await asyncio.sleep(self._chance.uniform(0.1, 4.0))
            while self._waiting(talk) > PATIENCE and time.monotonic() < until:  # noqa: ASYNC110
                await asyncio.sleep(1.0)

    def _waiting(self, talk: Talk) -> int:
        """How many questions of this thread have no whole answer yet."""
        found = set(read(self._slack.ledger.by_bot(talk.channel, talk.root or None)))
        return sum(words(name)[-1] not in found for name in talk.names)

    async def _command(self, until: float) -> None:
        while time.monotonic() < until:
            self.digests_sent += 1
            result = await self._slack.command(OMAR, GENERAL, "/director", "digest")
            self.digests_taken += result.error is None and result.text.startswith("I am on it")
            await asyncio.sleep(self._chance.uniform(0.5, 3.0))


def taken(ledger: Ledger, ts: str) -> bool:
    """Whether an event for this message was acknowledged."""
    return any(one.acknowledged and one.payload.get("event", {}).get("ts") == ts for one in ledger.handed)


async def torment(served: Served, chance: random.Random, until: float) -> int:
    """Kill at any moment, also while it starts, and start again; how often."""
    kills = 0
    while time.monotonic() < until:
        starting = asyncio.create_task(served.start())
        if chance.random() < 0.2:
            await asyncio.sleep(chance.uniform(0.2, 3.0))
        else:
            await starting
            await asyncio.sleep(chance.choice((0.05, 0.5, 2.0, 5.0)) * chance.uniform(0.5, 1.5))
        await served.kill()
        with suppress(AssertionError):
            await starting
        kills += 1
    await served.start()
    return kills


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + SETTLED + 120)
@pytest.mark.parametrize("delivery", ["socket", "http"])
async def test_killed_at_any_moment_every_question_has_one_whole_answer_in_its_threads_order(
    towns: Towns, delivery: str, request: pytest.FixtureRequest, tmp_path: Any
) -> None:
    url = f"sqlite:///{tmp_path}/director.db" if delivery == "http" else request.getfixturevalue("postgres_url")
    town = await towns.build(database_url=url, delivery=delivery, retry_delays=(0.5,) * 200)
    chance = random.Random(SEED)  # noqa: S311  torment needs no secrecy
    async with AnthropicDouble(otherwise=answer) as model:
        town.env |= {"ANTHROPIC_API_KEY": "sk-ant-test", "ANTHROPIC_BASE_URL": model.url}
        town.served = replicas(town, 2 if delivery == "socket" else 1)
        people = People(town.standin, chance)
        until = time.monotonic() + SECONDS
        try:
            async with asyncio.TaskGroup() as group:
                running = [group.create_task(torment(served, chance, until)) for served in town.served]
                group.create_task(people.talk(until))
            with suppress(TimeoutError):
                await town.standin.wait_for(lambda ledger: whole(ledger, people), SETTLED)
            async with open_store(url) as store:
                with suppress(TimeoutError):
                    async with asyncio.timeout(30):
                        while not all(one.state in FINISHED for one in await store.inbox.turns(state=None, limit=MOST)):  # noqa: ASYNC110
                            await asyncio.sleep(0.2)
                turns = await store.inbox.turns(state=None, limit=MOST)
        finally:
            logs = "".join(served.log for served in town.served)
        kills = sum(task.result() for task in running)

    asked = sum(len(talk.names) for talk in people.talks)
    deaths = max(turn.deaths for turn in turns)
    print(f"{delivery}: {kills} kills, {asked} questions, {people.digests_taken} commands, most deaths {deaths}")
    unfinished = [
        (one.turn_id, one.state, one.attempts, one.deaths, one.reason)
        for one in turns
        if one.state is not TurnState.DONE
    ]
    assert unfinished == []
    for talk in people.talks:
        assert read(town.standin.ledger.by_bot(talk.channel, talk.root or None)) == talk.expected()
    assert sum(turn.incoming.kind is IncomingKind.ASK for turn in turns) == asked
    digests = town.standin.ledger.by_bot(GENERAL)
    assert len(digests) == sum(turn.incoming.kind is IncomingKind.COMMAND for turn in turns)
    assert people.digests_taken <= len(digests) <= people.digests_sent
    assert set(town.standin.ledger.posts_by_turn().values()) == {1}
    assert not [one for one in town.standin.ledger.everything() if one.streaming]
    assert "Traceback" not in logs
    assert not WORD.search(logs)
    assert "please explain" not in logs
    assert town.standin.bot_token not in logs
    assert model.problems == []


def replicas(town: Town, number: int) -> list[Served]:
    found = [Served(town.folder, town.env) for _ in range(number)]
    found[0].port = town.port
    return found


def whole(ledger: Ledger, people: People) -> bool:
    return all(
        len(read(ledger.by_bot(talk.channel, talk.root or None))) >= len(talk.expected()) for talk in people.talks
    )
