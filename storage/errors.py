"""What can go wrong with the database, in words that say what to check. No text here ever holds a password."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError

from bot.errors import DirectorError, StoreFailed, Unreachable, UsageError
from storage.address import Address


class StorageError(StoreFailed):
    """The database refused or failed; nothing of the transaction was stored."""


class DatabaseUnreachable(StorageError, Unreachable):
    """The database can't be opened or doesn't answer."""

    exit_code = 3


class NewerDatabase(UsageError):
    """A newer Director has changed this database."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"The database was written by a newer Director (revision {revision}); "
            "install that version or restore a backup."
        )


class NotMigrated(UsageError):
    """The tables are missing or older than this Director."""


class AlreadyServing(UsageError):
    """Another process serves from this SQLite file."""


# What SQLite says -> (error, what people should hear). First match wins.
_SQLITE: tuple[tuple[str, type[DirectorError], str], ...] = (
    ("database is locked", StorageError, "another process kept it locked too long; end that process or try again"),
    ("database or disk is full", StorageError, "the disk is full; free some space, the work then goes on"),
    ("disk i/o error", StorageError, "the disk failed to read or write; check the disk and its free space"),
    (
        "unable to open database file",
        DatabaseUnreachable,
        "it can't be opened; check that its folder exists, and its rights",
    ),
    ("readonly database", DatabaseUnreachable, "it is read-only; check the rights of the file and of its folder"),
    ("file is not a database", UsageError, "it is not a SQLite database; check DATABASE_URL"),
    ("malformed", StorageError, "it is damaged; restore a backup"),
)

# SQLSTATE class or code -> the same.
_POSTGRES: tuple[tuple[str, type[DirectorError], str], ...] = (
    ("57014", StorageError, "a statement took too long and was ended; check the load of the server"),
    ("55P03", StorageError, "a lock was not to be had in time; try again"),
    ("53100", StorageError, "the server's disk is full; free some space, the work then goes on"),
    ("53", DatabaseUnreachable, "the server has no connections or memory left; check its limits"),
    ("57P", DatabaseUnreachable, "the server is shutting down or starting; try again"),
    ("08", DatabaseUnreachable, "the connection broke; check that the server runs and can be reached"),
    ("25006", StorageError, "it is read-only (a standby?); point DATABASE_URL at the primary server"),
    ("42501", UsageError, "the user in DATABASE_URL lacks the rights; grant it the schema and its tables"),
)


def explain(error: DBAPIError, address: Address) -> DirectorError:
    """The error to raise in place of the driver's."""
    if address.kind == "sqlite":
        return _explain_sqlite(error, address)
    return _explain_postgres(error, address)


def _explain_sqlite(error: DBAPIError, address: Address) -> DirectorError:
    said = str(error.orig).lower()
    if "no such table" in said or "no such column" in said:
        return NotMigrated(f"The {address.name} lacks the Director's tables; run `director migrate`.")
    for needle, kind, words in _SQLITE:
        if needle in said:
            return kind(f"The {address.name} can't be used: {words}.")
    name = getattr(error.orig, "sqlite_errorname", type(error.orig).__name__)
    if isinstance(error.orig, sqlite3.OperationalError):
        return StorageError(f"The {address.name} failed ({name}); run `director doctor`.")
    return StorageError(f"The {address.name} refused to store something ({name}); nothing of it was kept.")


def _explain_postgres(error: DBAPIError, address: Address) -> DirectorError:
    state = getattr(error.orig, "sqlstate", None)
    if state in ("42P01", "42703"):
        return NotMigrated(f"The {address.name} lacks the Director's tables; run `director migrate`.")
    if state is None:  # libpq found no server, or lost it
        lines = [line for line in str(error.orig).splitlines() if line.strip() and not line.startswith("\t")]  # a hint
        said = address.scrub(lines[-1].strip() if lines else "no answer")
        return DatabaseUnreachable(
            f"The {address.name} can't be reached: {said.rstrip('.')}. "
            "Check that it runs, and the host, port, user and password in DATABASE_URL."
        )
    for prefix, kind, words in _POSTGRES:
        if state.startswith(prefix):
            return kind(f"The {address.name} can't be used: {words}.")
    return StorageError(f"The {address.name} refused to store something (SQLSTATE {state}); nothing of it was kept.")


def is_conflict(error: DBAPIError) -> bool:
    """Whether another transaction got in between, so that the same work may succeed when it starts over."""
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state in ("23505", "40001", "40P01")
    return getattr(error.orig, "sqlite_errorname", "") in ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")
