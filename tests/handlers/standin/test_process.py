"""The workspace as a process of its own, and as a manifest sets it up."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.standin import Command, StandinConfig

MANIFEST = """
display_information: {name: Director}
features:
  bot_user: {display_name: The Director}
  slash_commands:
    - {command: /director, description: Ask, usage_hint: help}
oauth_config: {scopes: {bot: [chat:write, commands]}}
settings:
  event_subscriptions: {bot_events: [app_mention, message.im]}
"""


async def started(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "handlers.slack.standin",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_it_prints_where_it_is_and_stops_when_told() -> None:
    process = await started("--port", "0")
    assert process.stdout is not None
    told = json.loads(await process.stdout.readline())
    client = AsyncWebClient(token=told["bot_token"], base_url=told["api_url"])
    answer = await client.auth_test()
    assert (answer["team_id"], answer["user_id"]) == (told["team_id"], told["bot_user_id"])
    process.send_signal(signal.SIGTERM)
    await process.communicate()
    assert process.returncode == 0


async def test_it_says_what_is_missing_for_http() -> None:
    process = await started("--delivery", "http")
    _, errors = await process.communicate()
    assert process.returncode != 0
    assert b"--events-url" in errors


def test_a_manifest_sets_name_events_scopes_and_commands(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yml"
    path.write_text(MANIFEST)
    config = StandinConfig().with_manifest(path)
    assert config.bot.real_name == "The Director"
    assert config.events == ("app_mention", "message.im")
    assert config.scopes == frozenset({"chat:write", "commands"})
    assert config.commands == (Command(command="/director", description="Ask", usage_hint="help"),)
