"""The keeper of hours: wakes after each full hour and has the closed hours stored before anybody asks for them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.errors import DirectorError
from bot.ports import Clock

log = structlog.get_logger(__name__)

PAST_THE_HOUR = 11  # minutes: an hour's samples are taken to have arrived ten minutes after it
_JOB = "closed-hours"


class Remembers(Protocol):
    async def remember(self, now: datetime) -> Sequence[str]:
        """Store every hour that is closed by now; the sentences of what failed."""
        ...


class HoursClock:
    """Nothing depends on it: what it did not store is asked for when somebody wants it. It never ends the process."""

    def __init__(self, reliability: Remembers, clock: Clock) -> None:
        self._reliability = reliability
        self._clock = clock
        self._scheduler: AsyncIOScheduler | None = None
        self._work: asyncio.Task[None] | None = None
        self._told: frozenset[str] = frozenset()  # failures that were logged, so that each hour doesn't repeat them

    def start(self) -> None:
        """Store what is closed now, in the background, and then after each full hour, on the running event loop."""
        logging.getLogger("apscheduler").setLevel(logging.WARNING)  # it tells of every wake-up
        scheduler = AsyncIOScheduler(timezone="UTC")
        scheduler.add_job(
            self.wake, "cron", minute=PAST_THE_HOUR, id=_JOB, misfire_grace_time=None, coalesce=True, max_instances=1
        )
        scheduler.start()
        self._scheduler = scheduler
        self._begin()

    @property
    def next_at(self) -> datetime | None:
        """When it wakes next; None when it is stopped."""
        job = None if self._scheduler is None else self._scheduler.get_job(_JOB)
        return None if job is None else job.next_run_time

    async def wake(self) -> None:
        """Begin, unless it is at work still."""
        self._begin()

    async def stop(self) -> None:
        """Break off what is under way: it is asked for again when the Director is back."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None
        if self._work is not None:
            self._work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._work
            self._work = None
        await asyncio.sleep(0)  # APScheduler shuts down in the loop's next round

    def _begin(self) -> None:
        """One at a time: a source that takes more than an hour isn't asked twice at once."""
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self.remember(), name=_JOB)

    async def remember(self) -> None:
        """Store what is closed now. Failures are logged, each once for as long as it lasts."""
        try:
            failed = frozenset(await self._reliability.remember(self._clock.now()))
        except DirectorError as error:
            failed = frozenset({str(error)})
        except Exception:
            log.exception("hours.not_remembered")
            return
        for why in sorted(failed - self._told):
            log.warning("hours.not_remembered", error=why)
        if self._told and not failed:
            log.info("hours.remembered_again")
        self._told = failed
