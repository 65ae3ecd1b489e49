"""`director plan`: draft project plans, show them, check them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.errors import UsageError
from handlers.cli.session import begin, run_async, show, show_json, show_reply, tell, terminal_place

if TYPE_CHECKING:
    from bot.planning import Draft
    from bot.planning.findings import Finding
    from bot.planning.plan import Plan
    from bot.planning.store import StoredPlan
    from bot.settings import Settings

group = typer.Typer(help="Draft project plans, show them, check them.", no_args_is_help=True, rich_markup_mode=None)

Id = Annotated[str, typer.Argument(metavar="ID", help="A plan's id, e.g. p7.")]
PlanJson = Annotated[bool, typer.Option("--json", help="Print the plan itself, as `plan schema` describes it.")]


@group.command("new")
def new(
    context: typer.Context,
    initiative: Annotated[
        str, typer.Argument(metavar="INITIATIVE", help="What is to be built or changed, in a sentence or more.")
    ],
    json: PlanJson = False,
) -> int:
    """Draft a plan for an initiative and keep it: work, people, SLOs, merged into one project plan."""
    if not initiative.strip():
        raise UsageError('What is to be planned? For example: director plan new "Move checkout to its own database".')

    async def work() -> Draft:
        import uuid

        async def status(line: str) -> None:
            tell(f"… {line}")

        wiring, settings = begin(context)
        async with wiring.store(settings) as store, wiring.planning(settings, store) as planning:
            return await planning.draft(
                initiative.strip(),
                request_key=f"terminal:{uuid.uuid4()}",
                place=terminal_place(settings),
                author_id=None,
                now=wiring.now(),
                status=status,
            )

    draft = run_async(work())
    stored = draft.stored
    tell(f"Kept as {stored.id}, version {stored.version}.")
    if json:
        if draft.note:
            tell(draft.note)
        for problem in draft.problems if stored.plan is None else ():
            tell(f"No valid plan: {problem}")
        show_json(_as_json(stored))
    else:
        from bot.planning import plan_reply

        show_reply(plan_reply(stored, draft.findings, note=draft.note, problems=draft.problems))
    return 1 if stored.plan is None else 0


@group.command("show")
def show_plan(
    context: typer.Context,
    plan_id: Id,
    version: Annotated[int | None, typer.Option(min=1, help="This version; the latest when left out.")] = None,
    json: PlanJson = False,
) -> int:
    """Show a plan."""

    async def work() -> StoredPlan:
        wiring, settings = begin(context)
        async with wiring.store(settings) as store:
            stored = await store.plans.get(plan_id.strip().lower(), workspace=None, version=version)
        if stored is None:
            which = f"version {version} of a plan {plan_id!r}" if version else f"plan {plan_id!r}"
            raise UsageError(f"There is no {which}; `director plan list` shows them.")
        return stored

    stored = run_async(work())
    if json:
        show_json(_as_json(stored))
        return 1 if stored.plan is None else 0
    from bot.planning import plan_reply

    findings = _findings(begin(context)[1], stored.plan) if stored.plan is not None else []
    show_reply(plan_reply(stored, findings))
    return 1 if stored.plan is None else 0


@group.command("list")
def list_plans(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, newest first.")] = 50,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> int:
    """List the plans of all workspaces, newest first."""
    from bot.domain import Reply, Table, Text

    async def work() -> list[StoredPlan]:
        wiring, settings = begin(context)
        async with wiring.store(settings) as store:
            return list(await store.plans.plans(workspace=None, limit=limit))

    rows = [_row(stored) for stored in run_async(work())]
    if json:
        show_json(rows)
    elif rows:
        cells = tuple(tuple(str(value) for value in row.values()) for row in rows)
        show_reply(Reply(summary="Plans", parts=(Table(columns=tuple(rows[0]), rows=cells, numeric=(1,)),)))
    else:
        said = 'There are no plans yet. Make one: director plan new "Move checkout to its own database"'
        show_reply(Reply(summary="No plans", parts=(Text(markdown=said),)))
    return 0


@group.command("schema")
def schema() -> int:
    """Print the JSON Schema of a plan."""
    from bot.planning.plan import plan_schema

    show_json(plan_schema())
    return 0


@group.command("check")
def check_plan(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A plan in JSON.")],
    json: Annotated[bool, typer.Option("--json", help="Print findings as a JSON list.")] = False,
) -> int:
    """Check a plan by rules. Exits 1 when a finding blocks."""
    from pydantic import ValidationError

    from bot.planning.plan import Plan

    try:
        plan = Plan.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"{file} can't be read: {reason}.") from None
    except ValidationError as error:
        wrong = [f"  {'.'.join(map(str, item['loc'])) or 'the file'}: {item['msg']}" for item in error.errors()]
        told = "\n".join(wrong)
        raise UsageError(f"{file} is no plan as `director plan schema` describes it:\n{told}") from None
    findings = _findings(begin(context)[1], plan)
    if json:
        show_json([finding.model_dump(mode="json") for finding in findings])
    else:
        told = "\n".join(f"{item.severity}: {item.rule}: {item.where}: {item.text}" for item in findings)
        show(told or "No findings.")
    return 1 if any(finding.severity == "block" for finding in findings) else 0


def _findings(settings: Settings, plan: Plan) -> list[Finding]:
    from bot.planning.findings import check
    from bot.reliability import load_definitions

    definitions = load_definitions(settings.slos) if settings.slos else None
    with_slo = {item.service for item in definitions.objectives} if definitions else set()
    return check(plan, roster=settings.file.roster, with_slo=with_slo)


def _as_json(stored: StoredPlan) -> dict[str, Any]:
    """The plan; where the model wrote none, its words, so that standard output is JSON all the same."""
    return {"plan": None, "raw": stored.raw} if stored.plan is None else stored.plan.model_dump(mode="json")


def _row(stored: StoredPlan) -> dict[str, Any]:
    return {
        "id": stored.id,
        "version": stored.version,
        "title": stored.plan.title if stored.plan else "(not a plan yet)",
        "place": stored.place.key,
        "created_at": stored.created_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
