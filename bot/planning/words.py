"""Words of a plan on their way out: a title from an initiative, and text that can neither mention nor link."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from bot.conversation.clean import Links, visible
from bot.conversation.gate import Gate

_LONGEST_TITLE = 80


def title_of(initiative: str) -> str:
    """The first sentence or line, shortened at a word."""
    first = re.split(r"(?<=[.!?])\s|\n", initiative.strip(), maxsplit=1)[0].rstrip(".")
    if len(first) <= _LONGEST_TITLE:
        return first
    return first[:_LONGEST_TITLE].rsplit(" ", 1)[0] + " …"


def gated(value: Any, resolve: Callable[[str], str | None], links: Links) -> Any:
    """JSON whose strings went through the gate: facts put in, mentions, links and hidden characters made harmless."""
    if isinstance(value, str):
        gate = Gate(resolve, links)
        return (gate.feed(value) + gate.close()).strip()
    if isinstance(value, list):
        return [gated(entry, resolve, links) for entry in value]
    if isinstance(value, dict):
        return {visible(str(key)): gated(entry, resolve, links) for key, entry in value.items()}
    return value
