"""`director serve` killed while it answers in Teams, which gives a bot no history to look its messages up in.

What is promised: killed in the middle of a post, it is said once more, marked as repeated; killed elsewhere, once.
`CHAOS_SECONDS` says how long each database is tormented, `CHAOS_SEED` which torment it is.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.ports import TurnState
from storage import open_store
from tests.doubles.anthropic_double import AnthropicDouble, Step, Stream, says
from tests.doubles.process import Served
from tests.doubles.teams import Fault, Said
from tests.doubles.teams_people import GROUP, MAYA, ON_CALL, PAYMENTS, Room, chat_with
from tests.doubles.teams_shown import Ledger, Shown
from tests.system.conftest import TeamsTown, TeamsTowns

MAYA_CHAT = chat_with(MAYA)
REPEATED = "Repeated"
LONG = "Timeouts come first, then bulkheads. " * 40
END = "This is the end."
PAUSED = Stream(blocks=({"type": "text", "text": LONG},), events=150, pause=0.05, end="hang")
SECONDS = float(os.environ.get("CHAOS_SECONDS", "25"))
SEED = int(os.environ.get("CHAOS_SEED", "61"))
SETTLED = 150.0
FINISHED = (TurnState.DONE, TurnState.PARKED)

pytestmark = pytest.mark.slow


def standing(said: Said, ledger: Ledger) -> list[Shown]:
    """The Director's messages in this conversation since."""
    root = said.root if said.room.kind == "channel" else None
    return [one for one in ledger.in_(said.room.id, root) if int(one.id) > int(said.id)]


async def finished(database_url: str, seconds: float) -> None:
    """Until every turn is done."""
    async with open_store(database_url) as store, asyncio.timeout(seconds):
        while not all(turn.state is TurnState.DONE for turn in await store.inbox.turns(state=None, limit=10)):  # noqa: ASYNC110
            await asyncio.sleep(0.2)


async def answered_after_a_death(
    towns: TeamsTowns, database_url: str, room: Room, dies: Any, *steps: Step, seconds: float = 60
) -> list[Shown]:
    """What stands in the end when the process is killed as `dies` says and started again."""
    town = await towns.build(database_url=database_url)
    async with AnthropicDouble() as model:
        model.script(*steps)
        town.env |= {"ANTHROPIC_API_KEY": "sk-ant-test", "ANTHROPIC_BASE_URL": model.url}
        served = await town.serve()
        said = await town.teams.say(MAYA, room, "how do we stay up?")
        await dies(town, model, said)
        await served.kill()
        town.teams.connector.heal()
        await served.start()
        await finished(database_url, seconds)
        assert await served.stop() == 0
        assert "Traceback" not in served.log
    return standing(said, town.teams.ledger)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("room", [PAYMENTS, GROUP, MAYA_CHAT], ids=["channel", "group", "personal"])
async def test_killed_in_the_middle_of_a_post_it_is_said_once_more_and_marked(
    teams_towns: TeamsTowns, database_url: str, room: Room
) -> None:
    async def dies(town: TeamsTown, model: AnthropicDouble, said: Said) -> None:
        await town.teams.until(lambda ledger: ledger.in_(room.id), 30)

    # The message stands, and the answer that would tell its id is still on its way when the process dies.
    town_of = _Holding(teams_towns, "send")
    found = await answered_after_a_death(town_of, database_url, room, dies, says(f"Short. {END}"))
    assert [(END in one.words, REPEATED in one.words) for one in found] == [(True, False), (True, True)]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("room", [PAYMENTS, MAYA_CHAT], ids=["channel", "personal"])
async def test_killed_before_teams_took_the_post_it_stands_once_marked(
    teams_towns: TeamsTowns, database_url: str, room: Room
) -> None:
    """Nobody can know that it wasn't taken, so it is marked here too; it is never left out."""

    async def dies(town: TeamsTown, model: AnthropicDouble, said: Said) -> None:
        await town.teams.until(lambda ledger: model.requests, 30)
        await asyncio.sleep(1.5)

    town_of = _Holding(teams_towns, "send", before=True)
    found = await answered_after_a_death(town_of, database_url, room, dies, says(f"Short. {END}"))
    assert [END in one.words for one in found] == [True]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("room", [PAYMENTS, GROUP, MAYA_CHAT], ids=["channel", "group", "personal"])
async def test_killed_while_the_model_thinks_it_is_said_once(
    teams_towns: TeamsTowns, database_url: str, room: Room
) -> None:
    async def dies(town: TeamsTown, model: AnthropicDouble, said: Said) -> None:
        async with asyncio.timeout(30):
            while not model.requests:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    silent = Stream(events=1, end="hang")
    found = await answered_after_a_death(teams_towns, database_url, room, dies, silent, says(LONG + END))
    assert [(END in one.words, REPEATED in one.words) for one in found] == [(True, False)]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("room", [PAYMENTS, GROUP, MAYA_CHAT], ids=["channel", "group", "personal"])
async def test_killed_while_the_answer_is_shown_the_same_message_becomes_whole(
    teams_towns: TeamsTowns, database_url: str, room: Room
) -> None:
    async def dies(town: TeamsTown, model: AnthropicDouble, said: Said) -> None:
        def twice(ledger: Ledger) -> list[Shown]:
            return [one for one in ledger.in_(room.id) if one.words and len(one.edits) + len(one.updates) >= 2]

        await town.teams.until(twice, 30)
        await asyncio.sleep(0.3)  # the call is over, its id is written down

    found = await answered_after_a_death(teams_towns, database_url, room, dies, PAUSED, says(LONG + END))
    assert [(END in one.words, REPEATED in one.words) for one in found] == [(True, False)]
    assert found[0].words.count("Timeouts") == 40
    assert not found[0].made


@pytest.mark.timeout(120)
async def test_killed_after_the_answer_stood_nothing_more_is_said(teams_towns: TeamsTowns, database_url: str) -> None:
    async def dies(town: TeamsTown, model: AnthropicDouble, said: Said) -> None:
        await town.teams.answer(said, END, seconds=30)

    found = await answered_after_a_death(teams_towns, database_url, PAYMENTS, dies, says(f"Short. {END}"))
    assert [(END in one.words, REPEATED in one.words) for one in found] == [(True, False)]


class _Holding:
    """Towns whose connector holds the answer to a call back, or the call itself, until the process is dead."""

    def __init__(self, towns: TeamsTowns, what: str, *, before: bool = False) -> None:
        self._towns, self._what, self._before = towns, what, before

    async def build(self, *, database_url: str) -> TeamsTown:
        town = await self._towns.build(database_url=database_url)
        fault = Fault(seconds=8, cut=True) if self._before else Fault(holds=8, only_late=True)
        town.teams.connector.spoil(self._what, fault)
        return town


# --- at any moment ---------------------------------------------------------------------------------------------------

WORD = re.compile(r"\bq[a-z]+x[a-z]+\b")
SIZES = (3, 40, 300)


def letters(number: int) -> str:
    """A number without digits: the gate has views on figures."""
    return (letters(number // 20 - 1) if number >= 20 else "") + chr(ord("a") + number % 20)


def words(name: str) -> list[str]:
    """The whole answer to the question of this name."""
    return [f"{name}x{letters(number)}" for number in range(SIZES[sum(map(ord, name)) % len(SIZES)])]


def speak(body: dict[str, Any]) -> Step:
    name = re.findall(r"please explain (q[a-z]+)\b", str(body["messages"]))[-1]
    text = " ".join(words(name))
    return says(text, chunk=max(len(text) // 60, 8), pause=0.03)


@dataclass
class Asked:
    name: str
    said: Said


@dataclass
class People:
    town: TeamsTown
    chance: random.Random
    asked: list[Asked] = field(default_factory=list)

    async def talk(self, room: Room, until: float) -> None:
        while time.monotonic() < until:
            name = f"q{letters(len(self.asked))}"
            said = await self.town.teams.say(MAYA, room, f"please explain {name}")
            self.asked.append(Asked(name, said))
            with suppress(AssertionError):
                await self.town.teams.until(lambda ledger, name=name: copies(ledger, name), 20)
            await asyncio.sleep(self.chance.uniform(0.1, 2.0))


def copies(ledger: Ledger, name: str) -> list[Shown]:
    """The messages that hold the whole answer to a question."""
    return [one for one in ledger.messages.values() if WORD.findall(one.words) == words(name) and not one.deleted]


async def torment(served: Served, chance: random.Random, until: float) -> int:
    kills = 0
    while time.monotonic() < until:
        await served.start()
        await asyncio.sleep(chance.choice((0.3, 1.0, 3.0, 6.0)) * chance.uniform(0.5, 1.5))
        await served.kill()
        kills += 1
    await served.start()
    return kills


@pytest.mark.timeout(SECONDS + SETTLED + 120)
async def test_killed_at_any_moment_every_question_is_answered_and_what_stands_twice_says_so(
    teams_towns: TeamsTowns, database_url: str
) -> None:
    town = await teams_towns.build(database_url=database_url, retry_delays=(0.5,) * 400, ack_seconds=5.0)
    chance = random.Random(SEED)  # noqa: S311  torment needs no secrecy
    for what in ("send", "stream", "update"):  # a wire as long as Teams' own: time to die in the middle of a call
        town.teams.connector.spoil(what, Fault(holds=0.4, only_late=True), times=100_000)
    async with AnthropicDouble(otherwise=speak) as model:
        town.env |= {"ANTHROPIC_API_KEY": "sk-ant-test", "ANTHROPIC_BASE_URL": model.url}
        served = await town.serve()
        await served.kill()
        people = People(town, chance)
        until = time.monotonic() + SECONDS
        async with asyncio.TaskGroup() as group:
            running = group.create_task(torment(served, chance, until))
            for room in (PAYMENTS, ON_CALL, GROUP, MAYA_CHAT):
                group.create_task(people.talk(room, until))
        with suppress(AssertionError):
            await town.teams.until(lambda ledger: all(copies(ledger, one.name) for one in people.asked), SETTLED)
        async with open_store(database_url) as store:
            with suppress(TimeoutError):
                async with asyncio.timeout(40):
                    while not all(one.state in FINISHED for one in await store.inbox.turns(state=None, limit=10_000)):  # noqa: ASYNC110
                        await asyncio.sleep(0.2)
            turns = await store.inbox.turns(state=None, limit=10_000)
        assert await served.stop() == 0
    ledger = town.teams.ledger
    found = {one.name: copies(ledger, one.name) for one in people.asked}
    again = sum(len(several) - 1 for several in found.values())
    print(f"{running.result()} kills, {len(found)} questions, {again} said once more")
    assert [name for name, several in found.items() if not several] == []
    assert [name for name, several in found.items() if not all(REPEATED in one.words for one in several[1:])] == []
    unfinished = [(one.turn_id, one.state, one.reason) for one in turns if one.state is not TurnState.DONE]
    assert unfinished == []
    assert len(turns) == len(people.asked)
    marked = {name for name, several in found.items() if any(REPEATED in one.words for one in several)}
    assert pieces(ledger, found) - marked == set()  # what was begun and lost stands beside an answer that says so
    assert "Traceback" not in served.log
    assert not WORD.search(served.log)
    assert model.problems == []


def pieces(ledger: Ledger, found: dict[str, list[Shown]]) -> set[str]:
    """The names of the questions that have a message with only a part of their answer."""
    stands = {one.id for several in found.values() for one in several}
    begun = [WORD.findall(one.words) for one in ledger.messages.values() if one.id not in stands and not one.deleted]
    return {heard[0].partition("x")[0] for heard in begun if heard}
