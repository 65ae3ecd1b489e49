"""Plans as they are kept: versions that are added and never rewritten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pydantic import AwareDatetime

from bot.domain import Place, Value
from bot.planning.plan import Plan


class StoredPlan(Value):
    """One version of a plan. `plan` is None when what was written is not a plan; `raw` then keeps it word for word."""

    id: str  # "p7", unique in the whole database
    version: int
    place: Place
    author_id: str | None
    initiative: str
    plan: Plan | None
    raw: str | None
    created_at: AwareDatetime


class PlanStore(Protocol):
    """`workspace=None` means any: the operator's command line."""

    async def add(
        self,
        *,
        request_key: str,
        place: Place,
        author_id: str | None,
        initiative: str,
        plan: Plan | None,
        raw: str | None,
        at: datetime,
    ) -> StoredPlan:
        """Keep a new plan; the same workspace and request key give the one stored before again."""
        ...

    async def revise(
        self,
        *,
        plan_id: str,
        workspace: str,
        request_key: str,
        author_id: str | None,
        plan: Plan | None,
        raw: str | None,
        at: datetime,
    ) -> StoredPlan:
        """Keep the next version of a plan."""
        ...

    async def get(self, plan_id: str, *, workspace: str | None, version: int | None = None) -> StoredPlan | None:
        """This version of the plan, or the latest."""
        ...

    async def plans(self, *, workspace: str | None, limit: int) -> Sequence[StoredPlan]:
        """Newest first, the latest version of each."""
        ...
