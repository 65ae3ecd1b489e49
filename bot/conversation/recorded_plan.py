"""The recorded model's plan: one prepared shape, filled with the initiative and with known people and services."""

from __future__ import annotations

import json
import re
from typing import Any

_STEPS = (
    ("design", "design", "Design note: boundaries, interfaces, failure modes", "must", (), (2, 3, 6)),
    ("contract", "interface", "API contract, agreed with its callers", "must", ("design",), (1, 2, 4)),
    ("schema", "data", "Data model and migration that both versions can read", "must", ("design",), (2, 4, 8)),
    ("core", "service", "Core of the change behind a switch", "must", ("contract", "schema"), (5, 8, 15)),
    ("limits", "service", "Timeouts, circuit breakers and load limits", "must", ("core",), (1, 3, 5)),
    ("signals", "observability", "Logs, metrics, traces, SLO and burn-rate alerts", "must", ("core",), (2, 3, 5)),
    ("load", "test", "Load test to the expected peak, and a tried restore", "should", ("limits", "schema"), (2, 3, 6)),
    ("rollout", "rollout", "Rollout in steps with a tried way back", "must", ("signals", "load"), (2, 4, 8)),
)
_PHASES = (
    ("Foundation", "The design and the contract are agreed", ("design", "contract", "schema")),
    ("Build", "It runs behind a switch, with its own signals", ("core", "limits", "signals")),
    ("Prove and roll out", "All traffic is on it and the old way is removed", ("load", "rollout")),
)


def recorded_plan(prompt: str) -> dict[str, Any]:
    """A plan as JSON for what stands in the prompt's `<initiative>` and `<surroundings>`."""
    initiative = _between(prompt, "initiative") or " ".join(prompt.split()) or "An initiative"
    known = _surroundings(prompt)
    services = [entry for entry in known.get("services", []) if _names(initiative, entry["service"])]
    names = [entry["service"] for entry in services]
    teams = [team for team in known.get("teams", []) if team["team"] in {entry.get("team") for entry in services}]
    teams = teams or known.get("teams", [])[:1]
    team = teams[0]["team"] if teams else None
    lead = teams[0].get("lead") if teams else None
    title = _title(initiative)
    return {
        "title": title,
        "summary": _summary(names, known),
        "assumptions": ["The estimates are a recorded model's; the people who do the work should set their own."],
        "goals": [title],
        "non_goals": ["Features that the initiative does not name"],
        "services": names,
        "replaces": None,
        "start": None,
        "deadline": None,
        "budget_usd": None,
        "hires": None,
        "items": [_item(step, names, team, teams) for step in _STEPS],
        "assignment": {
            "teams": [_team_part(entry, services) for entry in teams],
            "lead": lead,
            "integrity_owner": lead,
        },
        "slos": _slos(names, known),
        "calls": [
            {"caller": entry["service"], "callee": callee, "timeout": "", "isolation": "its own pool, circuit breaker"}
            for entry in services
            for callee in entry.get("depends_on") or []
        ],
        "capacity": [
            {"service": name, "expectation": "today's peak and as much again", "measure": "load test before rollout"}
            for name in names
        ],
        "data": [],
        "operations": {
            "observability": "A dashboard and burn-rate alerts on its objectives, before the first user",
            "infrastructure_as_code": "Everything in the repository, reviewed, the same in every environment",
            "rollback": "A switch per step; going back needs no deploy and was tried",
            "on_call": "The owning team, with a runbook",
        },
        "risks": _risks(lead),
        "phases": [{"name": name, "milestone": milestone, "items": list(items)} for name, milestone, items in _PHASES],
        "delegation": {"to": "062", "brief": f"Lead the implementation: {title}"},
        "escalations": _escalations(initiative),
        "consultations": [],
        "approvers": [],
        "open_questions": [
            "Is there a date that it must be done by, and why?",
            *([] if names else ["Which services does it touch?"]),
        ],
    }


def _item(step: tuple[Any, ...], services: list[str], team: str | None, teams: list[Any]) -> dict[str, Any]:
    identity, kind, title, need, after, (optimistic, likely, pessimistic) = step
    people = [person["person"] for entry in teams for person in entry.get("people", [])]
    turn = [entry[0] for entry in _STEPS].index(identity)
    return {
        "id": identity,
        "title": title,
        "description": "",
        "kind": kind,
        "services": services,
        "team": team,
        "people": [people[turn % len(people)]] if people else [],
        "depends_on": list(after),
        "estimate": {"optimistic": optimistic, "likely": likely, "pessimistic": pessimistic},
        "skills": [],
        "need": need,
    }


def _team_part(team: Any, services: list[Any]) -> dict[str, Any]:
    owned = [entry["service"] for entry in services if entry.get("team") == team["team"]]
    return {
        "team": team["team"],
        "responsibility": f"owns {', '.join(owned)}" if owned else "builds and runs it",
        "people": [
            {"person": person["person"], "role": "", "share": None, "joins": None} for person in team.get("people", [])
        ],
    }


def _slos(services: list[str], known: dict[str, Any]) -> list[dict[str, Any]]:
    defined = [slo for slo in known.get("objectives_defined", []) if slo["service"] in services]
    kept = [
        {
            "service": slo["service"],
            "name": slo["name"],
            "sli_good": "good events as the SLO file defines them",
            "sli_total": "all events as the SLO file defines them",
            "objective": slo["objective"],
            "window": slo["window"],
            "rationale": "Defined already; the change has to keep it.",
        }
        for slo in defined
    ]
    fresh = [name for name in services if name not in {slo["service"] for slo in defined}]
    proposed = [
        {
            "service": name,
            "name": "availability",
            "sli_good": "requests answered without a server error",
            "sli_total": "all requests",
            "objective": "0.999",
            "window": "28d",
            "rationale": "A common starting point, to be agreed.",
        }
        for name in fresh
    ]
    return kept + proposed


def _risks(owner: str | None) -> list[dict[str, Any]]:
    return [
        {
            "text": "The migration is slower than the release that needs it",
            "likelihood": "medium",
            "impact": "high",
            "mitigation": "Both versions read both shapes; move data in small steps that can be stopped",
            "owner": owner,
        },
        {
            "text": "A slow dependency takes its callers down with it",
            "likelihood": "medium",
            "impact": "high",
            "mitigation": "A timeout on every call, an isolated pool per dependency, a circuit breaker",
            "owner": owner,
        },
        {
            "text": "People are added when it is late, and it gets later",
            "likelihood": "low",
            "impact": "medium",
            "mitigation": "Cut scope at the milestones instead (Brooks)",
            "owner": None,
        },
    ]


def _escalations(initiative: str) -> list[dict[str, str]]:
    if re.search(r"\b(split|new database|own database|replace|rewrite|event|queue)", initiative, re.IGNORECASE):
        return [{"to": "044", "reason": "It changes a boundary between services or stores, which is hard to undo"}]
    return []


def _summary(services: list[str], known: dict[str, Any]) -> str:
    defined = [slo["name"] for slo in known.get("objectives_defined", []) if slo["service"] in services]
    left = next(
        (
            fact
            for fact in known.get("measured_now", [])
            if str(fact["what"]).startswith("error budget left")
            and any(_names(fact["about"], name) for name in (*services, *defined))
        ),
        None,
    )
    about = f" It touches {', '.join(services)}." if services else ""
    budget = ""
    if left is not None:
        spent = str(left["value"]).startswith("-")
        pace = "releases wait until it has recovered" if spent else "that sets the pace"
        budget = f" The error budget of {left['about']} stands at {{{{{left['id']}}}}}: {pace}."
    return (
        "Design and contract first, then the change behind a switch with its own signals, then a rollout in steps that "
        f"can be taken back.{about}{budget}"
    )


def _surroundings(prompt: str) -> dict[str, Any]:
    try:
        known = json.loads(_between(prompt, "surroundings") or "{}")
    except ValueError:
        return {}
    return known if isinstance(known, dict) else {}


def _between(text: str, tag: str) -> str:
    match = re.search(rf"<{tag}>\n(.*?)\n</{tag}>", text, re.DOTALL)
    return match[1].strip() if match else ""


def _title(initiative: str) -> str:
    line = " ".join(initiative.split())
    first = re.split(r"(?<=[.!?])\s", line, maxsplit=1)[0].rstrip(".")
    short = first if len(first) <= 90 else first[:89].rsplit(" ", 1)[0] + "…"
    return short[:1].upper() + short[1:]


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE) is not None
