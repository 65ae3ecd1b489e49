"""POST /api/messages: who calls, from which tenant, and whether what they send can be read."""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from handlers.teams.origin import Body, tenant_of
from handlers.teams.tokens import Refused

log = structlog.get_logger(__name__)

PATH = "/api/messages"
READ_LIMIT = 10.0  # seconds for a request's body

Take = Callable[[Body], Awaitable[web.Response]]
# Lets a request with this body pass, or raises Refused, whose text is for our log alone.
Check = Callable[[web.Request, Mapping[str, Any]], Awaitable[None]]


class Endpoint:
    """Hands on what is allowed in. `tenants` are the ones that are listened to, in lower case; None: all of them."""

    def __init__(self, take: Take, check: Check, *, tenants: Collection[str] | None) -> None:
        self._take, self._check, self._tenants = take, check, tenants
        self._running: set[asyncio.Task[web.Response]] = set()

    async def handle(self, request: web.Request) -> web.Response:
        """The whole request. Storing goes on when the caller hangs up."""
        try:
            async with asyncio.timeout(READ_LIMIT):
                raw = await request.read()
        except TimeoutError:
            return _refusal(408, "request too slow")
        except web.RequestPayloadError:  # wrongly packed, or cut off
            return _refusal(400, "unreadable request")
        task = asyncio.create_task(self._answer(request, raw))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def drained(self, seconds: float) -> None:
        """Let what is being stored be stored."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)

    async def _answer(self, request: web.Request, raw: bytes) -> web.Response:
        body = _parsed(raw)
        if body is None:
            log.warning("teams.unreadable", reason="the body is no JSON object")
            known = "Authorization" in request.headers
            return _refusal(400, "unreadable request") if known else _refusal(401, "unauthorized")
        try:
            if len(request.headers.getall("Authorization", ())) > 1:
                raise Refused("more than one Authorization")
            await self._check(request, body)
        except Refused as refused:
            log.warning("teams.refused", reason=str(refused))
            return _refusal(refused.status, "unauthorized" if refused.status == 401 else "try again")
        tenant = tenant_of(body)
        if not tenant or (self._tenants is not None and tenant not in self._tenants):
            remedy = "if its people may use the Director, add it to TEAMS_ALLOWED_TENANTS"
            log.warning("teams.other_tenant", tenant=tenant, remedy=remedy)
            return _refusal(403, "this tenant is not served here")
        return await self._take(body)


def same_machine(request: web.Request, body: Mapping[str, Any]) -> None:
    """For a playground: the caller and the address to answer at are on this machine, and no web page is behind it."""
    if not _loopback(request.remote or ""):
        raise Refused("the caller is on another machine")
    if "Origin" in request.headers or not _loopback(_host(f"//{request.host}")):
        raise Refused("the caller is a web page")
    service_url = body.get("serviceUrl")
    if not isinstance(service_url, str) or not _loopback(_host(service_url)):
        raise Refused("the serviceUrl is on another machine, or missing")


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):  # also bytes that are no text, and numbers without end
        return None
    return body if isinstance(body, dict) else None


def _refusal(status: int, reason: str) -> web.Response:
    return web.json_response({"error": reason}, status=status)
