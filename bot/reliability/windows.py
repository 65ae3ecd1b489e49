"""The time over which a budget is kept: rolling windows, and calendar periods in a zone of their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True)
class Span:
    """A stretch of time: after `start`, up to and including `end`. Both aware; `start` is not after `end`."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a span needs aware times")
        if self.end < self.start:
            raise ValueError(f"a span can't end ({self.end}) before it starts ({self.start})")

    @property
    def length(self) -> timedelta:
        return self.end.astimezone(UTC) - self.start.astimezone(UTC)

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
        return Span(at - self.length, at)

    def period_end(self, at: datetime) -> datetime | None:
        """When the budget begins anew; None where it never does at once, because the window rolls."""
        _ = at
        return None


def merged(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """The same time in as few spans as can be, oldest first."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda item: item.start):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        elif span.start < span.end:
            found.append(span)
    return tuple(found)


def without(whole: Span, taken: tuple[Span, ...]) -> tuple[Span, ...]:
    """What of `whole` is left when `taken` is cut out of it, oldest first."""
    left: list[Span] = []
    start = whole.start
    for span in merged(taken):
        cut = span.clipped(whole)
        if cut is None:
            continue
        if start < cut.start:
            left.append(Span(start, cut.start))
        start = max(start, cut.end)
    if start < whole.end:
        left.append(Span(start, whole.end))
    return tuple(left)
