"""The audit trail."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import select

from bot.audit import AuditEntry
from storage.database import Database
from storage.schema import audit


class SqlAudit:
    """`bot.audit.Audit` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def record(self, entry: AuditEntry) -> None:
        row = audit.insert().values(
            workspace=entry.workspace,
            at=entry.at,
            person_id=entry.person_id,
            action=entry.action,
            about=entry.about,
            detail=json.dumps(dict(entry.detail)),
        )
        await self._db.write(lambda c: c.execute(row) and None)

    async def entries(self, *, workspace: str | None, limit: int) -> Sequence[AuditEntry]:
        query = select(audit).order_by(audit.c.seq.desc()).limit(limit)
        if workspace is not None:
            query = query.where(audit.c.workspace == workspace)
        rows = await self._db.read(lambda c: c.execute(query).mappings().all())
        return tuple(
            AuditEntry(
                workspace=row["workspace"],
                at=row["at"],
                person_id=row["person_id"],
                action=row["action"],
                about=row["about"],
                detail=json.loads(row["detail"]),
            )
            for row in rows
        )
