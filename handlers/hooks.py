"""POST /hooks/deploys: whoever deploys says so, signed with DIRECTOR_HOOK_SECRET."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from aiohttp import web

from bot.errors import DirectorError
from bot.ports import Clock
from bot.reliability.deploys import Deploy, DeployLog
from bot.reliability.formats import listing
from handlers.hook_deploys import Mistakes, read_deploys

log = structlog.get_logger(__name__)

PATH = "/hooks/deploys"
HEADER = "X-Director-Signature"
BODY_LIMIT = 64 * 1024  # bytes
TOLERANCE = timedelta(minutes=5)  # between the sender's clock and ours
READ_LIMIT = 10.0  # seconds for a request's body
STORE_LIMIT = 10.0  # seconds for all deploys of one request

Services = Callable[[], Sequence[str]]


def hook_routes(secret: str, deploys: DeployLog, services: Services, clock: Clock) -> tuple[web.RouteDef, ...]:
    """The routes of webhooks. Without a secret don't add them: then nobody answers there (404).

    `services` are those that the SLO files name; a deploy of another one is kept all the same, and the sender told.
    """
    return (web.post(PATH, DeployHook(secret, deploys, services, clock).handle),)


class Refused(Exception):
    """A request that is not let in, and nothing of it stored; the message goes to the sender."""

    def __init__(self, status: int, reason: str, mistakes: Sequence[str] = ()) -> None:
        super().__init__(reason)
        self.status = status
        self.mistakes = tuple(mistakes)

    @property
    def answer(self) -> Mapping[str, Any]:
        return {"error": str(self)} | ({"mistakes": list(self.mistakes)} if self.mistakes else {})


@dataclass(frozen=True)
class DeployHook:
    """Stores what is signed and well formed; the same again changes nothing, so a sender may repeat it."""

    secret: str = field(repr=False)
    deploys: DeployLog
    services: Services
    clock: Clock

    async def handle(self, request: web.Request) -> web.Response:
        try:
            body = await _body(request)
            now = self.clock.now()
            signed_at = checked(request.headers.getall(HEADER, ()), body, secret=self.secret, now=now)
            told = self._in_our_names(_deploys(body, signed_at=signed_at, now=now))
            noted = await self._store(told)
        except Refused as refused:
            remedy = {"remedy": "check the sender's DIRECTOR_HOOK_SECRET and clock"} if refused.status == 401 else {}
            log.warning("hooks.refused", status=refused.status, reason=str(refused), **remedy)
            headers = {"Retry-After": "5"} if refused.status == 503 else None
            return web.json_response(refused.answer, status=refused.status, headers=headers)
        log.info("hooks.deploys", noted=noted, known=len(told) - noted)
        answer = {"noted": noted, "known": len(told) - noted, **self._note(told)}
        return web.json_response(answer, status=202)

    def _in_our_names(self, told: Sequence[Deploy]) -> Sequence[Deploy]:
        """Names are compared without regard to case, as everywhere; unknown ones stay as they are."""
        ours = {name.casefold(): name for name in self.services()}
        return [replace(deploy, service=ours.get(deploy.service.casefold(), deploy.service)) for deploy in told]

    def _note(self, told: Sequence[Deploy]) -> Mapping[str, str]:
        known = frozenset(self.services())
        strange = tuple(dict.fromkeys(deploy.service for deploy in told if deploy.service not in known))
        if not strange:
            return {}
        return {"note": f"No SLO file names {listing(strange)}; what was told is kept and shows once one does."}

    async def _store(self, told: Sequence[Deploy]) -> int:
        """How many were new. What was stored before a failure stays, which a repetition finds known."""
        noted = 0
        try:
            async with asyncio.timeout(STORE_LIMIT):
                for deploy in told:
                    noted += await self.deploys.note(deploy)
        except (DirectorError, TimeoutError) as error:
            log.error("hooks.not_stored", error=str(error) or "no answer in time")  # noqa: TRY400  it says all
            raise Refused(503, "the database can't store deploys now; send the same again") from error
        return noted


# --- the signature ---


def checked(headers: Sequence[str], body: bytes, *, secret: str, now: datetime) -> datetime:
    """When the body was signed, by the sender's clock. Several v1 are allowed, for while a secret is changed.

    Raises:
        Refused: it was not signed with our secret within five minutes.
    """
    if len(headers) != 1:
        raise Refused(401, f"{f'more than one {HEADER}' if headers else f'no {HEADER}'} header")
    pairs = [(name, value) for name, _, value in (part.strip().partition("=") for part in headers[0].split(","))]
    times = [value for name, value in pairs if name == "t"]
    signatures = [value.lower() for name, value in pairs if name == "v1"]
    if len(times) != 1 or not re.fullmatch(r"[0-9]{1,11}", times[0]) or not all(map(_is_digest, signatures or [""])):
        raise Refused(401, f"malformed {HEADER} header; write t=<unix seconds>,v1=<64 hexadecimal digits>")
    seconds = int(times[0])
    if abs(now.timestamp() - seconds) > TOLERANCE.total_seconds():
        raise Refused(401, "signed more than 5 minutes ago or ahead; check both clocks and sign anew")
    expected = hmac.new(secret.encode(), f"{times[0]}.".encode() + body, hashlib.sha256).hexdigest()
    found = [hmac.compare_digest(expected, signature) for signature in signatures]
    if not any(found):
        raise Refused(401, "the signature doesn't match this body and time")
    return datetime.fromtimestamp(seconds, UTC)


def _is_digest(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{64}", text) is not None


# --- the body ---


async def _body(request: web.Request) -> bytes:
    if (request.content_length or 0) > BODY_LIMIT:
        raise _too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(READ_LIMIT):
            async for chunk in request.content.iter_chunked(1 << 14):
                body += chunk
                if len(body) > BODY_LIMIT:
                    raise _too_large()
    except TimeoutError as error:
        raise Refused(408, "the body came too slowly") from error
    except web.RequestPayloadError as error:  # wrongly packed, or cut off
        raise Refused(400, "the body can't be read") from error
    return bytes(body)


def _too_large() -> Refused:
    return Refused(413, "the body is larger than 64 KB; send fewer deploys at once")


def _deploys(body: bytes, *, signed_at: datetime, now: datetime) -> Sequence[Deploy]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:  # also bytes that are no text
        raise Refused(400, "the body is no JSON; nothing was stored") from error
    try:
        return read_deploys(told, unless_said=signed_at, latest=now + TOLERANCE)
    except Mistakes as mistakes:
        raise Refused(400, "nothing was stored, because of mistakes", mistakes.found) from mistakes
