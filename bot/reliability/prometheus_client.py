"""Questions to a server of Prometheus' HTTP API (Thanos, Mimir, VictoriaMetrics): clean answers or a sentence."""

from __future__ import annotations

import asyncio
import math
import time
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import structlog

from bot.errors import Unreachable
from bot.reliability import prometheus_answers as answers
from bot.reliability import prometheus_failures as failures
from bot.reliability.prometheus_answers import Envelope, Series
from bot.reliability.prometheus_connection import Connection
from bot.reliability.prometheus_failures import QueryFailed
from bot.reliability.windows import Span

__all__ = ["PrometheusClient", "QueryFailed", "Round", "Series"]

log = structlog.get_logger(__name__)

MOST_POINTS = 11_000  # Prometheus refuses a range query with more points per series
MOST_SERIES = 20_000  # whose labels are looked at
_AT_ONCE = 8
_VERSION_HOLDS = 60.0  # seconds, as servers are upgraded while we run
_Form = Sequence[tuple[str, str]]
_Item = TypeVar("_Item")


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
        self._connection = Connection(url, token=token, tenant=tenant, ca=ca, limit=timeout, at_once=at_once)
        self._tenant = tenant
        self._timeout = timeout
        self._gate = asyncio.Semaphore(at_once)
        self._reading = asyncio.Lock()
        self._version: str | None = None
        self._version_until = 0.0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._connection.address}>"

    @property
    def server(self) -> str:
        """As sentences name it, without credentials."""
        return self._connection.server

    @property
    def source(self) -> str:
        """As figures name it: with the version, once `version` has learnt it."""
        return f"Prometheus {self._version} at {self._connection.address}" if self._version else self.server

    @property
    def identity(self) -> str:
        """What remembered hours belong to: the address without credentials, and the tenant."""
        return f"{self._connection.address} {self._tenant}" if self._tenant else self._connection.address

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
        first, last, distance = _seconds(start), _seconds(end), round(step.total_seconds(), 3)
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
        form.append(("limit", str(MOST_SERIES + 1)))
        labels = None
        try:
            if within is not None:
                within.begin()
                labels = within.labels
            answer = await self._ask("series", form, answers.Labels(MOST_SERIES), labels)
        except QueryFailed as failure:
            log.info("prometheus.series_unknown", unreachable=failure.unreachable, timed_out=failure.timed_out)
            return None
        return answer.items if answer.problem is None else None

    async def version(self) -> str | None:
        """The server's version: "" where it doesn't say (Thanos, a proxy), None when nobody answered.

        Worth showing, never worth failing for.
        """
        if time.monotonic() < self._version_until:
            return self._version
        try:
            body = await self._connection.get("status/buildinfo", min(self._timeout, 5.0))
        except QueryFailed as failure:
            log.info("prometheus.version_unknown", unreachable=failure.unreachable, timed_out=failure.timed_out)
            return None
        self._version = _version_in(await _read(body, _nothing))
        self._version_until = time.monotonic() + _VERSION_HOLDS
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
        await self._connection.close()

    async def _series(
        self, endpoint: str, form: Mapping[str, str], item: answers.Instant | answers.Range, within: Round | None
    ) -> list[Series]:
        limit = f"{round(self._timeout * 900)}ms"  # so that a slow query is told from a server that says nothing
        # VictoriaMetrics would answer for an earlier instant or for full hours; others don't know `nocache`.
        answer = await self._ask(endpoint, [*form.items(), ("timeout", limit), ("nocache", "1")], item, within)
        problem = answer.problem
        if answer.kind != item.kind or not answer.listed:
            problem = f"a {str(answer.kind)[:20]} instead of a {item.kind}"
        if problem is not None:
            raise QueryFailed(
                f"{self.server} answered with {problem}; check that PROMETHEUS_URL is the API of a Prometheus."
            )
        return answer.items

    async def _ask(
        self, endpoint: str, form: _Form, item: Callable[[Any], _Item], within: Round | None
    ) -> Envelope[_Item]:
        """Raises `QueryFailed` with a sentence for everything that is no whole, clean answer."""
        within = within or Round(self)
        async with self._gate:
            heard = within.begin()
            try:
                status, body = await self._connection.post(endpoint, form)
                async with self._reading:  # several read at once would keep everyone else waiting in turns
                    answer = failures.reliable(self.server, status, await _read(body, item))
            except QueryFailed as failure:
                within.missed(failure, heard)
                raise
            within.heard()
            return answer


@dataclass
class Round:
    """One assessment's questions: when nobody answers, the rest isn't asked one time-out after the other."""

    client: PrometheusClient
    patience: int = failures.SILENT_AFTER
    queries: int = field(default=0, init=False)  # so many were sent
    failure: QueryFailed | None = field(default=None, init=False)  # why nothing is asked any more
    _answers: int = field(default=0, init=False)
    _silence: int = field(default=0, init=False)

    @cached_property
    def labels(self) -> Round:
        """Of questions for labels: there are servers that answer queries, and these never in time."""
        return Round(self.client, patience=1)

    async def instant(self, query: str, at: datetime) -> list[Series]:
        """As `PrometheusClient.instant`."""
        return await self.client.instant(query, at, within=self)

    async def range(self, query: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        """As `PrometheusClient.range`."""
        return await self.client.range(query, start, end, step, within=self)

    async def series(self, selectors: Sequence[str], span: Span) -> list[Mapping[str, str]] | None:
        """As `PrometheusClient.series`."""
        return await self.client.series(selectors, span, within=self)

    def begin(self) -> int:
        """How much was answered so far. Raises `QueryFailed` when there is no use in asking."""
        failure = self.failure
        if failure is not None:
            raise QueryFailed(str(failure), unreachable=failure.unreachable, timed_out=failure.timed_out)
        self.queries += 1
        return self._answers

    def heard(self) -> None:
        self._answers += 1
        self._silence = 0

    def missed(self, failure: QueryFailed, heard: int) -> None:
        """`heard` is what was answered when the question was sent: a server that answered others since isn't silent."""
        if failure.silence < failures.SILENT_AFTER and self._answers > heard:
            return
        self._silence = self._silence + failure.silence if failure.silence else 0
        if self._silence >= self.patience:
            self.failure = failure


async def _read(body: bytearray, item: Callable[[Any], _Item]) -> Envelope[_Item] | None:
    """The body's answer; None when it is no object of JSON."""
    try:
        return await answers.read(body, item)
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
