"""When the alerts fire, according to `promtool test rules`: three days of history, and what follows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest

from bot.reliability.definitions import Indicator, ObjectiveDefinition, PrometheusQuery
from bot.reliability.rules import rules_of
from bot.reliability.rules_yaml import rules_yaml
from bot.reliability.windows import Window
from tests.bot.reliability.samples import promise
from tests.doubles.promtool import History, Promtool

BEFORE = timedelta(days=3)  # of history; then the failure begins
STEP = timedelta(seconds=10)
NEVER, HOUR = range(0), 360  # in steps

FAST, SLOW, DAY, DAYS = (f"ErrorBudgetBurn{name}" for name in ("1h", "6h", "1d", "3d"))
PAGES, ALL = {FAST, SLOW}, {FAST, SLOW, DAY, DAYS}
Counted = Literal["bad", "good"]
Events = Callable[[int], float]
"""How many happen in a step; step 1 is the first of the failure, those of the history are 0 and less."""

both = pytest.mark.parametrize("counted", ["bad", "good"])


def judge(folder: Path, objective: ObjectiveDefinition) -> Promtool:
    return Promtool(folder, rules_yaml(rules_of([objective])))


def promised(window: str = "30d", *, counted: Counted = "bad", title: str = "") -> ObjectiveDefinition:
    """99.9 %."""
    selector = 'requests_total{code=~"5.."}' if counted == "bad" else 'requests_total{code!~"5.."}'
    part, total = PrometheusQuery(selector), PrometheusQuery("requests_total")
    indicator = Indicator("i", total=total, **{counted: part})
    length = timedelta(days=int(window.removesuffix("d")))
    return replace(promise(), window=Window(window, length), indicator=indicator, title=title)


def sampled(events: Events, *, until: int = 100, hole: range = NEVER, resets: range = NEVER) -> str:
    """A counter of these events in promtool's notation.

    Every 10 seconds from the last hour of the history on, every two minutes before, as promtool refuses to read more
    than 10,000 samples. No samples in the hole; at a reset the counter starts from zero.
    """
    values, missed, count = [], 0, 0.0
    for step in range(-(BEFORE // STEP), until + 1):
        if step in resets:
            count = 0.0
        count += events(step)
        if step in hole or (step <= -HOUR and step % 12):
            missed += 1
            continue
        values += [f"_x{missed}"] * bool(missed)
        values.append(f"{count!r}")
        missed = 0
    return " ".join(values)


def history(events: Mapping[str, Events], until: int = 100) -> History:
    """One counter of requests for each of these label sets."""
    series = {f"requests_total{{{labels}}}": sampled(counted, until=until) for labels, counted in events.items()}
    return History(series, STEP)


def failing(ratio: float, *, before: float = 0, steps: int = 1_000_000, until: int = 100) -> History:
    """10,000 requests in each step. This share of them fails for so many steps; before and after it, another."""

    def bad(step: int) -> float:
        return round(10_000 * (ratio if 0 < step <= steps else before))

    return history({'code="500"': bad, 'code="200"': lambda step: 10_000 - bad(step)}, until)


def after(seconds: float) -> timedelta:
    return BEFORE + timedelta(seconds=seconds)


def moments(promtool: Promtool, past: History, expected: Mapping[int, set[str]]) -> dict[int, set[str]]:
    """What fires so many seconds after the failure has begun."""
    return dict(zip(expected, promtool.firing(past, [after(seconds) for seconds in expected]), strict=True))


# --- the moment ---


@pytest.mark.parametrize(
    ("window", "ratio", "counted", "expected"),
    [
        # Total failure: 51.84 s, 129.6 s, 259.2 s and 259.2 s.
        ("30d", 1.0, "bad", {50: set(), 60: {FAST}, 120: {FAST}, 130: PAGES, 250: PAGES, 260: ALL}),
        ("30d", 1.0, "good", {50: set(), 60: {FAST}, 120: {FAST}, 130: PAGES, 250: PAGES, 260: ALL}),
        # 48.384 s, 120.96 s and 241.92 s.
        ("28d", 1.0, "bad", {40: set(), 50: {FAST}, 120: {FAST}, 130: PAGES, 240: PAGES, 250: {*PAGES, DAY}}),
        # 12.096 s and 30.24 s.
        ("7d", 1.0, "good", {10: set(), 20: {FAST}, 30: {FAST}, 40: PAGES}),
        # 155.52 s, 388.8 s and twice 777.6 s.
        pytest.param(
            *("90d", 1.0, "bad", {150: set(), 160: {FAST}, 380: {FAST}, 390: PAGES, 770: PAGES, 780: ALL}),
            marks=pytest.mark.slow,
        ),
        # The Workbook's "after 5 minutes": 345.6 s; then 864 s.
        ("30d", 0.15, "bad", {340: set(), 350: {FAST}, 860: {FAST}, 870: PAGES}),
    ],
    ids=["30d", "30d-of-good-events", "28d", "7d-of-good-events", "90d", "30d-and-15-percent"],
)
def test_alerts_fire_at_the_first_evaluation_after_their_moment(
    window: str, ratio: float, counted: Counted, expected: dict[int, set[str]], tmp_path: Path
) -> None:
    promtool = judge(tmp_path, promised(window, counted=counted))
    assert moments(promtool, failing(ratio), expected) == expected


def test_a_service_pages_when_its_answers_become_slow(tmp_path: Path) -> None:
    good = PrometheusQuery('seconds_bucket{le=~"0\\\\.25"}')
    indicator = Indicator("latency", total=PrometheusQuery("seconds_count"), good=good)
    promtool = judge(tmp_path, replace(promised(), indicator=indicator))
    fast = sampled(lambda step: 10 if step <= 0 else 0)
    every = sampled(lambda step: 10)
    past = History(
        {'seconds_bucket{le="0.25"}': fast, 'seconds_bucket{le="+Inf"}': every, "seconds_count": every}, STEP
    )
    expected = {50: set(), 60: {FAST}, 250: PAGES, 260: ALL}
    assert moments(promtool, past, expected) == expected


@pytest.mark.slow
def test_evaluated_every_minute_for_three_days_they_fire_within_one_evaluation(tmp_path: Path) -> None:
    minute = timedelta(minutes=1)
    steps = BEFORE // minute
    past = History(
        {
            'requests_total{code="500"}': f"0x{steps} 60+60x9",
            'requests_total{code="200"}': f"0+60x{steps} {60 * steps}x9",
        },
        minute,
    )
    promtool = judge(tmp_path, promised())
    fired = promtool.firing(past, [after(seconds) for seconds in (0, 60, 180, 300)], every=minute)
    assert fired == [set(), {FAST}, PAGES, ALL]


# --- what does not fire, and what ends ---


def test_a_steady_burn_fires_what_its_rate_exceeds(tmp_path: Path) -> None:
    expected = {
        0: set(),
        5: set(),  # bad events per 10,000: half of what the budget allows
        9: set(),
        11: {DAYS},
        29: {DAYS},
        31: {DAY, DAYS},
        59: {DAY, DAYS},
        61: {SLOW, DAY, DAYS},
        143: {SLOW, DAY, DAYS},
        145: ALL,
    }
    burns = [failing(bad / 10_000, before=bad / 10_000) for bad in expected]
    fired = judge(tmp_path, promised()).fired((burn, after(60)) for burn in burns)
    assert {bad: set(alerts) for bad, alerts in zip(expected, fired, strict=True)} == expected


def test_alerts_end_when_their_short_windows_have_recovered(tmp_path: Path) -> None:
    expected = {
        600: ALL,
        # 4.32 s of failure in 5 minutes are as much as the first bears,
        890: ALL,
        900: ALL - {FAST},
        # 10.8 s in 30 minutes the second,
        2_380: ALL - {FAST},
        2_390: {DAY, DAYS},
        # 21.6 s in 2 hours the third, and in 6 hours the last.
        7_770: {DAY, DAYS},
        7_780: {DAYS},
        22_170: {DAYS},
        22_180: set(),
    }
    past = failing(1.0, steps=60, until=2_300)
    assert moments(judge(tmp_path, promised()), past, expected) == expected


@both
@pytest.mark.parametrize("hole", [range(-30_000, 101), range(-2_200, 101)], ids=["no-series", "series-that-ended"])
def test_without_samples_nothing_fires(hole: range, counted: Counted, tmp_path: Path) -> None:
    series = {f'requests_total{{code="{code}"}}': sampled(lambda step: 5, hole=hole) for code in (200, 500)}
    assert judge(tmp_path, promised(counted=counted)).firing(History(series, STEP), [after(600)]) == [set()]


@both
def test_without_traffic_nothing_fires(counted: Counted, tmp_path: Path) -> None:
    past = history({'code="200"': lambda step: 0, 'code="500"': lambda step: 0})
    assert judge(tmp_path, promised(counted=counted)).firing(past, [after(600)]) == [set()]


def test_bad_events_that_the_total_does_not_count_fire_nothing(tmp_path: Path) -> None:
    """Such selectors contradict each other: the review says so."""
    part, total = PrometheusQuery("errors_total"), PrometheusQuery("requests_total")
    objective = replace(promised(), indicator=Indicator("i", total=total, bad=part))
    past = History({"errors_total": sampled(lambda step: 10), "requests_total": sampled(lambda step: 0)}, STEP)
    assert judge(tmp_path, objective).firing(past, [after(300)]) == [set()]


def test_a_service_without_any_error_series_is_quiet(tmp_path: Path) -> None:
    past = history({'code="200"': lambda step: 10})
    assert judge(tmp_path, promised()).firing(past, [after(300)]) == [set()]


def test_a_service_without_any_good_series_is_not(tmp_path: Path) -> None:
    past = history({'code="500"': lambda step: 10})
    assert judge(tmp_path, promised(counted="good")).firing(past, [after(300)]) == [ALL]


# --- odd histories ---


def test_an_error_series_born_with_the_failure_fires_no_later(tmp_path: Path) -> None:
    errors = sampled(lambda step: 10 if step > 0 else 0, hole=range(-30_000, 1))
    past = History({'requests_total{code="500"}': errors, **failing_requests()}, STEP)
    expected = {50: set(), 60: {FAST}, 120: {FAST}, 130: PAGES, 250: PAGES, 260: ALL}
    assert moments(judge(tmp_path, promised()), past, expected) == expected


def test_a_burst_within_a_new_series_first_sample_is_not_seen(tmp_path: Path) -> None:
    """Counters begin where Prometheus first sees them: no increase knows what was before."""
    errors = sampled(lambda step: 5_000 if step == 1 else 0, hole=range(-30_000, 1))
    past = History({'requests_total{code="500"}': errors, 'requests_total{code="200"}': sampled(lambda step: 10)}, STEP)
    assert judge(tmp_path, promised()).firing(past, [after(300)]) == [set()]


def failing_requests() -> dict[str, str]:
    return {'requests_total{code="200"}': sampled(lambda step: 10 if step <= 0 else 0)}


@both
def test_restarts_are_no_failure_and_hide_none(counted: Counted, tmp_path: Path) -> None:
    """Counters start anew once within the history, and every 50 seconds during the failure."""
    loop = range(-13_000, 101, 5)
    good = sampled(lambda step: 10 if step <= 0 else 0, resets=range(-9_000, 101, 8_900))
    errors = sampled(lambda step: 10 if step > 0 else 0, resets=loop)
    past = History({'requests_total{code="200"}': good, 'requests_total{code="500"}': errors}, STEP)
    expected = {0: set(), 50: set(), 60: {FAST}, 120: {FAST}, 130: PAGES, 250: PAGES, 260: ALL}
    assert moments(judge(tmp_path, promised(counted=counted)), past, expected) == expected


@pytest.mark.slow
@both
def test_new_pods_are_no_failure_and_hide_none(counted: Counted, tmp_path: Path) -> None:
    """A deploy an hour before replaces one pod's series by another's."""
    old, new = range(-HOUR, 101), range(-30_000, -HOUR)
    series = {
        'code="200",pod="old"': sampled(lambda step: 10, hole=old),
        'code="500",pod="old"': sampled(lambda step: 0, hole=old),
        'code="200",pod="new"': sampled(lambda step: 10 if -HOUR <= step <= 0 else 0, hole=new),
        'code="500",pod="new"': sampled(lambda step: 10 if step > 0 else 0, hole=range(-30_000, 1)),
    }
    past = History({f"requests_total{{{labels}}}": values for labels, values in series.items()}, STEP)
    expected = {0: set(), 50: set(), 60: {FAST}, 120: {FAST}, 130: PAGES, 250: PAGES, 260: ALL}
    assert moments(judge(tmp_path, promised(counted=counted)), past, expected) == expected


@pytest.mark.slow
@both
def test_a_hole_in_the_samples_is_no_failure(counted: Counted, tmp_path: Path) -> None:
    hole = range(-300, -120)  # half an hour
    series = {
        'requests_total{code="500"}': sampled(lambda step: 5, hole=hole),
        'requests_total{code="200"}': sampled(lambda step: 9_995, hole=hole),
    }
    promtool = judge(tmp_path, promised(counted=counted))
    expected = {-1_800: set(), -1_190: set(), -1_000: set(), 0: set()}
    assert moments(promtool, History(series, STEP), expected) == expected


@pytest.mark.slow
def test_one_pod_of_ten_fires_by_its_share_of_all_events(tmp_path: Path) -> None:
    past = history(
        {
            'code="200",pod="busy"': lambda step: 90,
            'code="200",pod="idle"': lambda step: 10 if step <= 0 else 0,
            'code="500",pod="idle"': lambda step: 10 if step > 0 else 0,
        }
    )
    expected = {510: set(), 520: {FAST}}  # 518.4 s
    assert moments(judge(tmp_path, promised()), past, expected) == expected


# --- what is said ---


def test_a_page_says_what_burns_how_fast_until_when_and_what_to_do(tmp_path: Path) -> None:
    promtool = judge(tmp_path, promised(title="Checkout {{works}}"))
    alert = promtool.fired([(failing(1.0), after(60))])[0][FAST]
    assert alert.labels == (
        f'alertname="{FAST}", objective="availability", service="checkout", severity="page", '
        'slo="checkout-availability"'
    )
    assert alert.annotations == (
        'description="In the last 1 h events went bad 16.7 times as fast as a target of 99.9% over 30 days allows. '
        "It goes on: the last 5 min, too, are above 14.4×, enough to take 2% of it in 1 h. "
        "At this rate a full budget is gone in 1d 19h 11m 59s. First: find what changed just before it began "
        "(a deploy, a setting, a dependency) and undo it; look for the cause when users are served again. "
        'What is left: `director status checkout`.", '
        'summary="checkout: Checkout {{works}} (availability) burns its error budget 16.7 times too fast"'
    )


def test_a_ticket_can_wait_and_says_so(tmp_path: Path) -> None:
    burning = failing(0.002, before=0.002)
    alert = judge(tmp_path, promised()).fired([(burning, after(60))])[0][DAYS]
    assert 'severity="ticket"' in alert.labels
    assert alert.annotations == (
        'description="In the last 3 days events went bad 2.0 times as fast as a target of 99.9% over 30 days allows. '
        "It goes on: the last 6 h, too, are above 1×, enough to take 10% of it in 3 days. "
        "At this rate a full budget is gone in 15d 0h 0m 0s. It can wait for the morning, not for next week. "
        "First: find which endpoint or dependency the bad events come from, and since when. "
        'What is left: `director status checkout`.", '
        'summary="checkout: checkout-availability (availability) burns its error budget 2.0 times too fast"'
    )
