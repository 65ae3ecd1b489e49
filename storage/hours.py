"""Closed hours: a row per series and week, filled in as hours become known, which then stay as they are."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, bindparam, select, update

from bot.reliability.hours import Column
from storage import weeks
from storage.chunks import KEYS, ROWS, chunks
from storage.database import Database
from storage.hour_names import HourNames
from storage.schema import hour_blocks, hour_series

Key = tuple[int, int]  # a series' number, and the week's

_CONFLICTS = 3

_ours = (
    hour_series.c.workspace == bindparam("workspace"),
    hour_series.c.digest.in_(bindparam("digests", expanding=True)),
)
_within = hour_blocks.c.block.between(bindparam("first"), bindparam("last"))
_numbers = select(hour_series.c.digest, hour_series.c.seq).where(*_ours)
_remembered = (
    select(hour_series.c.digest, hour_blocks.c.block, hour_blocks.c.hours)
    .join(hour_blocks, hour_blocks.c.series_seq == hour_series.c.seq)
    .where(*_ours, _within)
)
_blocks = (
    select(hour_blocks.c.series_seq, hour_blocks.c.block, hour_blocks.c.hours)
    .where(hour_blocks.c.series_seq.in_(bindparam("numbers", expanding=True)), _within)
    .order_by(hour_blocks.c.series_seq, hour_blocks.c.block)
)
_fill = (
    update(hour_blocks)
    .where(hour_blocks.c.series_seq == bindparam("of_series"), hour_blocks.c.block == bindparam("of_week"))
    .values(hours=bindparam("filled"))
)


class SqlHours:
    """`bot.reliability.hours.HourStore` of one workspace, on SQLite or PostgreSQL.

    Much is read and written some hundreds of rows at a time, each a transaction, so that the inbox gets in between.
    """

    def __init__(self, database: Database, workspace: str) -> None:
        self._db = database
        self._workspace = workspace
        self._names = HourNames(database, workspace)

    async def load(self, series: Sequence[str], first: datetime, last: datetime) -> Mapping[str, Column]:
        start, end = weeks.first_hour(first), weeks.last_hour(last) + 1
        found: dict[str, Column] = {}
        if start < end:
            for some in chunks(dict.fromkeys(series), KEYS):
                found |= await self._db.read(partial(self._load, series=some, start=start, end=end))
        return found

    async def keep(self, columns: Mapping[str, Column]) -> None:
        longest = max((weeks.spanned(column) for column in columns.values()), default=0)
        for some in chunks(columns.items(), max(1, ROWS // max(1, longest))):
            await self._db.write(partial(self._keep, columns=some), conflicts=_CONFLICTS)

    async def registered(self, queries: Mapping[str, str], at: datetime) -> Mapping[str, datetime]:
        asked = {name: weeks.digest_of(question) for name, question in queries.items()}
        return await self._names.registered(asked, at)

    def _load(self, connection: Connection, series: Sequence[str], start: int, end: int) -> dict[str, Column]:
        by_digest = {weeks.digest_of(one): one for one in series}
        values: dict[str, array[float]] = {}
        rows = connection.execute(
            _remembered,
            {
                "workspace": self._workspace,
                "digests": list(by_digest),
                "first": weeks.week_of(start),
                "last": weeks.week_of(end - 1),
            },
        )
        for digest, week, stored in rows:
            column = values.get(digest)
            if column is None:
                column = values[digest] = weeks.unknown(end - start)
            weeks.place(week, weeks.unpacked(stored), column, start)
        columns = {by_digest[digest]: weeks.column_of(column, start) for digest, column in values.items()}
        return {one: column for one, column in columns.items() if column is not None}

    def _keep(self, connection: Connection, columns: Sequence[tuple[str, Column]]) -> None:
        # Everybody inserts, and only then locks, in the same order. So of replicas that keep the same hours one waits
        # for the other, and never both at once.
        offered = [(series, week) for series, column in columns for week in weeks.cut(column)]
        digests = {series: weeks.digest_of(series) for series, _ in offered}
        if not digests:
            return
        numbers = self._numbered(connection, {digest: series for series, digest in digests.items()})
        wanted = {(numbers[digests[series]], week.number): week.hours for series, week in offered}
        known = _read(connection, wanted)
        added = self._add(connection, {key: wanted[key] for key in sorted(wanted.keys() - known.keys())})
        changing = {
            key: hours
            for key, hours in wanted.items()
            if key not in added and (key not in known or weeks.filled(known[key], hours) is not None)
        }
        if changing:
            held = _read(connection, changing, held=not self._db.is_sqlite)
            _update(connection, {key: weeks.filled(held[key], hours) for key, hours in changing.items()})

    def _numbered(self, connection: Connection, series: Mapping[str, str]) -> Mapping[str, int]:
        """The number of each series by its digest; what is new gets one."""
        found = self._known(connection, series)
        new = sorted(series.keys() - found.keys())
        if not new:
            return found
        now = self._db.now(connection)
        row = self._db.insert(hour_series).on_conflict_do_nothing(index_elements=["workspace", "digest"])
        connection.execute(
            row,
            [
                {"workspace": self._workspace, "digest": digest, "series": series[digest], "known_at": now}
                for digest in new
            ],
        )
        return self._known(connection, series)

    def _known(self, connection: Connection, digests: Iterable[str]) -> dict[str, int]:
        rows = connection.execute(_numbers, {"workspace": self._workspace, "digests": list(digests)})
        return {digest: number for digest, number in rows}  # noqa: C416  rows aren't pairs to the type checker

    def _add(self, connection: Connection, hours: Mapping[Key, array[float]]) -> set[Key]:
        """Insert these rows in their order; which of them nobody else had inserted."""
        if not hours:
            return set()
        row = self._db.insert(hour_blocks).on_conflict_do_nothing(index_elements=["series_seq", "block"])
        added = connection.execute(
            row.returning(hour_blocks.c.series_seq, hour_blocks.c.block),
            [
                {"workspace": self._workspace, "series_seq": number, "block": week, "hours": weeks.packed(values)}
                for (number, week), values in hours.items()
            ],
        )
        return {(number, week) for number, week in added}


def _read(connection: Connection, keys: Iterable[Key], *, held: bool = False) -> dict[Key, array[float]]:
    """What is known of these (and maybe of more); `held`: nobody else changes them until we are done."""
    wanted = list(keys)
    rows = connection.execute(
        _blocks.with_for_update() if held else _blocks,
        {
            "numbers": sorted({number for number, _ in wanted}),
            "first": min(week for _, week in wanted),
            "last": max(week for _, week in wanted),
        },
    )
    return {(number, week): weeks.unpacked(stored) for number, week, stored in rows}


def _update(connection: Connection, changed: Mapping[Key, array[float] | None]) -> None:
    rows = [
        {"of_series": number, "of_week": week, "filled": weeks.packed(hours)}
        for (number, week), hours in changed.items()
        if hours is not None
    ]
    if rows:
        connection.execute(_fill, rows)
