"""Stores in memory that keep the promises of their ports: plans, schedules, conversations, and an inbox that only
takes in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from bot.domain import Incoming, Place, Platform, Signal
from bot.planning.plan import Plan
from bot.planning.store import StoredPlan
from bot.references import ConversationReference
from bot.schedules import Schedule, What


class MemoryPlans:
    def __init__(self) -> None:
        self.versions: list[StoredPlan] = []
        self._by_request: dict[tuple[str, str], StoredPlan] = {}

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
        number = len({stored.id for stored in self.versions}) + 1
        fresh = StoredPlan(
            id=f"p{number}",
            version=1,
            place=place,
            author_id=author_id,
            initiative=initiative,
            plan=plan,
            raw=raw,
            created_at=at,
        )
        return self._keep(place.workspace, request_key, fresh)

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
        last = await self.get(plan_id, workspace=workspace)
        assert last is not None
        changed = {"version": last.version + 1, "author_id": author_id, "plan": plan, "raw": raw, "created_at": at}
        return self._keep(workspace, request_key, last.model_copy(update=changed))

    async def get(self, plan_id: str, *, workspace: str | None, version: int | None = None) -> StoredPlan | None:
        found = [
            stored
            for stored in self.versions
            if stored.id == plan_id
            and workspace in (None, stored.place.workspace)
            and version in (None, stored.version)
        ]
        return found[-1] if found else None

    async def plans(self, *, workspace: str | None, limit: int) -> Sequence[StoredPlan]:
        latest = {stored.id: stored for stored in self.versions if workspace in (None, stored.place.workspace)}
        return list(reversed(latest.values()))[:limit]

    def _keep(self, workspace: str, request_key: str, fresh: StoredPlan) -> StoredPlan:
        stored = self._by_request.setdefault((workspace, request_key), fresh)
        if stored is fresh:
            self.versions.append(fresh)
        return stored


class MemorySchedules:
    def __init__(self) -> None:
        self.rows: dict[str, Schedule] = {}
        self.broken: Exception | None = None
        self._by_request: dict[tuple[str, str], str] = {}
        self._last = 0

    async def add(
        self,
        *,
        request_key: str,
        place: Place,
        channel_name: str,
        what: What,
        days: tuple[int, ...],
        time: str,
        zone: str,
        services: tuple[str, ...],
        created_by: str | None,
        at: datetime,
    ) -> Schedule:
        known = self._by_request.get((place.workspace, request_key))
        if known is not None:
            return self.rows[known]
        self._last += 1
        schedule = Schedule(
            id=f"s{self._last}",
            place=place,
            channel_name=channel_name,
            what=what,
            days=days,
            time=time,
            zone=zone,
            services=services,
            created_by=created_by,
            created_at=at,
            active_since=at,
            paused=False,
        )
        self.rows[schedule.id] = schedule
        self._by_request[place.workspace, request_key] = schedule.id
        return schedule

    async def get(self, schedule_id: str, *, workspace: str | None) -> Schedule | None:
        found = self.rows.get(schedule_id)
        return found if found and workspace in (None, found.place.workspace) else None

    async def schedules(self, *, workspace: str | None, channel: str | None) -> Sequence[Schedule]:
        return [
            row
            for row in self.rows.values()
            if workspace in (None, row.place.workspace) and channel in (None, row.place.channel)
        ]

    async def set_paused(
        self, schedule_id: str, *, workspace: str | None, paused: bool, at: datetime
    ) -> Schedule | None:
        found = await self.get(schedule_id, workspace=workspace)
        if found is None:
            return None
        since = found.active_since if paused else at
        self.rows[found.id] = found.model_copy(update={"paused": paused, "active_since": since})
        return self.rows[found.id]

    async def remove(self, schedule_id: str, *, workspace: str | None) -> bool:
        found = await self.get(schedule_id, workspace=workspace)
        return found is not None and self.rows.pop(found.id) is found

    async def active(self) -> Sequence[Schedule]:
        if self.broken is not None:
            raise self.broken
        return [row for row in self.rows.values() if not row.paused]


class MemoryReferences:
    """`writes` counts what reached the store; `broken` is raised by every call."""

    def __init__(self, *references: ConversationReference) -> None:
        self.rows = {(row.platform, row.workspace, row.conversation): row for row in references}
        self.writes = 0
        self.broken: Exception | None = None

    async def remember(self, reference: ConversationReference) -> None:
        self._reach(writing=True)
        key = (reference.platform, reference.workspace, reference.conversation)
        if (known := self.rows.get(key)) is not None:
            kept = {
                "name": reference.name or known.name,
                "person_id": known.person_id if reference.person_id is None else reference.person_id,
                "team_id": known.team_id if reference.team_id is None else reference.team_id,
            }
            reference = reference.model_copy(update=kept)
        self.rows[key] = reference

    async def forget(self, *, platform: Platform, workspace: str, conversation: str) -> None:
        self._reach(writing=True)
        for key, row in list(self.rows.items()):
            if key[:2] == (platform, workspace) and conversation in (row.conversation, row.team_id):
                del self.rows[key]

    async def find(self, *, platform: Platform, workspace: str, conversation: str) -> ConversationReference | None:
        self._reach()
        return self.rows.get((platform, workspace, conversation))

    async def personal(self, *, platform: Platform, workspace: str, person_id: str) -> ConversationReference | None:
        found = [
            row
            for row in await self.all(platform=platform)
            if (row.workspace, row.kind, row.person_id) == (workspace, "personal", person_id)
        ]
        return found[0] if found else None

    async def all(self, *, platform: Platform) -> Sequence[ConversationReference]:
        self._reach()
        rows = [row for row in self.rows.values() if row.platform == platform]
        rows.sort(key=lambda row: (row.conversation, row.workspace))
        return tuple(sorted(rows, key=lambda row: row.known_at, reverse=True))

    def _reach(self, *, writing: bool = False) -> None:
        if self.broken is not None:
            raise self.broken
        self.writes += writing


class MemoryIntake:
    """Takes in turns, each dedupe key once."""

    def __init__(self) -> None:
        self.taken: dict[str, Incoming] = {}
        self.puts = 0
        self.arrived = asyncio.Event()

    async def put(self, incoming: Incoming) -> bool:
        self.puts += 1
        self.arrived.set()
        return self.taken.setdefault(incoming.dedupe_key, incoming) is incoming

    async def signal(self, signal: Signal) -> bool:
        raise NotImplementedError

    async def knows(self, place: Place) -> bool:
        return any(incoming.place == place for incoming in self.taken.values())
