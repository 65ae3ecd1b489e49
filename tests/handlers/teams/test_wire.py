"""Calls to the Bot Connector: what goes over the line, what is repeated, and what is said of a failure."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.ports import CannotPost, DeliveryFailed
from handlers.teams.credentials import CredentialsRefused, LoginUnreachable
from handlers.teams.http import proxy
from handlers.teams.sdk import Account, ChannelInfo, MessageActivityInput, TypingActivityInput
from handlers.teams.trouble import ConnectorError, ConnectorUnreachable, best_effort, in_words
from handlers.teams.wire import Where, Wire

TENANT = "11111111-2222-4333-8444-555555555555"
PERSON = "29:1AbC-d_Ef"
THREAD = "19:ab12@thread.tacv2;messageid=1700000000000"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Connector:
    """Plays one answer after the other, the last one for ever, and keeps what it was asked."""

    answers: list[Answer]
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    peers: set[Any] = field(default_factory=set)
    url: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        self.asked.append((request.method, request.raw_path, body))
        self.headers.append(dict(request.headers))
        self.peers.add(request.transport.get_extra_info("peername"))
        return await (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])(request)

    @property
    def where(self) -> Where:
        return Where(self.url, THREAD)

    @property
    def methods(self) -> list[str]:
        return [method for method, _, _ in self.asked]


def says(status: int, body: Any = None, **headers: str) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, str):
            return web.Response(status=status, text=body, content_type="text/html", headers=named)
        return (
            web.Response(status=status, headers=named)
            if body is None
            else web.json_response(body, status=status, headers=named)
        )

    return answer


def error(status: int, code: str, **headers: str) -> Answer:
    return says(status, {"error": {"code": code, "message": "as documented"}}, **headers)


async def cuts(request: web.Request) -> web.StreamResponse:
    request.transport.abort()
    return web.Response()


async def sleeps(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


async def hangs_up(request: web.Request) -> web.StreamResponse:
    """Answers, and closes the connection without having said so."""
    asyncio.get_running_loop().call_later(0.01, request.transport.close)
    return await GOOD(request)


async def drips(request: web.Request) -> web.StreamResponse:
    """Says a little all the time, and never ends: no wait on the socket is long."""
    response = web.StreamResponse(headers={"Content-Length": "100000"})
    await response.prepare(request)
    for _ in range(300):
        await response.write(b" ")
        await asyncio.sleep(0.02)
    return response


GOOD = says(201, {"id": "1700000000001"})


def http_date(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.fixture
async def connector() -> AsyncIterator[Callable[..., Awaitable[Connector]]]:
    servers: list[TestServer] = []

    async def start(*answers: Answer) -> Connector:
        made = Connector(list(answers))
        app = web.Application()
        app.router.add_route("*", "/{anything:.*}", made.answer)
        servers.append(TestServer(app, skip_url_asserts=True))
        await servers[-1].start_server(shutdown_timeout=0.01)
        made.url = str(servers[-1].make_url("/amer/"))
        return made

    yield start
    for server in servers:
        await server.close()


async def token() -> str:
    return "a-token"


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    made = Wire(token, client_id="app", timeout=0.5, pause=0.01)
    yield made
    await made.close()


def message(text: str = "62 % of the budget is left") -> MessageActivityInput:
    return MessageActivityInput(text=text)


# --- what goes over the line -----------------------------------------------------------------------------------------


async def test_a_message_goes_to_its_thread_and_gives_its_id(connector, wire):
    teams = await connector(GOOD)

    assert await wire.send(teams.where, message()) == "1700000000001"

    assert teams.asked == [
        (
            "POST",
            f"/amer/v3/conversations/{THREAD}/activities",
            {
                "type": "message",
                "text": "62 % of the budget is left",
                "from": {"id": "28:app"},
                "conversation": {"id": THREAD},
            },
        )
    ]
    assert teams.headers[0]["Authorization"] == "Bearer a-token"
    assert teams.headers[0]["Content-Type"] == "application/json; charset=utf-8"


async def test_a_targeted_message_says_so_in_its_address(connector, wire):
    teams = await connector(GOOD)
    sent = MessageActivityInput(text="only you", recipient=Account(id=PERSON, is_targeted=True))

    assert await wire.targeted(teams.where, sent) == "1700000000001"

    ((_, path, body),) = teams.asked
    assert path == f"/amer/v3/conversations/{THREAD}/activities?isTargetedActivity=true"
    assert body["recipient"] == {"id": PERSON, "isTargeted": True}


async def test_a_message_is_edited_and_deleted_under_its_id(connector, wire):
    teams = await connector(says(200, {"id": "17"}), says(200))

    await wire.update(teams.where, "17", message("38 %"))
    await wire.delete(teams.where, "17")

    path = f"/amer/v3/conversations/{THREAD}/activities/17"
    edited = {"type": "message", "id": "17", "text": "38 %", "from": {"id": "28:app"}, "conversation": {"id": THREAD}}
    assert teams.asked == [("PUT", path, edited), ("DELETE", path, None)]


@pytest.mark.parametrize(
    "answer",
    [says(201), says(200, {}), says(201, {"id": "DO_NOT_USE_PLACEHOLDER_ID"}), says(202, "<html>"), says(200, [1])],
    ids=["nothing", "no id", "the placeholder", "a page", "a list"],
)
async def test_a_message_taken_without_an_id_has_none(connector, wire, answer):
    teams = await connector(answer)

    assert await wire.send(teams.where, TypingActivityInput()) == ""
    await wire.update(teams.where, "17", message())

    assert teams.methods == ["POST", "PUT"]


@pytest.mark.parametrize("url", ["/amer", "/amer/"])
async def test_an_address_with_and_without_a_slash_is_the_same(connector, wire, url):
    teams = await connector(GOOD)

    await wire.send(Where(teams.url.removesuffix("/amer/") + url, "a:1x_y-Z"), message())

    assert teams.asked[0][1] == "/amer/v3/conversations/a:1x_y-Z/activities"


async def test_an_id_never_becomes_another_address(connector, wire):
    teams = await connector(GOOD)

    await wire.send(Where(teams.url, "a:1/../x?y#z %41"), message())

    assert teams.asked[0][1] == "/amer/v3/conversations/a:1%2F..%2Fx%3Fy%23z%20%2541/activities"


async def test_a_member_is_looked_up_in_the_conversation(connector, wire):
    account = {"id": PERSON, "name": "Maya", "objectId": "oid", "userRole": "guest", "tenantId": TENANT}
    teams = await connector(says(200, account))

    found = await wire.member(teams.where, PERSON)

    assert teams.asked == [("GET", f"/amer/v3/conversations/{THREAD}/members/{PERSON}", None)]
    assert (found.id, found.name, found.aad_object_id, found.user_role, found.tenant_id) == (
        PERSON,
        "Maya",
        "oid",
        "guest",
        TENANT,
    )


async def test_a_personal_conversation_is_asked_for_by_person_and_tenant(connector, wire):
    teams = await connector(says(201, {"id": "a:1personal"}))

    assert await wire.direct(teams.url, TENANT, "an-entra-id") == "a:1personal"

    asked = {
        "bot": {"id": "28:app"},
        "members": [{"id": "an-entra-id"}],
        "isGroup": False,
        "tenantId": TENANT,
        "channelData": {"tenant": {"id": TENANT}},
    }
    assert teams.asked == [("POST", "/amer/v3/conversations", asked)]


async def test_channels_are_listed_also_the_one_without_a_name_and_one_of_a_new_kind(connector, wire):
    listed = [{"id": "19:general"}, {"id": "19:pay", "name": "Payments", "type": "yet-unheard-of"}, {"name": "no id"}]
    listed.append({"id": "19:board", "name": "Board", "type": "private"})
    teams = await connector(says(200, {"conversations": listed}))

    found = await wire.channels(teams.url, "19:team@thread.tacv2")

    assert teams.asked == [("GET", "/amer/v3/teams/19:team@thread.tacv2/conversations", None)]
    assert found == [
        ChannelInfo(id="19:general"),
        ChannelInfo(id="19:pay", name="Payments"),
        ChannelInfo(id="19:board", name="Board", type="private"),
    ]


@pytest.mark.parametrize("answer", [says(200), says(200, []), says(200, {"id": 5}), says(200, "<html>")])
async def test_an_answer_that_lacks_what_was_asked_for_is_trouble(connector, wire, answer):
    teams = await connector(answer)

    with pytest.raises(ConnectorError, match="unreadable"):
        await wire.member(teams.where, PERSON)


async def test_without_an_identity_no_token_is_sent(connector):
    teams = await connector(GOOD)

    async def nobody() -> str:
        return ""

    wire = Wire(nobody, client_id="app")
    await wire.send(teams.where, message())
    await wire.close()

    assert "Authorization" not in teams.headers[0]


async def test_calls_share_a_connection(connector, wire):
    teams = await connector(GOOD)

    for _ in range(5):
        await wire.send(teams.where, message())

    assert len(teams.peers) == 1


async def test_a_connection_that_teams_closed_meanwhile_loses_no_message(connector, wire):
    teams = await connector(hangs_up)

    for _ in range(5):
        assert await wire.send(teams.where, message()) == "1700000000001"
        await asyncio.sleep(0.05)

    assert (len(teams.asked), len(teams.peers)) == (5, 5)


# --- what is repeated ------------------------------------------------------------------------------------------------

NOT_TAKEN = {"429": error(429, "Throttled"), "412": error(412, "PreconditionFailed"), "408": says(408)}
MAYBE_TAKEN = {
    "500": error(500, "ServiceError"),
    "502": says(502, "<html>Bad Gateway</html>"),
    "503": says(503),
    "504": error(504, "GatewayTimeout"),
    "cut": cuts,
    "slow": sleeps,
    "dripping": drips,
}


@pytest.mark.parametrize("answer", NOT_TAKEN)
async def test_a_message_that_was_not_taken_is_sent_again_once(connector, wire, answer):
    teams = await connector(NOT_TAKEN[answer], GOOD)

    assert await wire.send(teams.where, message()) == "1700000000001"

    assert teams.methods == ["POST", "POST"]


@pytest.mark.parametrize("answer", MAYBE_TAKEN)
async def test_a_message_that_may_have_been_taken_is_not_sent_again(connector, wire, answer):
    teams = await connector(MAYBE_TAKEN[answer], GOOD)

    with pytest.raises((ConnectorError, ConnectorUnreachable)) as trouble:
        await wire.send(teams.where, message())

    assert trouble.value.maybe is True
    assert teams.methods == ["POST"]
    assert isinstance(in_words(trouble.value), DeliveryFailed)


@pytest.mark.parametrize("answer", NOT_TAKEN | MAYBE_TAKEN)
async def test_what_can_be_said_twice_is_repeated_once(connector, wire, answer):
    bad = (NOT_TAKEN | MAYBE_TAKEN)[answer]
    teams = await connector(
        bad, says(200), bad, says(200), bad, says(200, {"id": PERSON}), bad, says(201, {"id": "a:1"})
    )

    await wire.update(teams.where, "17", message())
    await wire.delete(teams.where, "17")
    await wire.member(teams.where, PERSON)
    await wire.direct(teams.url, TENANT, PERSON)

    assert teams.methods == ["PUT", "PUT", "DELETE", "DELETE", "GET", "GET", "POST", "POST"]


async def test_a_second_failure_is_handed_up(connector, wire):
    teams = await connector(error(503, "ServiceError"))

    with pytest.raises(ConnectorError) as trouble:
        await wire.update(teams.where, "17", message())

    assert (trouble.value.status, trouble.value.code, teams.methods) == (503, "ServiceError", ["PUT", "PUT"])


@pytest.mark.parametrize("answer", ["cut", "502"])
async def test_a_message_deleted_by_a_first_try_without_an_answer_is_deleted(connector, wire, answer):
    teams = await connector(MAYBE_TAKEN[answer], error(404, "ActivityNotFoundInConversation"))

    await wire.delete(teams.where, "17")

    assert teams.methods == ["DELETE", "DELETE"]


async def test_a_short_wait_is_waited_for(connector, wire):
    teams = await connector(error(429, "Throttled", Retry_After="0.3"), GOOD)
    began = time.monotonic()

    await wire.send(teams.where, message())

    assert time.monotonic() - began >= 0.3


async def test_a_long_wait_is_handed_up_at_once(connector, wire):
    teams = await connector(error(429, "Throttled", Retry_After="40"), GOOD)

    with pytest.raises(ConnectorError) as trouble:
        await wire.send(teams.where, message())

    words = in_words(trouble.value)
    assert (trouble.value.retry_after, trouble.value.maybe, teams.methods) == (40, False, ["POST"])
    assert isinstance(words, DeliveryFailed)
    assert words.retry_after == 40


async def test_a_wait_until_a_date_is_waited_for_by_whoever_delivers_later(connector, wire):
    teams = await connector(error(429, "Throttled", Retry_After=http_date(40)), GOOD)

    with pytest.raises(ConnectorError) as trouble:
        await wire.send(teams.where, message())

    assert 35 < trouble.value.retry_after <= 40
    assert teams.methods == ["POST"]


async def test_a_wait_of_no_length_is_left_to_whoever_delivers_later(connector, wire):
    teams = await connector(error(429, "Throttled"))

    with pytest.raises(ConnectorError) as trouble:
        await wire.send(teams.where, message())

    words = in_words(trouble.value)
    assert (type(words), words.retry_after) == (DeliveryFailed, None)


async def test_no_call_is_repeated_at_once_whatever_teams_says(connector):
    teams = await connector(error(429, "Throttled", Retry_After="0"), GOOD)
    wire = Wire(token, client_id="app", pause=0.3)
    began = time.monotonic()

    await wire.send(teams.where, message())
    await wire.close()

    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize("header", ["soon", "nan", "inf", "-3", "Wed, 21 Oct 2020 07:28:00 GMT", "Wed, 99 Oct 2020"])
async def test_a_wait_that_is_no_number_of_seconds_is_none(connector, wire, header):
    teams = await connector(error(429, "Throttled", Retry_After=header), GOOD)

    assert await wire.send(teams.where, message()) == "1700000000001"


async def test_where_nobody_listens_nothing_was_taken(wire):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

    with pytest.raises(ConnectorUnreachable) as trouble:
        await wire.send(Where(f"http://127.0.0.1:{port}", "a:1"), message())

    assert trouble.value.maybe is False
    assert "127.0.0.1" not in str(trouble.value)


@pytest.mark.parametrize("url", ["not an address", "http://[::1", "http://127.0.0.1:x/", "ftp://127.0.0.1/"])
async def test_an_address_that_is_none_is_trouble_like_any_other(wire, url):
    with pytest.raises(ConnectorUnreachable) as trouble:
        await wire.send(Where(url, "a:1"), message())

    assert trouble.value.maybe is False


async def test_every_call_ends_in_time(connector, wire):
    teams = await connector(drips)
    began = time.monotonic()

    with pytest.raises(ConnectorUnreachable):
        await wire.send(teams.where, message())

    assert time.monotonic() - began < 2


async def test_a_token_that_is_not_to_be_had_is_no_message_that_may_have_been_taken(connector):
    teams = await connector(GOOD)

    async def refused() -> str:
        raise CredentialsRefused("TEAMS_CLIENT_SECRET has expired.")

    wire = Wire(refused, client_id="app")
    with pytest.raises(CredentialsRefused):
        await wire.send(teams.where, message())
    await wire.close()

    assert teams.asked == []


async def test_a_token_that_teams_refuses_is_told_of_and_another_is_tried_once(connector):
    teams = await connector(says(401), GOOD, says(401))
    told: list[str] = []
    tokens = iter(("first", "second", "third", "fourth"))

    async def next_token() -> str:
        return next(tokens)

    wire = Wire(next_token, client_id="app", refused=told.append)

    await wire.send(teams.where, message())
    with pytest.raises(ConnectorError, match="401"):
        await wire.send(teams.where, message())
    await wire.close()

    assert told == ["first", "third", "fourth"]
    assert [sent["Authorization"] for sent in teams.headers] == [
        "Bearer first",
        "Bearer second",
        "Bearer third",
        "Bearer fourth",
    ]


async def test_after_closing_it_can_be_opened_again(connector, wire):
    teams = await connector(GOOD)
    await wire.send(teams.where, message())
    await wire.close()

    assert await wire.send(teams.where, message()) == "1700000000001"


# --- proxies ---------------------------------------------------------------------------------------------------------


async def test_a_call_goes_through_the_proxy_that_the_environment_names(connector, wire, monkeypatch):
    through = await connector(GOOD)
    monkeypatch.setenv("http_proxy", through.url)
    monkeypatch.setenv("no_proxy", "inside.example")

    await wire.send(Where("http://smba.example/amer/", "a:1"), message())

    assert through.asked[0][1] == "http://smba.example/amer/v3/conversations/a:1/activities"
    assert proxy("http://inside.example/") is None


async def test_a_call_to_this_machine_never_goes_through_a_proxy(connector, wire, monkeypatch):
    teams = await connector(GOOD)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)

    assert await wire.send(teams.where, message()) == "1700000000001"


# --- in words --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "BotNotInConversationRoster", "I am not a member of that conversation. Add the app there."),
        (
            403,
            "BotDisabledByAdmin",
            "An administrator has switched me off. They can allow the app in the Teams admin center.",
        ),
        (403, "ConversationBlockedByUser", "That person has blocked me. They can unblock me in the chat's menu."),
        (
            404,
            "ConversationNotFound",
            "That conversation is gone, or I was removed from it. Add me there again and ask me anew.",
        ),
        (
            413,
            "MessageSizeTooBig",
            "The answer is too long for one message in Teams. Ask for less at a time.",
        ),
        (
            403,
            "SomethingNew",
            (
                "Teams does not let me write there (SomethingNew). Add the app to that conversation again, or ask an "
                "administrator."
            ),
        ),
        (400, "BadSyntax", "Teams refused the message (BadSyntax)."),
    ],
)
async def test_what_is_refused_for_good_says_what_to_do(connector, wire, status, code, words):
    teams = await connector(error(status, code))

    with pytest.raises(ConnectorError) as trouble:
        await wire.send(teams.where, message())

    assert (trouble.value.status, trouble.value.code, trouble.value.text) == (status, code, "as documented")
    told = in_words(trouble.value)
    assert (type(told), str(told)) == (CannotPost, words)
    assert teams.methods == ["POST"]


async def test_a_refusal_without_a_code_is_named_by_its_status(connector, wire):
    teams = await connector(says(413, "<html>too large</html>"))

    with pytest.raises(ConnectorError) as trouble:
        await wire.send(teams.where, message())

    assert trouble.value.code == "http_413"
    assert str(in_words(trouble.value)) == "The answer is too long for one message in Teams. Ask for less at a time."


async def test_a_refused_token_is_about_us_and_the_answer_waits(connector, wire):
    teams = await connector(error(401, "BotNotRegistered"))

    with pytest.raises(ConnectorError) as trouble:
        await wire.send(teams.where, message())

    told = in_words(trouble.value)
    assert isinstance(told, DeliveryFailed)
    assert told.retry_after == 60
    assert "TEAMS_CLIENT_ID" in str(told)


@pytest.mark.parametrize(
    "trouble",
    [
        CredentialsRefused("TEAMS_CLIENT_SECRET has expired."),
        LoginUnreachable("No token from Microsoft's login."),
        ConnectorUnreachable("no answer in time", maybe=True),
    ],
)
def test_what_can_be_mended_is_delivered_later(trouble):
    told = in_words(trouble)

    assert isinstance(told, DeliveryFailed)
    assert str(trouble) in str(told)
    assert str(told).lower().endswith("the answer is stored and will be delivered later.")


async def test_a_call_that_nothing_depends_on_says_what_went_wrong_and_raises_nothing(connector, wire):
    teams = await connector(GOOD, error(403, "ContentStreamNotAllowed"), cuts)

    worked, refused, cut = [await best_effort(wire.send(teams.where, message()), "typing") for _ in range(3)]

    assert (worked, refused, cut) == (None, "ContentStreamNotAllowed", "unreachable")
