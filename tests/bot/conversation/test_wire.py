"""The model's SDK over the wire: whole answers, every fault, and what is sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.conversation import (
    Fault,
    ModelRefused,
    ModelRequest,
    ModelUnavailable,
    TextDelta,
    ToolSpec,
    ToolStarted,
    Whole,
)
from bot.conversation.anthropic import AnthropicModel, wire
from bot.conversation.model import whole
from bot.domain import Message, Usage
from bot.errors import UsageError
from tests.doubles.anthropic_double import AnthropicDouble, Refusal, Step, Stream, looks_up, says

TOOL = ToolSpec(name="look", description="Looks.", input_schema={"type": "object", "properties": {}})
REQUEST = ModelRequest(system="You are it.", messages=(Message(role="user", content="Well?"),), tools=(TOOL,))


@pytest.fixture
async def double() -> AsyncIterator[AnthropicDouble]:
    async with AnthropicDouble() as running:
        yield running


@pytest.fixture
async def model(double: AnthropicDouble) -> AsyncIterator[AnthropicModel]:
    made = AnthropicModel(api_key="sk-ant-test", base_url=double.url, seconds=1.0, silence=0.4, retries=0)
    await made.warm_up()
    yield made
    await made.close()


async def test_text_streams_and_ends_as_one_whole_message(double: AnthropicDouble, model: AnthropicModel) -> None:
    double.script(says("Good morning to you.", thinking=False))
    events = [event async for event in model.stream(REQUEST)]
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "Good morning to you."
    assert events[-1] == Whole(
        message=Message(role="assistant", content=[{"type": "text", "text": "Good morning to you."}]),
        stop_reason="end_turn",
        usage=Usage(
            model="claude-sonnet-5-5", input_tokens=11, output_tokens=13, cache_read_tokens=5, cache_write_tokens=7
        ),
    )
    assert double.problems == []


async def test_a_look_up_comes_with_its_whole_arguments(double: AnthropicDouble, model: AnthropicModel) -> None:
    double.script(looks_up("look", {"services": ["checkout", "zahlung-ü"]}, text="Let me see."))
    events = [event async for event in model.stream(REQUEST)]
    assert ToolStarted(name="look") in events
    last = events[-1]
    assert isinstance(last, Whole)
    assert last.stop_reason == "tool_use"
    (call,) = last.tool_calls
    assert call["input"] == {"services": ["checkout", "zahlung-ü"]}
    assert isinstance(last.message.content, list)
    assert [block["type"] for block in last.message.content] == ["thinking", "text", "tool_use"]


OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
GARBLED_DELTA = {"type": "content_block_delta", "index": 9, "delta": {"type": "text_delta", "text": "?"}}
UNKNOWN_DELTA = {"type": "content_block_delta", "index": 1, "delta": {"type": "new_delta", "new": "?"}}
FAULTS: dict[str, tuple[Step, Fault]] = {
    "the connection is reset in mid-stream": (says("Half a sentence", events=8, end="rst"), Fault.UNREACHABLE),
    "the connection is closed in mid-stream": (says("Half a sentence", events=8, end="fin"), Fault.UNREACHABLE),
    "the stream ends cleanly without its last event": (says("Half a sentence", events=8), Fault.BROKEN),
    "the stream ends cleanly after its stop reason": (says("Hello", thinking=False, events=6), Fault.BROKEN),
    "the stream ends cleanly inside a look-up": (looks_up("look", {"services": ["a"]}, events=7), Fault.BROKEN),
    "an error event says that it is overloaded": (says("Half a", events=7, extra=(OVERLOADED,)), Fault.BUSY),
    "the body is empty": (Stream(raw=b""), Fault.BROKEN),
    "the body is JSON": (Stream(raw=b'{"type": "message"}', content_type="application/json"), Fault.BROKEN),
    "the body is a web page": (Stream(raw=b"<html>502</html>", content_type="text/html"), Fault.BROKEN),
    "an event is not JSON": (Stream(raw=b"event: message_start\ndata: {oops\n\n"), Fault.BROKEN),
    "an event is not UTF-8": (Stream(raw=b"event: message_start\ndata: \xff\xfe\n\n"), Fault.BROKEN),
    "a piece belongs to no block": (says("Hello", events=7, extra=(GARBLED_DELTA,)), Fault.BROKEN),
    "a piece is of an unknown kind": (says("Hello", events=7, extra=(UNKNOWN_DELTA,)), Fault.BROKEN),
    "it falls silent": (says("Half a sentence", events=8, end="hang"), Fault.SILENT),
    "it is silent from the start": (Stream(raw=b"", end="hang"), Fault.SILENT),
    "it pings for ever": (says("Half a sentence", events=8, end="pings"), Fault.SILENT),
    "it is at its rate limit": (Refusal(429, "rate_limit_error", {"retry-after": "30"}), Fault.BUSY),
    "it is overloaded": (Refusal(529, "overloaded_error"), Fault.BUSY),
    "it has an internal error": (Refusal(500, "api_error"), Fault.UNREACHABLE),
    "the key is wrong": (Refusal(401, "authentication_error"), Fault.KEY),
    "the credit is spent": (Refusal(402, "billing_error"), Fault.KEY),
    "the key has no right": (Refusal(403, "permission_error"), Fault.KEY),
    "the model is unknown": (Refusal(404, "not_found_error"), Fault.REJECTED),
    "the request is too large": (Refusal(413, "request_too_large"), Fault.TOO_LONG),
    "the request is malformed": (Refusal(400, "invalid_request_error"), Fault.REJECTED),
    "the answer is cut at its limit": (says("Half a", stop_reason="max_tokens"), Fault.TOO_LONG),
    "a look-up is cut at the limit": (looks_up("look", '{"servi', stop_reason="max_tokens"), Fault.BROKEN),
    "a look-up holds half its arguments": (looks_up("look", '{"servi'), Fault.BROKEN),
    "a look-up's arguments are no object": (looks_up("look", "[1]"), Fault.BROKEN),
    "it says that it is done and asks for a look-up": (looks_up("look", {}, stop_reason="end_turn"), Fault.BROKEN),
    "it wants to go on without end": (says("Well", stop_reason="pause_turn"), Fault.BROKEN),
    "it says nothing": (Stream(thinking=False, stop_reason="end_turn"), Fault.BROKEN),
}


@pytest.mark.parametrize(("step", "fault"), FAULTS.values(), ids=FAULTS.keys())
async def test_the_turn_did_not_happen_when(
    step: Step, fault: Fault, double: AnthropicDouble, model: AnthropicModel
) -> None:
    double.script(step)
    events: list[Any] = []
    with pytest.raises(ModelUnavailable) as caught:
        events.extend([event async for event in model.stream(REQUEST)])
    assert caught.value.fault is fault
    assert not any(isinstance(event, Whole) for event in events)
    assert len(double.requests) == 1
    double.script(says("All is well again."))
    assert (await whole(model, REQUEST)).text == "All is well again."


async def test_a_refusal_is_told_apart(double: AnthropicDouble, model: AnthropicModel) -> None:
    double.script(Stream(stop_reason="refusal"))
    with pytest.raises(ModelRefused):
        await whole(model, REQUEST)


async def test_nobody_listens_on_that_port() -> None:
    model = AnthropicModel(api_key="sk-ant-test", base_url="http://127.0.0.1:9", retries=0)
    with pytest.raises(ModelUnavailable) as caught:
        await whole(model, REQUEST)
    assert caught.value.fault is Fault.UNREACHABLE
    await model.close()


async def test_a_short_retry_after_is_waited_for(double: AnthropicDouble) -> None:
    model = AnthropicModel(api_key="sk-ant-test", base_url=double.url, retries=1)
    double.script(Refusal(429, "rate_limit_error", {"retry-after-ms": "5"}), says("Now I can."))
    assert (await whole(model, REQUEST)).text == "Now I can."
    await model.close()


@pytest.mark.parametrize("wait", [{"retry-after": "30"}, {"retry-after": "Wed, 21 Oct 2065 07:28:00 GMT"}])
async def test_a_long_retry_after_is_not_waited_for(wait: dict[str, str], double: AnthropicDouble) -> None:
    model = AnthropicModel(api_key="sk-ant-test", base_url=double.url, retries=2)
    double.script(Refusal(429, "rate_limit_error", wait))
    async with asyncio.timeout(5):
        with pytest.raises(ModelUnavailable) as caught:
            await whole(model, REQUEST)
    assert (caught.value.fault, caught.value.retryable, len(double.requests)) == (Fault.BUSY, True, 1)
    await model.close()


async def test_the_limit_never_cancels_whoever_listens(double: AnthropicDouble) -> None:
    model = AnthropicModel(api_key="sk-ant-test", base_url=double.url, seconds=0.3, retries=0)
    await model.warm_up()
    double.script(says("One two three four five", end="hang", events=8))
    seen: list[Any] = []

    async def read_slowly() -> None:
        async for event in model.stream(REQUEST):
            seen.append(event)
            await asyncio.sleep(0.35)  # the limit passes here

    with pytest.raises(ModelUnavailable):
        await read_slowly()
    assert seen
    await model.close()


async def test_the_environment_changes_nothing(
    double: AnthropicDouble, model: AnthropicModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-other")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "other")
    fresh = AnthropicModel(api_key="sk-ant-test", base_url=double.url)
    double.script(says("Hello."))
    assert (await whole(fresh, REQUEST)).text == "Hello."
    assert double.requests[0].headers["authorization"] == "Bearer sk-ant-test"
    await fresh.close()


@pytest.mark.parametrize(("key", "url"), [("", "https://api.anthropic.com"), ("sk", "")])
def test_an_empty_key_or_address_is_refused_at_once(key: str, url: str) -> None:
    with pytest.raises(UsageError):
        AnthropicModel(api_key=key, base_url=url)


def test_the_key_is_never_shown() -> None:
    assert "sk-ant" not in repr(AnthropicModel(api_key="sk-ant-secret"))


def test_what_is_sent() -> None:
    assert wire("claude-sonnet-5-5", REQUEST) == {
        "model": "claude-sonnet-5-5",
        "max_tokens": 32000,
        "system": [{"type": "text", "text": "You are it.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "messages": [{"role": "user", "content": "Well?"}],
        "cache_control": {"type": "ephemeral"},
        "tools": [{"name": "look", "description": "Looks.", "input_schema": {"type": "object", "properties": {}}}],
    }


def test_a_schema_asks_for_json() -> None:
    schema: dict[str, object] = {"type": "object", "properties": {}, "additionalProperties": False, "required": []}
    request = ModelRequest(system="s", messages=REQUEST.messages, schema=schema)
    assert wire("m", request)["output_config"] == {"format": {"type": "json_schema", "schema": schema}}


async def test_an_answer_by_schema_comes_back_as_json(double: AnthropicDouble, model: AnthropicModel) -> None:
    double.script(says('{"title": "ü"}'))
    answer = await whole(model, ModelRequest(system="s", messages=REQUEST.messages, schema={"type": "object"}))
    assert json.loads(answer.text) == {"title": "ü"}


@pytest.mark.parametrize(
    ("name", "roles"), [("claude-sonnet-5-5", 2), ("claude-sonnet-4-6", 1), ("claude-opus-5-5", 2)]
)
def test_older_models_get_the_circumstances_inside_the_question(name: str, roles: int) -> None:
    messages = (Message(role="user", content="Well?"), Message(role="system", content="It is nine."))
    sent = wire(name, ModelRequest(system="s", messages=messages))["messages"]
    assert len(sent) == roles
    assert "It is nine." in json.dumps(sent)
