"""Wakes the worker when a turn comes in: at once in this process, by NOTIFY across processes on PostgreSQL."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from storage.address import Address

if TYPE_CHECKING:
    from storage.listen import Listener


class Wake:
    """One process's bell. Whoever waits must poll as well: a notification is a courtesy, never a promise."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._event = asyncio.Event()
        self._listener: Listener | None = None

    def ring(self) -> None:
        """Wake whoever waits in this process; call it on the event loop."""
        self._event.set()

    async def wait(self, seconds: float) -> None:
        if self._listener is None and self._address.kind == "postgresql":
            from storage.listen import Listener  # noqa: PLC0415 - PostgreSQL's driver, which SQLite does without

            self._listener = Listener(self._address, asyncio.get_running_loop(), self._event)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), seconds)
        self._event.clear()

    async def close(self) -> None:
        if self._listener is not None:
            await asyncio.to_thread(self._listener.close)
