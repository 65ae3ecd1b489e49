"""When schedules come due: local time, clock changes, what was missed."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import Incoming, IncomingKind, Place, Slot
from bot.schedules import GRACE, Schedule, due_slots, due_turns, late_note, next_slots, slot_key

PLACE = Place(platform="slack", workspace="T1", channel="C1")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
DAILY = (0, 1, 2, 3, 4, 5, 6)


def schedule(**fields: object) -> Schedule:
    return Schedule.model_validate(
        {
            "id": "s7",
            "place": PLACE,
            "channel_name": "payments",
            "what": "review",
            "days": (0,),
            "time": "09:00",
            "zone": "Europe/Berlin",
            "services": (),
            "created_by": "U1",
            "created_at": LONG_AGO,
            "active_since": LONG_AGO,
            "paused": False,
            **fields,
        }
    )


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def dues(slots: list[Slot]) -> list[tuple[str, str]]:
    return [(slot.local, slot.due_at.isoformat(timespec="minutes").removesuffix("+00:00")) for slot in slots]


def test_a_slot_has_its_local_time_its_zone_and_its_instant() -> None:
    assert due_slots(schedule(), utc("2026-11-16 08:00"), utc("2026-11-23 08:00")) == [
        Slot(schedule_id="s7", local="2026-11-23T09:00", zone="Europe/Berlin", due_at=utc("2026-11-23 08:00"))
    ]


def test_the_window_is_open_at_its_start_and_closed_at_its_end() -> None:
    at = utc("2026-11-23 08:00")
    second = timedelta(seconds=1)
    assert [
        len(due_slots(schedule(), after, until))
        for after, until in [(at - second, at), (at, at + second), (at - second, at - second / 2), (at, at)]
    ] == [1, 0, 0, 0]


def test_the_days_are_those_of_the_zone_and_not_of_utc() -> None:
    monday_in_auckland = schedule(zone="Pacific/Auckland", time="08:00")
    assert dues(due_slots(monday_in_auckland, utc("2026-11-20 00:00"), utc("2026-11-25 00:00"))) == [
        ("2026-11-23T08:00", "2026-11-22T19:00")
    ]


CHANGES = [
    # zone, time, from, until, (local slot, UTC instant): the change is in the middle
    ("Europe/Berlin", "02:30", "2026-03-28", "2026-03-31", [("28", "01:30"), ("29", "01:30"), ("30", "00:30")]),
    ("Europe/Berlin", "09:00", "2026-03-28", "2026-03-31", [("28", "08:00"), ("29", "07:00"), ("30", "07:00")]),
    ("Europe/Berlin", "02:30", "2026-10-24", "2026-10-27", [("24", "00:30"), ("25", "00:30"), ("26", "01:30")]),
    ("America/New_York", "02:30", "2026-03-07", "2026-03-10", [("07", "07:30"), ("08", "07:30"), ("09", "06:30")]),
    ("America/New_York", "01:30", "2026-10-31", "2026-11-03", [("31", "05:30"), ("01", "05:30"), ("02", "06:30")]),
    # Lord Howe moves by half an hour: +10:30 in winter, +11 in summer
    ("Australia/Lord_Howe", "02:15", "2026-10-02", "2026-10-06", [("03", "15:45"), ("04", "15:45"), ("05", "15:15")]),
    ("Australia/Lord_Howe", "01:45", "2026-04-03", "2026-04-06", [("04", "14:45"), ("05", "14:45"), ("06", "15:15")]),
]


@pytest.mark.parametrize(("zone", "time", "first", "last", "expected"), CHANGES)
def test_a_clock_change_neither_loses_nor_doubles_a_slot(
    zone: str, time: str, first: str, last: str, expected: list[tuple[str, str]]
) -> None:
    slots = due_slots(schedule(days=DAILY, zone=zone, time=time), utc(f"{first} 12:00") - timedelta(days=1), utc(last))
    found = [(slot.local[8:10], f"{slot.due_at:%H:%M}") for slot in slots]
    assert [entry for entry in found if entry in expected] == expected
    assert len({slot.local for slot in slots}) == len(slots)


def test_a_time_that_the_clocks_skip_comes_an_hour_later_by_the_wall() -> None:
    [slot] = due_slots(schedule(days=(6,), time="02:30"), utc("2026-03-28 12:00"), utc("2026-03-29 12:00"))
    assert (slot.local, f"{slot.due_at.astimezone(ZoneInfo('Europe/Berlin')):%H:%M}") == ("2026-03-29T02:30", "03:30")


ZONES = sorted(zoneinfo.available_timezones())


@given(
    zone=st.sampled_from(ZONES),
    time=st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 45])),
    days=st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    start=st.integers(0, 20 * 525_600).map(lambda minutes: utc("2015-01-01") + timedelta(minutes=minutes)),
    steps=st.lists(st.integers(1, 4000), min_size=1, max_size=30),
)
def test_however_time_is_cut_into_ticks_every_local_slot_comes_exactly_once(
    zone: str, time: str, days: tuple[int, ...], start: datetime, steps: list[int]
) -> None:
    due = schedule(zone=zone, time=time, days=days)
    begin = now = start
    ticked: list[str] = []
    for minutes in steps:
        until = now + timedelta(minutes=minutes)
        ticked += [slot.local for slot in due_slots(due, now, until)]
        now = until
    assert sorted(ticked) == sorted(slot.local for slot in due_slots(due, begin, now))
    assert len(set(ticked)) == len(ticked)
    # and by another way of counting: every local date between has its slot
    inside = begin.astimezone(ZoneInfo(zone)).date() + timedelta(days=2)
    while inside < now.astimezone(ZoneInfo(zone)).date() - timedelta(days=2):
        assert (f"{inside}T{time}" in ticked) == (inside.weekday() in days)
        inside += timedelta(days=1)


def test_the_next_slots_of_a_weekly_schedule_lie_weeks_apart() -> None:
    assert dues(next_slots(schedule(), utc("2026-03-20 00:00"), 3)) == [
        ("2026-03-23T09:00", "2026-03-23T08:00"),
        ("2026-03-30T09:00", "2026-03-30T07:00"),
        ("2026-04-06T09:00", "2026-04-06T07:00"),
    ]


def test_a_due_slot_is_a_turn_in_its_channel() -> None:
    now = utc("2026-11-23 08:00:03")
    assert due_turns([schedule(services=("checkout", "fraud"))], now) == [
        Incoming(
            kind=IncomingKind.SLOT,
            dedupe_key="schedule:s7:2026-11-23T09:00",
            place=PLACE,
            text="review for checkout,fraud",
            received_at=now,
            speaker_id="U1",
            channel_name="payments",
            slot=Slot(schedule_id="s7", local="2026-11-23T09:00", zone="Europe/Berlin", due_at=utc("2026-11-23 08:00")),
        )
    ]


DUE = utc("2026-11-23 08:00")


@pytest.mark.parametrize(
    ("case", "row", "now", "known", "keys"),
    [
        ("not yet due", schedule(), DUE - timedelta(seconds=1), (), []),
        ("due to the second", schedule(), DUE, (), ["2026-11-23T09:00"]),
        ("a tick that comes late", schedule(), DUE + timedelta(minutes=3), (), ["2026-11-23T09:00"]),
        ("missed for a while", schedule(), DUE + GRACE - timedelta(seconds=1), (), ["2026-11-23T09:00"]),
        ("missed for too long", schedule(), DUE + GRACE, (), []),
        ("stored before", schedule(), DUE, ("schedule:s7:2026-11-23T09:00",), []),
        ("paused", schedule(paused=True), DUE, (), []),
        ("made after the slot", schedule(active_since=DUE), DUE + timedelta(minutes=1), (), []),
        ("made just before the slot", schedule(active_since=DUE - timedelta(seconds=1)), DUE, (), ["2026-11-23T09:00"]),
    ],
)
def test_which_slots_are_put_in(
    case: str, row: Schedule, now: datetime, known: tuple[str, ...], keys: list[str]
) -> None:
    assert [turn.dedupe_key for turn in due_turns([row], now, known)] == [f"schedule:s7:{key}" for key in keys], case


def test_of_several_missed_slots_only_the_newest_is_caught_up() -> None:
    now = utc("2026-11-25 12:00")
    [turn] = due_turns([schedule(days=DAILY)], now, grace=timedelta(days=7))
    assert turn.dedupe_key == "schedule:s7:2026-11-25T09:00"


def test_the_hour_that_comes_twice_has_one_key() -> None:
    nightly = schedule(days=DAILY, time="02:30")
    first, again = utc("2026-10-25 00:30"), utc("2026-10-25 01:30")
    assert {turn.dedupe_key for now in (first, again) for turn in due_turns([nightly], now)} == {
        "schedule:s7:2026-10-25T02:30"
    }


@pytest.mark.parametrize(
    ("minutes", "note"),
    [
        (0, None),
        (10, None),
        (11, "Late: due 2026-11-23 09:00 Europe/Berlin, made at 09:11."),
        (16 * 60, "Late: due 2026-11-23 09:00 Europe/Berlin, made at 2026-11-24 01:00."),
    ],
)
def test_what_comes_late_says_so(minutes: int, note: str | None) -> None:
    [slot] = due_slots(schedule(), DUE - timedelta(seconds=1), DUE)
    assert late_note(slot, DUE + timedelta(minutes=minutes)) == note


def test_slots_of_two_schedules_have_two_keys() -> None:
    at = (DUE - timedelta(seconds=1), DUE)
    [one], [other] = due_slots(schedule(), *at), due_slots(schedule(id="s8"), *at)
    assert slot_key(one) != slot_key(other)
