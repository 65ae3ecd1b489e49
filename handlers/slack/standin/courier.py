"""Handing events, commands and interactions to the app, again and again until it takes them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal, Protocol

from handlers.slack.standin.config import StandinConfig
from handlers.slack.standin.ledger import Handed, Ledger
from handlers.slack.standin.messages import Json

Kind = Literal["events_api", "slash_commands", "interactive"]


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What became of one attempt; `body` is what the app answered with, `reason` Slack's word for what went wrong."""

    acknowledged: bool
    body: Json | None = None
    reason: str = ""
    again: bool = True


class Carrier(Protocol):
    async def carry(self, kind: Kind, payload: Json, *, attempt: int, reason: str | None) -> Receipt: ...


class Courier:
    """Events are tried again as Slack does; commands and interactions are tried once."""

    def __init__(self, config: StandinConfig, ledger: Ledger, carrier: Carrier) -> None:
        self._config = config
        self._ledger = ledger
        self._carrier = carrier
        self._running: set[asyncio.Task[None]] = set()

    def event(self, payload: Json) -> None:
        """Hand an event over, in the background."""
        handed = Handed(kind=payload["event"]["type"], payload=payload)
        self._ledger.handed.append(handed)
        task = asyncio.get_running_loop().create_task(self._until_taken(handed))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def again(self, handed: Handed, *, reason: str = "timeout") -> Receipt:
        """Hand an event over once more although it was taken, as Slack does when an ack was lost on its way."""
        receipt = await self._carrier.carry("events_api", handed.payload, attempt=1, reason=reason)
        self._note(handed, receipt)
        return receipt

    async def once(self, kind: Kind, payload: Json) -> Receipt:
        """Hand a command or an interaction over and return what the app answered."""
        handed = Handed(kind=kind, payload=payload)
        self._ledger.handed.append(handed)
        receipt = await self._carrier.carry(kind, payload, attempt=0, reason=None)
        self._note(handed, receipt)
        return receipt

    async def close(self) -> None:
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _until_taken(self, handed: Handed) -> None:
        reason: str | None = None
        for attempt, delay in enumerate((0.0, *self._config.retry_delays)):
            await asyncio.sleep(delay * self._config.time_scale)
            receipt = await self._carrier.carry("events_api", handed.payload, attempt=attempt, reason=reason)
            self._note(handed, receipt)
            if receipt.acknowledged:
                return
            if not receipt.again:
                break
            reason = receipt.reason
        handed.given_up = True
        self._ledger.touch()

    def _note(self, handed: Handed, receipt: Receipt) -> None:
        handed.attempts.append("ok" if receipt.acknowledged else receipt.reason)
        handed.acknowledged = handed.acknowledged or receipt.acknowledged
        self._ledger.touch()
