"""Prometheus and everything that speaks its HTTP API (Thanos, Mimir, VictoriaMetrics) as a source of events."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from yarl import URL

from bot.errors import Unreachable, UsageError
from bot.reliability import promql
from bot.reliability.hours import HOUR
from bot.reliability.metrics import Ask, Failed, Measured, Method, Tally

log = structlog.get_logger(__name__)

_AT_ONCE = 8
_SILENT_AFTER = 3  # so many time-outs in a row, and the rest of an assessment is not asked
_LARGEST_ANSWER = 64 * 1024 * 1024
_NOT_READY = {502, 503, 504}  # what a proxy says of a server that is down, and Prometheus of itself while it starts


class QueryFailed(Exception):
    """One query gave nothing that can be trusted; the message is a sentence for people."""

    def __init__(self, sentence: str, *, unreachable: bool = False, timed_out: bool = False) -> None:
        super().__init__(sentence)
        self.unreachable = unreachable
        self.timed_out = timed_out


@dataclass
class _Round:
    """One assessment's questions: when nobody answers, the rest isn't asked one time-out after the other."""

    failure: QueryFailed | None = None
    timeouts: int = 0

    def heard(self) -> None:
        self.timeouts = 0

    def missed(self, failure: QueryFailed) -> None:
        self.timeouts += failure.timed_out
        if (failure.unreachable and not failure.timed_out) or self.timeouts >= _SILENT_AFTER:
            self.failure = failure


class Prometheus:
    """One server. `timeout` bounds each query; eight run at a time. Close it when done."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        tenant: str | None = None,
        ca: Path | None = None,
        timeout: float = 20.0,
        stale_after: timedelta = HOUR,
    ) -> None:
        self._base = URL(url.rstrip("/") + "/")
        if self._base.scheme not in {"http", "https"} or not self._base.host:
            raise UsageError("PROMETHEUS_URL must be an address such as http://prometheus:9090")
        self._shown = str(self._base.with_user(None).with_password(None).with_query(None)).rstrip("/")
        self._headers = _headers(token, tenant)
        self._ca = ca
        self._timeout = timeout
        self._stale_after = stale_after
        self._session: aiohttp.ClientSession | None = None
        self._version: str | None = None

    async def measure(self, asks: Sequence[Ask], at: datetime, *, method: Method) -> Sequence[Measured | Failed]:
        _ = method
        if asks and self._version is None:
            self._version = await self._read_version()
        gate, state = asyncio.Semaphore(_AT_ONCE), _Round()

        async def one(ask: Ask) -> Measured | QueryFailed:
            async with gate:
                return await self._measure(ask, at, state)

        answers = await asyncio.gather(*(one(ask) for ask in asks))
        answered = any(isinstance(answer, Measured) for answer in answers)
        return [
            answer if isinstance(answer, Measured) else self._failed(ask, answer, answered=answered)
            for ask, answer in zip(asks, answers, strict=True)
        ]

    def _failed(self, ask: Ask, failure: QueryFailed, *, answered: bool) -> Failed:
        """A time-out while other queries are answered is a slow query, not a server that can't be reached."""
        return Failed(
            sentence=str(failure),
            queries=_shown(ask),
            source=self._source(self._version),
            unreachable=failure.unreachable and not (answered and failure.timed_out),
        )

    async def check(self) -> str:
        try:
            await self._ask("query", {"query": "vector(1)"})
        except QueryFailed as failure:
            raise Unreachable(str(failure)) from failure
        return f"{self._source(await self._read_version())} answers queries"

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _measure(self, ask: Ask, at: datetime, state: _Round) -> Measured | QueryFailed:
        if state.failure is not None:
            return state.failure
        try:
            measured = await self._counted(ask, at)
        except QueryFailed as failure:
            state.missed(failure)
            return failure
        except promql.UnexpectedResult as error:
            sentence = f"{self._server} answered with {error}; check that PROMETHEUS_URL is the API of a Prometheus."
            return QueryFailed(sentence)
        state.heard()
        return measured

    async def _counted(self, ask: Ask, at: datetime) -> Measured:
        queries = promql.Queries.of(ask.indicator, ask.window)
        now = promql.read_instant(await self._instant(queries.instant(self._stale_after), at), self._stale_after)
        tile = promql.tile_of(ask.window.length, now.scrape)
        ends = promql.tile_ends(at, ask.window.length, tile)
        hours = promql.read_hours(await self._range(queries.tiled(tile, now.scrape), ends, tile), ends, tile)
        silent_since = None
        sampled = [hour.end for hour in hours if hour.sampled]
        if not now.fresh and sampled:
            silent_since = promql.read_time(await self._instant(queries.last_sample(), sampled[-1])) or sampled[-1]
        part, total = hours.events(0, len(hours))
        by_hours = Tally(Fraction(part), Fraction(total))
        matched = now.tally.part is not None
        if not matched and now.tally.total is not None:
            matched = promql.read_single(await self._instant(queries.matched(), at)) is not None
        return Measured(
            method="increase",
            tally=now.tally,
            by_hours=by_hours,
            burn=now.burn,
            hours=hours,
            silent_since=silent_since,
            matched=matched,
            queries=_shown(ask),
            source=self._source(self._version),
        )

    async def _instant(self, query: str, at: datetime) -> Sequence[Mapping[str, Any]]:
        return _vector(await self._ask("query", {"query": query, "time": _seconds(at)}), "vector")

    async def _range(self, query: str, ends: Sequence[datetime], step: timedelta) -> Sequence[Mapping[str, Any]]:
        form = {
            "query": query,
            "start": _seconds(ends[0]),
            "end": _seconds(ends[-1]),
            "step": f"{step.total_seconds():g}",
            "nocache": "1",  # else VictoriaMetrics moves the hours; others don't know it and leave it
        }
        return _vector(await self._ask("query_range", form), "matrix")

    async def _ask(self, endpoint: str, form: Mapping[str, str]) -> Mapping[str, Any]:
        """One query's `data`. Raises `QueryFailed` with a sentence for everything that is no whole, clean answer."""
        limit = f"{self._timeout:g}s"
        try:
            async with asyncio.timeout(self._timeout):
                async with self._open().post(
                    self._base / "api/v1" / endpoint, data={**form, "timeout": limit}, allow_redirects=False
                ) as response:
                    answer = await _json(response)
                    status = response.status
        except TimeoutError as error:
            raise QueryFailed(
                f"{self._server} did not answer within {self._timeout:g} s; check its load, or raise metrics.timeout.",
                unreachable=True,
                timed_out=True,
            ) from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise QueryFailed(
                f"{self._server} shows a certificate that is not trusted; set PROMETHEUS_CA to its CA file.",
                unreachable=True,
            ) from error
        except aiohttp.ClientConnectorSSLError as error:
            raise QueryFailed(
                f"{self._server} can't be spoken to over TLS; check whether PROMETHEUS_URL should begin with http://.",
                unreachable=True,
            ) from error
        except aiohttp.ClientConnectorError as error:
            raise QueryFailed(
                f"{self._server} can't be reached ({_reason(error)}); check PROMETHEUS_URL and that it runs.",
                unreachable=True,
            ) from error
        except aiohttp.ServerDisconnectedError as error:
            raise QueryFailed(f"{self._server} closed the connection; check that it runs.", unreachable=True) from error
        except (aiohttp.ClientError, OSError) as error:
            raise QueryFailed(
                f"{self._server} broke off its answer; check that it runs and what stands between.", unreachable=True
            ) from error
        return self._data(status, answer)

    def _data(self, status: int, answer: Any) -> Mapping[str, Any]:
        if status in {401, 403}:
            raise QueryFailed(
                f"{self._server} refused access (HTTP {status}); check PROMETHEUS_TOKEN and PROMETHEUS_TENANT."
            )
        if not isinstance(answer, dict) or "status" not in answer:
            if status in _NOT_READY:
                raise QueryFailed(
                    f"{self._server} is not ready (HTTP {status}); check that it runs and what stands between.",
                    unreachable=True,
                )
            if status == 429:
                raise QueryFailed(f"{self._server} limits how often it is asked (HTTP 429); ask again later.")
            what = "a redirection" if 300 <= status < 400 else "something else than Prometheus' JSON"
            raise QueryFailed(
                f"{self._server} answered with {what} (HTTP {status}); check that PROMETHEUS_URL is the API's address."
            )
        if answer["status"] != "success" or status != 200:
            kind, text = answer.get("errorType", "error"), str(answer.get("error", f"HTTP {status}"))[:300]
            raise QueryFailed(f"{self._server} refused the query ({kind}): {text}")
        warnings = answer.get("warnings")
        if warnings:
            first = str(warnings[0])[:300] if isinstance(warnings, list) else "not readable"
            raise QueryFailed(f"{self._server} warned that its answer may be incomplete: {first}")
        data = answer.get("data")
        if not isinstance(data, dict):
            raise QueryFailed(f"{self._server} answered without data; check that PROMETHEUS_URL is a Prometheus.")
        return data

    async def _read_version(self) -> str | None:
        """The server's version: "" where it doesn't say (Thanos, a proxy), None when nobody answered.

        Worth showing, never worth failing for.
        """
        try:
            async with asyncio.timeout(min(self._timeout, 5.0)):
                async with self._open().get(self._base / "api/v1/status/buildinfo", allow_redirects=False) as response:
                    answer = await _json(response)
        except (QueryFailed, aiohttp.ClientError, OSError, TimeoutError) as error:
            log.info("prometheus.version_unknown", kind=type(error).__name__)
            return None
        data = answer.get("data") if isinstance(answer, dict) else None
        version = data.get("version") if isinstance(data, dict) else None
        return version[:40] if isinstance(version, str) else ""

    @property
    def _server(self) -> str:
        return f"Prometheus at {self._shown}"

    def _source(self, version: str | None) -> str:
        return f"Prometheus {version} at {self._shown}" if version else self._server

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
                connector=aiohttp.TCPConnector(limit=_AT_ONCE, ssl=tls),
                timeout=aiohttp.ClientTimeout(total=self._timeout),
            )
        return self._session


def _shown(ask: Ask) -> dict[str, str]:
    return promql.Queries.of(ask.indicator, ask.window).shown("bad" if ask.indicator.counts_bad else "good")


def _headers(token: str | None, tenant: str | None) -> dict[str, str]:
    headers = {"Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if tenant:
        headers["X-Scope-OrgID"] = tenant
    return headers


async def _json(response: aiohttp.ClientResponse) -> Any:
    """The body as JSON, None when it is none. A body cut short raises aiohttp's error."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(1 << 16):
        body += chunk
        if len(body) > _LARGEST_ANSWER:
            return None
    try:
        return json.loads(body)
    except ValueError:
        return None


def _vector(data: Mapping[str, Any], kind: str) -> Sequence[Mapping[str, Any]]:
    result = data.get("result")
    if data.get("resultType") != kind or not isinstance(result, list):
        raise promql.UnexpectedResult(f"a {str(data.get('resultType'))[:20]} instead of a {kind}")
    if not all(isinstance(item, dict) for item in result):
        raise promql.UnexpectedResult("series in a form it doesn't have")
    return result


def _seconds(at: datetime) -> str:
    return f"{at.timestamp():.3f}"


def _reason(error: aiohttp.ClientConnectorError) -> str:
    number = error.os_error.errno
    known = os.strerror(number) if number is not None and number > 0 else error.os_error.strerror
    return (known or "no connection").lower()
