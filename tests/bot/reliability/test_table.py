"""A CSV table of hourly events as a source: closed hours only, gaps stay gaps, mistakes are told with their line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from bot.reliability.definitions import Indicator, Slices, TableQuery, Window
from bot.reliability.hours import ABSENT
from bot.reliability.metrics import Ask, Failed, Measured, Tally
from bot.reliability.table import TableError, Tables, read_table
from bot.reliability.windows import CalendarWindow, Span

AT = datetime(2026, 11, 16, 8, 20, tzinfo=UTC)
CLOSED = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def table(folder: Path, rows: Mapping[str, Mapping[int, float]]) -> Path:
    """Series -> hours before the last closed hour's end -> events."""
    lines = ["hour,series,events"]
    for series, hours in rows.items():
        lines += [f"{(CLOSED - ago * HOUR).isoformat()},{series},{events}" for ago, events in hours.items()]
    path = folder / "events.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


async def ask(
    path: Path,
    *,
    window: str | Window = "28d",
    at: datetime = AT,
    slices: Slices | None = None,
    excluded: tuple[Span, ...] = (),
    good: bool = False,
) -> Measured | Failed:
    if isinstance(window, str):
        length = timedelta(hours=int(window[:-1])) if window.endswith("h") else timedelta(days=int(window[:-1]))
        window = Window(window, length)
    total, bad, fine = (TableQuery(path, series) for series in ("all", "bad", "good"))
    indicator = Indicator("ratio", total=total, good=fine) if good else Indicator("ratio", total=total, bad=bad)
    question = Ask(indicator, window, slices=slices, excluded=excluded)
    return (await Tables().measure([question], at, method="hours"))[0]


async def test_events_of_the_window_s_closed_hours_are_summed(tmp_path: Path) -> None:
    path = table(tmp_path, {"all": dict.fromkeys(range(-1, 30), 100), "bad": {0: 50, 1: 3, 5: 2, 24: 1, 25: 40}})
    found = await ask(path, window="24h")
    assert isinstance(found, Measured)
    assert (found.tally, found.burn["1h"], found.burn["6h"]) == (
        Tally(Fraction(6), Fraction(2400)),
        Tally(Fraction(3), Fraction(100)),
        Tally(Fraction(5), Fraction(600)),
    )


async def test_an_hour_that_still_runs_does_not_change_the_figures(tmp_path: Path) -> None:
    path = table(tmp_path, {"all": dict.fromkeys(range(-1, 30), 100), "bad": {0: 50}})
    assert await ask(path, at=CLOSED) == await ask(path, at=CLOSED + timedelta(minutes=59))


async def test_a_missing_series_is_absent_and_not_zero(tmp_path: Path) -> None:
    found = await ask(table(tmp_path, {"all": {1: 100}}))
    assert isinstance(found, Measured)
    assert (found.tally, found.matched, found.burn["1h"]) == (
        Tally(None, Fraction(100)),
        False,
        Tally(None, Fraction(100)),
    )
    nothing = await ask(table(tmp_path, {"other": {1: 100}}))
    assert isinstance(nothing, Measured)
    assert (nothing.tally, max(nothing.hours.total) >= 0) == (Tally(None, None), False)


@pytest.mark.parametrize(("newest", "silent"), [(1, False), (2, False), (3, True)])
async def test_a_table_is_silent_once_two_closed_hours_are_missing(tmp_path: Path, newest: int, silent: bool) -> None:  # noqa: FBT001
    found = await ask(table(tmp_path, {"all": dict.fromkeys(range(newest, 700), 10)}))
    assert isinstance(found, Measured)
    assert found.silent_since == (CLOSED - (newest - 1) * HOUR if silent else None)


async def test_a_calendar_period_has_its_closed_hours_in_its_own_zone(tmp_path: Path) -> None:
    path = table(tmp_path, {"all": dict.fromkeys(range(1, 800), 10), "bad": {369: 1, 370: 5}})
    month = CalendarWindow.of(1, "M", datetime(2026, 1, 1), "Europe/Berlin")  # noqa: DTZ001 - local time of its zone
    found = await ask(path, window=month)
    assert isinstance(found, Measured)
    hours = 24 * 15 + 9  # from 31 October 23:00 UTC to 16 November 08:00 UTC
    assert (len(found.hours), found.hours.first, found.tally) == (
        hours,
        datetime(2026, 11, 1, 0, tzinfo=UTC),
        Tally(Fraction(1), Fraction(10 * hours)),
    )
    earlier = await ask(path, window=month, at=datetime(2026, 10, 31, 23, 30, tzinfo=UTC))
    assert isinstance(earlier, Measured)
    assert (len(earlier.hours), earlier.tally) == (0, Tally(None, None))


async def test_an_hour_that_an_exclusion_touches_is_left_out_as_a_whole(tmp_path: Path) -> None:
    path = table(tmp_path, {"all": dict.fromkeys(range(1, 30), 100), "bad": {1: 3, 2: 5, 3: 7}})
    cut = Span(CLOSED - HOUR - timedelta(minutes=10), CLOSED - HOUR)  # within the hour that starts 2 h before
    found = await ask(path, window="24h", excluded=(cut,))
    assert isinstance(found, Measured)
    assert (found.tally, found.taken_out, found.burn["1h"], found.burn["6h"]) == (
        Tally(Fraction(10), Fraction(2300)),
        Tally(Fraction(5), Fraction(100)),
        Tally(Fraction(3), Fraction(100)),
        Tally(Fraction(10), Fraction(500)),
    )
    assert list(found.hours.total) == [100.0] * 22 + [0.0, 100.0]


@pytest.mark.parametrize("good", [False, True])
async def test_slices_of_an_hour_are_bad_below_their_target(tmp_path: Path, good: bool) -> None:  # noqa: FBT001
    rows = {"all": {1: 100, 2: 100, 3: 0, 4: 100}, "bad": {1: 5, 2: 6}, "good": {1: 95, 2: 94, 3: 0, 4: 100}}
    found = await ask(table(tmp_path, rows), window="5h", slices=Slices(HOUR, Decimal("0.95")), good=good)
    assert isinstance(found, Measured)
    assert (found.tally, found.matched) == (Tally(Fraction(1), Fraction(4)), True)
    hours = zip(found.hours.part, found.hours.total, strict=True)
    assert list(hours) == [(ABSENT, ABSENT), (0, 1), (0, 1), (1, 1), (0, 1)]


async def test_slices_finer_than_the_table_are_refused(tmp_path: Path) -> None:
    path = table(tmp_path, {"all": {1: 100}})
    assert await ask(path, slices=Slices(timedelta(minutes=5), Decimal("0.95"))) == Failed(
        sentence="A table holds events by the hour, so its slices must last 1h; set timeSliceWindow: 1h, "
        "or budget by Occurrences.",
        queries={"bad": "events.csv: series bad", "total": "events.csv: series all"},
        source="table events.csv",
    )


async def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = table(tmp_path, {"all": {1: 100}})
    indicator = Indicator("ratio", total=TableQuery(path, "all"), bad=TableQuery(path, "bad"))
    tables, question = Tables(), Ask(indicator, Window("1d", timedelta(days=1)))
    await tables.measure([question], AT, method="hours")
    table(tmp_path, {"all": {1: 7}})
    os.utime(path, (1, 1))
    answer = (await tables.measure([question], AT, method="hours"))[0]
    assert isinstance(answer, Measured)
    assert answer.tally == Tally(None, Fraction(7))


async def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.csv"
    assert await ask(path) == Failed(
        sentence=f"The table {path} can't be read: No such file or directory. Check metricSource.spec.file.",
        queries={"bad": "nowhere.csv: series bad", "total": "nowhere.csv: series all"},
        source="table nowhere.csv",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "time,series,events\n",
            "1: the table needs the columns hour,series,events; found are time,series,events",
        ),
        ("", "1: the table needs the columns hour,series,events"),
        (
            "hour,series,events\nmonday,a,1\n",
            "2: 'monday' is no RFC 3339 time; write the hour's start such as 2026-11-16T08:00:00Z",
        ),
        (
            "hour,series,events\n2026-11-16T08:00:00,a,1\n",
            "2: '2026-11-16T08:00:00' is no RFC 3339 time; write the hour's start such as 2026-11-16T08:00:00Z",
        ),
        (
            "hour,series,events\n2026-11-16T08:30:00Z,a,1\n",
            "2: '2026-11-16T08:30:00Z' is not the start of an hour; write 2026-11-16T08:00:00Z",
        ),
        (
            "hour,series,events\n2026-11-16T08:00:00Z,a,-1\n",
            "2: '-1' is no number of events; write 0 or more, such as 1000 or 12.5",
        ),
        (
            "hour,series,events\n2026-11-16T08:00:00Z,a,nan\n",
            "2: 'nan' is no number of events; write 0 or more, such as 1000 or 12.5",
        ),
        (
            "hour,series,events\n2026-11-16T08:00:00Z,a,1e400\n",
            "2: '1e400' is no number of events; write 0 or more, such as 1000 or 12.5",
        ),
        (
            "hour,series,events\n2026-11-16T08:00:00Z,a,1,000\n",
            "2: more cells than columns; write 1000, not 1,000",
        ),
        (
            "hour,series,events,events\n2026-11-16T08:00:00Z,a,1,2\n",
            "1: a column stands twice in hour,series,events,events; keep one",
        ),
        (
            "hour,series,events\n0001-01-01T00:00:00+05:00,a,1\n",
            "2: '0001-01-01T00:00:00+05:00' is no RFC 3339 time; write the hour's start such as 2026-11-16T08:00:00Z",
        ),
        (
            'hour,series,events\n"2026-11-16T08:00:00Z,a,1\n',
            "2: this is not a CSV table in UTF-8: unexpected end of data",
        ),
        (
            "hour,series,events\n2026-11-16T08:00:00Z,a,\n",
            "2: events is empty; every row needs hour,series,events",
        ),
        (
            "hour,series,events\n2026-11-16T08:00:00Z,a,1\n2026-11-16T09:00:00+01:00,a,2\n",
            "3: a has this hour twice; keep one row",
        ),
    ],
)
def test_each_mistake_in_a_table_is_told_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "events.csv"
    path.write_text(text)
    with pytest.raises(TableError) as raised:
        read_table(path)
    assert str(raised.value) == f"{path}:{expected}"


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffhour,series,events\r\n2026-11-16T08:00:00Z,a,1000\r\n",
        "Hour, Series, Events\n2026-11-16 09:00:00+01:00, a, 1e3\n",
        "team,events,series,hour\nx,1000.0,a,2026-11-16T08:00:00Z\n\n",
    ],
)
def test_a_table_as_spreadsheets_write_it_is_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "events.csv"
    path.write_text(text, newline="")
    assert read_table(path) == {"a": {CLOSED: Fraction(1000)}}
