"""The ports that several rooms share. Others stand beside the room that needs them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.domain import Address, Answer, Incoming, Person, Place, Reply, Said, Signal, Thread
from bot.errors import DirectorError


class CannotPost(DirectorError):
    """The platform refuses this message for good (not a member, archived, removed). The message says what to do."""


class DeliveryFailed(DirectorError):
    """The platform could not be reached or asks to wait; the answer is stored and will be delivered later."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class LeaseLost(DirectorError):
    """Another worker has taken this turn over; whoever reads this must stop writing and posting."""


class Clock(Protocol):
    def now(self) -> datetime:
        """The current instant, timezone-aware, in UTC."""
        ...


class Journal(Protocol):
    """What is known of the messages that carry one turn's answer. Each write is committed before it returns.

    An answer may need several messages; `part` counts them from 0. Every write raises `LeaseLost` when the turn was
    taken over.
    """

    async def intend(self, part: int, how: str) -> None:
        """Say that a message without lookup-able metadata is about to be created (`how`: e.g. "stream")."""
        ...

    async def shown(self, part: int, message_id: str) -> None:
        """Say which message carries the part."""
        ...

    async def known(self) -> Mapping[int, tuple[str, str | None]]:
        """Part -> (how, message id; None when intended and never confirmed)."""
        ...

    async def owned(self, message_ids: Collection[str]) -> frozenset[str]:
        """Those of the platform's message ids that carry a part of any turn."""
        ...


class Delivery(Protocol):
    """One answer on its way to people. A recovered turn gets a new Delivery over the same journal."""

    async def status(self, line: str) -> None:
        """Show what the Director is doing. Best effort: never raises."""
        ...

    async def write(self, markdown: str) -> None:
        """Append gated text while the answer is being made. May hold it back; never raises for the platform's sake."""
        ...

    async def finish(self, reply: Reply) -> None:
        """Make the whole answer stand exactly once, whatever was shown before, also after a crash.

        Raises:
            CannotPost: the platform refuses it for good.
            DeliveryFailed: try again later.
            LeaseLost: the turn is no longer ours.
        """
        ...

    async def abandon(self) -> None:
        """Stop what was begun without an answer (the process is stopping). Never raises."""
        ...


class Chat(Protocol):
    """One platform, as the core sees it. A new capability is a new Part or Incoming, not a new method."""

    async def person(self, place: Place, person_id: str) -> Person:
        """Who this is. Never raises: a person that can't be looked up has standing UNKNOWN."""
        ...

    async def before(self, place: Place, *, question: str | None, limit: int) -> tuple[Said, ...]:
        """The last messages in this thread before the question, oldest first; empty where the platform can't say."""
        ...

    def delivery(self, address: Address, journal: Journal) -> Delivery: ...


# --- the inbox -------------------------------------------------------------------------------------------------------


class TurnState(StrEnum):
    NEW = "new"
    RUNNING = "running"  # claimed; no answer stored yet
    ANSWERED = "answered"  # the answer is stored, delivering it is what remains
    DONE = "done"
    PARKED = "parked"  # given up on; `director inbox retry` takes it up again


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One worker's right to work on one turn until its lease ends. `token` fences every write made under it.

    `answer` is there when an earlier worker stored it: then only delivery remains. `deaths` counts leases that ran out.
    """

    turn_id: str
    token: str
    incoming: Incoming
    answer: Answer | None
    attempts: int
    deaths: int


@dataclass(frozen=True, kw_only=True)
class TurnRecord:
    """A turn as `director inbox list|show` prints it."""

    turn_id: str
    state: TurnState
    incoming: Incoming
    answer: Answer | None
    attempts: int
    deaths: int
    reason: str | None
    created_at: datetime
    updated_at: datetime


class Intake(Protocol):
    """The inbox as edges see it: store first, acknowledge afterwards."""

    async def put(self, incoming: Incoming) -> bool:
        """Store a turn; False when its dedupe key is known already. Returns after the commit."""
        ...

    async def signal(self, signal: Signal) -> bool:
        """Store and apply a signal; False when it is known already."""
        ...

    async def knows(self, place: Place) -> bool:
        """Whether the Director has taken part in this thread."""
        ...


class Inbox(Intake, Protocol):
    """Turns on their way from stored to answered once: one running turn per thread, threads in parallel."""

    async def claim(self, *, worker: str, lease: float, platforms: Collection[str] | None = None) -> Claim | None:
        """The next turn that may run now, leased for so many seconds; None when there is none.

        `platforms` are those this worker can deliver to; None: all.

        An expired running or answered turn can always be retaken; a new one waits for every earlier unfinished one of
        its thread.
        """
        ...

    async def heartbeat(self, claim: Claim, *, lease: float) -> bool:
        """Renew the lease. True when someone asked to stop this turn. Raises LeaseLost."""
        ...

    async def answered(self, claim: Claim, answer: Answer) -> None:
        """Store reply, messages, facts and usage in one transaction. Raises LeaseLost."""
        ...

    async def done(self, claim: Claim) -> None:
        """The answer stands. Raises LeaseLost."""
        ...

    async def later(self, claim: Claim, *, reason: str, after: float) -> None:
        """Give the turn back, to be taken up in `after` seconds. Raises LeaseLost."""
        ...

    async def park(self, claim: Claim, *, reason: str) -> None:
        """Give up on the turn and let the thread's next one run. Raises LeaseLost."""
        ...

    def journal(self, claim: Claim) -> Journal: ...

    async def wait(self, seconds: float) -> None:
        """Return when a turn may have come in, at the latest after so many seconds."""
        ...

    async def posted(self, place: Place) -> Reply | None:
        """The reply of ours whose message is this thread's root, when there is one."""
        ...

    async def turns(self, *, state: TurnState | None, limit: int) -> Sequence[TurnRecord]:
        """Newest first."""
        ...

    async def turn(self, turn_id: str) -> TurnRecord | None: ...

    async def retry(self, turn_id: str) -> bool:
        """Take a parked turn up again; False when there is no parked turn with this id."""
        ...


class Memory(Protocol):
    async def thread(self, place: Place) -> Thread:
        """Everything remembered of this thread, in order; an empty Thread when nothing is."""
        ...
