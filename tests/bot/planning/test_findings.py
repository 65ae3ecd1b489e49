"""Which rule finds what in a plan, and what it leaves alone."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.planning.findings import Finding, check
from bot.planning.plan import Plan
from bot.settings_file import Roster

ENTRA = "8d6b0f3c-1111-4222-8333-944455556666"
ROSTER = Roster.model_validate(
    {
        "teams": {
            "payments": {"lead": "dana", "people": [{"name": "dana", "slack": "U02", "teams": ENTRA}, {"name": "eli"}]}
        }
    }
)
SLO = {
    "service": "checkout",
    "name": "availability",
    "sli_good": "answered",
    "sli_total": "all",
    "objective": "0.999",
    "window": "28d",
}


def item(name: str, *after: str, days: tuple[float, float, float] | None = None, **fields: Any) -> dict[str, Any]:
    estimate = dict(zip(("optimistic", "likely", "pessimistic"), days, strict=True)) if days else None
    return {"id": name, "title": name.capitalize(), "depends_on": after, "estimate": estimate, **fields}


def plan(*items: dict[str, Any], **fields: Any) -> Plan:
    """A plan without fault but for what is given."""
    return Plan.model_validate(
        {
            "title": "Split checkout",
            "initiative": "Split checkout",
            "summary": "Checkout gets its own service.",
            "services": ["checkout"],
            "items": items or [item("design"), item("build", "design")],
            "slos": [SLO],
            "assignment": {"integrity_owner": "dana"},
            **fields,
        }
    )


def found(given: Plan, **known: Any) -> list[tuple[str, str, str, str]]:
    return [(finding.rule, finding.severity, finding.where, finding.text) for finding in check(given, **known)]


def test_a_plan_without_fault_has_no_findings() -> None:
    assert check(plan(), roster=ROSTER) == []


FIVE_DAYS = "2026-11-23 to 2026-11-29 has 5 working days."
CASES: list[tuple[str, Plan, list[tuple[str, str, str, str]]]] = [
    (
        "two items that wait for each other",
        plan(item("a", "b"), item("b", "a")),
        [
            (
                "graph.cycle",
                "block",
                "items.a.depends_on",
                "These wait for each other, so none can start: a → b → a.",
            )
        ],
    ),
    (
        "an item that waits for itself",
        plan(item("a", "a"), item("b", "a")),
        [("graph.cycle", "block", "items.a.depends_on", "These wait for each other, so none can start: a → a.")],
    ),
    (
        "a long way round, with honest work beside it",
        plan(item("start"), item("a", "start", "c"), item("b", "a"), item("c", "b"), item("end", "c")),
        [
            (
                "graph.cycle",
                "block",
                "items.a.depends_on",
                "These wait for each other, so none can start: a → c → b → a.",
            )
        ],
    ),
    (
        "two separate knots",
        plan(item("a", "b"), item("b", "a"), item("c", "d"), item("d", "c")),
        [
            ("graph.cycle", "block", "items.a.depends_on", "These wait for each other, so none can start: a → b → a."),
            ("graph.cycle", "block", "items.c.depends_on", "These wait for each other, so none can start: c → d → c."),
        ],
    ),
    (
        "a dependency that isn't there",
        plan(item("a"), item("b", "a", "ghost")),
        [
            (
                "graph.unknown_dependency",
                "block",
                "items.b.depends_on",
                "b waits for ghost, which is no work item of this plan.",
            )
        ],
    ),
    (
        "a phase that holds what isn't there",
        plan(phases=[{"name": "Build", "items": ["design", "build", "ghost"]}]),
        [
            (
                "graph.unknown_dependency",
                "block",
                "phases.Build.items",
                "The phase Build holds ghost, which is no work item of this plan.",
            )
        ],
    ),
    (
        "an item beside the order of work",
        plan(item("a"), item("b", "a"), item("lone")),
        [
            (
                "graph.orphan",
                "warn",
                "items.lone",
                "lone waits for nothing and nothing waits for it; say where it belongs in the order of work.",
            )
        ],
    ),
    (
        "an item in no phase",
        plan(phases=[{"name": "Build", "items": ["design"]}]),
        [("graph.orphan", "warn", "items.build", "build stands in no phase of the project plan.")],
    ),
    ("a single item is no orphan", plan(item("all")), []),
    (
        "nobody keeps the design whole",
        plan(assignment={"integrity_owner": " "}),
        [
            (
                "brooks.no_integrity_owner",
                "warn",
                "assignment.integrity_owner",
                "Nobody is named who keeps the design whole; name one person.",
            )
        ],
    ),
    (
        "a touched service without objective",
        plan(services=["checkout", "fraud"]),
        [
            (
                "slo.missing",
                "warn",
                "services.fraud",
                "fraud is touched and has no service level objective, here or defined already.",
            )
        ],
    ),
    (
        "a service that only a work item names",
        plan(item("a", services=["ledger"])),
        [
            (
                "slo.missing",
                "warn",
                "services.ledger",
                "ledger is touched and has no service level objective, here or defined already.",
            )
        ],
    ),
    (
        "no objective and no service",
        plan(services=[], slos=[]),
        [
            (
                "slo.missing",
                "block",
                "slos",
                "The plan sets no service level objective and names no service that has one.",
            )
        ],
    ),
    (
        "a deadline before the start",
        plan(start="2027-02-01", deadline="2027-01-31"),
        [("dates.deadline", "block", "deadline", "The deadline 2027-01-31 is before the start 2027-02-01.")],
    ),
    (
        "a chain that can't fit even if all goes well",  # Monday to Friday: 5 working days
        plan(item("a", days=(3, 3, 3)), item("b", "a", days=(3, 4, 5)), start="2026-11-23", deadline="2026-11-29"),
        [
            (
                "dates.deadline",
                "block",
                "deadline",
                f"Even if all goes well the longest chain of work takes 6 days; {FIVE_DAYS}",
            )
        ],
    ),
    (
        "a chain that fits only with luck",
        plan(item("a", days=(2, 2, 2)), item("b", "a", days=(1, 4, 13)), start="2026-11-23", deadline="2026-11-27"),
        [
            (
                "dates.deadline",
                "warn",
                "deadline",
                "The longest chain of work is expected to take 7.0 days; 2026-11-23 to 2026-11-27 has 5 working days.",
            )
        ],
    ),
    (
        "work that runs side by side fits",
        plan(
            item("a"),
            item("b", "a", days=(5, 5, 5)),
            item("c", "a", days=(5, 5, 5)),
            start="2026-11-23",
            deadline="2026-11-27",
        ),
        [],
    ),
    ("a deadline without a start says nothing", plan(item("a", days=(99, 99, 99)), deadline="2026-11-27"), []),
]


@pytest.mark.parametrize(("case", "given_plan", "expected"), CASES, ids=[case[0] for case in CASES])
def test_findings(case: str, given_plan: Plan, expected: list[tuple[str, str, str, str]]) -> None:
    assert found(given_plan) == expected


def test_people_and_teams_outside_the_roster_are_found_wherever_they_stand() -> None:
    given_plan = plan(
        item("a", people=["dana", "@ELI", ENTRA.upper(), "zoe"], team="payments"),
        item("b", "a", team="platform"),
        assignment={
            "lead": "U02",
            "integrity_owner": "yan",
            "teams": [{"team": "data", "people": [{"person": "xia"}]}],
        },
    )
    assert [(rule, where, text) for rule, _, where, text in found(given_plan, roster=ROSTER)] == [
        ("people.unknown", "items.a.people", "zoe is not in the roster."),
        ("people.unknown", "assignment.teams.data.people", "xia is not in the roster."),
        ("people.unknown", "assignment.integrity_owner", "yan is not in the roster."),
        ("people.unknown", "items.b.team", "There is no team platform in the roster."),
        ("people.unknown", "assignment.teams.data", "There is no team data in the roster."),
    ]


@pytest.mark.parametrize("roster", [None, Roster()])
def test_without_a_roster_nobody_is_unknown(roster: Roster | None) -> None:
    assert check(plan(item("a", people=["zoe"])), roster=roster) == []


def test_an_objective_that_is_defined_already_is_enough() -> None:
    assert check(plan(services=["Fraud"], slos=[]), with_slo={"fraud"}) == []


def test_what_blocks_comes_first_and_every_finding_has_its_source() -> None:
    findings = check(plan(item("lone"), item("a", "a"), assignment={}))
    assert [finding.severity for finding in findings] == ["block", "warn", "warn"]
    assert all(finding.source for finding in findings)


def test_a_finding_is_printed_as_the_contract_says() -> None:
    [finding] = check(plan(assignment={}))
    assert finding.model_dump(mode="json") == {
        "rule": "brooks.no_integrity_owner",
        "severity": "warn",
        "where": "assignment.integrity_owner",
        "text": "Nobody is named who keeps the design whole; name one person.",
        "source": "Brooks, The Mythical Man-Month, chapter 4: conceptual integrity",
    }


edges = st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20)


@given(edges)
def test_a_cycle_is_found_exactly_when_there_is_one(pairs: set[tuple[int, int]]) -> None:
    items = [item(str(name), *(str(needed) for start, needed in sorted(pairs) if start == name)) for name in range(8)]
    findings = [finding for finding in check(plan(*items)) if finding.rule == "graph.cycle"]
    reach = {(start, needed) for start, needed in pairs}
    for middle in range(8):
        reach |= {(a, c) for a, b in reach if b == middle for b2, c in reach if b2 == middle}
    assert bool(findings) == any((name, name) in reach for name in range(8))
    for finding in findings:
        assert each_waits_for_the_next(finding, pairs)


def each_waits_for_the_next(finding: Finding, pairs: set[tuple[int, int]]) -> bool:
    names = [int(name) for name in finding.text.removesuffix(".").rpartition(": ")[2].split(" → ")]
    return names[0] == names[-1] and all(pair in pairs for pair in itertools.pairwise(names))
