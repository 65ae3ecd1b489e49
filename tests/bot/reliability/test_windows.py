"""Windows: rolling ones, and calendar periods on the clock of their own zone, through both clock changes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reliability.windows import CalendarWindow, Period, Span, Window

VECTORS = json.loads((Path(__file__).parents[2] / "data" / "slo-reference-vectors.json").read_text())
HOUR = timedelta(hours=1)


def calendar(label: str, start: str = "2026-01-01 00:00:00", zone: str = "UTC") -> CalendarWindow:
    unit: Period = label[-1]  # type: ignore[assignment]
    return CalendarWindow.of(int(label[:-1]), unit, datetime.fromisoformat(start), zone)


def period(window: CalendarWindow, at: str, zone: str = "UTC") -> tuple[str, str]:
    """Beginning and end of the period around this local time, in local time."""
    moment = datetime.fromisoformat(at).replace(tzinfo=ZoneInfo(zone))
    edges = (window.span(moment).start, window.period_end(moment))
    return (
        f"{edges[0].astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}",
        f"{edges[1].astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}",
    )


@pytest.mark.parametrize("vector", VECTORS["calendar_month_999"], ids=lambda item: f"{item['month']} {item['tz']}")
def test_a_month_has_the_hours_that_its_zone_gives_it(vector: dict[str, object]) -> None:
    zone = str(vector["tz"])
    window = calendar("1M", zone=zone)
    middle = datetime.fromisoformat(f"{vector['month']}-15 12:00").replace(tzinfo=ZoneInfo(zone))
    assert (window.period_end(middle) - window.span(middle).start) / HOUR == vector["hours"]


@pytest.mark.parametrize(
    ("label", "start", "at", "expected"),
    [
        ("1d", "2026-01-01 06:00:00", "2026-02-03 05:59", ("2026-02-02 06:00", "2026-02-03 06:00")),
        ("1w", "2026-01-05 00:00:00", "2026-11-22 23:00", ("2026-11-16 00:00", "2026-11-23 00:00")),
        ("2w", "2026-01-05 00:00:00", "2026-11-22 23:00", ("2026-11-09 00:00", "2026-11-23 00:00")),
        ("1M", "2026-01-01 00:00:00", "2026-02-28 23:59", ("2026-02-01 00:00", "2026-03-01 00:00")),
        ("1M", "2026-01-15 12:30:00", "2026-02-15 12:29", ("2026-01-15 12:30", "2026-02-15 12:30")),
        ("2M", "2025-12-01 00:00:00", "2026-03-31 00:00", ("2026-02-01 00:00", "2026-04-01 00:00")),
        ("1Q", "2026-01-01 00:00:00", "2026-11-22 10:00", ("2026-10-01 00:00", "2027-01-01 00:00")),
        ("1Q", "2026-02-01 00:00:00", "2026-11-22 10:00", ("2026-11-01 00:00", "2027-02-01 00:00")),
        ("1Y", "2024-07-01 00:00:00", "2026-06-30 10:00", ("2025-07-01 00:00", "2026-07-01 00:00")),
    ],
)
def test_periods_follow_each_other_from_the_start(label: str, start: str, at: str, expected: tuple[str, str]) -> None:
    assert period(calendar(label, start), at) == expected


@pytest.mark.parametrize(
    ("start", "at", "expected"),
    [
        ("2026-01-31 00:00:00", "2026-02-10 00:00", ("2026-01-31 00:00", "2026-02-28 00:00")),
        ("2026-01-31 00:00:00", "2026-03-10 00:00", ("2026-02-28 00:00", "2026-03-31 00:00")),
        ("2026-01-31 00:00:00", "2026-04-30 12:00", ("2026-04-30 00:00", "2026-05-31 00:00")),
        ("2023-12-31 00:00:00", "2024-02-29 12:00", ("2024-02-29 00:00", "2024-03-31 00:00")),
    ],
)
def test_a_start_on_the_31st_means_each_month_s_last_day_where_there_is_none(
    start: str, at: str, expected: tuple[str, str]
) -> None:
    assert period(calendar("1M", start), at) == expected


def test_a_year_from_a_leap_day_begins_on_the_28th_in_other_years() -> None:
    assert period(calendar("1Y", "2024-02-29 00:00:00"), "2026-06-01 00:00") == ("2026-02-28 00:00", "2027-02-28 00:00")


@pytest.mark.parametrize(
    ("at", "hours"), [("2026-03-29 12:00", 23), ("2026-10-25 12:00", 25), ("2026-06-01 12:00", 24)]
)
def test_a_day_is_as_long_as_the_clocks_make_it(at: str, hours: int) -> None:
    window = calendar("1d", zone="Europe/Berlin")
    moment = datetime.fromisoformat(at).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    assert window.period_end(moment) - window.span(moment).start == hours * HOUR


def test_a_period_that_would_begin_in_the_hour_that_is_left_out_begins_an_hour_later_that_day_only() -> None:
    window = calendar("1d", "2026-01-01 02:30:00", "Europe/Berlin")
    assert period(window, "2026-03-29 12:00", "Europe/Berlin") == ("2026-03-29 03:30", "2026-03-30 02:30")


def test_a_period_that_would_begin_in_the_hour_that_comes_twice_begins_the_first_time() -> None:
    window = calendar("1d", "2026-01-01 02:30:00", "Europe/Berlin")
    assert window.span(datetime(2026, 10, 25, 12, tzinfo=UTC)).start == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_day_that_a_country_left_out_is_no_period() -> None:
    window = calendar("1d", "2011-12-01 00:00:00", "Pacific/Apia")
    assert period(window, "2011-12-31 12:00", "Pacific/Apia") == ("2011-12-31 00:00", "2012-01-01 00:00")


def test_the_instant_that_ends_a_period_belongs_to_it() -> None:
    window = calendar("1M", zone="Europe/Berlin")
    midnight = datetime(2026, 2, 28, 23, 0, tzinfo=UTC)
    assert window.span(midnight) == Span(datetime(2026, 1, 31, 23, 0, tzinfo=UTC), midnight)
    assert window.period_end(midnight) == midnight
    later = midnight + timedelta(seconds=1)
    assert window.span(later) == Span(midnight, later)


def test_before_the_start_the_periods_are_the_same_ones_further_back() -> None:
    assert period(calendar("1Q"), "2025-11-16 08:00") == ("2025-10-01 00:00", "2026-01-01 00:00")


@pytest.mark.parametrize(("label", "days"), [("3d", 3), ("2w", 14), ("1M", 30), ("1Q", 90), ("1Y", 365)])
def test_a_calendar_window_has_a_nominal_length_for_words_and_thresholds(label: str, days: int) -> None:
    window = calendar(label)
    assert (window.label, window.length) == (label, timedelta(days=days))


@given(
    label=st.sampled_from(["1d", "3d", "1w", "1M", "5M", "1Q", "1Y"]),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]),
    start=st.datetimes(datetime(1970, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001  # local time
    at=st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_every_instant_lies_in_one_period_and_the_next_one_begins_where_it_ends(
    label: str, zone: str, start: datetime, at: datetime
) -> None:
    window = calendar(label, str(start.replace(microsecond=0)), zone)
    span, end = window.span(at), window.period_end(at)
    assert span.start < at <= end
    assert window.span(end).start == span.start
    assert window.span(end + timedelta(microseconds=1)).start == end
    assert end - span.start <= window.length * 1.1 + timedelta(days=2)


def test_a_window_needs_an_amount_and_local_time() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        calendar("0M")
    with pytest.raises(ValueError, match="local time"):
        CalendarWindow.of(1, "M", datetime(2026, 1, 1, tzinfo=UTC), "UTC")


def test_a_rolling_window_is_as_long_across_a_clock_change_as_always() -> None:
    at = datetime(2026, 3, 29, 12, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    window = Window("1d", timedelta(days=1))
    assert window.span(at) == Span(at.astimezone(UTC) - timedelta(days=1), at)
    assert window.span(at).length == timedelta(days=1)
    assert window.period_end(at) is None


def test_a_span_over_the_hour_that_comes_twice_is_measured_in_true_time() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    span = Span(datetime(2026, 10, 25, 2, 30, tzinfo=berlin), datetime(2026, 10, 25, 2, 10, tzinfo=berlin, fold=1))
    assert span.length == timedelta(minutes=40)
