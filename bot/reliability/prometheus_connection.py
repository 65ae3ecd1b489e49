"""The connection to a server of Prometheus' HTTP API: credentials, TLS, limits, and asking again where that is safe."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
from yarl import URL

from bot.errors import UsageError
from bot.reliability import prometheus_failures as failures
from bot.reliability.prometheus_failures import QueryFailed

_LARGEST_ANSWER = 64  # MB
_LONGEST_WAIT = 5.0  # seconds to wait where a server limits how often it is asked
_TRIES = 3  # of a query that a server puts off
_DROPPED = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, aiohttp.ClientConnectionResetError)
_Form = Sequence[tuple[str, str]]


class Connection:
    """Sends questions, which change nothing on the server. `limit` (seconds) bounds each. Close it when done."""

    def __init__(
        self, url: str, *, token: str | None, tenant: str | None, ca: Path | None, limit: float, at_once: int
    ) -> None:
        self._base = _base(url)
        self._headers = _headers(token, tenant)
        if token and self._base.user is not None:
            raise UsageError("PROMETHEUS_URL holds a user while PROMETHEUS_TOKEN is set; leave one of them out")
        self._ca = ca
        self._limit = limit
        self._at_once = at_once
        self._session: aiohttp.ClientSession | None = None
        self.address = str(self._base.with_user(None).with_password(None)).rstrip("/")
        self.server = f"Prometheus at {self.address}"

    async def post(self, endpoint: str, form: _Form) -> tuple[int, bytearray]:
        """Status and body. Raises `QueryFailed` where there is no whole answer, or none for the time being."""
        left = _LONGEST_WAIT
        for tried in range(1, _TRIES + 1):
            status, wait, body = await self._within_time(endpoint, form)
            if status != 429:
                return status, body
            if tried == _TRIES or wait is None or wait > left:
                break
            left -= wait
            await asyncio.sleep(wait)
        raise failures.limited(self.server, wait)

    async def get(self, endpoint: str, limit: float) -> bytearray:
        """The body within so many seconds. Raises `QueryFailed`."""
        try:
            async with asyncio.timeout(limit):
                async with self._open().get(self._base / "api/v1" / endpoint, allow_redirects=False) as response:
                    return await self._body(response)
        except TimeoutError as error:
            raise failures.too_slow(self.server, limit) from error
        except (aiohttp.ClientError, OSError) as error:
            raise failures.broken(self.server, error) from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _within_time(self, endpoint: str, form: _Form) -> tuple[int, float | None, bytearray]:
        """Status, for how long not to ask again, and body. Raises `QueryFailed` where there is no whole answer."""
        try:
            async with asyncio.timeout(self._limit):
                while True:
                    sent = _Sent()
                    try:
                        return await self._posted(endpoint, form, sent)
                    except _DROPPED:
                        if not sent.to_nobody:
                            raise
        except TimeoutError as error:
            raise failures.too_slow(self.server, self._limit) from error
        except (aiohttp.ClientError, OSError) as error:
            raise failures.broken(self.server, error) from error

    async def _posted(self, endpoint: str, form: _Form, sent: _Sent) -> tuple[int, float | None, bytearray]:
        url = self._base / "api/v1" / endpoint
        async with self._open().post(url, data=form, allow_redirects=False, trace_request_ctx=sent) as response:
            sent.answered = True
            return response.status, _retry_after(response), await self._body(response)

    async def _body(self, response: aiohttp.ClientResponse) -> bytearray:
        """A body cut short raises aiohttp's error."""
        body = bytearray()
        async for chunk in response.content.iter_chunked(1 << 16):
            body += chunk
            if len(body) > _LARGEST_ANSWER * 1024 * 1024:
                raise failures.too_large(self.server, _LARGEST_ANSWER)
        return body

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            tls: ssl.SSLContext | bool = True
            if self._ca is not None:
                try:
                    tls = ssl.create_default_context(cafile=str(self._ca))
                except (OSError, ssl.SSLError) as error:
                    raise QueryFailed(
                        f"The CA file {self._ca} can't be read; check PROMETHEUS_CA.", silence=failures.SILENT_AFTER
                    ) from error
            trace = aiohttp.TraceConfig()
            trace.on_connection_reuseconn.append(_note_reuse)
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                connector=aiohttp.TCPConnector(limit=self._at_once, ssl=tls),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self._limit),
                trace_configs=[trace],
            )
        return self._session


@dataclass
class _Sent:
    """What became of one request."""

    reused: bool = False
    answered: bool = False

    @property
    def to_nobody(self) -> bool:
        """Sent on a connection that the server had given up meanwhile: it may be sent again, as it changes nothing."""
        return self.reused and not self.answered


async def _note_reuse(_: aiohttp.ClientSession, context: SimpleNamespace, __: Any) -> None:
    if isinstance(context.trace_request_ctx, _Sent):
        context.trace_request_ctx.reused = True


def _base(url: str) -> URL:
    try:
        base = URL(url).with_query(None).with_fragment(None)
        whole = base.scheme in {"http", "https"} and bool(base.host) and bool((base.host or "").encode("idna"))
    except ValueError:
        whole = False
    if not whole:
        raise UsageError("PROMETHEUS_URL must be an address such as http://prometheus:9090")
    return base


def _headers(token: str | None, tenant: str | None) -> dict[str, str]:
    for name, value in (("PROMETHEUS_TOKEN", token), ("PROMETHEUS_TENANT", tenant)):
        if value and not (value.isascii() and value.isprintable()):
            raise UsageError(f"{name} holds a line break or another character that can't be sent; write it anew")
    headers = {"Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if tenant:
        headers["X-Scope-OrgID"] = tenant
    return headers


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    """Seconds; None where the server doesn't say, or says it as a date."""
    text = response.headers.get("Retry-After", "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
