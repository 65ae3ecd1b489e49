"""`director schedule`: what channels get and when, for the operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.errors import UsageError
from handlers.cli.session import begin, run_async, show_json, show_reply, tell

if TYPE_CHECKING:
    from datetime import datetime

    from bot.domain import Reply
    from bot.reliability import Assessment
    from bot.schedules import Schedule, ScheduleSpec
    from bot.settings import Settings

group = typer.Typer(help="Post reviews and digests on a schedule.", no_args_is_help=True, rich_markup_mode=None)

Id = Annotated[str, typer.Argument(metavar="ID", help="A schedule's id, e.g. s7.")]


@group.command("add")
def add(
    context: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="SENTENCE", help='For example "review every monday 09:00 Europe/Berlin in #payments for checkout".'
        ),
    ],
) -> int:
    """Post a review or digest in a channel on some days of the week. Without a zone the time is UTC."""
    from bot.schedules import next_slots, parse_schedule

    sentence = " ".join(words)
    spec = parse_schedule(sentence, default_zone="UTC")
    if spec.channel is None:
        raise UsageError(f'In which channel? Add it: director schedule add "{sentence} in #channel".')
    channel = spec.channel.id or f"#{spec.channel.name}"

    async def work() -> tuple[Schedule, datetime]:
        import uuid

        wiring, settings = begin(context)
        _known_services(spec, settings)
        async with wiring.store(settings) as store:
            async with wiring.posting(settings) as posting:
                place, name = await posting.channel(channel)
            now = wiring.now()
            schedule = await store.schedules.add(
                request_key=f"terminal:{uuid.uuid4()}",
                place=place,
                channel_name=name.removeprefix("#"),
                what=spec.what,
                days=spec.days,
                time=spec.time,
                zone=spec.zone,
                services=spec.services,
                created_by=None,
                at=now,
            )
        return schedule, now

    schedule, now = run_async(work())
    first = next_slots(schedule, now, 1)[0]
    tell(f"Kept as {schedule.id}: {_sentence(schedule)}. First at {first.local.replace('T', ' ')} {first.zone}.")
    return 0


@group.command("list")
def list_schedules(
    context: typer.Context, json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False
) -> int:
    """List the schedules of all workspaces."""

    async def work() -> tuple[list[Schedule], datetime]:
        wiring, settings = begin(context)
        async with wiring.store(settings) as store:
            return list(await store.schedules.schedules(workspace=None, channel=None)), wiring.now()

    schedules, now = run_async(work())
    rows = [_row(schedule, now) for schedule in schedules]
    if json:
        show_json(rows)
    else:
        show_reply(_listing(schedules, rows))
    return 0


@group.command("pause")
def pause(context: typer.Context, schedule_id: Id) -> int:
    """Stop posting until resumed."""
    schedule = _set_paused(context, schedule_id, paused=True)
    tell(f"{schedule.id} is paused; `director schedule resume {schedule.id}` takes it up again.")
    return 0


@group.command("resume")
def resume(context: typer.Context, schedule_id: Id) -> int:
    """Post again from the next time on. What was missed meanwhile stays out."""
    schedule = _set_paused(context, schedule_id, paused=False)
    tell(f"{schedule.id} runs again: {_sentence(schedule)}.")
    return 0


@group.command("remove")
def remove(context: typer.Context, schedule_id: Id) -> int:
    """Remove a schedule for good."""

    async def work() -> None:
        wiring, settings = begin(context)
        async with wiring.store(settings) as store:
            if not await store.schedules.remove(_id(schedule_id), workspace=None):
                raise _unknown(schedule_id)

    run_async(work())
    tell(f"{_id(schedule_id)} is removed.")
    return 0


@group.command("test")
def test(context: typer.Context, schedule_id: Id) -> int:
    """Print what a schedule would post now; nothing is posted."""
    from bot.reliability import digest_reply, review_reply

    async def work() -> tuple[Schedule, Assessment]:
        wiring, settings = begin(context)
        async with wiring.store(settings) as store:
            schedule = await store.schedules.get(_id(schedule_id), workspace=None)
        if schedule is None:
            raise _unknown(schedule_id)
        entry = settings.file.channels.get(f"#{schedule.channel_name}")
        services = schedule.services or (entry.services if entry else ())
        async with wiring.reliability(settings) as reliability:
            return schedule, await reliability.issue(list(services) or None, wiring.now())

    schedule, assessment = run_async(work())
    show_reply(review_reply(assessment) if schedule.what == "review" else digest_reply(assessment))
    return assessment.exit_code


def _set_paused(context: typer.Context, schedule_id: str, *, paused: bool) -> Schedule:
    async def work() -> Schedule:
        wiring, settings = begin(context)
        async with wiring.store(settings) as store:
            schedule = await store.schedules.set_paused(
                _id(schedule_id), workspace=None, paused=paused, at=wiring.now()
            )
        if schedule is None:
            raise _unknown(schedule_id)
        return schedule

    return run_async(work())


def _id(written: str) -> str:
    """`S7` and `7` mean s7."""
    return f"s{written.strip().lower().removeprefix('s')}"


def _unknown(schedule_id: str) -> UsageError:
    return UsageError(f"There is no schedule {schedule_id!r}; `director schedule list` shows them.")


def _known_services(spec: ScheduleSpec, settings: Settings) -> None:
    from bot.reliability import load_definitions

    if not spec.services or not settings.slos:
        return
    known = load_definitions(settings.slos).service_names
    for name in spec.services:
        if known and name not in known:
            raise UsageError(f"There is no service {name!r}; there are {', '.join(known)}.")


def _sentence(schedule: Schedule) -> str:
    from bot.schedule_chat import sentence

    return sentence(schedule)


def _row(schedule: Schedule, now: datetime) -> dict[str, Any]:
    from bot.schedules import next_slots

    upcoming = None if schedule.paused else next_slots(schedule, now, 1)[0].due_at
    return {
        "id": schedule.id,
        "what": schedule.what,
        "days": list(schedule.days),
        "time": schedule.time,
        "zone": schedule.zone,
        "services": list(schedule.services),
        "workspace": schedule.place.workspace,
        "channel": schedule.place.channel,
        "channel_name": schedule.channel_name,
        "paused": schedule.paused,
        "next": upcoming.isoformat().replace("+00:00", "Z") if upcoming else None,
    }


def _listing(schedules: list[Schedule], rows: list[dict[str, Any]]) -> Reply:
    from bot.domain import Reply, Table, Text

    if not schedules:
        said = 'Nothing is scheduled. Try: director schedule add "review every monday 09:00 UTC in #channel"'
        return Reply(summary="No schedules", parts=(Text(markdown=said),))
    cells = tuple(
        (schedule.id, _sentence(schedule), schedule.place.workspace, row["next"] or "paused")
        for schedule, row in zip(schedules, rows, strict=True)
    )
    table = Table(columns=("id", "what and when", "workspace", "next"), rows=cells)
    return Reply(summary="Schedules", parts=(table,))
