"""What was counted of one counter: closed hours and the shorter stretches beside them, added up over any span."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from functools import lru_cache

from bot.reliability.hours import ABSENT, HOUR, UNKNOWN, Column, added, hour_floor
from bot.reliability.windows import Span


@lru_cache(maxsize=4096)
def hours_within(span: Span) -> tuple[datetime, int]:
    """The end of the first full hour that lies in the span, and how many follow each other from there."""
    first = hour_floor(span.start)
    if first < span.start:
        first += HOUR
    return first + HOUR, max(0, (hour_floor(span.end) - first) // HOUR)


@lru_cache(maxsize=4096)
def stretches_beside(span: Span) -> tuple[Span, ...]:
    """What of the span lies outside of its full hours: before the first and after the last one."""
    first, count = hours_within(span)
    if count == 0:
        border = hour_floor(span.end)
        if span.start < border < span.end:
            return (Span(span.start, border), Span(border, span.end))
        return (span,) if span.start < span.end else ()
    head, tail = Span(span.start, first - HOUR), Span(first + (count - 1) * HOUR, span.end)
    return tuple(part for part in (head, tail) if part.start < part.end)


@dataclass
class Ledger:
    """One counter. Hours are values as in `Column`; `beside` holds the stretches that are no full hours."""

    column: Column
    beside: dict[Span, float] = field(default_factory=dict)
    lost_before: datetime | None = None  # the source has no samples from before, though hours are remembered

    @classmethod
    def empty(cls, first: datetime, count: int) -> Ledger:
        return cls(Column(first, array("d", [UNKNOWN]) * count))

    def put(self, end: datetime, value: float) -> None:
        index = (end - self.column.first) // HOUR
        if 0 <= index < len(self.column.values):
            self.column.values[index] = value

    def fill_absent(self) -> None:
        """What was asked and not answered had no series."""
        if self.column.complete:
            return
        values = self.column.values
        for index, value in enumerate(values):
            if math.isnan(value):
                values[index] = ABSENT

    def values(self, span: Span) -> array[float]:
        """Each hour and stretch of the span."""
        found = self.column.slice(*hours_within(span))
        found.extend(self.stretch(stretch) for stretch in stretches_beside(span))
        return found

    def stretch(self, span: Span) -> float:
        """A part of an hour; where only the whole hour is still remembered, its even share."""
        value = self.beside.get(span, ABSENT)
        if value >= 0 or self.lost_before is None or span.end > self.lost_before:
            return value
        hour = self.column.at(hour_floor(span.start) + HOUR)
        return hour * (span.length / HOUR) if hour >= 0 else ABSENT

    def events(self, spans: tuple[Span, ...]) -> Fraction | None:
        """All events of these spans; None where there was no series in any of them."""
        values = array("d")
        for span in spans:
            values.extend(self.values(span))
        if not values or max(values) < 0:
            return None
        return Fraction(added(values))
