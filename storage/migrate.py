"""Brings the tables up to this Director: one replica at a time, all or nothing on both databases."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from storage.address import Address
from storage.database import migration_engine
from storage.errors import NewerDatabase, explain

T = TypeVar("T")

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x0D12EC706  # an advisory lock's number: any, but the same in every release


@dataclass(frozen=True, kw_only=True)
class Revisions:
    """What the database held and what it holds now; None for an empty one."""

    before: str | None
    after: str | None


def upgrade(address: Address, folder: Path = _FOLDER) -> Revisions:
    """Apply what is missing.

    Raises:
        NewerDatabase: a newer Director was here.
        StorageError: the database can't be reached, or refused; it is as it was before.
    """
    # Most starts find nothing to do, and then need no lock: another process may be writing.
    found = _in_one_transaction(migration_engine(address, read_only=True), address, lambda c: _revision(c, folder))
    if found is not None and found == _known(folder).head:
        return Revisions(before=found, after=found)

    def apply(connection: Connection) -> Revisions:
        if address.kind == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        before = _revision(connection, folder)
        config = _config(folder)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return Revisions(before=before, after=_revision(connection, folder))

    return _in_one_transaction(migration_engine(address), address, apply)


def revision(connection: Connection) -> tuple[str | None, str | None]:
    """The database's revision and the one this Director brings.

    Raises:
        NewerDatabase: the database's is unknown here.
    """
    return _revision(connection, _FOLDER), _known(_FOLDER).head


def _revision(connection: Connection, folder: Path) -> str | None:
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in _known(folder).revisions:
        raise NewerDatabase(found)
    return found


@dataclass(frozen=True, kw_only=True)
class _Known:
    head: str | None
    revisions: frozenset[str]


@functools.cache
def _known(folder: Path) -> _Known:
    scripts = ScriptDirectory.from_config(_config(folder))
    revisions = frozenset(script.revision for script in scripts.walk_revisions())
    return _Known(head=scripts.get_current_head(), revisions=revisions)


def _config(folder: Path) -> Config:
    config = Config()
    # The section's values are interpolated, so a per cent sign in a path must be doubled.
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _in_one_transaction(engine: Engine, address: Address, work: Callable[[Connection], T]) -> T:
    try:
        with engine.begin() as connection:
            return work(connection)
    except DBAPIError as error:
        raise explain(error, address) from error
    finally:
        engine.dispose()
