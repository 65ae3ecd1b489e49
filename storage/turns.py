"""Rows of the inbox as the domain's values, answers included."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy import Connection, RowMapping, select

from bot.domain import Answer, Fact, Incoming, IncomingKind, Message, Reply, Usage
from bot.ports import TurnRecord, TurnState
from storage import schema
from storage.errors import StorageError

log = structlog.get_logger(__name__)

# Requests that belong to no thread must not wait for each other.
_ROOT_KINDS = (IncomingKind.COMMAND, IncomingKind.SLOT, IncomingKind.NOTICE)


def queue_key(incoming: Incoming) -> str:
    """Turns with the same key run one after the other. A flat direct message is one thread."""
    if incoming.place.thread == "" and incoming.kind in _ROOT_KINDS:
        return f"{incoming.place.key}#{incoming.dedupe_key}"
    return incoming.place.key


def content_text(content: list[dict[str, object]] | str) -> str:
    """Exact JSON, keys in their order; ASCII, since PostgreSQL's text can hold neither NUL nor half a surrogate."""
    return json.dumps(content, ensure_ascii=True, separators=(",", ":"))


def message(row: RowMapping) -> Message:
    return Message(role=row["role"], content=json.loads(row["content"]))


def fact(row: RowMapping) -> Fact:
    return Fact.model_validate_json(row["fact"])


def incoming(row: RowMapping) -> Incoming:
    """The stored request.

    Raises:
        StorageError: another version of the Director stored it in a form that this one can't read.
    """
    try:
        return Incoming.model_validate_json(row["incoming"])
    except ValidationError:
        raise StorageError(
            f"Turn {row['turn_id']} was stored by another version of the Director in a form this one can't read."
        ) from None


def answers(connection: Connection, rows: Sequence[RowMapping]) -> Mapping[str, Answer]:
    """The whole stored answers of those turns that have one."""
    answered = {row["turn_id"]: row["reply"] for row in rows if row["reply"] is not None}
    if not answered:
        return {}
    found: dict[str, tuple[list[Message], list[Fact], list[Usage]]] = {key: ([], [], []) for key in answered}
    for row in _of(connection, schema.messages, answered, schema.messages.c.position):
        found[row["turn_id"]][0].append(message(row))
    for row in _of(connection, schema.facts, answered, schema.facts.c.position):
        found[row["turn_id"]][1].append(fact(row))
    for row in _of(connection, schema.usage, answered, schema.usage.c.seq):
        found[row["turn_id"]][2].append(Usage(**{name: row[name] for name in Usage.model_fields}))
    return {
        turn_id: Answer(
            reply=Reply.model_validate_json(answered[turn_id]),
            messages=tuple(said),
            facts=tuple(measured),
            usage=tuple(used),
        )
        for turn_id, (said, measured, used) in found.items()
    }


def _of(connection: Connection, table: Any, turn_ids: Collection[str], order: Any) -> Sequence[RowMapping]:
    query = select(table).where(table.c.turn_id.in_(turn_ids)).order_by(order)
    return connection.execute(query).mappings().all()


def records(connection: Connection, rows: Sequence[RowMapping]) -> tuple[TurnRecord, ...]:
    """The rows as values; those that this version can't read are left out and logged."""
    known = answers(connection, rows)
    found = []
    for row in rows:
        try:
            asked = incoming(row)
        except StorageError:
            log.warning("turn_unreadable", turn_id=row["turn_id"])
            continue
        found.append(
            TurnRecord(
                turn_id=row["turn_id"],
                state=TurnState(row["state"]),
                incoming=asked,
                answer=known.get(row["turn_id"]),
                attempts=row["attempts"],
                deaths=row["deaths"],
                reason=row["reason"],
                created_at=row["created_at"],
                updated_at=row["updated_at"],
            )
        )
    return tuple(found)
