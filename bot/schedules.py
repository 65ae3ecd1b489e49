"""Schedules: what a channel gets and when, how they are kept, and the slots that come due."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field

from bot.domain import Incoming, IncomingKind, Place, Slot, Value
from bot.schedule_grammar import ScheduleError, ScheduleSpec, What, parse_schedule

__all__ = [
    "GRACE",
    "Schedule",
    "ScheduleError",
    "ScheduleSpec",
    "ScheduleStore",
    "What",
    "due_slots",
    "due_turns",
    "late_note",
    "next_slots",
    "parse_schedule",
    "slot_key",
]

GRACE = timedelta(hours=6)  # a slot missed for longer is left out
LATE_AFTER = timedelta(minutes=10)  # what comes later than this says so


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


def due_slots(schedule: Schedule, after: datetime, until: datetime) -> list[Slot]:
    """The slots whose instant lies in (after, until], oldest first.

    A slot is a local date and wall-clock time and happens once: one that the clocks skip (02:30 when they go from 2 to
    3) comes as much later as they were put forward, one that they show twice comes the first time.
    """
    zone = ZoneInfo(schedule.zone)
    first, last = (moment.astimezone(zone).date() for moment in (after, until))
    slots = (_slot(schedule, day, zone) for day in _dates(first - timedelta(days=1), last) if _on(schedule, day))
    return [slot for slot in slots if after < slot.due_at <= until]


def next_slots(schedule: Schedule, after: datetime, count: int) -> list[Slot]:
    """The next so many slots after an instant."""
    days = 7 * (count + 1) + 1  # a schedule has at least one day a week
    return due_slots(schedule, after, after + timedelta(days=days))[:count]


def slot_key(slot: Slot) -> str:
    """The dedupe key of a slot's turn: local, so that the hour that comes twice in autumn runs once."""
    return f"schedule:{slot.schedule_id}:{slot.local}"


def due_turns(
    schedules: Iterable[Schedule], now: datetime, known: Collection[str] = (), *, grace: timedelta = GRACE
) -> list[Incoming]:
    """The turns to put into the inbox now: of each schedule the newest slot that came due within the grace period.

    Older ones that were missed are left out, and so is every slot up to `active_since`. `known` holds the dedupe keys
    that were stored already; leaving it out costs only a put that the inbox refuses.
    """
    turns = []
    for schedule in schedules:
        if schedule.paused:
            continue
        slots = due_slots(schedule, max(schedule.active_since, now - grace), now)
        if slots and slot_key(slots[-1]) not in known:
            turns.append(_turn(schedule, slots[-1], now))
    return turns


def late_note(slot: Slot, now: datetime) -> str | None:
    """The sentence with which a late post says so; None when it is on time."""
    if now - slot.due_at <= LATE_AFTER:
        return None
    zone = ZoneInfo(slot.zone)
    was, is_ = slot.due_at.astimezone(zone), now.astimezone(zone)
    posted = f"{is_:%H:%M}" if was.date() == is_.date() else f"{is_:%Y-%m-%d %H:%M}"
    return f"Late: due {was:%Y-%m-%d %H:%M} {slot.zone}, made at {posted}."


def _turn(schedule: Schedule, slot: Slot, now: datetime) -> Incoming:
    services = f" for {','.join(schedule.services)}" if schedule.services else ""
    return Incoming(
        kind=IncomingKind.SLOT,
        dedupe_key=slot_key(slot),
        place=schedule.place,
        text=f"{schedule.what}{services}",
        received_at=now,
        speaker_id=schedule.created_by,
        channel_name=schedule.channel_name or None,
        slot=slot,
    )


def _slot(schedule: Schedule, day: date, zone: ZoneInfo) -> Slot:
    local = datetime.combine(day, time.fromisoformat(schedule.time))
    return Slot(
        schedule_id=schedule.id,
        local=local.isoformat(timespec="minutes"),
        zone=schedule.zone,
        due_at=local.replace(tzinfo=zone, fold=0).astimezone(UTC),  # fold=0 gives both rules of `due_slots` (PEP 495)
    )


def _on(schedule: Schedule, day: date) -> bool:
    return day.weekday() in schedule.days


def _dates(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)
