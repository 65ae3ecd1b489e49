"""Brings the tables up to this Director: one replica at a time, all or nothing on both databases."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, inspect, text
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
    if found is not None and found == _known(folder)[-1]:
        return Revisions(before=found, after=found)

    def apply(connection: Connection) -> Revisions:
        if address.kind == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        before = _revision(connection, folder)
        _apply(connection, folder)
        return Revisions(before=before, after=_revision(connection, folder))

    return _in_one_transaction(migration_engine(address), address, apply)


def revision(connection: Connection) -> tuple[str | None, str]:
    """The database's revision and the one this Director brings.

    Raises:
        NewerDatabase: the database's is unknown here.
    """
    return _revision(connection, _FOLDER), _known(_FOLDER)[-1]


def _apply(connection: Connection, folder: Path) -> None:
    # Imported only when there is something to do: it keeps 8 MB that most starts never need.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    # The section's values are interpolated, so a per cent sign in a path must be doubled.
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection, folder: Path) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if found is not None and found not in _known(folder):
        raise NewerDatabase(found)
    return found


@functools.cache
def _known(folder: Path) -> tuple[str, ...]:
    """The revisions, oldest first: each migration's file name begins with its own, and they count up."""
    files = (folder / "versions").glob("[0-9]*.py")
    return tuple(sorted(file.name.partition("_")[0] for file in files))


def _in_one_transaction(engine: Engine, address: Address, work: Callable[[Connection], T]) -> T:
    try:
        with engine.begin() as connection:
            return work(connection)
    except DBAPIError as error:
        raise explain(error, address) from error
    finally:
        engine.dispose()
