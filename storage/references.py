"""The conversations that a platform without a list of them has told of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, RowMapping, Select, and_, case, delete, func, or_, select
from sqlalchemy.sql.elements import ColumnElement

from bot.domain import Platform
from bot.references import ConversationReference
from storage.database import Database
from storage.schema import conversations

_MOST_CONFLICTS = 5  # Teams tells of one removal twice, and two replicas may forget the same channels at once
_KEY = ("platform", "workspace", "conversation")
_NEWEST = (conversations.c.known_at.desc(), conversations.c.conversation)


class SqlReferences:
    """`bot.references.References` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def remember(self, reference: ConversationReference) -> None:
        heard = self._db.insert(conversations).values(**reference.model_dump())
        kept: dict[str, Any] = {
            column.name: _newly(column, heard.excluded) for column in conversations.c if column.name not in _KEY
        }
        row = heard.on_conflict_do_update(index_elements=list(_KEY), set_=kept)
        await self._db.write(lambda c: c.execute(row) and None, urgency=0)

    async def forget(self, *, platform: Platform, workspace: str, conversation: str) -> None:
        gone = or_(conversations.c.conversation == conversation, conversations.c.team_id == conversation)
        rows = delete(conversations).where(_within(platform, workspace), gone)
        await self._db.write(lambda c: c.execute(rows) and None, urgency=0, conflicts=_MOST_CONFLICTS)

    async def find(self, *, platform: Platform, workspace: str, conversation: str) -> ConversationReference | None:
        found = await self._found(
            select(conversations).where(_within(platform, workspace), conversations.c.conversation == conversation)
        )
        return found[0] if found else None

    async def personal(self, *, platform: Platform, workspace: str, person_id: str) -> ConversationReference | None:
        found = await self._found(
            select(conversations)
            .where(
                _within(platform, workspace),
                conversations.c.person_id == person_id,
                conversations.c.kind == "personal",
            )
            .order_by(*_NEWEST)
            .limit(1)
        )
        return found[0] if found else None

    async def all(self, *, platform: Platform) -> Sequence[ConversationReference]:
        of_platform = select(conversations).where(conversations.c.platform == platform)
        return await self._found(of_platform.order_by(*_NEWEST, conversations.c.workspace))

    async def _found(self, query: Select[Any]) -> tuple[ConversationReference, ...]:
        rows = await self._db.read(lambda c: c.execute(query).mappings().all())
        return tuple(_reference(row) for row in rows)


def _newly(column: Column[Any], heard: Any) -> Any:
    """What a conversation's column holds once it was heard of again: what was not said is what was known."""
    if column.name == "name":
        return case((heard.name == "", column), else_=heard.name)
    return func.coalesce(heard[column.name], column)


def _within(platform: Platform, workspace: str) -> ColumnElement[bool]:
    return and_(conversations.c.platform == platform, conversations.c.workspace == workspace)


def _reference(row: RowMapping) -> ConversationReference:
    return ConversationReference.model_validate(dict(row))
