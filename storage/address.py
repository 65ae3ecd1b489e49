"""Where the database is: a URL as people write it, made whole, and its text without the password."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.errors import UsageError

_REMEDY = "Set DATABASE_URL to sqlite:///director.db or postgresql://user:password@host:5432/name."
_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "sqlite+pysqlite": "sqlite+pysqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


@dataclass(frozen=True, kw_only=True)
class Address:
    """A database that the Director can use. `name` is fit to show: it never holds the password."""

    kind: Literal["sqlite", "postgresql"]
    url: URL
    name: str

    @property
    def file(self) -> Path | None:
        """The SQLite file; None on PostgreSQL."""
        return Path(self.url.database) if self.kind == "sqlite" and self.url.database else None

    def __repr__(self) -> str:
        return f"Address({self.name})"

    def scrub(self, text: str) -> str:
        """`text` without the password, should a driver have repeated it."""
        password = self.url.password
        return text.replace(str(password), "***") if password else text


def parse(url: str) -> Address:
    """Make a plain URL whole.

    Raises:
        UsageError: it is no URL, names another database, or keeps SQLite in memory.
    """
    try:
        parsed = make_url(url.strip())
    except (ArgumentError, ValueError):  # their texts repeat the URL with its password
        raise UsageError(f"DATABASE_URL is not a database URL. {_REMEDY}") from None
    driver = _DRIVERS.get(parsed.drivername)
    if driver is None:
        raise UsageError(f"DATABASE_URL names {parsed.drivername!r}, which the Director can't use. {_REMEDY}")
    whole = parsed.set(drivername=driver)
    if driver.startswith("postgresql"):
        return Address(kind="postgresql", url=whole, name=_postgres_name(whole))
    file = whole.database
    if not file or file == ":memory:" or file.startswith("file:"):
        raise UsageError(f"DATABASE_URL must name a file for SQLite; it is read by several threads. {_REMEDY}")
    return Address(kind="sqlite", url=whole, name=f"SQLite file {file}")


def _postgres_name(url: URL) -> str:
    asked = url.query.get("host", "localhost")
    host = url.host or (asked if isinstance(asked, str) else ",".join(asked))
    port = f":{url.port}" if url.port else ""
    return f"PostgreSQL database {url.database or 'postgres'!s} at {host}{port}"
