"""What a thread remembers: exact messages and facts, only ever appended, together with the answer they belong to."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from bot.domain import Answer, Place, Thread
from bot.ports import Claim
from storage import turns as values
from storage.database import Database
from storage.schema import facts, messages, threads


class SqlMemory:
    """`bot.ports.Memory` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def thread(self, place: Place) -> Thread:
        return await self._db.read(lambda c: _thread(c, place))


def _thread(connection: Connection, place: Place) -> Thread:
    epoch = connection.scalar(select(threads.c.epoch).where(threads.c.thread_key == place.key))
    if epoch is None:
        return Thread()

    def remembered(table: Any) -> Any:
        query = select(table).where(table.c.thread_key == place.key, table.c.epoch == epoch).order_by(table.c.position)
        return connection.execute(query).mappings()

    return Thread(
        messages=tuple(values.message(row) for row in remembered(messages)),
        facts=tuple(values.fact(row) for row in remembered(facts)),
    )


def append(
    database: Database,
    connection: Connection,
    claim: Claim,
    answer: Answer,
) -> None:
    """Add the answer's messages and facts behind all that its thread holds, as part of the caller's transaction."""
    place, said, measured = claim.incoming.place, answer.messages, answer.facts
    if not said and not measured:
        return
    counters = database.insert(threads).values(
        thread_key=place.key,
        platform=place.platform,
        workspace=place.workspace,
        epoch=0,
        messages=len(said),
        facts=len(measured),
    )
    # Moving the counters holds the thread's row: two turns' messages can't interleave.
    grown = connection.execute(
        counters.on_conflict_do_update(
            index_elements=["thread_key"],
            set_={
                "messages": threads.c.messages + counters.excluded.messages,
                "facts": threads.c.facts + counters.excluded.facts,
            },
        ).returning(threads.c.epoch, threads.c.messages, threads.c.facts)
    ).one()
    shared = {"thread_key": place.key, "epoch": grown.epoch, "workspace": place.workspace, "turn_id": claim.turn_id}
    if said:
        start = grown.messages - len(said)
        connection.execute(
            messages.insert(),
            [
                {**shared, "position": start + n, "role": one.role, "content": values.content_text(one.content)}
                for n, one in enumerate(said)
            ],
        )
    if measured:
        start = grown.facts - len(measured)
        connection.execute(
            facts.insert(),
            [{**shared, "position": start + n, "fact": one.model_dump_json()} for n, one in enumerate(measured)],
        )
