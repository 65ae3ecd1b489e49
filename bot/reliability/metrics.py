"""The port to metrics: for each indicator the events counted up to one instant, or the sentence why there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Literal, Protocol

from bot.reliability.definitions import Indicator, Window

BURN_WINDOWS: Mapping[str, timedelta] = {
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "3d": timedelta(days=3),
    "7d": timedelta(days=7),
}
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Ask:
    """What is to be counted, over which window."""

    indicator: Indicator
    window: Window


@dataclass(frozen=True)
class Tally:
    """Events of one window. `part` counts the indicator's bad (or good) events; None means no series, never zero."""

    part: Fraction | None
    total: Fraction | None


@dataclass(frozen=True)
class Hour:
    """Events of the hour that ends at `end` (of a shorter stretch, in windows shorter than a day).

    `sampled` says whether the total had a sample in it.
    """

    end: datetime
    part: Fraction | None
    total: Fraction | None
    sampled: bool


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One indicator at one instant.

    `tally` covers the SLO's window and `burn` the five burn windows, all of them ending at that instant. `hours` tile
    the SLO's window, oldest first. `silent_since` is the last sample's time when samples have stopped, else None.
    `matched` says whether the bad (or good) query matched any series in the window. `queries` are shown to people.
    """

    method: Literal["increase", "hours"]
    tally: Tally
    burn: Mapping[str, Tally]
    hours: tuple[Hour, ...]
    silent_since: datetime | None
    matched: bool
    queries: Mapping[str, str]
    source: str


@dataclass(frozen=True, kw_only=True)
class Failed:
    """No figure that can be trusted; `sentence` says why and what to do. `unreachable`: nobody answered."""

    sentence: str
    queries: Mapping[str, str] = field(default_factory=dict)
    source: str
    unreachable: bool = False


class Metrics(Protocol):
    """One source of events. A failed query costs only its own answer."""

    async def measure(self, asks: Sequence[Ask], at: datetime) -> Sequence[Measured | Failed]:
        """One answer per ask, in order, all evaluated at the same instant. Raises nothing for the source's sake."""
        ...

    async def check(self) -> str:
        """One sentence for `director doctor`. Raises `Unreachable` when the source does not answer."""
        ...

    async def close(self) -> None: ...
