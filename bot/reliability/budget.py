"""Error-budget arithmetic over events, exact and never clamped (Site Reliability Workbook, chapters 2 and 5).

With target t and budget share EB = 1 - t, over the bad and total events of a window W:
SLI = 1 - bad/total, allowed = EB * total, consumed = bad / allowed, remaining = 1 - consumed, burn = (bad/total) / EB.
Fractions, because 1 - 0.999 is 0.0010000000000000009 in floats and an exactly spent budget would look unspent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

LOW_VOLUME_ALLOWED = 10  # below so many allowed bad events a single one decides too much
AT_RISK_REMAINING = Fraction(1, 4)
AT_RISK_WITHIN = timedelta(days=7)
FULL_COVERAGE = Fraction(95, 100)
NOISE = Fraction(1, 10**9)  # counters arrive as rounded decimals: less than this is nothing left


class ImpossibleTarget(ValueError):
    """A target of 1 or more leaves no budget, one of 0 or less promises nothing."""


def is_possible(target: Decimal) -> bool:
    return 0 < target < 1


@lru_cache(maxsize=1024)
def budget_share(target: Decimal) -> Fraction:
    """The share of events that may be bad, exactly."""
    if not is_possible(target):
        raise ImpossibleTarget(f"a target must lie between 0 and 1, not {target}")
    return 1 - Fraction(target)


@dataclass(frozen=True)
class Budget:
    """The budget of one window: `bad` of `total` events, `total` above zero."""

    bad: Fraction
    total: Fraction
    target: Decimal

    def __post_init__(self) -> None:
        budget_share(self.target)
        if self.total <= 0:
            raise ValueError("without events there is no budget")

    @property
    def allowed(self) -> Fraction:
        return budget_share(self.target) * self.total

    @property
    def consumed(self) -> Fraction:
        return self.bad / self.allowed

    @property
    def remaining(self) -> Fraction:
        return 1 - self.consumed

    def spent_by(self, bad: Fraction) -> Fraction:
        """The share of this budget that so many bad events cost: exact however uneven the traffic is."""
        return bad / self.allowed


def sli(bad: Fraction, total: Fraction) -> Fraction | None:
    """The share of good events; None without events."""
    return 1 - bad / total if total > 0 else None


def burn(bad: Fraction, total: Fraction, target: Decimal) -> Fraction | None:
    """How many times faster than the budget allows events go bad; None without events."""
    return bad / total / budget_share(target) if total > 0 else None


def time_to_exhaustion(remaining: Fraction, rate: Fraction | None, window: timedelta) -> timedelta | None:
    """When the budget is gone if it burns on at this rate and nothing leaves the window; None when it never is."""
    if remaining <= 0:
        return timedelta()
    if rate is None or rate <= 0:
        return None
    seconds = Fraction(window // timedelta(microseconds=1), 10**6) * remaining / rate
    if seconds > timedelta.max.total_seconds() // 2:
        return None
    return timedelta(seconds=float(seconds))


def time_to_exhaustion_in_period(remaining: Fraction, rate: Fraction | None, elapsed: timedelta) -> timedelta | None:
    """When the budget of a calendar period is gone at this burn; None when it never is.

    After t more hours of like traffic the period has consumed (E * consumed + t * burn) / (E + t), E being what of it
    has elapsed: that reaches 1 after t = E * remaining / (burn - 1), and never at a burn of 1 or less.
    """
    return time_to_exhaustion(remaining, None if rate is None else rate - 1, elapsed)


def burn_threshold(share: Fraction, within: timedelta, window: timedelta) -> Fraction:
    """The burn rate at which this share of the window's budget is spent within a shorter time."""
    return share * Fraction(window // timedelta(seconds=1), within // timedelta(seconds=1))
