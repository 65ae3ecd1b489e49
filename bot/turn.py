"""One turn as the use cases see it: what was asked, by whom, where, and how to show progress."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain import Answer, Incoming, Person, Reply, Said, Thread
from bot.errors import DirectorError


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Everything needed to answer. `person` is None when nobody asked (a schedule, a notice).

    `root` is the Director's own post that the thread hangs under, when it does; `before` what others said there.
    """

    id: str
    incoming: Incoming
    person: Person | None
    thread: Thread
    before: tuple[Said, ...]
    root: Reply | None
    now: datetime
    write: Callable[[str], Awaitable[None]]
    status: Callable[[str], Awaitable[None]]


class NothingToSay(DirectorError):
    """The turn has no answer to deliver, e.g. its schedule was removed meanwhile."""


class Answers(Protocol):
    async def answer(self, turn: Turn) -> Answer:
        """Raises DirectorError with a message fit to show; NothingToSay when no answer is due."""
        ...
