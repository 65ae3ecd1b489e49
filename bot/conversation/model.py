"""The port to a language model: one request, streamed back as events, the last of which is the whole message."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.domain import Message, Usage
from bot.errors import DirectorError, Unreachable


class Fault(StrEnum):
    """Why a model did not give a whole answer."""

    NO_MODEL = "no_model"  # none is configured
    KEY = "key"  # the key is wrong, has no right or no credit
    BUSY = "busy"  # rate limit or overload
    UNREACHABLE = "unreachable"  # no connection, or it broke
    SILENT = "silent"  # too slow
    BROKEN = "broken"  # the answer ended early or makes no sense
    TOO_LONG = "too_long"  # the answer or the thread outgrew the model
    REJECTED = "rejected"  # the request itself was refused
    PAUSED = "paused"  # failed too often just now, not asked for a while
    LIMIT = "limit"  # the turn's own limit of steps or seconds


class ModelUnavailable(Unreachable):
    """The model gave no whole answer, so this turn did not happen: nothing of it may be stored.

    `reason` says it in a clause that fits after "No model spoke:". `retryable` is True when the same request may
    succeed later.
    """

    def __init__(self, reason: str, *, fault: Fault, retryable: bool) -> None:
        super().__init__(f"The model gave no answer: {reason}.")
        self.reason = reason
        self.fault = fault
        self.retryable = retryable


class ModelRefused(DirectorError):
    """The model declined to answer this request; asking it again in the same words does not help."""

    def __init__(self) -> None:
        super().__init__("The model declined to answer this; put it in other words, or ask without what it may not do.")
        self.reason = "the model declined to answer this"


@dataclass(frozen=True, kw_only=True)
class ToolSpec:
    """A tool as the model sees it. `input_schema` is JSON Schema of an object."""

    name: str
    description: str
    input_schema: dict[str, object]


@dataclass(frozen=True, kw_only=True)
class ModelRequest:
    """One request. `system` and `tools` must be the same bytes in every request of a thread.

    With `schema` (JSON Schema of an object) the answer's text is one JSON document of that form.
    """

    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    schema: dict[str, object] | None = None
    max_tokens: int = 32_000


@dataclass(frozen=True, kw_only=True)
class TextDelta:
    text: str


@dataclass(frozen=True, kw_only=True)
class ToolStarted:
    name: str


@dataclass(frozen=True, kw_only=True)
class Whole:
    """The complete message, blocks exactly as received. `stop_reason` is `end_turn`, `tool_use` or `stop_sequence`."""

    message: Message
    stop_reason: str
    usage: Usage

    @property
    def text(self) -> str:
        return text_of(self.message)

    @property
    def tool_calls(self) -> tuple[dict[str, object], ...]:
        """The `tool_use` blocks, in order."""
        if isinstance(self.message.content, str):
            return ()
        return tuple(block for block in self.message.content if block.get("type") == "tool_use")


ModelEvent = TextDelta | ToolStarted | Whole


class Model(Protocol):
    """A language model. `notice` is a line that people must see beside what it says; None when there is none."""

    @property
    def name(self) -> str: ...

    @property
    def notice(self) -> str | None: ...

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Events as they come; the last one is `Whole`, or the turn did not happen.

        Raises:
            ModelUnavailable: no whole answer, whatever the cause.
            ModelRefused: the model declined.
        """
        ...

    async def warm_up(self) -> None:
        """Load what is slow to load, before the first question."""
        ...

    async def close(self) -> None: ...


async def whole(model: Model, request: ModelRequest) -> Whole:
    """The complete answer of a request whose stream nobody watches (a plan, say)."""
    async with aclosing(model.stream(request)) as events:
        async for event in events:
            if isinstance(event, Whole):
                return event
    raise ModelUnavailable("its answer ended before it was complete", fault=Fault.BROKEN, retryable=True)


def text_of(message: Message) -> str:
    """All text blocks of a message, joined."""
    if isinstance(message.content, str):
        return message.content
    return "".join(str(block.get("text", "")) for block in message.content if block.get("type") == "text")
