"""Tools that the model may ask for. Rights and limits are decided here, in code, whatever the model asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import structlog

from bot.conversation.facts import FactBook
from bot.conversation.model import ToolSpec
from bot.domain import Fact, Person
from bot.errors import DirectorError

log = structlog.get_logger(__name__)

LONGEST_RESULT = 16_000  # characters; more is refused with the advice to narrow


@dataclass(frozen=True, kw_only=True)
class Look:
    """Who looks, when, and from which number on new facts count. Comes from the code, never from the model."""

    person: Person
    at: datetime
    next_fact: int


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a tool found: text for the model, and the facts that the text names by id."""

    text: str
    facts: tuple[Fact, ...] = ()
    is_error: bool = False


class WrongArguments(DirectorError):
    """The model called a tool with something that it does not take; the message tells the model what it takes."""


class Tool(Protocol):
    """`status` is what people read while it runs, e.g. "looking up error budgets"."""

    @property
    def spec(self) -> ToolSpec: ...

    @property
    def status(self) -> str: ...

    @property
    def shows_figures(self) -> bool:
        """Whether its results hold figures about our services, which not everyone may see."""
        ...

    async def run(self, arguments: Mapping[str, Any], look: Look) -> Found:
        """Raises DirectorError with a sentence for the model."""
        ...


class Toolbox:
    """The tools of a conversation, in one order for good, since they are part of the cached prefix."""

    def __init__(self, tools: Sequence[Tool] = ()) -> None:
        self._tools = {tool.spec.name: tool for tool in sorted(tools, key=lambda tool: tool.spec.name)}

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        return tuple(tool.spec for tool in self._tools.values())

    def status(self, name: str) -> str:
        tool = self._tools.get(name)
        return tool.status if tool else "working"

    async def call(self, name: str, arguments: object, *, person: Person, at: datetime, book: FactBook) -> Found:
        """Run one tool and take up its facts. Never raises for the tool's sake: a failure is a result for the model."""
        tool = self._tools.get(name)
        if tool is None:
            return _error("UnknownTool", f"there is no tool {name!r}; there are {', '.join(self._tools) or 'none'}")
        if tool.shows_figures and not person.may_see_figures:
            return _error("NotPermitted", "not permitted: this person may not see figures about our services")
        if not isinstance(arguments, Mapping):
            return _error("WrongArguments", "the arguments must be a JSON object")
        try:
            found = await tool.run(arguments, Look(person=person, at=at, next_fact=book.next_number))
        except DirectorError as error:
            log.warning("tool.failed", tool=name, error=type(error).__name__)
            return _error(type(error).__name__, str(error))
        except Exception as error:  # the outermost edge of a tool: its class may be told, its details may hold secrets
            log.exception("tool.broke", tool=name)
            return _error(
                type(error).__name__, "the look-up failed for a reason of its own; say that it could not be done"
            )
        if len(found.text) > LONGEST_RESULT:
            return _error("ResultTooLarge", "the result is too large; ask again for fewer services by name")
        book.add(found.facts)
        return found


def _error(kind: str, sentence: str) -> Found:
    return Found(text=f"{kind}: {sentence}", is_error=True)


def names_argument(arguments: Mapping[str, Any], key: str, *, of: str) -> tuple[str, ...] | None:
    """A list of names from a model's arguments, forgiving about its form; None when left out. Raises WrongArguments."""
    unknown = sorted(set(arguments) - {key})
    if unknown:
        raise WrongArguments(f"unknown argument {', '.join(unknown)}; the only one is {key!r}")
    value = arguments.get(key)
    if isinstance(value, str) and value.startswith("["):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise WrongArguments(f"{key!r} is a list of {of}") from error
    if isinstance(value, str):
        value = [value]
    if value is None or value == []:
        return None
    if not isinstance(value, list) or not all(isinstance(name, str) and name.strip() for name in value):
        raise WrongArguments(f"{key!r} is a list of {of}")
    return tuple(name.strip() for name in value)
