"""Burns worth a name: contiguous, fast, dear enough, the largest ones, oldest first."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reliability.budget import Budget
from bot.reliability.hours import ABSENT, HOUR, Hours
from bot.reliability.incidents import Incident, bad_events, incidents
from bot.reliability.windows import Span
from tests.bot.reliability.samples import AT, HOURS, WINDOW

EVENTS = 1000.0  # an hour; at 99.9 % the window's 672 hours allow 672 bad ones
CALM, FAST = 0.5, 20.0


def found(
    burns: Mapping[int, float], *, total: Mapping[int, float] | None = None, good: bool = False
) -> list[Incident]:
    """Hours before T -> bad events; one bad event in two hours otherwise."""
    bad, all_events = array("d", [CALM] * HOURS), array("d", [EVENTS] * HOURS)
    for ago, events in burns.items():
        bad[HOURS - ago] = events
    for ago, events in (total or {}).items():
        all_events[HOURS - ago] = events
    part = array("d", (whole - wrong for whole, wrong in zip(all_events, bad, strict=True))) if good else bad
    hours = Hours(AT - (HOURS - 1) * HOUR, HOUR, part, all_events)
    budget = Budget(Fraction(sum(bad)), Fraction(HOURS * 1000), Decimal("0.999"))
    return list(incidents(budget, hours, WINDOW.span(AT), counts_bad=not good))


def burn(first: int, last: int, bad: float) -> Incident:
    """From so many hours before T to so many."""
    return Incident(Span(AT - first * HOUR, AT - last * HOUR), Fraction(bad), Fraction(bad) / 672)


@pytest.mark.parametrize("good", [False, True])
@pytest.mark.parametrize(
    ("burns", "expected"),
    [
        ({}, []),
        ({100: 500.0}, [burn(100, 99, 500)]),
        ({100: FAST, 99: FAST, 98: FAST}, [burn(100, 97, 60)]),
        ({100: FAST, 98: FAST}, [burn(100, 97, 40.5)]),
        ({100: FAST, 97: FAST}, [burn(100, 99, 20), burn(97, 96, 20)]),
        ({100: 13.0}, []),
        ({100: 14.0}, [burn(100, 99, 14)]),
        ({100: 2.0, 99: 2.0, 98: 2.0, 97: 2.0, 96: 2.0, 95: 2.0, 94: 2.0, 93: 2.0}, []),
        ({1: 500.0}, [burn(1, 0, 500)]),
        ({672: 500.0}, [burn(672, 671, 500)]),
    ],
    ids=[
        "calm",
        "one hour",
        "three hours",
        "a quiet hour in between",
        "two quiet hours in between",
        "cheaper than two in a hundred of the budget",
        "just dear enough",
        "no faster than twice",
        "until now",
        "at the very beginning",
    ],
)
def test_burns_are_named(burns: Mapping[int, float], expected: list[Incident], *, good: bool) -> None:
    assert found(burns, good=good) == expected


def test_the_ten_largest_are_told_oldest_first() -> None:
    sizes = {650 - 10 * index: 20.0 + index for index in range(12)}
    assert found(sizes) == [burn(ago, ago - 1, bad) for ago, bad in sizes.items() if bad >= 22]


def test_an_hour_without_samples_is_neither_bad_nor_the_end_of_a_burn() -> None:
    assert found({100: FAST, 99: ABSENT, 98: FAST}, total={99: ABSENT}) == [burn(100, 97, 40)]


def test_hours_that_the_window_cuts_are_cut() -> None:
    at = AT + timedelta(minutes=20)
    part, total = array("d", [500.0] + [0.0] * (HOURS - 1) + [500.0]), array("d", [EVENTS] * (HOURS + 1))
    hours = Hours(AT - (HOURS - 1) * HOUR, HOUR, part, total)
    named = incidents(
        Budget(Fraction(1000), Fraction(673_000), Decimal("0.999")), hours, WINDOW.span(at), counts_bad=True
    )
    assert [one.span for one in named] == [
        Span(at - WINDOW.length, AT - (HOURS - 1) * HOUR),
        Span(AT, at),
    ]


@pytest.mark.parametrize(
    ("part", "total", "counts_bad", "bad"),
    [(3.0, 10.0, True, 3.0), (3.0, 10.0, False, 7.0), (ABSENT, 10.0, True, 0.0), (ABSENT, 10.0, False, 10.0)],
)
def test_what_is_bad_of_an_hour(part: float, total: float, counts_bad: bool, bad: float) -> None:  # noqa: FBT001
    hours = Hours(AT, HOUR, array("d", [part, ABSENT]), array("d", [total, ABSENT]))
    assert bad_events(hours, counts_bad=counts_bad) == [bad, 0.0]


@given(st.dictionaries(st.integers(0, HOURS - 1), st.floats(0, 900)))
def test_incidents_never_overlap_and_never_cost_more_than_all_bad_events(burns: dict[int, float]) -> None:
    bad = [burns.get(index, CALM) for index in range(HOURS)]
    hours = Hours(AT - (HOURS - 1) * HOUR, HOUR, array("d", bad), array("d", [EVENTS] * HOURS))
    budget = Budget(Fraction(sum(bad)), Fraction(HOURS * 1000), Decimal("0.99"))
    named = incidents(budget, hours, WINDOW.span(AT), counts_bad=True)
    assert all(one.span.end < later.span.start for one, later in pairwise(named))
    assert sum(one.share for one in named) <= budget.consumed * Fraction(1_000_001, 1_000_000)
    assert len(named) <= 10
