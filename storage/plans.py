"""Plans and their versions: added, never rewritten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from bot.domain import Place
from bot.errors import UsageError
from bot.planning.plan import Plan
from bot.planning.store import StoredPlan
from storage.database import Database
from storage.schema import plan_versions, plans
from storage.short_id import parse_id, short_id

_CONFLICTS = 3
_both = select(plans, plan_versions).join(plan_versions, plan_versions.c.plan_seq == plans.c.seq)


class SqlPlans:
    """`bot.planning.store.PlanStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def add(
        self,
        *,
        request_key: str,
        place: Place,
        author_id: str | None,
        initiative: str,
        plan: Plan | None,
        raw: str | None,
        at: datetime,
    ) -> StoredPlan:
        def store(connection: Connection) -> StoredPlan:
            known = _requested(connection, place.workspace, request_key)
            if known is not None:
                return known
            row = plans.insert().values(
                platform=place.platform,
                workspace=place.workspace,
                channel=place.channel,
                thread=place.thread,
                initiative=initiative,
            )
            seq = connection.scalar(row.returning(plans.c.seq))
            version = _version(
                workspace=place.workspace, request_key=request_key, author_id=author_id, plan=plan, raw=raw, at=at
            )
            connection.execute(plan_versions.insert().values(plan_seq=seq, version=1, **version))
            return _kept(connection, place.workspace, request_key)

        return await self._db.write(store, conflicts=_CONFLICTS)

    async def revise(
        self,
        *,
        plan_id: str,
        workspace: str,
        request_key: str,
        author_id: str | None,
        plan: Plan | None,
        raw: str | None,
        at: datetime,
    ) -> StoredPlan:
        seq = parse_id("p", plan_id)

        def store(connection: Connection) -> StoredPlan:
            known = _requested(connection, workspace, request_key)
            if known is not None:
                return known
            owned = select(plans.c.seq).where(plans.c.seq == seq, plans.c.workspace == workspace)
            held = owned if self._db.is_sqlite else owned.with_for_update()
            if seq is None or connection.scalar(held) is None:
                raise UsageError(f"There is no plan {plan_id}.")
            latest = select(func.max(plan_versions.c.version)).where(plan_versions.c.plan_seq == seq)
            version = _version(
                workspace=workspace, request_key=request_key, author_id=author_id, plan=plan, raw=raw, at=at
            )
            number = (connection.scalar(latest) or 0) + 1
            connection.execute(plan_versions.insert().values(plan_seq=seq, version=number, **version))
            return _kept(connection, workspace, request_key)

        return await self._db.write(store, conflicts=_CONFLICTS)

    async def get(self, plan_id: str, *, workspace: str | None, version: int | None = None) -> StoredPlan | None:
        seq = parse_id("p", plan_id)
        if seq is None:
            return None
        query = _both.where(plans.c.seq == seq).order_by(plan_versions.c.version.desc()).limit(1)
        if workspace is not None:
            query = query.where(plans.c.workspace == workspace)
        if version is not None:
            query = query.where(plan_versions.c.version == version)

        def look(connection: Connection) -> StoredPlan | None:
            row = connection.execute(query).mappings().first()
            return None if row is None else _stored(row)

        return await self._db.read(look)

    async def plans(self, *, workspace: str | None, limit: int) -> Sequence[StoredPlan]:
        latest = (
            select(plan_versions.c.plan_seq, func.max(plan_versions.c.version).label("version"))
            .group_by(plan_versions.c.plan_seq)
            .subquery()
        )
        query = (
            _both.join(latest, (latest.c.plan_seq == plans.c.seq) & (latest.c.version == plan_versions.c.version))
            .order_by(plans.c.seq.desc())
            .limit(limit)
        )
        if workspace is not None:
            query = query.where(plans.c.workspace == workspace)
        return await self._db.read(lambda c: tuple(_stored(row) for row in c.execute(query).mappings()))


def _requested(connection: Connection, workspace: str, request_key: str) -> StoredPlan | None:
    asked = _both.where(plan_versions.c.workspace == workspace, plan_versions.c.request_key == request_key)
    row = connection.execute(asked).mappings().first()
    return None if row is None else _stored(row)


def _kept(connection: Connection, workspace: str, request_key: str) -> StoredPlan:
    kept = _requested(connection, workspace, request_key)
    if kept is None:
        raise LookupError("a plan is gone within its own transaction")
    return kept


def _version(
    *, workspace: str, request_key: str, author_id: str | None, plan: Plan | None, raw: str | None, at: datetime
) -> dict[str, Any]:
    return {
        "workspace": workspace,
        "request_key": request_key,
        "author_id": author_id,
        "plan": None if plan is None else plan.model_dump_json(),
        "raw": raw,
        "created_at": at,
    }


def _stored(row: RowMapping) -> StoredPlan:
    place = Place(
        platform=row["platform"], workspace=row[plans.c.workspace], channel=row["channel"], thread=row["thread"]
    )
    return StoredPlan(
        id=short_id("p", row["seq"]),
        version=row["version"],
        place=place,
        author_id=row["author_id"],
        initiative=row["initiative"],
        plan=None if row["plan"] is None else Plan.model_validate_json(row["plan"]),
        raw=row["raw"],
        created_at=row["created_at"],
    )
