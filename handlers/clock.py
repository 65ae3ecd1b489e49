"""The clock: APScheduler wakes us, the database says what is due, the inbox makes sure that each slot runs once."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.errors import DirectorError
from bot.ports import Clock, Intake
from bot.schedules import ScheduleStore, due_turns

log = structlog.get_logger(__name__)

_TICK = 5.0
_JOB = "due-slots"


class ScheduleClock:
    """Puts due slots into the inbox. Every replica runs one; the inbox's unique key lets each slot in once.

    A late tick, a restart or a stopped database misses nothing: each tick looks back over the whole grace period.
    """

    def __init__(self, schedules: ScheduleStore, intake: Intake, clock: Clock, *, seconds: float = _TICK) -> None:
        self._schedules = schedules
        self._intake = intake
        self._clock = clock
        self._seconds = seconds
        self._scheduler: AsyncIOScheduler | None = None
        self._stored: frozenset[str] = frozenset()  # keys that the inbox has, so that it isn't asked every tick
        self._ticking = asyncio.Lock()

    def start(self) -> None:
        """Tick at once and then every few seconds, on the running event loop."""
        logging.getLogger("apscheduler").setLevel(logging.WARNING)  # it tells of every tick
        scheduler = AsyncIOScheduler(timezone="UTC")
        # With APScheduler's default grace of 1 s a tick that comes late would be left out; one is enough for many.
        scheduler.add_job(
            self.tick,
            "interval",
            seconds=self._seconds,
            id=_JOB,
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
            next_run_time=datetime.now(tz=scheduler.timezone),
        )
        scheduler.start()
        self._scheduler = scheduler

    async def stop(self) -> None:
        """Stop ticking; a tick at work finishes first."""
        if self._scheduler is None:
            return
        self._scheduler.pause()
        await asyncio.sleep(0)  # a tick that is only made yet begins, for APScheduler's shutdown breaks it off
        async with self._ticking:
            self._scheduler.shutdown(wait=False)
        self._scheduler = None
        await asyncio.sleep(0)  # APScheduler shuts down in the loop's next round

    async def tick(self) -> int:
        """Put what is due into the inbox; how many turns were new there. After an error the next tick tries again."""
        async with self._ticking:
            try:
                return await self._tick()
            except DirectorError as error:
                log.warning("clock.tick_failed", error=str(error))
                return 0
            except Exception:
                log.exception("clock.tick_failed")
                return 0

    async def _tick(self) -> int:
        now = self._clock.now()
        new = 0
        held: set[str] = set()
        for schedule in await self._schedules.active():
            try:
                turns = due_turns([schedule], now)
            except (KeyError, OSError, ValueError):  # a zone that this machine's tz data doesn't have
                log.exception("clock.schedule_unreadable", schedule=schedule.id, zone=schedule.zone)
                continue
            for turn in turns:
                if turn.dedupe_key not in self._stored and await self._intake.put(turn):
                    new += 1
                    log.info("clock.slot_due", schedule=schedule.id, key=turn.dedupe_key)
                held.add(turn.dedupe_key)
        self._stored = frozenset(held)
        return new
