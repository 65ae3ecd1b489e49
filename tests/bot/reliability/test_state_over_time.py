"""Budgets over calendar periods, and budgets of time: judged by what has elapsed, in the words of what they count."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from bot.reliability.assessment import State
from bot.reliability.definitions import Slices, Window
from bot.reliability.exclusions import Exclusion
from bot.reliability.forecast import Forecast
from bot.reliability.hours import HOUR, Hours
from bot.reliability.metrics import Measured, Signs
from bot.reliability.state import judge
from bot.reliability.windows import CalendarWindow
from tests.bot.reliability.samples import AT, judged, measured, promise

VECTORS = json.loads((Path(__file__).parents[2] / "data" / "slo-reference-vectors.json").read_text())

# --- calendar windows ---

MONTH = CalendarWindow.of(1, "M", datetime(2026, 1, 1), "UTC")  # noqa: DTZ001 - local time of its zone
ELAPSED = 15 * 24 + 8


def this_month(part: float, total: float = 2_000_000.0, **more: Any) -> Measured:
    return measured(part, total, **{"sampled": [True] * ELAPSED, **more})


@pytest.mark.parametrize(
    ("answer", "state", "sentence"),
    [
        (
            this_month(400.0),
            State.OK,
            (
                "80.0% of this month's error budget is left so far: 400 of 2,000,000 events were bad "
                "since Sun 1 Nov 2026 00:00 UTC."
            ),
        ),
        (
            this_month(2000.0),
            State.EXHAUSTED,
            (
                "This month's error budget is spent: 100.0% of it is used, 2,000 of 2,000,000 events were bad "
                "since Sun 1 Nov 2026 00:00 UTC."
            ),
        ),
        (
            this_month(1000.0, burn={"7d": (3.0, 1000.0)}),
            State.AT_RISK,  # 368 h * 0.5 / (3 - 1) is 3 days 20 h
            (
                "50.0% of this month's error budget is left so far, but the last 7 days' burn of 3.0× would spend it "
                "in 3 days 20 h."
            ),
        ),
        (
            this_month(1000.0, burn={"7d": (2.0, 1000.0)}),
            State.OK,
            (
                "50.0% of this month's error budget is left so far: 1,000 of 2,000,000 events were bad "
                "since Sun 1 Nov 2026 00:00 UTC."
            ),
        ),
        (
            this_month(400.0, sampled=[False] * 100 + [True] * 268),
            State.PARTIAL,
            (
                "Only 11.2 of 15.3 days have samples, none before Thu 5 Nov 2026 04:00 UTC; the budget can't be judged "
                "yet."
            ),
        ),
        (
            this_month(0.0, 0.0),
            State.NO_TRAFFIC,
            "There was no event this month since Sun 1 Nov 2026 00:00 UTC; nothing to judge.",
        ),
        (
            measured(None, None, sampled=[False]),
            State.NO_DATA,
            (
                "No series matched sum(increase(total[28d])) this month since Sun 1 Nov 2026 00:00 UTC; "
                "check the query's labels."
            ),
        ),
        (
            replace(measured(None, None, sampled=[False]), signs=Signs(series_now=4)),
            State.NO_DATA,
            "There are too few samples this month since Sun 1 Nov 2026 00:00 UTC yet.",
        ),
        (
            replace(measured(None, None), hours=Hours(AT, HOUR)),
            State.NO_DATA,
            "There are no full hours this month since Sun 1 Nov 2026 00:00 UTC yet.",
        ),
    ],
)
def test_a_calendar_s_budget_is_judged_by_what_has_elapsed_of_it(answer: Measured, state: State, sentence: str) -> None:
    found = judged(answer, promise(window=MONTH))
    assert (found.state, found.sentence) == (state, sentence)


# --- slices of time ---


@pytest.mark.parametrize(
    ("length", "part", "total", "state", "sentence"),
    [
        (
            timedelta(minutes=1),
            60.0,
            40_320.0,
            State.EXHAUSTED,
            "The error budget is spent: 148.8% of it is used, 60 of 40,320 minutes were bad.",
        ),
        (
            timedelta(minutes=5),
            1.0,
            8064.0,
            State.OK,
            "87.6% of the error budget is left: 1 of 8,064 slices of 5 min was bad.",
        ),
        (
            timedelta(hours=1),
            0.0,
            672.0,
            State.OK,
            "100.0% of the error budget is left: 0 of 672 hours were bad.",
        ),
        (
            timedelta(minutes=1),
            0.0,
            0.0,
            State.NO_DATA,
            (
                "None of the minutes in the last 28 days had data in sum(increase(total[28d])); check that the service "
                "is scraped."
            ),
        ),
    ],
)
def test_slices_of_time_are_counted_as_time_and_never_too_few(
    length: timedelta, part: float, total: float, state: State, sentence: str
) -> None:
    for good in (False, True):  # a slice is bad or good whatever the indicator counts
        found = judged(measured(part, total), promise(slices=Slices(length, Decimal("0.95")), good=good))
        assert (found.state, found.sentence) == (state, sentence)


def test_slices_agree_with_the_reference_vectors() -> None:
    vector = VECTORS["timeslices"]
    found = judged(measured(60.0, 40_320.0), promise(slices=Slices(timedelta(minutes=1), Decimal("0.95"))))
    figures = (found.figures.consumed, found.figures.remaining)
    assert figures == (Fraction(60, 40_320) * 1000, 1 - Fraction(60, 40_320) * 1000)
    assert [float(figure) for figure in figures] == pytest.approx([vector["consumed"], vector["remaining"]], rel=1e-14)


@pytest.mark.parametrize("key", ["slo_100", "no_traffic"])
def test_edges_agree_with_the_reference_vectors(key: str) -> None:
    found = {
        "slo_100": judged(measured(), promise(target="1")),
        "no_traffic": judged(measured(VECTORS["no_traffic"]["bad"], VECTORS["no_traffic"]["total"])),
    }[key]
    assert found.state.value in VECTORS[key].get("rule", "") + VECTORS[key].get("burn", "")
    assert (found.figures.sli == 1, found.figures.remaining, set(found.figures.burn.values()) - {0}) == (
        False,
        None,
        {None} if key == "slo_100" else set(),
    )


def test_a_window_shorter_than_a_week_has_no_share_of_the_last_week() -> None:
    day = Window("1d", timedelta(days=1))
    assert judged(measured(sampled=[True] * 24), promise(window=day)).figures.spent_7d is None
    assert judged(measured()).figures.spent_7d == 0


def test_what_was_left_out_before_a_short_window_is_no_part_of_the_recent_burn() -> None:
    """Six days count of the last seven: 310 bad events an hour too many, and 100 leave: 2,400 are gone in 6 hours."""
    day = promise(window=Window("1d", timedelta(days=1)))
    thursday = Exclusion(
        service="checkout",
        rule="FREQ=WEEKLY;BYDAY=TH;BYHOUR=0;BYMINUTE=0",
        duration=timedelta(days=1),
        reason="drill",
        owner="",
    )
    week = {"7d": (6 * 24 * 410.0, 6 * 24 * 100_000.0)}
    found = judge(day, measured(0.0, 2_400_000.0, burn=week, sampled=[True] * 24), AT, (thursday,))
    assert found.forecast == Forecast(exhausts_at=AT + 6 * HOUR)
