"""Whether a request comes from Teams: every way of not being from there is refused, and nothing waits for the keys."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.errors import UsageError
from handlers.teams.sdk import PUBLIC, US_GOV
from handlers.teams.tokens import COOLDOWN, LASTING, KeysUnreachable, Refused, Tokens
from tests.doubles.loop import longest_hold
from tests.doubles.teams_keys import Keys

CLIENT = "99999999-8888-4777-8666-555555555555"
SERVICE = "https://smba.trafficmanager.net/amer/"
BODY = {"type": "message", "channelId": "msteams", "serviceUrl": SERVICE}


class Clock:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@dataclass
class KeyServer:
    """Where Bot Framework's keys are got."""

    keys: Keys
    url: str = ""
    asked: int = 0
    delay: float = 0.0
    status: int = 200
    document: Any = None

    async def answer(self, _: web.Request) -> web.StreamResponse:
        self.asked += 1
        await asyncio.sleep(self.delay)
        document = self.document if self.document is not None else self.keys.published()
        return web.json_response(document, status=self.status)

    def token(self, **claims: Any) -> str:
        return "Bearer " + self.keys.token(**{"audience": CLIENT, "service_url": SERVICE, **claims})


@pytest.fixture(scope="module")
def made_keys() -> Keys:
    return Keys()


@pytest.fixture
async def teams(made_keys) -> AsyncIterator[KeyServer]:
    found = KeyServer(made_keys)
    app = web.Application()
    app.router.add_get("/v1/.well-known/keys", found.answer)
    server = TestServer(app)
    await server.start_server(shutdown_timeout=0.01)
    found.url = str(server.make_url("/v1/.well-known/openidconfiguration"))
    yield found
    await server.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def tokens(teams, clock) -> AsyncIterator[Tokens]:
    made = Tokens(CLIENT, teams.url, now=clock)
    yield made
    await made.close()


async def refused(tokens: Tokens, authorization: str | None, body: dict[str, Any] | None = None) -> int:
    with pytest.raises(Refused) as no:
        await tokens.check(authorization, BODY if body is None else body)
    assert not any(len(part) > 20 and part in str(no.value) for part in (authorization or "").split("."))
    return no.value.status


# --- who is let in ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("audience", [CLIENT, f"api://{CLIENT}", f"api://botid-{CLIENT}"])
async def test_a_token_of_teams_for_this_bot_is_let_in(tokens, teams, audience):
    await tokens.check(teams.token(audience=audience), BODY)


async def test_the_scheme_may_be_written_small_and_the_address_without_its_slash(tokens, teams):
    await tokens.check(teams.token().replace("Bearer", "bearer"), {**BODY, "serviceUrl": SERVICE.rstrip("/")})


async def test_a_clock_that_is_a_few_minutes_off_is_borne(tokens, teams):
    now = int(time.time())

    await tokens.check(teams.token(exp=now - 200), BODY)
    await tokens.check(teams.token(nbf=now + 200, iat=now + 200), BODY)


# --- who is not ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("forged", ["none", "HS256", "stranger", "kid"])
async def test_a_token_that_bot_framework_did_not_sign_is_refused(tokens, teams, forged):
    assert await refused(tokens, teams.token(forged=forged)) == 401


@pytest.mark.parametrize(
    "claims",
    [
        {"audience": "00000000-0000-4000-8000-000000000000"},
        {"audience": ""},
        {"audience": None},
        {"iss": "https://sts.windows.net/someone/"},
        {"iss": "https://api.botframework.com.evil.example"},
        {"iss": None},
        {"exp": int(time.time()) - 3600},
        {"exp": None, "iat": None, "nbf": None},
        {"exp": "soon"},
        {"nbf": int(time.time()) + 3600},
        {"service_url": "https://smba.trafficmanager.net/emea/"},
        {"service_url": "https://evil.example/amer/"},
        {"service_url": ""},
        {"service_url": None},
        {"service_url": ["https://smba.trafficmanager.net/amer/"]},
        {"service_url": 7},
    ],
    ids=", ".join,
)
async def test_a_token_with_a_wrong_claim_is_refused(tokens, teams, claims):
    assert await refused(tokens, teams.token(**claims)) == 401


@pytest.mark.parametrize(
    "service_url", [None, "", 7, ["x"], "https://smba.trafficmanager.net/amer/evil", "https://evil.example/"]
)
async def test_a_body_with_another_address_than_the_token_is_refused(tokens, teams, service_url):
    assert await refused(tokens, teams.token(), {**BODY, "serviceUrl": service_url}) == 401


async def test_a_body_without_an_address_is_refused(tokens, teams):
    assert await refused(tokens, teams.token(), {"channelId": "msteams"}) == 401


@pytest.mark.parametrize("channel", [None, "slack", "directline", ["msteams"]])
async def test_a_key_that_does_not_speak_for_the_channel_is_refused(tokens, teams, channel):
    assert await refused(tokens, teams.token(), {**BODY, "channelId": channel}) == 401


def encoded(head: bytes, body: bytes = b"{}") -> str:
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (head, body, b"x"))


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic abc",
        "Bearer abc",
        "Bearer a.b.c",
        "Bearer \udcff\udc00.\udcff.x",
        "Bearer ëöü.ï.x",
        f"Bearer {encoded(b'[]')}",
        f"Bearer {encoded(b'7')}",
        f"Bearer {encoded(b'{}')}",
        f"Bearer {encoded(json.dumps({'alg': 'RS256'}).encode())}",
        f"Bearer {encoded(json.dumps({'alg': 'RS256', 'kid': 7}).encode())}",
        f"Bearer {encoded(json.dumps({'alg': ['RS256'], 'kid': {}}).encode())}",
        f"Bearer {encoded(json.dumps({'alg': 'HS256', 'kid': 'x'}).encode())}",
        f"Bearer {encoded(json.dumps({'alg': 'none', 'kid': 'x'}).encode())}",
        f"Bearer {encoded(b'[' * 5000)}",
        "Bearer " + encoded(b"\xff\xfe"),
    ],
    ids=range(19),
)
async def test_what_is_no_token_is_refused_without_asking_for_keys(tokens, teams, authorization):
    assert await refused(tokens, authorization) == 401
    assert teams.asked == 0


@pytest.mark.parametrize("body", [b"[]", b"7", b"\xff", b"{}", b"[" * 5000])
async def test_a_token_with_a_well_formed_head_and_a_strange_body_is_refused(tokens, teams, body):
    head = json.dumps({"alg": "RS256", "kid": teams.keys.kid}).encode()

    assert await refused(tokens, f"Bearer {encoded(head, body)}") == 401


async def test_other_algorithms_of_the_same_key_are_refused(tokens, teams):
    token = jwt.encode({"aud": CLIENT}, teams.keys._keys[teams.keys.kid], "PS256", headers={"kid": teams.keys.kid})

    assert await refused(tokens, f"Bearer {token}") == 401


# --- keys ------------------------------------------------------------------------------------------------------------


async def test_keys_are_fetched_once(tokens, teams):
    teams.delay = 0.1

    await asyncio.gather(*(tokens.check(teams.token(), BODY) for _ in range(20)))

    assert teams.asked == 1


async def test_slow_keys_hold_nothing_else_up(tokens, teams):
    teams.delay = 1.0

    assert await longest_hold(tokens.check(teams.token(), BODY)) < 0.25


async def test_a_new_key_is_taken_up_with_the_first_token_signed_with_it(teams, clock):
    teams.keys = Keys()
    tokens = Tokens(CLIENT, teams.url, now=clock)
    await tokens.check(teams.token(), BODY)
    clock.at += COOLDOWN
    before = teams.token()
    teams.keys.rotate(retire=True)

    await tokens.check(teams.token(), BODY)

    assert await refused(tokens, before) == 401  # the old key was taken back
    assert teams.asked == 2
    await tokens.close()


async def test_a_flood_of_unknown_keys_asks_once_and_keeps_nobody_out(tokens, teams, clock):
    await tokens.check(teams.token(), BODY)
    clock.at += COOLDOWN
    teams.delay = 0.3
    flood = [asyncio.ensure_future(refused(tokens, teams.token(forged="kid"))) for _ in range(200)]
    await asyncio.sleep(0.05)
    began = time.monotonic()

    await tokens.check(teams.token(), BODY)

    assert time.monotonic() - began < 0.2
    assert await asyncio.gather(*flood) == [401] * 200
    assert teams.asked == 2


async def test_known_keys_serve_on_while_new_ones_cannot_be_fetched(tokens, teams, clock):
    await tokens.check(teams.token(), BODY)
    clock.at += LASTING
    teams.status = 503

    await tokens.check(teams.token(), BODY)
    await tokens.check(teams.token(), BODY)

    assert teams.asked == 2


async def test_old_keys_are_fetched_again(tokens, teams, clock):
    await tokens.check(teams.token(), BODY)
    clock.at += LASTING

    await tokens.check(teams.token(), BODY)

    assert teams.asked == 2


@pytest.mark.parametrize(
    "document", [[], {}, {"keys": []}, {"keys": [7, {}, {"kid": "x", "kty": "oct", "k": "eA"}, {"kid": "y"}]}]
)
async def test_without_any_key_nobody_is_told_off_but_asked_to_come_again(tokens, teams, clock, document):
    teams.document = document

    with pytest.raises(KeysUnreachable) as no:
        await tokens.check(teams.token(), BODY)
    assert no.value.status == 503

    teams.document = None
    clock.at += 2
    await tokens.check(teams.token(), BODY)


async def test_without_a_key_server_nobody_is_told_off_but_asked_to_come_again(tokens, teams):
    teams.status = 500

    assert await refused(tokens, teams.token()) == 503


@pytest.mark.parametrize("cloud", [PUBLIC, US_GOV])
def test_every_clouds_own_address_is_taken(cloud):
    Tokens(CLIENT, cloud.openid_metadata_url)


def test_an_address_that_leads_to_no_keys_is_a_mistake_in_the_settings():
    with pytest.raises(UsageError, match="TEAMS_OPENID_URL must end in /openidconfiguration"):
        Tokens(CLIENT, "https://login.botframework.com/v1/.well-known/keys")
