"""Windows shorter than a day, and periods that have just begun: in stretches of their own, which nobody remembers."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from bot.reliability import promql
from bot.reliability.batches import Counter
from bot.reliability.counting import Counting
from bot.reliability.hours import ABSENT, Hours
from bot.reliability.metrics import Ask
from bot.reliability.windows import Span, without

_DAY = timedelta(days=1)


async def tiles(counting: Counting, asks: Sequence[Ask]) -> dict[Ask, Hours]:
    """Those of the asks whose window is so short, in at most 24 stretches each."""
    alike: dict[tuple[timedelta, timedelta, timedelta], list[Ask]] = {}
    for ask in asks:
        length = ask.window.span(counting.at).length
        if timedelta() < length < _DAY:
            scrape = counting.scrape(promql.counters_of(ask)[1])
            shortest = 2 * scrape if ask.slices is None else max(2 * scrape, ask.slices.length)
            alike.setdefault((length, promql.tile_of(length, shortest), scrape), []).append(ask)
    found: dict[Ask, Hours] = {}
    for (length, tile, scrape), together in alike.items():
        ends = promql.tile_ends(counting.at, length, tile)
        columns = {counter: array("d", [ABSENT]) * len(ends) for ask in together for counter in promql.counters_of(ask)}
        take = partial(_into, columns, ends[0], tile)
        await counting.asking.ranges(columns, partial(promql.counted, length=tile, scrape=scrape), ends, take)
        for ask in together:
            shares = [_share(Span(end - tile, end), ask.excluded) for end in ends]
            part, total = (_scaled(columns[counter], shares) for counter in promql.counters_of(ask))
            found[ask] = Hours(ends[0], tile, part, total)
            await asyncio.sleep(0)
    return found


def _into(
    columns: Mapping[Counter, array[float]],
    first: datetime,
    step: timedelta,
    counter: Counter,
    values: Sequence[tuple[float, float]],
) -> None:
    start, apart = first.timestamp(), step.total_seconds()
    for seconds, value in values:
        columns[counter][round((seconds - start) / apart)] = value


def _share(tile: Span, excluded: tuple[Span, ...]) -> float:
    """How much of it isn't excluded."""
    return sum((kept.length for kept in without(tile, excluded)), timedelta()) / tile.length


def _scaled(column: array[float], shares: Sequence[float]) -> array[float]:
    return array("d", [value * share if value >= 0 else value for value, share in zip(column, shares, strict=True)])
