"""Ten states in the contract's order, what each says, and that no state makes a number up."""

from __future__ import annotations

from array import array
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reliability.assessment import State
from bot.reliability.definitions import ObjectiveDefinition, Window
from bot.reliability.hours import ABSENT, Hours
from bot.reliability.metrics import Failed, Measured, Tally
from tests.bot.reliability.samples import AT, HOURS, failed, hours, judged, measured, promise

EMPTY = [False] * HOURS
WEEK = [False] * (HOURS - 168) + [True] * 168
MORE_BAD_THAN_ALL = (
    "The bad query counted more events (3,000) than the total (1,000); check that both count the same requests."
)
NO_GOOD = (
    "All 2,000,000 events were counted, but the good query matched no series; check its labels. "
    "If they are right, every event failed."
)
LONG_AGO = AT - timedelta(days=10)
BY_HOURS = Tally(Fraction(400), Fraction(2_000_000))


@pytest.mark.parametrize(
    ("definition", "answer", "state", "sentence"),
    [
        (
            promise(target="1"),
            failed(),
            State.INVALID_TARGET,
            "A target of 100% leaves no error budget; set one below 100% and above 0%.",
        ),
        (
            promise(target="0"),
            measured(),
            State.INVALID_TARGET,
            "A target of 0% promises nothing; set one below 100% and above 0%.",
        ),
        (promise(), failed("It is down."), State.QUERY_FAILED, "It is down."),
        (
            promise(),
            measured(part=3000.0, total=1000.0),
            State.QUERY_FAILED,
            MORE_BAD_THAN_ALL,
        ),
        (
            promise(),
            measured(part=None, total=None, sampled=EMPTY, matched=False),
            State.NO_DATA,
            "No series matched sum(increase(total[28d])) in the last 28 days; check the query's labels.",
        ),
        (
            promise(good=True),
            measured(part=None, matched=False),
            State.NO_DATA,
            NO_GOOD,
        ),
        (
            promise(),
            measured(silent_since=LONG_AGO),
            State.STALE,
            "There have been no samples since Fri 6 Nov 2026 08:00 UTC; check that the service is still scraped.",
        ),
        (
            promise(),
            measured(part=0.0, total=0.0),
            State.NO_TRAFFIC,
            "There was no event in the last 28 days; nothing to judge.",
        ),
        (
            promise(),
            measured(part=1.0, total=140.0),
            State.LOW_VOLUME,
            (
                "1 of 140 events was bad; with less than one allowed, a single failure weighs too much to judge the "
                "budget."
            ),
        ),
        (
            promise(),
            measured(sampled=WEEK),
            State.PARTIAL,
            "Only 7 of 28 days have samples, none before Mon 9 Nov 2026 08:00 UTC; the budget can't be judged yet.",
        ),
        (
            promise(),
            measured(sampled=[index >= HOURS - 2 for index in range(HOURS)]),
            State.PARTIAL,
            "Only 2 h of 28 days have samples, none before Mon 16 Nov 2026 06:00 UTC; the budget can't be judged yet.",
        ),
        (
            promise(),
            measured(part=2000.0),
            State.EXHAUSTED,
            "The error budget is spent: 100.0% of it is used, 2,000 of 2,000,000 events were bad.",
        ),
        (
            promise(),
            measured(part=1500.0),
            State.AT_RISK,
            "Only 25.0% of the error budget is left: 1,500 of 2,000,000 events were bad.",
        ),
        (
            promise(),
            measured(part=1000.0, burn={"7d": (4.0, 1000.0)}),
            State.AT_RISK,
            "50.0% of the error budget is left, but the last 7 days' burn of 4.0× alone would spend it in 3 days 12 h.",
        ),
        (promise(), measured(), State.OK, "80.0% of the error budget is left: 400 of 2,000,000 events were bad."),
    ],
)
def test_each_answer_has_its_state_and_sentence(
    definition: ObjectiveDefinition, answer: Measured | Failed, state: State, sentence: str
) -> None:
    found = judged(answer, definition)
    assert (found.state, found.sentence) == (state, sentence)


@pytest.mark.parametrize(
    ("answer", "notes"),
    [
        (measured(), []),
        (measured(part=None, matched=False), ["bad_never_matched"]),
        (measured(part=None, matched=True), []),
        (measured(sampled=WEEK), ["partial_history"]),
        (measured(part=2400.0, sampled=WEEK), ["partial_history", "exhausted"]),
        (measured(part=1.0, total=140.0), ["low_volume", "exhausted"]),
        (measured(sampled=[True] * 300 + [False] * 4 + [True] * (HOURS - 304)), ["gap"]),
        (measured(part=1800.0, silent_since=LONG_AGO), ["stale_since", "at_risk"]),
    ],
)
def test_notes_tell_what_lower_states_would_have_said(answer: Measured, notes: list[str]) -> None:
    assert [remark.code for remark in judged(answer).remarks] == notes


@pytest.mark.parametrize("answer", [failed(), measured(None, None, sampled=EMPTY), measured(part=9e9)])
def test_a_failed_or_empty_query_has_no_number_at_all(answer: Measured | Failed) -> None:
    found = judged(answer).contract()
    assert (found["events"], found["sli"], found["budget"], set(found["burn"].values())) == (
        {"good": None, "bad": None, "total": None},
        None,
        {"consumed": None, "remaining": None},
        {None},
    )


def test_no_traffic_spends_nothing_and_is_not_a_hundred_percent() -> None:
    found = judged(measured(part=0.0, total=0.0)).contract()
    assert (found["events"], found["sli"], found["budget"]) == (
        {"good": 0.0, "bad": 0.0, "total": 0.0},
        None,
        {"consumed": None, "remaining": None},
    )


def test_an_idle_burn_window_has_no_burn() -> None:
    found = judged(measured(burn={"1h": (None, 0.0), "6h": (None, None), "24h": (None, 100.0)}))
    assert {name: found.figures.burn[name] for name in ("1h", "6h", "24h")} == {"1h": None, "6h": None, "24h": 0}


def test_the_contract_s_item_is_whole() -> None:
    found = judged(measured(part=1600.0, burn={"24h": (1.4, 1000.0)})).contract()
    found.pop("sentence")
    assert found == {
        "service": "checkout",
        "slo": "checkout-availability",
        "objective_name": "availability",
        "objective": 0.999,
        "window": "28d",
        "state": "AT_RISK",
        "method": "increase",
        "events": {"good": 1998400.0, "bad": 1600.0, "total": 2000000.0},
        "sli": 0.9992,
        "budget": {"consumed": 0.8, "remaining": 0.2},
        "burn": {"1h": 0.0, "6h": 0.0, "24h": 1.4, "3d": 0.0, "7d": 0.0},
        "policy": None,
        "forecast": {"exhausts_at": None, "recovers_at": None, "relief": None},
        "notes": [],
        "query": {"bad": "sum(increase(bad[28d]))", "total": "sum(increase(total[28d]))"},
        "evaluated_at": "2026-11-16T08:00:00Z",
        "source": "Prometheus 3.5.3 at http://prometheus:9090",
        "incidents": [],
        "excluded": None,
    }


@given(
    part=st.none() | st.floats(0, 1e12),
    total=st.none() | st.floats(0, 1e12),
    matched=st.booleans(),
    good=st.booleans(),
    target=st.sampled_from(["0", "0.5", "0.999", "0.99999", "1", "1.2"]),
    sampled=st.lists(st.booleans(), min_size=HOURS, max_size=HOURS),
)
def test_no_answer_is_green_without_enough_events_samples_and_budget(
    *, part: float | None, total: float | None, matched: bool, good: bool, target: str, sampled: list[bool]
) -> None:
    found = judged(measured(part, total, matched=matched, sampled=sampled), promise(target=target, good=good))
    if found.state is State.OK:
        assert total is not None
        assert found.figures.remaining is not None
        assert found.figures.remaining > 0.25
        assert sum(sampled) >= 0.95 * HOURS
        assert part is not None or not good


def test_hours_that_disagree_with_the_budget_are_noted_unless_the_volume_is_too_low_to_judge() -> None:
    apart = replace(measured(part=400.0, total=2_000_000.0), by_hours=Tally(Fraction(500), Fraction(2_000_000)))
    few = replace(measured(part=1.0, total=140.0), by_hours=Tally(Fraction(2), Fraction(140)))
    assert [remark.code for remark in judged(apart).remarks] == ["hours_disagree"]
    assert [remark.code for remark in judged(few).remarks] == ["low_volume", "exhausted"]


def test_the_coverage_of_a_short_window_is_counted_in_its_own_stretches() -> None:
    tile = timedelta(minutes=5)
    totals = array("d", [ABSENT] * 8 + [1250.0] * 4)
    tiles = Hours(AT - 11 * tile, tile, array("d", [ABSENT] * 8 + [0.0] * 4), totals)
    found = judged(
        replace(measured(part=0.0, total=5000.0), hours=tiles),
        replace(promise(target="0.99"), window=Window("1h", timedelta(hours=1))),
    )
    assert (found.state, found.sentence) == (
        State.PARTIAL,
        "Only 20 of 60 minutes have samples, none before Mon 16 Nov 2026 07:40 UTC; the budget can't be judged yet.",
    )
    assert [remark.text for remark in found.remarks] == [
        "no samples before Mon 16 Nov 2026 07:40 UTC: 20 of 60 minutes"
    ]


# --- an answer that contradicts itself ---


def test_hours_that_counted_errors_which_the_increase_has_not_fail_the_query() -> None:
    found = judged(replace(measured(part=None), hours=hours(400.0, 2_000_000.0), by_hours=BY_HOURS))
    assert (found.state, found.sentence) == (
        State.QUERY_FAILED,
        (
            "The source counted 399 bad events hour by hour and none over the whole window; ask again, and check that "
            "it answers with all of its series."
        ),
    )


def test_hours_with_samples_without_events_over_the_window_fail_the_query() -> None:
    found = judged(replace(measured(None, None), hours=hours(400.0, 2_000_000.0), by_hours=BY_HOURS))
    assert (found.state, found.sentence) == (
        State.QUERY_FAILED,
        (
            "The source has 671 hours with samples and none over the whole window; ask again, and check that it "
            "answers with all of its series."
        ),
    )
    gone = [True] + [False] * (HOURS - 1)  # its last sample may lie just before the window
    edge = replace(measured(None, None), hours=hours(1.0, 1.0, sampled=gone), silent_since=AT - timedelta(days=28))
    assert judged(edge).state is State.STALE


def test_events_without_a_sample_in_any_hour_fail_the_query() -> None:
    found = judged(replace(measured(), hours=hours(None, None), by_hours=Tally(None, None)))
    assert (found.state, found.sentence) == (
        State.QUERY_FAILED,
        (
            "The source counted 2,000,000 events over the whole window and had no sample in any hour of it; ask again, "
            "and check that it answers with all of its series."
        ),
    )


@pytest.mark.parametrize(
    "answer",
    [
        replace(measured(part=None), hours=hours(0.0, 2_000_000.0), by_hours=Tally(Fraction(0), Fraction(2_000_000))),
        replace(measured(part=None), method="hours", hours=hours(400.0, 2_000_000.0), by_hours=BY_HOURS),
        replace(measured(part=None), remembered_until=LONG_AGO, hours=hours(400.0, 2_000_000.0), by_hours=BY_HOURS),
    ],
    ids=["no error in any hour", "hours themselves", "what the source has lost"],
)
def test_what_can_be_explained_is_no_contradiction(answer: Measured) -> None:
    assert judged(answer).state is State.OK


def test_a_hair_more_good_events_than_events_is_no_budget_won() -> None:
    found = judged(measured(2_000_150.0, burn={"7d": (1000.1, 1000.0)}), promise(good=True))
    assert (found.state, found.figures.bad, found.figures.remaining, found.figures.burn["7d"]) == (State.OK, 0, 1, 0)
    assert {point.bad for point in found.points} == {0}


def test_more_good_events_than_events_by_more_than_a_tenth_of_the_budget_are_no_measurement() -> None:
    found = judged(measured(2_000_300.0), promise(good=True))
    assert (found.state, found.figures.remaining) == (State.QUERY_FAILED, None)
    assert found.sentence == (
        "The good query counted more events (2,000,300) than the total (2,000,000); "
        "check that both count the same requests."
    )
