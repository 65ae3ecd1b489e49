"""Who did what to plans, schedules and settings: written once, never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from pydantic import AwareDatetime, JsonValue

from bot.domain import Value


class AuditEntry(Value):
    """`action` is a verb with its noun ("schedule.add"), `about` the id it happened to. `detail` holds no secret."""

    workspace: str
    at: AwareDatetime
    person_id: str | None
    action: str
    about: str
    detail: Mapping[str, JsonValue] = {}


class Audit(Protocol):
    async def record(self, entry: AuditEntry) -> None:
        """Keep it; returns after the commit."""
        ...

    async def entries(self, *, workspace: str | None, limit: int) -> Sequence[AuditEntry]:
        """Newest first; of one workspace, or of all."""
        ...
