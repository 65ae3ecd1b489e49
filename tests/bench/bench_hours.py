"""Remembering hours, SQLite beside PostgreSQL: four weeks of 200 and 2,000 series kept, loaded, and one hour added."""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from array import array
from collections.abc import Awaitable
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bot.reliability.hours import HOUR, Column  # noqa: E402
from storage import open_store  # noqa: E402
from tests.doubles.postgres import postgres  # noqa: E402

WEEKS, LOADS = 4, 5
LENGTH = WEEKS * 168
LAST = datetime(2026, 11, 23, 12, tzinfo=UTC)
FIRST = LAST - (LENGTH - 1) * HOUR
QUESTION = "http://prometheus:9090 sum by (service) (increase({metric}{{{labels}}}[3660s])) * 3600 / 3660"


async def seconds(work: Awaitable[object]) -> float:
    begun = time.perf_counter()
    await work
    return time.perf_counter() - begun


async def measure(url: str, amount: int) -> tuple[float, float, float]:
    """Seconds to keep all hours, to load them once they were loaded before, and to keep one more of each."""
    dice = random.Random(amount)  # noqa: S311  the same hours on every run
    labels = ",".join(f'label_{number}="{"x" * 100}"' for number in range(20))
    names = [QUESTION.format(metric=f"requests_{number}_total", labels=labels) for number in range(amount)]
    values = array("d", (dice.uniform(0, 60_000) for _ in range(LENGTH)))
    columns = {name: Column(FIRST, values[:]) for name in names}
    more = {name: Column(LAST + HOUR, array("d", [1.0])) for name in names}
    async with open_store(url) as store:
        await store.migrate()
        hours = store.hours("T1")
        kept = await seconds(hours.keep(columns))
        loaded = min([await seconds(hours.load(names, FIRST, LAST)) for _ in range(LOADS)])
        assert await hours.load(names, FIRST, LAST) == columns
        return kept, loaded, await seconds(hours.keep(more))


def main() -> None:
    with tempfile.TemporaryDirectory() as name, postgres() as server:
        for amount in (200, 2_000):
            base = 0.0
            file = f"{name}/{amount}.db"
            for kind, url in (("SQLite", f"sqlite:///{file}"), ("PostgreSQL", server.database())):
                kept, loaded, added = asyncio.run(measure(url, amount))
                base = base or loaded
                print(
                    f"{kind:<12} {amount:>5} series × {LENGTH} hours: kept in {kept * 1e3:4.0f} ms, loaded in "
                    f"{loaded * 1e3:5.1f} ms ({loaded / base:3.1f} × SQLite), one more hour in {added * 1e3:3.0f} ms"
                )
            print(f"{'':<12} {Path(file).stat().st_size / amount / WEEKS / 1024:.1f} KiB per series and week in SQLite")


if __name__ == "__main__":
    main()
