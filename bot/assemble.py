"""Puts the core together from settings and ports; knows no edge and no storage."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from bot.conversation import Conversation, Fallback, Guarded, Talks
from bot.conversation.anthropic import AnthropicModel
from bot.conversation.clean import Links
from bot.conversation.lookups import ErrorBudgetStatus, SloDefinitions
from bot.conversation.loop import TurnLimits
from bot.conversation.model import Model
from bot.conversation.tools import Toolbox
from bot.conversation.words import Question
from bot.director import Director
from bot.domain import Fact, Reply
from bot.persona import Card, builtin_cards, load_card, system_prompt
from bot.planning import KnownSlo, PlanChat, Planning, PlanStore, Surroundings
from bot.ports import Clock
from bot.reliability import Assessment, Prometheus, Reliability, Tables, facts, load_definitions
from bot.reliability.attribution import attribute
from bot.reliability.exclusions import Exclusion
from bot.reliability.memory import Remembered, forgiving
from bot.reliability.metrics import Metrics
from bot.reliability.prometheus_client import Round
from bot.reports import Reports
from bot.rights import Rights
from bot.schedule_chat import Channels, GroupsOf, Schedules
from bot.schedules import ScheduleStore
from bot.settings import Settings

log = structlog.get_logger(__name__)


def model_of(settings: Settings) -> Model | None:
    """The configured model behind its circuit breaker; None without a key."""
    if settings.model.api_key is None:
        return None
    return Guarded(
        AnthropicModel(
            api_key=settings.model.api_key.get_secret_value(),
            name=settings.model.name,
            base_url=settings.model.base_url,
        )
    )


def reliability_of(settings: Settings, memory: Remembered | None, clock: Clock) -> Reliability:
    """Figures from the configured sources; without `memory` nothing of them is remembered.

    Reads the SLO files, which takes seconds where there are a thousand. Raises DefinitionError with every mistake.
    """
    if memory is not None:
        memory = forgiving(memory, lambda why: log.warning("figures.not_remembered", error=why))
    prometheus = _prometheus(settings, memory, clock)
    sources: dict[str, Metrics] = {"csv": Tables(stale_after=_stale_after(settings))}
    if prometheus is not None:
        sources["prometheus"] = prometheus
    exclusions = exclusions_of(settings)

    async def attributed(found: Assessment) -> Assessment:
        return await attribute(
            found,
            log=None if memory is None else memory.deploys,
            source=None if prometheus is None else Round(prometheus.client),
            series=settings.file.metrics.deploys,
            exclusions=exclusions,
        )

    return Reliability(
        load_definitions(settings.slos, now=clock.now()),
        sources,
        exclusions=exclusions,
        issued=None if memory is None else memory.issued,
        attribute=attributed,
        hours=None if memory is None else memory.hours,
        clock=clock,
    )


def _prometheus(settings: Settings, memory: Remembered | None, clock: Clock) -> Prometheus | None:
    server, limits = settings.prometheus, settings.file.metrics
    if server is None:
        return None
    return Prometheus(
        server.url,
        token=server.token.get_secret_value() if server.token else None,
        tenant=server.tenant,
        ca=server.ca,
        timeout=limits.timeout,
        stale_after=_stale_after(settings),
        max_samples=limits.max_samples_per_query,
        hours=None if memory is None else memory.hours,
        clock=clock.now,
    )


def _stale_after(settings: Settings) -> timedelta:
    return timedelta(seconds=settings.file.metrics.stale_after)


def exclusions_of(settings: Settings) -> tuple[Exclusion, ...]:
    """The times that don't count, as director.yml announces them."""
    return tuple(
        Exclusion(
            service=entry.service,
            rule=entry.rrule,
            duration=entry.duration,
            reason=entry.reason,
            owner=entry.owner,
            zone=entry.zone,
        )
        for entry in settings.file.exclusions
    )


def system_of(settings: Settings) -> str:
    """The Director's frozen system prompt. Raises CardError for a card of one's own that is incomplete."""
    return system_prompt(_card(settings.file.personas.director), workspace=settings.workspace)


def planning_of(settings: Settings, store: PlanStore, reliability: Reliability, model: Model | None) -> Planning:
    async def measured(at: datetime) -> tuple[Fact, ...]:
        return await asyncio.to_thread(facts, await reliability.assess(None, at))

    surroundings = Surroundings(
        roster=settings.file.roster,
        services=settings.file.services,
        escalation=settings.file.escalation,
        slos=tuple(
            KnownSlo(
                service=objective.service,
                name=objective.slo,
                objective=str(objective.target),
                window=objective.window.label,
            )
            for objective in reliability.definitions.objectives
        ),
        facts=measured,
    )
    return Planning(
        model=model, store=store, surroundings=surroundings, persona=system_of(settings), links=_links(settings)
    )


def director_of(
    settings: Settings,
    *,
    plans: PlanStore,
    schedules: ScheduleStore,
    reliability: Reliability,
    model: Model | None,
    clock: Clock,
    channels: Channels | None = None,
    groups_of: GroupsOf | None = None,
) -> Director:
    """The use cases, whole. `channels` finds a platform's channels, `groups_of` its user groups; None: it has none."""
    entries = settings.file.channels
    reports = Reports(reliability, {name: entry.services for name, entry in entries.items()})
    schedule_words = Schedules(
        schedules,
        rights=Rights.of(settings.file),
        services=lambda: reliability.services,
        report=reports.scheduled,
        channels=channels,
        groups_of=groups_of,
    )

    async def listed(question: Question) -> Reply:
        return await schedule_words.handle(
            "list",
            place=question.incoming.place,
            person=question.person,
            request_key=question.incoming.dedupe_key,
            now=clock.now(),
        )

    limits = settings.file.limits.turn
    return Director(
        talks=Talks(
            Conversation(
                model=model,
                tools=Toolbox((ErrorBudgetStatus(reliability), SloDefinitions(reliability.definitions))),
                system=system_of(settings),
                links=_links(settings),
                limits=TurnLimits(steps=limits.steps, seconds=limits.seconds),
            ),
            Fallback(reliability, services=reliability.services, schedules=listed),
            instructions={name: entry.instructions for name, entry in entries.items() if entry.instructions},
        ),
        reports=reports,
        plans=PlanChat(planning_of(settings, plans, reliability, model)),
        schedule_words=schedule_words,
        schedules=schedules,
        channels=channels if entries else None,
    )


def _links(settings: Settings) -> Links:
    return Links(hosts=frozenset(settings.file.links.allowed_hosts))


def _card(path: Path | None) -> Card:
    return load_card(path) if path is not None else builtin_cards()["director"]
