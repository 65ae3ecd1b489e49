"""The Web API: one door for all methods that reads, checks, limits, records and answers each call."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from handlers.slack.standin import scopes
from handlers.slack.standin.arguments import checked, reference
from handlers.slack.standin.faults import Fault, Faults
from handlers.slack.standin.ledger import Call, Ledger
from handlers.slack.standin.limits import Limits
from handlers.slack.standin.messages import Json
from handlers.slack.standin.refusal import Refused
from handlers.slack.standin.workspace import Method, Workspace

_NO_TOKEN = ("api.test", "blocks.validate")
_APP_TOKEN = ("apps.connections.open",)


class Unreadable(Exception):
    """The body could not be read as what its content type says; the text is Slack's error for it."""


class WebApi:
    def __init__(self, workspace: Workspace, ledger: Ledger, faults: Faults, methods: Mapping[str, Method]) -> None:
        self._workspace = workspace
        self._ledger = ledger
        self._faults = faults
        self._methods = methods
        self.limits = Limits()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        fault = self._faults.next(method)
        if fault is not None:
            if fault.delay:
                await asyncio.sleep(fault.delay)
            if fault.drop_before:
                self._record(method, {}, 0, {"error": "(dropped before any effect)"}, lost=True)
                return _cut(request)
        status, answer, args = await self._answer(request, method, fault)
        lost = fault is not None and fault.drop_after
        self._record(method, args, status, answer, lost=lost)
        if lost:
            return _cut(request)
        headers = {}
        if self._workspace.config.scopes is not None:
            headers["X-OAuth-Scopes"] = ",".join(sorted(self._workspace.config.scopes))
        if status == 429:
            headers["Retry-After"] = str(answer.pop("retry_after", 1))
        if status >= 500:
            return web.Response(status=status, text="upstream error", headers=headers)
        return web.json_response(answer, status=status, headers=headers)

    async def _answer(self, request: web.Request, method: str, fault: Fault | None) -> tuple[int, Json, Json]:
        raw: Json = {}
        try:
            raw, encoded = await read(request)
        except Unreadable as unreadable:
            return 200, {"ok": False, "error": str(unreadable)}, {}
        shown = {name: value for name, value in raw.items() if name != "token"}
        if fault is not None and fault.status is not None:
            answer: Json = {"ok": False, "error": "ratelimited" if fault.status == 429 else "service_unavailable"}
            if fault.status == 429:
                answer["retry_after"] = fault.retry_after if fault.retry_after is not None else 1
            return fault.status, answer, shown
        try:
            self._authorise(request, method, raw)
            if method not in self._methods:
                raise Refused("unknown_method", req_method=method)
            if fault is not None and fault.error is not None:
                raise Refused(fault.error)
            args = checked(method, raw, encoded=encoded)
            shown = args
            if self._workspace.config.rate_limits:
                wait = self.limits.wait(method, args, self._workspace.now())
                if wait is not None:
                    return 429, {"ok": False, "error": "ratelimited", "retry_after": wait}, shown
            scopes.demand(self._workspace.config.scopes, method)
            return 200, {"ok": True, **self._methods[method](self._workspace, args)}, shown
        except Refused as refused:
            return 200, refused.answer(), shown

    def _authorise(self, request: web.Request, method: str, raw: Json) -> None:
        if method in _NO_TOKEN:
            return
        header = request.headers.get("Authorization", "")
        token = header.removeprefix("Bearer ") if header.startswith("Bearer ") else raw.get("token")
        config = self._workspace.config
        if not token:
            raise Refused("not_authed")
        if token not in (config.bot_token, config.app_token):
            raise Refused("invalid_auth")
        if (token == config.app_token) != (method in _APP_TOKEN):
            raise Refused("not_allowed_token_type")

    def _record(self, method: str, args: Json, status: int, answer: Json, *, lost: bool) -> None:
        self._ledger.calls.append(
            Call(
                method=method,
                args=args,
                at=self._workspace.now(),
                status=status,
                answer=dict(answer),
                lost=lost,
            )
        )
        self._ledger.touch()


async def read(request: web.Request) -> tuple[Json, bool]:
    """The arguments of a call, and whether they came encoded as a form or query (everything is text there)."""
    given: Json = dict(request.query)
    kind = request.content_type
    if kind == "application/json" and request.can_read_body:
        try:
            body: Any = await request.json()
        except ValueError:
            raise Unreadable("invalid_json") from None
        if not isinstance(body, dict):
            raise Unreadable("json_not_object")
        return {**given, **body}, False
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        form = await request.post()
        given.update(form)
    elif request.can_read_body and await request.read():
        raise Unreadable("invalid_post_type")
    return given, True


def _cut(request: web.Request) -> web.StreamResponse:
    """End the connection without an answer, as a network does."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def documented(method: str) -> frozenset[str]:
    """The errors that Slack's reference names for a method."""
    return frozenset(reference()[method]["errors"])
