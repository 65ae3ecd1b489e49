"""What stands in the conversations of the double, every call that was made to it, and a way to wait for either."""

from __future__ import annotations

import asyncio
import html
import itertools
import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

Json = dict[str, Any]
Found = TypeVar("Found")

CARD = "application/vnd.microsoft.card.adaptive"


@dataclass(kw_only=True)
class Shown:
    """One message of the bot as people see it now. `root` is the message it replies to in a channel.

    `only` is the one person who sees a targeted message. `informative` is the blue bar of a stream.
    """

    id: str
    conversation: str
    root: str
    activity: Json
    at: float
    only: str | None = None
    streaming: bool = False
    streamed: bool = False
    informative: str = ""
    updates: list[tuple[float, str]] = field(default_factory=list)  # stream updates: when, text
    edits: list[tuple[float, Json]] = field(default_factory=list)
    deleted: bool = False
    sequence: int = 0

    @property
    def text(self) -> str:
        """The message's own Markdown, without its cards."""
        return str(self.activity.get("text") or "")

    @property
    def cards(self) -> list[Json]:
        return [one["content"] for one in self.activity.get("attachments") or [] if one.get("contentType") == CARD]

    @property
    def entities(self) -> list[Json]:
        found: list[Json] = self.activity.get("entities") or []
        return found

    @property
    def words(self) -> str:
        """All that a reader sees, pictures as their alternative text; without the words of buttons."""
        return "\n".join((self.text, *(text for card in self.cards for text in _texts(card))))

    @property
    def buttons(self) -> list[Json]:
        """The actions of its cards, as the card says them."""
        return [action for card in self.cards for action in _actions(card)]

    @property
    def made(self) -> bool:
        """Whether it is still being made: streamed, or a draft that can be stopped."""
        return self.streaming or any(one.get("verb") == "stop" for one in self.buttons)

    @property
    def labelled(self) -> bool:
        """Whether it says that it was made by AI."""
        return any("AIGeneratedContent" in (one.get("additionalType") or ()) for one in self.entities)

    @property
    def citations(self) -> list[Json]:
        return [one for entity in self.entities for one in entity.get("citation") or ()]


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call to the connector as it was made, its token left out; `status` None: the connection was cut."""

    what: str
    conversation: str
    body: Json
    at: float
    status: int | None
    code: str = ""


@dataclass(kw_only=True)
class Delivered:
    """One activity on its way to the bot: each attempt's status (None: no answer), seconds to the last answer."""

    activity: Json
    attempts: list[int | None] = field(default_factory=list)
    answer: Json | None = None
    seconds: float = 0.0
    over: bool = False

    @property
    def taken(self) -> bool:
        return bool(self.attempts) and self.attempts[-1] is not None and self.attempts[-1] < 300


class Ledger:
    """What happened, for tests to read."""

    def __init__(self) -> None:
        self.messages: dict[str, Shown] = {}
        self.calls: list[Call] = []
        self.delivered: list[Delivered] = []
        self.typing: list[tuple[float, str]] = []
        self.problems: list[str] = []  # what a bot must never do
        self.changed = time.monotonic()
        self._waiting: set[asyncio.Event] = set()

    def in_(self, conversation: str, root: str | None = None) -> list[Shown]:
        """The bot's messages that stand in a conversation, oldest first; of one reply chain only, with `root`."""
        bare, _, thread = conversation.partition(";messageid=")
        root = thread or root
        return [
            one
            for one in self.messages.values()
            if one.conversation == bare and not one.deleted and root in (None, one.root, one.id)
        ]

    def called(self, what: str, conversation: str | None = None) -> list[Call]:
        return [one for one in self.calls if one.what == what and conversation in (None, one.conversation)]

    def gaps(self, conversation: str) -> list[float]:
        """Seconds between one change of a conversation and the next: posts, edits and stream updates."""
        times: dict[str, list[float]] = defaultdict(list)
        for one in self.calls:
            if one.what in ("send", "update", "stream", "targeted"):
                times[one.conversation.partition(";")[0]].append(one.at)
        found = times[conversation.partition(";")[0]]
        return [later - earlier for earlier, later in itertools.pairwise(found)]

    def note(self) -> None:
        """Something changed."""
        self.changed = time.monotonic()
        for one in tuple(self._waiting):
            one.set()

    async def until(self, look: Callable[[Ledger], Found], seconds: float = 15.0) -> Found:
        """What `look` finds, as soon as it is something."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            async with asyncio.timeout(seconds):
                while not (found := look(self)):
                    await event.wait()
                    event.clear()
            return found
        except TimeoutError:
            stands = [(one.conversation, one.root, one.made, one.words) for one in self.messages.values()]
            raise AssertionError(f"not seen in {seconds} s; there stands {json.dumps(stands, indent=1)}") from None
        finally:
            self._waiting.discard(event)

    async def settled(self, look: Callable[[Ledger], Found], seconds: float = 15.0, quiet: float = 0.4) -> Found:
        """As `until`, once nothing has changed anywhere for a moment and still it is found."""
        async with asyncio.timeout(seconds + 1):
            while True:
                found = await self.until(look, seconds)
                rest = self.changed + quiet - time.monotonic()
                if rest <= 0:
                    return found
                await asyncio.sleep(rest)


def _texts(node: Any) -> Iterator[str]:
    """The words of a card in their order."""
    if isinstance(node, list):
        for one in node:
            yield from _texts(one)
    if not isinstance(node, dict) or str(node.get("type", "")).startswith("Action."):
        return
    for name in ("text", "title", "altText", "value", "label", "fallbackText", "speak"):
        if isinstance(node.get(name), str) and name not in ("fallbackText", "speak"):
            yield node[name]
    for name, value in node.items():
        if isinstance(value, list | dict) and name not in ("actions", "selectAction", "fallback", "msteams"):
            yield from _texts(value)


def _actions(node: Any) -> Iterator[Json]:
    if isinstance(node, list):
        for one in node:
            yield from _actions(one)
    elif isinstance(node, dict):
        if str(node.get("type", "")).startswith("Action."):
            yield node
        for value in node.values():
            if isinstance(value, list | dict):
                yield from _actions(value)


def plain(text: str) -> str:
    """Markdown and card text without its signs and with single blanks, for looking words up."""
    return re.sub(r"\s+", " ", re.sub(r"[*_`#|\\]+", " ", html.unescape(text))).strip()
