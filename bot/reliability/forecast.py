"""What becomes of a budget if it burns on as it does: exhaustion, recovery, and relief that is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction


@dataclass(frozen=True)
class Relief:
    """A burn that leaves a rolling window at `at`: the budget then looks better by `share` though nothing changed."""

    at: datetime
    share: Fraction


@dataclass(frozen=True)
class Forecast:
    """Estimates at the last seven days' burn. None: not within one window's length from now."""

    exhausts_at: datetime | None = None
    recovers_at: datetime | None = None
    relief: Relief | None = None
