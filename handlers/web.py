"""The web edge: what is asked of the Director over HTTP, on one address."""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bot.errors import UsageError
from bot.settings import HttpAddress

log = structlog.get_logger(__name__)

BODY_LIMIT = 1_000_000  # bytes
STOP = 5.0  # seconds for requests under way


@dataclass(frozen=True)
class Readiness:
    """What keeps the process from working, and what is away that it can work without."""

    missing: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


Ready = Callable[[], Awaitable[Readiness]]


async def nothing_missing() -> Readiness:
    return Readiness()


class _Unreadable(logging.Filter):
    """Keeps what a stranger sent that is no HTTP out of the log: it is quoted there, and says nothing about us."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError | web.RequestPayloadError):
            return True
        log.debug("web.unreadable", kind=type(error).__name__)
        return False


_wire = logging.getLogger(f"{__name__}.wire")
_wire.addFilter(_Unreadable())


class WebEdge:
    """Serves `/health` (the process lives), `/ready` (it can work) and the edges' own routes.

    `named` is the setting that says where, for who has to change it.
    """

    def __init__(
        self,
        address: HttpAddress,
        routes: Iterable[web.AbstractRouteDef] = (),
        *,
        ready: Ready = nothing_missing,
        named: str = "DIRECTOR_HTTP",
    ) -> None:
        self._address, self._ready, self._named = address, ready, named
        self.application = web.Application(client_max_size=BODY_LIMIT)
        self.application.add_routes([web.get("/health", self._health), web.get("/ready", self._readiness), *routes])
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Listen; the base URL, with the port that was chosen where the address asks for port 0.

        Raises:
            UsageError: the address can't be listened on.
        """
        runner = web.AppRunner(self.application, access_log=None, logger=_wire, shutdown_timeout=STOP)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._address.host, self._address.port).start()
        except OSError as error:
            await runner.cleanup()
            place = f"{self._address.host}:{self._address.port}"
            raise UsageError(f"{self._named}: {place} can't be listened on ({_why(error)}). Choose another.") from error
        self._runner = runner
        host, port = runner.addresses[0][:2]
        log.info("web.listening", host=host, port=port)
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def close(self) -> None:
        """Take no new requests and let those under way end."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def _readiness(self, _: web.Request) -> web.Response:
        found = await self._ready()
        if found.missing:
            return web.json_response({"status": "not ready", "missing": found.missing}, status=503)
        return web.json_response({"status": "ready"} | ({"without": found.without} if found.without else {}))


def _why(error: OSError) -> str:
    """As the system says it: asyncio's own words repeat the address."""
    return os.strerror(error.errno) if error.errno else str(error.strerror)
