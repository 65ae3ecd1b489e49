"""Batches of counters asked of a Prometheus: bounded, and split where one broken query would cost its neighbours."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Protocol

from bot.reliability.batches import Batch, Counter, batched, of
from bot.reliability.prometheus_client import MOST_POINTS, QueryFailed, Series
from bot.reliability.promql import FIGURE
from bot.reliability.turns import Turns
from bot.reliability.windows import Span

_POINTS_PER_ANSWER = 24_000  # more would keep the event loop busy with reading them
_MEMBERS = 100
_MEMBERS_LONG = 25  # of queries that take long: a server answers each on one core
_LONG = timedelta(days=1)
_MANY = 200
_FEW = 16  # whose query is broken is found out one by one
_TWICE = "The metrics answered with one figure twice; check what stands between."
_SPLITS = 400  # so many further queries may an assessment spend on finding out whose query is broken


class Source(Protocol):
    """What is needed of `PrometheusClient`, within one assessment's limits."""

    async def instant(self, query: str, at: datetime) -> list[Series]: ...

    async def range(self, query: str, start: datetime, end: datetime, step: timedelta) -> list[Series]: ...

    async def series(self, selectors: Sequence[str], span: Span) -> list[Mapping[str, str]] | None: ...


Figures = Mapping[str, float]  # by name; "" where the query has only one


@dataclass
class Asking:
    """One assessment's questions. `rates` are samples per hour that a counter's query reads, as far as known.

    `unknown` are counters of which a question failed that isn't needed for their figures.
    """

    source: Source
    most_samples: int
    rates: dict[Counter, float] = field(default_factory=dict)
    failures: dict[Counter, QueryFailed] = field(default_factory=dict)
    unknown: set[Counter] = field(default_factory=set)
    _splits: int = _SPLITS

    async def instants(
        self,
        counters: Iterable[Counter],
        query: Callable[[Batch], str],
        at: datetime,
        *,
        length: timedelta = timedelta(),
        fatal: bool = True,
    ) -> dict[Counter, Figures]:
        """Each counter's figures; a counter without any is left out. `length` is how far back a query reads.

        What fails is noted in `failures`, and not asked again, unless it isn't `fatal`.
        """
        found: dict[Counter, Figures] = {}

        async def ask(batch: Batch) -> None:
            for counter, series in _by_member(batch, await self.source.instant(query(batch), at)).items():
                found[counter] = _figures(series)

        members = _MEMBERS_LONG if length >= _LONG else _MEMBERS
        await self._all(counters, ask, length, members, fatal=fatal)
        return found

    async def ranges(
        self,
        counters: Iterable[Counter],
        query: Callable[[Batch], str],
        ends: Sequence[datetime],
        take: Callable[[Counter, Sequence[tuple[float, float]]], None],
    ) -> None:
        """Values at these evenly spaced times, handed to `take` as they come, in pieces that stay within limits."""
        if not ends:
            return
        step = ends[1] - ends[0] if len(ends) > 1 else timedelta(hours=1)
        members = max(1, min(_MEMBERS, _POINTS_PER_ANSWER // len(ends)))

        async def ask(batch: Batch) -> None:
            size = self._points(batch, step)
            turns = Turns()
            for start in range(0, len(ends), size):
                piece = ends[start : start + size]
                answer = await self.source.range(query(batch), piece[0], piece[-1], step)
                for counter, series in _by_member(batch, answer).items():
                    if len(series) > 1:
                        raise QueryFailed(_TWICE)
                    take(counter, series[0].values)
                    await turns.give()

        await self._all(counters, ask, step * len(ends), members)

    async def batches(self, counters: Iterable[Counter], ask: Callable[[Batch], Awaitable[None]]) -> None:
        """Let `ask` see to these counters, batch by batch; what fails is only left out."""
        await self._all(counters, ask, timedelta(), _MEMBERS, fatal=False)

    def _points(self, batch: Batch, step: timedelta) -> int:
        """How many steps of this batch may be asked at once."""
        per_step = sum(self.rates.get(member, 0.0) for member in batch.members) * (step / timedelta(hours=1))
        by_samples = int(self.most_samples / per_step) if per_step > 0 else MOST_POINTS
        return max(1, min(MOST_POINTS, _POINTS_PER_ANSWER // len(batch.members), by_samples))

    async def _all(
        self,
        counters: Iterable[Counter],
        ask: Callable[[Batch], Awaitable[None]],
        length: timedelta,
        most: int,
        *,
        fatal: bool = True,
    ) -> None:
        wanted = [counter for counter in counters if counter not in self.failures]
        if len(wanted) > _MANY:  # beside the event loop
            batches = await asyncio.to_thread(self._batches, wanted, length, most)
        else:
            batches = self._batches(wanted, length, most)
        await asyncio.gather(*(self._one(batch, ask, fatal=fatal) for batch in batches))

    def _batches(self, wanted: Sequence[Counter], length: timedelta, most: int) -> list[Batch]:
        return [part for batch in batched(wanted, most) for part in self._within_samples(batch, length)]

    def _within_samples(self, batch: Batch, length: timedelta) -> list[Batch]:
        """The batch, in halves for as long as it reads more samples than a query may."""
        samples = sum(self.rates.get(member, 0.0) for member in batch.members) * (length / timedelta(hours=1))
        if samples <= self.most_samples or len(batch.members) == 1:
            return [batch]
        return [part for half in _parts(batch, 2) for part in self._within_samples(half, length)]

    async def _one(self, batch: Batch, ask: Callable[[Batch], Awaitable[None]], *, fatal: bool) -> None:
        try:
            await ask(batch)
        except QueryFailed as failure:
            if failure.splittable and len(batch.members) > 1 and self._splits > 0:
                # Few steps, side by side: on the way to a query that is slow each step waits for its whole time limit.
                amount = len(batch.members)
                parts = _parts(batch, amount if amount <= _FEW else math.isqrt(amount))
                self._splits -= len(parts)
                await asyncio.gather(*(self._one(part, ask, fatal=fatal) for part in parts))
            elif fatal:
                self.failures.update(dict.fromkeys(batch.members, failure))
            else:
                self.unknown.update(batch.members)


def _parts(batch: Batch, count: int) -> list[Batch]:
    """So many batches of about one size; more where labels don't tell members apart."""
    members = batch.members
    borders = [index * len(members) // count for index in range(count + 1)]
    return [part for start, end in pairwise(borders) for part in of(members[start:end])]


def _by_member(batch: Batch, answer: Sequence[Series]) -> dict[Counter, list[Series]]:
    found: dict[Counter, list[Series]] = {}
    expected = {*batch.by, FIGURE}
    for series in answer:
        if not expected.issuperset(series.labels):
            raise QueryFailed("The metrics answered with series that were not asked for; check what stands between.")
        if any(value < 0 for _, value in series.values):
            raise QueryFailed("The metrics answered with fewer events than none; check what stands between.")
        counter = batch.member(series.labels)
        if counter is not None:
            found.setdefault(counter, []).append(series)
    return found


def _figures(answer: Sequence[Series]) -> Figures:
    figures: dict[str, float] = {}
    for series in answer:
        name = series.labels.get(FIGURE, "")
        if name in figures:
            raise QueryFailed(_TWICE)
        figures[name] = series.values[-1][1]
    return figures
