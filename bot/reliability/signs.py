"""Signs that counters say less than happened: series that began within the window, and counters that begin again.

Reading all samples once more would double a review's cost. So series are counted first (the index answers, no sample is
read), and restarts are looked for in one hour of every third day; only what looks suspicious is asked for exactly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from functools import partial

from bot.reliability import promql
from bot.reliability.asking import Asking
from bot.reliability.batches import Batch, Counter
from bot.reliability.counting import Counting
from bot.reliability.hours import HOUR, hour_floor
from bot.reliability.metrics import Ask, Signs
from bot.reliability.windows import Span

_EVERY = 72  # hours between two samples of restarts
_SUSPICIOUS = 2  # restarts in the sampled hours
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Found:
    """Signs by ask; `unanswered` are those whose first samples were asked for and not told."""

    of: dict[Ask, Signs] = field(default_factory=dict)
    unanswered: set[Ask] = field(default_factory=set)


async def signs(counting: Counting, *, churn: bool) -> Found:
    """What could be found out for each ask; a query that fails leaves its sign unknown.

    Without `churn` a total's series in the window are only counted where its part has new ones: names of many pods are
    a long answer.
    """
    by_window: dict[Span, list[Ask]] = {}
    for ask in counting.asks:
        if ask.slices is None:
            by_window.setdefault(ask.window.span(counting.at), []).append(ask)
    found = Found()
    for span, asks in by_window.items():
        if span.start < span.end:
            await _of_window(counting, span, asks, found, churn=churn)
    return found


async def _of_window(counting: Counting, span: Span, asks: Sequence[Ask], found: Found, *, churn: bool) -> None:
    asking = counting.asking
    pairs = {ask: promql.plain_counters_of(ask) for ask in asks}
    parts = {part for part, _ in pairs.values()}
    totals = {total for _, total in pairs.values()}
    seen, at_start, restarts = await asyncio.gather(
        _series(asking, parts | totals if churn else parts, span),
        asking.instants(parts, promql.present, span.start, length=HOUR, fatal=False),
        _restarts(counting, totals, span),
    )
    suspects = {part for part in parts if part not in seen or seen[part] > at_start.get(part, {}).get("", 0)}
    hidden = await _hidden(asking, suspects, span)
    if not churn:
        seen |= await _series(asking, {total for part, total in pairs.values() if part in suspects}, span)
    for ask, (part, total) in pairs.items():
        found.of[ask] = Signs(
            hidden=hidden.get(part),
            resets=restarts.get(total),
            part_seen=seen.get(part),
            series_seen=seen.get(total),
            series_now=counting.pulses[total].series if total in counting.pulses else None,
        )
        if part in suspects and part not in hidden and part not in asking.unknown:
            found.unanswered.add(ask)


async def _series(asking: Asking, counters: set[Counter], span: Span) -> dict[Counter, int]:
    """How many series each counter had at any time in the span, where the source can tell."""
    found: dict[Counter, int] = {}

    async def ask(batch: Batch) -> None:
        labels = await asking.source.series([batch.texts[0]], span)
        if labels is None:
            return
        found.update(dict.fromkeys(batch.members, 0))
        for one in labels:
            counter = batch.member(one)
            if counter is not None:
                found[counter] += 1

    await asking.batches(counters, ask)
    return found


async def _hidden(asking: Asking, suspects: set[Counter], span: Span) -> dict[Counter, Fraction]:
    """Events in first samples, of counters that have had more series than at the window's start."""
    query = partial(promql.hidden, window=span.length)
    answers = await asking.instants(suspects, query, span.end, length=span.length, fatal=False)
    return {part: Fraction(figures[""]) for part, figures in answers.items() if "" in figures}


async def _restarts(counting: Counting, totals: set[Counter], span: Span) -> dict[Counter, int]:
    """How often counters began again within the span, where sampled hours say that it may be often."""
    failed = counting.asking.failures
    sampled = {total: Counter(total.selectors, "resets") for total in totals if total not in failed}
    hours = set(_sampled_hours(span))
    await counting.sampled(dict.fromkeys(sampled.values(), hours))
    suspects = {
        total
        for total, resets in sampled.items()
        if resets in counting.ledgers
        and sum(max(counting.ledgers[resets].beside.get(hour, 0.0), 0.0) for hour in hours) >= _SUSPICIOUS
    }
    query = partial(promql.resets, length=span.length)
    answers = await counting.asking.instants(suspects, query, span.end, length=span.length, fatal=False)
    return {total: round(figures[""]) for total, figures in answers.items() if "" in figures}


def _sampled_hours(span: Span) -> list[Span]:
    """The same hours whenever they are asked for, at another time of day each, within the span."""
    first = hour_floor(span.start) + HOUR
    hours = (first + index * HOUR for index in range((hour_floor(span.end) - first) // HOUR))
    return [Span(start, start + HOUR) for start in hours if _is_sampled(start)]


def _is_sampled(start: datetime) -> bool:
    block, within = divmod((start - _EPOCH) // HOUR, _EVERY)
    return within == block * 5 % _EVERY
