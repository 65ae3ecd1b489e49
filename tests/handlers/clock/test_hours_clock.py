"""The keeper of hours: at the start and after each full hour, quietly, and never in anybody's way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from bot.errors import StoreFailed
from handlers.hours_clock import HoursClock

NOW = datetime(2026, 11, 23, 8, 11, tzinfo=UTC)


class SetClock:
    def now(self) -> datetime:
        return NOW


@dataclass
class Remembering:
    """Answers in order: sentences of what failed, or an error; then nothing fails any more."""

    answers: list[tuple[str, ...] | Exception] = field(default_factory=list)
    asked: list[datetime] = field(default_factory=list)

    async def remember(self, now: datetime) -> Sequence[str]:
        self.asked.append(now)
        answer = self.answers.pop(0) if self.answers else ()
        if isinstance(answer, Exception):
            raise answer
        return answer


class Endless:
    def __init__(self) -> None:
        self.begun, self.broken_off = asyncio.Event(), False

    async def remember(self, now: datetime) -> Sequence[str]:
        _ = now
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.broken_off = True
            raise
        return ()


async def test_what_is_closed_is_stored_at_the_start_without_waiting_for_it() -> None:
    source = Endless()
    clock = HoursClock(source, SetClock())
    clock.start()
    await asyncio.wait_for(source.begun.wait(), 5)
    await asyncio.wait_for(clock.stop(), 5)
    assert source.broken_off


async def test_while_it_is_at_work_another_hour_does_not_begin_it_twice() -> None:
    source = Remembering()
    clock = HoursClock(source, SetClock())
    await clock.wake()
    await clock.wake()
    await asyncio.sleep(0)
    await clock.wake()
    await asyncio.sleep(0)
    await clock.stop()
    assert source.asked == [NOW, NOW]


async def test_it_wakes_eleven_minutes_after_each_full_hour() -> None:
    clock = HoursClock(Remembering(), SetClock())
    clock.start()
    try:
        assert clock.next_at is not None
        assert clock.next_at.astimezone(UTC).strftime("%M:%S") == "11:00"
        assert clock.next_at - datetime.now(UTC) <= timedelta(hours=1)
    finally:
        await clock.stop()


async def test_a_failure_is_logged_once_for_as_long_as_it_lasts() -> None:
    source = Remembering([("It is down.",), ("It is down.", "It refuses."), ("It refuses.",), (), ("It is down.",)])
    clock = HoursClock(source, SetClock())
    with capture_logs() as logs:
        for _ in range(5):
            await clock.remember()
    assert [(entry["event"], entry.get("error")) for entry in logs] == [
        ("hours.not_remembered", "It is down."),
        ("hours.not_remembered", "It refuses."),
        ("hours.remembered_again", None),
        ("hours.not_remembered", "It is down."),
    ]


@pytest.mark.parametrize("error", [StoreFailed("The disk is full."), ValueError("a bug")])
async def test_no_error_ends_it(error: Exception) -> None:
    source = Remembering([error])
    clock = HoursClock(source, SetClock())
    with capture_logs() as logs:
        await clock.remember()
        await clock.remember()
    assert (len(source.asked), logs[0]["event"]) == (2, "hours.not_remembered")


async def test_it_can_be_stopped_before_it_began() -> None:
    await HoursClock(Remembering(), SetClock()).stop()
