"""Keeps a claimed turn ours while it is worked on; ends the work when it is not ours any more or a person says stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import structlog

from bot.errors import DirectorError
from bot.ports import Claim, Inbox, LeaseLost

log = structlog.get_logger(__name__)


class Stopped(DirectorError):
    """A person asked to stop this turn."""


class Lease:
    """Async context: renews the claim's lease every `pulse` seconds while the body runs.

    When the lease is lost the body is cancelled and `LeaseLost` raised. Inside `stoppable()` a person's stop cancels
    the body and raises `Stopped`; outside of it (an answer is being stored or delivered) a stop comes too late.
    """

    def __init__(self, inbox: Inbox, claim: Claim, *, seconds: float, pulse: float) -> None:
        self._inbox = inbox
        self._claim = claim
        self._seconds = seconds
        self._pulse = pulse
        self._stoppable = False
        self._ended_by: DirectorError | None = None
        self._body: asyncio.Task[object] | None = None
        self._beat: asyncio.Task[None] | None = None

    async def renew(self) -> bool:
        """Renew now; True when a person asked to stop. Raises LeaseLost."""
        return await self._inbox.heartbeat(self._claim, lease=self._seconds)

    @contextlib.contextmanager
    def stoppable(self) -> Iterator[None]:
        self._stoppable = True
        try:
            yield
        except asyncio.CancelledError:
            if isinstance(self._ended_by, Stopped) and self._take_back_cancel():
                raise self._ended_by from None
            raise
        finally:
            self._stoppable = False

    async def __aenter__(self) -> Self:
        self._body = asyncio.current_task()
        self._beat = asyncio.create_task(self._keep(), name=f"lease {self._claim.turn_id}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._beat is not None:
            self._beat.cancel()
            await asyncio.gather(self._beat, return_exceptions=True)
        lost = isinstance(error, asyncio.CancelledError) and isinstance(self._ended_by, LeaseLost)
        if lost and self._take_back_cancel() and self._ended_by is not None:
            raise self._ended_by from None

    async def _keep(self) -> None:
        while self._ended_by is None:
            await asyncio.sleep(self._pulse)
            try:
                stop = await self.renew()
            except LeaseLost as lost:
                self._ended_by = lost
            except DirectorError as error:
                log.warning("heartbeat_failed", turn=self._claim.turn_id, error=str(error))
                continue
            else:
                if not (stop and self._stoppable):
                    continue
                self._ended_by = Stopped("stopped by a person")
            if self._body is not None:
                self._body.cancel("lease")

    def _take_back_cancel(self) -> bool:
        """True when our own cancel was the only one."""
        return self._body is not None and self._body.uncancel() == 0
