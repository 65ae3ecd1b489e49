"""Which hours are remembered: what memory gives back of them, and what it may be told for good."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.reliability.batches import Counter
from bot.reliability.hours import HOUR, UNKNOWN, Column, HourStore
from bot.reliability.ledger import Ledger
from bot.reliability.windows import Span

SETTLED = timedelta(minutes=10)  # after its end an hour's samples are taken to have arrived
SETTLED_EMPTY = timedelta(hours=24)  # what is missing may still be delivered by an agent that was cut off


@dataclass(frozen=True)
class Recall:
    """Memory of one source, which `identity` names; `now` says which hours are closed."""

    hours: HourStore
    identity: str
    now: datetime

    def name(self, counter: Counter, scrape: timedelta) -> str:
        """What hours of this counter are found by: another question, or other samples, is another series."""
        return f"{self.identity}\n{counter.key}\n{scrape.total_seconds():g}s"

    async def load(self, names: Mapping[str, Counter], first: datetime, last: datetime) -> dict[Counter, Column]:
        """The remembered hours that end from `first` to `last`."""
        if first > last or not names:
            return {}
        return {names[name]: column for name, column in (await self.hours.load(tuple(names), first, last)).items()}

    async def keep(self, columns: Mapping[str, Column]) -> None:
        if columns:
            await self.hours.keep(columns)

    def learnt(self, column: Column, total: Column, start: datetime, *, goes_on: bool) -> Column | None:
        """What may be remembered of the hours that were asked for, the first of which ends at `start`.

        An hour with samples once it has settled, if there are later ones: `goes_on` says it of the last hour. Where
        they break off, and where there are none, the rest may be on its way: that is settled a day later. What is
        empty as a whole is not remembered: a source that left the series out must not be taken at its word for good.
        """
        amount = (column.first - start) // HOUR + len(column.values)
        values = column.slice(start, amount, outside=UNKNOWN)
        if not values or max(values) < 0:
            return None
        for index in range(max(0, (self.now - SETTLED_EMPTY - start) // HOUR), amount):
            end = start + index * HOUR
            followed = goes_on if index == amount - 1 else total.at(end + HOUR) >= 0
            if not self.is_settled(end, sampled=followed and total.at(end) >= 0):
                values[index] = UNKNOWN
        return None if all(map(math.isnan, values)) else Column(start, values)

    def sparse(self, ledger: Ledger, spans: set[Span]) -> Column | None:
        """The same of some single hours, told or not. What follows them isn't known: they are settled a day later."""
        told = [span for span in spans if span in ledger.beside and self.is_settled(span.end, sampled=False)]
        if not told:
            return None
        first, last = min(span.end for span in told), max(span.end for span in told)
        found = Ledger.empty(first, (last - first) // HOUR + 1)
        for span in told:
            found.put(span.end, ledger.beside[span])
        return found.column

    def is_settled(self, end: datetime, *, sampled: bool) -> bool:
        """Whether the hour that ended then will not change any more."""
        return end + (SETTLED if sampled else SETTLED_EMPTY) <= self.now
