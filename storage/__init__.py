"""Where the Director keeps what must not be lost: SQLite in one file, or PostgreSQL for several replicas."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Self

from sqlalchemy import Connection, text

from bot.audit import Audit
from bot.feedback import FeedbackLog
from bot.planning.store import PlanStore
from bot.ports import Inbox, Memory
from bot.references import References
from bot.reliability.deploys import DeployLog
from bot.reliability.hours import HourStore
from bot.reliability.issued import IssuedReviews
from bot.schedules import ScheduleStore
from storage.address import parse
from storage.audit import SqlAudit
from storage.database import Database
from storage.deploys import SqlDeploys
from storage.errors import AlreadyServing, DatabaseUnreachable, NewerDatabase, NotMigrated, StorageError
from storage.feedback import SqlFeedback
from storage.hours import SqlHours
from storage.inbox import SqlInbox
from storage.issued import SqlIssuedReviews
from storage.memory import SqlMemory
from storage.migrate import Revisions, revision, upgrade
from storage.plans import SqlPlans
from storage.references import SqlReferences
from storage.schedules import SqlSchedules
from storage.serve_lock import serve_lock

__all__ = [
    "AlreadyServing",
    "Condition",
    "DatabaseUnreachable",
    "NewerDatabase",
    "NotMigrated",
    "Revisions",
    "StorageError",
    "Store",
    "open_store",
    "serve_lock",
]


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What `director doctor` says of the database."""

    name: str  # "PostgreSQL database director at db:5432", never the password
    server: str  # "SQLite 3.40.1"
    revision: str | None
    newest: str | None

    @property
    def up_to_date(self) -> bool:
        return self.revision == self.newest


class Store:
    """All rooms of one database. Each method of a room is one transaction. Belongs to one event loop."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._inbox = SqlInbox(database)
        self.inbox: Inbox = self._inbox
        self.memory: Memory = SqlMemory(database)
        self.plans: PlanStore = SqlPlans(database)
        self.schedules: ScheduleStore = SqlSchedules(database)
        self.audit: Audit = SqlAudit(database)
        self.feedback: FeedbackLog = SqlFeedback(database)
        self.references: References = SqlReferences(database)

    def hours(self, workspace: str) -> HourStore:
        """What this workspace remembers of its metrics."""
        return SqlHours(self._db, workspace)

    def issued(self, workspace: str) -> IssuedReviews:
        """What was said in this workspace's reviews."""
        return SqlIssuedReviews(self._db, workspace)

    def deploys(self, workspace: str) -> DeployLog:
        """What this workspace was told of its deploys."""
        return SqlDeploys(self._db, workspace)

    async def migrate(self) -> Revisions:
        """Bring the tables up to this Director; waits for another replica that is doing the same.

        Raises:
            NewerDatabase: a newer Director was here.
            StorageError: nothing was changed.
        """
        return await asyncio.to_thread(upgrade, self._db.address)

    async def check(self) -> Condition:
        """Look whether the database answers and what it holds, without changing anything.

        Raises:
            NewerDatabase: a newer Director was here.
            StorageError: it can't be reached or read.
        """

        def look(connection: Connection) -> Condition:
            said = connection.scalar(text("SELECT sqlite_version()" if self._db.is_sqlite else "SHOW server_version"))
            found, newest = revision(connection)
            return Condition(
                name=self._db.address.name,
                server=f"{'SQLite' if self._db.is_sqlite else 'PostgreSQL'} {said}",
                revision=found,
                newest=newest,
            )

        return await self._db.read(look)

    async def close(self) -> None:
        """Finish what was begun, then let go of the database."""
        await self._inbox.close()
        await self._db.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def open_store(url: str) -> Store:
    """The store at a plain URL (`sqlite:///director.db`, `postgresql://…`); connects when it is first used.

    Raises:
        UsageError: it is no URL, or not one of these databases.
    """
    return Store(Database(parse(url)))
