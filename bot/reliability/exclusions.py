"""Times that do not count: recurring windows, announced beforehand, taken out of good and bad alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import lru_cache

from bot.recurrence import Recurrence
from bot.reliability.windows import Span, merged


@dataclass(frozen=True, kw_only=True)
class Exclusion:
    """`rule` is an RFC 5545 recurrence without DTSTART, counted in `zone`'s local time; each lasts `duration`.

    What the rule leaves open and what INTERVAL and COUNT count from is Monday 2024-01-01 00:00 local time
    (`bot.recurrence`). `duration` is elapsed time: an hour stays an hour on the day the clocks change.
    """

    service: str
    rule: str
    duration: timedelta
    reason: str
    owner: str
    zone: str = "UTC"

    def spans(self, within: Span) -> tuple[Span, ...]:
        """The excluded times that touch this span, oldest first, whole (not clipped).

        Raises `NoRecurrence` for a rule that settings would have refused.
        """
        return _spans(self.rule, self.zone, self.duration, within)

    def concerns(self, service: str) -> bool:
        """Whether it is this service's, named in any case."""
        return self.service.casefold() == service.casefold()


@lru_cache(maxsize=2048)
def _spans(rule: str, zone: str, duration: timedelta, within: Span) -> tuple[Span, ...]:
    """Kept, because a rule takes milliseconds, and who counts and who judges both need what it gives."""
    first, last = within.start.astimezone(UTC) - duration, within.end.astimezone(UTC)
    found = (Span(start, start + duration) for start in Recurrence(rule, zone).between(first, last))
    return tuple(span for span in found if span.clipped(within) is not None)


def excluded(exclusions: Iterable[Exclusion], within: Span) -> tuple[Span, ...]:
    """All excluded times that touch this span, merged, oldest first."""
    return merged(tuple(span for exclusion in exclusions for span in exclusion.spans(within)))
