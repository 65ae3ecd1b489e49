"""Burns worth a name: contiguous hours in which a budget went far faster than it may, and what stood beside them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from bot.reliability.deploys import Deploy
from bot.reliability.windows import Span


@dataclass(frozen=True)
class Burner:
    """One value of a label and the bad events that carried it."""

    label: str
    value: str
    bad: Fraction


@dataclass(frozen=True)
class Incident:
    """A burn. `share` is the part of the window's budget that its bad events cost, 1 being all of it.

    `deploys` coincide with it (they began at most an hour before it or within it); `burners` are its largest sources.
    """

    span: Span
    bad: Fraction
    share: Fraction
    deploys: tuple[Deploy, ...] = ()
    burners: tuple[Burner, ...] = ()
