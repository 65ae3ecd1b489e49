"""A plan without a model: the standard work of a backend change, for the services and people that are known.

It invents nothing: what nobody has said or measured is left open and stands among the open questions.
"""

from __future__ import annotations

from bot.planning.context import Surroundings
from bot.planning.plan import (
    Assignment,
    Call,
    Capacity,
    Delegation,
    Operations,
    Phase,
    Plan,
    Risk,
    SloProposal,
    TeamPart,
    WorkItem,
)
from bot.planning.words import title_of

_UNNAMED = "to be named"
_START_OBJECTIVE = "0.999"
_START_WINDOW = "28d"


def skeleton(initiative: str, surroundings: Surroundings) -> Plan:
    """The standard work packages (design, data, service, observability, rollout), with estimates left open."""
    services = surroundings.named_in(initiative)
    teams = tuple(
        dict.fromkeys(
            entry.team for name in services if (entry := surroundings.services.get(name)) is not None and entry.team
        )
    )
    team = teams[0] if teams else None
    lead = surroundings.roster.teams[team].lead if team in surroundings.roster.teams else None
    items = _items(services, team, surroundings)
    return Plan(
        source="template",
        title=title_of(initiative),
        initiative=initiative,
        summary=_summary(services),
        assumptions=() if services else ("Nothing known was named, so the services touched are still to be found.",),
        services=services,
        items=items,
        assignment=Assignment(
            teams=tuple(
                TeamPart(team=name, responsibility=_responsibility(name, services, surroundings)) for name in teams
            ),
            lead=lead,
            integrity_owner=lead,
        ),
        slos=_slos(services, surroundings),
        calls=tuple(
            Call(caller=name, callee=callee)
            for name in services
            if (entry := surroundings.services.get(name)) is not None
            for callee in entry.depends_on
        ),
        capacity=tuple(Capacity(service=name) for name in services),
        operations=Operations(),
        risks=(
            Risk(
                text="A slow or failing dependency takes its callers down with it",
                likelihood="medium",
                impact="high",
                mitigation="A timeout on every call and an isolated pool per dependency (bulkhead, circuit breaker)",
            ),
            Risk(
                text="The new version misbehaves under real load",
                likelihood="medium",
                impact="high",
                mitigation="Roll out in steps while watching the error budget; keep the way back open and tried",
            ),
        ),
        phases=_phases(items),
        delegation=Delegation(to="062", brief=f"Lead the implementation: {title_of(initiative)}"),
        open_questions=_questions(services, lead),
    )


def _summary(services: tuple[str, ...]) -> str:
    about = f" for {', '.join(services)}" if services else ""
    return (
        f"The standard work of a backend change{about}: design, data, service, observability, rollout. "
        "A first frame to be filled in by people; nothing in it is estimated or measured."
    )


def _items(services: tuple[str, ...], team: str | None, surroundings: Surroundings) -> tuple[WorkItem, ...]:
    def owner(name: str) -> str | None:
        entry = surroundings.services.get(name)
        return entry.team if entry is not None else team

    design = WorkItem(
        id="design",
        title="Design: boundaries, interfaces, failure modes",
        description="What changes and what stays, who calls whom, what readers see meanwhile, how it fails.",
        kind="design",
        services=services,
        team=team,
    )
    data = WorkItem(
        id="data",
        title="Data: schema, migration, backup and restore",
        description="Consistency while both versions run; a restore that was tried.",
        kind="data",
        services=services,
        team=team,
        depends_on=("design",),
    )
    built = [
        WorkItem(
            id="service" if len(services) < 2 else f"service-{name}",
            title=f"Service: {name}" if name else "Service: build the change",
            description="Timeouts, isolation and limits on load are part of done.",
            kind="service",
            services=(name,) if name else (),
            team=owner(name),
            depends_on=("data",),
        )
        for name in services or ("",)
    ]
    observability = WorkItem(
        id="observability",
        title="Observability: logs, metrics, traces, SLO and alerts",
        description="The indicators below are measured before the first user is moved.",
        kind="observability",
        services=services,
        team=team,
        depends_on=("design",),
    )
    rollout = WorkItem(
        id="rollout",
        title="Rollout in steps, with a tried way back",
        description="Infrastructure as code; each step waits for the error budget.",
        kind="rollout",
        services=services,
        team=team,
        depends_on=(*(item.id for item in built), "observability"),
    )
    return (design, data, *built, observability, rollout)


def _slos(services: tuple[str, ...], surroundings: Surroundings) -> tuple[SloProposal, ...]:
    proposals = []
    for name in services or (_UNNAMED,):
        defined = [slo for slo in surroundings.slos if slo.service == name]
        proposals += [
            SloProposal(
                service=name,
                name=slo.name,
                sli_good="good events as the SLO file defines them",
                sli_total="all events as the SLO file defines them",
                objective=slo.objective,
                window=slo.window,
                rationale="Defined already; the change has to keep it.",
            )
            for slo in defined
            if 0 < float(slo.objective) < 1
        ]
        if not defined:
            proposals.append(
                SloProposal(
                    service=name,
                    name="availability",
                    sli_good="requests answered without a server error",
                    sli_total="all requests",
                    objective=_START_OBJECTIVE,
                    window=_START_WINDOW,
                    rationale="A common starting point to be agreed; not derived from measurements.",
                )
            )
    return tuple(proposals)


def _responsibility(team: str, services: tuple[str, ...], surroundings: Surroundings) -> str:
    owned = [name for name in services if (entry := surroundings.services.get(name)) and entry.team == team]
    return f"owns {', '.join(owned)}"


def _phases(items: tuple[WorkItem, ...]) -> tuple[Phase, ...]:
    of = {kind: tuple(item.id for item in items if item.kind == kind) for kind in ("service", "observability")}
    return (
        Phase(name="Design", milestone="The design is reviewed and its open questions are answered", items=("design",)),
        Phase(
            name="Build",
            milestone="It runs beside the old way, measured by its own indicators",
            items=("data", *of["service"], *of["observability"]),
        ),
        Phase(name="Rollout", milestone="All users are moved and the old way is removed", items=("rollout",)),
    )


def _questions(services: tuple[str, ...], lead: str | None) -> tuple[str, ...]:
    questions = ["How long does each piece take? The people who will do it estimate: optimistic, likely, pessimistic."]
    if not services:
        questions.append("Which services does it touch, and which objectives do they have?")
    if lead is None:
        questions.append("Who leads it, and who keeps the design whole?")
    questions.append("Is there a date that it must be done by, and why?")
    return tuple(questions)
