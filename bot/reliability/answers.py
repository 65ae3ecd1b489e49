"""From what was counted to each ask's answer: by one increase or by hours, with what stands beside the figures."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cached_property, partial

from bot.reliability import promql
from bot.reliability.batches import Counter
from bot.reliability.contradictions import Evidence, contradiction
from bot.reliability.counting import NO_PULSE, Counting
from bot.reliability.hours import ABSENT, HOUR, Hours, added, hour_floor
from bot.reliability.ledger import Ledger
from bot.reliability.metrics import BURN_WINDOWS, Ask, Failed, Measured, Method, Signs, Tally
from bot.reliability.prometheus_client import QueryFailed
from bot.reliability.promql import counted
from bot.reliability.reach import Reach
from bot.reliability.signs import Found, signs
from bot.reliability.tiles import tiles
from bot.reliability.windows import Span, within, without

_DAY = timedelta(days=1)


class Answers:
    """One assessment of one source. `count` asks everything; then `of` gives each ask its answer."""

    def __init__(self, counting: Counting, *, source: str, server: str) -> None:
        self._counting, self._asking = counting, counting.asking
        self._source, self._server = source, server
        self._increases: dict[tuple[Counter, timedelta], float] = {}
        self._increased: set[Ask] = set()
        self._tiles: dict[Ask, Hours] = {}
        self._reach = Reach(counting)
        self._signs = Found()
        self._hourly: dict[Ask, Tally] = {}

    async def count(self, method: Method) -> None:
        """Ask the source for everything that the answers need, what costs most first."""
        counting = self._counting
        await counting.prepare()
        await counting.pulse()
        asks = [ask for ask in counting.asks if not self._failure(ask)]
        whole = self._by_increase(asks) if method == "increase" else []
        await asyncio.gather(self._increase(whole), self._hours(asks), self._find_signs(churn=method == "increase"))
        if method == "hours":
            await self._increase(self._by_increase([ask for ask in asks if self._is_sparse(ask) or self._is_odd(ask)]))
        await self._reach.find_silence(asks, self._columns)

    async def _hours(self, asks: Sequence[Ask]) -> None:
        await self._counting.open()
        _, _, self._tiles = await asyncio.gather(
            self._full_hours(asks), self._counting.beside(), tiles(self._counting, asks)
        )

    async def _full_hours(self, asks: Sequence[Ask]) -> None:
        await self._counting.hours()
        await self._reach.find_lost(asks)

    async def _find_signs(self, *, churn: bool) -> None:
        self._signs = await signs(self._counting, churn=churn)

    # --- one increase over the window ---

    def _by_increase(self, asks: Sequence[Ask]) -> list[Ask]:
        """Those whose window can be asked for in one query: no slices, and not more samples than a query may read."""
        return [ask for ask in asks if ask.slices is None and self._fits(ask)]

    def _fits(self, ask: Ask) -> bool:
        length = ask.window.span(self._counting.at).length
        rate = self._asking.rates.get(promql.counters_of(ask)[1], 0.0)
        return timedelta() < length and rate * (length / HOUR) <= self._asking.most_samples

    def _is_sparse(self, ask: Ask) -> bool:
        total = self._by_hours(ask).total
        return total is not None and total < ask.sparse_below

    def _is_odd(self, ask: Ask) -> bool:
        """Whether no full hour has what there are signs of: one increase then tells whether the hours were left out."""
        part, total = (self._counting.ledgers[counter].column.values for counter in promql.counters_of(ask))
        if ask in self._tiles or not total:
            return False
        pulse = self._counting.pulses.get(promql.counters_of(ask)[1], NO_PULSE)
        seen = self._signs.of.get(ask, Signs()).part_seen
        return (pulse.fresh and max(total) < 0) or (seen is not None and seen > 0 and max(part) < 0)

    async def _increase(self, asks: Sequence[Ask]) -> None:
        by_length: dict[timedelta, set[Counter]] = {}
        for ask in asks:
            by_length.setdefault(ask.window.span(self._counting.at).length, set()).update(promql.counters_of(ask))
            self._increased.add(ask)
        for length, counters in by_length.items():
            query = partial(counted, length=length)
            answers = await self._asking.instants(counters, query, self._counting.at, length=length)
            for counter, figures in answers.items():
                self._increases[counter, length] = figures[""]

    # --- answers ---

    def of(self, ask: Ask) -> Measured | Failed:
        failure = self._failure(ask)
        if failure is not None:
            return self._failed(ask, failure)
        answer = self._measured(ask)
        comparable = ask not in self._tiles and answer.remembered_until is None
        odd = contradiction(self._evidence(ask, answer)) if comparable else None
        if odd is None:
            return answer
        sentence = f"{self._server} gave only a part of its series ({odd}); ask again, and check what stands between."
        return Failed(sentence=sentence, queries=answer.queries, source=self._source)

    def _evidence(self, ask: Ask, answer: Measured) -> Evidence:
        counting = self._counting
        rest = Span(hour_floor(counting.at), counting.at)
        pulse = counting.pulses.get(promql.counters_of(ask)[1], NO_PULSE)
        return Evidence(
            fresh=pulse.fresh,
            busiest=pulse.busiest,
            stale_after=counting.stale_after,
            hours=answer.hours,
            open_rest=self._events(ask, (rest,)) if rest.start < rest.end else None,
            rest_length=rest.length,
            increase=answer.tally if answer.method == "increase" else None,
            by_hours=self._by_hours(ask),
            signs=self._told(ask, answer.signs),
            unanswered=ask in self._signs.unanswered,
        )

    def _told(self, ask: Ask, found: Signs) -> Signs:
        """The signs as far as their questions were answered: one that failed contradicts nothing."""
        failed = self._asking.unknown.intersection(promql.plain_counters_of(ask))
        return replace(found, part_seen=None, series_seen=None) if failed else found

    def _measured(self, ask: Ask) -> Measured:
        hours, by_hours = self._columns(ask), self._by_hours(ask)
        taken_out = self._taken_out(ask)
        tally = self._increase_of(ask, taken_out)
        lost, found = self._reach.lost_until(ask), self._signs.of.get(ask, Signs())
        return Measured(
            method="increase" if tally is not None and lost is None else "hours",
            tally=by_hours if tally is None or lost is not None else tally,
            by_hours=by_hours,
            burn={
                name: self._within(ask, Span(self._counting.at - length, self._counting.at))
                for name, length in BURN_WINDOWS.items()
            },
            hours=hours,
            silent_since=self._reach.silent_since(ask),
            matched=self._matched(ask, by_hours, tally),
            queries=self._shown(ask),
            source=self._source,
            taken_out=taken_out,
            signs=found if lost is None else replace(found, hidden=None),  # old series, though their samples begin
            remembered_until=lost,
        )

    def _failure(self, ask: Ask) -> QueryFailed | None:
        failures = (self._asking.failures.get(counter) for counter in promql.counters_of(ask))
        return next((failure for failure in failures if failure is not None), None)

    def _failed(self, ask: Ask, failure: QueryFailed) -> Failed:
        """A time-out while other queries are answered is a slow query, not a server that can't be reached."""
        return Failed(
            sentence=str(failure),
            queries=self._shown(ask),
            source=self._source,
            unreachable=failure.unreachable and not (failure.timed_out and self._some_answered),
        )

    def _shown(self, ask: Ask) -> dict[str, str]:
        return promql.shown(ask, self._counting.at, self._counting.scrape(promql.counters_of(ask)[1]))

    @cached_property
    def _some_answered(self) -> bool:
        return any(self._failure(ask) is None for ask in self._counting.asks)

    def _matched(self, ask: Ask, by_hours: Tally, tally: Tally | None) -> bool:
        if by_hours.part is not None or (tally is not None and tally.part is not None):
            return True
        return self._signs.of.get(ask, Signs()).part_seen not in (None, 0)

    def _increase_of(self, ask: Ask, taken_out: Tally | None) -> Tally | None:
        """The window's events in one increase, less what is excluded; None where it was not asked for.

        And where too little of a period has passed to hold two samples, which an increase needs.
        """
        if ask not in self._increased:
            return None
        length, total = ask.window.span(self._counting.at).length, promql.counters_of(ask)[1]
        if (total, length) not in self._increases and length <= 2 * self._counting.scrape(total):
            return None
        values = []
        for counter, out in zip(
            promql.counters_of(ask),
            (taken_out.part, taken_out.total) if taken_out is not None else (None, None),
            strict=True,
        ):
            value = self._increases.get((counter, length))
            counted_events = None if value is None else Fraction(value)
            if counted_events is not None and out is not None:
                counted_events = max(counted_events - out, Fraction())
            values.append(counted_events)
        return Tally(*values)

    def _by_hours(self, ask: Ask) -> Tally:
        if ask not in self._hourly:
            self._hourly[ask] = self._within(ask, ask.window.span(self._counting.at))
        return self._hourly[ask]

    def _within(self, ask: Ask, span: Span) -> Tally:
        return self._events(ask, without(span, ask.excluded))

    def _taken_out(self, ask: Ask) -> Tally | None:
        spans = within(ask.window.span(self._counting.at), ask.excluded)
        return self._events(ask, spans) if spans else None

    def _events(self, ask: Ask, spans: tuple[Span, ...]) -> Tally:
        return Tally(*(self._counting.ledgers[counter].events(spans) for counter in promql.counters_of(ask)))

    def _columns(self, ask: Ask) -> Hours:
        """The window in hours: the cut one at its start, full ones, the open one up to T; exclusions taken out."""
        tiles = self._tiles.get(ask)
        if tiles is not None:
            return tiles
        span = ask.window.span(self._counting.at)
        first = hour_floor(span.start)
        count = -(-(span.end - first) // HOUR)
        if count == 0:
            return Hours(first + HOUR, HOUR)
        part, total = (
            _hourly(self._counting.ledgers[counter], span, ask.excluded, first, count)
            for counter in promql.counters_of(ask)
        )
        return Hours(first + HOUR, HOUR, part, total)


def _hourly(ledger: Ledger, span: Span, excluded: tuple[Span, ...], first: datetime, count: int) -> array[float]:
    """The hours that touch the span, the first one beginning at `first`; of cut hours what lies inside."""
    found = ledger.column.slice(first + HOUR, count)
    cut = {0, count - 1} | {index for part in excluded for index in _touched(part, first, count)}
    for index in sorted(cut):
        hour = Span(first + index * HOUR, first + (index + 1) * HOUR).clipped(span)
        if hour is None:
            found[index] = ABSENT
            continue
        value = found[index] if hour.length == HOUR else ledger.stretch(hour)
        if value >= 0 and any(part.clipped(hour) is not None for part in excluded):
            value = added([part for kept in without(hour, excluded) for part in ledger.values(kept)])
        found[index] = value
    return found


def _touched(part: Span, first: datetime, count: int) -> range:
    return range(max(0, (part.start - first) // HOUR), min(count, -(-(part.end - first) // HOUR)))
