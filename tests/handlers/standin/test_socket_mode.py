"""Socket Mode with Bolt's own handler: hello, acks, redelivery, connections that come and go."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.standin import Handed, Standin
from tests.doubles.slack import GENERAL, LEADS, MAYA, OMAR, bolt_app, client_of, connected, running


def listening_app(standin: Standin, slack: AsyncWebClient, heard: list[Any]) -> AsyncApp:
    """Notes every event's type, id and retry number."""
    app = bolt_app(standin, slack, process_before_response=True)

    @app.use
    async def note(req: Any, body: dict[str, Any], next: Any) -> None:  # noqa: A002 - Bolt's name
        event = body.get("event", {})
        retry = req.headers.get("x-slack-retry-num", ["0"])[0]
        heard.append((event.get("type"), body.get("event_id"), int(retry)))
        await next()

    @app.event({"type": "app_mention"})
    async def mention() -> None: ...

    @app.event({"type": "message"})
    async def message() -> None: ...

    return app


def all_taken(kinds: int) -> Any:
    return lambda ledger: len(ledger.handed) >= kinds and all(one.acknowledged for one in ledger.handed)


async def open_socket(standin: Standin, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    client = AsyncWebClient(token=standin.app_token, base_url=standin.api_url, session=session)
    url = (await client.apps_connections_open(app_token=standin.app_token))["url"]
    return await session.ws_connect(url)


async def test_one_mention_is_two_events_with_different_ids(standin: Standin, slack: AsyncWebClient) -> None:
    heard: list[Any] = []
    async with connected(standin, listening_app(standin, slack, heard)):
        ts = await standin.say(MAYA, GENERAL, "@Director hello")
        await standin.wait_for(all_taken(2))
    assert sorted(kind for kind, _, _ in heard) == ["app_mention", "message"]
    assert len({event_id for _, event_id, _ in heard}) == 2
    assert {one.payload["event"]["ts"] for one in standin.ledger.handed} == {ts}


async def test_only_subscribed_events_of_channels_with_the_bot_are_sent() -> None:
    async with running(events=("app_mention",)) as standin:
        await standin.say(MAYA, GENERAL, "nothing for the app")
        await standin.say(MAYA, "#random", "@Director the bot isn't here")
        await standin.say(MAYA, GENERAL, "@Director you there?")
        kinds = [one.kind for one in standin.ledger.handed]
    assert kinds == ["app_mention"]


async def test_a_direct_message_is_a_message_event_and_no_mention(standin: Standin) -> None:
    await standin.say(MAYA, MAYA, "@Director hello")
    (handed,) = standin.ledger.handed
    event = handed.payload["event"]
    assert (event["type"], event["channel"], event["channel_type"]) == ("message", "D0MAYA", "im")
    assert (handed.payload["team_id"], handed.payload["type"]) == (standin.team_id, "event_callback")


@pytest.mark.parametrize(
    ("channel", "kind", "subscription"),
    [
        (GENERAL, "channel", "message.channels"),
        (LEADS, "group", "message.groups"),
        (MAYA, "im", "message.im"),
        ("group", "mpim", "message.mpim"),
    ],
)
async def test_messages_are_subscribed_by_kind_of_conversation(channel: str, kind: str, subscription: str) -> None:
    for events in ((subscription,), ("message.none",)):
        async with running(events=events) as standin, client_of(standin) as slack:
            place = channel
            if channel == "group":
                place = (await slack.conversations_open(users=[MAYA, OMAR]))["channel"]["id"]
            await standin.say(MAYA, place, "hello")
            told = [one.payload["event"]["channel_type"] for one in standin.ledger.handed]
        assert told == ([kind] if events == (subscription,) else [])


async def test_the_apps_own_posts_and_updates_are_events_that_name_the_bot(
    standin: Standin, slack: AsyncWebClient
) -> None:
    posted = await slack.chat_postMessage(channel=GENERAL, text="one")
    await slack.chat_update(channel=GENERAL, ts=posted["ts"], text="two")
    made, updated = (one.payload["event"] for one in standin.ledger.handed)
    assert (made["bot_id"], made["user"], made["text"]) == ("B0DIRECTOR", standin.bot_user_id, "one")
    assert (updated["subtype"], updated["message"]["bot_id"], updated["message"]["text"]) == (
        "message_changed",
        "B0DIRECTOR",
        "two",
    )


async def test_what_is_not_acknowledged_comes_again_with_its_number_and_reason() -> None:
    heard: list[Any] = []
    async with (
        running(ack_seconds=0.1, time_scale=0.0001, events=("app_mention",)) as standin,
        client_of(standin) as slack,
    ):
        app = bolt_app(standin, slack)

        @app.use
        async def refuse_twice(req: Any, next: Any) -> BoltResponse | None:  # noqa: A002
            heard.append(
                tuple(req.headers.get(name, [None])[0] for name in ("x-slack-retry-num", "x-slack-retry-reason"))
            )
            if len(heard) < 3:
                return BoltResponse(status=500)
            await next()
            return None

        @app.event("app_mention")
        async def mention() -> None: ...

        async with connected(standin, app):
            await standin.say(MAYA, GENERAL, "@Director hello")
            await standin.wait_for(all_taken(1))
    assert heard == [("0", ""), ("1", "timeout"), ("2", "timeout")]
    assert standin.ledger.handed[0].attempts == ["timeout", "timeout", "ok"]


async def test_it_is_given_up_after_three_redeliveries() -> None:
    async with running(ack_seconds=0.02, time_scale=0.0001, events=("app_mention",)) as standin:
        await standin.say(MAYA, GENERAL, "@Director anybody?")
        handed = await standin.wait_for(lambda ledger: ledger.handed[0].given_up and ledger.handed[0])
    assert handed.attempts == ["timeout"] * 4


async def test_an_event_can_be_delivered_twice_although_it_was_taken(standin: Standin, slack: AsyncWebClient) -> None:
    heard: list[Any] = []
    async with connected(standin, listening_app(standin, slack, heard)):
        await standin.say(MAYA, MAYA, "hello")
        await standin.wait_for(all_taken(1))
        receipt = await standin.courier.again(standin.ledger.handed[0])
    assert receipt.acknowledged is True
    first, second = heard
    assert (second[:2], first[2], second[2]) == (first[:2], 0, 1)


async def test_an_event_waits_for_an_app_that_connects_in_time(standin: Standin, slack: AsyncWebClient) -> None:
    await standin.say(MAYA, GENERAL, "@Director early")
    heard: list[Any] = []
    async with connected(standin, listening_app(standin, slack, heard)):
        await standin.wait_for(all_taken(2))
    assert {retry for _, _, retry in heard} == {0}


async def test_hello_names_the_app_and_the_count_of_connections(standin: Standin) -> None:
    async with aiohttp.ClientSession() as session:
        socket = await open_socket(standin, session)
        hello = await socket.receive_json()
        assert (hello["type"], hello["num_connections"]) == ("hello", 1)
        assert hello["connection_info"] == {"app_id": standin.config.app_id}
        await socket.close()


async def test_a_socket_address_is_good_for_one_connection(standin: Standin) -> None:
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(token=standin.app_token, base_url=standin.api_url, session=session)
        url = (await client.apps_connections_open(app_token=standin.app_token))["url"]
        async with session.ws_connect(url):
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await session.ws_connect(url)


async def test_ten_connections_share_the_payloads_and_an_eleventh_is_sent_away(standin: Standin) -> None:
    async with aiohttp.ClientSession() as session:
        sockets = [await open_socket(standin, session) for _ in range(10)]
        for socket in sockets:
            assert (await socket.receive_json())["type"] == "hello"
        extra = await open_socket(standin, session)
        assert (await extra.receive_json())["reason"] == "too_many_websockets"

        for number in range(10):
            await standin.say(MAYA, GENERAL, f"message {number}")
        texts = []
        for socket in sockets:
            envelope = await socket.receive_json()
            texts.append(envelope["payload"]["event"]["text"])
            await socket.send_json({"envelope_id": envelope["envelope_id"]})
        await standin.wait_for(all_taken(10))
        assert sorted(texts) == [f"message {number}" for number in range(10)]
        for socket in (*sockets, extra):
            await socket.close()


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_the_app_comes_back_when_it_is_asked_to_refresh(
    standin: Standin, slack: AsyncWebClient, reason: str
) -> None:
    heard: list[Any] = []
    async with connected(standin, listening_app(standin, slack, heard)):
        await standin.sockets.disconnect(reason)
        await standin.wait_for(lambda ledger: len(ledger.called("apps.connections.open")) == 2)
        await standin.say(MAYA, GENERAL, "@Director still there?")
        await standin.wait_for(all_taken(2))
    assert standin.sockets.opened == 2


async def test_the_app_comes_back_when_its_socket_is_cut(standin: Standin, slack: AsyncWebClient) -> None:
    heard: list[Any] = []
    async with connected(standin, listening_app(standin, slack, heard), ping_interval=0.1):
        await standin.sockets.drop()
        assert standin.sockets.connections == 0
        await standin.sockets.wait_connected()
        await standin.say(MAYA, GENERAL, "@Director back?")
        await standin.wait_for(all_taken(2))
    assert {kind for kind, _, _ in heard} == {"app_mention", "message"}


async def test_a_connection_that_went_deaf_delivers_nothing_and_answers_no_ping() -> None:
    workspace = running(ack_seconds=0.05, retry_delays=(), events=("app_mention",))
    async with workspace as standin, aiohttp.ClientSession() as session:
        socket = await open_socket(standin, session)
        await socket.receive_json()
        standin.sockets.deaf = True
        await standin.say(MAYA, GENERAL, "@Director hello?")
        await socket.ping()
        handed = await standin.wait_for(lambda ledger: ledger.handed[0].given_up and ledger.handed[0])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.receive(), 0.05)
        await socket.close()
    assert handed.attempts == ["timeout"]


async def test_an_unanswered_command_tells_the_person(standin: Standin) -> None:
    result = await standin.command(MAYA, GENERAL, "/director", "help")
    assert result.error == "operation_timeout"
    assert ["operation_timeout" in one.text for one in standin.ledger.ephemeral(MAYA)] == [True]
    assert isinstance(standin.ledger.handed[0], Handed)
