"""The bot's own identity: where the token comes from that opens the Bot Connector."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import structlog

from bot.errors import Unreachable, UsageError
from handlers.teams.http import Http, Unanswered
from handlers.teams.sdk import CHINA, PUBLIC, US_GOV, ManagedIdentityClient, Session, UserAssignedManagedIdentity

log = structlog.get_logger(__name__)

LIMIT = 10.0  # seconds for one request for a token
AHEAD = 300.0  # seconds before its end at which a token is renewed
AGAIN = 30.0  # seconds after which a failed renewal is tried again, while the token is still good


class CredentialsRefused(UsageError):
    """Microsoft does not give us a token; the message says which variable to check."""


class LoginUnreachable(Unreachable):
    """Nobody answers where tokens are got."""


class Credentials(Protocol):
    async def __call__(self) -> str:
        """A token that is valid now; "" where none is needed.

        Raises:
            CredentialsRefused: it never will be, until someone changes the settings.
            LoginUnreachable: try again later.
        """
        ...

    def refused(self, token: str) -> None:
        """This token was not taken: the next one asked for is a new one."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True)
class _Held:
    token: str
    until: float  # on the monotonic clock
    renew_at: float


class _Cached(ABC):
    """Keeps a token until shortly before its end; one request at a time, whoever else asks waits for it."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._held: _Held | None = None
        self._asking = asyncio.Lock()
        self._failures = 0
        self._failure = ""

    async def __call__(self) -> str:
        if (held := self._fresh()) is not None:
            return held.token
        failures = self._failures
        async with self._asking:
            if (held := self._fresh()) is not None:
                return held.token
            if self._failures > failures:  # while we waited: asking one after the other takes too long for all
                raise LoginUnreachable(self._failure)
            try:
                token, seconds = await self._ask()
            except LoginUnreachable as error:
                held, now = self._held, self._now()
                if held is None or now >= held.until:
                    self._failures, self._failure = self._failures + 1, str(error)
                    raise
                log.warning("teams.token_not_renewed", still_valid=round(held.until - now))
                self._held = replace(held, renew_at=min(now + AGAIN, held.until))
                return held.token
            now = self._now()
            self._held = _Held(token, now + seconds, now + max(seconds - AHEAD, seconds / 2))
            return token

    def refused(self, token: str) -> None:
        if self._held is not None and self._held.token == token:
            self._held = None

    def _fresh(self) -> _Held | None:
        return self._held if self._held is not None and self._now() < self._held.renew_at else None

    @abstractmethod
    async def _ask(self) -> tuple[str, float]:
        """A new token, and for how many seconds it is good. Raises as asking for one does."""


class Secret(_Cached):
    """The app's client secret, by OAuth 2's client-credentials grant in the bot's own tenant."""

    def __init__(
        self, login_url: str, tenant: str, client_id: str, secret: str, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(now)
        self._login_url = login_url.rstrip("/")
        self._url = f"{self._login_url}/{tenant}/oauth2/v2.0/token"
        self._form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": secret,
            "scope": scope(login_url),
        }
        self._http = Http(LIMIT)

    async def _ask(self) -> tuple[str, float]:
        try:
            heard = await self._http.call("POST", self._url, form=self._form)
        except Unanswered as no:
            raise LoginUnreachable(
                f"No token from Microsoft's login ({no}). Let this host reach {self._login_url} (HTTPS_PROXY is "
                "followed), or correct TEAMS_LOGIN_URL."
            ) from no
        answer = heard.json()
        answer = answer if isinstance(answer, dict) else {}
        if heard.status == 200 and (found := _token(answer)) is not None:
            return found
        if heard.status in (400, 401, 403) and "error" in answer:
            raise CredentialsRefused(_refused(answer))
        if heard.status == 404:
            raise CredentialsRefused("There is no login at TEAMS_LOGIN_URL for TEAMS_TENANT_ID. Check both.")
        told = f"Microsoft's login gave no token (HTTP {heard.status} from {self._login_url})."
        if heard.status == 429 or heard.status >= 500:
            raise LoginUnreachable(f"{told} That passes as a rule; it is asked again when a token is needed.")
        raise LoginUnreachable(f"{told} Something else seems to answer there: check TEAMS_LOGIN_URL and HTTPS_PROXY.")

    async def close(self) -> None:
        await self._http.close()


class ManagedIdentity(_Cached):
    """The identity that the host (App Service, a virtual machine) gives the process."""

    def __init__(self, client_id: str, *, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(now)
        self._session = _Bounded()
        identity = UserAssignedManagedIdentity(client_id=client_id)
        self._client = ManagedIdentityClient(identity, http_client=self._session)

    async def _ask(self) -> tuple[str, float]:
        resource = PUBLIC.bot_scope.removesuffix("/.default")
        try:
            async with asyncio.timeout(LIMIT):
                answer: Mapping[str, Any] = await asyncio.to_thread(
                    self._client.acquire_token_for_client, resource=resource
                )
        except _MSAL_FAILS as no:
            raise LoginUnreachable(
                "This host gives the process no managed identity. Run it where TEAMS_CLIENT_ID is assigned to the "
                "host, or set TEAMS_CLIENT_SECRET in place of TEAMS_MANAGED_IDENTITY."
            ) from no
        if (found := _token(answer)) is not None:
            return found
        raise CredentialsRefused(
            f"The host's managed identity gave no token ({str(answer.get('error', 'no reason given'))[:80]}). "
            "Check that TEAMS_CLIENT_ID is the client id of a user-assigned identity that is assigned to the host."
        )

    async def close(self) -> None:
        self._session.close()


class Nobody:
    """No identity at all: for an edge that speaks to this machine only."""

    async def __call__(self) -> str:
        return ""

    def refused(self, token: str) -> None:
        del token

    async def close(self) -> None:
        return None


# Besides OSErrors (which those of requests are), msal lets its stumbling over an unexpected answer escape.
_MSAL_FAILS = (TimeoutError, OSError, ValueError, TypeError, AttributeError, KeyError)


class _Bounded:
    """What msal asks with; it sets no time limit itself. Identities are given out on the host, past any proxy."""

    def __init__(self) -> None:
        self._session = Session()
        self._session.trust_env = False

    def get(self, url: str, **kwargs: Any) -> Any:
        return self._session.get(url, timeout=LIMIT / 2, **kwargs)

    def post(self, url: str, **kwargs: Any) -> Any:
        return self._session.post(url, timeout=LIMIT / 2, **kwargs)

    def close(self) -> None:
        self._session.close()


def scope(login_url: str) -> str:
    """What the token is asked for; national clouds have their own."""
    clouds = (US_GOV, CHINA)
    return next(
        (cloud.bot_scope for cloud in clouds if cloud.login_endpoint == login_url.rstrip("/")), PUBLIC.bot_scope
    )


def _token(answer: Mapping[str, Any]) -> tuple[str, float] | None:
    token, seconds = answer.get("access_token"), answer.get("expires_in")
    try:
        return (token, float(seconds)) if isinstance(token, str) and token and seconds is not None else None
    except (TypeError, ValueError):
        return None


_ADVICE = {
    7000215: "TEAMS_CLIENT_SECRET is not a secret of this app. Take the secret's value, not its id.",
    7000222: "TEAMS_CLIENT_SECRET has expired. Make a new one in the app's registration (Certificates & secrets).",
    7000216: "TEAMS_CLIENT_SECRET is missing or unreadable. Make a new one in the app's registration.",
    7000229: "The app with TEAMS_CLIENT_ID is not in its tenant. Put it there: `az ad sp create --id <client id>`.",
    7000112: "The app with TEAMS_CLIENT_ID is disabled in this tenant. An administrator can enable it.",
    53003: "A Conditional Access policy of the tenant forbids it. An administrator can except this app from it.",
    700016: "There is no app with TEAMS_CLIENT_ID in the tenant TEAMS_TENANT_ID. Check both.",
    900023: "TEAMS_TENANT_ID is no tenant. Take the directory (tenant) id of the app's registration.",
    90002: "TEAMS_TENANT_ID is no tenant. Take the directory (tenant) id of the app's registration.",
    90013: "TEAMS_CLIENT_ID or TEAMS_TENANT_ID is not in the form of an id. Check both.",
}


def _refused(answer: Mapping[str, Any]) -> str:
    codes = answer.get("error_codes")
    numbers = [code for code in codes if isinstance(code, int)] if isinstance(codes, list) else []
    advice = next((_ADVICE[number] for number in numbers if number in _ADVICE), None)
    told = ", ".join((str(answer["error"])[:80], *(f"AADSTS{number}" for number in numbers)))
    return f"Microsoft refuses the bot's credentials ({told}). " + (
        advice or "Check TEAMS_CLIENT_ID, TEAMS_CLIENT_SECRET and TEAMS_TENANT_ID."
    )
