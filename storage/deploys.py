"""Deploys that a webhook told of; told twice, they are one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection, bindparam, select

from bot.reliability.deploys import MOST, Deploy
from bot.reliability.windows import Span
from storage.chunks import KEYS, chunks
from storage.database import Database
from storage.schema import deploys

_newest = (
    select(deploys.c.service, deploys.c.at, deploys.c.version, deploys.c.link)
    .where(
        deploys.c.workspace == bindparam("workspace"),
        deploys.c.service.in_(bindparam("services", expanding=True)),
        deploys.c.at.between(bindparam("start"), bindparam("end")),
    )
    .order_by(deploys.c.at.desc(), deploys.c.seq.desc())
    .limit(MOST)
)


class SqlDeploys:
    """`bot.reliability.deploys.DeployLog` of one workspace, on SQLite or PostgreSQL."""

    def __init__(self, database: Database, workspace: str) -> None:
        self._db = database
        self._workspace = workspace

    async def note(self, deploy: Deploy) -> bool:
        row = (
            self._db.insert(deploys)
            .values(
                workspace=self._workspace,
                service=deploy.service,
                at=deploy.at,
                version=deploy.version,
                link=deploy.link,
            )
            .on_conflict_do_nothing(index_elements=["workspace", "service", "at", "version"])
            .returning(deploys.c.seq)
        )
        return await self._db.write(lambda c: c.scalar(row) is not None, urgency=0)

    async def between(self, services: Sequence[str], span: Span) -> Sequence[Deploy]:
        """Both ends included; of more than 1,000 the newest."""
        found: list[Deploy] = []
        for some in chunks(dict.fromkeys(services), KEYS):
            found += await self._db.read(partial(self._read, services=some, span=span))
        return tuple(sorted(found, key=lambda deploy: (deploy.at, deploy.service, deploy.version))[-MOST:])

    def _read(self, connection: Connection, services: Sequence[str], span: Span) -> list[Deploy]:
        asked = {"workspace": self._workspace, "services": list(services), "start": span.start, "end": span.end}
        rows = connection.execute(_newest, asked)
        return [Deploy(service=service, at=at, version=version, link=link) for service, at, version, link in rows]
