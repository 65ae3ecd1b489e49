"""Events by the hour: how an answer carries them, and the port to the hours that are remembered."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

HOUR = timedelta(hours=1)
UNKNOWN = math.nan  # in a column: not asked yet
ABSENT = -1.0  # in a column: asked, and there was no series or sample


@dataclass(frozen=True)
class Column:
    """What one question gave for consecutive hours; the first ends at `first`, which is a full hour (UTC).

    Each value is a number of events of 0 or more, `ABSENT`, or `UNKNOWN` (NaN). Columns are an array, not objects:
    a thousand objectives over four weeks are more than a million values.
    """

    first: datetime
    values: array[float]

    def slice(self, first: datetime, count: int, *, outside: float = ABSENT) -> array[float]:
        """The values of so many hours, the first one ending at `first`; `outside` where the column has none."""
        start = (first - self.first) // HOUR
        inside = self.values[max(0, start) : max(0, start + count)]
        before = array("d", [outside]) * min(count, max(0, -start))
        return before + inside + array("d", [outside]) * (count - len(before) - len(inside))

    @property
    def complete(self) -> bool:
        """Whether every hour is known."""
        return not math.isnan(sum(self.values))

    def at(self, end: datetime) -> float:
        """The value of the hour that ends there; `UNKNOWN` outside of the column."""
        index = (end - self.first) // HOUR
        return self.values[index] if 0 <= index < len(self.values) else UNKNOWN


@dataclass(frozen=True)
class Hours:
    """An indicator's window in stretches of `step`, oldest first; the first one ends at `first`.

    `part` and `total` hold events of 0 or more, or `ABSENT`. The last stretch may be cut short by the instant of
    evaluation and the first one by the window's start: they hold what lies inside. Exclusions are taken out.
    """

    first: datetime
    step: timedelta
    part: array[float] = field(default_factory=lambda: array("d"))
    total: array[float] = field(default_factory=lambda: array("d"))

    def __post_init__(self) -> None:
        if len(self.part) != len(self.total):
            raise ValueError("part and total must be of one length")

    def __len__(self) -> int:
        return len(self.total)

    def end_of(self, index: int) -> datetime:
        return self.first + index * self.step

    def sampled(self, index: int) -> bool:
        """Whether the total had samples in that stretch."""
        return self.total[index] >= 0

    def events(self, start: int, end: int) -> tuple[float, float]:
        """Part and total of the stretches from index `start` up to, not including, `end`; absent ones count nothing."""
        return added(self.part[start:end]), added(self.total[start:end])


def added(values: Sequence[float] | array[float]) -> float:
    """Their exact sum, rounded once (Shewchuk's algorithm, `math.fsum`); what is absent counts nothing.

    The order doesn't matter, so an answer is the same whether its hours were remembered or asked for.
    """
    if not values or min(values) >= 0:
        return math.fsum(values)
    return math.fsum(value for value in values if value >= 0)


def hour_floor(at: datetime) -> datetime:
    """The full hour (UTC) at or before this instant."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


class HourStore(Protocol):
    """Closed hours, remembered for good: of one workspace, by source and by what was asked.

    `series` names both: it holds the source's address and the whole question, so a changed query is another series.
    """

    async def load(self, series: Sequence[str], first: datetime, last: datetime) -> Mapping[str, Column]:
        """The hours that end from `first` to `last`; a series that nothing is known of is left out."""
        ...

    async def keep(self, columns: Mapping[str, Column]) -> None:
        """Remember what is not known yet; what is known stays as it is, so that a past answer can be given again."""
        ...

    async def registered(self, queries: Mapping[str, str], at: datetime) -> Mapping[str, datetime]:
        """Note which question each name asks now; since when, for names that asked another one before."""
        ...


class Forgetful:
    """Remembers nothing: every hour is asked for each time."""

    async def load(self, series: Sequence[str], first: datetime, last: datetime) -> Mapping[str, Column]:
        _ = (series, first, last)
        return {}

    async def keep(self, columns: Mapping[str, Column]) -> None:
        _ = columns

    async def registered(self, queries: Mapping[str, str], at: datetime) -> Mapping[str, datetime]:
        _ = (queries, at)
        return {}
