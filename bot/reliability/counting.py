"""One assessment's counting: from asks to answers, through remembered hours, what is missing of them, and T itself."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from bot.reliability import promql
from bot.reliability.asking import Asking
from bot.reliability.batches import Batch, Counter, batched
from bot.reliability.hours import ABSENT, HOUR, UNKNOWN, Column, hour_floor
from bot.reliability.ledger import Ledger, hours_within, stretches_beside
from bot.reliability.metrics import BURN_WINDOWS, Ask
from bot.reliability.promql import Stretch, counted
from bot.reliability.recall import Recall
from bot.reliability.turns import Turns
from bot.reliability.windows import Span, Window, within, without

_FIGURES = 4  # stretches asked in one query


@dataclass(frozen=True)
class Pulse:
    """How a total's series live at T. `scrape` is the distance of samples, None when there were too few to say."""

    fresh: bool
    scrape: timedelta | None
    busiest: float  # samples of the series that has most, in the last hour
    series: int  # with samples in the last hour

    @property
    def samples(self) -> float:
        """Per hour, all series together, as far as known."""
        return self.busiest * self.series


NO_PULSE = Pulse(fresh=False, scrape=None, busiest=0.0, series=0)


class Counting:
    """Everything that the asks need of one source at T, asked for once."""

    def __init__(
        self,
        asks: Sequence[Ask],
        at: datetime,
        *,
        asking: Asking,
        recall: Recall,
        stale_after: timedelta,
    ) -> None:
        self.at = at.astimezone(UTC)
        self.asks = asks
        self.asking = asking
        self.ledgers: dict[Counter, Ledger] = {}
        self.pulses: dict[Counter, Pulse] = {}
        self.asked_from: dict[Counter, datetime] = {}
        self.stale_after = stale_after
        self._recall = recall
        self._totals = dict(map(promql.counters_of, asks))
        self._loaded: dict[Counter, Column] = {}

    # --- steps, in this order ---

    async def prepare(self) -> None:
        """Take all selectors apart, once, beside the event loop."""
        counters = [counter for ask in self.asks for counter in promql.counters_of(ask)]
        await asyncio.to_thread(batched, counters, len(counters))

    async def pulse(self) -> None:
        """Whether each total has samples now, how far apart they are, and how many an hour of it holds."""
        totals = {promql.plain_counters_of(ask)[1] for ask in self.asks}
        query = partial(promql.pulse, stale_after=self.stale_after)
        found = await self.asking.instants(totals, query, self.at, length=HOUR)
        for ask in self.asks:
            part, total = promql.counters_of(ask)
            basis = promql.plain_counters_of(ask)[1]
            failure = self.asking.failures.get(basis)
            if failure is not None:
                self.asking.failures.update({part: failure, total: failure})
                continue
            figures = found.get(basis, {})
            samples, series = figures.get("samples", 0.0), figures.get("series", 0.0)
            pulse = Pulse(
                fresh=("series" if self.stale_after == HOUR else "fresh") in figures,
                scrape=promql.scrape_of(samples, figures.get("densest", 0.0)),
                busiest=samples,
                series=int(series),
            )
            for counter in (part, total):
                self.pulses[counter] = pulse
                self.asking.rates[counter] = pulse.samples * _cost(ask, pulse)

    async def open(self) -> None:
        """A ledger for every counter, of all hours that its asks need."""
        last = hour_floor(self.at)
        firsts: dict[Window, datetime] = {}
        turns = Turns()
        for ask in self.asks:
            if ask.window not in firsts:
                # With the hour that a window's start cuts: its share stands in where the source has lost it.
                firsts[ask.window] = min(hour_floor(span.start) + HOUR for span in self.spans(ask.window))
            first = firsts[ask.window]
            for counter in promql.counters_of(ask):
                if counter not in self.ledgers or first < self.ledgers[counter].column.first:
                    self.ledgers[counter] = Ledger.empty(first, max(0, (last - first) // HOUR + 1))
            await turns.give()

    async def hours(self) -> None:
        """The hours of every counter: from memory what is there, from the source the rest."""
        last = hour_floor(self.at)
        await self._remembered(last)

        async def ask(
            scrape: timedelta, first: datetime, until: datetime, alike: Sequence[Counter], *, sliced: bool
        ) -> None:
            ends = [first + index * HOUR for index in range((until - first) // HOUR + 1)]
            moments = [promql.moment_of(end, sliced=sliced) for end in ends]
            await self.asking.ranges(alike, partial(counted, length=HOUR, scrape=scrape), moments, self._take)

        missing = await self._missing()
        await asyncio.gather(
            *(
                ask(scrape, first, until, counters, sliced=sliced)
                for (scrape, sliced, first, until), counters in missing.items()
            )
        )
        for ledger in self.ledgers.values():
            ledger.fill_absent()

    async def beside(self) -> None:
        """What doesn't fall on full hours: up to T, from the windows' starts, around exclusions."""
        wanted: dict[Counter, set[Span]] = {}
        alike: dict[tuple[Window, tuple[Span, ...]], set[Span]] = {}
        turns = Turns()
        for ask in self.asks:
            if (ask.window, ask.excluded) not in alike:
                alike[ask.window, ask.excluded] = self._beside(ask)
            stretches = alike[ask.window, ask.excluded]
            for counter in promql.counters_of(ask):
                wanted.setdefault(counter, set()).update(stretches)
            await turns.give()
        await self.stretches(wanted)

    def _beside(self, ask: Ask) -> set[Span]:
        kept = (part for span in self.spans(ask.window) for part in (span, *without(span, ask.excluded)))
        taken_out = within(ask.window.span(self.at), ask.excluded)
        return {stretch for part in (*kept, *taken_out) for stretch in stretches_beside(part)}

    async def stretches(self, wanted: Mapping[Counter, set[Span]], *, fatal: bool = True) -> None:
        """These stretches of these counters, into their ledgers' `beside`, several in one query."""
        alike: dict[tuple[timedelta, bool, tuple[Span, ...]], list[Counter]] = {}
        pieces: dict[frozenset[Span], list[tuple[Span, ...]]] = {}
        turns = Turns()
        for counter, spans in wanted.items():
            same = frozenset(spans)
            if same not in pieces:
                pieces[same] = _pieces(same)
            await turns.give()
            for piece in pieces[same]:
                alike.setdefault((self.scrape(counter), counter.slices is not None, piece), []).append(counter)

        async def ask(
            scrape: timedelta, together: tuple[Span, ...], counters: Sequence[Counter], *, sliced: bool
        ) -> None:
            stretches = [Stretch.of(span, sliced=sliced) for span in together]
            latest = max(stretch.at for stretch in stretches)
            query = partial(_together, stretches=stretches, latest=latest, scrape=scrape)
            length = sum((stretch.length for stretch in stretches), timedelta())
            answers = await self.asking.instants(counters, query, latest, length=length, fatal=fatal)
            for counter, figures in answers.items():
                for name, value in figures.items():
                    self.ledgers[counter].beside[together[int(name)]] = value

        await asyncio.gather(
            *(ask(scrape, together, counters, sliced=sliced) for (scrape, sliced, together), counters in alike.items())
        )

    async def sampled(self, wanted: Mapping[Counter, set[Span]]) -> None:
        """Some closed hours of these counters, into their ledgers' `beside`; remembered like all hours."""
        hours = sorted({span.end for spans in wanted.values() for span in spans})
        if not hours:
            return
        names = {self.series_name(counter): counter for counter in wanted}
        loaded = await self._recall.load(names, hours[0], hours[-1])
        missing: dict[Counter, set[Span]] = {}
        for counter in wanted:
            ledger = self.ledgers.setdefault(counter, Ledger.empty(hours[0], 0))
            column = loaded.get(counter)
            for span in wanted[counter]:
                value = column.at(span.end) if column is not None else UNKNOWN
                if math.isnan(value):
                    missing.setdefault(counter, set()).add(span)
                else:
                    ledger.beside[span] = value
        await self.stretches(missing, fatal=False)
        learnt = {counter: self._recall.sparse(self.ledgers[counter], spans) for counter, spans in missing.items()}
        await self._recall.keep(
            {self.series_name(counter): column for counter, column in learnt.items() if column is not None}
        )

    async def keep(self, asks: Iterable[Ask]) -> None:
        """Hand what was learnt about these asks' closed hours to memory."""
        kept: dict[str, Column] = {}
        turns = Turns()
        for counter in dict.fromkeys(counter for ask in asks for counter in promql.counters_of(ask)):
            start = self.asked_from.get(counter)
            if start is None or counter in self.asking.failures:
                continue
            total = self.ledgers[self._totals.get(counter, counter)]
            goes_on = total.beside.get(Span(hour_floor(self.at), self.at), ABSENT) >= 0
            learnt = self._recall.learnt(self.ledgers[counter].column, total.column, start, goes_on=goes_on)
            if learnt is not None:
                kept[self.series_name(counter)] = learnt
            await turns.give()
        await self._recall.keep(kept)

    # --- what is known ---

    def spans(self, window: Window) -> tuple[Span, ...]:
        """The window and the burn windows, all ending at T."""
        burns = (Span(self.at - length, self.at) for length in BURN_WINDOWS.values())
        return (window.span(self.at), *burns)

    def scrape(self, counter: Counter) -> timedelta:
        """The distance of samples; what is usual where the counter has none to tell it by."""
        found = self.pulses.get(counter, NO_PULSE).scrape
        return found if found is not None else promql.USUAL_SCRAPE

    def series_name(self, counter: Counter) -> str:
        """What remembered hours of this counter are found by."""
        return self._recall.name(counter, self.scrape(counter))

    def first_remembered(self, counter: Counter, span: Span) -> datetime | None:
        """The end of the first hour in the span that memory knows samples in."""
        column = self._loaded.get(counter)
        if column is None:
            return None
        first, count = hours_within(span)
        ends = (first + index * HOUR for index in range(count))
        return next((end for end in ends if column.at(end) >= 0), None)

    def living(self) -> Iterator[Counter]:
        """The counters whose questions haven't failed."""
        return (counter for counter in self.ledgers if counter not in self.asking.failures)

    # --- memory ---

    async def _remembered(self, last: datetime) -> None:
        by_first: dict[datetime, dict[str, Counter]] = {}
        for counter in self.living():
            by_first.setdefault(self.ledgers[counter].column.first, {})[self.series_name(counter)] = counter
        for first, names in by_first.items():
            for counter, column in (await self._recall.load(names, first, last)).items():
                self._loaded[counter] = column
                ledger = self.ledgers[counter]
                amount = len(ledger.column.values)
                ledger.column = Column(first, column.slice(first, amount, outside=UNKNOWN))

    async def _missing(self) -> dict[tuple[timedelta, bool, datetime, datetime], list[Counter]]:
        """Counters by the distance of their samples, whether they are slices, and the hours that must be asked for."""
        found: dict[tuple[timedelta, bool, datetime, datetime], list[Counter]] = {}
        turns = Turns()
        for counter in list(self.living()):
            column = self.ledgers[counter].column
            if column.complete:
                continue
            await turns.give()
            unknown = [index for index, value in enumerate(column.values) if math.isnan(value)]
            first, until = column.first + unknown[0] * HOUR, column.first + unknown[-1] * HOUR
            self.asked_from[counter] = first
            found.setdefault((self.scrape(counter), counter.slices is not None, first, until), []).append(counter)
        return found

    def _take(self, counter: Counter, values: Sequence[tuple[float, float]]) -> None:
        column = self.ledgers[counter].column
        hours, amount, first = column.values, len(column.values), column.first.timestamp()
        for seconds, value in values:
            index = round((seconds - first) / 3600)
            if 0 <= index < amount and hours[index] != hours[index]:
                hours[index] = value


def _pieces(spans: frozenset[Span]) -> list[tuple[Span, ...]]:
    """What goes into one query each, latest first."""
    ordered = sorted(spans, key=lambda span: (span.end, span.start), reverse=True)
    return [tuple(ordered[start : start + _FIGURES]) for start in range(0, len(ordered), _FIGURES)]


def _together(batch: Batch, *, stretches: Sequence[Stretch], latest: datetime, scrape: timedelta) -> str:
    return promql.named(
        {
            str(index): counted(batch, stretch.length, scrape, latest - stretch.at)
            for index, stretch in enumerate(stretches)
        }
    )


def _cost(ask: Ask, pulse: Pulse) -> float:
    """How many times each sample is read: slices reach one scrape further back, each for itself."""
    if ask.slices is None:
        return 1.0
    scrape = pulse.scrape if pulse.scrape is not None else promql.USUAL_SCRAPE
    return 2 * (ask.slices.length + scrape) / ask.slices.length
