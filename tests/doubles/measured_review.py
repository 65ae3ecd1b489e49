"""One review in a process of its own, as `serve` makes it: what it said, its memory, how long it held the loop up.

    python -m tests.doubles.measured_review TIME

Settings come from the environment, as always; prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Coroutine
from datetime import datetime
from pathlib import Path
from typing import Any

import bot.assemble
import bot.planning
import storage
from bot.__main__ import Root
from bot.reliability import Assessment, review_reply

IMPORTED = (bot.assemble, bot.planning, storage)  # by `serve` before it is ready


def peak_mb() -> float:
    """The most memory that this process has had resident."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


async def longest_hold(work: Coroutine[Any, Any, None]) -> tuple[float, float]:
    """The most that this process computed between two turns of the loop, in seconds: then nobody else had a turn.

    Second the longest wait by the clock, which is more where the machine has others to serve.
    """
    task, computed, waited = asyncio.create_task(work), 0.0, 0.0
    while not task.done():
        before, used = time.monotonic(), time.process_time()
        await asyncio.sleep(0.002)
        computed, waited = max(computed, time.process_time() - used), max(waited, time.monotonic() - before)
    await task
    return computed, waited


async def measured(at: datetime) -> dict[str, Any]:
    root = Root()
    settings = root.settings()
    found: list[Assessment] = []

    async def work() -> None:
        async with root.store(settings) as store, root.reliability(settings, store) as reliability:
            assessment = await reliability.issue(None, at)
            await asyncio.to_thread(review_reply, assessment)
            found.append(assessment)

    idle, begun = peak_mb(), time.monotonic()
    hold, waited = await longest_hold(work())
    seconds = time.monotonic() - begun
    return {
        "states": dict(Counter(item.state.value for item in found[0].items)),
        "failed": next((item.sentence for item in found[0].items if item.figures.total is None), None),
        "seconds": round(seconds, 2),
        "idle_mb": round(idle, 1),
        "peak_mb": round(peak_mb(), 1),
        "longest_hold_ms": round(hold * 1000, 1),
        "longest_wait_ms": round(waited * 1000, 1),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measured(datetime.fromisoformat(sys.argv[1])))))
