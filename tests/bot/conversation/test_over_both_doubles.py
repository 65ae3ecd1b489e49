"""The core of a conversation over the wire: against our double of the Messages API, and against one by others."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.conversation import Conversation, Fault, ModelUnavailable
from bot.conversation.anthropic import AnthropicModel
from bot.domain import Note, Text, Thread
from tests.doubles.aimock import Aimock, require
from tests.doubles.anthropic_double import AnthropicDouble, Refusal, Step, looks_up, says
from tests.doubles.talk import SYSTEM, Heard, after, answered, ask, conversation, toolbox

# One turn: the question, then what the model does, as (look-up, arguments) or words.
Script = Sequence[tuple[str, Sequence[str | tuple[str, dict[str, Any]]]]]
Serving = Callable[[Script], AbstractAsyncContextManager[str]]


@asynccontextmanager
async def our_double(script: Script) -> AsyncIterator[str]:
    async with AnthropicDouble() as double:
        for _, steps in script:
            double.script(*(says(step) if isinstance(step, str) else looks_up(*step) for step in steps))
        yield double.url
        assert double.problems == []


def aimocks(folder: Path) -> Serving:
    @asynccontextmanager
    async def serve(script: Script) -> AsyncIterator[str]:
        async with Aimock(folder, fixtures(script)) as mock:
            yield mock.url

    return serve


def fixtures(script: Script) -> list[dict[str, Any]]:
    """aimock picks an answer by the last words of a user, and by whether a look-up's result came after them."""
    found = []
    for question, steps in script:
        for step in steps:
            words = isinstance(step, str)
            answer = (
                {"content": step} if words else {"toolCalls": [{"name": step[0], "arguments": json.dumps(step[1])}]}
            )
            after_look_up = words and len(steps) > 1
            found.append({"match": {"userMessage": question, "hasToolResult": after_look_up}, "response": answer})
    return found


@pytest.fixture(params=["ours", "aimock"])
def serve(request: pytest.FixtureRequest, tmp_path: Path) -> Serving:
    if request.param == "ours":
        return our_double
    require()
    return aimocks(tmp_path)


@asynccontextmanager
async def model_at(url: str, **how: Any) -> AsyncIterator[AnthropicModel]:
    model = AnthropicModel(api_key="sk-ant-test", base_url=url, **{"retries": 0, "seconds": 5.0, **how})
    await model.warm_up()
    yield model
    await model.close()


TWO_TURNS: Script = (
    ("How is checkout?", (("error_budget_status", {"services": ["checkout"]}), "It has {{f3}} left. <!channel>")),
    ("And payments?", (("error_budget_status", {"services": ["payments"]}), "That one is {{f6}}; rule of thumb: 42.")),
)


async def test_two_turns_of_one_thread(serve: Serving) -> None:
    async with serve(TWO_TURNS) as url, model_at(url) as model:
        talk, heard = conversation(model), Heard()
        first = await answered(talk, ask("How is checkout?"), heard)
        assert heard.text == "It has 18.7% left. @channel"
        assert heard.status_lines == ["looks up error budgets …"]
        thread = after(Thread(), first)
        second = await answered(talk, ask("And payments?", thread=thread, number=2))
        assert second.reply.parts == (
            Text(markdown="That one is exhausted; rule of thumb: 42."),
            Note(markdown="Figures of our services as of 2026-11-23 09:00 UTC."),
            Note(markdown="General knowledge, not measured: 42."),
        )
        assert [message.role for message in after(thread, second).messages] == [
            *("user", "system", "assistant", "user", "assistant"),
            *("user", "system", "assistant", "user", "assistant"),
        ]


async def test_small_talk_needs_no_look_up(serve: Serving) -> None:
    async with serve((("Good morning", ("Good morning to you.",)),)) as url, model_at(url) as model:
        answer = await answered(conversation(model), ask("Good morning"))
        assert answer.reply.parts == (Text(markdown="Good morning to you."),)


@pytest.mark.parametrize(("status", "fault"), [(429, Fault.BUSY), (529, Fault.BUSY), (500, Fault.UNREACHABLE)])
async def test_aimock_refusing(status: int, fault: Fault, tmp_path: Path) -> None:
    require()
    refusal = {"error": {"message": "no", "type": "some_error"}, "status": status, "retryAfter": 30}
    fixture = {"match": {"userMessage": "Well"}, "response": refusal}
    async with Aimock(tmp_path, [fixture]) as mock, model_at(mock.url) as model:
        with pytest.raises(ModelUnavailable) as caught:
            await answered(conversation(model), ask("Well?"))
    assert caught.value.fault is fault


async def test_aimock_breaking_off(tmp_path: Path) -> None:
    require()
    fixture = {
        "match": {"userMessage": "Well"},
        "response": {"content": "A sentence that is never finished because the line breaks."},
        "truncateAfterChunks": 3,
        "latency": 20,
    }
    async with Aimock(tmp_path, [fixture]) as mock, model_at(mock.url) as model:
        with pytest.raises(ModelUnavailable) as caught:
            await answered(conversation(model), ask("Well?"))
    assert caught.value.fault in (Fault.UNREACHABLE, Fault.BROKEN)


# --- what only ours can see ------------------------------------------------------------------------------------------


async def test_the_prefix_is_the_same_bytes_over_many_turns() -> None:
    async with AnthropicDouble() as double, model_at(double.url) as model:
        talk, thread = conversation(model), Thread()
        for number in range(1, 6):
            double.script(looks_up("error_budget_status", {"services": ["search"]}), says(f"Turn {{{{f{number}}}}}."))
            answer = await answered(talk, ask(f"Question {number} – größer?", thread=thread, number=number))
            # As after a restart: what was stored comes back from JSON.
            stored = [message.model_dump_json() for message in after(thread, answer).messages]
            messages = tuple(type(answer.messages[0]).model_validate_json(text) for text in stored)
            thread = Thread(messages=messages, facts=after(thread, answer).facts)
        assert double.problems == []
        assert len(double.requests) == 10
        for earlier, later in pairwise(double.requests):
            assert later.prefix().startswith(earlier.prefix())
            assert (later.body["system"], later.body["tools"]) == (earlier.body["system"], earlier.body["tools"])
        assert double.requests[0].body["system"][0]["text"] == SYSTEM


async def test_an_edited_history_would_be_refused() -> None:
    async with AnthropicDouble() as double, model_at(double.url) as model:
        talk = conversation(model)
        double.script(says("First."), says("Second."))
        first = await answered(talk, ask("One?"))
        asked = first.messages[0].model_copy(update={"content": "Edited?"})
        edited = Thread(messages=(asked, *first.messages[1:]))
        with pytest.raises(ModelUnavailable) as caught:
            await answered(talk, ask("Two?", thread=edited, number=2))
        assert caught.value.fault is Fault.REJECTED
        assert "bound to a different conversation" in double.problems[0]


@pytest.mark.parametrize(
    "broken",
    [
        says("Half of it", events=8, end="rst"),
        looks_up("error_budget_status", '{"servi', stop_reason="max_tokens"),
        Refusal(529, "overloaded_error"),
    ],
    ids=["reset", "half a look-up", "overloaded"],
)
async def test_a_turn_that_broke_leaves_the_thread_as_it_was(broken: Step) -> None:
    async with AnthropicDouble() as double, model_at(double.url) as model:
        talk = conversation(model)
        double.script(says("First."))
        thread = after(Thread(), await answered(talk, ask("One?")))
        double.script(looks_up("error_budget_status", {}), broken)
        with pytest.raises(ModelUnavailable):
            await answered(talk, ask("Two?", thread=thread, number=2))
        double.script(says("Third."))
        answer = await answered(talk, ask("Two, again?", thread=thread, number=3))
        assert answer.reply.parts == (Text(markdown="Third."),)
        assert double.problems == []


async def test_threads_survive_another_prompt_another_model_and_the_way_back() -> None:
    async with (
        AnthropicDouble() as double,
        model_at(double.url) as old,
        model_at(double.url, name="claude-opus-5-5") as new,
    ):
        thread = Thread()
        rewritten = Conversation(model=old, tools=toolbox(), system=f"{SYSTEM}\nBe brief.")
        for number, talk in enumerate(
            (conversation(old), rewritten, conversation(new), conversation(old)) * 2, start=1
        ):
            double.script(looks_up("error_budget_status", {"services": ["search"]}), says(f"Answer {number}."))
            answer = await answered(talk, ask(f"Question {number}", thread=thread, number=number))
            thread = after(thread, answer)
        assert double.problems == []
        kinds = [
            [block["type"] for block in message.content] for message in thread.messages if message.role == "assistant"
        ]
        assert all("thinking" in blocks for blocks in kinds)  # what is stored is never rewritten
