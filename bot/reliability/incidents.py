"""Burns worth a name: contiguous hours in which a budget went far faster than it may, and what stood beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from bot.reliability.budget import Budget, budget_share
from bot.reliability.deploys import Deploy
from bot.reliability.hours import Hours
from bot.reliability.windows import Span

BURNING = 2  # an hour belongs to an incident when it burns faster than this
WORTH_A_NAME = Fraction(2, 100)  # of the budget: what pages someone within an hour (SRE Workbook, chapter 5)
_MOST = 10


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


def bad_events(hours: Hours, *, counts_bad: bool) -> list[float]:
    """The bad events of each stretch; nothing is known to be bad where there are no samples."""
    part = [max(events, 0.0) for events in hours.part] if min(hours.part, default=0.0) < 0 else hours.part.tolist()
    if counts_bad:
        return part
    return [total - events if total >= 0 else 0.0 for events, total in zip(part, hours.total, strict=True)]


def incidents(budget: Budget, hours: Hours, span: Span, *, counts_bad: bool) -> tuple[Incident, ...]:
    """The ten largest burns of the window, oldest first.

    A burn is contiguous hours that burn more than twice as fast as the budget allows, with at most one quieter hour in
    between, which together cost 2 % of the budget or more. `span` is the window: the first and the last hour may be
    cut short by it.
    """
    bad = bad_events(hours, counts_bad=counts_bad)
    limit = BURNING * float(budget_share(budget.target))
    burning = [
        index
        for index, (wrong, total) in enumerate(zip(bad, hours.total, strict=True))
        if wrong > limit * total and wrong > 0  # a total that is absent is below zero
    ]
    found, least = [], float(WORTH_A_NAME * budget.allowed)
    for first, last in _runs(burning):
        events = math.fsum(bad[first : last + 1])
        if events < least:
            continue
        cost = Fraction(events)
        start, end = hours.end_of(first) - hours.step, hours.end_of(last)
        found.append(Incident(Span(max(start, span.start), min(end, span.end)), cost, budget.spent_by(cost)))
    largest = sorted(found, key=lambda one: (-one.share, one.span.start))
    return tuple(sorted(largest[:_MOST], key=lambda one: one.span.start))


def _runs(indexes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of indexes; one that is left out doesn't end it."""
    start = previous = None
    for index in indexes:
        if start is None or previous is None:
            start = index
        elif index - previous > 2:
            yield start, previous
            start = index
        previous = index
    if start is not None and previous is not None:
        yield start, previous
