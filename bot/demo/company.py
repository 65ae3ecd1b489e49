"""The sample company's folder: director.yml with people and services, and the fleet's SLOs beside it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from bot.demo.fleet import write_fleet

WORKSPACE = "Fernhill Outdoor"
SLOS = "slos"
_HEADER = "# Fernhill Outdoor is invented: the sample company of the demo.\n"


def write_company(folder: Path, now: datetime) -> None:
    """Write director.yml and the folder `slos` of the sample company."""
    write_fleet(folder / SLOS, now)
    text = yaml.safe_dump(_director_file(now), sort_keys=False, allow_unicode=True, width=110)
    (folder / "director.yml").write_text(_HEADER + text, encoding="utf-8")


def environment(folder: Path, own: Mapping[str, str]) -> dict[str, str]:
    """The demo's settings. Of the person's `own` it takes nothing but the key of a real model, should there be one."""
    model = ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "DIRECTOR_MODEL")
    return {name: own[name] for name in model if name in own} | {
        "DIRECTOR_CONFIG": str(folder / "director.yml"),
        "DIRECTOR_SLOS": str(folder / SLOS),
        "DATABASE_URL": f"sqlite:///{folder}/director.db",
        "DIRECTOR_HTTP": "127.0.0.1:0",
    }


def _director_file(now: datetime) -> dict[str, Any]:
    return {
        "workspace": WORKSPACE,
        "relationships": {
            "senior_engineer": {"notify": ["@omar"], "channel": "#platform", "accept_within": "2d"},
            "vp_engineering": {"notify": ["@vera"]},
            "principal_architect": {"notify": ["@ken"]},
            "consult": {"frontend": ["@fay"], "mobile": ["@mo"]},
        },
        "roster": {"teams": _teams(now)},
        "services": {
            "checkout": {"team": "payments", "depends_on": ["payments", "catalog"], "tier": 1},
            "payments": {"team": "payments", "tier": 1},
            "search": {"team": "discovery", "depends_on": ["catalog"], "tier": 2},
            "catalog": {"team": "discovery", "tier": 1},
            "notifications": {"team": "platform", "tier": 3},
            "partner-api": {"team": "platform", "depends_on": ["catalog", "payments"], "tier": 3},
        },
        "channels": {
            "#payments": {
                "services": ["checkout", "payments"],
                "follow_threads": False,
                "instructions": "Answer for the engineers on call of checkout and payments.",
            },
        },
        "escalation": {"budget_above": 50_000, "hires_above": 0},
        "links": {"allowed_hosts": ["github.com"]},
    }


def _teams(now: datetime) -> dict[str, Any]:
    monday = now.date() - timedelta(days=now.weekday())
    return {
        "payments": {
            "lead": "maya",
            "people": [
                {"name": "maya", "slack": "U0MAYA", "skills": ["python", "postgres", "payments"], "capacity": 0.6}
                | {"zone": "Europe/London"},
                {"name": "dana", "skills": ["python", "kafka"], "capacity": 1.0, "zone": "Europe/Berlin"}
                | {"on_call": [_days(monday, 0, 6)]},
                {"name": "eli", "skills": ["go", "postgres"], "capacity": 0.8, "zone": "Europe/Lisbon"}
                | {"on_call": [_days(monday, 7, 13)]},
            ],
        },
        "discovery": {
            "lead": "ines",
            "people": [
                {"name": "ines", "skills": ["java", "opensearch"], "capacity": 0.5, "zone": "Europe/Lisbon"},
                {"name": "ravi", "skills": ["java", "python"], "capacity": 1.0, "zone": "Asia/Kolkata"}
                | {"away": [_days(monday, 28, 39)]},
            ],
        },
        "platform": {
            "lead": "omar",
            "people": [
                {"name": "omar", "slack": "U0OMAR", "skills": ["kubernetes", "terraform", "go"], "capacity": 0.7}
                | {"zone": "Europe/Berlin"},
                {"name": "lena", "skills": ["observability", "python"], "capacity": 1.0, "zone": "Europe/Berlin"},
            ],
        },
    }


def _days(monday: date, first: int, last: int) -> str:
    return f"{monday + timedelta(days=first)}/{monday + timedelta(days=last)}"
