"""Questions to a server of Prometheus' HTTP API (Thanos, Mimir, VictoriaMetrics): clean answers or a sentence."""

from __future__ import annotations

import asyncio
import math
import os
import ssl
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import structlog
from yarl import URL

from bot.errors import Unreachable, UsageError
from bot.reliability import prometheus_answers as answers
from bot.reliability.prometheus_answers import Envelope, Series
from bot.reliability.windows import Span

__all__ = ["PrometheusClient", "QueryFailed", "Round", "Series"]

log = structlog.get_logger(__name__)

MOST_POINTS = 11_000  # Prometheus refuses a range query with more points per series
_AT_ONCE = 8
_SILENT_AFTER = 3  # so many time-outs in a row, and the rest of an assessment is not asked
_LARGEST_ANSWER = 64 * 1024 * 1024
_MOST_SERIES = 20_000
_LONGEST_WAIT = 5.0  # seconds that a limit on the number of queries is waited for
_NOT_READY = {502, 503, 504}  # what a proxy says of a server that is down, and Prometheus of itself while it starts
_Item = TypeVar("_Item")


class QueryFailed(Exception):
    """One query gave nothing that can be trusted; the message is a sentence for people.

    `unreachable`: nobody answered. `timed_out`: it took too long, here or on the server. `splittable`: asked for less
    at a time, a part of what the query wanted may well be answered.
    """

    def __init__(
        self, sentence: str, *, unreachable: bool = False, timed_out: bool = False, splittable: bool = False
    ) -> None:
        super().__init__(sentence)
        self.unreachable = unreachable
        self.timed_out = timed_out
        self.splittable = splittable


class PrometheusClient:
    """One server. `timeout` (seconds) bounds each question, `at_once` their number at a time. Close it when done."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        tenant: str | None = None,
        ca: Path | None = None,
        timeout: float = 20.0,
        at_once: int = _AT_ONCE,
    ) -> None:
        self._base = _base(url)
        self._shown = str(self._base.with_user(None).with_password(None).with_query(None)).rstrip("/")
        self._headers = _headers(token, tenant)
        if token and self._base.user is not None:
            raise UsageError("PROMETHEUS_URL carries a user while PROMETHEUS_TOKEN is set; leave one of them out")
        self._tenant = tenant
        self._ca = ca
        self._timeout = timeout
        self._at_once = at_once
        self._gate = asyncio.Semaphore(at_once)
        self._session: aiohttp.ClientSession | None = None
        self._version: str | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._shown}>"

    @property
    def server(self) -> str:
        """As sentences name it, without credentials."""
        return f"Prometheus at {self._shown}"

    @property
    def source(self) -> str:
        """As figures name it: with the version, once `version` has learnt it."""
        return f"Prometheus {self._version} at {self._shown}" if self._version else self.server

    @property
    def identity(self) -> str:
        """What remembered hours belong to: the address without credentials, and the tenant."""
        return f"{self._shown} {self._tenant}" if self._tenant else self._shown

    async def instant(self, query: str, at: datetime, *, within: Round | None = None) -> list[Series]:
        """Every series' value at this instant (milliseconds count). Raises `QueryFailed`."""
        moment = _seconds(at)
        return await self._series("query", {"query": query, "time": f"{moment:.3f}"}, answers.Instant(moment), within)

    async def range(
        self, query: str, start: datetime, end: datetime, step: timedelta, *, within: Round | None = None
    ) -> list[Series]:
        """Every series' values at `start` and each `step` after it up to `end`; a series may lack some.

        Raises `QueryFailed`, and ValueError for more points than a server may be asked for.
        """
        first, last, distance = _seconds(start), _seconds(end), step.total_seconds()
        if distance <= 0 or last < first:
            raise ValueError("a range goes forward")
        points = math.floor((last - first) / distance + 1e-6) + 1
        if points > MOST_POINTS:
            raise ValueError(f"{points} points per series are more than the {MOST_POINTS} that Prometheus gives")
        times = array("d", [round(first + index * distance, 3) for index in range(points)])
        form = {"query": query, "start": f"{first:.3f}", "end": f"{last:.3f}", "step": f"{distance:.3f}"}
        return await self._series("query_range", form, answers.Range(times), within)

    async def series(
        self, selectors: Sequence[str], span: Span, *, within: Round | None = None
    ) -> list[Mapping[str, str]] | None:
        """Labels of the series that had samples in it; None when that can't be told, or when they are too many."""
        form = [("match[]", selector) for selector in selectors]
        form += [("start", f"{_seconds(span.start):.3f}"), ("end", f"{_seconds(span.end):.3f}")]
        form.append(("limit", str(_MOST_SERIES + 1)))
        try:
            answer = await self._ask("series", form, answers.Pool().labels, within, most=_MOST_SERIES)
        except QueryFailed as failure:
            log.info("prometheus.series_unknown", unreachable=failure.unreachable, timed_out=failure.timed_out)
            return None
        return answer.items if answer.problem is None else None

    async def version(self) -> str | None:
        """The server's version: "" where it doesn't say (Thanos, a proxy), None when nobody answered.

        Worth showing, never worth failing for.
        """
        if self._version is None:
            try:
                async with asyncio.timeout(min(self._timeout, 5.0)):
                    url = self._base / "api/v1/status/buildinfo"
                    async with self._open().get(url, allow_redirects=False) as response:
                        body = await _body(response)
            except (QueryFailed, aiohttp.ClientError, OSError, TimeoutError) as error:
                log.info("prometheus.version_unknown", kind=type(error).__name__)
            else:
                self._version = _version_in(await _read(body, _nothing))
        return self._version

    async def check(self) -> str:
        """One sentence for `director doctor`. Raises `Unreachable` when it doesn't answer a query."""
        try:
            await self._ask("query", [("query", "vector(1)")], _nothing, None)
        except QueryFailed as failure:
            raise Unreachable(str(failure)) from failure
        await self.version()
        return f"{self.source} answers queries"

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    # --- asking ---

    async def _series(
        self, endpoint: str, form: Mapping[str, str], item: answers.Instant | answers.Range, within: Round | None
    ) -> list[Series]:
        # VictoriaMetrics would answer for an earlier instant or for full hours; others don't know it and leave it.
        fields = [*form.items(), ("timeout", f"{self._timeout:g}s"), ("nocache", "1")]
        answer = await self._ask(endpoint, fields, item, within)
        problem = answer.problem
        if answer.kind != item.kind or not answer.listed:
            problem = f"a {str(answer.kind)[:20]} instead of a {item.kind}"
        if problem is not None:
            raise QueryFailed(
                f"{self.server} answered with {problem}; check that PROMETHEUS_URL is the API of a Prometheus."
            )
        return answer.items

    async def _ask(
        self,
        endpoint: str,
        form: Sequence[tuple[str, str]],
        item: Callable[[Any], _Item],
        within: Round | None,
        most: int | None = None,
    ) -> Envelope[_Item]:
        """Raises `QueryFailed` with a sentence for everything that is no whole, clean answer."""
        within = within or Round(self)
        async with self._gate:
            within.begin()
            try:
                status, body = await self._posted(endpoint, form)
                answer = self._reliable(status, await _read(body, item, most))
            except QueryFailed as failure:
                within.missed(failure)
                raise
            within.heard()
            return answer

    async def _posted(self, endpoint: str, form: Sequence[tuple[str, str]]) -> tuple[int, bytearray]:
        """Status and body of the answer. Raises `QueryFailed` where there is no whole one."""
        try:
            async with asyncio.timeout(self._timeout):
                url = self._base / "api/v1" / endpoint
                async with self._open().post(url, data=form, allow_redirects=False) as response:
                    return response.status, await _body(response)
        except TimeoutError as error:
            raise QueryFailed(
                f"{self.server} did not answer within {self._timeout:g} s; check its load, or raise metrics.timeout.",
                unreachable=True,
                timed_out=True,
                splittable=True,
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise QueryFailed(f"{self.server} {_broken(error)}", unreachable=True) from error

    def _reliable(self, status: int, answer: Envelope[_Item] | None) -> Envelope[_Item]:
        """The answer, when it is one to rely on. Raises `QueryFailed`."""
        if status in {401, 403}:
            raise QueryFailed(
                f"{self.server} refused access (HTTP {status}); check PROMETHEUS_TOKEN and PROMETHEUS_TENANT."
            )
        if answer is None or "status" not in answer.fields:
            raise self._foreign(status)
        if answer.fields["status"] != "success" or status != 200:
            raise self._refused(status, answer.fields)
        warnings = answer.fields.get("warnings")
        if warnings:
            first = str(warnings[0])[:300] if isinstance(warnings, list) else "not readable"
            raise QueryFailed(f"{self.server} warned that its answer may be incomplete: {first}")
        if not answer.listed and answer.kind is None:
            raise QueryFailed(f"{self.server} answered without data; check that PROMETHEUS_URL is a Prometheus.")
        return answer

    def _foreign(self, status: int) -> QueryFailed:
        """An answer that isn't Prometheus' own."""
        if status in _NOT_READY:
            return QueryFailed(
                f"{self.server} is not ready (HTTP {status}); check that it runs and what stands between.",
                unreachable=True,
            )
        if status == 429:
            return QueryFailed(f"{self.server} limits how often it is asked (HTTP 429); ask again later.")
        what = "a redirection" if 300 <= status < 400 else "something else than Prometheus' JSON"
        return QueryFailed(
            f"{self.server} answered with {what} (HTTP {status}); check that PROMETHEUS_URL is the API's address."
        )

    def _refused(self, status: int, fields: Mapping[str, Any]) -> QueryFailed:
        kind, text = fields.get("errorType", "error"), str(fields.get("error", f"HTTP {status}"))[:300]
        return QueryFailed(f"{self.server} refused the query ({kind}): {text}", splittable=True)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            tls: ssl.SSLContext | bool = True
            if self._ca is not None:
                try:
                    tls = ssl.create_default_context(cafile=str(self._ca))
                except (OSError, ssl.SSLError) as error:
                    raise QueryFailed(f"The CA file {self._ca} can't be read; check PROMETHEUS_CA.") from error
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                connector=aiohttp.TCPConnector(limit=self._at_once, ssl=tls),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self._timeout),
            )
        return self._session


@dataclass
class Round:
    """One assessment's questions: when nobody answers, the rest isn't asked one time-out after the other."""

    client: PrometheusClient
    queries: int = field(default=0, init=False)  # so many were sent
    failure: QueryFailed | None = field(default=None, init=False)  # why nothing is asked any more
    _timeouts: int = field(default=0, init=False)

    async def instant(self, query: str, at: datetime) -> list[Series]:
        """As `PrometheusClient.instant`."""
        return await self.client.instant(query, at, within=self)

    async def range(self, query: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        """As `PrometheusClient.range`."""
        return await self.client.range(query, start, end, step, within=self)

    async def series(self, selectors: Sequence[str], span: Span) -> list[Mapping[str, str]] | None:
        """As `PrometheusClient.series`."""
        return await self.client.series(selectors, span, within=self)

    def begin(self) -> None:
        """Raises `QueryFailed` when there is no use in asking."""
        if self.failure is not None:
            raise self.failure
        self.queries += 1

    def heard(self) -> None:
        self._timeouts = 0

    def missed(self, failure: QueryFailed) -> None:
        if not failure.unreachable:
            self.heard()
            return
        self._timeouts += failure.timed_out
        if not failure.timed_out or self._timeouts >= _SILENT_AFTER:
            self.failure = failure


def _base(url: str) -> URL:
    try:
        base = URL(url.rstrip("/") + "/")
        whole = base.scheme in {"http", "https"} and bool(base.host)
    except ValueError:
        whole = False
    if not whole:
        raise UsageError("PROMETHEUS_URL must be an address such as http://prometheus:9090")
    return base


def _headers(token: str | None, tenant: str | None) -> dict[str, str]:
    headers = {"Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if tenant:
        headers["X-Scope-OrgID"] = tenant
    return headers


async def _body(response: aiohttp.ClientResponse) -> bytearray:
    """A body cut short raises aiohttp's error."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(1 << 16):
        body += chunk
        if len(body) > _LARGEST_ANSWER:
            return bytearray()
    return body


async def _read(body: bytearray, item: Callable[[Any], _Item], most: int | None = None) -> Envelope[_Item] | None:
    """The body's answer; None when it is no object of JSON."""
    try:
        return await answers.read(body, item, most)
    except ValueError:
        return None


def _nothing(_: Any) -> None:
    """Reads an item whose content doesn't matter."""


def _version_in(answer: Envelope[None] | None) -> str:
    data = answer.fields.get("data") if answer is not None else None
    version = data.get("version") if isinstance(data, dict) else None
    return version[:40] if isinstance(version, str) else ""


def _seconds(at: datetime) -> float:
    """Unix seconds, full milliseconds as every server keeps them."""
    if at.tzinfo is None:
        raise ValueError("a question needs an aware time")
    return round(at.timestamp(), 3)


def _broken(error: aiohttp.ClientError | OSError) -> str:
    """What happened to the connection, as the end of a sentence."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return "shows a certificate that is not trusted; set PROMETHEUS_CA to its CA file."
        case aiohttp.ClientConnectorSSLError():
            return "can't be spoken to over TLS; check whether PROMETHEUS_URL should begin with http://."
        case aiohttp.ClientConnectorError():
            return f"can't be reached ({_reason(error)}); check PROMETHEUS_URL and that it runs."
        case aiohttp.ServerDisconnectedError():
            return "closed the connection; check that it runs."
        case _:
            return "broke off its answer; check that it runs and what stands between."


def _reason(error: aiohttp.ClientConnectorError) -> str:
    number = error.os_error.errno
    known = os.strerror(number) if number is not None and number > 0 else error.os_error.strerror
    return (known or "no connection").lower()
