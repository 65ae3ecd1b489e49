"""A review of a past instant, asked again: from an empty, a warm and a fresh database, and after late samples."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.process import run
from tests.doubles.prometheus import AT, Fleet
from tests.doubles.prometheus_proxy import proxy
from tests.system.test_review import promise

pytestmark = pytest.mark.slow
SERVICES = ("born", "dead", "faultless", "few", "fine", "holed", "restarts", "risky", "silent", "spent")
MAINTENANCE = """\
exclusions:
  - {service: risky, rrule: "FREQ=WEEKLY;BYDAY=SA;BYHOUR=3", duration: 90m, reason: upgrade, owner: dana}
"""


class World:
    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        for name in SERVICES:
            promise(folder / "slos", name)
        (folder / "director.yml").write_text(MAINTENANCE)

    async def ask(self, what: str = "review", *, at: str = AT.isoformat(), database: str = "first") -> Any:
        env = {"PROMETHEUS_URL": self.url, "DATABASE_URL": f"sqlite:///{self.folder}/{database}.db"}
        ended = await run(what, "--at", at, "--json", cwd=self.folder, env=env)
        assert (ended.err, ended.code) == ("", 1)  # "dead" is stale
        return json.loads(ended.out)


async def test_the_facts_are_the_same_from_an_empty_a_warm_and_a_fresh_database(
    prometheus_fleet: Fleet, tmp_path: Path
) -> None:
    world = World(tmp_path, prometheus_fleet.url)
    first = await world.ask()
    assert [item["service"] for item in first] == list(SERVICES)
    excluded = [item["service"] for item in first for note in item["notes"] if note["code"] == "excluded_windows"]
    assert excluded == ["risky"]
    assert await world.ask() == first
    assert await world.ask(database="fresh") == first
    await world.ask("status", database="hours only")
    assert await world.ask(database="hours only") == first


async def test_a_status_is_the_same_whether_its_hours_are_remembered_or_asked_for(
    prometheus_fleet: Fleet, tmp_path: Path
) -> None:
    world = World(tmp_path, prometheus_fleet.url)
    cold = await world.ask("status")
    assert await world.ask("status") == cold
    earlier = (AT - timedelta(hours=30)).isoformat()
    await world.ask("status", at=earlier, database="from earlier")
    assert await world.ask("status", database="from earlier") == cold


async def test_samples_that_come_later_change_nothing_that_was_said(prometheus_fleet: Fleet, tmp_path: Path) -> None:
    late = False

    def twice_as_many(answer: dict[str, Any]) -> None:
        if late:
            for series in answer["data"]["result"]:
                for sample in series.get("values", [series.get("value")]):
                    sample[1] = str(2 * float(sample[1]))

    async with proxy(prometheus_fleet.url, change=twice_as_many) as server:
        world = World(tmp_path, server.url)
        first = await world.ask()
        late = True
        assert await world.ask() == first
        changed = await world.ask(database="fresh")
    totals = [item["events"]["total"] for item in first if item["service"] == "fine"]
    assert [item["events"]["total"] for item in changed if item["service"] == "fine"] == [2 * totals[0]]


async def test_a_review_and_its_digest_say_the_same(prometheus_fleet: Fleet, tmp_path: Path) -> None:
    world = World(tmp_path, prometheus_fleet.url)
    assert await world.ask("digest") == await world.ask("review")
