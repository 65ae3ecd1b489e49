"""What people said of answers, read from the signals that said it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import structlog
from pydantic import ValidationError
from sqlalchemy import Connection, RowMapping, select

from bot.domain import Signal, SignalKind
from bot.feedback import Feedback, Rating
from storage.database import Database
from storage.schema import signals

log = structlog.get_logger(__name__)

_AT_ONCE = 500  # rows


class SqlFeedback:
    """`bot.feedback.FeedbackLog` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def latest(self, *, workspace: str | None, limit: int) -> Sequence[Feedback]:
        return await self._db.read(lambda c: _latest(c, workspace, limit))


def _latest(connection: Connection, workspace: str | None, limit: int) -> tuple[Feedback, ...]:
    # Quotes in people's words are escaped in JSON, so only the kind itself reads like this.
    query = select(signals).where(signals.c.signal.contains('"kind":"feedback"')).order_by(signals.c.seq.desc())
    if workspace is not None:
        query = query.where(signals.c.workspace == workspace)
    found: dict[object, Feedback] = {}
    with connection.execute(query, execution_options={"yield_per": _AT_ONCE}) as rows:
        for row in rows.mappings():
            if len(found) >= limit:
                break
            said = _feedback(row)
            if said is not None:
                found.setdefault(_about(said, row["seq"]), said)
    return tuple(found.values())


def _about(said: Feedback, number: int) -> object:
    """A person and a message; without a message everything said stands for itself."""
    if said.message_id is None:
        return number
    place = said.place
    return place.platform, place.workspace, place.channel, said.message_id, said.person_id


def _feedback(row: RowMapping) -> Feedback | None:
    """None for what another version of the Director stored in a form that this one can't read."""
    try:
        signal = Signal.model_validate_json(row["signal"])
    except ValidationError:
        log.warning("signal_unreadable", seq=row["seq"])
        return None
    if signal.kind is not SignalKind.FEEDBACK or signal.value not in get_args(Rating):
        return None
    return Feedback(
        place=signal.place,
        person_id=signal.person_id,
        message_id=signal.message_id,
        rating="like" if signal.value == "like" else "dislike",
        words=signal.text,
        at=signal.at,
    )
