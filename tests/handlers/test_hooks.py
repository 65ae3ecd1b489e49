"""Deploys told by webhook: only signed ones, each once, mistakes by name, and nothing of a bad list."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from yarl import URL

from bot.errors import StoreFailed
from bot.reliability.deploys import Deploy
from bot.reliability.windows import Span
from bot.settings import HttpAddress
from handlers.hooks import BODY_LIMIT, hook_routes
from handlers.web import WebEdge

SECRET = "wombats-dig-at-night"
NOW = datetime(2026, 11, 16, 7, 20, 0, 250_000, tzinfo=UTC)
AT = datetime(2026, 11, 16, 7, 12, tzinfo=UTC)
SIGNED = int(NOW.timestamp())
HEADER = "X-Director-Signature"
CHECKOUT = {"service": "checkout", "version": "1.42.0", "at": "2026-11-16T07:12:00Z", "link": "https://ci.example/7"}
MALFORMED = "malformed X-Director-Signature header; write t=<unix seconds>,v1=<64 hexadecimal digits>"


@dataclass
class Log:
    """A deploy log in memory; with `fails` the database is away."""

    told: list[Deploy] = field(default_factory=list)
    fails: Exception | None = None

    async def note(self, deploy: Deploy) -> bool:
        if self.fails is not None:
            raise self.fails
        if any(
            (kept.service, kept.at, kept.version) == (deploy.service, deploy.at, deploy.version) for kept in self.told
        ):
            return False
        self.told.append(deploy)
        return True

    async def between(self, services: Sequence[str], span: Span) -> Sequence[Deploy]:
        return [deploy for deploy in self.told if deploy.service in services and span.start <= deploy.at <= span.end]


class Clock:
    def now(self) -> datetime:
        return NOW


@dataclass
class Hook:
    session: aiohttp.ClientSession
    log: Log
    url: URL

    async def tell(self, what: Any, header: str | None = None) -> tuple[int, Any]:
        """Post it, signed rightly unless a header is given; status and JSON of the answer."""
        body = what if isinstance(what, bytes) else json.dumps(what).encode()
        headers = {HEADER: signed(body) if header is None else header}
        async with self.session.post("/hooks/deploys", data=body, headers=headers) as answer:
            return answer.status, await answer.json()


@asynccontextmanager
async def listening(log: Log, services: Sequence[str] = ("checkout", "payments")) -> AsyncIterator[Hook]:
    edge = WebEdge(HttpAddress(host="127.0.0.1", port=0), hook_routes(SECRET, log, lambda: services, Clock()))
    url = await edge.start()
    try:
        async with aiohttp.ClientSession(url) as session:
            yield Hook(session, log, URL(url))
    finally:
        await edge.close()


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    async with listening(Log()) as found:
        yield found


def digest(body: bytes, t: object = SIGNED, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), f"{t}.".encode() + body, hashlib.sha256).hexdigest()


def signed(body: bytes, t: object = SIGNED) -> str:
    return f"t={t},v1={digest(body, t)}"


async def test_a_signed_deploy_is_kept(hook):
    assert await hook.tell(CHECKOUT) == (202, {"noted": 1, "known": 0})
    assert hook.log.told == [Deploy("checkout", AT, "1.42.0", "https://ci.example/7")]


async def test_the_same_again_is_known_also_when_no_time_was_said(hook):
    said = [CHECKOUT, {"service": "payments"}]
    assert await hook.tell(said) == (202, {"noted": 2, "known": 0})
    assert await hook.tell(said) == (202, {"noted": 0, "known": 2})
    assert hook.log.told[1] == Deploy("payments", datetime.fromtimestamp(SIGNED, UTC))


async def test_a_zone_of_the_sender_is_told_in_utc_and_what_is_unknown_or_null_left_alone(hook):
    said = {"service": " Checkout ", "at": "2026-11-16T08:12:00+01:00", "link": None, "by": {"who": "dana"}}
    assert await hook.tell(said) == (202, {"noted": 1, "known": 0})
    assert hook.log.told == [Deploy("checkout", AT)]


async def test_a_service_that_no_slo_file_names_is_kept_and_the_sender_told(hook):
    said = [{"service": "cart"}, {"service": "cart", "version": "2"}, {"service": "payments"}]
    note = "No SLO file names cart; what was told is kept and shows once one does."
    assert await hook.tell(said) == (202, {"noted": 3, "known": 0, "note": note})


@pytest.mark.parametrize("seconds", [-300, 300])
async def test_five_minutes_between_the_clocks_are_borne(seconds, hook):
    body = json.dumps({"service": "checkout"}).encode()
    status, _ = await hook.tell(body, signed(body, round((NOW + timedelta(seconds=seconds)).timestamp() - 0.25)))
    assert status == (202 if seconds > 0 else 401)  # the clock stands at a quarter past the second


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", MALFORMED),
        (f"t={SIGNED}", MALFORMED),
        (f"t={SIGNED},v1=", MALFORMED),
        (f"t={SIGNED},v1={'g' * 64}", MALFORMED),
        (f"t={SIGNED},v1={'a' * 63}", MALFORMED),
        (f"t={SIGNED},v1={'ä' * 64}", MALFORMED),
        (f"t=now,v1={'a' * 64}", MALFORMED),
        (f"t=-1,v1={'a' * 64}", MALFORMED),
        (f"t=٣,v1={'a' * 64}", MALFORMED),
        (f"t=,v1={'a' * 64}", MALFORMED),
        (f"t={'9' * 400},v1={'a' * 64}", MALFORMED),
        (f"t={SIGNED},t={SIGNED},v1={'a' * 64}", MALFORMED),
        (f"v1={'a' * 64}", MALFORMED),
        (f"t={SIGNED},v0={digest(b'{}')}", MALFORMED),
        (f"t={SIGNED},v1={'a' * 64}", "the signature doesn't match this body and time"),
        (f"t={SIGNED},v1={digest(b'{}', secret='other')}", "the signature doesn't match this body and time"),
        (f"t={SIGNED},v1={digest(b'{ }')}", "the signature doesn't match this body and time"),
        (f"t={SIGNED},v1={digest(b'{}', SIGNED - 1)}", "the signature doesn't match this body and time"),
        (signed(b"{}", SIGNED - 301), "signed more than 5 minutes ago or ahead; check both clocks and sign anew"),
        (signed(b"{}", SIGNED + 301), "signed more than 5 minutes ago or ahead; check both clocks and sign anew"),
        (signed(b"{}", 99_999_999_999), "signed more than 5 minutes ago or ahead; check both clocks and sign anew"),
    ],
)
async def test_what_is_not_signed_with_our_secret_is_refused_and_never_told_how_it_would_be(
    header, reason, hook, capfd
):
    assert await hook.tell(b"{}", header) == (401, {"error": reason})
    assert hook.log.told == []
    shown = "".join(capfd.readouterr())
    assert SECRET not in shown
    assert digest(b"{}") not in shown


async def test_a_header_that_is_missing_or_doubled_is_refused(hook):
    body = json.dumps(CHECKOUT).encode()
    for headers, reason in (
        ([], f"no {HEADER} header"),
        ([(HEADER, signed(body)), (HEADER, signed(body))], f"more than one {HEADER} header"),
    ):
        async with hook.session.post("/hooks/deploys", data=body, headers=headers) as answer:
            assert (answer.status, await answer.json()) == (401, {"error": reason})
    assert hook.log.told == []


async def test_one_right_signature_among_several_is_enough(hook):
    body = json.dumps(CHECKOUT).encode()
    header = f"t={SIGNED}, v1={digest(body, secret='the next secret')}, v0=old, v1={digest(body).upper()}"
    assert await hook.tell(body, header) == (202, {"noted": 1, "known": 0})


@pytest.mark.parametrize(
    ("said", "mistakes"),
    [
        ({}, ["service: is missing; name the service that was deployed"]),
        ({"service": "  "}, ["service: is missing; name the service that was deployed"]),
        (
            {"service": 7, "version": 1.42},
            ["service: is no text; put it in quotes", "version: is no text; put it in quotes"],
        ),
        ({"service": "s" * 201}, ["service: is longer than 200 characters"]),
        ({"service": "a", "version": "1\n2"}, ["version: holds control characters; leave them out"]),
        ({"service": "a", "version": "1\u202e2"}, ["version: holds control characters; leave them out"]),
        ({"service": "a", "version": "\ud800"}, ["version: holds control characters; leave them out"]),
        ({"service": "a", "version": "\x1b[31m"}, ["version: holds control characters; leave them out"]),
        ({"service": "a", "version": "1" * 101}, ["version: is longer than 100 characters"]),
        (
            {"service": "a", "at": "2026-11-16T07:12:00"},
            ['at: has no zone; write it like "2026-11-16T07:12:00Z"'],
        ),
        (
            {"service": "a", "at": "yesterday"},
            ['at: is no time; write it like "2026-11-16T07:12:00Z", or leave it out'],
        ),
        (
            {"service": "a", "at": 1_794_000_000},
            ['at: is no time; write it like "2026-11-16T07:12:00Z", or leave it out'],
        ),
        (
            {"service": "a", "at": "0001-01-01T00:00:00+14:00"},
            ['at: lies before 2000; write it like "2026-11-16T07:12:00Z"'],
        ),
        ({"service": "a", "at": "2026-11-16T07:25:01Z"}, ["at: lies ahead; tell a deploy when it begins, not before"]),
        (
            {"service": "a", "at": "9999-12-31T23:59:59-23:59"},
            ["at: lies ahead; tell a deploy when it begins, not before"],
        ),
        ([], ["the list is empty; send a deploy"]),
        ([CHECKOUT] * 101, ["the list has 101 deploys; send at most 100 at once"]),
        ("checkout", ['the body: is no object; write {"service": "checkout", "version": "1.42.0"}']),
        (
            [CHECKOUT, 7, {"service": "a", "link": "ftp://x"}],
            [
                '[1]: is no object; write {"service": "checkout", "version": "1.42.0"}',
                "[2].link: is no address; write one that begins with https:// or http://, without a password",
            ],
        ),
        (
            [{}] * 22,
            [*(f"[{n}].service: is missing; name the service that was deployed" for n in range(20)), "and 2 more"],
        ),
    ],
    ids=lambda value: None,
)
async def test_mistakes_are_named_by_field_and_nothing_is_kept(said, mistakes, hook):
    told = {"error": "nothing was stored, because of mistakes", "mistakes": mistakes}
    assert await hook.tell(said) == (400, told)
    assert hook.log.told == []


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "//ci.example",
        "https://",
        "https://user:password@ci.example",
        "https://ci.example:port/",
        "https://[ci",
        'https://ci.example/">',
        "https://ci.example/a b",
        "HTTPS\\ci",
    ],
)
async def test_only_addresses_of_the_web_are_links(link, hook):
    wrong = "link: is no address; write one that begins with https:// or http://, without a password"
    told = {"error": "nothing was stored, because of mistakes", "mistakes": [wrong]}
    assert await hook.tell({"service": "checkout", "link": link}) == (400, told)


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 60_000, b"\xff\xfe\x00", b'{"service": NaN', b"1" * 5_000])
async def test_a_body_that_is_no_json_is_refused(body, hook):
    assert await hook.tell(body) == (400, {"error": "the body is no JSON; nothing was stored"})


async def test_a_body_that_is_too_large_is_refused_whether_its_length_is_said_or_not(hook):
    large = b" " * (BODY_LIMIT + 1)
    refused = (413, {"error": "the body is larger than 64 KB; send fewer deploys at once"})
    assert await hook.tell(large) == refused

    async def pieces():
        for _ in range(5):
            yield b" " * (BODY_LIMIT // 4)

    async with hook.session.post("/hooks/deploys", data=pieces(), headers={HEADER: signed(large)}) as answer:
        assert (answer.status, await answer.json()) == refused


async def test_a_body_that_is_wrongly_packed_is_refused(hook):
    async with hook.session.post("/hooks/deploys", data=b"wombats", headers={"Content-Encoding": "gzip"}) as answer:
        assert (answer.status, await answer.json()) == (400, {"error": "the body can't be read"})


async def test_while_the_database_is_away_the_sender_is_asked_to_come_back():
    log = Log(fails=StoreFailed("The SQLite file director.db can't be used: the disk is full."))
    async with listening(log) as hook:
        body = json.dumps(CHECKOUT).encode()
        async with hook.session.post("/hooks/deploys", data=body, headers={HEADER: signed(body)}) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
            assert await answer.json() == {"error": "the database can't store deploys now; send the same again"}
        log.fails = None
        assert await hook.tell(body) == (202, {"noted": 1, "known": 0})


async def test_what_is_not_posted_is_not_heard(hook):
    async with hook.session.get("/hooks/deploys") as answer:
        assert answer.status == 405


async def test_a_hundred_senders_at_once_each_get_their_answer(hook):
    said = [{"service": "checkout", "version": str(number % 50)} for number in range(100)]
    answers = await asyncio.gather(*(hook.tell(one) for one in said))
    assert sorted(status for status, _ in answers) == [202] * 100
    assert sum(answer["noted"] for _, answer in answers) == len(hook.log.told) == 50
