"""Times that do not count: recurring windows, announced beforehand, taken out of good and bad alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.reliability.windows import Span


@dataclass(frozen=True, kw_only=True)
class Exclusion:
    """`rule` is an RFC 5545 recurrence without DTSTART, counted in `zone`'s local time; each lasts `duration`."""

    service: str
    rule: str
    duration: timedelta
    reason: str
    owner: str
    zone: str = "UTC"

    def spans(self, within: Span) -> tuple[Span, ...]:
        """The excluded times that touch this span, oldest first, whole (not clipped)."""
        raise NotImplementedError
