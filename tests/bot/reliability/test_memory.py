"""A database that fails costs what it remembers, never an answer."""

from __future__ import annotations

from array import array

import pytest

from bot.errors import StoreFailed
from bot.reliability.deploys import Deploy
from bot.reliability.hours import HOUR, Column
from bot.reliability.memory import Remembered, forgiving
from bot.reliability.windows import Span
from tests.bot.reliability.samples import AT
from tests.doubles.remembered import FullDisk, MemoryDeploys, MemoryHours, MemoryIssued

DEPLOY = Deploy("checkout", AT, "1.42.0")
SPAN = Span(AT - HOUR, AT)


async def test_a_database_that_works_is_used_as_it_is() -> None:
    told: list[str] = []
    column = Column(AT, array("d", [1.0]))
    memory = forgiving(Remembered(MemoryHours(), MemoryIssued(), MemoryDeploys()), told.append)
    await memory.hours.keep({"a": column})
    await memory.issued.put(AT, {"k": "said"})
    assert await memory.deploys.note(DEPLOY)
    assert await memory.hours.load(["a", "b"], AT, AT) == {"a": column}
    assert await memory.hours.registered({"n": "q"}, AT) == {}
    assert await memory.issued.get(AT, ["k", "l"]) == {"k": "said"}
    assert (await memory.deploys.between(["checkout"], SPAN), told) == ([DEPLOY], [])


async def test_a_database_that_fails_remembers_nothing_and_is_told_of_once() -> None:
    told: list[str] = []
    full = FullDisk()
    memory = forgiving(Remembered(full, full, full), told.append)
    await memory.hours.keep({})
    await memory.issued.put(AT, {"k": "said"})
    assert await memory.hours.load(["a"], AT, AT) == {}
    assert await memory.hours.registered({"n": "q"}, AT) == {}
    assert await memory.issued.get(AT, ["k"]) == {}
    assert told == [FullDisk.message]


async def test_who_tells_of_a_deploy_or_asks_for_one_hears_that_it_failed() -> None:
    full = FullDisk()
    deploys = forgiving(Remembered(full, full, full), print).deploys
    with pytest.raises(StoreFailed):
        await deploys.note(DEPLOY)
    with pytest.raises(StoreFailed):
        await deploys.between(["checkout"], SPAN)
