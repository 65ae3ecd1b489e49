"""What is wrong with a plan, by rule: each finding names its rule, the place, and where the rule comes from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date, timedelta
from graphlib import CycleError, TopologicalSorter
from typing import Literal

from bot.domain import Value
from bot.planning.plan import Estimate, Plan, WorkItem, pert_mean
from bot.settings_file import Roster

Severity = Literal["block", "warn", "info"]

_GRAPH = "Critical path method: work items and what they wait for form a graph without cycles"
_INTEGRITY = "Brooks, The Mythical Man-Month, chapter 4: conceptual integrity"
_SLO = "Site Reliability Engineering (Google, 2016), chapter 4: Service Level Objectives"
_ROSTER = "roster in director.yml"
_DATES = "Critical path over the plan's own estimates, working days from Monday to Friday"


class Finding(Value):
    """`where` is a path into the plan, e.g. `items.api.depends_on`."""

    rule: str
    severity: Severity
    where: str
    text: str
    source: str


def check(plan: Plan, *, roster: Roster | None = None, with_slo: Collection[str] = ()) -> list[Finding]:
    """All findings, blocking ones first.

    `roster` None or without teams: nobody is known, so nobody is unknown. `with_slo` are the services that have an SLO
    already.
    """
    items = {item.id: item for item in plan.items}
    found = [
        *_unknown_dependencies(plan, items),
        *_cycles(items),
        *_orphans(plan, items),
        *(_unknown_people(plan, roster) if roster is not None and roster.teams else ()),
        *_missing_slos(plan, {name.casefold() for name in with_slo}),
        *_integrity(plan),
        *_deadline(plan, items),
    ]
    order = ("block", "warn", "info")
    return sorted(found, key=lambda finding: order.index(finding.severity))


def _unknown_dependencies(plan: Plan, items: Mapping[str, WorkItem]) -> Iterator[Finding]:
    for item in plan.items:
        for needed in item.depends_on:
            if needed not in items:
                text = f"{item.id} waits for {needed}, which is no work item of this plan."
                yield _finding("graph.unknown_dependency", "block", f"items.{item.id}.depends_on", text, _GRAPH)
    for phase in plan.phases:
        for name in phase.items:
            if name not in items:
                text = f"The phase {phase.name} holds {name}, which is no work item of this plan."
                yield _finding("graph.unknown_dependency", "block", f"phases.{phase.name}.items", text, _GRAPH)


def _cycles(items: Mapping[str, WorkItem]) -> Iterator[Finding]:
    for cycle in _cycles_in(items):
        text = f"These wait for each other, so none can start: {' → '.join((*cycle, cycle[0]))}."
        yield _finding("graph.cycle", "block", f"items.{cycle[0]}.depends_on", text, _GRAPH)


def _cycles_in(items: Mapping[str, WorkItem]) -> list[list[str]]:
    """One cycle out of every knot, each item waiting for the next."""
    waits = {name: [needed for needed in item.depends_on if needed in items] for name, item in items.items()}
    cycles: list[list[str]] = []
    while True:
        try:
            TopologicalSorter(waits).prepare()
        except CycleError as error:
            cycle: list[str] = error.args[1][:0:-1]  # its last repeats its first, and each is needed by the next
            cycles.append(cycle)
            waits = {
                name: [needed for needed in all_needed if needed not in cycle]
                for name, all_needed in waits.items()
                if name not in cycle
            }
        else:
            return cycles


def _orphans(plan: Plan, items: Mapping[str, WorkItem]) -> Iterator[Finding]:
    if len(items) < 2:
        return
    needed = {name for item in plan.items for name in item.depends_on if name != item.id}
    placed = {name for phase in plan.phases for name in phase.items}
    for item in plan.items:
        if not item.depends_on and item.id not in needed:
            text = f"{item.id} waits for nothing and nothing waits for it; say where it belongs in the order of work."
            yield _finding("graph.orphan", "warn", f"items.{item.id}", text, _GRAPH)
        if plan.phases and item.id not in placed:
            text = f"{item.id} stands in no phase of the project plan."
            yield _finding("graph.orphan", "warn", f"items.{item.id}", text, _GRAPH)


def _unknown_people(plan: Plan, roster: Roster) -> Iterator[Finding]:
    teams = {name.casefold() for name in roster.teams}
    people = {
        name.casefold()
        for team in roster.teams.values()
        for name in (team.lead, *(word for person in team.people for word in (person.name, person.slack, person.teams)))
        if name
    }
    for where, name in _people_named(plan):
        if name.removeprefix("@").casefold() not in people:
            yield _finding("people.unknown", "block", where, f"{name} is not in the roster.", _ROSTER)
    for where, name in _teams_named(plan):
        if name.casefold() not in teams:
            yield _finding("people.unknown", "block", where, f"There is no team {name} in the roster.", _ROSTER)


def _people_named(plan: Plan) -> Iterator[tuple[str, str]]:
    for item in plan.items:
        yield from ((f"items.{item.id}.people", name) for name in item.people)
    for part in plan.assignment.teams:
        yield from ((f"assignment.teams.{part.team}.people", staffing.person) for staffing in part.people)
    if plan.assignment.lead:
        yield "assignment.lead", plan.assignment.lead
    if plan.assignment.integrity_owner:
        yield "assignment.integrity_owner", plan.assignment.integrity_owner


def _teams_named(plan: Plan) -> Iterator[tuple[str, str]]:
    yield from ((f"items.{item.id}.team", item.team) for item in plan.items if item.team)
    yield from ((f"assignment.teams.{part.team}", part.team) for part in plan.assignment.teams)


def _missing_slos(plan: Plan, with_slo: Collection[str]) -> Iterator[Finding]:
    proposed = {slo.service.casefold() for slo in plan.slos}
    touched = dict.fromkeys([*plan.services, *(name for item in plan.items for name in item.services)])
    if not touched and not plan.slos:
        text = "The plan sets no service level objective and names no service that has one."
        yield _finding("slo.missing", "block", "slos", text, _SLO)
    for service in touched:
        if service.casefold() not in proposed and service.casefold() not in with_slo:
            text = f"{service} is touched and has no service level objective, here or defined already."
            yield _finding("slo.missing", "warn", f"services.{service}", text, _SLO)


def _integrity(plan: Plan) -> Iterator[Finding]:
    if not (plan.assignment.integrity_owner or "").strip():
        text = "Nobody is named who keeps the design whole; name one person."
        yield _finding("brooks.no_integrity_owner", "warn", "assignment.integrity_owner", text, _INTEGRITY)


def _deadline(plan: Plan, items: Mapping[str, WorkItem]) -> Iterator[Finding]:
    """Only what is certain: a bound that no number of people can beat, or the expected length of the longest chain."""
    if plan.deadline is None or plan.start is None:
        return
    if plan.deadline < plan.start:
        text = f"The deadline {plan.deadline} is before the start {plan.start}."
        yield _finding("dates.deadline", "block", "deadline", text, _DATES)
        return
    if _cycles_in(items):
        return
    days = _working_days(plan.start, plan.deadline)
    shortest = _longest_chain(items, lambda estimate: estimate.optimistic)
    expected = _longest_chain(items, lambda e: pert_mean(e.optimistic, e.likely, e.pessimistic))
    if shortest > days:
        text = (
            f"Even if all goes well the longest chain of work takes {shortest:g} days; "
            f"{plan.start} to {plan.deadline} has {days} working days."
        )
        yield _finding("dates.deadline", "block", "deadline", text, _DATES)
    elif expected > days:
        text = (
            f"The longest chain of work is expected to take {expected:.1f} days; "
            f"{plan.start} to {plan.deadline} has {days} working days."
        )
        yield _finding("dates.deadline", "warn", "deadline", text, _DATES)


def _longest_chain(items: Mapping[str, WorkItem], days: Callable[[Estimate], float]) -> float:
    """The longest way through the work, in days; what has no estimate counts nothing."""
    waits = {name: [needed for needed in item.depends_on if needed in items] for name, item in items.items()}
    ends: dict[str, float] = {}
    for name in TopologicalSorter(waits).static_order():
        estimate = items[name].estimate
        start = max((ends[needed] for needed in waits[name]), default=0.0)
        ends[name] = start + (days(estimate) if estimate is not None else 0.0)
    return max(ends.values())


def _working_days(first: date, last: date) -> int:
    """Mondays to Fridays from first to last, both included."""
    weeks, rest = divmod((last - first).days + 1, 7)
    return weeks * 5 + sum((first + timedelta(days=day)).weekday() < 5 for day in range(rest))


def _finding(rule: str, severity: Severity, where: str, text: str, source: str) -> Finding:
    return Finding(rule=rule, severity=severity, where=where, text=text, source=source)
