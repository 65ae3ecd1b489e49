"""A plan as a reply: what a phone shows first, and everything else beneath it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from bot.conversation.clean import Links
from bot.conversation.facts import cited
from bot.domain import Audience, Fact, Heading, Note, Part, Reply, Table, Text
from bot.planning.findings import Finding
from bot.planning.plan import Estimate, Plan, WorkItem, pert_mean
from bot.planning.store import StoredPlan
from bot.planning.words import gated

_ROWS = 25  # of a table in the first message; the rest goes beneath
_ROLES = {"043": "VP of Engineering", "044": "principal architect", "062": "backend senior engineer"}
_MARKS = {"block": "Blocks", "warn": "Look at", "info": "For information"}


def plan_reply(
    stored: StoredPlan,
    findings: Sequence[Finding] = (),
    *,
    note: str | None = None,
    problems: Sequence[str] = (),
) -> Reply:
    """The plan, or what there is instead of one when the model wrote none (`problems` says what was wrong with it)."""
    plan = stored.plan
    if plan is None:
        return _unusable(stored, problems)
    if note is None and plan.source == "template":
        note = "No model spoke: this is the standard frame of a backend change."
    blocking = sum(finding.severity == "block" for finding in findings)
    parts: list[Part] = [Heading(text=plan.title), Text(markdown=plan.summary)]
    if note:
        parts.append(Note(markdown=note))
    parts.append(_work(plan.items[:_ROWS]))
    parts.append(Note(markdown=_effort(plan)))
    if plan.slos:
        parts.append(_slos(plan))
    parts += _texts(
        ("Risks", [_risk(risk.text, risk.mitigation) for risk in plan.risks[:5]]),
        ("Next", _next(plan)),
        ("Findings", [f"**{_MARKS[finding.severity]}** {finding.text} `{finding.rule}`" for finding in findings[:8]]),
        ("Open questions", list(plan.open_questions[:8])),
    )
    parts.append(
        Note(markdown=f"Plan {stored.id}, version {stored.version}.{_measuring(plan)} Show it: `plan show {stored.id}`")
    )
    count = f"{len(plan.items)} work items" if len(plan.items) != 1 else "1 work item"
    blocks = f", {blocking} blocking finding{'s' if blocking > 1 else ''}" if blocking else ""
    return Reply(
        summary=f"Plan {stored.id}: {plan.title} ({count}{blocks})",
        parts=tuple(parts),
        detail=tuple(_detail(plan, findings)),
        generated=plan.source == "model",
        citations=cited(plan.measured),
    )


def overview_reply(plans: Sequence[StoredPlan]) -> Reply:
    """The latest plans, newest first, for one person's eyes."""
    if not plans:
        said = "There are no plans yet. Try `plan Move checkout to its own database`."
        return Reply(summary="No plans yet", parts=(Text(markdown=said),), audience=Audience.ASKER)
    rows = tuple(
        (
            stored.id,
            stored.plan.title if stored.plan else f"(not a plan) {_short(stored.initiative)}",
            str(stored.version),
            f"{stored.created_at:%Y-%m-%d}",
        )
        for stored in plans
    )
    count = f"{len(plans)} plan{'s' if len(plans) > 1 else ''}"
    table = Table(columns=("id", "plan", "version", "made"), rows=rows, numeric=(2,))
    return Reply(
        summary=count,
        parts=(table, Note(markdown=f"`plan show {plans[0].id}`")),
        audience=Audience.ASKER,
        generated=any(stored.plan is not None and stored.plan.source == "model" for stored in plans),
    )


def _unusable(stored: StoredPlan, problems: Sequence[str]) -> Reply:
    listed = "\n".join(f"- {problem}" for problem in problems[:5])
    said = (
        f"I could not make a plan of “{_short(stored.initiative)}”: what the model wrote is no valid plan, "
        f"also after I asked it to correct it."
        + (f"\n\n{listed}" if listed else "")
        + f"\n\nIts words are kept as {stored.id}; nothing is lost. Ask again, best in other words or a smaller step: "
        "`plan …`."
    )
    written = _fenced(gated(stored.raw, lambda _: None, Links())) if stored.raw else ""
    raw = (Text(markdown=f"What the model wrote, unchecked, with nothing in it measured:\n\n{written}"),)
    return Reply(
        summary=f"No valid plan; kept as {stored.id}",
        parts=(Text(markdown=said),),
        detail=raw if written else (),
        generated=bool(written),
    )


def _work(items: Sequence[WorkItem]) -> Table:
    rows = tuple(
        (
            item.id,
            item.title,
            ", ".join(item.people) or item.team or "open",
            ", ".join(item.depends_on) or "–",
            _days(item.estimate),
        )
        for item in items
    )
    return Table(columns=("id", "work", "who", "after", "days"), rows=rows, numeric=(4,), caption="Work")


def _days(estimate: Estimate | None) -> str:
    if estimate is None:
        return "open"
    return f"{estimate.optimistic:g} / {estimate.likely:g} / {estimate.pessimistic:g}"


def _effort(plan: Plan) -> str:
    known = [item.estimate for item in plan.items if item.estimate is not None]
    if not known:
        return "Days: not estimated yet."
    total = sum(pert_mean(estimate.optimistic, estimate.likely, estimate.pessimistic) for estimate in known)
    left_out = len(plan.items) - len(known)
    rest = f"; {left_out} not estimated" if left_out else ""
    return f"Days of one person: optimistic / likely / pessimistic. Expected in all: {total:.1f} (Beta-PERT){rest}."


def _slos(plan: Plan) -> Table:
    rows = tuple((slo.service, slo.name, f"{percent(slo.objective)} over {slo.window}") for slo in plan.slos[:_ROWS])
    return Table(columns=("service", "SLO", "objective"), rows=rows, caption="Objectives, proposed")


def percent(fraction: str) -> str:
    """`"0.9995"` -> `99.95%`, exactly."""
    value = (Decimal(fraction) * 100).normalize()
    return f"{value:f}%"


def _next(plan: Plan) -> list[str]:
    lines = [f"To be delegated to {_role(plan.delegation.to)}{_because(plan.delegation.brief)}"]
    lines += [f"To be decided by {_role(up.to)}{_because(up.reason)}" for up in plan.escalations]
    lines += [f"To be consulted: {asked.department}{_because(asked.reason)}" for asked in plan.consultations]
    if plan.approvers:
        lines.append(f"Approval: {', '.join(plan.approvers)}")
    return lines


def _detail(plan: Plan, findings: Sequence[Finding]) -> list[Part]:
    parts: list[Part] = [_work(plan.items[at : at + _ROWS]) for at in range(_ROWS, len(plan.items), _ROWS)]
    parts += _texts(
        ("Goals", list(plan.goals)),
        ("Not goals", list(plan.non_goals)),
        ("Assumptions", list(plan.assumptions)),
        ("Work", [f"**{item.id}** {item.title}{_because(item.description)}" for item in plan.items]),
        ("Team", _team(plan)),
        ("Project plan", [_phase(phase.name, phase.items, phase.milestone) for phase in plan.phases]),
        (
            "Indicators, proposed",
            [
                f"**{slo.service}, {slo.name}**: {slo.sli_good} / {slo.sli_total}{_because(slo.rationale)}"
                for slo in plan.slos
            ],
        ),
        (
            "Calls",
            [
                f"{call.caller} → {call.callee}: timeout {call.timeout or 'open'}; isolation {call.isolation or 'open'}"
                for call in plan.calls
            ],
        ),
        (
            "Capacity",
            [f"{one.service}: {one.expectation or 'expectation open'}{_because(one.measure)}" for one in plan.capacity],
        ),
        (
            "Data",
            [
                f"{one.store}: {one.change}; consistency: {one.consistency or 'open'}; backup: {one.backup or 'open'}"
                for one in plan.data
            ],
        ),
        ("Operations", _operations(plan)),
        ("More risks", [_risk(risk.text, risk.mitigation) for risk in plan.risks[5:]]),
        ("More findings", [f"{finding.text} `{finding.rule}`" for finding in findings[8:]]),
        ("More open questions", list(plan.open_questions[8:])),
        ("Measured", [_measured(fact) for fact in plan.measured]),
    )
    return parts


def _team(plan: Plan) -> list[str]:
    lines = [
        f"**{part.team}**{_because(part.responsibility)}"
        + (f" ({', '.join(one.person for one in part.people)})" if part.people else "")
        for part in plan.assignment.teams
    ]
    lines.append(f"Lead: {plan.assignment.lead or 'open'}")
    lines.append(f"Keeps the design whole: {plan.assignment.integrity_owner or 'open'}")
    return lines


def _operations(plan: Plan) -> list[str]:
    said = {
        "Observability": plan.operations.observability,
        "Infrastructure as code": plan.operations.infrastructure_as_code,
        "Way back": plan.operations.rollback,
        "On call": plan.operations.on_call,
    }
    return [f"{name}: {text or 'open'}" for name, text in said.items()] if any(said.values()) else []


def _phase(name: str, items: Sequence[str], milestone: str) -> str:
    return f"**{name}**: {', '.join(items)}" + (f". Done when: {milestone}" if milestone else "")


def _risk(text: str, mitigation: str) -> str:
    return f"{text}. {mitigation}" if mitigation else text


def _measuring(plan: Plan) -> str:
    """What tells a figure of ours from a number that the model wrote."""
    if plan.source == "template":
        return ""
    known = "what was measured stands under Measured" if plan.measured else "nothing in it was measured"
    return f" Its numbers are proposals; {known}."


def _measured(fact: Fact) -> str:
    return f"{fact.text}: {fact.meaning}, {fact.entity}, {fact.evaluated_at:%Y-%m-%d %H:%M} UTC, from `{fact.query}`"


def _texts(*sections: tuple[str, list[str]]) -> list[Part]:
    return [
        Text(markdown=f"**{title}**\n" + "\n".join(f"- {' '.join(line.split())}" for line in lines))
        for title, lines in sections
        if lines
    ]


def _role(agent: str) -> str:
    return f"{agent} ({_ROLES[agent]})" if agent in _ROLES else agent


def _because(text: str) -> str:
    return f": {text}" if text else ""


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:79]}…"


def _fenced(raw: str) -> str:
    fence = "```"
    while fence in raw:
        fence += "`"
    return f"{fence}\n{raw}\n{fence}"
