"""What the Connector of the double allows, how it refuses, and how it can be made to fail.

Sources: learn.microsoft.com, "Stream bot messages" (sequence, two minutes, 403 texts, one call a second), "Optimize
your bot with rate limiting" (per bot and thread), the Bot Connector's REST reference (paths, shapes).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

# "Send to conversation", per bot and thread: calls in so many seconds.
DOCUMENTED = {1: 7, 2: 8, 30: 60, 3600: 1800}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """How a call goes wrong. `taken`: it is done first, and only its answer is spoilt. `cut`: no answer at all."""

    status: int = 500
    code: str = "ServiceError"
    message: str = "Unknown"
    retry_after: float | str | None = None
    taken: bool = False
    cut: bool = False
    seconds: float = 0.0  # waits so long before it does anything
    holds: float = 0.0  # waits so long before it answers
    html: bool = False
    only_late: bool = False  # answered well in the end


@dataclass(kw_only=True)
class Rules:
    """What the platform allows; tests change it."""

    per_thread: Mapping[int, int] = field(default_factory=lambda: dict(DOCUMENTED))
    stream_seconds: float = 1.0  # least time between two calls of one stream
    stream_limit: float = 120.0
    size: int = 100_000  # bytes of one message
    targeted: bool = True
    streaming: bool = True


class Refused(Exception):
    """An error as the connector says it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def refusal(refused: Refused, fault: Fault | None) -> web.Response:
    headers = {}
    if fault is not None and fault.retry_after is not None:
        headers["Retry-After"] = str(fault.retry_after)
    if fault is not None and fault.html:
        page = f"<html><body><h1>{refused.status}</h1>The service is unavailable.</body></html>"
        return web.Response(status=refused.status, text=page, content_type="text/html", headers=headers)
    error = {"error": {"code": refused.code, "message": refused.message}}
    return web.json_response(error, status=refused.status, headers=headers)
