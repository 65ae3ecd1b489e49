"""The bot's own token: got once, kept, renewed in time, and what is said when Microsoft gives none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.errors import Unreachable, UsageError
from handlers.teams.credentials import (
    CredentialsRefused,
    LoginUnreachable,
    ManagedIdentity,
    Nobody,
    Secret,
    scope,
)
from tests.doubles.loop import longest_hold

TENANT = "11111111-2222-4333-8444-555555555555"
CLIENT = "99999999-8888-4777-8666-555555555555"
HIDDEN = "s3cr3t~value"


class Clock:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@dataclass
class Login:
    """Where tokens are got: numbers them, and fails on demand."""

    url: str = ""
    status: int = 200
    body: Any = None
    delay: float = 0.0
    seconds: Any = 3600
    cut: bool = False
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        form = dict(await request.post()) if request.method == "POST" else dict(request.query)
        self.asked.append((request.path, form))
        await asyncio.sleep(self.delay)
        if self.cut:
            request.transport.abort()
        if isinstance(self.body, str):
            return web.Response(status=self.status, text=self.body, content_type="text/html")
        granted = {"access_token": f"token-{len(self.asked)}", "expires_in": self.seconds, "token_type": "Bearer"}
        return web.json_response(granted if self.body is None else self.body, status=self.status)


@pytest.fixture
async def login() -> AsyncIterator[Login]:
    found = Login()
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", found.answer)
    server = TestServer(app)
    await server.start_server(shutdown_timeout=0.01)
    found.url = str(server.make_url("")).rstrip("/")
    yield found
    await server.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def secret(login, clock) -> AsyncIterator[Secret]:
    made = Secret(login.url, TENANT, CLIENT, HIDDEN, now=clock)
    yield made
    await made.close()


# --- a client secret -------------------------------------------------------------------------------------------------


async def test_a_token_is_asked_for_in_the_bots_own_tenant(secret, login):
    assert await secret() == "token-1"

    asked = {
        "grant_type": "client_credentials",
        "client_id": CLIENT,
        "client_secret": HIDDEN,
        "scope": "https://api.botframework.com/.default",
    }
    assert login.asked == [(f"/{TENANT}/oauth2/v2.0/token", asked)]


@pytest.mark.parametrize(
    ("login_url", "wanted"),
    [
        ("https://login.microsoftonline.com", "https://api.botframework.com/.default"),
        ("https://login.microsoftonline.us/", "https://api.botframework.us/.default"),
        ("https://login.partner.microsoftonline.cn", "https://api.botframework.azure.cn/.default"),
    ],
)
def test_every_cloud_has_its_own_scope(login_url, wanted):
    assert scope(login_url) == wanted


async def test_a_token_is_kept_until_shortly_before_its_end(secret, login, clock):
    first = await secret()
    clock.at += 3600 - 301
    kept = await secret()
    clock.at += 2
    renewed = await secret()

    assert (first, kept, renewed) == ("token-1", "token-1", "token-2")


async def test_a_token_that_teams_refuses_is_not_given_out_again(secret, login):
    first = await secret()
    secret.refused("another that was refused")
    assert await secret() == first

    secret.refused(first)

    await secret()
    assert len(login.asked) == 2


async def test_a_token_that_does_not_last_is_kept_for_half_its_time(secret, login, clock):
    login.seconds = "200"
    tokens = [await secret()]
    for _ in range(3):
        clock.at += 60
        tokens.append(await secret())

    assert tokens == ["token-1", "token-1", "token-2", "token-2"]


async def test_many_who_want_a_token_at_once_make_one_request(secret, login):
    login.delay = 0.1

    assert await asyncio.gather(*(secret() for _ in range(50))) == ["token-1"] * 50
    assert len(login.asked) == 1


async def test_all_who_wait_for_a_login_that_fails_wait_for_it_once(secret, login):
    login.delay, login.status = 0.2, 503
    began = time.monotonic()

    outcomes = await asyncio.gather(*(secret() for _ in range(20)), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [LoginUnreachable] * 20
    assert (len(login.asked), time.monotonic() - began < 2) == (1, True)
    login.status = 200
    assert await secret() == "token-2"


async def test_a_renewal_that_failed_holds_up_nobody_while_the_token_is_good(secret, login, clock):
    await secret()
    login.status, login.body = 503, "<html>"
    clock.at += 3400
    tokens = [await secret() for _ in range(5)]
    clock.at += 31
    tokens.append(await secret())

    assert tokens == ["token-1"] * 6
    assert len(login.asked) == 3


async def test_one_who_gives_up_waiting_leaves_the_others_a_token(secret, login):
    login.delay = 0.2
    first = asyncio.ensure_future(secret())
    second = asyncio.ensure_future(secret())
    await asyncio.sleep(0.05)
    first.cancel()

    assert await second == "token-2"


async def test_a_slow_login_holds_nothing_else_up(secret, login):
    login.delay = 0.5

    assert await longest_hold(secret()) < 0.25


async def test_a_token_that_is_still_good_serves_on_while_the_login_is_away(secret, login, clock):
    await secret()
    login.status, login.body = 503, "<html>"
    clock.at += 3500
    kept = await secret()
    clock.at += 101

    assert kept == "token-1"
    with pytest.raises(LoginUnreachable):
        await secret()


REFUSALS = [
    (7000215, "TEAMS_CLIENT_SECRET is not a secret of this app. Take the secret's value, not its id."),
    (
        7000222,
        "TEAMS_CLIENT_SECRET has expired. Make a new one in the app's registration (Certificates & secrets).",
    ),
    (700016, "There is no app with TEAMS_CLIENT_ID in the tenant TEAMS_TENANT_ID. Check both."),
    (90002, "TEAMS_TENANT_ID is no tenant. Take the directory (tenant) id of the app's registration."),
    (
        53003,
        "A Conditional Access policy of the tenant forbids it. An administrator can except this app from it.",
    ),
    (12345, "Check TEAMS_CLIENT_ID, TEAMS_CLIENT_SECRET and TEAMS_TENANT_ID."),
]


@pytest.mark.parametrize(("number", "advice"), REFUSALS)
async def test_refused_credentials_say_which_variable_to_check(secret, login, number, advice):
    login.status = 401
    login.body = {
        "error": "invalid_client",
        "error_description": f"AADSTS{number}: The secret {HIDDEN} …",
        "error_codes": [number],
    }

    with pytest.raises(CredentialsRefused) as no:
        await secret()

    assert str(no.value) == f"Microsoft refuses the bot's credentials (invalid_client, AADSTS{number}). {advice}"
    assert isinstance(no.value, UsageError)


async def test_a_refusal_without_numbers_is_one_too(secret, login):
    login.status, login.body = 400, {"error": "unauthorized_client", "error_codes": "none"}

    with pytest.raises(CredentialsRefused, match=r"\(unauthorized_client\)"):
        await secret()


async def test_a_login_that_is_not_there_points_to_its_variables(secret, login):
    login.status, login.body = 404, "<html>Not found</html>"

    with pytest.raises(CredentialsRefused, match="TEAMS_LOGIN_URL for TEAMS_TENANT_ID"):
        await secret()


async def test_after_a_refusal_new_rights_are_seen(secret, login):
    login.status, login.body = 401, {"error": "invalid_client"}
    with pytest.raises(CredentialsRefused):
        await secret()
    login.status, login.body = 200, None

    assert await secret() == "token-2"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, "<html>"),
        (503, {"error": "temporarily_unavailable"}),
        (429, {"error": "too_many"}),
        (302, ""),
        (200, "<html>a captive portal</html>"),
        (200, []),
        (200, {"access_token": ""}),
        (200, {"access_token": "x"}),
        (200, {"access_token": "x", "expires_in": "soon"}),
        (200, {"access_token": "x", "expires_in": [1]}),
        (400, "<html>a proxy's page</html>"),
    ],
)
async def test_a_login_that_fails_in_passing_is_asked_again_later(secret, login, status, body):
    login.status, login.body = status, body

    with pytest.raises(LoginUnreachable) as no:
        await secret()

    assert isinstance(no.value, Unreachable)


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (503, "That passes as a rule"),
        (429, "That passes as a rule"),
        (302, "Something else seems to answer there: check TEAMS_LOGIN_URL and HTTPS_PROXY"),
        (200, "Something else seems to answer there: check TEAMS_LOGIN_URL and HTTPS_PROXY"),
    ],
)
async def test_an_answer_without_a_token_says_where_it_came_from_and_what_to_do(secret, login, status, remedy):
    login.status, login.body = status, "<html>sign in to this network</html>"

    with pytest.raises(LoginUnreachable) as no:
        await secret()

    assert f"(HTTP {status} from {login.url})" in str(no.value)
    assert remedy in str(no.value)


async def test_a_login_that_cuts_the_connection_is_asked_again_later(secret, login):
    login.cut = True

    with pytest.raises(LoginUnreachable, match=r"Let this host reach http://127\.0\.0\.1:.*TEAMS_LOGIN_URL"):
        await secret()


async def test_where_no_login_listens_the_message_says_what_to_check(clock):
    secret = Secret("http://127.0.0.1:9", TENANT, CLIENT, HIDDEN, now=clock)

    with pytest.raises(LoginUnreachable, match=r"Let this host reach http://127\.0\.0\.1:.*TEAMS_LOGIN_URL"):
        await secret()
    await secret.close()


# --- a managed identity ----------------------------------------------------------------------------------------------


@pytest.fixture
def host(login, monkeypatch) -> Login:
    """A host that speaks App Service's protocol."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{login.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "a-header")
    for name in ("IDENTITY_SERVER_THUMBPRINT", "AZUREML_RUN_ID", "IMDS_ENDPOINT", "MSI_ENDPOINT", "MSI_SECRET"):
        monkeypatch.delenv(name, raising=False)
    login.body = {"access_token": "from-the-host", "expires_on": int(time.time()) + 3600, "resource": "x"}
    return login


@pytest.fixture
async def identity(clock) -> AsyncIterator[ManagedIdentity]:
    made = ManagedIdentity(CLIENT, now=clock)
    yield made
    await made.close()


async def test_the_host_gives_the_process_its_token(identity, host):
    assert [await identity(), await identity()] == ["from-the-host"] * 2

    ((path, asked),) = host.asked
    assert path == "/msi/token"
    assert asked == {"resource": "https://api.botframework.com", "api-version": "2019-08-01", "client_id": CLIENT}


async def test_an_identity_is_never_asked_for_through_a_proxy(identity, host, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)

    assert await identity() == "from-the-host"


async def test_a_slow_host_holds_nothing_else_up(identity, host):
    host.delay = 0.5

    assert await longest_hold(identity()) < 0.25
    assert await identity() == "from-the-host"


async def test_an_identity_that_is_not_assigned_points_to_its_variable(identity, host):
    host.status, host.body = 400, {"statusCode": 400, "message": "No User Assigned or Delegated Managed Identity found"}

    with pytest.raises(CredentialsRefused, match="assigned to the host"):
        await identity()


@pytest.mark.parametrize("body", ["<html>", [], {"unexpected": 1}])
@pytest.mark.parametrize("status", [200, 500])
async def test_a_host_that_talks_nonsense_is_one_of_our_errors(identity, host, status, body):
    host.status, host.body = status, body

    with pytest.raises((CredentialsRefused, LoginUnreachable)):
        await identity()


async def test_a_host_without_an_identity_endpoint_says_what_to_do(identity, host, monkeypatch):
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:9/msi/token")

    with pytest.raises(LoginUnreachable, match="TEAMS_MANAGED_IDENTITY"):
        await identity()


# --- nobody ----------------------------------------------------------------------------------------------------------


async def test_nobody_has_no_token():
    nobody = Nobody()

    assert await nobody() == ""
    await nobody.close()
