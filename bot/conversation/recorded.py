"""The demo's model: prepared words behind the same port, so that everything around it is the real thing.

It asks for look-ups, writes placeholders, knows the thread and drafts plans, by rules that anyone can read here.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Sequence

from bot.conversation.model import ModelEvent, ModelRequest, TextDelta, ToolStarted, Whole, text_of
from bot.conversation.recorded_plan import recorded_plan
from bot.conversation.recorded_words import about_definitions, about_services, answer_to, wants
from bot.conversation.words import question_of
from bot.domain import Message, Usage

NOTICE = (
    "No API key is set, so a recorded model speaks here: its words are prepared, its figures are computed live from "
    "the sample data. Set ANTHROPIC_API_KEY for a real conversation."
)
_CHUNK = re.compile(r"\S+\s*|\s+")


class RecordedModel:
    """`delay` is the pause between chunks in seconds."""

    name = "recorded"
    notice: str | None = NOTICE

    def __init__(self, *, delay: float = 0.02) -> None:
        self._delay = delay

    async def warm_up(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to close."""

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        if request.schema is not None:
            text = json.dumps(recorded_plan(_last_words(request.messages)), ensure_ascii=False, indent=1)
        else:
            asked = questions(request.messages)
            results = _results(request.messages)
            tool = wants(asked) if not results else None
            if tool in {spec.name for spec in request.tools}:
                yield ToolStarted(name=str(tool))
                await asyncio.sleep(self._delay)
                yield _look_up(str(tool), len(request.messages))
                return
            text = _spoken(asked, results)
        chunks = _CHUNK.findall(text) if request.schema is None else [text]  # nobody watches a plan being written
        for chunk in chunks:
            yield TextDelta(text=chunk)
            await asyncio.sleep(self._delay)
        yield _whole([{"type": "text", "text": text}], "end_turn")


def questions(messages: Sequence[Message]) -> tuple[str, ...]:
    """What people asked in this thread, oldest first; the last one is to be answered."""
    asked: list[str] = []
    for message in messages:
        if message.role == "user":
            words = message.content if isinstance(message.content, str) else question_of(message)
            asked += [words] if words else []
    return tuple(asked)


def _results(messages: Sequence[Message]) -> tuple[str, ...]:
    """Results of the look-ups made for the last question."""
    last = messages[-1] if messages else None
    if last is None or last.role != "user" or isinstance(last.content, str):
        return ()
    return tuple(str(block.get("content", "")) for block in last.content if block.get("type") == "tool_result")


def _spoken(asked: tuple[str, ...], results: tuple[str, ...]) -> str:
    if not results:
        return answer_to(asked)
    found = "\n".join(results)
    return about_definitions(asked, found) if found.startswith("From the SLO files") else about_services(asked, found)


def _last_words(messages: Sequence[Message]) -> str:
    return next((text_of(message) for message in messages if message.role == "user"), "")


def _look_up(tool: str, position: int) -> Whole:
    return _whole([{"type": "tool_use", "id": f"toolu_recorded_{position}", "name": tool, "input": {}}], "tool_use")


def _whole(blocks: list[dict[str, object]], stop_reason: str) -> Whole:
    return Whole(
        message=Message(role="assistant", content=blocks),
        stop_reason=stop_reason,
        usage=Usage(model="recorded", input_tokens=0, output_tokens=0, cache_read_tokens=0, cache_write_tokens=0),
    )
