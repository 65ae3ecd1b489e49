"""What issued reviews said, kept as it was said."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, bindparam, select

from storage.chunks import KEYS, ROWS, chunks
from storage.database import Database
from storage.schema import issued_reviews

_CONFLICTS = 3

_said = select(issued_reviews.c.key, issued_reviews.c.facts).where(
    issued_reviews.c.workspace == bindparam("workspace"),
    issued_reviews.c.at == bindparam("at"),
    issued_reviews.c.key.in_(bindparam("keys", expanding=True)),
)


class SqlIssuedReviews:
    """`bot.reliability.issued.IssuedReviews` of one workspace, on SQLite or PostgreSQL."""

    def __init__(self, database: Database, workspace: str) -> None:
        self._db = database
        self._workspace = workspace

    async def get(self, at: datetime, keys: Sequence[str]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for some in chunks(dict.fromkeys(keys), KEYS):
            found |= await self._db.read(partial(self._read, at=at, keys=some))
        return found

    async def put(self, at: datetime, facts: Mapping[str, str]) -> None:
        # In one order everywhere, so that of two replicas one waits for the other and no two wait for each other.
        for some in chunks(sorted(facts.items()), ROWS):
            await self._db.write(partial(self._write, at=at, facts=some), conflicts=_CONFLICTS)

    def _read(self, connection: Connection, at: datetime, keys: Sequence[str]) -> dict[str, str]:
        rows = connection.execute(_said, {"workspace": self._workspace, "at": at, "keys": list(keys)})
        return {key: zlib.decompress(facts).decode() for key, facts in rows}

    def _write(self, connection: Connection, at: datetime, facts: Sequence[tuple[str, str]]) -> None:
        row = self._db.insert(issued_reviews).on_conflict_do_nothing(index_elements=["workspace", "at", "key"])
        connection.execute(
            row,
            [
                {"workspace": self._workspace, "at": at, "key": key, "facts": zlib.compress(text.encode())}
                for key, text in facts
            ],
        )
