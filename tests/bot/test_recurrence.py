"""Recurring times: the anchor, the zone's clock and what is refused because it can't be meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.recurrence import NoRecurrence, Recurrence


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def given(rule: str, first: str, last: str, zone: str = "UTC") -> list[str]:
    return [f"{start:%Y-%m-%dT%H:%M}" for start in Recurrence(rule, zone).between(at(first), at(last))]


@pytest.mark.parametrize(
    ("rule", "zone", "starts"),
    [
        ("FREQ=WEEKLY;BYDAY=SU;BYHOUR=3", "UTC", ["2026-11-01T03:00", "2026-11-08T03:00", "2026-11-15T03:00"]),
        ("FREQ=WEEKLY;BYHOUR=3", "UTC", ["2026-11-02T03:00", "2026-11-09T03:00"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU", "UTC", ["2026-11-08T00:00"]),
        ("FREQ=MONTHLY;BYDAY=2TU;BYHOUR=22;BYMINUTE=30", "UTC", ["2026-11-10T22:30"]),
        ("RRULE:freq=monthly", "America/New_York", ["2026-11-01T04:00"]),
        ("FREQ=DAILY;UNTIL=20261102", "UTC", ["2026-11-01T00:00", "2026-11-02T00:00"]),
        ("FREQ=DAILY;BYHOUR=1;UNTIL=20261102T000000Z", "Europe/Berlin", ["2026-11-01T00:00", "2026-11-02T00:00"]),
        ("FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=11;COUNT=2", "UTC", []),
        ("FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=11;COUNT=3", "UTC", ["2026-11-11T00:00"]),
    ],
)
def test_it_counts_from_a_monday_by_the_clock_of_its_zone(rule: str, zone: str, starts: list[str]) -> None:
    assert given(rule, "2026-11-01", "2026-11-15T03:00", zone) == starts


@pytest.mark.parametrize(
    "rule",
    ["FREQ=YEARLY;INTERVAL=400", "FREQ=MONTHLY;INTERVAL=7;BYDAY=-1FR", "FREQ=DAILY;INTERVAL=28;BYDAY=MO"],
)
def test_a_rule_that_recurs_rarely_is_one(rule: str) -> None:
    assert given(rule, "2024-01-01", "2027-01-01")


def test_nothing_recurs_before_the_anchor() -> None:
    assert given("FREQ=DAILY", "2023-12-30", "2024-01-02") == ["2024-01-01T00:00", "2024-01-02T00:00"]


def test_an_hour_that_the_clocks_skip_comes_later_and_one_that_comes_twice_comes_first() -> None:
    nightly = "FREQ=DAILY;BYHOUR=2;BYMINUTE=30"
    assert given(nightly, "2026-03-28", "2026-03-31", "Europe/Berlin") == [
        "2026-03-28T01:30",
        "2026-03-29T01:30",  # 03:30 in summer time: 02:30 did not exist
        "2026-03-30T00:30",
    ]
    assert given(nightly, "2026-10-24", "2026-10-27", "Europe/Berlin") == [
        "2026-10-24T00:30",
        "2026-10-25T00:30",
        "2026-10-26T01:30",
    ]


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("DTSTART=20260101;FREQ=DAILY", "leave DTSTART out"),
        ("FREQ=DAILY FREQ=WEEKLY", "one rule without blanks"),
        ("RRULE:FREQ=DAILY\nEXDATE:20260101T000000", "one rule without blanks"),
        ("", "is no recurrence rule"),
        ("BYDAY=SU", "is no recurrence rule"),
        ("FREQ=SOMETIMES", "invalid 'FREQ': SOMETIMES"),
        ("FREQ=DAILY;BYHOUR=25", "BYHOUR must lie between 0 and 23"),
        ("FREQ=HOURLY;INTERVAL=400;BYHOUR=24", "BYHOUR must lie between 0 and 23"),
        ("FREQ=HOURLY;INTERVAL=24;BYHOUR=3", "is no recurrence rule"),
        ("FREQ=MONTHLY;BYDAY=53MO", "never recurs"),
        ("FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30", "never recurs"),
        ("FREQ=DAILY;BYSETPOS=2", "never recurs"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL must be a whole number of 1 or more"),
        ("FREQ=DAILY;COUNT=-1", "COUNT must be a whole number of 1 or more"),
        ("FREQ=DAILY;FREQ=WEEKLY", "names FREQ twice"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20261231", "has both COUNT and UNTIL"),
        ("FREQ=DAILY;UNTIL=soon", "UNTIL must be a day"),
        ("FREQ=SECONDLY", "every hour at most"),
        ("FREQ=MINUTELY;INTERVAL=720", "every hour at most"),
        ("FREQ=HOURLY", "gives more than 1,000 times a year"),
        ("FREQ=DAILY;BYHOUR=1,2,3", "gives more than 1,000 times a year"),
        ("FREQ=YEARLY;BYMONTH=13", "BYMONTH must lie between 1 and 12"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30,31", "never recurs"),
        ("FREQ=DAILY;INTERVAL=7000;BYDAY=TU", "never recurs"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_with_the_reason(rule: str, why: str) -> None:
    with pytest.raises(NoRecurrence, match=why):
        Recurrence(rule)


@pytest.mark.parametrize(
    ("rule", "hours", "fills"),
    [
        ("FREQ=DAILY", 24, True),
        ("FREQ=DAILY", 23, False),
        ("FREQ=DAILY;BYMONTH=12", 24, False),
        ("FREQ=DAILY;COUNT=400", 24, False),
        ("FREQ=WEEKLY;BYDAY=SU", 7 * 24, True),
    ],
)
def test_times_that_leave_nothing_between_them_are_known(rule: str, hours: int, *, fills: bool) -> None:
    assert Recurrence(rule).fills(timedelta(hours=hours)) is fills
