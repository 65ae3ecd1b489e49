"""A workspace on this machine, an inbox and a journal that can be looked into, and the edge between them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.domain import Address, Chart, Incoming, Place, Reply, Signal, Text
from bot.ports import LeaseLost
from handlers.slack.app import SlackEdge
from handlers.slack.standin import Standin

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n not quite a picture"


class MemoryIntake:
    """Implements `bot.ports.Intake`; can be told to fail or to know threads."""

    def __init__(self) -> None:
        self.stored: list[Incoming] = []
        self.signals: list[Signal] = []
        self.known: set[Place] = set()
        self.deliveries = 0
        self.failures = 0
        self.stalls = 0
        self._changed = asyncio.Event()

    async def put(self, incoming: Incoming) -> bool:
        self.deliveries += 1
        self._changed.set()
        if self.failures:
            self.failures -= 1
            raise OSError("the disk is full")
        if self.stalls:
            self.stalls -= 1
            await asyncio.sleep(60)
        if any(one.dedupe_key == incoming.dedupe_key for one in self.stored):
            return False
        self.stored.append(incoming)
        return True

    async def signal(self, signal: Signal) -> bool:
        self._changed.set()
        if any(one.dedupe_key == signal.dedupe_key for one in self.signals):
            return False
        self.signals.append(signal)
        return True

    async def knows(self, place: Place) -> bool:
        return place in self.known

    async def until(self, wanted: Callable[[MemoryIntake], bool]) -> None:
        async with asyncio.timeout(10):
            while not wanted(self):
                self._changed.clear()
                await self._changed.wait()


class MemoryJournal:
    """Implements `bot.ports.Journal`; `lost` makes every write fail as after a take-over."""

    def __init__(self, parts: Mapping[int, tuple[str, str | None]] | None = None) -> None:
        self.parts: dict[int, tuple[str, str | None]] = dict(parts or {})
        self.others: set[str] = set()
        self.lost = False

    def _check(self) -> None:
        if self.lost:
            raise LeaseLost("taken over")

    async def intend(self, part: int, how: str) -> None:
        self._check()
        self.parts[part] = (how, None)

    async def shown(self, part: int, message_id: str) -> None:
        self._check()
        self.parts[part] = (self.parts.get(part, ("post", None))[0], message_id)

    async def known(self) -> Mapping[int, tuple[str, str | None]]:
        return dict(self.parts)

    async def owned(self, message_ids: Collection[str]) -> frozenset[str]:
        own = {ts for _, ts in self.parts.values() if ts}
        return frozenset(message_ids) & (own | self.others)


async def picture(_: Chart) -> bytes:
    return PNG


@dataclass
class World:
    """A stand-in and what is connected to it; everything is closed after the test."""

    stack: AsyncExitStack
    standin: Standin
    intake: MemoryIntake
    edge: SlackEdge
    url: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def address(
        self, channel: str, thread: str = "", *, question: str | None = None, asker: str | None = "U0MAYA"
    ) -> Address:
        place = Place(platform="slack", workspace=self.standin.team_id, channel=channel, thread=thread)
        return Address(
            turn_id="turn-1",
            place=place,
            asker=asker,
            asker_home=None,
            question=question,
            asked_at=datetime.fromtimestamp(self.standin.config.clock() - 1, UTC),
        )

    async def asked(self, text: str = "@Director how is checkout?") -> tuple[str, Address]:
        """A question in #general, and the address of its answer."""
        ts = await self.standin.say("U0MAYA", "#general", text)
        return ts, self.address("C0GENERAL", ts, question=ts)


def reply(*texts: str, **more: Any) -> Reply:
    return Reply(summary="Checkout is fine.", parts=tuple(Text(markdown=text) for text in texts), **more)
