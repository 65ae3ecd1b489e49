"""local-slack (npm `local-slack-linux-x64`), a Slack workspace that others wrote, where it is installed.

`make` doesn't need it: without it its tests are skipped, unless `CI` is set: then they fail. It has no streaming, no
status line, no limits, no redelivery and no message metadata. It listens on every address, so it runs only while a
test does.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import aiohttp
import pytest
import yaml

from tests.doubles.process import ROOT, environment, free_port

INSTALL = "npm ci --prefix tests/doubles/npm --ignore-scripts --no-audit --no-fund"
_BINARY = ROOT / "tests/doubles/npm/node_modules/local-slack-linux-x64/bin/local-slack"

BOT, PERSON, CHANNEL, DIRECT, TEAM = "U0DIRECTOR", "U0MAYA", "C0GENERAL", "D0MAYA", "T0LOCAL"
BOT_TOKEN, APP_TOKEN, SIGNING_SECRET = "xoxb-local", "xapp-local", "local-signing-secret"


def require() -> Path:
    """The program, or a loud skip (a failure in CI)."""
    if _BINARY.is_file():
        return _BINARY
    reason = f"local-slack is not installed; {INSTALL}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class LocalSlack:
    """One workspace with one channel and one direct message; with `events_url` it delivers by signed HTTP."""

    def __init__(self, folder: Path, *, events_url: str | None = None) -> None:
        self._folder = folder
        self._events_url = events_url
        self._port = free_port()
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    async def __aenter__(self) -> Self:
        binary = require()
        config = self._folder / "local-slack.yml"
        config.write_text(yaml.safe_dump(self._config()))
        self._process = await asyncio.create_subprocess_exec(
            str(binary),
            *("--config", str(config), "--port", str(self._port), "--base-host", "127.0.0.1"),
            env=environment({}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._session = aiohttp.ClientSession(self.url, timeout=aiohttp.ClientTimeout(total=10))
        async with asyncio.timeout(20):
            while not await self._answers():  # noqa: ASYNC110 - another process tells nobody
                await asyncio.sleep(0.05)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
        if self._process is not None:
            self._process.terminate()
            await self._process.wait()

    async def say(self, text: str, *, channel: str = CHANNEL, thread: str | None = None) -> str:
        body = {"channel": channel, "user": PERSON, "text": text, "thread_ts": thread}
        answer = await self._post("message", {key: value for key, value in body.items() if value is not None})
        return str(answer["message"]["ts"])

    async def command(self, command: str, text: str, *, channel: str = CHANNEL) -> None:
        await self._post("command", {"channel": channel, "user": PERSON, "command": command, "text": text})

    async def messages(self, channel: str = CHANNEL) -> list[dict[str, Any]]:
        assert self._session is not None
        async with self._session.get(f"/_control/messages/{channel}") as answer:
            found: list[dict[str, Any]] = (await answer.json())["messages"]
            return found

    async def until(self, wanted: Callable[[dict[str, Any]], bool], *, channel: str = CHANNEL) -> dict[str, Any]:
        """The first message that is wanted, looked for until it stands."""
        async with asyncio.timeout(10):
            while True:
                for message in await self.messages(channel):
                    if wanted(message):
                        return message
                await asyncio.sleep(0.05)

    async def _post(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        assert self._session is not None
        async with self._session.post(f"/_control/{what}", json=body) as answer:
            told: dict[str, Any] = await answer.json()
            assert told["ok"], told
            return told

    async def _answers(self) -> bool:
        assert self._session is not None
        assert self._process is not None
        if self._process.returncode is not None:
            raise AssertionError(f"local-slack ended with {self._process.returncode}")
        try:
            async with self._session.get("/_control/state") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    def _config(self) -> dict[str, Any]:
        app = {
            "appId": "A0DIRECTOR",
            "botUserId": BOT,
            "botName": "director",
            "botToken": BOT_TOKEN,
            "appToken": APP_TOKEN,
            "signingSecret": SIGNING_SECRET,
            "mode": "events" if self._events_url else "socket",
        }
        if self._events_url:
            app["requestUrl"] = self._events_url
        return {
            "workspace": {"name": "Local", "domain": "local", "teamId": TEAM},
            "apps": [app],
            "users": [
                {"id": PERSON, "name": "maya", "real_name": "Maya", "tz": "Europe/London"},
                {"id": BOT, "name": "director", "is_bot": True},
            ],
            "channels": [
                {"id": CHANNEL, "name": "general", "members": [PERSON, BOT]},
                {"id": DIRECT, "name": "maya", "is_im": True, "is_channel": False, "members": [PERSON, BOT]},
            ],
        }
