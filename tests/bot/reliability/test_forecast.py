"""What becomes of budgets: stepped hour by hour in rolling windows, reckoned to the period's end in calendars."""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reliability.budget import Budget, time_to_exhaustion
from bot.reliability.forecast import Course, Forecast, Recent, Relief, forecast
from bot.reliability.hours import HOUR, Hours
from bot.reliability.incidents import incidents
from bot.reliability.windows import CalendarWindow
from tests.bot.reliability.samples import AT, HOURS, WINDOW

VECTORS = json.loads((Path(__file__).parents[2] / "data" / "slo-reference-vectors.json").read_text())
TARGET = Decimal("0.999")
WEEK = 7 * 24


def course(
    bad: Sequence[float], total: Sequence[float] | None = None, *, recent: tuple[float, float] | None = None
) -> Course:
    """The window's hours up to AT; the recent burn is what their last week says, or what is given for an hour."""
    all_events = list(total) if total is not None else [1000.0] * len(bad)
    hours = Hours(AT - (len(bad) - 1) * HOUR, HOUR, array("d", bad), array("d", all_events))
    budget = Budget(Fraction(sum(bad)), Fraction(sum(all_events)), TARGET)
    last = (
        Recent(Fraction(sum(bad[-WEEK:])), Fraction(sum(all_events[-WEEK:])), timedelta(days=7))
        if recent is None
        else Recent(Fraction(recent[0]), Fraction(recent[1]), HOUR)
    )
    return Course(budget, hours, True, last, incidents(budget, hours, WINDOW.span(AT), counts_bad=True))


def told(given: Course, at: datetime = AT) -> Forecast:
    return forecast(given, WINDOW, at)


def hours_until(at: datetime | None) -> float | None:
    return None if at is None else (at - AT) / HOUR


def test_recovery_agrees_with_the_reference_vector_where_the_naive_formula_has_no_answer() -> None:
    vector = VECTORS["rolling_recovery"]
    bad = [0.5] * HOURS
    bad[72] += 500
    now = course(bad)
    assert float(now.budget.consumed) == pytest.approx(vector["consumed_now"])
    assert float(now.budget.remaining) == pytest.approx(vector["remaining_now"])
    found = told(now)
    leaves = AT + vector["hours_until_incident_leaves"] * HOUR
    assert found == Forecast(None, leaves, Relief(leaves, Fraction(1001, 2) / 672))
    after = bad[73:] + [0.5] * 73
    assert float(course(after).budget.remaining) == vector["remaining_after"]
    assert time_to_exhaustion(now.budget.remaining, Fraction(1, 2), WINDOW.length) == timedelta()


def test_under_even_traffic_and_nothing_leaving_exhaustion_is_the_naive_formula_s() -> None:
    found = told(course([0.0] * HOURS, recent=(14.4, 1000.0)))
    naive = time_to_exhaustion(Fraction(1), Fraction("14.4"), WINDOW.length)
    assert naive is not None
    assert hours_until(found.exhausts_at) == -(-naive // HOUR) == 47
    assert found.recovers_at is None


def test_errors_that_leave_the_window_put_exhaustion_off() -> None:
    bad = [2.0] * WEEK + [0.0] * (HOURS - 2 * WEEK) + [2.0] * WEEK
    assert told(course(bad)) == Forecast()
    assert hours_until(told(course(bad[WEEK:] + bad[:WEEK])).exhausts_at) is None
    none_leaves = [0.0] * (HOURS - WEEK) + [2.0] * WEEK
    assert hours_until(told(course(none_leaves)).exhausts_at) == 168  # 336 of 672 are spent, two more each hour


def test_more_traffic_than_the_window_had_allows_more_errors() -> None:
    quiet, busy = [100.0] * (HOURS - WEEK), [1000.0] * WEEK
    found = told(course([0.0] * (HOURS - WEEK) + [1.1] * WEEK, quiet + busy))
    # left now: 218.4 - 184.8 = 33.6; each hour gains 1 - 1.1 and loses 0.1 that was allowed
    assert hours_until(found.exhausts_at) == 168


def test_what_is_beyond_one_window_s_length_is_not_told() -> None:
    assert told(course([1.5] * HOURS)) == Forecast(None, None, None)
    assert told(course([0.5] * HOURS)) == Forecast(None, None, None)


def test_an_exactly_spent_budget_recovers_once_errors_leave() -> None:
    bad = [672.0] + [0.0] * (HOURS - 1)
    found = told(course(bad))
    assert (found.exhausts_at, hours_until(found.recovers_at)) == (None, 1)


def test_a_window_that_begins_within_an_hour_gives_that_hour_up_when_it_has_left() -> None:
    bad = [1000.0] + [0.0] * (HOURS - 1)
    found = told(course(bad), AT + timedelta(minutes=20))
    assert found.recovers_at == AT + HOUR


def test_without_recent_events_only_relief_can_be_told() -> None:
    bad = [0.0] * HOURS
    bad[10] = 900.0
    now = course(bad)
    unknown = Course(now.budget, now.hours, True, None, now.incidents)
    assert told(unknown) == Forecast(None, None, Relief(AT + 11 * HOUR, Fraction(900, 672)))


@pytest.mark.parametrize(
    ("index", "size", "relief"),
    [(167, 135.0, 168), (168, 135.0, None), (10, 134.0, None), (10, 135.0, 11)],
    ids=["on the seventh day", "an hour later", "less than a fifth", "a fifth"],
)
def test_relief_is_a_burn_of_a_fifth_that_leaves_within_seven_days(index: int, size: float, relief: int | None) -> None:
    bad = [0.0] * HOURS
    bad[index] = size
    found = told(course(bad)).relief
    assert hours_until(found.at if found is not None else None) == relief


def test_of_two_burns_that_leave_the_larger_is_told() -> None:
    bad = [0.0] * HOURS
    bad[10], bad[50] = 200.0, 300.0
    assert told(course(bad)).relief == Relief(AT + 51 * HOUR, Fraction(300, 672))


MONTH = CalendarWindow.of(1, "M", datetime(2026, 1, 1), "UTC")  # noqa: DTZ001 - local time of its zone
MONTH_END = datetime.fromisoformat("2026-12-01T00:00:00+00:00")
ELAPSED = 15 * 24 + 8


@pytest.mark.parametrize(
    ("spent", "rate", "expected"),
    [
        ("0.5", "1", Forecast()),
        ("0.5", "1.5", Forecast()),  # 368 h * 0.5 / 0.5 is beyond the month's end
        ("0.5", "2", Forecast(exhausts_at=AT + 184 * HOUR)),
        ("0.75", "3", Forecast(exhausts_at=AT + 46 * HOUR)),
        ("1", "0", Forecast(recovers_at=MONTH_END)),
        ("1.5", "9", Forecast(recovers_at=MONTH_END)),
    ],
)
def test_a_month_s_budget_is_gone_before_its_end_or_begins_anew_with_the_next(
    spent: str, rate: str, expected: Forecast
) -> None:
    total = Fraction(1000 * ELAPSED)
    budget = Budget(Fraction(spent) * total / 1000, total, TARGET)
    hours = Hours(AT - (ELAPSED - 1) * HOUR, HOUR, array("d", [0.0] * ELAPSED), array("d", [1000.0] * ELAPSED))
    recent = Recent(Fraction(rate), Fraction(1000), HOUR)
    assert forecast(Course(budget, hours, True, recent), MONTH, AT) == expected


@given(
    burns=st.dictionaries(st.integers(0, HOURS - 1), st.integers(0, 400), max_size=8),
    always=st.integers(0, 2),
    rate=st.integers(0, 5),
)
def test_a_forecast_is_what_the_budget_is_when_that_hour_has_come(
    burns: dict[int, int], always: int, rate: int
) -> None:
    bad = [burns.get(index, always) for index in range(HOURS)]
    now = course([float(events) for events in bad], recent=(float(rate), 1000.0))
    found = told(now)
    hours = hours_until(found.exhausts_at or found.recovers_at)
    spent = now.budget.remaining <= 0
    assert (found.exhausts_at is None) or not spent
    assert (found.recovers_at is None) or spent
    course_of_bad = accumulate((rate - left for left in bad), initial=sum(bad))
    turns = [passed for passed, events in enumerate(course_of_bad) if (events >= 672) != spent]
    assert hours == (turns[0] if turns else None)
