"""Times that do not count: whole, by the zone's clock, and only those that touch what is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.reliability.exclusions import Exclusion, excluded
from bot.reliability.windows import Span

SUNDAY = datetime(2026, 11, 15, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)


def maintenance(
    rule: str = "FREQ=WEEKLY;BYDAY=SU;BYHOUR=3", duration: timedelta = HOUR, zone: str = "UTC"
) -> Exclusion:
    return Exclusion(service="checkout", rule=rule, duration=duration, reason="upgrade", owner="dana", zone=zone)


def test_times_that_touch_the_span_come_whole_oldest_first() -> None:
    found = maintenance().spans(Span(SUNDAY - timedelta(days=7) + HOUR / 2, SUNDAY + HOUR / 2))
    week = timedelta(days=7)
    assert found == (Span(SUNDAY - week, SUNDAY - week + HOUR), Span(SUNDAY, SUNDAY + HOUR))


def test_a_time_that_ends_where_the_span_begins_does_not_touch_it() -> None:
    assert maintenance().spans(Span(SUNDAY + HOUR, SUNDAY + 2 * HOUR)) == ()
    assert maintenance().spans(Span(SUNDAY - HOUR, SUNDAY)) == ()


def test_a_long_time_that_began_well_before_still_touches() -> None:
    frozen = maintenance("FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=1", timedelta(days=20))
    assert frozen.spans(Span(SUNDAY, SUNDAY + HOUR)) == (
        Span(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)),
    )


def test_an_hour_stays_an_hour_when_the_clocks_change() -> None:
    nightly = maintenance("FREQ=DAILY;BYHOUR=2", zone="Europe/Berlin")
    day = datetime(2026, 10, 25, tzinfo=UTC)
    assert nightly.spans(Span(day - HOUR, day + 6 * HOUR)) == (Span(day, day + HOUR),)


def test_overlapping_times_are_left_out_once() -> None:
    both = (maintenance(), maintenance("FREQ=WEEKLY;BYDAY=SU;BYHOUR=2", 1.5 * HOUR))
    assert excluded(both, Span(SUNDAY - 3 * HOUR, SUNDAY + 3 * HOUR)) == (Span(SUNDAY - HOUR, SUNDAY + HOUR),)


def test_the_service_is_meant_in_any_case() -> None:
    assert [maintenance().concerns(name) for name in ("checkout", "Checkout", "checkouts")] == [True, True, False]
