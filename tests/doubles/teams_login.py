"""Where the double's tokens are got and checked: Entra's token endpoint, and the channel's published keys."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from uuid import uuid4

from aiohttp import web

from tests.doubles.teams_keys import SCOPE, Keys
from tests.doubles.teams_people import TENANT
from tests.doubles.teams_rules import Fault
from tests.doubles.teams_shown import Json

CLIENT_ID = "00000061-0000-4000-8000-000000000061"
SECRET = "teams-secret-of-the-tests"


class Login:
    """The part of the double that knows who is who."""

    def __init__(self, expires_in: int) -> None:
        self.keys, self.expires_in, self.url = Keys(), expires_in, ""
        self.token_requests: list[Json] = []
        self.key_requests = 0
        self.key_seconds = 0.0  # how slow the key server is
        self.token_seconds = 0.0
        self.token_fault: Fault | None = None
        self._tokens: dict[str, float] = {}

    def login_routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/.well-known/openidconfiguration", self._openid),
            web.get("/v1/.well-known/keys", self._published),
            web.post("/{tenant}/oauth2/v2.0/token", self._token),
        ]

    def bot_token(self) -> str:
        """A token that the connector takes, without asking for one."""
        token = uuid4().hex
        self._tokens[token] = time.monotonic() + self.expires_in
        return token

    def forget_tokens(self) -> None:
        """Every token that was given out is refused from now on."""
        self._tokens.clear()

    def _authorized(self, header: str | None) -> bool:
        kind, _, token = (header or "").partition(" ")
        return kind.lower() == "bearer" and self._tokens.get(token, 0.0) > time.monotonic()

    async def _openid(self, _: web.Request) -> web.Response:
        known = {"issuer": "https://api.botframework.com", "jwks_uri": f"{self.url}/v1/.well-known/keys"}
        known |= {"id_token_signing_alg_values_supported": ["RS256"]}  # type: ignore[dict-item]
        return web.json_response(known)

    async def _published(self, _: web.Request) -> web.Response:
        self.key_requests += 1
        if self.key_seconds:
            await asyncio.sleep(self.key_seconds)
        return web.json_response(self.keys.published())

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        shown = {name: value for name, value in form.items() if name != "client_secret"}
        self.token_requests.append({"tenant": request.match_info["tenant"], **shown})
        if self.token_seconds:
            await asyncio.sleep(self.token_seconds)
        if self.token_fault is not None:
            return web.Response(status=self.token_fault.status, text="<html>down</html>", content_type="text/html")
        refusal = _refusal(form, request.match_info["tenant"])
        if refusal is not None:
            status, error, description = refusal
            return web.json_response({"error": error, "error_description": description}, status=status)
        lasts = self.expires_in
        given = {"token_type": "Bearer", "expires_in": lasts, "ext_expires_in": lasts, "access_token": self.bot_token()}
        return web.json_response(given)


def _refusal(form: Mapping[str, str], tenant: str) -> tuple[int, str, str] | None:
    """What Entra would say against these words."""
    if form.get("grant_type") != "client_credentials":
        return 400, "unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type."
    if tenant.lower() not in (TENANT, "botframework.com"):
        return 400, "invalid_request", f"AADSTS90002: Tenant '{tenant}' not found."
    if form.get("client_id") != CLIENT_ID:
        return 400, "unauthorized_client", "AADSTS700016: Application was not found in the directory."
    if form.get("client_secret") != SECRET:
        return 401, "invalid_client", "AADSTS7000215: Invalid client secret provided."
    if form.get("scope") != SCOPE:
        return 400, "invalid_scope", "AADSTS70011: The provided value for the input parameter 'scope' is not valid."
    return None
