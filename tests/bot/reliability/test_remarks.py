"""What a reader must know beside the state: each note with its code, its numbers, and only when it matters."""

from __future__ import annotations

from array import array
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from bot.reliability.assessment import Objective, State, TakenOut
from bot.reliability.case import Case
from bot.reliability.definitions import Slices
from bot.reliability.exclusions import Exclusion
from bot.reliability.forecast import Forecast
from bot.reliability.hours import HOUR, Hours
from bot.reliability.metrics import BURN_WINDOWS, Measured, Signs, Tally
from bot.reliability.state import judge
from tests.bot.reliability.samples import AT, HOURS, judged, measured, promise

MINUTES = Slices(timedelta(minutes=1), Decimal("0.95"))


def notes(found: Objective) -> dict[str, str]:
    return {remark.code: remark.text for remark in found.remarks}


def with_signs(answer: Measured | None = None, **signs: Fraction | int | None) -> Objective:
    return judged(replace(answer or measured(), signs=Signs(**signs)))  # type: ignore[arg-type]


# --- counters ---


@pytest.mark.parametrize(
    ("resets", "expected"),
    [
        (None, {}),
        (20, {}),
        (
            4032,
            {
                "resets_lose_events": (
                    "counters restarted up to 4,032 times each: what they counted after a last scrape is lost"
                )
            },
        ),
    ],
)
def test_many_restarts_lose_events(resets: int | None, expected: dict[str, str]) -> None:
    assert notes(with_signs(resets=resets)) == expected


@pytest.mark.parametrize(("seen", "now", "said"), [(None, 4, False), (24, 4, False), (100, 40, False), (112, 4, True)])
def test_series_that_come_and_go_are_told(seen: int | None, now: int, *, said: bool) -> None:
    text = (
        "112 series were counted in the window, 4 now: what each counted before its first and after its last scrape "
        "is lost"
    )
    assert notes(with_signs(series_seen=seen, series_now=now)) == ({"pod_churn": text} if said else {})


def test_hidden_errors_that_would_spend_the_budget_put_a_green_state_in_doubt() -> None:
    found = with_signs(hidden=Fraction(50_000))
    assert (found.state, found.in_doubt, notes(found)) == (
        State.OK,
        True,
        {
            "hidden_first_sample": (
                "at least 50,000 bad events stood in the first samples of new series, which no increase sees: with "
                "them -2,358.5% of the budget would be left, and the state would be exhausted"
            )
        },
    )


def test_hidden_errors_are_told_when_they_cost_a_hundredth_of_the_budget_and_change_nothing() -> None:
    few, some = with_signs(hidden=Fraction(19)), with_signs(hidden=Fraction(100))
    assert (notes(few), few.in_doubt, some.in_doubt) == ({}, False, False)
    assert notes(some) == {
        "hidden_first_sample": (
            "at least 100 bad events stood in the first samples of new series, which no increase sees: with them 75.0% "
            "of the budget would be left"
        )
    }


def test_a_single_hidden_error_is_told_when_it_decides() -> None:
    found = with_signs(measured(part=1499.5), hidden=Fraction(1))
    assert notes(found) == {
        "hidden_first_sample": (
            "at least 1 bad event stood in the first samples of new series, which no increase sees: with them 25.0% "
            "of the budget would be left, and the state would be at risk"
        )
    }


def test_hidden_good_events_may_only_darken_the_figures() -> None:
    answer = measured(part=1_999_600.0, burn=dict.fromkeys(BURN_WINDOWS, (1000.0, 1000.0)))
    found = judged(replace(answer, signs=Signs(hidden=Fraction(500))), promise(good=True))
    assert (found.state, found.in_doubt, notes(found)) == (
        State.OK,
        False,
        {
            "hidden_first_sample": (
                "at least 500 good events stood in the first samples of new series, which no increase sees: the "
                "figures may be darker than what happened"
            )
        },
    )


def test_a_service_whose_only_events_are_hidden_says_so() -> None:
    found = with_signs(measured(part=None, total=0.0), hidden=Fraction(1000))
    assert (found.state, list(notes(found))) == (State.NO_TRAFFIC, ["hidden_first_sample"])


# --- queries and hours ---


def test_a_bad_query_that_never_matched_puts_a_green_state_in_doubt() -> None:
    found = judged(measured(part=None, matched=False))
    assert (found.state, found.in_doubt, list(notes(found))) == (State.OK, True, ["bad_never_matched"])
    assert judged(measured(part=0.0)).in_doubt is False


@pytest.mark.parametrize(
    ("by_hours", "apart"), [(400.0, None), (409.0, None), (411.0, "0.6 points"), (389.0, "0.6 points")]
)
def test_hours_that_disagree_by_more_than_half_a_point_are_told(by_hours: float, apart: str | None) -> None:
    found = judged(replace(measured(), by_hours=Tally(Fraction(by_hours), Fraction(2_000_000))))
    text = f"the budget counted hour by hour, as the chart shows it, is {apart} off"
    assert (notes(found), found.in_doubt) == (({"hours_disagree": text}, True) if apart else ({}, False))


@pytest.mark.parametrize(
    "answer",
    [
        replace(measured(), by_hours=None),
        replace(measured(), by_hours=Tally(None, None)),
        replace(measured(), method="hours", by_hours=Tally(Fraction(900), Fraction(2_000_000))),
        replace(measured(part=1.0, total=140.0), by_hours=Tally(Fraction(2), Fraction(140))),
        replace(measured(sampled=[False] * 300 + [True] * 372), by_hours=Tally(Fraction(900), Fraction(2_000_000))),
    ],
    ids=["no hours", "empty hours", "hours themselves", "low volume", "partial"],
)
def test_nothing_disagrees_where_nothing_can_be_compared(answer: Measured) -> None:
    assert "hours_disagree" not in notes(judged(answer))


# --- the source ---


def test_a_source_that_keeps_less_than_the_window_says_from_where_the_figures_are() -> None:
    until = AT - timedelta(days=15)
    assert notes(judged(replace(measured(), method="hours", remembered_until=until))) == {
        "short_retention": (
            "the source keeps less than the window: up to Sun 1 Nov 2026 08:00 UTC the figures come from "
            "remembered hours"
        )
    }


@pytest.mark.parametrize(("days", "said"), [(3, True), (28, False), (40, False)])
def test_a_query_that_changed_within_the_window_says_so(days: int, *, said: bool) -> None:
    found = judged(replace(measured(), changed_at=AT - timedelta(days=days)))
    text = "the query changed (noticed Fri 13 Nov 2026 08:00 UTC); all figures are counted by the new one"
    assert notes(found) == ({"query_changed": text} if said else {})


# --- exclusions ---

SUNDAYS = Exclusion(
    service="checkout",
    rule="FREQ=WEEKLY;BYDAY=SU;BYHOUR=3",
    duration=timedelta(hours=1),
    reason="database maintenance",
    owner="dana",
)


def test_what_is_excluded_is_shown_and_counted() -> None:
    answer = replace(measured(), taken_out=Tally(Fraction(12), Fraction(1234)))
    found = judge(promise(), answer, AT, [SUNDAYS])
    assert (found.excluded, notes(found)) == (
        TakenOut(
            times=4,
            length=timedelta(hours=4),
            bad=Fraction(12),
            total=Fraction(1234),
            announced=(("database maintenance", "dana"),),
        ),
        {
            "excluded_windows": (
                "left out 4 times, 4 h in all with 1,234 events, 12 of them bad: database maintenance (dana)"
            )
        },
    )
    assert found.contract()["excluded"] == {
        "times": 4,
        "seconds": 14400.0,
        "bad": 12.0,
        "total": 1234.0,
        "reasons": [{"reason": "database maintenance", "owner": "dana"}],
    }


def test_an_exclusion_in_which_nothing_was_counted_is_shown_all_the_same() -> None:
    found = judge(promise(), measured(), AT, [SUNDAYS])
    assert notes(found) == {"excluded_windows": "left out 4 times, 4 h in all: database maintenance (dana)"}


def test_excluded_hours_without_samples_are_no_gap_and_cost_no_coverage() -> None:
    nights = replace(SUNDAYS, rule="FREQ=DAILY;BYHOUR=0", duration=timedelta(hours=8))
    at_night = [(AT - (HOURS - index) * HOUR).hour < 8 for index in range(HOURS)]
    answer = measured(sampled=[not night for night in at_night])
    assert judged(answer).state is State.PARTIAL
    found = judge(promise(), answer, AT, [nights])
    assert (found.state, list(notes(found))) == (State.OK, ["excluded_windows"])


def test_a_window_that_is_excluded_as_a_whole_judges_nothing() -> None:
    always = replace(SUNDAYS, rule="FREQ=DAILY", duration=timedelta(days=1))
    found = judge(promise(), measured(part=0.0, total=0.0), AT, [always])
    assert (found.state, found.figures.remaining, found.excluded is not None) == (State.NO_TRAFFIC, None, True)


def test_a_forecast_takes_the_hours_that_count_to_go_on() -> None:
    half = replace(SUNDAYS, rule="FREQ=DAILY;BYHOUR=0", duration=timedelta(hours=12))
    answer = measured(part=1000.0, total=1_000_000.0, burn={"7d": (400.0, 84_000.0)})  # counted in 84 hours
    plain, cut = judge(promise(target="0.998"), answer, AT), judge(promise(target="0.998"), answer, AT, [half])
    assert (plain.forecast, cut.forecast) == (
        Forecast(exhausts_at=AT + 349 * HOUR),  # 1,000 left; each hour 1,000/672 leave and 1.38 are overspent
        Forecast(exhausts_at=AT + 236 * HOUR),  # and twice as many
    )


def test_an_exclusion_that_doesn_t_fall_into_the_window_is_not_shown() -> None:
    never = replace(SUNDAYS, rule="FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=1")
    found = judge(promise(), measured(), AT, [never])
    assert (found.excluded, notes(found)) == (None, {})


# --- slices ---


def test_slices_without_data_are_counted_and_left_out() -> None:
    found = judged(measured(part=60.0, total=39_000.0), promise(slices=MINUTES))
    assert notes(found) == {
        "slices_without_data": "1,320 of 40,320 minutes had no data and are left out, neither good nor bad"
    }
    assert notes(judged(measured(part=60.0, total=40_300.0), promise(slices=MINUTES))) == {}


def test_stretches_that_the_window_cuts_are_excluded_by_what_is_left_of_them() -> None:
    mornings = replace(SUNDAYS, rule="FREQ=DAILY;BYHOUR=8")
    part, total = array("d", [0.0] * (HOURS + 1)), array("d", [1000.0] * (HOURS + 1))
    answer = replace(measured(), hours=Hours(AT - (HOURS - 1) * HOUR, HOUR, part, total))
    case = Case(promise(), answer, AT + timedelta(minutes=20), (mornings,))
    assert [index for index, counts in enumerate(case.counting) if not counts] == list(range(0, HOURS + 1, 24))


def test_what_is_not_judged_says_in_words_what_it_would_be() -> None:
    found = judged(measured(part=1.0, total=140.0))
    assert notes(found)["exhausted"] == (
        "judged all the same it would be exhausted, with -614.3% of the error budget left"
    )
