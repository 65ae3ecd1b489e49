"""`director serve` where Prometheus or the Director itself fails while figures are asked for and hours are kept."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from handlers.slack.standin import Ledger, Message
from tests.doubles.process import run
from tests.doubles.prometheus import AT, Fleet
from tests.doubles.prometheus_hostile import hostile, never
from tests.doubles.prometheus_proxy import proxy
from tests.doubles.slack import MAYA, PAYMENTS
from tests.system.conftest import Towns
from tests.system.test_hours import until
from tests.system.test_review import promise

pytestmark = pytest.mark.slow
SERVICES = ("dead", "fine", "holed", "restarts", "risky", "spent")


def _promises(folder: Path) -> Path:
    for name in SERVICES:
        promise(folder / "slos", name)
    (folder / "slos" / "checkout.yaml").unlink(missing_ok=True)
    return folder


async def test_a_prometheus_that_hangs_is_told_within_three_time_limits_and_holds_up_nobody(
    towns: Towns, tmp_path: Path
) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    _promises(tmp_path)
    (tmp_path / "director.yml").write_text("metrics: {timeout: 4s}\n")

    def said(words: str) -> Any:
        def look(ledger: Ledger) -> list[Message]:
            seen = [*ledger.ephemeral(MAYA), *ledger.by_bot(PAYMENTS)]
            return [one for one in seen if words in f"{one.text} {one.blocks}"]

        return look

    async with hostile(never) as server:
        served = await town.serve(PROMETHEUS_URL=server.url)
        begun = time.monotonic()
        await town.standin.command(MAYA, PAYMENTS, "/director", "review")
        await until(lambda: len(server.asked) > 1)
        helped = await town.standin.command(MAYA, PAYMENTS, "/director", "help")
        assert "/director status" in helped.text
        await town.standin.wait_for(said("did not answer within 4 s"), 30)
        assert time.monotonic() - begun < 3 * 4 + 5
        assert await served.stop() == 0
    assert "Traceback" not in served.log


async def test_two_directors_that_keep_the_same_hours_at_once_tell_the_figures_of_one(
    towns: Towns, tmp_path: Path, postgres_url: str, prometheus_fleet: Fleet
) -> None:
    town = await towns.build(database_url=postgres_url)
    env = town.env | {"PROMETHEUS_URL": prometheus_fleet.url}
    _promises(tmp_path)
    assert (await run("migrate", cwd=tmp_path, env=env)).code == 0
    replicas = await asyncio.gather(*(town.serve(PROMETHEUS_URL=prometheus_fleet.url) for _ in range(2)))
    told = await asyncio.gather(*(_status(tmp_path, env) for _ in range(2)))
    alone = await _status(tmp_path, env | {"DATABASE_URL": f"sqlite:///{tmp_path}/alone.db"})
    assert [await replica.stop() for replica in replicas] == [0, 0]
    assert told == [alone, alone]
    assert [word for one in replicas for word in ("not_remembered", "Traceback") if word in one.log] == []


@pytest.mark.parametrize("answered", [3, 6, 9])
async def test_killed_while_it_keeps_hours_the_figures_are_the_same_afterwards(
    towns: Towns, tmp_path: Path, prometheus_fleet: Fleet, answered: int
) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    _promises(tmp_path)
    async with proxy(prometheus_fleet.url) as between:
        env = town.env | {"PROMETHEUS_URL": between.url}
        served = await town.serve(PROMETHEUS_URL=between.url)
        await until(lambda: len(between.queries) >= answered)
        await served.kill()
        told = await _status(tmp_path, env)
        alone = await _status(tmp_path, env | {"DATABASE_URL": f"sqlite:///{tmp_path}/alone.db"})
    assert told == alone


async def _status(folder: Path, env: dict[str, str]) -> Any:
    ended = await run("status", "--at", AT.isoformat(), "--json", cwd=folder, env=env)
    assert ended.err == ""
    return json.loads(ended.out)
