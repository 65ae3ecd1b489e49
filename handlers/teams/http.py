"""HTTP calls to Microsoft, each bounded in time, and whether one that failed may have been taken."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

LOOPBACK = frozenset(("127.0.0.1", "::1", "localhost"))
_CONNECT = 5.0  # seconds for the connection alone
_NOT_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.NonHttpUrlClientError,
    ValueError,  # the address is none
)


class Unanswered(Exception):
    """No answer came. `maybe`: what was sent may have been taken all the same."""

    def __init__(self, reason: str, *, maybe: bool) -> None:
        super().__init__(reason)
        self.maybe = maybe


@dataclass(frozen=True)
class Heard:
    """One answer. `text` is empty where the body is none."""

    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None


class Http:
    """One pool of connections; opened by the first call, `limit` seconds for each call as a whole."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._session: aiohttp.ClientSession | None = None

    async def call(
        self,
        method: str,
        url: str,
        *,
        body: object = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Heard:
        """Make one call, without following it elsewhere and without repeating it.

        Raises:
            Unanswered: nobody answered, or not in time.
        """
        data = json.dumps(body).encode() if body is not None else form
        kind = {"Content-Type": "application/json; charset=utf-8"} if body is not None else {}
        try:
            async with self._open().request(
                method,
                URL(url, encoded=True),
                data=data,
                headers={**kind, **(headers or {})},
                proxy=proxy(url),
                allow_redirects=False,
            ) as answer:
                return Heard(answer.status, answer.headers, await answer.text(errors="replace"))
        except _NOT_SENT as no:
            raise Unanswered(_reason(no), maybe=False) from no
        except (aiohttp.ClientError, TimeoutError, OSError) as no:
            raise Unanswered(_reason(no), maybe=True) from no

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._limit, connect=_CONNECT),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "backend-director"},
            )
        return self._session


def proxy(url: str) -> str | None:
    """The proxy that the environment names for this address; never one for this machine itself."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in LOOPBACK or proxy_bypass(host):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")


def _reason(error: Exception) -> str:
    """What to log of it: no address, for that holds ids."""
    return "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
