"""The time over which a budget is kept: rolling windows, and calendar periods in a zone of their own."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Period = Literal["d", "w", "M", "Q", "Y"]
_DAYS = {"d": 1, "w": 7}
_MONTHS = {"M": 1, "Q": 3, "Y": 12}
_NOMINAL_DAYS = {"d": 1, "w": 7, "M": 30, "Q": 90, "Y": 365}


@dataclass(frozen=True)
class Span:
    """A stretch of time: after `start`, up to and including `end`, which is not before it. Kept in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a span needs aware times")
        # Python compares and subtracts two times of one zone by the clock on the wall, also across a clock change.
        if self.start.tzinfo is not UTC or self.end.tzinfo is not UTC:
            object.__setattr__(self, "start", self.start.astimezone(UTC))
            object.__setattr__(self, "end", self.end.astimezone(UTC))
        if self.end < self.start:
            raise ValueError(f"a span can't end ({self.end}) before it starts ({self.start})")

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    def clipped(self, to: Span) -> Span | None:
        """What of it lies within `to`; None when nothing does."""
        start, end = max(self.start, to.start), min(self.end, to.end)
        return Span(start, end) if start < end else None


@dataclass(frozen=True)
class Window:
    """A rolling window; `label` is how it was written ("28d")."""

    label: str
    length: timedelta

    def span(self, at: datetime) -> Span:
        """What the window covers at this instant."""
        return Span(at.astimezone(UTC) - self.length, at)

    def period_end(self, at: datetime) -> datetime | None:
        """When the budget begins anew; None where it never does at once, because the window rolls."""
        _ = at
        return None


@dataclass(frozen=True)
class CalendarWindow(Window):
    """Periods of so many days, weeks, months, quarters or years, one after the other on the clock of `zone`.

    `start` is where one of them begins, in local time without a zone; the others follow before and after it. A period
    that would begin on a day which its month lacks begins on the month's last day, and one that would begin while a
    clock change leaves an hour out begins as much later. `length` is nominal (a month has 30 days, a quarter 90, a
    year 365), for words and thresholds; how long a period truly is, its beginning and end say.
    """

    amount: int
    unit: Period
    start: datetime
    zone: str

    @classmethod
    def of(cls, amount: int, unit: Period, start: datetime, zone: str) -> CalendarWindow:
        """Raises ValueError for an amount below 1 and for a start with a zone, ZoneInfoNotFoundError for no zone."""
        if amount < 1 or start.tzinfo is not None:
            raise ValueError("a calendar window needs an amount of 1 or more and a start in local time")
        ZoneInfo(zone)
        return cls(f"{amount}{unit}", amount * timedelta(days=_NOMINAL_DAYS[unit]), amount, unit, start, zone)

    def span(self, at: datetime) -> Span:
        """The current period up to this instant.

        A period is open at its beginning and closed at its end, like every span: at the instant that ends January the
        whole of January is covered, never an empty stretch of February.
        """
        return Span(self._edge(self._period(at)), at)

    def period_end(self, at: datetime) -> datetime:
        return self._edge(self._period(at) + 1)

    def _period(self, at: datetime) -> int:
        """Which period holds this instant, counted from the one that begins at `start`."""
        local = at.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)
        if self.unit in _DAYS:
            number = (local - self.start) // timedelta(days=self.amount * _DAYS[self.unit])
        else:
            months = (local.year - self.start.year) * 12 + local.month - self.start.month
            number = months // (self.amount * _MONTHS[self.unit])
        while self._edge(number) >= at:
            number -= 1
        while self._edge(number + 1) < at:
            number += 1
        return number

    def _edge(self, number: int) -> datetime:
        """When the period of this number begins (UTC)."""
        return self._local(number).replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC)

    def _local(self, number: int) -> datetime:
        steps = number * self.amount
        if self.unit in _DAYS:
            return self.start + steps * timedelta(days=_DAYS[self.unit])
        year, month = divmod(self.start.year * 12 + self.start.month - 1 + steps * _MONTHS[self.unit], 12)
        day = min(self.start.day, monthrange(year, month + 1)[1])
        return self.start.replace(year=year, month=month + 1, day=day)


def merged(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """The same time in as few spans as can be, oldest first."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda item: item.start):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        elif span.start < span.end:
            found.append(span)
    return tuple(found)


def within(whole: Span, spans: Iterable[Span]) -> tuple[Span, ...]:
    """What of these spans lies inside of `whole`, in their order."""
    found = (span.clipped(whole) for span in spans)
    return tuple(span for span in found if span is not None)


def without(whole: Span, taken: tuple[Span, ...]) -> tuple[Span, ...]:
    """What of `whole` is left when `taken` is cut out of it, oldest first."""
    left: list[Span] = []
    start = whole.start
    for cut in within(whole, merged(taken)):
        if start < cut.start:
            left.append(Span(start, cut.start))
        start = max(start, cut.end)
    if start < whole.end:
        left.append(Span(start, whole.end))
    return tuple(left)
