"""Hears PostgreSQL's NOTIFY in a thread of its own. Imported only there: the driver keeps 9 MB."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Any

import psycopg
import structlog

from storage.address import Address
from storage.database import CHANNEL, CONNECT_TIMEOUT, LIVENESS

log = structlog.get_logger(__name__)

_LOOK_UP = 0.5  # seconds after which the listening thread sees that it should end
_RETRY = 1.0
_JOIN = CONNECT_TIMEOUT + 1.0


class Listener:
    """A thread with a connection of its own that hears NOTIFY and comes back when the connection is lost."""

    def __init__(self, address: Address, loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
        self._address = address
        self._loop = loop
        self._event = event
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="storage-listen", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(_JOIN)

    def _run(self) -> None:
        lost = False
        while not self._stop.is_set():
            try:
                with self._connect() as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    if lost:
                        log.info("inbox_listening_again")
                    lost = False
                    self._ring()  # something may have come in while nobody listened
                    self._hear(connection)
            except psycopg.Error as error:
                if not lost:
                    log.warning("inbox_not_listening", error=type(error).__name__, polling=True)
                lost = True
                self._stop.wait(_RETRY)

    def _hear(self, connection: psycopg.Connection[Any]) -> None:
        while not self._stop.is_set():
            for _ in connection.notifies(timeout=_LOOK_UP, stop_after=1):
                self._ring()

    def _ring(self) -> None:
        with suppress(RuntimeError):  # the loop has closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._event.set)

    def _connect(self) -> psycopg.Connection[Any]:
        url = self._address.url
        _, arguments = url.get_dialect()().create_connect_args(url)
        return psycopg.connect(
            **{
                **arguments,
                "autocommit": True,
                "connect_timeout": CONNECT_TIMEOUT,
                "application_name": "director-listen",
                **LIVENESS,
            }
        )
