"""How long the event loop is held up while something is at work in it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any


async def longest_hold(work: Coroutine[Any, Any, object]) -> float:
    """Do the work; the longest time in seconds that anybody else had to wait meanwhile for a turn."""
    task, longest = asyncio.create_task(work), 0.0
    while not task.done():
        before = time.monotonic()
        await asyncio.sleep(0.002)
        longest = max(longest, time.monotonic() - before)
    await task
    return longest
