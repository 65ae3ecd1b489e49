"""What the chat page gets and sends, and who may not use it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.standin import NotLoopback, Standin, StandinConfig
from tests.doubles.slack import BOARD, GENERAL, LEADS, MAYA, OMAR, bolt_app, connected, running

HOME = {"type": "home", "blocks": [{"type": "divider"}]}


@pytest.fixture
async def browser(standin: Standin) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(standin.url) as session:
        yield session


async def get(browser: aiohttp.ClientSession, path: str) -> Any:
    async with browser.get(path) as response:
        assert response.status == 200
        return await response.json()


async def post(browser: aiohttp.ClientSession, path: str, **body: Any) -> tuple[int, Any]:
    async with browser.post(path, json=body) as response:
        return response.status, await response.json()


@asynccontextmanager
async def live(browser: aiohttp.ClientSession, user: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with browser.ws_connect(f"/standin/live?user={user}") as socket:
        yield socket


async def test_the_page_and_its_files_are_served_and_nothing_beside_them(browser: aiohttp.ClientSession) -> None:
    async with browser.get("/") as response:
        assert (response.status, response.content_type) == (200, "text/html")
    async with browser.get("/page/app.js") as response:
        assert (response.status, response.content_type) == (200, "text/javascript")
    for path in ("/page/none.js", "/page/..%2fserver.py", "/page/%2e%2e%2fserver.py", "/page/%2fetc%2fpasswd"):
        async with browser.get(path) as response:
            assert response.status == 404


async def test_the_state_tells_what_the_page_starts_from() -> None:
    config = StandinConfig(note="A recorded model speaks.", suggestions=("@Director review",))
    async with running(config) as standin, aiohttp.ClientSession(standin.url) as browser:
        state = await get(browser, "/standin/state")
    assert (state["team"], state["me"]) == ({"id": "T0DEMO", "name": "Demo"}, MAYA)
    assert state["users"][1] == {
        "id": MAYA,
        "name": "maya",
        "real_name": "Maya Lindqvist",
        "is_bot": False,
        "tz": "Europe/London",
        "color": "4b6bfb",
    }
    assert [channel for channel in state["channels"] if channel["id"] in (GENERAL, "D0MAYA")] == [
        {
            "id": GENERAL,
            "name": "general",
            "is_im": False,
            "is_private": False,
            "is_archived": False,
            "bot_is_member": True,
            "topic": "Everything that concerns everybody",
        },
        {
            "id": "D0MAYA",
            "name": MAYA,
            "is_im": True,
            "is_private": True,
            "is_archived": False,
            "bot_is_member": True,
            "topic": "",
            "im_user": MAYA,
        },
    ]
    assert [command["command"] for command in state["app"]["commands"]] == ["/director", "/invite"]
    assert (state["note"], state["suggestions"]) == ("A recorded model speaks.", ["@Director review"])


async def test_what_is_said_on_the_page_stands_in_the_thread_and_comes_back_live(
    standin: Standin, browser: aiohttp.ClientSession, slack: AsyncWebClient
) -> None:
    async with live(browser, OMAR) as socket:
        status, said = await post(browser, "/standin/say", user=MAYA, channel=GENERAL, text="<@U0DIRECTOR> a &amp; b")
        assert status == 200
        await slack.chat_postMessage(channel=GENERAL, thread_ts=said["ts"], text="Here.")
        first, second = await socket.receive_json(), await socket.receive_json()
    assert (first["type"], first["channel"], first["message"]["text"]) == (
        "message",
        GENERAL,
        "<@U0DIRECTOR> a &amp; b",
    )
    assert (second["message"]["thread_ts"], second["message"]["streaming"]) == (said["ts"], False)
    listed = (await get(browser, f"/standin/messages?channel={GENERAL}&user={MAYA}"))["messages"]
    assert [(one["text"], one["reply_count"], one["ephemeral"]) for one in listed] == [
        ("<@U0DIRECTOR> a &amp; b", 1, False),
        ("Here.", 0, False),
    ]


async def test_a_stream_is_live_with_the_text_so_far(
    standin: Standin, browser: aiohttp.ClientSession, slack: AsyncWebClient
) -> None:
    asked = await standin.say(MAYA, GENERAL, "hm?")
    async with live(browser, MAYA) as socket:
        await slack.assistant_threads_setStatus(channel_id=GENERAL, thread_ts=asked, status="is looking …")
        started = await slack.chat_startStream(
            channel=GENERAL, thread_ts=asked, recipient_team_id=standin.team_id, recipient_user_id=MAYA
        )
        await slack.chat_appendStream(channel=GENERAL, ts=started["ts"], markdown_text="One")
        await slack.chat_stopStream(channel=GENERAL, ts=started["ts"], markdown_text=" two")
        told = [await socket.receive_json() for _ in range(5)]
    assert told[0] == {"type": "status", "channel": GENERAL, "thread_ts": asked, "status": "is looking …"}
    assert told[2] == {"type": "status", "channel": GENERAL, "thread_ts": asked, "status": ""}
    shown = [(one["type"], one["message"]["text"], one["message"]["streaming"]) for one in (told[1], told[3], told[4])]
    assert shown == [("message", "", True), ("message_changed", "One", True), ("message_changed", "One two", False)]


async def test_private_words_are_live_only_for_those_who_may_see_them(
    standin: Standin, browser: aiohttp.ClientSession, slack: AsyncWebClient
) -> None:
    async with live(browser, OMAR) as omar, live(browser, "U0GUS") as gus:
        await slack.chat_postEphemeral(channel=GENERAL, user=OMAR, text="for Omar")
        await slack.chat_postMessage(channel=LEADS, text="for leads")
        await slack.chat_postMessage(channel=GENERAL, text="for all")
        heard = [(await omar.receive_json())["message"]["text"] for _ in range(3)]
        only = (await gus.receive_json())["message"]["text"]
    assert (heard, only) == (["for Omar", "for leads", "for all"], "for all")
    assert (await get(browser, f"/standin/messages?channel={LEADS}&user=U0GUS"))["messages"] == []
    assert len((await get(browser, f"/standin/messages?channel={GENERAL}&user=U0GUS"))["messages"]) == 1
    assert (await get(browser, f"/standin/messages?channel={BOARD}&user={MAYA}"))["messages"] == []


async def test_a_modal_lives_on_the_page_with_the_apps_errors(
    standin: Standin, browser: aiohttp.ClientSession, slack: AsyncWebClient
) -> None:
    app = bolt_app(standin, slack)
    view = {
        "type": "modal",
        "callback_id": "plan",
        "title": {"type": "plain_text", "text": "Plan"},
        "submit": {"type": "plain_text", "text": "Go"},
        "blocks": [
            {
                "type": "input",
                "block_id": "i",
                "label": {"type": "plain_text", "text": "What"},
                "element": {"type": "plain_text_input", "action_id": "text"},
            }
        ],
    }

    @app.command("/director")
    async def director(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.view("plan")
    async def submit(ack: Any, view: dict[str, Any]) -> None:
        if view["state"]["values"]["i"]["text"]["value"] == "bad":
            await ack(response_action="errors", errors={"i": "Too vague."})
        else:
            await ack()

    async with connected(standin, app), live(browser, MAYA) as socket:
        assert await post(browser, "/standin/command", user=MAYA, channel=GENERAL, command="/director") == (200, {})
        opened = (await socket.receive_json())["view"]
        values = {"i": {"text": {"type": "plain_text_input", "value": "bad"}}}
        body = {"user": MAYA, "view_id": opened["id"], "values": values}
        assert await post(browser, "/standin/view_submit", **body) == (200, {"errors": {"i": "Too vague."}})
        values["i"]["text"]["value"] = "good"
        assert await post(browser, "/standin/view_submit", **body) == (200, {})
        assert await socket.receive_json() == {"type": "view_closed", "view_id": opened["id"]}


async def test_a_button_on_the_page_is_a_click(
    standin: Standin, browser: aiohttp.ClientSession, slack: AsyncWebClient
) -> None:
    app, seen = bolt_app(standin, slack), []

    @app.action("go")
    async def go(ack: Any, action: dict[str, Any]) -> None:
        seen.append((action["block_id"], action["value"]))
        await ack()

    button = {"type": "button", "action_id": "go", "value": "7", "text": {"type": "plain_text", "text": "Go"}}
    posted = await slack.chat_postMessage(
        channel=GENERAL, text="x", blocks=[{"type": "actions", "block_id": "b", "elements": [button]}]
    )
    action = {"type": "button", "block_id": "b", "action_id": "go", "value": "7"}
    body = {"user": MAYA, "channel": GENERAL, "message_ts": posted["ts"]}
    async with connected(standin, app):
        assert await post(browser, "/standin/action", **body, action=action) == (200, {})
    assert seen == [("b", "7")]
    status, answer = await post(browser, "/standin/action", **body, action={"action_id": "other"})
    assert (status, answer) == (409, {"error": "there is no element 'other' here"})


async def test_the_home_comes_when_it_is_opened(
    standin: Standin, browser: aiohttp.ClientSession, slack: AsyncWebClient
) -> None:
    await slack.views_publish(user_id=MAYA, view=HOME)
    async with live(browser, MAYA) as socket:
        assert await post(browser, "/standin/home", user=MAYA) == (200, {})
        told = await socket.receive_json()
    assert (told["type"], [block["type"] for block in told["view"]["blocks"]]) == ("home", ["divider"])
    assert standin.ledger.handed[0].kind == "app_home_opened"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"user": MAYA, "channel": BOARD, "text": "x"}, 409),
        ({"user": MAYA, "channel": GENERAL, "text": "x", "thread_ts": "1.000001"}, 409),
        ({"user": MAYA}, 400),
    ],
)
async def test_what_can_not_be_done_is_said_and_not_done(
    standin: Standin, browser: aiohttp.ClientSession, body: dict[str, Any], status: int
) -> None:
    answered, told = await post(browser, "/standin/say", **body)
    assert answered == status
    assert told["error"]
    assert standin.ledger.everything() == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/standin/say", "/api/chat.postMessage", "/standin/state", "/standin/live"])
async def test_another_site_can_not_drive_the_workspace(
    standin: Standin, browser: aiohttp.ClientSession, headers: dict[str, str], path: str
) -> None:
    method = "GET" if path.endswith(("state", "live")) else "POST"
    body = None if method == "GET" else {"user": MAYA, "channel": GENERAL, "text": "x"}
    async with browser.request(method, path, headers=headers, json=body) as response:
        assert response.status == 403
    assert standin.ledger.everything() == []


async def test_a_form_of_another_site_is_not_understood(browser: aiohttp.ClientSession) -> None:
    async with browser.post("/standin/say", data={"user": MAYA, "channel": GENERAL, "text": "x"}) as response:
        assert response.status == 415


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.com", ""])  # noqa: S104 - what must be refused
async def test_the_workspace_listens_on_loopback_only(host: str) -> None:
    with pytest.raises(NotLoopback, match=r"127\.0\.0\.1 only"):
        await Standin().start(host=host)
