"""Schedules that channels made. Removed ones stay as rows, so that no id is used twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, select, update

from bot.domain import Place
from bot.schedules import Schedule, What
from storage.database import Database
from storage.schema import schedules
from storage.short_id import parse_id, short_id

_CONFLICTS = 3


class SqlSchedules:
    """`bot.schedules.ScheduleStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def add(
        self,
        *,
        request_key: str,
        place: Place,
        channel_name: str,
        what: What,
        days: tuple[int, ...],
        time: str,
        zone: str,
        services: tuple[str, ...],
        created_by: str | None,
        at: datetime,
    ) -> Schedule:
        row = schedules.insert().values(
            platform=place.platform,
            workspace=place.workspace,
            channel=place.channel,
            channel_name=channel_name,
            request_key=request_key,
            what=what,
            days=json.dumps(days),
            local_time=time,
            zone=zone,
            services=json.dumps(services),
            created_by=created_by,
            created_at=at,
            active_since=at,
            paused=False,
        )
        asked = select(schedules).where(
            schedules.c.workspace == place.workspace, schedules.c.request_key == request_key
        )

        def store(connection: Connection) -> Schedule:
            known = connection.execute(asked).mappings().first()
            if known is None:
                known = connection.execute(row.returning(*schedules.c)).mappings().one()
            return _schedule(known)

        return await self._db.write(store, conflicts=_CONFLICTS)

    async def get(self, schedule_id: str, *, workspace: str | None) -> Schedule | None:
        found = await self._all(_is(schedule_id, workspace))
        return found[0] if found else None

    async def schedules(self, *, workspace: str | None, channel: str | None) -> Sequence[Schedule]:
        return await self._all(_within(workspace), *([] if channel is None else [schedules.c.channel == channel]))

    async def set_paused(
        self, schedule_id: str, *, workspace: str | None, paused: bool, at: datetime
    ) -> Schedule | None:
        changed: dict[str, Any] = {"paused": paused}
        if not paused:
            changed["active_since"] = at

        def change(connection: Connection) -> Schedule | None:
            # Resuming what runs already must not skip a slot that is due.
            differs = and_(_is(schedule_id, workspace), schedules.c.paused.is_not(paused))
            connection.execute(update(schedules).where(differs).values(changed))
            row = connection.execute(select(schedules).where(_is(schedule_id, workspace))).mappings().first()
            return None if row is None else _schedule(row)

        return await self._db.write(change)

    async def remove(self, schedule_id: str, *, workspace: str | None) -> bool:
        def close(connection: Connection) -> bool:
            gone = update(schedules).where(_is(schedule_id, workspace)).values(removed_at=self._db.now(connection))
            return connection.scalar(gone.returning(schedules.c.seq)) is not None

        return await self._db.write(close)

    async def active(self) -> Sequence[Schedule]:
        return await self._all(_within(None), schedules.c.paused.is_(False))

    async def _all(self, *conditions: ColumnElement[bool]) -> Sequence[Schedule]:
        query = select(schedules).where(*conditions).order_by(schedules.c.seq)
        return await self._db.read(lambda c: tuple(_schedule(row) for row in c.execute(query).mappings()))


def _within(workspace: str | None) -> ColumnElement[bool]:
    there = schedules.c.removed_at.is_(None)
    return there if workspace is None else and_(there, schedules.c.workspace == workspace)


def _is(schedule_id: str, workspace: str | None) -> ColumnElement[bool]:
    return and_(schedules.c.seq == parse_id("s", schedule_id), _within(workspace))


def _schedule(row: RowMapping) -> Schedule:
    return Schedule(
        id=short_id("s", row["seq"]),
        place=Place(platform=row["platform"], workspace=row["workspace"], channel=row["channel"]),
        channel_name=row["channel_name"],
        what=row["what"],
        days=tuple(json.loads(row["days"])),
        time=row["local_time"],
        zone=row["zone"],
        services=tuple(json.loads(row["services"])),
        created_by=row["created_by"],
        created_at=row["created_at"],
        active_since=row["active_since"],
        paused=row["paused"],
    )
