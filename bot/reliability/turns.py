"""Turns of the event loop: long work on many values lets others run in between, without a detour for each value."""

from __future__ import annotations

import asyncio
import time

_LONGEST_HOLD = 0.005  # seconds


class Turns:
    """One piece of work. `give` after each value; others get a turn once a few milliseconds have passed."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    async def give(self) -> None:
        if time.monotonic() - self._since > _LONGEST_HOLD:
            await asyncio.sleep(0)
            self._since = time.monotonic()
