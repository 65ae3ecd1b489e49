"""How figures are written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reliability import formats
from bot.reliability.definitions import Indicator, PrometheusQuery, Slices, Threshold
from bot.reliability.windows import CalendarWindow, Span, Window
from tests.bot.reliability.slo_files import DEFINED


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, "–"),
        (Fraction(0), "0%"),
        (Fraction(244, 1000), "24.4%"),
        (Fraction(-1886, 1000), "-188.6%"),
        (Fraction(4, 10_000), "0.04%"),
        (Fraction(-4, 100_000), "-0.004%"),
        (Fraction(1, 10**9), "<0.001%"),
        (Fraction(-1, 10**9), "-<0.001%"),
        (Fraction(123), "12,300.0%"),
    ],
)
def test_percentages(share: Fraction | None, text: str) -> None:
    assert formats.percent(share) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (Fraction(1), "100%"),
        (Fraction(9992, 10_000), "99.920%"),
        (Fraction(999_999_9, 10**7), "99.999990%"),
        (1 - Fraction(1, 10**12), "99.999999999%"),
        (Fraction(0), "0.000%"),
        (None, "–"),
    ],
)
def test_slis_never_look_better_than_they_are(share: Fraction | None, text: str) -> None:
    assert formats.sli(share) == text


@given(st.fractions(0, 1))
def test_only_a_faultless_service_shows_a_hundred_percent(share: Fraction) -> None:
    assert (formats.sli(share) == "100%") == (share == 1)


@given(st.fractions(-1000, 1000))
def test_what_is_not_nothing_never_looks_like_nothing(share: Fraction) -> None:
    assert (formats.percent(share) in {"0%", "0.0%", "-0.0%"}) == (share == 0)


@pytest.mark.parametrize(
    ("target", "text"),
    [("0.999", "99.9%"), ("0.9995", "99.95%"), ("1", "100%"), ("0.99999999", "99.999999%"), ("0.5", "50%")],
)
def test_targets_are_shown_exactly(target: str, text: str) -> None:
    assert formats.target(Decimal(target)) == text


@pytest.mark.parametrize(
    ("events", "text"),
    [
        (None, "–"),
        (Fraction(0), "0"),
        (Fraction(1600), "1,600"),
        (Fraction(3, 2), "1.5"),
        (Fraction("1999999.97"), "2,000,000"),
        (Fraction("2.04"), "2"),
    ],
)
def test_counts(events: Fraction | None, text: str) -> None:
    assert formats.count(events) == text


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (None, "–"),
        (Fraction(0), "0×"),
        (Fraction(14, 10), "1.4×"),
        (Fraction(2, 100), "0.02×"),
        (Fraction(1440), "1,440.0×"),
    ],
)
def test_burn_rates(rate: Fraction | None, text: str) -> None:
    assert formats.burn(rate) == text


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(days=28), "28 days"),
        (timedelta(days=1, hours=2), "1 day 2 h"),
        (timedelta(hours=5, minutes=3), "5 h 3 min"),
        (timedelta(minutes=40, seconds=20), "40 min"),
        (timedelta(seconds=20), "20 s"),
    ],
)
def test_durations(length: timedelta, text: str) -> None:
    assert formats.duration(length) == text


def test_moments_are_in_utc() -> None:
    at = datetime.fromisoformat("2026-11-16T09:05:00+01:00")
    assert (formats.moment(at), formats.day(at)) == ("Mon 16 Nov 2026 08:05 UTC", "16 Nov")
    assert formats.moment(datetime(2026, 1, 2, 3, 4, tzinfo=UTC)) == "Fri 2 Jan 2026 03:04 UTC"


@pytest.mark.parametrize(
    ("start", "hours", "text"),
    [
        ("2026-10-22T08:00:00Z", 1, "Thu 22 Oct 2026 08:00–09:00 UTC"),
        ("2026-10-22T01:30:00+02:00", 2, "Wed 21 Oct 23:30 to Thu 22 Oct 2026 01:30 UTC"),
    ],
)
def test_stretches_of_time_name_each_day_once(start: str, hours: int, text: str) -> None:
    begun = datetime.fromisoformat(start)
    assert formats.stretch(Span(begun, begun + timedelta(hours=hours))) == text


@pytest.mark.parametrize(
    ("names", "text"),
    [((), ""), (("a",), "a"), (("a", "b", "c"), "a, b and c"), (tuple("abcdefg"), "a, b, c, d, e and 2 more")],
)
def test_lists(names: tuple[str, ...], text: str) -> None:
    assert formats.listing(names) == text


def test_a_calendar_window_is_named_by_its_period_and_zone() -> None:
    month = CalendarWindow.of(1, "M", datetime(2026, 1, 1), "Europe/Berlin")  # noqa: DTZ001 - local
    quarters = CalendarWindow.of(2, "Q", datetime(2026, 1, 1), "UTC")  # noqa: DTZ001
    assert formats.window(month) == "1 month (calendar, Europe/Berlin)"
    assert formats.window(quarters) == "2 quarters (calendar, UTC)"
    assert formats.window(Window("28d", timedelta(days=28))) == "28 days"


BUCKETS = 'http_request_duration_seconds_bucket{job="checkout"}'
FAST = Indicator(
    "fast", total=PrometheusQuery("x_count"), good=PrometheusQuery("x"), threshold=Threshold(Decimal("0.250"), BUCKETS)
)


@pytest.mark.parametrize(
    ("indicator", "slices", "text"),
    [
        (DEFINED.indicator, None, "99.9%"),
        (FAST, None, "99.9% at most 0.25 s"),
        (DEFINED.indicator, Slices(timedelta(minutes=1), Decimal("0.95")), "99.9% of minutes with 95% good"),
        (FAST, Slices(timedelta(minutes=5), Decimal("0.95")), "99.9% of slices of 5 min with 95% at most 0.25 s"),
    ],
)
def test_a_promise_says_what_is_good(indicator: Indicator, slices: Slices | None, text: str) -> None:
    assert formats.promise(replace(DEFINED, indicator=indicator, slices=slices)) == text


@pytest.mark.parametrize(
    ("metric", "text"),
    [
        ("rpc_duration_milliseconds_bucket", "250 ms"),
        ("response_size_bytes_bucket{job='a'}", "250 bytes"),
        ("queue_length_bucket", "250"),
        ('{__name__="odd-seconds_bucket"}', "250"),
    ],
)
def test_a_threshold_has_the_unit_that_its_histogram_s_name_tells(metric: str, text: str) -> None:
    assert formats.threshold(Threshold(Decimal("2.5E+2"), metric)) == text


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (Fraction("14.4"), "14.4×"),
        (Fraction("13.44"), "13.44×"),
        (Fraction(6), "6×"),
        (Fraction(20), "20×"),
        (Fraction("0.999"), "0.99×"),
        (Fraction("0.001"), "<0.01×"),
    ],
)
def test_a_burn_to_be_held_against_is_never_rounded_up(rate: Fraction, text: str) -> None:
    assert formats.burn_limit(rate) == text
