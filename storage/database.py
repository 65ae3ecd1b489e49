"""The engine below every store: synchronous SQLAlchemy in threads of our own, one transaction per piece of work."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, NullPool, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from storage.address import Address
from storage.errors import explain, is_conflict
from storage.lanes import Lane

T = TypeVar("T")
Insert = postgresql.Insert | sqlite.Insert

CHANNEL = "director_inbox"  # that a new turn is notified on
CONNECT_TIMEOUT = 5
POOL_SIZE = 8
_BUSY_MS = 5_000
_MIGRATION_BUSY_MS = 120_000
_STATEMENT_MS = 15_000
_IDLE_MS = 30_000
_CLOSE_SECONDS = 10.0

# A server that vanishes without a word is noticed by the socket, since a statement timeout is the server's to keep.
LIVENESS = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}


class Database:
    """Runs work in transactions. SQLite: a writing and a reading thread; PostgreSQL: a thread per connection."""

    def __init__(self, address: Address) -> None:
        self.address = address
        if address.kind == "sqlite":
            self._writer = _sqlite_engine(address, read_only=False)
            self._reader = _sqlite_engine(address, read_only=True)
            self._write_lane = Lane("storage-write", 1)
            self._read_lane = Lane("storage-read", 1)
        else:
            self._writer = self._reader = _postgres_engine(address)
            self._write_lane = self._read_lane = Lane("storage", POOL_SIZE)

    @property
    def is_sqlite(self) -> bool:
        return self.address.kind == "sqlite"

    async def write(self, work: Callable[[Connection], T], *, urgency: int = 1, conflicts: int = 0) -> T:
        """One transaction. `conflicts`: how often it may start over when another one got in between.

        Cancelling the caller doesn't cancel work that has begun: it commits, or rolls back, by itself.
        """
        return await asyncio.wrap_future(
            self._write_lane.submit(lambda: self._transact(self._writer, work, conflicts), urgency=urgency)
        )

    async def read(self, work: Callable[[Connection], T]) -> T:
        """One transaction that writes nothing."""
        return await asyncio.wrap_future(self._read_lane.submit(lambda: self._transact(self._reader, work, 0)))

    def insert(self, table: Table) -> Any:
        """An INSERT that knows ON CONFLICT, in this database's dialect (their classes share no typed base)."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def now(self, connection: Connection) -> datetime:
        """The database's time: the only clock that replicas share."""
        if self.is_sqlite:
            said = connection.scalar(text("SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')"))
            return datetime.fromisoformat(str(said)).replace(tzinfo=UTC)
        found = connection.scalar(text("SELECT clock_timestamp()"))
        if not isinstance(found, datetime):
            raise TypeError("clock_timestamp() gave no time")
        return found.astimezone(UTC)

    async def close(self) -> None:
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._write_lane.close(_CLOSE_SECONDS)
        self._read_lane.close(_CLOSE_SECONDS)
        self._reader.dispose()
        self._writer.dispose()

    def _transact(self, engine: Engine, work: Callable[[Connection], T], conflicts: int) -> T:
        for attempt in itertools.count():
            try:
                with engine.begin() as connection:
                    return work(connection)
            except (IntegrityError, DataError) as error:
                if not is_conflict(error) or attempt >= conflicts:
                    # Its detail quotes the row, so it goes no further.
                    raise explain(error, self.address) from None
            except DBAPIError as error:
                if not is_conflict(error) or attempt >= conflicts:
                    raise explain(error, self.address) from error
        raise AssertionError("unreachable")


def migration_engine(address: Address, *, read_only: bool = False) -> Engine:
    """An engine whose one transaction may wait for another replica's migration, and take its time."""
    if address.kind == "sqlite":
        return _sqlite_engine(address, read_only=read_only, busy_ms=_MIGRATION_BUSY_MS)
    return create_engine(
        address.url, poolclass=NullPool, hide_parameters=True, connect_args=_postgres_arguments("director-migrate")
    )


def _sqlite_engine(address: Address, *, read_only: bool, busy_ms: int = _BUSY_MS) -> Engine:
    engine = create_engine(address.url, pool_size=1, max_overflow=0, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes late and not before DDL
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {busy_ms}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA query_only = ON" if read_only else "PRAGMA journal_mode = WAL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _postgres_engine(address: Address) -> Engine:
    engine = create_engine(
        address.url,
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args=_postgres_arguments("director"),
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:  # per transaction, since pgbouncer shares sessions
        connection.exec_driver_sql(
            f"SELECT set_config('statement_timeout', '{_STATEMENT_MS}', true), "
            f"set_config('idle_in_transaction_session_timeout', '{_IDLE_MS}', true)"
        )

    return engine


def _postgres_arguments(name: str) -> dict[str, object]:
    # Prepared statements don't survive pgbouncer in transaction mode.
    return {"connect_timeout": CONNECT_TIMEOUT, "application_name": name, "prepare_threshold": None, **LIVENESS}
