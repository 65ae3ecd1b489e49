"""Hourly events from a CSV table (`hour,series,events`): a source of figures for whoever has no Prometheus."""

from __future__ import annotations

import asyncio
import csv
import re
from array import array
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

from bot.errors import UsageError
from bot.reliability.definitions import TableQuery
from bot.reliability.hours import ABSENT, HOUR, Hours, hour_floor
from bot.reliability.metrics import BURN_WINDOWS, Ask, Failed, Measured, Method, Tally
from bot.reliability.windows import Span

_COLUMNS = ("hour", "series", "events")
_EVENTS = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?([eE]\+?[0-9])?")
_TOO_FINE = (
    "A table holds events by the hour, so its slices must last 1h; set timeSliceWindow: 1h, or budget by Occurrences."
)
_Series = Mapping[datetime, Fraction]


class TableError(UsageError):
    """The table can't be read; the message names file, line and remedy."""


@dataclass(frozen=True)
class _Read:
    stamp: tuple[int, int]  # modification time and size: read again when the file has changed
    series: Mapping[str, _Series]


class Tables:
    """Every CSV table that SLOs name. Only closed hours count, so an hour's figures don't change while it runs."""

    def __init__(self, *, stale_after: timedelta = HOUR) -> None:
        self._stale_after = stale_after
        self._read: dict[Path, _Read] = {}

    async def measure(self, asks: Sequence[Ask], at: datetime, *, method: Method) -> Sequence[Measured | Failed]:
        _ = method
        return await asyncio.to_thread(self._measure_all, asks, at)

    async def check(self) -> str:
        return "tables are read when they are asked for"

    async def close(self) -> None:
        """Nothing is held open."""

    def _measure_all(self, asks: Sequence[Ask], at: datetime) -> list[Measured | Failed]:
        return [self._measure(ask, at) for ask in asks]

    def _measure(self, ask: Ask, at: datetime) -> Measured | Failed:
        total_query, part_query = ask.indicator.total, ask.indicator.part
        if not isinstance(total_query, TableQuery) or not isinstance(part_query, TableQuery):
            raise TypeError("a table answers only table queries")
        queries = {"bad" if ask.indicator.counts_bad else "good": _shown(part_query), "total": _shown(total_query)}
        source = f"table {total_query.file.name}"
        try:
            part = self._series(part_query)
            total = self._series(total_query)
        except TableError as error:
            return Failed(sentence=str(error), queries=queries, source=source)
        closed = hour_floor(at)
        starts = _starts_of(ask, at, closed)
        matched = any(start in part for start in starts)
        if ask.slices is not None:
            if ask.slices.length != HOUR:
                return Failed(sentence=_TOO_FINE, queries=queries, source=source)
            part, total = _sliced(part, total, ask)
        out = {start for start in starts if _is_touched(start, ask.excluded)}
        last = max((start + HOUR for start in total if start + HOUR <= closed), default=None)
        return Measured(
            method="hours",
            tally=_tally(part, total, starts, ask.excluded),
            by_hours=None,
            burn={
                name: _tally(part, total, _starts(closed - length, closed), ask.excluded)
                for name, length in BURN_WINDOWS.items()
            },
            hours=_hours(part, total, starts, closed, out),
            silent_since=last if last is not None and closed - last > self._stale_after else None,
            matched=matched,
            queries=queries,
            source=source,
            taken_out=_tally(part, total, sorted(out), ()) if out else None,
        )

    def _series(self, query: TableQuery) -> _Series:
        return self._table(query.file).get(query.series, {})

    def _table(self, file: Path) -> Mapping[str, _Series]:
        try:
            status = file.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            known = self._read.get(file)
            if known is None or known.stamp != stamp:
                known = _Read(stamp, read_table(file))
                self._read[file] = known
        except OSError as error:
            raise TableError(
                f"The table {file} can't be read: {error.strerror}. Check metricSource.spec.file."
            ) from error
        return known.series


def read_table(file: Path) -> dict[str, dict[datetime, Fraction]]:
    """Series -> start of hour -> events.

    Raises:
        TableError: a missing column, a time that is no RFC 3339 hour, a number that is none, an hour given twice.
    """
    table: dict[str, dict[datetime, Fraction]] = {}
    with file.open(encoding="utf-8-sig", newline="") as text:
        rows = csv.DictReader(text, strict=True)
        try:
            given = [name.strip().lower() for name in rows.fieldnames or ()]
            if not set(_COLUMNS) <= set(given):
                found = f"; found are {','.join(given)}" if given else ""
                raise TableError(f"{file}:1: the table needs the columns {','.join(_COLUMNS)}{found}")
            if len(set(given)) < len(given):
                raise TableError(f"{file}:1: a column stands twice in {','.join(given)}; keep one")
            rows.fieldnames = given
            for row in rows:
                where = f"{file}:{rows.line_num}"
                if None in row:
                    raise TableError(f"{where}: more cells than columns; write 1000, not 1,000")
                hours = table.setdefault(_cell(row, "series", where), {})
                hour = _start(_cell(row, "hour", where), where)
                if hour in hours:
                    raise TableError(f"{where}: {row['series']} has this hour twice; keep one row")
                hours[hour] = _events(_cell(row, "events", where), where)
        except (csv.Error, UnicodeDecodeError) as error:
            where = f"{file}:{rows.line_num + 1}" if isinstance(error, csv.Error) else str(file)
            raise TableError(f"{where}: this is not a CSV table in UTF-8: {error}") from error
    return table


def _cell(row: Mapping[str, str | None], column: str, where: str) -> str:
    text = (row.get(column) or "").strip()
    if not text:
        raise TableError(f"{where}: {column} is empty; every row needs {','.join(_COLUMNS)}")
    return text


def _start(text: str, where: str) -> datetime:
    try:
        given = datetime.fromisoformat(text)
        hour = given.astimezone(UTC) if given.tzinfo is not None else None
    except (ValueError, OverflowError):
        hour = None
    if hour is None:
        raise TableError(f"{where}: {text!r} is no RFC 3339 time; write the hour's start such as 2026-11-16T08:00:00Z")
    if (hour.minute, hour.second, hour.microsecond) != (0, 0, 0):
        raise TableError(f"{where}: {text!r} is not the start of an hour; write 2026-11-16T08:00:00Z")
    return hour


def _events(text: str, where: str) -> Fraction:
    if not _EVENTS.fullmatch(text):
        raise TableError(f"{where}: {text!r} is no number of events; write 0 or more, such as 1000 or 12.5")
    return Fraction(text)


def _starts_of(ask: Ask, at: datetime, closed: datetime) -> list[datetime]:
    """Starts of the window's closed hours: a rolling one ends with the last of them, a period has what is over."""
    if ask.window.period_end(at) is None:
        return _starts(closed - max(HOUR, ask.window.length), closed)
    return _starts(ask.window.span(at).start, closed)


def _starts(begin: datetime, closed: datetime) -> list[datetime]:
    """Starts of the full hours from `begin` on up to the last closed hour, oldest first."""
    first = begin if begin == hour_floor(begin) else hour_floor(begin) + HOUR
    return [first + index * HOUR for index in range(max(0, (closed - first) // HOUR))]


def _is_touched(start: datetime, excluded: Sequence[Span]) -> bool:
    """Whether any of the hour is excluded: nothing finer is known of it, so all of it is left out."""
    return any(span.start < start + HOUR and start < span.end for span in excluded)


def _hours(
    part: _Series, total: _Series, starts: Sequence[datetime], closed: datetime, out: Container[datetime]
) -> Hours:
    def value(series: _Series, start: datetime) -> float:
        if start not in series:
            return ABSENT
        return 0.0 if start in out else float(series[start])

    first = starts[0] + HOUR if starts else closed
    parts, totals = (array("d", (value(series, start) for start in starts)) for series in (part, total))
    return Hours(first, HOUR, parts, totals)


def _tally(part: _Series, total: _Series, starts: Sequence[datetime], excluded: Sequence[Span]) -> Tally:
    """Sums of what is there; None where a series has no row at all in these hours."""
    kept = [start for start in starts if not _is_touched(start, excluded)] if excluded else starts
    return Tally(_sum(part, starts, kept), _sum(total, starts, kept))


def _sum(series: _Series, starts: Sequence[datetime], kept: Sequence[datetime]) -> Fraction | None:
    if not any(start in series for start in starts):
        return None
    return sum((series[start] for start in kept if start in series), Fraction())


def _sliced(part: _Series, total: _Series, ask: Ask) -> tuple[_Series, _Series]:
    """Each hour as one slice: which were bad, and which have data. An hour without events is a good one."""
    slices = ask.slices
    assert slices is not None  # noqa: S101 - asked for by who has slices
    target = Fraction(slices.target)

    def is_bad(start: datetime, events: Fraction) -> bool:
        counted = part.get(start, Fraction())
        good = events - counted if ask.indicator.counts_bad else counted
        return good < target * events

    bad = {start: Fraction(is_bad(start, events)) for start, events in total.items()}
    return bad, dict.fromkeys(total, Fraction(1))


def _shown(query: TableQuery) -> str:
    return f"{query.file.name}: series {query.series}"
