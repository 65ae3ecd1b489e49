"""Which edition of model, prompt and tools a turn was spoken with.

A model binds its thinking blocks to itself and to every byte before them, and refuses them when one has changed. So
each turn notes its edition, and the blocks of other editions are left out when the thread is sent again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence

from bot.conversation.model import ToolSpec
from bot.domain import Message

_LINE = re.compile(r"^Edition: ([0-9a-f]{12})$")
_BOUND = frozenset({"thinking", "redacted_thinking"})


def edition_of(model: str, system: str, tools: Iterable[ToolSpec]) -> str:
    """A short digest of all that is frozen in a request."""
    frozen = [model, system, [[tool.name, tool.description, tool.input_schema] for tool in tools]]
    return hashlib.sha256(json.dumps(frozen, sort_keys=True).encode()).hexdigest()[:12]


def line(edition: str) -> str:
    """How a turn's operator message notes it, as its last line."""
    return f"Edition: {edition}"


def as_sent(history: Sequence[Message], edition: str) -> tuple[Message, ...]:
    """The thread as it goes to the model of this edition; the same thread always gives the same messages."""
    sent: list[Message] = []
    spoken_with: str | None = None
    for message in history:
        if message.role == "system":
            match = _LINE.match(str(message.content).rsplit("\n", 1)[-1])
            spoken_with = match[1] if match else None
        sent.append(_unbound(message) if message.role == "assistant" and spoken_with != edition else message)
    return tuple(sent)


def _unbound(message: Message) -> Message:
    if isinstance(message.content, str):
        return message
    kept = [block for block in message.content if block.get("type") not in _BOUND]
    return message if len(kept) == len(message.content) else Message(role="assistant", content=kept)
