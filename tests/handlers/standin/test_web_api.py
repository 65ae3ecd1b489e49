"""How the Web API answers slack_sdk: encodings, tokens, arguments, errors."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.standin import Standin
from handlers.slack.standin.arguments import reference
from handlers.slack.standin.web_api import documented
from tests.doubles.slack import ARCHIVED, BOARD, EVE, GENERAL, GUS, LEADS, MAYA, OMAR, RANDOM, client_of, running

# Answers that Slack gives and its reference doesn't list for the method.
UNLISTED = {
    "invalid_arguments",
    "thread_not_found",
    "msg_too_long",
    "invalid_arg_name",
    "not_in_channel",
    "invalid_limit",
}


async def refused(slack: AsyncWebClient, method: str, **args: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await slack.api_call(method, json=args)
    return str(caught.value.response["error"])


async def test_a_posted_message_reads_back_as_it_was_sent(standin: Standin, slack: AsyncWebClient) -> None:
    metadata = {"event_type": "director_turn", "event_payload": {"turn": "t-1", "part": 0}}
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*Hi*"}}]
    posted = await slack.chat_postMessage(
        channel="#general", text="Hi", blocks=blocks, metadata=metadata, unfurl_links=False, unfurl_media=False
    )
    (message,) = standin.ledger.messages(GENERAL)
    assert (message.ts, message.text, message.blocks, message.metadata) == (posted["ts"], "Hi", blocks, metadata)
    assert message.options == {"unfurl_links": False, "unfurl_media": False}
    assert posted["channel"] == GENERAL

    plain = await slack.conversations_history(channel=GENERAL)
    assert "metadata" not in plain["messages"][0]
    full = await slack.conversations_history(channel=GENERAL, include_all_metadata=True)
    assert full["messages"][0]["metadata"] == metadata
    assert full["messages"][0]["bot_id"] == standin.config.bot_id


async def test_form_query_and_json_arguments_mean_the_same(standin: Standin, slack: AsyncWebClient) -> None:
    headers = {"Authorization": f"Bearer {standin.bot_token}"}
    args = {"channel": GENERAL, "text": "same"}
    async with aiohttp.ClientSession() as session:
        url = f"{standin.api_url}chat.postMessage"
        for options in (
            {"data": args},
            {"params": args},
            {"json": args},
            {"data": {**args, "token": standin.bot_token}},
        ):
            async with session.post(url, headers=headers, **options) as response:
                assert (await response.json())["ok"] is True
    assert [one.text for one in standin.ledger.messages(GENERAL)] == ["same"] * 4


async def test_message_ids_are_unique_and_rise_even_when_the_clock_stands_still() -> None:
    async with running(clock=lambda: 1_795_000_000.0) as standin, client_of(standin) as slack:
        made = [(await slack.chat_postMessage(channel=GENERAL, text="x"))["ts"] for _ in range(20)]
    assert made == sorted(set(made))


@pytest.mark.parametrize(
    ("token", "error"),
    [("", "not_authed"), ("xoxb-wrong", "invalid_auth"), ("xapp-standin-0000", "not_allowed_token_type")],
)
async def test_a_wrong_token_is_refused(standin: Standin, token: str, error: str) -> None:
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with session.post(f"{standin.api_url}auth.test", headers=headers) as response:
            assert (await response.json())["error"] == error


async def test_a_bot_token_opens_no_socket(slack: AsyncWebClient) -> None:
    assert await refused(slack, "apps.connections.open") == "not_allowed_token_type"


async def test_tokens_are_never_in_the_ledger(standin: Standin) -> None:
    async with client_of(standin) as slack:
        await slack.api_call("auth.test", data={"token": standin.bot_token})
    assert standin.bot_token not in repr(standin.ledger.calls)


async def test_auth_test_names_the_bot_and_the_team(standin: Standin, slack: AsyncWebClient) -> None:
    told = await slack.auth_test()
    assert {name: told[name] for name in ("team_id", "user_id", "bot_id", "team")} == {
        "team_id": standin.team_id,
        "user_id": standin.bot_user_id,
        "bot_id": "B0DIRECTOR",
        "team": "Demo",
    }


LONG = "x" * 12_001
REFUSALS = [
    ("chat.postMessage", {"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
    ("chat.postMessage", {"channel": BOARD, "text": "x"}, "channel_not_found"),
    ("chat.postMessage", {"channel": RANDOM, "text": "x"}, "not_in_channel"),
    ("chat.postMessage", {"channel": ARCHIVED, "text": "x"}, "is_archived"),
    ("chat.postMessage", {"channel": GENERAL}, "no_text"),
    ("chat.postMessage", {"channel": GENERAL, "text": ""}, "no_text"),
    ("chat.postMessage", {"channel": GENERAL, "text": "x", "markdown_text": "y"}, "markdown_text_conflict"),
    ("chat.postMessage", {"channel": GENERAL, "markdown_text": LONG}, "msg_too_long"),
    ("chat.postMessage", {"channel": GENERAL, "blocks": [{"type": "nonsense"}]}, "invalid_blocks"),
    ("chat.postMessage", {"channel": GENERAL, "text": "x", "blocks": "[{"}, "invalid_blocks_format"),
    ("chat.postMessage", {"channel": GENERAL, "text": "x", "metadata": {"turn": 1}}, "invalid_metadata_format"),
    ("chat.postMessage", {"channel": GENERAL, "text": "x", "attachments": [{}] * 101}, "too_many_attachments"),
    ("chat.postMessage", {"channel": GENERAL, "text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
    ("chat.postMessage", {"channel": GENERAL, "text": "x", "colour": "red"}, "invalid_arg_name"),
    ("chat.postMessage", {"channel": GENERAL, "text": 7}, "invalid_arguments"),
    ("chat.postMessage", {"channel": GENERAL, "text": "x", "unfurl_links": "perhaps"}, "invalid_arguments"),
    ("chat.postMessage", {"text": "x"}, "invalid_arguments"),
    ("chat.update", {"channel": GENERAL, "ts": "1.000001", "text": "x"}, "message_not_found"),
    ("chat.update", {"channel": GENERAL, "ts": "yesterday", "text": "x"}, "invalid_arguments"),
    ("chat.delete", {"channel": GENERAL, "ts": "1.000001"}, "message_not_found"),
    ("chat.postEphemeral", {"channel": LEADS, "user": GUS, "text": "x"}, "user_not_in_channel"),
    ("chat.getPermalink", {"channel": GENERAL, "message_ts": "1.000001"}, "message_not_found"),
    ("conversations.info", {"channel": "C0NOWHERE"}, "channel_not_found"),
    ("conversations.info", {"channel": BOARD}, "channel_not_found"),
    ("conversations.history", {"channel": RANDOM}, "not_in_channel"),
    ("conversations.history", {"channel": GENERAL, "cursor": "junk"}, "invalid_cursor"),
    ("conversations.replies", {"channel": GENERAL, "ts": "1.000001"}, "thread_not_found"),
    ("conversations.list", {"types": "secret_channel"}, "invalid_types"),
    ("conversations.list", {"limit": 5000}, "invalid_limit"),
    ("conversations.open", {"users": "U0NOBODY"}, "user_not_found"),
    ("conversations.open", {}, "users_list_not_supplied"),
    ("users.info", {"user": "U0NOBODY"}, "user_not_found"),
    ("bots.info", {"bot": "B0OTHER"}, "bot_not_found"),
    ("reactions.add", {"channel": GENERAL, "timestamp": "1.000001", "name": "eyes"}, "message_not_found"),
    (
        "assistant.threads.setStatus",
        {"channel_id": GENERAL, "thread_ts": "1.000001", "status": "x"},
        "invalid_thread_ts",
    ),
    ("files.info", {"file": "F0NONE"}, "file_not_found"),
    ("files.completeUploadExternal", {"files": [{"id": "F0NONE"}]}, "file_not_found"),
    ("views.open", {"trigger_id": "made.up", "view": {}}, "invalid_trigger_id"),
    ("views.update", {"view_id": "V0NONE", "view": {}}, "invalid_arguments"),
    ("blocks.validate", {}, "invalid_arguments"),
    ("chat.scheduleMessage", {}, "unknown_method"),
]


@pytest.mark.parametrize(("method", "args", "error"), REFUSALS)
async def test_a_wrong_call_is_refused_as_slack_refuses_it(
    slack: AsyncWebClient, method: str, args: dict[str, Any], error: str
) -> None:
    assert await refused(slack, method, **args) == error
    if method in reference():
        assert error in documented(method) | UNLISTED


async def test_a_refused_argument_is_named(slack: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError) as caught:
        await slack.chat_postMessage(channel=GENERAL, text="x", colour="red")
    assert caught.value.response["response_metadata"]["messages"] == [
        "[ERROR] chat.postMessage has no argument 'colour'"
    ]


async def test_text_over_forty_thousand_characters_is_cut_and_an_update_over_four_thousand_is_refused(
    standin: Standin, slack: AsyncWebClient
) -> None:
    posted = await slack.chat_postMessage(channel=GENERAL, text="x" * 40_001)
    assert len(standin.ledger.messages(GENERAL)[0].text) == 40_000
    assert await refused(slack, "chat.update", channel=GENERAL, ts=posted["ts"], text="x" * 4_001) == "msg_too_long"


async def test_an_update_by_text_takes_the_blocks_away_and_keeps_the_metadata(
    standin: Standin, slack: AsyncWebClient
) -> None:
    metadata = {"event_type": "director_turn", "event_payload": {"turn": "t-1", "part": 0}}
    posted = await slack.chat_postMessage(channel=GENERAL, text="a", blocks=[{"type": "divider"}], metadata=metadata)
    await slack.chat_update(channel=GENERAL, ts=posted["ts"], text="b")
    (message,) = standin.ledger.messages(GENERAL)
    assert (message.text, message.blocks, message.metadata) == ("b", None, metadata)
    assert [(one.kind, one.method) for one in standin.ledger.changes(GENERAL, message.ts)] == [
        ("created", "chat.postMessage"),
        ("changed", "chat.update"),
    ]


async def test_nobody_elses_message_can_be_changed(standin: Standin, slack: AsyncWebClient) -> None:
    ts = await standin.say(MAYA, GENERAL, "mine")
    assert await refused(slack, "chat.update", channel=GENERAL, ts=ts, text="yours") == "cant_update_message"
    assert await refused(slack, "chat.delete", channel=GENERAL, ts=ts) == "cant_delete_message"


async def test_a_deleted_message_is_gone_for_slack_and_kept_in_the_ledger(
    standin: Standin, slack: AsyncWebClient
) -> None:
    posted = await slack.chat_postMessage(channel=GENERAL, text="oops")
    await slack.chat_delete(channel=GENERAL, ts=posted["ts"])
    assert standin.ledger.messages(GENERAL) == []
    assert [(one.text, one.deleted) for one in standin.ledger.everything()] == [("oops", True)]
    assert (await slack.conversations_history(channel=GENERAL))["messages"] == []


async def test_an_ephemeral_message_is_seen_by_one_person_and_can_not_be_updated(
    standin: Standin, slack: AsyncWebClient
) -> None:
    shown = await slack.chat_postEphemeral(channel=GENERAL, user=MAYA, text="psst")
    assert [one.text for one in standin.ledger.ephemeral(MAYA)] == ["psst"]
    assert (await slack.conversations_history(channel=GENERAL))["messages"] == []
    error = await refused(slack, "chat.update", channel=GENERAL, ts=shown["message_ts"], text="x")
    assert error == "message_not_found"


async def test_history_and_replies_come_in_pages(standin: Standin, slack: AsyncWebClient) -> None:
    root = await standin.say(MAYA, GENERAL, "root")
    replies = [await standin.say(MAYA, GENERAL, f"reply {number}", root) for number in range(5)]
    roots = [await standin.say(MAYA, GENERAL, f"other {number}") for number in range(4)]

    found: list[str] = []
    async for page in await slack.conversations_history(channel=GENERAL, limit=2):
        assert len(page["messages"]) <= 2
        found += [message["ts"] for message in page["messages"]]
    assert found == [*reversed(roots), root]

    first = await slack.conversations_replies(channel=GENERAL, ts=root, limit=3)
    assert [one["ts"] for one in first["messages"]] == [root, *replies[:3]]
    assert (first["messages"][0]["reply_count"], first["has_more"]) == (5, True)
    rest = await slack.conversations_replies(
        channel=GENERAL, ts=root, limit=3, cursor=first["response_metadata"]["next_cursor"]
    )
    assert [one["ts"] for one in rest["messages"]] == [root, *replies[3:]]
    since = await slack.conversations_replies(channel=GENERAL, ts=root, oldest=replies[3])
    assert [one["ts"] for one in since["messages"]] == [root, replies[4]]


async def test_lists_show_what_the_bot_may_see(slack: AsyncWebClient) -> None:
    listed = await slack.conversations_list(types="public_channel,private_channel", exclude_archived=True)
    names = {channel["name"]: channel["is_member"] for channel in listed["channels"]}
    assert names == {"general": True, "payments": True, "platform": True, "random": False, "leads": True}
    members = await slack.conversations_members(channel=LEADS)
    assert members["members"] == sorted([MAYA, OMAR, "U0DIRECTOR"])
    mine = await slack.users_conversations(types="private_channel")
    assert [channel["name"] for channel in mine["channels"]] == ["leads"]


async def test_people_are_described_with_what_rights_depend_on(slack: AsyncWebClient) -> None:
    kinds = {}
    for user in (MAYA, OMAR, GUS, EVE):
        told = (await slack.users_info(user=user))["user"]
        kinds[user] = (
            told["is_admin"],
            told["is_restricted"],
            told["team_id"],
            told.get("is_stranger", False),
            told["tz"],
        )
    assert kinds == {
        MAYA: (False, False, "T0DEMO", False, "Europe/London"),
        OMAR: (True, False, "T0DEMO", False, "Europe/Berlin"),
        GUS: (False, True, "T0DEMO", False, "America/New_York"),
        EVE: (False, False, "T0PARTNER", True, "Asia/Tokyo"),
    }


async def test_a_missing_scope_is_named_by_kind_of_conversation() -> None:
    scopes = frozenset({"chat:write", "channels:history"})
    async with running(scopes=scopes) as standin, client_of(standin) as slack:
        read = await slack.conversations_history(channel=GENERAL)
        with pytest.raises(SlackApiError) as caught:
            await slack.conversations_history(channel=LEADS)
        assert await refused(slack, "users.info", user=MAYA) == "missing_scope"
        assert await refused(slack, "conversations.list") == "missing_scope"
    assert read.headers["X-OAuth-Scopes"] == "channels:history,chat:write"
    assert caught.value.response["needed"] == "groups:history"
    assert caught.value.response["provided"] == "channels:history,chat:write"


async def test_a_direct_message_is_opened_once(slack: AsyncWebClient) -> None:
    opened = await slack.conversations_open(users=[MAYA])
    again = await slack.conversations_open(users=[MAYA])
    assert opened["channel"]["id"] == again["channel"]["id"] == "D0MAYA"
    group = await slack.conversations_open(users=[MAYA, OMAR])
    assert (await slack.conversations_info(channel=group["channel"]["id"]))["channel"]["is_mpim"] is True


async def test_a_reaction_stands_once(slack: AsyncWebClient) -> None:
    posted = await slack.chat_postMessage(channel=GENERAL, text="x")
    await slack.reactions_add(channel=GENERAL, timestamp=posted["ts"], name="eyes")
    error = await refused(slack, "reactions.add", channel=GENERAL, timestamp=posted["ts"], name="eyes")
    assert error == "already_reacted"


async def test_the_status_line_is_shown_until_the_app_speaks(standin: Standin, slack: AsyncWebClient) -> None:
    asked = await standin.say(MAYA, GENERAL, "@Director hm?")
    await slack.assistant_threads_setStatus(channel_id=GENERAL, thread_ts=asked, status="is thinking …")
    assert [(one.thread_ts, one.status) for one in standin.ledger.statuses] == [(asked, "is thinking …")]
    assert standin.live.statuses[GENERAL, asked] == "is thinking …"
    await slack.chat_postMessage(channel=GENERAL, thread_ts=asked, text="Here.")
    assert standin.live.statuses[GENERAL, asked] == ""
    await slack.assistant_threads_setStatus(channel_id=GENERAL, thread_ts=asked, status="")


async def test_permalinks_point_into_the_thread(standin: Standin, slack: AsyncWebClient) -> None:
    root = await standin.say(MAYA, GENERAL, "root")
    reply = await standin.say(MAYA, GENERAL, "reply", root)
    link = (await slack.chat_getPermalink(channel=GENERAL, message_ts=reply))["permalink"]
    assert link == f"{standin.url}/archives/{GENERAL}/p{reply.replace('.', '')}?thread_ts={root}&cid={GENERAL}"


async def test_posts_are_counted_by_turn(standin: Standin, slack: AsyncWebClient) -> None:
    for turn, part in (("a", 0), ("a", 1), ("b", 0), ("b", 0)):
        metadata = {"event_type": "director_turn", "event_payload": {"turn": turn, "part": part}}
        await slack.chat_postMessage(channel=GENERAL, text="x", metadata=metadata)
    assert standin.ledger.posts_by_turn() == {("a", 0): 1, ("a", 1): 1, ("b", 0): 2}
