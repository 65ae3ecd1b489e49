"""What people do, and what the app hears of it: commands, clicks, modals, Home, response URLs, files."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.standin import CannotDo, Standin, ViewResult
from tests.doubles.slack import (
    ARCHIVED,
    BOARD,
    EVE,
    GENERAL,
    MAYA,
    OMAR,
    RANDOM,
    Clock,
    bolt_app,
    client_of,
    connected,
    running,
)

MODAL = {
    "type": "modal",
    "callback_id": "plan",
    "title": {"type": "plain_text", "text": "Plan"},
    "submit": {"type": "plain_text", "text": "Plan it"},
    "notify_on_close": True,
    "blocks": [
        {
            "type": "input",
            "block_id": "initiative",
            "label": {"type": "plain_text", "text": "Initiative"},
            "element": {"type": "plain_text_input", "action_id": "text", "min_length": 3},
        },
        {
            "type": "input",
            "block_id": "weeks",
            "optional": True,
            "label": {"type": "plain_text", "text": "Weeks"},
            "element": {
                "type": "static_select",
                "action_id": "pick",
                "options": [{"text": {"type": "plain_text", "text": f"{n}"}, "value": f"{n}"} for n in range(3)],
            },
        },
    ],
}
BUTTONS = [
    {
        "type": "actions",
        "block_id": "ask",
        "elements": [
            {"type": "button", "action_id": "approve", "value": "1", "text": {"type": "plain_text", "text": "Yes"}},
            {"type": "button", "action_id": "refuse", "value": "0", "text": {"type": "plain_text", "text": "No"}},
        ],
    }
]


async def test_words_are_stored_as_slack_stores_them(standin: Standin) -> None:
    await standin.say(
        MAYA, GENERAL, "@director is <b> & @Omar Haddad <@U0GUS> see https://example.com/a?b=1 me@director.dev"
    )
    assert [one.text for one in standin.ledger.messages(GENERAL)] == [
        "<@U0DIRECTOR> is &lt;b&gt; &amp; <@U0OMAR> <@U0GUS> see <https://example.com/a?b=1> me@director.dev"
    ]


@pytest.mark.parametrize(
    ("user", "channel"), [(MAYA, BOARD), (MAYA, "C0NOWHERE"), ("U0NOBODY", GENERAL), (MAYA, ARCHIVED)]
)
async def test_nobody_speaks_where_they_can_not_be(standin: Standin, user: str, channel: str) -> None:
    with pytest.raises(CannotDo):
        await standin.say(user, channel, "hello")


async def test_an_edit_and_a_removal_are_events_with_what_stood_before(standin: Standin) -> None:
    ts = await standin.say(MAYA, GENERAL, "helo")
    standin.people.edit(MAYA, GENERAL, ts, "hello")
    standin.people.remove(MAYA, GENERAL, ts)
    edited, removed = (one.payload["event"] for one in standin.ledger.handed[1:])
    assert (edited["subtype"], edited["message"]["text"], edited["previous_message"]["text"]) == (
        "message_changed",
        "hello",
        "helo",
    )
    assert (removed["subtype"], removed["deleted_ts"], removed["previous_message"]["text"]) == (
        "message_deleted",
        ts,
        "hello",
    )
    with pytest.raises(CannotDo):
        standin.people.edit(OMAR, GENERAL, await standin.say(MAYA, GENERAL, "mine"), "yours")


async def test_someone_of_another_company_is_known_by_their_team(standin: Standin) -> None:
    await standin.say(EVE, EVE, "hello")
    assert standin.ledger.handed[0].payload["event"]["user_team"] == "T0PARTNER"


async def test_an_invited_bot_may_write(standin: Standin, slack: AsyncWebClient) -> None:
    await standin.command(MAYA, RANDOM, "/invite", "@Director")
    await slack.chat_postMessage(channel=RANDOM, text="Thanks.")
    assert [one.text for one in standin.ledger.by_bot(RANDOM)] == ["joined the channel", "Thanks."]


async def test_a_reaction_is_an_event(standin: Standin, slack: AsyncWebClient) -> None:
    posted = await slack.chat_postMessage(channel=GENERAL, text="x")
    standin.people.react(MAYA, GENERAL, posted["ts"], "tada")
    event = standin.ledger.handed[-1].payload["event"]
    assert (event["type"], event["user"], event["reaction"], event["item"]) == (
        "reaction_added",
        MAYA,
        "tada",
        {"type": "message", "channel": GENERAL, "ts": posted["ts"]},
    )


async def test_a_command_carries_what_slack_sends(standin: Standin, slack: AsyncWebClient) -> None:
    seen: list[dict[str, Any]] = []
    app = bolt_app(standin, slack)

    @app.command("/director")
    async def director(ack: Any, body: dict[str, Any]) -> None:
        seen.append(body)
        await ack()

    async with connected(standin, app):
        result = await standin.command(MAYA, MAYA, "/director", "status checkout")
        with pytest.raises(CannotDo):
            await standin.command(MAYA, GENERAL, "/unknown")
    wanted = {"command": "/director", "text": "status checkout", "user_id": MAYA, "channel_id": "D0MAYA"}
    assert (result.text, result.error) == ("", None)
    assert {name: seen[0][name] for name in wanted} == wanted
    assert seen[0]["trigger_id"]
    assert seen[0]["response_url"].startswith(standin.url)


async def test_a_click_reaches_the_app_with_message_and_value(standin: Standin, slack: AsyncWebClient) -> None:
    seen: list[dict[str, Any]] = []
    app = bolt_app(standin, slack)

    @app.action("approve")
    async def approve(ack: Any, body: dict[str, Any], respond: Any) -> None:
        await ack()
        seen.append(body)
        await respond(text="Approved", replace_original=True)

    posted = await slack.chat_postMessage(channel=GENERAL, text="Shall we?", blocks=BUTTONS)
    async with connected(standin, app):
        receipt = await standin.click(OMAR, GENERAL, posted["ts"], "approve")
        assert receipt.acknowledged is True
        await standin.wait_for(lambda ledger: ledger.messages(GENERAL)[0].text == "Approved")
        with pytest.raises(CannotDo):
            await standin.click(OMAR, GENERAL, posted["ts"], "delete everything")
    (body,) = seen
    assert (body["user"]["id"], body["message"]["ts"], body["container"]["message_ts"]) == (
        OMAR,
        posted["ts"],
        posted["ts"],
    )
    action = {name: body["actions"][0][name] for name in ("action_id", "block_id", "value", "type")}
    assert action == {"action_id": "approve", "block_id": "ask", "value": "1", "type": "button"}
    assert standin.ledger.messages(GENERAL)[0].blocks is None


class Form:
    """An app whose command opens the modal, and which answers submissions as told."""

    def __init__(self, standin: Standin, slack: AsyncWebClient, answer: dict[str, Any] | None = None) -> None:
        self.submitted: list[dict[str, Any]] = []
        self.closed: list[str] = []
        self.app = bolt_app(standin, slack)

        @self.app.command("/director")
        async def director(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
            await ack()
            await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

        @self.app.view("plan")
        async def submit(ack: Any, view: dict[str, Any]) -> None:
            self.submitted.append(view["state"]["values"])
            await ack(**(answer or {}))

        @self.app.view_closed("plan")
        async def close(ack: Any, view: dict[str, Any]) -> None:
            self.closed.append(view["id"])
            await ack()


async def opened(standin: Standin) -> dict[str, Any]:
    await standin.command(MAYA, GENERAL, "/director", "plan")
    return await standin.wait_for(lambda _: standin.views.shown(MAYA))


async def test_a_modal_is_submitted_with_every_input_in_its_place(standin: Standin, slack: AsyncWebClient) -> None:
    form = Form(standin, slack)
    async with connected(standin, form.app):
        view = await opened(standin)
        result = await standin.submit_view(
            MAYA, view["id"], {"initiative": {"text": "Move to Kafka"}, "weeks": {"pick": "2"}}
        )
    assert result == ViewResult()
    assert form.submitted == [
        {
            "initiative": {"text": {"type": "plain_text_input", "value": "Move to Kafka"}},
            "weeks": {
                "pick": {
                    "type": "static_select",
                    "selected_option": {"text": {"type": "plain_text", "text": "2"}, "value": "2"},
                }
            },
        }
    ]
    assert standin.views.shown(MAYA) is None


async def test_slack_itself_refuses_empty_and_short_inputs(standin: Standin, slack: AsyncWebClient) -> None:
    form = Form(standin, slack)
    async with connected(standin, form.app):
        view = await opened(standin)
        empty = await standin.submit_view(MAYA, view["id"], {})
        short = await standin.submit_view(MAYA, view["id"], {"initiative": {"text": "x"}})
    assert empty.errors == {"initiative": "Please complete this required field."}
    assert short.errors == {"initiative": "Please enter at least 3 characters."}
    assert form.submitted == []


async def test_errors_of_the_app_keep_the_modal_open(standin: Standin, slack: AsyncWebClient) -> None:
    form = Form(standin, slack, {"response_action": "errors", "errors": {"initiative": "Too vague."}})
    async with connected(standin, form.app):
        view = await opened(standin)
        result = await standin.submit_view(MAYA, view["id"], {"initiative": {"text": "Improve things"}})
    assert result.errors == {"initiative": "Too vague."}
    assert standin.views.shown(MAYA) == view


async def test_an_updated_modal_keeps_its_id_and_gets_a_new_hash(standin: Standin, slack: AsyncWebClient) -> None:
    second = {**MODAL, "title": {"type": "plain_text", "text": "Second"}}
    form = Form(standin, slack, {"response_action": "update", "view": second})
    async with connected(standin, form.app):
        view = await opened(standin)
        result = await standin.submit_view(MAYA, view["id"], {"initiative": {"text": "Move to Kafka"}})
    assert result.view is not None
    assert (result.view["id"], result.view["title"]["text"]) == (view["id"], "Second")
    assert result.view["hash"] != view["hash"]
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await slack.views_update(view_id=view["id"], view=MODAL, hash=view["hash"])
    updated = await slack.views_update(view_id=view["id"], view=MODAL, hash=result.view["hash"])
    assert updated["view"]["title"]["text"] == "Plan"


async def test_a_closed_modal_is_told_to_an_app_that_asked_for_it(standin: Standin, slack: AsyncWebClient) -> None:
    form = Form(standin, slack)
    async with connected(standin, form.app):
        view = await opened(standin)
        await standin.people.close_view(MAYA, view["id"])
    assert form.closed == [view["id"]]
    with pytest.raises(SlackApiError, match="not_found"):
        await slack.views_update(view_id=view["id"], view=MODAL)


@pytest.mark.parametrize(("seconds", "error"), [(3.0, None), (3.5, "expired_trigger_id")])
async def test_a_trigger_id_lives_for_three_seconds(seconds: float, error: str | None) -> None:
    clock = Clock()
    async with running(clock=clock) as standin, client_of(standin) as slack:
        trigger = standin.views.trigger(MAYA)
        clock.pass_by(seconds)
        if error is None:
            await slack.views_open(trigger_id=trigger, view=MODAL)
            error = "exchanged_trigger_id"
        with pytest.raises(SlackApiError, match=error):
            await slack.views_open(trigger_id=trigger, view=MODAL)


async def test_trigger_ids_can_be_told_not_to_expire() -> None:
    clock = Clock()
    async with running(clock=clock, trigger_seconds=None) as standin, client_of(standin) as slack:
        trigger = standin.views.trigger(MAYA)
        clock.pass_by(3600)
        await slack.views_open(trigger_id=trigger, view=MODAL)


async def test_modals_pile_up_to_three(standin: Standin, slack: AsyncWebClient) -> None:
    await slack.views_open(trigger_id=standin.views.trigger(MAYA), view=MODAL)
    for _ in range(2):
        await slack.views_push(trigger_id=standin.views.trigger(MAYA), view=MODAL)
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        await slack.views_push(trigger_id=standin.views.trigger(MAYA), view=MODAL)
    ids = [view["id"] for view in standin.views.stacks[MAYA]]
    assert [view["previous_view_id"] for view in standin.views.stacks[MAYA]] == [None, *ids[:2]]


async def test_opening_the_home_is_an_event_and_what_is_published_stays(
    standin: Standin, slack: AsyncWebClient
) -> None:
    await standin.open_home(MAYA)
    event = standin.ledger.handed[0].payload["event"]
    assert (event["type"], event["user"], event["tab"], "view" in event) == ("app_home_opened", MAYA, "home", False)
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    first = await slack.views_publish(user_id=MAYA, view=home)
    again = await slack.views_publish(user_id=MAYA, view=home, hash=first["view"]["hash"])
    assert first["view"]["id"] == again["view"]["id"]
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await slack.views_publish(user_id=MAYA, view=home, hash=first["view"]["hash"])
    await standin.open_home(MAYA)
    assert standin.ledger.handed[1].payload["event"]["view"]["id"] == first["view"]["id"]


async def respond(url: str, **body: Any) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        return response.status, await response.text()


async def test_a_response_url_serves_five_times(standin: Standin) -> None:
    url = standin.urls.issue(GENERAL, MAYA)
    for number in range(5):
        assert await respond(url, text=f"{number}") == (200, "ok")
    assert await respond(url, text="6") == (404, '{"ok": false, "error": "used_url"}')
    assert [one.text for one in standin.ledger.ephemeral(MAYA)] == ["0", "1", "2", "3", "4"]


async def test_a_response_url_lives_for_half_an_hour() -> None:
    clock = Clock()
    async with running(clock=clock) as standin:
        url = standin.urls.issue(GENERAL, MAYA)
        clock.pass_by(1800)
        assert await respond(url, text="in time", response_type="in_channel") == (200, "ok")
        clock.pass_by(1)
        assert await respond(url, text="late") == (404, '{"ok": false, "error": "expired_url"}')
        assert [one.text for one in standin.ledger.messages(GENERAL)] == ["in time"]


async def test_a_response_url_takes_no_wrong_blocks(standin: Standin) -> None:
    status, text = await respond(standin.urls.issue(GENERAL, MAYA), blocks=[{"type": "odd"}])
    assert (status, "invalid_blocks" in text) == (400, True)
    assert await respond(f"{standin.url}/response/unknown", text="x") == (404, '{"ok": false, "error": "invalid_url"}')


async def test_a_file_goes_up_in_three_steps_and_can_be_shown_in_a_message(
    standin: Standin, slack: AsyncWebClient
) -> None:
    root = await standin.say(MAYA, GENERAL, "chart please")
    uploaded = await slack.files_upload_v2(
        filename="chart.png",
        content=b"\x89PNG...",
        title="Budget",
        channel=GENERAL,
        thread_ts=root,
        initial_comment="Here",
    )
    file_id = uploaded["file"]["id"]
    (shared,) = standin.ledger.by_bot(GENERAL, root)
    assert (shared.text, shared.files[0]["id"], shared.files[0]["mimetype"]) == ("Here", file_id, "image/png")
    picture = [{"type": "image", "slack_file": {"id": file_id}, "alt_text": "Budget"}]
    await slack.chat_postMessage(channel=GENERAL, text="Budget", blocks=picture)
    told = (await slack.files_info(file=file_id))["file"]
    assert (told["title"], told["size"]) == ("Budget", 7)
    async with aiohttp.ClientSession() as session, session.get(told["url_private"]) as response:
        assert (response.content_type, await response.read()) == ("image/png", b"\x89PNG...")


async def test_an_upload_that_is_not_complete_can_not_be_used(standin: Standin, slack: AsyncWebClient) -> None:
    begun = await slack.files_getUploadURLExternal(filename="a.png", length=3)
    with pytest.raises(SlackApiError, match="file_not_found"):
        await slack.files_completeUploadExternal(files=[{"id": begun["file_id"]}])
    async with aiohttp.ClientSession() as session:
        async with session.post(begun["upload_url"], data=b"too long") as response:
            assert response.status == 400
        async with session.put(begun["upload_url"], data=b"abc") as response:
            assert response.status == 200
    picture = [{"type": "image", "slack_file": {"id": begun["file_id"]}, "alt_text": "a"}]
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        await slack.chat_postMessage(channel=GENERAL, text="x", blocks=picture)
    await slack.files_completeUploadExternal(files=[{"id": begun["file_id"]}])
    await slack.chat_postMessage(channel=GENERAL, text="x", blocks=picture)
