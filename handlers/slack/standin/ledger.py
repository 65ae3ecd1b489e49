"""The ledger: every message ever with every change, every API call, and a way to wait for either."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from handlers.slack.standin.messages import Change, Json, Message
from handlers.slack.standin.workspace import Notice, StatusShown, Workspace

Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class Call:
    """One API call as it was made, its token left out; `error` is None when it was answered with ok."""

    method: str
    args: Json
    at: float
    status: int
    answer: Json
    lost: bool = False  # the connection was cut instead of an answer

    @property
    def error(self) -> str | None:
        return None if self.answer.get("ok") else str(self.answer.get("error"))


@dataclass(kw_only=True)
class Handed:
    """One event, command or interaction on its way to the app, and how each attempt went."""

    kind: str
    payload: Json
    attempts: list[str] = field(default_factory=list)
    acknowledged: bool = False
    given_up: bool = False


class Ledger:
    """What happened, for tests to read. Deleted and ephemeral messages stay in `everything`."""

    def __init__(self, workspace: Workspace) -> None:
        self.calls: list[Call] = []
        self.handed: list[Handed] = []
        self.statuses: list[StatusShown] = []
        self._workspace = workspace
        self._waiting: set[asyncio.Event] = set()
        workspace.watch(self._notice)

    def everything(self) -> list[Message]:
        return list(self._workspace.messages.values())

    def messages(self, channel: str, thread_ts: str | None = None) -> list[Message]:
        """Messages that stand in a conversation, or in one of its threads (root included), oldest first."""
        found = self._workspace.conversation(channel)
        identity = channel if found is None else found.id
        if thread_ts is not None:
            return self._workspace.thread(identity, thread_ts)
        return [one for one in self._workspace.in_conversation(identity) if one.ephemeral_to is None]

    def by_bot(self, channel: str, thread_ts: str | None = None) -> list[Message]:
        return [one for one in self.messages(channel, thread_ts) if one.by_bot]

    def ephemeral(self, user: str) -> list[Message]:
        """What only this person was shown, oldest first."""
        return [one for one in self.everything() if one.ephemeral_to == user]

    def changes(self, channel: str, ts: str) -> list[Change]:
        message = self._workspace.messages.get((channel, ts))
        return [] if message is None else list(message.changes)

    def posts_by_turn(self) -> Counter[tuple[str, int]]:
        """How many messages were ever made for each turn and part; more than one means that something stands twice."""
        return Counter(one.turn for one in self.everything() if one.turn is not None)

    def called(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    async def wait_for(self, predicate: Callable[[Ledger], Found | None], seconds: float = 10.0) -> Found:
        """The predicate's first true result, looked at whenever something happens.

        Raises:
            TimeoutError: it never came true; the message lists what happened instead.
        """
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            async with asyncio.timeout(seconds):
                while not (found := predicate(self)):
                    event.clear()
                    await event.wait()
        except TimeoutError:
            raise TimeoutError(f"nothing of this kind within {seconds} s; the ledger: {self.told()}") from None
        finally:
            self._waiting.discard(event)
        return found

    def told(self) -> str:
        """A short account of what stands and which calls were made, for a failing test's message."""
        said = [
            f"{one.channel}/{one.thread_ts or '-'} {one.user}: {one.text[:60]!r}"
            + (" (streaming)" if one.streaming else "")
            + (f" (only to {one.ephemeral_to})" if one.ephemeral_to else "")
            for one in self.everything()[-12:]
        ]
        made = [f"{call.method} -> {call.error or 'ok'}" for call in self.calls[-20:]]
        return f"messages {said}; calls {made}; handed {[(one.kind, one.attempts) for one in self.handed[-8:]]}"

    def touch(self) -> None:
        """Something happened: let everyone who waits look again."""
        for event in self._waiting:
            event.set()

    def _notice(self, notice: Notice) -> None:
        if isinstance(notice, StatusShown):
            self.statuses.append(notice)
        self.touch()
