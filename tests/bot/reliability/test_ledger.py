"""Hours and the stretches beside them add up to what a span holds."""

from __future__ import annotations

import itertools
from array import array
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from bot.reliability.hours import ABSENT, HOUR, Column
from bot.reliability.ledger import Ledger, hours_within, stretches_beside
from bot.reliability.windows import Span

NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def span(start: float, end: float) -> Span:
    """In hours from noon."""
    return Span(NOON + start * HOUR, NOON + end * HOUR)


def test_a_span_on_full_hours_has_nothing_beside_them() -> None:
    assert hours_within(span(0, 3)) == (NOON + HOUR, 3)
    assert stretches_beside(span(0, 3)) == ()


def test_a_span_off_the_hours_has_a_head_and_a_tail() -> None:
    assert hours_within(span(0.5, 3.25)) == (NOON + 2 * HOUR, 2)
    assert stretches_beside(span(0.5, 3.25)) == (span(0.5, 1), span(3, 3.25))


def test_a_span_shorter_than_an_hour_is_cut_at_the_full_hour() -> None:
    assert stretches_beside(span(0.25, 0.75)) == (span(0.25, 0.75),)
    assert stretches_beside(span(0.75, 1.25)) == (span(0.75, 1), span(1, 1.25))
    assert stretches_beside(span(0.5, 0.5)) == ()


@given(st.integers(0, 600), st.integers(0, 600))
def test_hours_and_stretches_tile_any_span_without_gap_or_overlap(start: int, length: int) -> None:
    whole = Span(NOON + start * MINUTE, NOON + (start + length) * MINUTE)
    first, count = hours_within(whole)
    hours = [Span(first + (index - 1) * HOUR, first + index * HOUR) for index in range(count)]
    pieces = sorted([*hours, *stretches_beside(whole)], key=lambda piece: piece.start)
    assert sum((piece.length for piece in pieces), timedelta()) == whole.length
    assert all(before.end == after.start for before, after in itertools.pairwise(pieces))


def ledger() -> Ledger:
    found = Ledger(Column(NOON + HOUR, array("d", [100.0, ABSENT, 300.0])))
    found.beside = {span(2.5, 3): 40.0}
    return found


def test_events_are_summed_exactly_and_absence_is_not_zero() -> None:
    assert ledger().events((span(0, 3),)) == Fraction(400)
    assert ledger().events((span(1, 2),)) is None
    assert ledger().events((span(0, 1), span(2.5, 3))) == Fraction(140)


def test_a_part_of_an_hour_is_only_guessed_where_the_source_has_lost_it() -> None:
    found = ledger()
    assert found.events((span(0.5, 1),)) is None
    found.lost_before = NOON + HOUR
    assert found.events((span(0.5, 1),)) == Fraction(50)
    assert found.events((span(2, 2.5),)) is None
