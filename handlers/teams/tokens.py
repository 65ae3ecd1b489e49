"""Whether a request comes from Teams: its token, checked against Bot Framework's keys."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import structlog

from bot.errors import Unreachable, UsageError
from handlers.teams.http import LOOPBACK, Http, Unanswered
from handlers.teams.sdk import (
    CHINA,
    PUBLIC,
    US_GOV,
    CloudEnvironment,
    PyJWK,
    PyJWKClient,
    PyJWKClientError,
    PyJWTError,
    TokenValidator,
    get_unverified_header,
    with_overrides,
)

log = structlog.get_logger(__name__)

LIMIT = 5.0  # seconds for one fetch of the keys; Teams waits about 15 for our answer
LASTING = 12 * 3600.0  # seconds after which keys are fetched again; Microsoft asks for once a day
COOLDOWN = 20.0  # seconds between two fetches, however many strangers name keys that don't exist


class Refused(Exception):
    """The request does not come from Teams. `status` is what to answer it with."""

    status = 401


class KeysUnreachable(Refused):
    """Nobody can say where the request comes from: the keys could not be fetched. Teams may deliver it again."""

    status = 503


class Keys(PyJWKClient):
    """Bot Framework's signing keys. Looking one up never waits; fetching them does not hold the loop up."""

    def __init__(self, url: str, now: Callable[[], float]) -> None:
        super().__init__(url)
        self._now = now
        self._http = Http(LIMIT)
        self._held: dict[str, tuple[PyJWK, frozenset[str]]] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._fetching = asyncio.Lock()

    def get_signing_key(self, kid: str) -> PyJWK:
        if kid not in self._held:
            raise PyJWKClientError("the key is not one of Bot Framework's")
        return self._held[kid][0]

    def endorsed(self, kid: str) -> frozenset[str]:
        """The channels that the key signs for; empty where it doesn't say."""
        return self._held[kid][1] if kid in self._held else frozenset()

    async def at_hand(self, kid: str) -> None:
        """See to it that the key can be looked up, if it exists.

        Raises:
            KeysUnreachable: no keys are known and none can be fetched.
        """
        if kid in self._held and not self._wanting(kid):
            return
        async with self._fetching:  # who comes while they are fetched waits for them
            if self._wanting(kid):
                self._tried_at = self._now()
                await self._fetch()
                self._tried_at = self._now()
        if not self._held:
            raise KeysUnreachable("the keys of Teams' tokens could not be fetched")

    async def close(self) -> None:
        await self._http.close()

    def _wanting(self, kid: str) -> bool:
        now = self._now()
        current = self._fetched_at is not None and now < self._fetched_at + LASTING
        pause = COOLDOWN if self._held else 1.0
        return not (current and kid in self._held) and (self._tried_at is None or now >= self._tried_at + pause)

    async def _fetch(self) -> None:
        try:
            heard = await self._http.call("GET", self.uri)
        except Unanswered as no:
            log.warning("teams.keys_not_fetched", reason=str(no))
            return
        keys = _keys(heard.json()) if heard.status == 200 else {}
        if not keys:
            log.warning("teams.keys_not_fetched", reason=f"http_{heard.status}")
            return
        self._held, self._fetched_at = keys, self._now()


class _Validator(TokenValidator):
    """The SDK's checks with our keys: its own client fetches them while everything else waits."""

    def use(self, keys: Keys) -> None:
        self._jwks_client = keys


class Tokens:
    """Checks who sent a request, for one bot."""

    def __init__(self, client_id: str, openid_url: str, *, now: Callable[[], float] = time.monotonic) -> None:
        if not openid_url.endswith("/openidconfiguration"):
            raise UsageError("TEAMS_OPENID_URL must end in /openidconfiguration: the keys stand beside it.")
        cloud = with_overrides(_cloud(openid_url), openid_metadata_url=openid_url)
        self._validator = cast("_Validator", _Validator.for_service(client_id, cloud=cloud))
        self._keys = Keys(self._validator.options.jwks_uri, now)
        self._validator.use(self._keys)

    async def check(self, authorization: str | None, body: Mapping[str, Any]) -> None:
        """Return when the request comes from Teams and is for this bot.

        Raises:
            Refused: with the reason, which holds nothing of the token; `KeysUnreachable` when that can't be said now.
        """
        kind, _, token = (authorization or "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise Refused("no bearer token")
        service_url = body.get("serviceUrl")
        if not isinstance(service_url, str) or not service_url:
            raise Refused("no serviceUrl")
        if not _safe(service_url):
            raise Refused("a serviceUrl that our own token must not go to")
        try:
            header = get_unverified_header(token)
            kid = header.get("kid")
            if header.get("alg") != "RS256" or not isinstance(kid, str):
                raise Refused("the token is not signed as Teams signs")
            await self._keys.at_hand(kid)
            claims = await self._validator.validate_token(token, service_url)
        except _WRONG as wrong:
            raise Refused(f"the token is refused ({type(wrong).__name__})") from wrong
        if "exp" not in claims:
            raise Refused("the token never ends")
        endorsed, channel = self._keys.endorsed(kid), body.get("channelId")
        if endorsed and not (isinstance(channel, str) and channel in endorsed):
            raise Refused("the token's key does not speak for this channel")

    async def reach(self) -> None:
        """For doctor: raises Unreachable when nobody's token could be checked."""
        try:
            await self._keys.at_hand("")
        except KeysUnreachable as error:
            raise Unreachable(
                f"No message from Teams can be let in: {error}. Let this host reach {self._keys.uri} (HTTPS_PROXY is "
                "followed), or correct TEAMS_OPENID_URL."
            ) from error

    async def close(self) -> None:
        await self._keys.close()


def _safe(url: str) -> bool:
    """Whether the bot's token may be sent there: encrypted, or not leaving this machine; an address, nothing more."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    extra = parts.username is not None or parts.query or parts.fragment or any(sign in url for sign in "\\?# \t\r\n")
    return bool(host) and not extra and (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK))


# A stranger wrote the token: besides being refused by the rules, it can be no text, no JSON, or nested too deep.
_WRONG = (PyJWTError, ValueError, TypeError, AttributeError, RecursionError)


def _cloud(openid_url: str) -> CloudEnvironment:
    """Which cloud signs there: the issuer differs."""
    return next((cloud for cloud in (US_GOV, CHINA) if cloud.openid_metadata_url == openid_url), PUBLIC)


def _keys(document: object) -> dict[str, tuple[PyJWK, frozenset[str]]]:
    """The document's signing keys that can be read, by their id."""
    listed = document.get("keys") if isinstance(document, dict) else None
    found: dict[str, tuple[PyJWK, frozenset[str]]] = {}
    for entry in listed if isinstance(listed, list) else []:
        if not isinstance(entry, dict) or entry.get("use", "sig") != "sig" or not isinstance(entry.get("kid"), str):
            continue
        try:
            key = PyJWK.from_dict(entry, "RS256")
        except PyJWTError:  # of a kind that we don't take
            continue
        endorsements = entry.get("endorsements")
        channels = [name for name in endorsements if isinstance(name, str)] if isinstance(endorsements, list) else []
        found[entry["kid"]] = (key, frozenset(channels))
    return found
