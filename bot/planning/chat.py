"""Plans as people ask for them: draft one, show one, list them."""

from __future__ import annotations

from datetime import datetime

from bot.domain import Place, Reply, Usage
from bot.errors import UsageError
from bot.planning.drafting import Planning, Status
from bot.planning.reply import overview_reply, plan_reply

_MOST_LISTED = 50


class UnknownPlan(UsageError):
    """No plan has this id in this workspace."""


class PlanChat:
    """The use cases as replies. `workspace=None` means any: the operator's command line."""

    def __init__(self, planning: Planning) -> None:
        self._planning = planning

    async def draft(
        self,
        initiative: str,
        *,
        request_key: str,
        place: Place,
        author_id: str | None,
        now: datetime,
        status: Status,
    ) -> tuple[Reply, tuple[Usage, ...]]:
        """Draft, keep and show a plan; see `Planning.draft`. With the tokens that it took."""
        draft = await self._planning.draft(
            initiative, request_key=request_key, place=place, author_id=author_id, now=now, status=status
        )
        reply = plan_reply(draft.stored, draft.findings, note=draft.note, problems=draft.problems)
        return reply, draft.usage

    async def show(self, plan_id: str, *, workspace: str | None) -> Reply:
        """Raises UnknownPlan."""
        stored = await self._planning.store.get(plan_id.strip().lower(), workspace=workspace)
        if stored is None:
            raise UnknownPlan(f"There is no plan {plan_id.strip()[:40]} here. `plan list` shows those there are.")
        return plan_reply(stored, self._planning.check(stored.plan) if stored.plan else ())

    async def overview(self, *, workspace: str | None) -> Reply:
        return overview_reply(await self._planning.store.plans(workspace=workspace, limit=_MOST_LISTED))
