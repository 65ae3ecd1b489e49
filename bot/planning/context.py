"""What the Director knows when it plans: roster, services, objectives that are defined, and figures measured now."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain import Fact, Value
from bot.settings_file import Escalation, Roster, ServiceEntry

_MOST_FACTS = 60


class KnownSlo(Value):
    """An objective that is defined already; `objective` is a decimal fraction such as "0.999"."""

    service: str
    name: str
    objective: str
    window: str


async def no_facts(_at: datetime) -> tuple[Fact, ...]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """`facts` measures the budgets at a moment; it may raise a DirectorError, then the plan is drafted without them."""

    roster: Roster = field(default_factory=Roster)
    services: Mapping[str, ServiceEntry] = field(default_factory=dict)
    escalation: Escalation = field(default_factory=Escalation)
    slos: tuple[KnownSlo, ...] = ()
    facts: Callable[[datetime], Awaitable[tuple[Fact, ...]]] = no_facts

    @property
    def service_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*self.services, *(slo.service for slo in self.slos)]))

    def named_in(self, text: str) -> tuple[str, ...]:
        """The known services that a text names as whole words, in the order of director.yml."""
        return tuple(name for name in self.service_names if _names(text, name))


def relevant(facts: tuple[Fact, ...], names: tuple[str, ...]) -> tuple[Fact, ...]:
    """Facts about these services and SLOs first, then the others, as many as a request can carry."""
    entities = {fact.entity for fact in facts}
    named = {entity for entity in entities if any(_names(entity, name) for name in names)}
    return tuple(sorted(facts, key=lambda fact: fact.entity not in named)[:_MOST_FACTS])


def described(surroundings: Surroundings, facts: tuple[Fact, ...]) -> str:
    """The surroundings as JSON for the model; a plan refers to measured figures by their id."""
    return json.dumps(
        {
            "teams": [
                {
                    "team": name,
                    "lead": team.lead,
                    "people": [
                        {
                            "person": person.name,
                            "skills": person.skills,
                            "capacity": person.capacity,
                            "on_call": [f"{days.first}/{days.last}" for days in person.on_call],
                            "away": [f"{days.first}/{days.last}" for days in person.away],
                        }
                        for person in team.people
                    ],
                }
                for name, team in surroundings.roster.teams.items()
            ],
            "services": [
                {"service": name, "team": entry.team, "depends_on": entry.depends_on, "tier": entry.tier}
                for name, entry in surroundings.services.items()
            ],
            "objectives_defined": [slo.model_dump() for slo in surroundings.slos],
            "measured_now": [
                {"id": fact.id, "what": fact.meaning, "about": fact.entity, "value": fact.text} for fact in facts
            ],
        },
        ensure_ascii=False,
        indent=1,
    )


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE) is not None
