"""Schedules from chat: add, list, pause, resume, remove and test, with the rights that each needs."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.domain import Audience, Note, Person, Place, Reply, Table, Text
from bot.errors import UsageError
from bot.rights import NOT_FOR_GUESTS, Rights
from bot.schedule_grammar import (
    DAYS,
    EXAMPLE,
    ChannelRef,
    ScheduleError,
    ScheduleSpec,
    canonical_zone,
    days_text,
    near,
    parse_schedule,
    unquoted,
)
from bot.schedules import Schedule, ScheduleStore, next_slots

_ID = re.compile(r"s?(\d{1,9})")
_VERBS = ("add", "list", "pause", "resume", "remove", "test")
_RUNS_SHOWN = 3


class NotAllowed(UsageError):
    """The person has no right to this; the message says who has."""


class UnknownSchedule(UsageError):
    """No schedule has this id in this workspace."""


class Channels(Protocol):
    """The platform's channels, as far as schedules need them."""

    async def find(self, place: Place, channel: ChannelRef) -> ChannelRef | None:
        """The channel of this place's workspace with its id and name; None when there is none that we can see.

        Raises:
            UsageError: the name fits several, in words for the person.
        """
        ...

    async def joined(self, place: Place, channel: ChannelRef) -> bool:
        """Whether the Director can post in a channel that it found; True when the platform doesn't say."""
        ...


ServiceNames = Callable[[], Sequence[str]]
Report = Callable[[Schedule, datetime], Awaitable[Reply]]
GroupsOf = Callable[[Place, Person], Awaitable[Collection[str]]]


@dataclass(frozen=True, kw_only=True)
class _Asked:
    place: Place
    here: ChannelRef
    person: Person
    request_key: str
    now: datetime


class Schedules:
    """The use cases. `report` makes what a schedule would post now; `services` are the names known, () when unknown."""

    def __init__(
        self,
        store: ScheduleStore,
        *,
        rights: Rights,
        services: ServiceNames,
        report: Report,
        channels: Channels | None = None,
        groups_of: GroupsOf | None = None,
    ) -> None:
        self._store = store
        self._rights = rights
        self._services = services
        self._report = report
        self._channels = channels
        self._groups_of = groups_of

    async def handle(
        self,
        text: str,
        *,
        place: Place,
        person: Person,
        request_key: str,
        now: datetime,
        channel_name: str | None = None,
    ) -> Reply:
        """Do what the words behind `schedule` say. Lists and tests answer only the asker, changes the conversation.

        Raises:
            ScheduleError, UnknownSchedule, NotAllowed: UsageErrors whose text tells the person what to do.
        """
        if not self._rights.may_read_schedules(person):
            raise NotAllowed(NOT_FOR_GUESTS)
        here = ChannelRef(id=place.channel, name=(channel_name or "").lstrip("#").lower())
        asked = _Asked(place=place, here=here, person=person, request_key=request_key, now=now)
        text = unquoted(text)
        verb, _, rest = " ".join(text.split()).partition(" ")
        match verb.lower():
            case "" | "list":
                return await self._list(asked)
            case "pause" | "resume":
                return await self._pause(rest, asked, paused=verb.lower() == "pause")
            case "remove":
                return await self._remove(rest, asked)
            case "test":
                return await self._test(rest, asked)
            case "add":
                return await self._add(rest, asked)
            case "review" | "digest":
                return await self._add(text, asked)
            case _:
                words = ["review", "digest", *_VERBS]
                raise ScheduleError(
                    f"I don't know “schedule {verb[:60]}”.{near(verb, words)} There are: review|digest every …, "
                    "list, pause s1, resume s1, remove s1, test s1.",
                    word=verb,
                )

    def check(self, spec: ScheduleSpec) -> ScheduleSpec:
        """The same with its services in their own spelling.

        Raises:
            ScheduleError: names a service that nobody defined.
        """
        known = {name.lower(): name for name in self._services()}
        if not known:
            return spec
        for name in spec.services:
            if name.lower() not in known:
                hint = near(name, known.values()) or f" There are: {_some(sorted(known.values()))}."
                raise ScheduleError(f"I know no service “{name[:60]}”.{hint}", word=name)
        return spec.model_copy(update={"services": tuple(known[name.lower()] for name in spec.services)})

    async def _add(self, text: str, asked: _Asked) -> Reply:
        place, person, now = asked.place, asked.person, asked.now
        groups = await self._groups(place, person)
        if not self._rights.may_add_schedule(person, place.platform, groups):
            raise NotAllowed("In this workspace only the people named under rights.schedule may add schedules.")
        spec = self.check(parse_schedule(text, default_zone=_zone_of(person)))
        channel = await self._channel(spec.channel, asked.here, place)
        schedule = await self._store.add(
            request_key=asked.request_key,
            place=place.model_copy(update={"channel": channel.id or place.channel, "thread": ""}),
            channel_name=channel.name,
            what=spec.what,
            days=spec.days,
            time=spec.time,
            zone=spec.zone,
            services=spec.services,
            created_by=person.id,
            at=now,
        )
        runs = _runs(schedule, now)
        said = f"**{schedule.id}**: I post the {sentence(schedule)}."
        ways = (
            f"Change it with `schedule pause {schedule.id}`, `remove {schedule.id}`; try it with `test {schedule.id}`."
        )
        return Reply(
            summary=f"Schedule {schedule.id}: {sentence(schedule)}",
            parts=(Text(markdown=f"{said}\n\nNext: {runs}."), Note(markdown=ways)),
        )

    async def _list(self, asked: _Asked) -> Reply:
        place = asked.place
        everywhere = await self._store.schedules(workspace=place.workspace, channel=None)
        shown = [
            schedule
            for schedule in everywhere
            if schedule.place.platform == place.platform
            and (schedule.place.channel == place.channel or schedule.created_by == asked.person.id)
        ]
        return listing(shown, asked.now, here=place.channel)

    async def _pause(self, rest: str, asked: _Asked, *, paused: bool) -> Reply:
        schedule = await self._changeable(rest, asked)
        workspace, now = asked.place.workspace, asked.now
        changed = await self._store.set_paused(schedule.id, workspace=workspace, paused=paused, at=now)
        if changed is None:
            raise _unknown(schedule.id)
        if paused:
            said = f"**{changed.id}** is paused: {sentence(changed)}. It goes on with `schedule resume {changed.id}`."
        else:
            said = f"**{changed.id}** goes on: {sentence(changed)}.\n\nNext: {_runs(changed, now)}."
        summary = f"Schedule {changed.id} {'paused' if paused else 'resumed'}"
        return Reply(summary=summary, parts=(Text(markdown=said),))

    async def _remove(self, rest: str, asked: _Asked) -> Reply:
        schedule = await self._changeable(rest, asked)
        if not await self._store.remove(schedule.id, workspace=asked.place.workspace):
            raise _unknown(schedule.id)
        said = f"**{schedule.id}** is removed: {sentence(schedule)}."
        return Reply(summary=f"Schedule {schedule.id} removed", parts=(Text(markdown=said),))

    async def _test(self, rest: str, asked: _Asked) -> Reply:
        schedule = await self._readable(rest, asked)
        report = await self._report(schedule, asked.now)
        note = Note(markdown=f"A test of {schedule.id}, posted nowhere else. {_capital(sentence(schedule))}.")
        return report.model_copy(update={"parts": (*report.parts, note), "audience": Audience.ASKER})

    async def _readable(self, rest: str, asked: _Asked) -> Schedule:
        """The schedule with this id, if it is of this channel or the person may change it."""
        schedule = await self._find(rest, asked.place)
        if schedule.place.channel == asked.place.channel or await self._may_change(schedule, asked):
            return schedule
        raise _unknown(schedule.id)

    async def _changeable(self, rest: str, asked: _Asked) -> Schedule:
        schedule = await self._readable(rest, asked)
        if not await self._may_change(schedule, asked):
            raise NotAllowed(f"{schedule.id} can be changed by whoever made it and by admins of this workspace.")
        return schedule

    async def _may_change(self, schedule: Schedule, asked: _Asked) -> bool:
        groups = await self._groups(asked.place, asked.person)
        return self._rights.may_change_schedule(asked.person, schedule, asked.place.platform, groups)

    async def _find(self, rest: str, place: Place) -> Schedule:
        found = _ID.fullmatch(rest.strip().lower())
        if not found:
            wrong = f"“{rest[:60]}” is no schedule's id." if rest else "Which one?"
            raise UnknownSchedule(f"{wrong} Ids look like s7; `schedule list` shows them.")
        schedule = await self._store.get(f"s{int(found[1])}", workspace=place.workspace)
        if schedule is None or schedule.place.platform != place.platform:
            raise _unknown(f"s{int(found[1])}")
        return schedule

    async def _channel(self, wanted: ChannelRef | None, here: ChannelRef, place: Place) -> ChannelRef:
        if wanted is None or wanted.id == here.id or (not wanted.id and wanted.name == here.name):
            named = here if here.name or self._channels is None else await self._channels.find(place, here)
            return here if named is None else here.model_copy(update={"name": named.name})
        found = await self._channels.find(place, wanted) if self._channels else None
        if self._channels is not None and found is not None and found.id:
            if not await self._channels.joined(place, found):
                raise UsageError(
                    f"I can't post in #{found.name or found.id}: I am not in it, or it is archived. "
                    "Invite me there and say it again."
                )
            return found
        if self._channels is None and wanted.id:
            return wanted
        raise ScheduleError(
            f"I can't see the channel #{wanted.name or wanted.id}. Invite me there, or say it in that channel.",
            word=str(wanted),
        )

    async def _groups(self, place: Place, person: Person) -> Collection[str]:
        return await self._groups_of(place, person) if self._groups_of else ()


def sentence(schedule: Schedule) -> str:
    """`review every monday at 09:00 Europe/Berlin for checkout in #payments`."""
    days = days_text(schedule.days).replace(",", ", ")
    services = f" for {', '.join(schedule.services)}" if schedule.services else ""
    channel = f" in #{schedule.channel_name}" if schedule.channel_name else ""
    return f"{schedule.what} every {days} at {schedule.time} {schedule.zone}{services}{channel}"


def listing(schedules: Sequence[Schedule], now: datetime, *, here: str | None = None) -> Reply:
    """Schedules with their next run, for one person's eyes; `here` is the channel that is asked in."""
    if not schedules:
        said = f"Nothing is scheduled here. Try `schedule {EXAMPLE}`."
        return Reply(summary="No schedules", parts=(Text(markdown=said),), audience=Audience.ASKER)
    rows = tuple(
        (
            schedule.id,
            f"{schedule.what} every {days_text(schedule.days)} {schedule.time} {schedule.zone}",
            ", ".join(schedule.services) or "all",
            "here" if schedule.place.channel == here else f"#{schedule.channel_name}" if schedule.channel_name else "–",
            "paused" if schedule.paused else _moment(schedule, now),
        )
        for schedule in schedules
    )
    table = Table(columns=("id", "what and when", "services", "where", "next"), rows=rows)
    count = f"{len(schedules)} schedule{'s' if len(schedules) > 1 else ''}"
    note = Note(markdown="`schedule pause s1`, `resume s1`, `remove s1`, `test s1`")
    return Reply(summary=count, parts=(table, note), audience=Audience.ASKER)


def _runs(schedule: Schedule, now: datetime) -> str:
    zone = ZoneInfo(schedule.zone)
    slots = next_slots(schedule, now, _RUNS_SHOWN)
    return ", ".join(_local(slot.due_at.astimezone(zone)) for slot in slots) + f" ({schedule.zone})"


def _moment(schedule: Schedule, now: datetime) -> str:
    return _local(next_slots(schedule, now, 1)[0].due_at.astimezone(ZoneInfo(schedule.zone)))


def _local(at: datetime) -> str:
    return f"{DAYS[at.weekday()][:3].capitalize()} {at:%Y-%m-%d %H:%M}"


def _zone_of(person: Person) -> str:
    return (canonical_zone(person.zone) if person.zone else None) or "UTC"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _some(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 8 else f"{', '.join(names[:8])} and {len(names) - 8} more"


def _unknown(schedule_id: str) -> UnknownSchedule:
    return UnknownSchedule(f"There is no schedule {schedule_id} here. `schedule list` shows those there are.")
