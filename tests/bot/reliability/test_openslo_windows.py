"""Time windows in SLO files: rolling ones, calendar periods, and what is said of everything else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.reliability import load_definitions
from bot.reliability.windows import CalendarWindow, Window
from tests.bot.reliability.slo_files import NOW, SLO, mistakes, written

ROLLING = "{duration: 28d, isRolling: true}"


def calendar(
    duration: str = "1M", start: str = "2026-01-01 00:00:00", zone: str = "Europe/Berlin", rolls: str = "false"
) -> str:
    return f"{{duration: {duration}, isRolling: {rolls}, calendar: {{startTime: {start}, timeZone: {zone}}}}}"


def window_of(folder: Path, text: str) -> Window:
    path = written(folder, SLO.replace(ROLLING, text))
    return load_definitions([path], now=NOW).objectives[0].window


@pytest.mark.parametrize(
    ("text", "length"), [("1h", timedelta(hours=1)), ("90m", timedelta(minutes=90)), ("4w", timedelta(weeks=4))]
)
def test_a_rolling_window_is_read(tmp_path: Path, text: str, length: timedelta) -> None:
    assert window_of(tmp_path, ROLLING.replace("28d", text)) == Window(text, length)


def test_a_window_without_a_calendar_rolls(tmp_path: Path) -> None:
    assert window_of(tmp_path, "{duration: 30d}") == Window("30d", timedelta(days=30))


@pytest.mark.parametrize("start", ["2026-01-01 00:00:00", "'2026-01-01 00:00:00'", "2026-01-01T00:00:00"])
@pytest.mark.parametrize("rolls", ["false", ""])
def test_a_calendar_window_is_read(tmp_path: Path, start: str, rolls: str) -> None:
    assert window_of(tmp_path, calendar(start=start, rolls=rolls)) == CalendarWindow(
        "1M", timedelta(days=30), amount=1, unit="M", start=datetime(2026, 1, 1), zone="Europe/Berlin"  # noqa: DTZ001
    )  # fmt: skip


@pytest.mark.parametrize("duration", ["7d", "1w", "52w", "12M", "2Q", "4Q", "1Y", "366d"])
def test_days_weeks_months_quarters_and_years_are_periods(tmp_path: Path, duration: str) -> None:
    assert window_of(tmp_path, calendar(duration)).label == duration


def test_a_period_is_counted_on_the_clock_of_its_zone(tmp_path: Path) -> None:
    span = window_of(tmp_path, calendar()).span(NOW)
    assert (span.start, span.end) == (datetime(2026, 10, 31, 23, 0, tzinfo=UTC), NOW)


@pytest.mark.parametrize(
    ("window", "told"),
    [
        (
            calendar(rolls="true"),
            "isRolling: a window with a calendar doesn't roll; write isRolling: false, or remove calendar",
        ),
        (
            "{duration: 1M, isRolling: false}",
            (
                "isRolling: a window that doesn't roll needs isRolling: false and "
                "calendar: {startTime: 2026-01-01 00:00:00, timeZone: UTC}"
            ),
        ),
        (
            "{duration: 1M, isRolling: true}",
            (
                "duration: '1M' is no rolling window; write hours, days or weeks such as 28d, from 1h to 366d, or add "
                "isRolling: false and calendar: {startTime: 2026-01-01 00:00:00, timeZone: UTC}"
            ),
        ),
        (
            "{duration: 5m}",
            "duration: '5m' is no rolling window; write hours, days or weeks such as 28d, from 1h to 366d",
        ),
        (
            "{duration: 367d}",
            "duration: '367d' is no rolling window; write hours, days or weeks such as 28d, from 1h to 366d",
        ),
        (calendar("1m"), "duration: '1m' is in minutes; write 1M for months"),
        (
            calendar("12h"),
            "duration: '12h' is no calendar period; write days (1d), weeks, months (1M), quarters or years",
        ),
        (
            calendar("month"),
            "duration: 'month' is no calendar period; write days, weeks, months, quarters or years such as 1M",
        ),
        (calendar("2Y"), "duration: '2Y' is too long; write at most a year (1Y, 4Q, 12M, 52w, 366d)"),
        (
            calendar(start="2026-11-22 13:00:01"),
            (
                "calendar.startTime: 2026-11-22 13:00:01 lies in the future; write when a period began, such as the "
                "first one that should count"
            ),
        ),
        (
            calendar(zone="Europe/Berln"),
            "calendar.timeZone: 'Europe/Berln' is no IANA time zone; did you mean Europe/Berlin?",
        ),
        (
            calendar(zone="new york"),
            "calendar.timeZone: 'new york' is no IANA time zone; did you mean America/New_York?",
        ),
        (calendar(zone="moon"), "calendar.timeZone: 'moon' is no IANA time zone; write one such as Europe/Berlin"),
        (
            "{duration: 1M, calendar: {startTime: 2026-01-01 00:00:00}}",
            "calendar.timeZone: is missing; add timeZone: UTC",
        ),
        (
            "{duration: 1M, calendar: {timeZone: UTC}}",
            "calendar.startTime: is missing; add startTime: 2026-01-01 00:00:00",
        ),
        ("{duration: 1M, calendar: monthly}", "calendar: must be a mapping of fields"),
    ],
)  # fmt: skip
def test_a_wrong_window_is_told_with_its_place_and_remedy(tmp_path: Path, window: str, told: str) -> None:
    path = written(tmp_path, SLO.replace(ROLLING, window))
    assert mistakes(path) == [f"slo.yml:14: spec.timeWindow[0].{told}"]


@pytest.mark.parametrize(
    "start",
    [
        "2026-01-01",
        "yesterday",
        "2026-02-30 00:00:00",
        "'2026-02-30 00:00:00'",
        "01/01/2026",
        "2026-01-01 00:00:00Z",
        "2026-01-01T00:00:00+01:00",
        "1969-12-31 00:00:00",
        "'2026-01-01'",
        "20260101",
        "[2026]",
    ],
)
def test_a_start_that_is_no_local_time_is_refused(tmp_path: Path, start: str) -> None:
    [told] = mistakes(written(tmp_path, SLO.replace(ROLLING, calendar(start=start))))
    assert told.startswith("slo.yml:14: spec.timeWindow[0].calendar.startTime: ")
    assert told.endswith(
        "is no local time; write it like 2026-01-01 00:00:00, without a zone (timeZone says it), from 1970 on"
    )


def test_only_one_window_is_possible(tmp_path: Path) -> None:
    path = written(tmp_path, SLO.replace(f"- {ROLLING}", f"- {ROLLING}\n    - {{duration: 7d}}"))
    assert mistakes(path) == ["slo.yml:13: spec.timeWindow: must have exactly one window; write one SLO per window"]
