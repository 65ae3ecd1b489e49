"""A proxy before a real Prometheus: it counts what is asked, and fails in the ways that networks and servers do."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

_QUERIES = ("query", "query_range")
Change = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Query:
    """One question and what it cost: points per series of a range (1 for an instant), samples read and held at once."""

    endpoint: str
    form: Mapping[str, str]
    points: int
    samples: int = 0
    peak_samples: int = 0
    size: int = 0


@dataclass
class Proxy:
    """`queries` in the order of their answers; `most_at_once` counts queries only. After `dies_after` of them it is
    gone, as a killed server is: connections break, and nobody listens any more.
    """

    url: str = ""
    queries: list[Query] = field(default_factory=list)
    most_at_once: int = 0
    dies_after: int | None = None
    dead: bool = False
    _begun: int = 0
    _now: int = 0


def half(keep: int = 0) -> Change:
    """Leave every second series out of each answer: those with an even place stay, with `keep=1` the others."""

    def change(answer: dict[str, Any]) -> None:
        data = answer.get("data")
        if isinstance(data, list):
            answer["data"] = data[keep::2]
        elif isinstance(data, dict) and isinstance(data.get("result"), list):
            data["result"] = data["result"][keep::2]

    return change


def warning(text: str) -> Change:
    """Let every answer carry this warning, as Thanos does when a store is away."""

    def change(answer: dict[str, Any]) -> None:
        answer["warnings"] = [text]

    return change


@asynccontextmanager
async def proxy(
    upstream: str, *, dies_after: int | None = None, change: Change | None = None, stats: bool = False
) -> AsyncIterator[Proxy]:
    """A proxy on this machine. `change` alters each successful answer; `stats` asks what each query costs."""
    found = Proxy(dies_after=dies_after)
    forward = _Forward(found, upstream.rstrip("/"), change, stats=stats)
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", forward.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    forward.site = site
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(timeout=timeout, auto_decompress=True) as forward.session:
        try:
            yield found
        finally:
            await runner.cleanup()


class _Forward:
    session: aiohttp.ClientSession
    site: web.TCPSite

    def __init__(self, proxy: Proxy, upstream: str, change: Change | None, *, stats: bool) -> None:
        self.proxy, self.upstream, self.change, self.stats = proxy, upstream, change, stats
        self.open: dict[int, web.Request] = {}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        proxy = self.proxy
        if proxy.dead:
            return self._hang_up(request)
        endpoint = request.path.rpartition("/")[2]
        if endpoint not in _QUERIES:
            return await self._forwarded(request, endpoint)
        proxy._begun += 1
        if proxy.dies_after is not None and proxy._begun > proxy.dies_after:
            await self._die()
            return self._hang_up(request)
        proxy._now += 1
        proxy.most_at_once = max(proxy.most_at_once, proxy._now)
        self.open[id(request)] = request
        try:
            return await self._forwarded(request, endpoint)
        finally:
            del self.open[id(request)]
            proxy._now -= 1

    async def _forwarded(self, request: web.Request, endpoint: str) -> web.StreamResponse:
        form = [(key, str(value)) for key, value in (await request.post()).items()]
        asked = [*form, ("stats", "all")] if self.stats and endpoint in _QUERIES else form
        async with self.session.request(
            request.method, self.upstream + request.path_qs, data=asked if request.method == "POST" else None
        ) as response:
            body, status, kind = await response.read(), response.status, response.content_type
        if endpoint in _QUERIES:
            body = self._noted(endpoint, dict(form) or dict(request.query), body)
        if self.change is not None and status == 200 and endpoint in (*_QUERIES, "series"):
            answer = json.loads(body)
            self.change(answer)
            body = json.dumps(answer).encode()
        if self.proxy.dead:
            return self._hang_up(request)
        return web.Response(body=body, status=status, content_type=kind)

    def _noted(self, endpoint: str, form: dict[str, str], body: bytes) -> bytes:
        """The body as the asker would have had it; what the query cost is noted."""
        costs: Mapping[str, int] = {}
        if self.stats:
            answer = json.loads(body)
            data = answer.get("data")
            stats = data.pop("stats", None) if isinstance(data, dict) else None
            costs = stats["samples"] if stats else {}
            body = json.dumps(answer).encode()
        samples, peak = costs.get("totalQueryableSamples", 0), costs.get("peakSamples", 0)
        self.proxy.queries.append(Query(endpoint, form, _points(endpoint, form), samples, peak, len(body)))
        return body

    async def _die(self) -> None:
        self.proxy.dead = True
        await self.site.stop()
        for request in self.open.values():
            self._hang_up(request)

    def _hang_up(self, request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=503)


def _points(endpoint: str, form: Mapping[str, str]) -> int:
    """Steps of a range query whose times are seconds and whose step is a number."""
    if endpoint == "query":
        return 1
    return int((float(form["end"]) - float(form["start"])) / float(form["step"].removesuffix("s")) + 1e-6) + 1
