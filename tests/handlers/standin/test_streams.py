"""Streamed messages: what Slack lets an app do with them, and when it doesn't."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.models.messages.chunk import MarkdownTextChunk, TaskUpdateChunk
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.standin import Standin
from tests.doubles.slack import GENERAL, MAYA, Clock, client_of, running


async def refused(call: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def begun(standin: Standin, slack: AsyncWebClient, text: str | None = None) -> tuple[str, str]:
    """A question of Maya's and the stream that answers it."""
    asked = await standin.say(MAYA, GENERAL, "@Director hm?")
    stream = await slack.chat_startStream(
        channel=GENERAL,
        thread_ts=asked,
        recipient_team_id=standin.team_id,
        recipient_user_id=MAYA,
        markdown_text=text,
    )
    return asked, stream["ts"]


async def test_a_stream_grows_and_ends_with_blocks_and_metadata(standin: Standin, slack: AsyncWebClient) -> None:
    asked, ts = await begun(standin, slack, "One")
    await slack.chat_appendStream(channel=GENERAL, ts=ts, markdown_text=" two")
    growing = standin.ledger.by_bot(GENERAL, asked)[0]
    assert (growing.text, growing.streaming) == ("One two", True)

    metadata = {"event_type": "director_turn", "event_payload": {"turn": "t", "part": 0}}
    await slack.chat_stopStream(
        channel=GENERAL, ts=ts, markdown_text=" three", blocks=[{"type": "divider"}], metadata=metadata
    )
    (done,) = standin.ledger.by_bot(GENERAL, asked)
    assert (done.text, done.streaming, done.metadata) == ("One two three", False, metadata)
    assert done.blocks == [{"type": "markdown", "text": "One two three"}, {"type": "divider"}]
    assert [change.method for change in standin.ledger.changes(GENERAL, ts)] == [
        "chat.startStream",
        "chat.appendStream",
        "chat.stopStream",
    ]


async def test_the_sdks_own_stream_helper_works(standin: Standin, slack: AsyncWebClient) -> None:
    asked = await standin.say(MAYA, GENERAL, "@Director hm?")
    stream = await slack.chat_stream(
        channel=GENERAL, thread_ts=asked, recipient_team_id=standin.team_id, recipient_user_id=MAYA, buffer_size=4
    )
    await stream.append(markdown_text="Hello ")
    await stream.append(
        chunks=[
            TaskUpdateChunk(id="1", title="Look", status="in_progress"),
            MarkdownTextChunk(text="world"),
        ]
    )
    await stream.append(chunks=[TaskUpdateChunk(id="1", title="Look", status="complete")])
    await stream.stop()
    (done,) = standin.ledger.by_bot(GENERAL, asked)
    assert done.text == "Hello world"
    assert done.blocks == [
        {"type": "markdown", "text": "Hello world"},
        {"type": "task_card", "task_id": "1", "title": "Look", "status": "complete"},
    ]


@pytest.mark.parametrize(
    ("missing", "error"),
    [
        ("recipient_user_id", "missing_recipient_user_id"),
        ("recipient_team_id", "missing_recipient_team_id"),
        ("thread_ts", "invalid_arguments"),
    ],
)
async def test_a_stream_in_a_channel_says_where_and_for_whom(
    standin: Standin, slack: AsyncWebClient, missing: str, error: str
) -> None:
    args = {
        "channel": GENERAL,
        "thread_ts": await standin.say(MAYA, GENERAL, "hm?"),
        "recipient_team_id": standin.team_id,
        "recipient_user_id": MAYA,
    }
    del args[missing]
    assert await refused(slack.api_call("chat.startStream", json=args)) == error


async def test_a_stream_in_a_direct_message_needs_no_recipient_and_no_thread(
    standin: Standin, slack: AsyncWebClient
) -> None:
    await slack.api_call("chat.startStream", json={"channel": "D0MAYA", "markdown_text": "Hi"})
    assert [(one.text, one.streaming) for one in standin.ledger.messages("D0MAYA")] == [("Hi", True)]


async def test_one_call_holds_twelve_thousand_characters(standin: Standin, slack: AsyncWebClient) -> None:
    _, ts = await begun(standin, slack)
    await slack.chat_appendStream(channel=GENERAL, ts=ts, markdown_text="x" * 12_000)
    assert await refused(slack.chat_appendStream(channel=GENERAL, ts=ts, markdown_text="x" * 12_001)) == "msg_too_long"
    chunks = [{"type": "markdown_text", "text": "x" * 12_001}]
    assert await refused(slack.chat_appendStream(channel=GENERAL, ts=ts, chunks=chunks)) == "msg_too_long"


async def test_an_append_brings_something(standin: Standin, slack: AsyncWebClient) -> None:
    _, ts = await begun(standin, slack)
    assert await refused(slack.chat_appendStream(channel=GENERAL, ts=ts)) == "no_text"
    assert await refused(slack.chat_appendStream(channel=GENERAL, ts=ts, chunks=[{"type": "odd"}])) == "invalid_chunks"


async def test_a_live_stream_can_not_be_updated_and_an_ended_one_not_appended(
    standin: Standin, slack: AsyncWebClient
) -> None:
    _, ts = await begun(standin, slack, "One")
    assert await refused(slack.chat_update(channel=GENERAL, ts=ts, text="x")) == "streaming_state_conflict"
    await slack.chat_stopStream(channel=GENERAL, ts=ts)
    error = "message_not_in_streaming_state"
    assert await refused(slack.chat_appendStream(channel=GENERAL, ts=ts, markdown_text="x")) == error
    assert await refused(slack.chat_stopStream(channel=GENERAL, ts=ts)) == error
    await slack.chat_update(channel=GENERAL, ts=ts, text="whole")


async def test_a_stream_dies_after_five_minutes_and_keeps_its_text() -> None:
    clock = Clock()
    async with running(clock=clock) as standin, client_of(standin) as slack:
        asked, ts = await begun(standin, slack, "One")
        clock.pass_by(299)
        await slack.chat_appendStream(channel=GENERAL, ts=ts, markdown_text=" two")
        clock.pass_by(1)
        error = await refused(slack.chat_appendStream(channel=GENERAL, ts=ts, markdown_text=" three"))
        assert error == "message_not_in_streaming_state"
        (left,) = standin.ledger.by_bot(GENERAL, asked)
        assert (left.text, left.streaming) == ("One two", False)
        await slack.chat_update(channel=GENERAL, ts=ts, text="One two three")


async def test_a_stream_that_nobody_touches_ends_by_itself() -> None:
    async with running(stream_seconds=0.05) as standin, client_of(standin) as slack:
        asked, _ = await begun(standin, slack, "One")
        await standin.wait_for(lambda ledger: not ledger.by_bot(GENERAL, asked)[0].streaming)


async def test_a_workspace_without_streaming_does_not_know_the_methods() -> None:
    async with running(streaming=False) as standin, client_of(standin) as slack:
        asked = await standin.say(MAYA, GENERAL, "hm?")
        for method, args in (
            ("chat.startStream", {"thread_ts": asked}),
            ("chat.appendStream", {"ts": asked, "markdown_text": "x"}),
            ("chat.stopStream", {"ts": asked}),
        ):
            assert await refused(slack.api_call(method, json={"channel": GENERAL, **args})) == "unknown_method"


async def test_only_the_apps_own_stream_is_appended(standin: Standin, slack: AsyncWebClient) -> None:
    ts = await standin.say(MAYA, GENERAL, "mine")
    error = await refused(slack.chat_appendStream(channel=GENERAL, ts=ts, markdown_text="x"))
    assert error == "message_not_owned_by_app"
