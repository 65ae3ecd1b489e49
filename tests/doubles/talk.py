"""What a conversation needs around it: people, questions, and services whose figures are known primes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from bot.conversation import (
    Conversation,
    ErrorBudgetStatus,
    Links,
    Model,
    ModelEvent,
    ModelRequest,
    Question,
    SloDefinitions,
    TextDelta,
    Toolbox,
    ToolStarted,
    TurnLimits,
    Whole,
)
from bot.domain import Answer, Incoming, IncomingKind, Message, Person, Place, Said, Standing, Thread, Usage
from bot.persona import builtin_cards, system_prompt
from bot.reliability import Assessment, Definitions, Objective, State
from bot.reliability.assessment import Figures
from bot.reliability.definitions import Indicator, ObjectiveDefinition, ServiceDefinition, TableQuery, Window
from bot.reliability.reliability import UnknownService

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DANA = Person(id="U1", name="Dana", standing=Standing.MEMBER, zone="Europe/Berlin")
GUS = Person(id="U9", name="Gus", standing=Standing.GUEST)
PLACE = Place(platform="slack", workspace="T1", channel="C1", thread="100.1")
SYSTEM = system_prompt(builtin_cards()["director"], workspace="acme")


def definition(service: str) -> ObjectiveDefinition:
    table = Path("events.csv")
    return ObjectiveDefinition(
        service=service,
        slo=f"{service}-availability",
        name="availability",
        target=Decimal("0.9973"),
        window=Window("28d", timedelta(days=28)),
        indicator=Indicator(name="requests", total=TableQuery(table, "all"), bad=TableQuery(table, "bad")),
    )


def objective(service: str, state: State, remaining: str) -> Objective:
    """Remaining as a share; nothing else in it ends in the same digits."""
    left = Fraction(remaining)
    return Objective(
        definition=definition(service),
        state=state,
        sentence="It stands as its state says.",
        figures=Figures(remaining=left, consumed=1 - left, burn={"24h": Fraction("1.09")}),
        remarks=(),
        method="hours",
        queries={"total": f"all of {service}", "bad": f"bad of {service}"},
        source="events.csv",
        evaluated_at=NOW,
    )


CHECKOUT = objective("checkout", State.AT_RISK, "0.1873")
PAYMENTS = objective("payments", State.EXHAUSTED, "-0.0347")
SEARCH = objective("search", State.OK, "0.9127")
DEFINITIONS = Definitions(
    services=tuple(ServiceDefinition(name) for name in ("checkout", "payments", "search")),
    objectives=tuple(item.definition for item in (CHECKOUT, PAYMENTS, SEARCH)),
)


@dataclass
class Measured:
    """Answers like `Reliability`, from objectives given; `error` is raised instead when there is one."""

    items: tuple[Objective, ...] = (CHECKOUT, PAYMENTS, SEARCH)
    error: Exception | None = None
    asked: list[tuple[str, ...] | None] = field(default_factory=list)

    async def assess(self, services: Sequence[str] | None, at: datetime) -> Assessment:
        self.asked.append(tuple(services) if services else None)
        if self.error is not None:
            raise self.error
        known = {item.service for item in self.items}
        for name in services or ():
            if name not in known:
                raise UnknownService(name, sorted(known))
        chosen = tuple(item for item in self.items if not services or item.service in services)
        return Assessment(at, chosen, tuple(services or ()))


def toolbox(measured: Measured | None = None) -> Toolbox:
    return Toolbox([SloDefinitions(DEFINITIONS), ErrorBudgetStatus(measured or Measured())])


def conversation(
    model: Model | None,
    *,
    measured: Measured | None = None,
    links: Links | None = None,
    limits: TurnLimits | None = None,
) -> Conversation:
    return Conversation(model=model, tools=toolbox(measured), system=SYSTEM, links=links, limits=limits)


def ask(
    text: str,
    *,
    thread: Thread | None = None,
    person: Person = DANA,
    number: int = 1,
    before: tuple[Said, ...] = (),
    **more: Any,
) -> Question:
    incoming = Incoming(
        kind=IncomingKind.ASK,
        dedupe_key=f"slack:T1:C1:{100 + number}.1",
        place=PLACE,
        text=text,
        received_at=NOW,
        speaker_id=person.id,
        question=f"{100 + number}.1",
    )
    now = NOW + timedelta(minutes=number)
    return Question(incoming=incoming, person=person, thread=thread or Thread(), before=before, now=now, **more)


def after(thread: Thread, answer: Answer) -> Thread:
    """The thread as the inbox would store it."""
    return Thread(messages=(*thread.messages, *answer.messages), facts=(*thread.facts, *answer.facts))


@dataclass
class Heard:
    """What readers saw while the answer was made."""

    written: list[str] = field(default_factory=list)
    status_lines: list[str] = field(default_factory=list)

    async def write(self, text: str) -> None:
        self.written.append(text)

    async def status(self, line: str) -> None:
        self.status_lines.append(line)

    @property
    def text(self) -> str:
        return "".join(self.written)


async def answered(talk: Conversation, question: Question, heard: Heard | None = None) -> Answer:
    heard = heard or Heard()
    return await talk.answer(question, write=heard.write, status=heard.status)


NO_USAGE = Usage(model="scripted", input_tokens=0, output_tokens=0, cache_read_tokens=0, cache_write_tokens=0)


class ScriptedModel:
    """A model that says exactly this, letter by letter: texts, or look-ups as `(name, arguments)`, or errors."""

    name = "scripted"
    notice: str | None = None

    def __init__(self, *steps: str | tuple[str, Any] | Exception) -> None:
        self._steps = list(steps)
        self.requests: list[ModelRequest] = []

    async def warm_up(self) -> None: ...

    async def close(self) -> None: ...

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        self.requests.append(request)
        step = self._steps.pop(0)
        if isinstance(step, Exception):
            raise step
        if isinstance(step, str):
            for letter in step:
                yield TextDelta(text=letter)
            yield _whole({"type": "text", "text": step}, "end_turn")
            return
        name, arguments = step
        yield ToolStarted(name=name)
        call = {"type": "tool_use", "id": f"toolu_{len(self.requests)}", "name": name, "input": arguments}
        yield _whole(call, "tool_use")


def _whole(block: dict[str, object], reason: str) -> Whole:
    return Whole(message=Message(role="assistant", content=[block]), stop_reason=reason, usage=NO_USAGE)
