"""The arithmetic of budgets: against reference vectors, and what holds for any numbers."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reliability import budget
from bot.reliability.budget import Budget, ImpossibleTarget
from bot.reliability.windows import CalendarWindow, Span

VECTORS = json.loads((Path(__file__).parents[2] / "data" / "slo-reference-vectors.json").read_text())
targets = st.integers(1, 99_999).map(lambda n: Decimal(n) / 100_000)
counts = st.integers(1, 10**12)


@pytest.mark.parametrize("vector", VECTORS["occurrences"], ids=lambda v: f"{v['bad']} of {v['total']} at {v['target']}")
def test_budgets_agree_with_the_reference_vectors(vector: dict[str, object]) -> None:
    bad, total = Fraction(str(vector["bad"])), Fraction(str(vector["total"]))
    spent = Budget(bad, total, Decimal(str(vector["target"])))
    found = {
        "sli": budget.sli(bad, total),
        "consumed": spent.consumed,
        "remaining": spent.remaining,
        "allowed": spent.allowed,
    }
    assert {name: float(value) for name, value in found.items() if value is not None} == pytest.approx(
        {name: vector[name] for name in found}, rel=1e-15, abs=1e-15
    )


def test_an_exactly_spent_budget_has_exactly_nothing_left() -> None:
    assert Budget(Fraction(1000), Fraction(1_000_000), Decimal("0.999")).remaining == 0


@pytest.mark.parametrize("vector", VECTORS["burn_threshold"], ids=lambda v: f"{v['window_days']}d {v['alert_hours']}h")
def test_burn_thresholds_agree_with_the_reference_vectors(vector: dict[str, float]) -> None:
    share = Fraction(str(vector["budget_fraction"]))
    found = budget.burn_threshold(share, timedelta(hours=vector["alert_hours"]), timedelta(days=vector["window_days"]))
    assert float(found) == pytest.approx(vector["burn"])


@pytest.mark.parametrize(("rate", "hours"), VECTORS["time_to_exhaustion_h_full_budget_30d"].items())
def test_times_to_exhaustion_agree_with_the_reference_vectors(rate: str, hours: float) -> None:
    found = budget.time_to_exhaustion(Fraction(1), Fraction(rate), timedelta(days=30))
    assert found is not None
    assert found.total_seconds() / 3600 == pytest.approx(hours)


@pytest.mark.parametrize("vector", VECTORS["budget_minutes"], ids=lambda v: f"{v['target']} {v['window_days']}d")
def test_a_budget_in_minutes_is_the_share_of_the_window(vector: dict[str, object]) -> None:
    minutes = Fraction(str(vector["window_days"])) * 24 * 60
    assert float(budget.budget_share(Decimal(str(vector["target"])) / 100) * minutes) == vector["minutes"]


@pytest.mark.parametrize("vector", VECTORS["calendar_month_999"], ids=lambda v: f"{v['month']} {v['tz']}")
def test_a_month_s_budget_in_minutes_is_the_share_of_its_true_length(vector: dict[str, Any]) -> None:
    month = CalendarWindow.of(1, "M", datetime(2026, 1, 1), vector["tz"])  # noqa: DTZ001 - local time of its zone
    middle = datetime.fromisoformat(f"{vector['month']}-15T12:00:00+00:00")
    length = Span(month.span(middle).start, month.period_end(middle)).length
    minutes = Fraction(length // timedelta(minutes=1))
    assert (minutes / 60, budget.budget_share(Decimal("0.999")) * minutes) == (
        Fraction(str(vector["hours"])),
        Fraction(str(vector["budget_minutes"])),
    )


def test_a_budget_of_slices_is_the_share_of_them() -> None:
    vector = VECTORS["timeslices"]
    assert float(budget.budget_share(Decimal("0.9995")) * 7 * 24 * 60) == pytest.approx(
        vector["openslo_example_1w_9995_budget_minutes"]
    )
    assert budget.budget_share(Decimal("0.95")) * 14 * 24 * 60 == vector["openslo_2w_95_slices"]


def test_the_share_of_a_budget_is_no_float() -> None:
    vector = VECTORS["float_trap"]
    assert (budget.budget_share(Decimal("0.999")), repr(1 - 0.999)) == (Fraction(1, 1000), vector["float64"])


@pytest.mark.parametrize(
    ("remaining", "rate", "hours"),
    [("0.5", "2", 50.0), ("0.5", "1", None), ("0.5", "0.5", None), ("0.5", None, None), ("0", "9", 0.0)],
)
def test_a_calendar_period_s_budget_is_gone_when_its_burn_outruns_the_traffic(
    remaining: str, rate: str | None, hours: float | None
) -> None:
    given = None if rate is None else Fraction(rate)
    found = budget.time_to_exhaustion_in_period(Fraction(remaining), given, timedelta(hours=100))
    assert (None if found is None else found.total_seconds() / 3600) == hours


@pytest.mark.parametrize("target", ["1", "1.5", "0", "-0.1"])
def test_an_impossible_target_has_no_budget(target: str) -> None:
    with pytest.raises(ImpossibleTarget):
        budget.budget_share(Decimal(target))


def test_without_events_there_is_neither_sli_nor_burn() -> None:
    assert budget.sli(Fraction(0), Fraction(0)) is None
    assert budget.burn(Fraction(0), Fraction(0), Decimal("0.999")) is None


@pytest.mark.parametrize(
    ("remaining", "rate", "expected"),
    [
        (Fraction(0), Fraction(1), timedelta()),
        (Fraction(-1), None, timedelta()),
        (Fraction(1), None, None),
        (Fraction(1), Fraction(0), None),
        (Fraction(1), Fraction(1, 10**12), None),
        (Fraction(1, 4), Fraction(1), timedelta(days=7)),
    ],
)
def test_a_budget_is_gone_when_the_burn_says_so(
    remaining: Fraction, rate: Fraction | None, expected: timedelta | None
) -> None:
    assert budget.time_to_exhaustion(remaining, rate, timedelta(days=28)) == expected


@given(bad=counts, total=counts, target=targets)
def test_consumed_and_remaining_are_one_budget_and_never_clamped(bad: int, total: int, target: Decimal) -> None:
    spent = Budget(Fraction(bad), Fraction(total), target)
    assert spent.consumed + spent.remaining == 1
    assert (spent.remaining < 0) == (Fraction(bad) > (1 - Fraction(target)) * total)


@given(bad=counts, total=counts, target=targets)
def test_the_burn_of_the_whole_window_is_what_it_consumed(bad: int, total: int, target: Decimal) -> None:
    spent = Budget(Fraction(bad), Fraction(total), target)
    assert budget.burn(spent.bad, spent.total, target) == spent.consumed


@given(first=counts, second=counts, total=counts, target=targets)
def test_what_two_stretches_spent_adds_up(first: int, second: int, total: int, target: Decimal) -> None:
    spent = Budget(Fraction(first + second), Fraction(total), target)
    assert spent.spent_by(Fraction(first)) + spent.spent_by(Fraction(second)) == spent.consumed
