"""The port to metrics: for each indicator the events counted up to one instant, or the sentence why there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal, Protocol, runtime_checkable

from bot.reliability.definitions import Indicator, Slices, Window
from bot.reliability.hours import Hours
from bot.reliability.windows import Span

BURN_WINDOWS: Mapping[str, timedelta] = {
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "3d": timedelta(days=3),
    "7d": timedelta(days=7),
}
Method = Literal["increase", "hours"]


@dataclass(frozen=True)
class Ask:
    """What is to be counted, over which window, and which times are left out of it.

    With `slices` the events are slices of time: `part` counts the bad ones and `total` those with data, whatever the
    indicator's own part is. `excluded` is merged, oldest first, and may reach beyond the window on both sides.
    Below `sparse_below` events in the window, hours are too coarse: then one increase over the window is asked for.
    """

    indicator: Indicator
    window: Window
    slices: Slices | None = None
    excluded: tuple[Span, ...] = ()
    sparse_below: Fraction = Fraction()

    @property
    def counts_bad(self) -> bool:
        """Whether `part` counts bad events (else good ones)."""
        return self.slices is not None or self.indicator.counts_bad


@dataclass(frozen=True)
class Tally:
    """Events of one window. `part` counts the ask's bad (or good) events; None means no series, never zero."""

    part: Fraction | None
    total: Fraction | None


@dataclass(frozen=True, kw_only=True)
class Signs:
    """What makes counters say less than happened. None: not known, or nothing of the kind.

    `hidden`: bad (or good) events in the first samples of series that began within the window, which no increase
    sees; None where nothing of the kind is likely or could be found out. `resets`: how often one of the total's
    counters began again within it. `series_seen` and `series_now`: how many series the total had in the whole window
    and has now; `part_seen`: how many its part had.
    """

    hidden: Fraction | None = None
    resets: int | None = None
    part_seen: int | None = None
    series_seen: int | None = None
    series_now: int | None = None


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One indicator at one instant.

    `tally` covers the ask's window by `method`, and `by_hours` the same window from hours (None where hours are not
    asked: then nothing can disagree). `burn` has the five burn windows. All end at that instant, and exclusions are
    taken out of all; `taken_out` is what they held. `hours` tile the window, oldest first. `silent_since` is the last
    sample's time when samples have stopped, else None. `matched` says whether the bad (or good) query matched any
    series in the window. `remembered_until` is set when the source has lost the window's beginning and remembered
    hours stand in for it up to that instant. `queries` are shown to people.
    """

    method: Method
    tally: Tally
    by_hours: Tally | None
    burn: Mapping[str, Tally]
    hours: Hours
    silent_since: datetime | None
    matched: bool
    queries: Mapping[str, str]
    source: str
    taken_out: Tally | None = None
    signs: Signs = Signs()
    remembered_until: datetime | None = None
    changed_at: datetime | None = None  # when the query became this one, where hours of another are remembered


@dataclass(frozen=True, kw_only=True)
class Failed:
    """No figure that can be trusted; `sentence` says why and what to do. `unreachable`: nobody answered."""

    sentence: str
    queries: Mapping[str, str] = field(default_factory=dict)
    source: str
    unreachable: bool = False


class Metrics(Protocol):
    """One source of events. A failed query costs only its own answer."""

    async def measure(self, asks: Sequence[Ask], at: datetime, *, method: Method) -> Sequence[Measured | Failed]:
        """One answer per ask, in order, all evaluated at the same instant. Raises nothing for the source's sake.

        `increase`: the window is one increase, as for an issued review. `hours`: from closed hours and the open rest.
        """
        ...

    async def check(self) -> str:
        """One sentence for `director doctor`. Raises `Unreachable` when the source does not answer."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class Identified(Protocol):
    """A source of which there may be several of one kind."""

    @property
    def identity(self) -> str:
        """Who answers, without secrets: what is remembered of one source is not taken for another's."""
        ...


@runtime_checkable
class KnowsBuckets(Protocol):
    """A source that can say which thresholds a classic histogram has."""

    async def buckets(self, selector: str, at: datetime) -> tuple[Decimal, ...]:
        """The finite `le` values of these buckets, lowest first. Raises `QueryFailed`."""
        ...
