"""`director serve` has closed hours stored before anybody asks, and waits for nobody meanwhile."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.doubles.prometheus import Fleet
from tests.doubles.prometheus_hostile import hostile, never
from tests.system.conftest import Towns
from tests.system.test_review import promise

pytestmark = pytest.mark.slow
_REMEMBERED = "SELECT DISTINCT series FROM hour_series JOIN hour_blocks ON hour_series.seq = hour_blocks.series_seq"


async def until(holds: Callable[[], bool], *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"it did not come to hold within {seconds} s"
        await asyncio.sleep(0.05)


def remembered(database: Path) -> str:
    with sqlite3.connect(database) as connection:
        return "\n".join(row[0] for row in connection.execute(_REMEMBERED))


async def test_hours_are_stored_at_the_start_of_serve(towns: Towns, tmp_path: Path, prometheus_fleet: Fleet) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    for name in ("fine", "spent"):
        promise(tmp_path / "slos", name)
    served = await town.serve(PROMETHEUS_URL=prometheus_fleet.url)
    for name in ("fine", "spent"):
        for selector in (f'events_total{{service="{name}"}}', f'events_total{{service="{name}",code="500"}}'):
            await until(lambda wanted=selector: wanted in remembered(tmp_path / "director.db"))  # type: ignore[misc]
    assert await served.stop() == 0


async def test_a_prometheus_that_never_answers_delays_neither_the_start_nor_the_end(
    towns: Towns, tmp_path: Path
) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    promise(tmp_path / "slos", "fine")
    async with hostile(never) as server:
        served = await town.serve(PROMETHEUS_URL=server.url)
        await until(lambda: bool(server.asked))
        begun = time.monotonic()
        assert await served.stop() == 0
        assert time.monotonic() - begun < 15  # a query may take 20
    assert "Traceback" not in served.log


async def test_a_prometheus_that_is_away_is_said_once_and_does_not_end_serve(towns: Towns, tmp_path: Path) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    promise(tmp_path / "slos", "fine")
    served = await town.serve(PROMETHEUS_URL="http://127.0.0.1:9")
    await until(lambda: "hours.not_remembered" in served.log)
    assert served.log.count("hours.not_remembered") == 1
    assert await served.stop() == 0
