"""One turn with the model: ask, run the tools it asks for, ask again, until it has answered. All of it, or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from bot.conversation.facts import FactBook
from bot.conversation.gate import Gate
from bot.conversation.model import Fault, Model, ModelRequest, ModelUnavailable, TextDelta, ToolStarted, Whole
from bot.conversation.tools import Toolbox
from bot.domain import Message, Person, Usage

log = structlog.get_logger(__name__)

Say = Callable[[str], Awaitable[None]]

_LAST_STEP = "This was the last look-up of this turn. Answer now with what you have."


@dataclass(frozen=True, kw_only=True)
class TurnLimits:
    """`steps` counts requests to the model, `seconds` the whole turn."""

    steps: int = 12
    seconds: float = 180.0


@dataclass
class Spoken:
    """What a turn came to: its messages in order, what readers get, and the model's own words without facts."""

    messages: list[Message] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    own: str = ""
    tool_texts: list[str] = field(default_factory=list)
    usage: list[Usage] = field(default_factory=list)

    @property
    def markdown(self) -> str:
        return "\n\n".join(self.texts)


class Loop:
    """Speaks one turn. Tools run one after the other, in the order asked for."""

    def __init__(self, model: Model, tools: Toolbox, system: str, limits: TurnLimits) -> None:
        self._model = model
        self._tools = tools
        self._system = system
        self._limits = limits

    async def speak(
        self,
        messages: Sequence[Message],
        *,
        person: Person,
        at: datetime,
        book: FactBook,
        gate: Callable[[], Gate],
        write: Say,
        status: Say,
    ) -> Spoken:
        """Raises ModelUnavailable or ModelRefused, and then nothing happened."""
        spoken = Spoken()
        deadline = asyncio.get_running_loop().time() + self._limits.seconds
        try:
            async with asyncio.timeout_at(deadline):
                for step in range(1, self._limits.steps + 1):
                    answer = await self._ask((*messages, *spoken.messages), spoken, gate(), write, status)
                    if not answer.tool_calls:
                        return _complete(answer, spoken)
                    if step < self._limits.steps:
                        last = step == self._limits.steps - 1
                        results = await self._look_up(answer, spoken, person=person, at=at, book=book, last=last)
                        spoken.messages.append(results)
        except TimeoutError as error:
            raise ModelUnavailable(
                f"the answer was not ready within {self._limits.seconds:g} s", fault=Fault.LIMIT, retryable=True
            ) from error
        raise ModelUnavailable(
            f"it wanted more than the {self._limits.steps} steps that one answer may take",
            fault=Fault.LIMIT,
            retryable=False,
        )

    async def _ask(self, messages: tuple[Message, ...], spoken: Spoken, gate: Gate, write: Say, status: Say) -> Whole:
        request = ModelRequest(system=self._system, messages=messages, tools=self._tools.specs)
        shown: list[str] = []

        async def out(text: str) -> None:
            if not text or (not shown and not text.strip()):
                return
            shown.append(text if shown else text.lstrip("\n"))
            await write("\n\n" + shown[-1] if spoken.texts and len(shown) == 1 else shown[-1])

        whole: Whole | None = None
        async with aclosing(self._model.stream(request)) as events:
            async for event in events:
                match event:
                    case TextDelta():
                        await out(gate.feed(event.text))
                    case ToolStarted():
                        await status(self._tools.status(event.name))
                    case Whole():
                        whole = event
        if whole is None:
            raise ModelUnavailable("its answer ended before it was complete", fault=Fault.BROKEN, retryable=True)
        await out(gate.close())
        spoken.messages.append(whole.message)
        spoken.usage.append(whole.usage)
        spoken.own += f"\n\n{gate.own}"
        if text := "".join(shown).rstrip():
            spoken.texts.append(text)
        return whole

    async def _look_up(
        self, answer: Whole, spoken: Spoken, *, person: Person, at: datetime, book: FactBook, last: bool
    ) -> Message:
        content: list[dict[str, object]] = []
        for call in answer.tool_calls:
            found = await self._tools.call(str(call["name"]), call.get("input"), person=person, at=at, book=book)
            spoken.tool_texts.append(found.text)
            result: dict[str, object] = {"type": "tool_result", "tool_use_id": call["id"], "content": found.text}
            content.append({**result, "is_error": True} if found.is_error else result)
        if last:
            content.append({"type": "text", "text": _LAST_STEP})
        return Message(role="user", content=content)


def _complete(answer: Whole, spoken: Spoken) -> Spoken:
    if not answer.text.strip() or not spoken.texts:
        raise ModelUnavailable("its answer held no words", fault=Fault.BROKEN, retryable=True)
    return spoken
