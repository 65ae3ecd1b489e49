"""The two look-ups of a conversation: the state of error budgets, and what the objectives promise."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Protocol

from bot.conversation.facts import PLACEHOLDER
from bot.conversation.model import ToolSpec
from bot.conversation.tools import LONGEST_RESULT, Found, Look, WrongArguments, names_argument
from bot.domain import Fact
from bot.reliability import Assessment, Definitions, Objective, facts, formats
from bot.reliability.definitions import ObjectiveDefinition
from bot.reliability.facts import what_is_good
from bot.reliability.outlook import explained
from bot.reliability.wording import Labels, counts

_MANY = 10  # objectives; beyond that each gets only its main figures
_ROOM_FOR_NAMES = 3_000  # characters of a result
_MOST_NAMES = 60
_NAMES = {"type": "array", "items": {"type": "string"}, "description": "names of services; leave out for all"}


class Assesses(Protocol):
    async def assess(self, services: Sequence[str] | None, at: datetime) -> Assessment:
        """Raises UsageError for a service that nobody defined, naming near ones."""
        ...


class ErrorBudgetStatus:
    """What is left of each error budget now, as facts."""

    spec = ToolSpec(
        name="error_budget_status",
        description=(
            "Current state, error budget and burn rates of services, measured now. Returns facts, each with an id to "
            "be written as {{id}}. Use it whenever a question touches how reliable a service is, its errors or SLOs."
        ),
        input_schema={"type": "object", "properties": {"services": _NAMES}, "additionalProperties": False},
    )
    status = "looks up error budgets …"
    shows_figures = True

    def __init__(self, reliability: Assesses) -> None:
        self._reliability = reliability

    async def run(self, arguments: Mapping[str, Any], look: Look) -> Found:
        services = names_argument(arguments, "services", of="service names")
        assessment = await self._reliability.assess(services, look.at)
        return await asyncio.to_thread(told, assessment, look.next_fact)  # of a thousand objectives it takes a while


def told(assessment: Assessment, start: int) -> Found:
    """All figures where a result has room for them; else the main ones, of the worst objectives first."""
    if len(assessment.items) <= _MANY:
        found = _in_full(assessment, start)
        if len(found.text) <= LONGEST_RESULT:
            return found
    return _in_brief(assessment, start)


def _in_full(assessment: Assessment, start: int) -> Found:
    measured = facts(assessment, start)
    lines = [_measured_at(assessment)]
    if not assessment.items:
        lines.append("No objectives are defined for this.")
    for item, own in _worst_first(assessment, measured):
        lines += [*own, *(f"  {line}" for line in explained(item))]
    return Found(text="\n".join(lines), facts=measured)


def _in_brief(assessment: Assessment, start: int) -> Found:
    measured = facts(assessment, start, brief=True)
    lines = [
        _measured_at(assessment),
        "Only the main figures, since there are many; ask for services by name for all of theirs.",
        f"In all {formats.number(len(assessment.items), 'objective')}: {counts(assessment)}.",
    ]
    room, untold = LONGEST_RESULT - _ROOM_FOR_NAMES - sum(map(len, lines)), list[Objective]()
    for item, own in _worst_first(assessment, measured):
        room -= sum(len(line) + 1 for line in own)
        if room < 0:
            untold.append(item)
        else:
            lines += own
    if untold:
        rest = replace(assessment, items=tuple(untold))
        names = formats.listing(list(dict.fromkeys(item.service for item in untold)), most=_MOST_NAMES)
        lines += ["", f"Not listed, since there are too many: {counts(rest)}: {names[: _ROOM_FOR_NAMES - 500]}"]
    text = "\n".join(lines)
    listed = set(PLACEHOLDER.findall(text))
    return Found(text=text, facts=tuple(fact for fact in measured if fact.id in listed))


def _measured_at(assessment: Assessment) -> str:
    return f"Measured at {formats.moment(assessment.at)}. Write a figure only as its placeholder."


def _worst_first(assessment: Assessment, measured: Sequence[Fact]) -> Iterator[tuple[Objective, list[str]]]:
    """Each objective with its name and its facts, a line each."""
    labels, of = Labels(assessment), defaultdict[str, list[Fact]](list)
    for fact in measured:
        of[fact.entity].append(fact)
    for item in assessment.worst_first():
        name = labels.of(item)
        found = (f"  {{{{{fact.id}}}}} = {fact.text} ({fact.meaning})" for fact in of.pop(name, []))
        doubt = " (in doubt)" if item.in_doubt else ""
        yield item, ["", f"{name} (service {item.service}): {item.state.value}{doubt}", *found]


class SloDefinitions:
    """What the SLO files promise, as facts; nothing is measured."""

    spec = ToolSpec(
        name="slo_definitions",
        description=(
            "The objectives that are defined: service, target, window and what is counted. Nothing is measured. "
            "Returns facts, each with an id to be written as {{id}}."
        ),
        input_schema={
            "type": "object",
            "properties": {"service": {"type": "string", "description": "one service; leave out for all"}},
            "additionalProperties": False,
        },
    )
    status = "looks up SLO definitions …"
    shows_figures = True

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    async def run(self, arguments: Mapping[str, Any], look: Look) -> Found:
        asked = names_argument(arguments, "service", of="one service")
        unknown = sorted(set(asked or ()) - set(self._definitions.service_names))
        if unknown:
            known = formats.listing(self._definitions.service_names, most=50) or "none"
            raise WrongArguments(f"no service {', '.join(unknown)} is defined; there are: {known}")
        objectives = self._definitions.of(asked) if asked else self._definitions.objectives
        found: list[Fact] = []
        lines = ["From the SLO files; nothing of this is measured."]
        for objective in objectives:
            promised = _promises(objective, look, look.next_fact + len(found))
            found += promised
            lines += ["", f"{objective.service}, {objective.slo}, objective {objective.name or objective.slo}"]
            lines += [text for text in (objective.title, objective.description) if text]
            lines += [f"  {{{{{fact.id}}}}} = {fact.text} ({fact.meaning})" for fact in promised]
            counted = "bad events" if objective.indicator.counts_bad else "good events"
            slices = f", in {formats.counted(objective.slices)}" if objective.slices is not None else ""
            lines.append(f"  counts {counted} against all events{slices}, from {objective.indicator.source}")
        silent = set(asked or self._definitions.service_names) - {objective.service for objective in objectives}
        lines += [f"\n{name}: no objective is defined" for name in sorted(silent)]
        return Found(text="\n".join(lines), facts=tuple(found))


def _promises(objective: ObjectiveDefinition, look: Look, number: int) -> tuple[Fact, ...]:
    window = Fraction(objective.window.length // timedelta(seconds=1))
    rows = (
        (formats.target(objective.target), Fraction(objective.target), "share", "target"),
        (formats.window(objective.window), window, "s", "window"),
        *what_is_good(objective),
    )
    return tuple(
        Fact(
            id=f"f{number + index}",
            text=text,
            value=float(value),
            unit=unit,
            entity=f"{objective.service} {objective.slo}",
            meaning=meaning,
            query=f"SLO file: {objective.slo}",
            evaluated_at=look.at,
        )
        for index, (text, value, unit, meaning) in enumerate(rows)
    )
