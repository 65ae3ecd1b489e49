"""The demo's Director in Microsoft's Teams playground: what a person would see there.

Pictures go to PLAYGROUND_PICTURES, if that is set, to be looked at.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.references import ConversationReference
from storage import open_store
from tests.doubles import playground as playgrounds
from tests.doubles.anthropic_double import AnthropicDouble, says
from tests.doubles.browser import open_browser
from tests.doubles.playground import CHANNEL, GROUP, OTHER, PERSONAL, TENANT, Message, Playground, Window
from tests.doubles.process import ROOT, environment, free_port, run
from tests.doubles.teams import running
from tests.system.conftest import write_checkout

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SLOW = "A circuit breaker stops calling what is down. " * 30


@dataclass
class Town:
    """The demo, the playground before it and its page."""

    playground: Playground
    window: Window
    folder: Path

    async def keep(self, name: str) -> None:
        await self.window.keep(Path(os.environ.get("PLAYGROUND_PICTURES") or self.folder) / f"teams-{name}.png")


@asynccontextmanager
async def demo(port: int, folder: Path, env: dict[str, str]) -> AsyncIterator[None]:
    command = [sys.executable, "-m", "bot", "demo", "--no-browser", "--teams-port", str(port)]
    path = folder / "demo.log"
    with path.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, env=environment({"PYTHONPATH": str(ROOT), **env}), stdout=log, stderr=log
        )
    async with asyncio.timeout(60):
        while "Microsoft Teams" not in path.read_text(encoding="utf-8"):
            assert process.returncode is None, path.read_text(encoding="utf-8")
            await asyncio.sleep(0.1)
    try:
        yield
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 30)


@asynccontextmanager
async def town(folder: Path, **env: str) -> AsyncIterator[Town]:
    playgrounds.require()
    port = free_port()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(demo(port, folder, env))
        teams = await stack.enter_async_context(Playground(folder, f"http://127.0.0.1:{port}/api/messages"))
        browser = await stack.enter_async_context(open_browser())
        yield Town(teams, await stack.enter_async_context(teams.window(browser)), folder)


def shows(*words: str) -> object:
    return lambda message: all(word in str(message) for word in words)


def labelled(message: Message) -> bool:
    return "AIGeneratedContent" in str(message)


async def test_a_mention_in_a_channel_is_answered_in_its_thread(tmp_path: Path) -> None:
    async with town(tmp_path) as there:
        window = there.window
        await window.go(CHANNEL)
        await window.mention("how is checkout doing?")
        answer = await window.until(CHANNEL, lambda one: "error budget" in one["text"] and labelled(one))
        assert ";messageid=" in answer["conversation"]
        await window.settled()
        await there.keep("mention")
        assert [one["text"] for one in window.messages(CHANNEL)] == [answer["text"]]
        assert "Repeated" not in answer["text"]


async def test_an_answer_one_to_one_is_streamed(tmp_path: Path) -> None:
    async with AnthropicDouble() as model:
        model.script(says(SLOW, pause=0.05, chunk=20))
        env = {"ANTHROPIC_API_KEY": "sk-ant-test", "ANTHROPIC_BASE_URL": model.url}
        async with town(tmp_path, **env) as there:
            window = there.window
            await window.go(PERSONAL)
            await window.say("what does a circuit breaker do?")
            await window.until(PERSONAL, lambda one: one["text"].startswith("A circuit breaker"))
            await there.keep("streaming")
            await window.until(PERSONAL, lambda one: one["text"].strip() == SLOW.strip() and labelled(one))
            await there.keep("streamed")
            steps = [call for call in window.calls if call.get("activityName") == "typing"]
            assert len(steps) >= 3
            assert next(one for one in window.messages(PERSONAL) if "circuit" in one["text"])["text"] == SLOW.strip()


async def test_the_stop_on_an_unfinished_answer_is_obeyed(tmp_path: Path) -> None:
    async with AnthropicDouble() as model:
        model.script(says(SLOW * 4, pause=0.1, chunk=20))
        env = {"ANTHROPIC_API_KEY": "sk-ant-test", "ANTHROPIC_BASE_URL": model.url}
        async with town(tmp_path, **env) as there:
            window = there.window
            await window.go(GROUP)
            await window.mention("what does a circuit breaker do?")
            await window.until(GROUP, lambda one: "Action.Execute" in str(one))
            await there.keep("draft")
            await window.press("Stop")
            stopped = await window.until(GROUP, lambda one: "topped" in one["text"])
            await there.keep("stopped")
            pressed = [call for call in window.calls if call.get("activityName") == "invoke"]
            assert [call["response"]["statusCode"] for call in pressed] == [200]
            assert "Stop" not in str(stopped["attachments"])


async def test_status_review_digest_and_plan_are_cards(tmp_path: Path) -> None:
    async with town(tmp_path) as there:
        window = there.window
        await window.go(PERSONAL)
        for words, shown in (
            ("status", "error budget"),
            ("digest", "igest"),
            ("review", "eview"),
            ("plan Move checkout to its own database", "Plan p1"),
        ):
            before = len(window.messages(PERSONAL))
            await window.say(words)
            await window.until(PERSONAL, lambda one, shown=shown: "AdaptiveCard" in str(one) and shown in str(one))
            await window.settled()
            await window.to(before)
            await there.keep(words.split()[0])
            assert [call for call in window.refused if call.get("activityName") == "message"] == []


async def test_a_scheduled_review_comes_without_being_asked_for(tmp_path: Path) -> None:
    async with town(tmp_path) as there:
        window = there.window
        await window.go(OTHER)
        due = datetime.now(UTC) + timedelta(seconds=70)
        await window.mention(f"schedule review every day {due:%H:%M} UTC")
        await window.until(OTHER, lambda one: "s1" in str(one))
        await window.until(OTHER, lambda one: "AdaptiveCard" in str(one) and one["conversation"] == OTHER, seconds=120)
        await window.settled()
        await there.keep("scheduled")


async def test_the_command_line_posts_a_review_into_a_channel(tmp_path: Path) -> None:
    async with running() as login, town(tmp_path) as there:
        await there.window.go(CHANNEL)
        write_checkout(tmp_path / "slos")
        env = login.environment(TENANT) | {
            "DATABASE_URL": f"sqlite:///{tmp_path}/posting.db",
            "DIRECTOR_SLOS": str(tmp_path / "slos"),
        }
        async with open_store(env["DATABASE_URL"]) as store:
            await store.migrate()
            await store.references.remember(
                ConversationReference(
                    platform="teams",
                    workspace=TENANT,
                    conversation=CHANNEL,
                    kind="channel",
                    service_url=there.playground.service_url,
                    name="general",
                    known_at=datetime.now(UTC),
                )
            )
        posted = await run("review", "--post", "#general", cwd=tmp_path, env=env)
        assert (posted.code, posted.err) == (0, posted.err)
        await there.window.until(CHANNEL, lambda one: "AdaptiveCard" in str(one) and "eview" in str(one))
        await there.keep("posted")
