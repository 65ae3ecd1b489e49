"""Which messages carry a turn's answer, written down before and after each is created."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, select

from bot.ports import Claim
from storage.database import Database
from storage.fence import require
from storage.schema import posts

_POSTED = "post"  # how a message came about that was found or made without an intent


class SqlJournal:
    """`bot.ports.Journal` of one claim."""

    def __init__(self, database: Database, claim: Claim) -> None:
        self._db = database
        self._claim = claim

    async def intend(self, part: int, how: str) -> None:
        await self._write(part, {"how": how, "message_id": None}, {"how": how, "message_id": None})

    async def shown(self, part: int, message_id: str) -> None:
        await self._write(part, {"how": _POSTED, "message_id": message_id}, {"message_id": message_id})

    async def known(self) -> Mapping[int, tuple[str, str | None]]:
        query = select(posts).where(posts.c.turn_id == self._claim.turn_id).order_by(posts.c.part)
        rows = await self._db.read(lambda c: c.execute(query).mappings().all())
        return {row["part"]: (row["how"], row["message_id"]) for row in rows}

    async def owned(self, message_ids: Collection[str]) -> frozenset[str]:
        place = self._claim.incoming.place
        query = select(posts.c.message_id).where(
            posts.c.platform == place.platform,
            posts.c.workspace == place.workspace,
            posts.c.channel == place.channel,
            posts.c.message_id.in_(list(message_ids)),
        )
        return frozenset(await self._db.read(lambda c: c.scalars(query).all()))

    async def _write(self, part: int, first: dict[str, str | None], again: dict[str, str | None]) -> None:
        place = self._claim.incoming.place
        row = self._db.insert(posts).values(
            turn_id=self._claim.turn_id,
            part=part,
            platform=place.platform,
            workspace=place.workspace,
            channel=place.channel,
            **first,
        )

        def write(connection: Connection) -> None:
            require(self._db, connection, self._claim)
            connection.execute(row.on_conflict_do_update(index_elements=["turn_id", "part"], set_=again))

        await self._db.write(write)
