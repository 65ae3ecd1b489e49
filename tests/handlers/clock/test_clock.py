"""The clock puts each due slot into the inbox once, whatever stops or delays it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from bot.domain import Incoming, Place
from bot.errors import StoreFailed
from bot.schedules import Schedule, What
from handlers.clock import ScheduleClock
from tests.doubles.stores import MemoryIntake, MemorySchedules

PLACE = Place(platform="slack", workspace="T1", channel="C1")
DUE = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


class SetClock:
    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time


async def weekly(store: MemorySchedules, *, zone: str = "Europe/Berlin", what: What = "review") -> None:
    await store.add(
        request_key=f"r{len(store.rows)}",
        place=PLACE,
        channel_name="payments",
        what=what,
        days=(0,),
        time="09:00",
        zone=zone,
        services=(),
        created_by="U1",
        at=DUE - timedelta(days=3),
    )


async def test_a_slot_goes_in_when_it_is_due_and_only_once() -> None:
    store, intake, time = MemorySchedules(), MemoryIntake(), SetClock(DUE - timedelta(seconds=1))
    await weekly(store)
    clock = ScheduleClock(store, intake, time)
    ticks = [await clock.tick()]
    for _ in range(3):
        time.time += timedelta(seconds=5)
        ticks.append(await clock.tick())
    assert (ticks, list(intake.taken), intake.puts) == ([0, 1, 0, 0], ["schedule:s1:2026-11-23T09:00"], 1)


async def test_three_clocks_on_one_store_put_one_turn_for_each_slot() -> None:
    store, intake, time = MemorySchedules(), MemoryIntake(), SetClock(DUE)
    await weekly(store)
    await weekly(store, what="digest")
    replicas = [ScheduleClock(store, intake, time) for _ in range(3)]
    put = await asyncio.gather(*(replica.tick() for replica in replicas))
    assert (sum(put), sorted(intake.taken)) == (2, ["schedule:s1:2026-11-23T09:00", "schedule:s2:2026-11-23T09:00"])


async def test_a_restart_does_not_repeat_a_slot() -> None:
    store, intake, time = MemorySchedules(), MemoryIntake(), SetClock(DUE)
    await weekly(store)
    before = await ScheduleClock(store, intake, time).tick()
    time.time += timedelta(minutes=2)
    assert (before, await ScheduleClock(store, intake, time).tick(), len(intake.taken)) == (1, 0, 1)


async def test_what_came_due_while_nothing_ran_is_caught_up() -> None:
    store, intake, time = MemorySchedules(), MemoryIntake(), SetClock(DUE + timedelta(hours=5))
    await weekly(store)
    assert (await ScheduleClock(store, intake, time).tick(), list(intake.taken)) == (
        1,
        ["schedule:s1:2026-11-23T09:00"],
    )


async def test_a_pause_leaves_out_what_comes_due_in_it() -> None:
    store, intake, time = MemorySchedules(), MemoryIntake(), SetClock(DUE + timedelta(minutes=1))
    await weekly(store)
    clock = ScheduleClock(store, intake, time)
    await store.set_paused("s1", workspace="T1", paused=True, at=DUE - timedelta(minutes=1))
    paused = await clock.tick()
    await store.set_paused("s1", workspace="T1", paused=False, at=time.time)
    assert (paused, await clock.tick(), intake.taken) == (0, 0, {})


async def test_a_clock_set_back_repeats_nothing() -> None:
    store, intake, time = MemorySchedules(), MemoryIntake(), SetClock(DUE)
    await weekly(store)
    clock = ScheduleClock(store, intake, time)
    await clock.tick()
    time.time += timedelta(days=8)
    ahead = await clock.tick()
    time.time -= timedelta(days=8)
    assert (ahead, await clock.tick(), len(intake.taken)) == (0, 0, 1)


async def test_a_database_that_fails_is_logged_and_the_next_tick_goes_on() -> None:
    store, intake, time = MemorySchedules(), MemoryIntake(), SetClock(DUE)
    await weekly(store)
    clock = ScheduleClock(store, intake, time)
    failed = []
    with capture_logs() as logs:
        for broken in (StoreFailed("The database can't be reached."), ConnectionError("no route")):
            store.broken = broken
            failed.append(await clock.tick())
    store.broken = None
    assert (failed, await clock.tick()) == ([0, 0], 1)
    assert [(entry["event"], entry["log_level"], "exc_info" in entry) for entry in logs] == [
        ("clock.tick_failed", "warning", False),
        ("clock.tick_failed", "error", True),
    ]


async def test_an_inbox_that_fails_loses_no_slot() -> None:
    class Full(MemoryIntake):
        full = True

        async def put(self, incoming: Incoming) -> bool:
            if self.full:
                raise OSError("no space left on device")
            return await super().put(incoming)

    store, intake, time = MemorySchedules(), Full(), SetClock(DUE)
    await weekly(store)
    clock = ScheduleClock(store, intake, time)
    refused = await clock.tick()
    intake.full = False
    assert (refused, await clock.tick(), len(intake.taken)) == (0, 1, 1)


async def test_a_schedule_whose_zone_is_gone_stops_no_other() -> None:
    store, intake, time = MemorySchedules(), MemoryIntake(), SetClock(DUE)
    await weekly(store, zone="Mars/Olympus")
    await weekly(store)
    with capture_logs() as logs:
        put = await ScheduleClock(store, intake, time).tick()
    assert (put, [(entry["event"], entry.get("schedule")) for entry in logs]) == (
        1,
        [("clock.schedule_unreadable", "s1"), ("clock.slot_due", "s2")],
    )


async def test_a_started_clock_ticks_by_itself_until_it_is_stopped() -> None:
    store, intake, time = MemorySchedules(), MemoryIntake(), SetClock(DUE - timedelta(seconds=1))
    await weekly(store)
    clock = ScheduleClock(store, intake, time, seconds=0.05)
    clock.start()
    time.time = DUE
    await asyncio.wait_for(intake.arrived.wait(), 20)
    await clock.stop()
    await weekly(store, what="digest")
    await asyncio.sleep(0.2)
    assert list(intake.taken) == ["schedule:s1:2026-11-23T09:00"]


async def test_stopping_waits_for_the_tick_at_work() -> None:
    class Slow(MemoryIntake):
        def __init__(self) -> None:
            super().__init__()
            self.begun = asyncio.Event()
            self.go_on = asyncio.Event()

        async def put(self, incoming: Incoming) -> bool:
            self.begun.set()
            await self.go_on.wait()
            return await super().put(incoming)

    store, intake, time = MemorySchedules(), Slow(), SetClock(DUE)
    await weekly(store)
    clock = ScheduleClock(store, intake, time, seconds=0.05)
    clock.start()
    await intake.begun.wait()
    stopping = asyncio.create_task(clock.stop())
    await asyncio.sleep(0)
    waits = not stopping.done()
    intake.go_on.set()
    await stopping
    assert (waits, len(intake.taken)) == (True, 1)


@pytest.mark.parametrize("rounds", range(8))
async def test_whenever_it_is_stopped_no_tick_is_broken_off(rounds: int, caplog: pytest.LogCaptureFixture) -> None:
    class Waiting(MemorySchedules):
        async def active(self) -> Sequence[Schedule]:
            for _ in range(3):
                await asyncio.sleep(0)
            return await super().active()

    store, intake = Waiting(), MemoryIntake()
    await weekly(store)
    clock = ScheduleClock(store, intake, SetClock(DUE))
    clock.start()
    for _ in range(rounds):
        await asyncio.sleep(0)
    await clock.stop()
    await asyncio.sleep(0)
    assert [record.getMessage() for record in caplog.records] == []


async def test_a_clock_that_was_not_started_can_be_stopped() -> None:
    clock = ScheduleClock(MemorySchedules(), MemoryIntake(), SetClock(DUE))
    await clock.stop()
    assert await clock.tick() == 0


async def test_a_tick_that_comes_late_still_runs(caplog: pytest.LogCaptureFixture) -> None:
    """APScheduler leaves out jobs that are more than a second late unless it is told otherwise."""
    store, intake, time = MemorySchedules(), MemoryIntake(), SetClock(DUE - timedelta(seconds=1))
    await weekly(store)
    clock = ScheduleClock(store, intake, time, seconds=0.5)
    clock.start()
    await asyncio.sleep(0)
    time.time = DUE
    blocked = asyncio.get_running_loop().time() + 1.7
    while asyncio.get_running_loop().time() < blocked:  # the loop is busy when the tick is due
        pass
    with caplog.at_level(logging.WARNING, logger="apscheduler"):
        await asyncio.wait_for(intake.arrived.wait(), 20)
    await clock.stop()
    assert [record.message for record in caplog.records if "missed" in record.message] == []
