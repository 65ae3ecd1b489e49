"""Three replicas on one real database: each slot is posted as one turn, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain import Place
from bot.schedules import What
from handlers.clock import ScheduleClock
from storage import open_store
from tests.doubles.postgres import postgres

PLACE = Place(platform="slack", workspace="T1", channel="C1")
BEGIN = datetime(2026, 10, 23, 23, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/director.db"
        return
    with postgres() as server:
        yield server.database()


class SetClock:
    def __init__(self) -> None:
        self.time = BEGIN

    def now(self) -> datetime:
        return self.time


async def test_three_replicas_over_a_restart_and_a_change_of_clocks_store_each_slot_once(url: str) -> None:
    time = SetClock()
    async with AsyncExitStack() as stack:
        stores = [open_store(url) for _ in range(3)]
        for store in stores:
            await stack.enter_async_context(store)
        await stores[0].migrate()
        reports: tuple[What, ...] = ("review", "digest")
        for what in reports:
            await stores[0].schedules.add(
                request_key=what,
                place=PLACE,
                channel_name="payments",
                what=what,
                days=(0, 1, 2, 3, 4, 5, 6),
                time="02:30",
                zone="Europe/Berlin",
                services=(),
                created_by="U1",
                at=BEGIN - timedelta(hours=9),
            )
        clocks = [ScheduleClock(store.schedules, store.inbox, time) for store in stores]
        for _ in range(16):  # three nights in steps of some hours; the clocks go back on the 25th at 01:00 UTC
            time.time += timedelta(hours=4, minutes=30)
            await asyncio.gather(*(clock.tick() for clock in clocks))
            clocks[0] = ScheduleClock(stores[0].schedules, stores[0].inbox, time)  # this one has just been restarted
        turns = await stores[1].inbox.turns(state=None, limit=100)
    assert sorted(turn.incoming.dedupe_key for turn in turns) == [
        f"schedule:{name}:2026-10-{day}T02:30" for name in ("s1", "s2") for day in (24, 25, 26)
    ]
