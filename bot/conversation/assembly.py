"""A message put together from stream events, exactly, or not at all.

The SDK's own accumulator accepts streams that end early and tool inputs that are half there; this one does not.
"""

from __future__ import annotations

import json
from typing import Any

from bot.conversation.model import Fault, ModelEvent, ModelRefused, ModelUnavailable, TextDelta, ToolStarted, Whole
from bot.domain import Message, Usage

# delta type -> (the block type it belongs to, the key it appends to)
_APPENDS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("thinking", "signature"),
}
_KINDS = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    }
)
_WHOLE = frozenset({"end_turn", "stop_sequence", "tool_use"})


class Assembly:
    """Feed it every event of one stream as a plain dict, then ask for the whole."""

    def __init__(self) -> None:
        self._start: dict[str, Any] | None = None
        self._blocks: list[dict[str, Any]] = []
        self._inputs: dict[int, str] = {}
        self._open: set[int] = set()
        self._stop_reason: str | None = None
        self._usage: dict[str, Any] = {}
        self._stopped = False

    def feed(self, event: dict[str, Any]) -> ModelEvent | None:
        """What the event means to a listener, if anything. Raises ModelUnavailable when it makes no sense."""
        try:
            return self._feed(event)
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise broken("its answer was garbled") from error

    def _feed(self, event: dict[str, Any]) -> ModelEvent | None:
        kind = event["type"]
        if kind not in _KINDS:
            return None  # the API may add events; what they carry is no content
        if self._stopped or (self._start is None) != (kind == "message_start"):
            raise broken("its answer came in the wrong order")
        match kind:
            case "message_start":
                self._start = event["message"]
                self._usage = {**event["message"]["usage"]}
            case "content_block_start":
                return self._begin(event["index"], event["content_block"])
            case "content_block_delta":
                return self._append(event["index"], event["delta"])
            case "content_block_stop":
                self._end(event["index"])
            case "message_delta":
                self._stop_reason = event["delta"]["stop_reason"]
                self._usage |= {key: value for key, value in event.get("usage", {}).items() if value is not None}
            case "message_stop":
                self._stopped = True
        return None

    def _begin(self, index: int, block: dict[str, Any]) -> ModelEvent | None:
        if index != len(self._blocks) or self._open:
            raise broken("its answer came in the wrong order")
        self._blocks.append(dict(block))
        self._open.add(index)
        if block["type"] == "tool_use":
            self._inputs[index] = ""
            return ToolStarted(name=str(block["name"]))
        return TextDelta(text=block["text"]) if block["type"] == "text" and block["text"] else None

    def _append(self, index: int, delta: dict[str, Any]) -> ModelEvent | None:
        if index not in self._open:
            raise broken("its answer came in the wrong order")
        block, kind = self._blocks[index], delta["type"]
        if kind == "input_json_delta":
            self._inputs[index] += delta["partial_json"]
            return None
        if kind == "citations_delta":
            block["citations"] = [*(block.get("citations") or []), delta["citation"]]
            return None
        if kind not in _APPENDS or block["type"] != _APPENDS[kind][0]:
            raise broken("its answer was garbled")  # storing a block we did not understand would poison the thread
        key = _APPENDS[kind][1]
        block[key] = block.get(key, "") + delta[key]
        return TextDelta(text=delta["text"]) if kind == "text_delta" else None

    def _end(self, index: int) -> None:
        self._open.remove(index)
        if not self._inputs.get(index):
            return
        try:
            value = json.loads(self._inputs[index])
        except ValueError as error:
            raise broken("it asked for a look-up in half a sentence") from error
        if not isinstance(value, dict):
            raise broken("it asked for a look-up in a form that does not exist")
        self._blocks[index]["input"] = value

    def whole(self) -> Whole:
        """The complete message. Raises ModelUnavailable when the stream was not one, ModelRefused when it declined."""
        if self._stop_reason == "refusal":
            raise ModelRefused
        if self._stop_reason in ("max_tokens", "model_context_window_exceeded"):
            raise ModelUnavailable("its answer grew too long", fault=Fault.TOO_LONG, retryable=False)
        if self._start is None or not self._stopped or self._open or self._stop_reason not in _WHOLE:
            raise broken("its answer ended before it was complete")
        asked = any(block["type"] == "tool_use" for block in self._blocks)
        if not self._blocks or asked != (self._stop_reason == "tool_use"):
            raise broken("its answer contradicts itself" if self._blocks else "its answer was empty")
        return Whole(
            message=Message(role="assistant", content=self._blocks),
            stop_reason=self._stop_reason,
            usage=Usage(
                model=str(self._start["model"]),
                input_tokens=self._count("input_tokens"),
                output_tokens=self._count("output_tokens"),
                cache_read_tokens=self._count("cache_read_input_tokens"),
                cache_write_tokens=self._count("cache_creation_input_tokens"),
            ),
        )

    def _count(self, key: str) -> int:
        value = self._usage.get(key)
        return value if isinstance(value, int) else 0  # the API leaves out what it did not count


def broken(reason: str) -> ModelUnavailable:
    return ModelUnavailable(reason, fault=Fault.BROKEN, retryable=True)
