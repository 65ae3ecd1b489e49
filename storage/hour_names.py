"""Which question each name asks, so that a changed one can be told from one that never was another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, bindparam, select, update

from storage.chunks import KEYS, ROWS, chunks
from storage.database import Database
from storage.schema import hour_names

_CONFLICTS = 3

_known = select(hour_names.c.name, hour_names.c.digest, hour_names.c.since).where(
    hour_names.c.workspace == bindparam("workspace"), hour_names.c.name.in_(bindparam("names", expanding=True))
)
# The first of two replicas that see a change says since when; the other one then finds nothing to change.
_change = (
    update(hour_names)
    .where(
        hour_names.c.workspace == bindparam("of_workspace"),
        hour_names.c.name == bindparam("of_name"),
        hour_names.c.digest != bindparam("asked"),
    )
    .values(digest=bindparam("asked"), since=bindparam("seen_at"))
)


@dataclass(frozen=True)
class _Question:
    digest: str
    since: datetime | None  # None: it is the first that the name asked


class HourNames:
    """Each name's question of one workspace, known by its digest."""

    def __init__(self, database: Database, workspace: str) -> None:
        self._db = database
        self._workspace = workspace

    async def registered(self, digests: Mapping[str, str], at: datetime) -> Mapping[str, datetime]:
        """Since when each name asks this, for names that asked something else before.

        Mostly nothing is new; then nothing is written.
        """
        known: dict[str, _Question] = {}
        for some in chunks(digests, KEYS):
            known |= await self._db.read(partial(self._read, names=some))
        news = {name: digest for name, digest in digests.items() if name not in known or known[name].digest != digest}
        for some in chunks(sorted(news), ROWS):
            asked = {name: news[name] for name in some}
            known |= await self._db.write(partial(self._note, asked=asked, at=at), conflicts=_CONFLICTS)
        return {name: question.since for name, question in known.items() if question.since is not None}

    def _read(self, connection: Connection, names: Sequence[str]) -> dict[str, _Question]:
        rows = connection.execute(_known, {"workspace": self._workspace, "names": list(names)})
        return {name: _Question(digest, since) for name, digest, since in rows}

    def _note(self, connection: Connection, asked: Mapping[str, str], at: datetime) -> dict[str, _Question]:
        row = self._db.insert(hour_names).on_conflict_do_nothing(index_elements=["workspace", "name"])
        connection.execute(
            row,
            [
                {"workspace": self._workspace, "name": name, "digest": digest, "since": None}
                for name, digest in asked.items()
            ],
        )
        connection.execute(
            _change,
            [
                {"of_workspace": self._workspace, "of_name": name, "asked": digest, "seen_at": at}
                for name, digest in asked.items()
            ],
        )
        return self._read(connection, tuple(asked))
