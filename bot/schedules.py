"""Schedules: "every monday 09:00 Europe/London", its grammar, and the slots that come due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from pydantic import AwareDatetime, Field

from bot.domain import Place, Value

What = Literal["review", "digest"]


class Schedule(Value):
    """A report that a channel gets at a local wall-clock time on some days of the week (Monday is 0).

    Slots before `active_since` are never run: it is when the schedule was made or last resumed.
    """

    id: str  # "s7"
    place: Place
    channel_name: str
    what: What
    days: tuple[int, ...] = Field(min_length=1)
    time: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    zone: str
    services: tuple[str, ...]
    created_by: str | None
    created_at: AwareDatetime
    active_since: AwareDatetime
    paused: bool


class ScheduleStore(Protocol):
    """`workspace=None` means any: the operator's command line."""

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
        """Keep a new schedule; the same workspace and request key give the one stored before again."""
        ...

    async def get(self, schedule_id: str, *, workspace: str | None) -> Schedule | None: ...

    async def schedules(self, *, workspace: str | None, channel: str | None) -> Sequence[Schedule]:
        """Oldest first; of one channel, or of all."""
        ...

    async def set_paused(
        self, schedule_id: str, *, workspace: str | None, paused: bool, at: datetime
    ) -> Schedule | None:
        """Pause or resume; resuming sets `active_since` to `at`. None when there is no such schedule."""
        ...

    async def remove(self, schedule_id: str, *, workspace: str | None) -> bool:
        """Ids are never used again. False when there is no such schedule."""
        ...

    async def active(self) -> Sequence[Schedule]:
        """Those not paused, of all workspaces."""
        ...
