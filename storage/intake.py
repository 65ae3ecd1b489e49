"""The inbox as edges see it: a request is stored, once, before it is acknowledged."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import Column, Connection, Row, Select, and_, exists, func, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from bot.domain import Incoming, Place, Signal, SignalKind
from bot.ports import TurnState
from storage import schema
from storage.database import CHANNEL, Database
from storage.turns import queue_key
from storage.wake import Wake

_turns = schema.turns


class SqlIntake:
    """`bot.ports.Intake` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._wake = Wake(database.address)

    async def put(self, incoming: Incoming) -> bool:
        stored = await self._db.write(lambda c: self._put(c, incoming), urgency=0, conflicts=1)
        if stored:
            self._wake.ring()
        return stored

    def _put(self, connection: Connection, incoming: Incoming) -> bool:
        now = self._db.now(connection)
        row = (
            self._db.insert(_turns)
            .values(
                turn_id=secrets.token_hex(6),
                **columns(incoming.place),
                queue_key=queue_key(incoming),
                dedupe_key=incoming.dedupe_key,
                kind=incoming.kind.value,
                incoming=incoming.model_dump_json(),
                state=TurnState.NEW.value,
                attempts=0,
                deaths=0,
                cancel_requested=False,
                created_at=now,
                updated_at=now,
            )
            .on_conflict_do_nothing(index_elements=["platform", "workspace", "dedupe_key"])
            .returning(_turns.c.seq)
        )
        if connection.scalar(row) is None:
            return False
        if not self._db.is_sqlite:
            connection.execute(select(func.pg_notify(CHANNEL, "")))
        return True

    async def signal(self, signal: Signal) -> bool:
        return await self._db.write(lambda c: self._signal(c, signal), urgency=0)

    def _signal(self, connection: Connection, signal: Signal) -> bool:
        row = (
            self._db.insert(schema.signals)
            .values(
                **columns(signal.place),
                dedupe_key=signal.dedupe_key,
                signal=signal.model_dump_json(),
                at=self._db.now(connection),
            )
            .on_conflict_do_nothing(index_elements=["platform", "workspace", "dedupe_key"])
            .returning(schema.signals.c.seq)
        )
        if connection.scalar(row) is None:
            return False
        if signal.kind is SignalKind.STOP:
            meant = or_(_at(signal.place), _turns.c.turn_id.in_(_posted(signal.place, schema.posts.c.turn_id)))
            running = _turns.c.state == TurnState.RUNNING.value
            connection.execute(update(_turns).where(running, meant).values(cancel_requested=True))
        return True

    async def knows(self, place: Place) -> bool:
        def look(connection: Connection) -> bool:
            asked = select(exists().where(_at(place)))
            return bool(connection.scalar(asked)) or posted(connection, place) is not None

        return await self._db.read(look)


def posted(connection: Connection, place: Place) -> Row[Any] | None:
    """The reply of the turn whose message is this thread's root."""
    if place.thread == "":
        return None
    found = _posted(place, _turns.c.reply).join(_turns, schema.posts.c.turn_id == _turns.c.turn_id)
    return connection.execute(found.limit(1)).first()


def _posted(place: Place, column: Column[Any]) -> Select[Any]:
    """Of the message of ours that is this thread's root."""
    posts = schema.posts
    return (
        select(column)
        .select_from(posts)
        .where(
            posts.c.platform == place.platform,
            posts.c.workspace == place.workspace,
            posts.c.channel == place.channel,
            posts.c.message_id == place.thread,
        )
    )


def columns(place: Place) -> dict[str, Any]:
    return {"platform": place.platform, "workspace": place.workspace, "channel": place.channel, "thread": place.thread}


def _at(place: Place) -> ColumnElement[bool]:
    return and_(*(_turns.c[name] == value for name, value in columns(place).items()))
