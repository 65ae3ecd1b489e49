"""Several Directors on one PostgreSQL: a schedule still posts once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.doubles.process import run
from tests.doubles.slack import PAYMENTS
from tests.system.conftest import Towns


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_schedule_due_in_a_minute_posts_once_with_three_replicas(
    towns: Towns, tmp_path: Path, postgres_url: str
) -> None:
    town = await towns.build(database_url=postgres_url)
    replicas = [await town.serve() for _ in range(3)]
    due = (datetime.now(UTC) + timedelta(seconds=75)).replace(second=0, microsecond=0)
    if due - datetime.now(UTC) < timedelta(seconds=15):
        due += timedelta(minutes=1)
    words = f"review every day {due:%H:%M} UTC in #payments"
    added = await run("schedule", "add", words, cwd=tmp_path, env=town.env)
    assert added.code == 0, added.err
    await town.standin.wait_for(lambda ledger: ledger.by_bot(PAYMENTS), 120)
    await asyncio.sleep(12)  # two more ticks of every replica
    posts = [one for one in town.standin.ledger.by_bot(PAYMENTS) if one.thread_ts is None]
    assert len(posts) == 1
    assert datetime.fromtimestamp(float(posts[0].ts), UTC) >= due
    assert [await replica.stop() for replica in replicas] == [0, 0, 0]
