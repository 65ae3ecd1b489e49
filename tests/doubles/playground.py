"""Microsoft's playground for Teams (npm `@microsoft/m365agentsplayground`), a Teams that others wrote.

Its licence is for trying things out, so it is neither a dependency nor ever installed by a test: where it is missing,
its tests skip themselves and say how to get it, also in CI. It has no tokens, no limits, no redelivery and no manifest.
It may speak with this machine only. One page at a time can be open, and what was said stands on that page alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import aiohttp
import pytest
import yaml
from playwright.async_api import Browser, FloatRect, Locator, Page, WebSocket, expect

from bot.demo.guide import PLAYGROUND
from tests.doubles.process import environment, free_port

TENANT = "00000000-0000-0000-0000-0000000000001"
BOT, PERSON = "Director", "Maya"
PERSONAL, GROUP, CHANNEL, OTHER = "personal-chat-id", "group-chat-id", "team-id", "payments-channel-id"
# What the page calls them.
TITLES = {
    PERSONAL: "Personal Chat",
    GROUP: "On call",
    CHANNEL: "Fernhill Outdoor - General",
    OTHER: "Fernhill Outdoor - Payments",
}
PATIENCE = 40.0  # seconds
_GUARD = Path(__file__).with_name("loopback.cjs")

Message = dict[str, Any]


def require() -> Path:
    """The command's script, or a loud skip."""
    folder = os.environ.get("PLAYGROUND")
    script = Path(folder or ".", "node_modules", *PLAYGROUND.rpartition("@")[0].split("/"), "cli.js")
    if folder and script.is_file() and shutil.which("node"):
        return script.resolve()
    pytest.skip(
        "NOT TRIED IN MICROSOFT'S TEAMS PLAYGROUND. Install it with "
        f"`npm i --prefix FOLDER {PLAYGROUND}` and set PLAYGROUND=FOLDER."
    )


class Playground:
    """The playground's process, in front of a bot that listens at `endpoint`."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self._folder, self._endpoint = folder / "playground", endpoint
        self._port = free_port()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def service_url(self) -> str:
        return f"{self.url}/_connector"

    async def __aenter__(self) -> Self:
        script = require()
        self._folder.mkdir()
        (self._folder / ".m365agentsplayground.yml").write_text(yaml.safe_dump(_configuration()), encoding="utf-8")
        command = ["node", "--require", str(_GUARD), str(script), "start", "--dt", "-c", "msteams"]
        command += ["-p", str(self._port), "-e", self._endpoint, "--su", self.service_url]
        with (self._folder / "log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                cwd=self._folder,
                env=environment({}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
            while not await self._answers(session):  # noqa: ASYNC110 - another process tells nobody
                await asyncio.sleep(0.1)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    async def _answers(self, session: aiohttp.ClientSession) -> bool:
        assert self._process is not None
        if self._process.returncode is not None:
            raise AssertionError(f"the playground ended:\n{(self._folder / 'log').read_text(encoding='utf-8')}")
        try:
            async with session.get(f"{self.url}/_internal/v1/config") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    @asynccontextmanager
    async def window(self, browser: Browser, *, width: int = 1280, height: int = 900) -> AsyncIterator[Window]:
        """The playground's page."""
        context = await browser.new_context(
            viewport={"width": width, "height": height}, device_scale_factor=1.5, locale="en-GB", timezone_id="UTC"
        )
        context.set_default_timeout(PATIENCE * 1000)
        await context.route(re.compile(r"^https?://(?!127\.0\.0\.1[:/])"), lambda route: route.abort())
        try:
            window = Window(await context.new_page())
            await window.open(self.url)
            yield window
        finally:
            await context.close()


class Window:
    """The page: what a person does there, and what came in over its connection."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.frames: list[Message] = []  # everything that the bot sent, in order, as the page heard it
        self.calls: list[Message] = []  # every request of either side with its answer
        self._heard = asyncio.Event()
        page.on("websocket", self._listen)

    async def open(self, url: str) -> None:
        await self.page.goto(url)
        await expect(self.page.get_by_role("treeitem", name=TITLES[PERSONAL])).to_be_visible()

    # --- what a person does ------------------------------------------------------------------------------------------

    async def go(self, conversation: str) -> None:
        await self.page.get_by_role("treeitem", name=TITLES[conversation], exact=True).click()
        await expect(self.page.get_by_role("textbox").first).to_be_visible()

    async def say(self, text: str) -> None:
        """Write into the conversation that is open; in a channel this starts a new post."""
        await self._write(self.page.get_by_role("textbox").first, text)
        await self._send()

    async def mention(self, text: str) -> None:
        """The same with a mention of the Director in front."""
        await self._mention(self.page.get_by_role("textbox").first, text)
        await self._send()

    async def reply(self, text: str) -> None:
        """Mention the Director in a reply to the newest post of the channel that is open."""
        box = self.page.get_by_role("textbox").nth(1)
        await self._mention(box, text)
        await self.page.get_by_role("button", name="Send Message").first.click()

    async def press(self, label: str) -> None:
        await self.page.get_by_role("button", name=label, exact=True).last.click()

    async def settled(self, quiet: float = 1.5) -> None:
        """Until nothing more came for so many seconds."""
        while True:
            self._heard.clear()
            try:
                await asyncio.wait_for(self._heard.wait(), quiet)
            except TimeoutError:
                return

    async def to(self, message: int) -> None:
        """Bring the bot's nth message in the open chat to the top of the page."""
        names = self.page.locator("main, body").first.get_by_text(re.compile(f"^{BOT}$"))
        if await names.count() > message:
            await names.nth(message).evaluate("node => node.scrollIntoView({ block: 'start' })")

    async def keep(self, path: Path) -> None:
        """A picture of the conversation as it stands, without what is the playground's own around it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        await self.page.mouse.move(0, 0)
        size = self.page.viewport_size or {"width": 1280, "height": 900}
        left, right, top = 330, 330, 49
        clip = FloatRect(x=left, y=top, width=size["width"] - left - right, height=size["height"] - top)
        await self.page.screenshot(path=path, clip=clip)

    # --- what came in ------------------------------------------------------------------------------------------------

    def messages(self, conversation: str) -> list[Message]:
        """What the bot said in a conversation, threads included, each message as it stands now."""
        found: dict[str, Message] = {}
        for frame in self.frames:
            if str(frame.get("actionConversationId", "")).partition(";")[0] == conversation and "message" in frame:
                message = frame["message"]
                found[str(message["messageId"])] = {
                    "text": "",
                    **message,
                    "conversation": frame["actionConversationId"],
                }
        return list(found.values())

    async def until(
        self, conversation: str, wanted: Callable[[Message], bool], *, seconds: float = PATIENCE
    ) -> Message:
        """The first message of the bot that is wanted, as soon as it stands."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    self._heard.clear()
                    for message in self.messages(conversation):
                        if wanted(message):
                            return message
                    await self._heard.wait()
        except TimeoutError:
            said = json.dumps(self.messages(conversation), indent=1)[-4000:]
            raise AssertionError(f"it never came; this did:\n{said}\n{self.refused}") from None

    @property
    def refused(self) -> list[Message]:
        """The calls that the other side refused."""
        return [call for call in self.calls if call.get("response", {}).get("statusCode", 200) >= 400]

    # --- inside ------------------------------------------------------------------------------------------------------

    async def _write(self, box: Locator, text: str) -> None:
        await box.click()
        await self.page.keyboard.type(text)

    async def _mention(self, box: Locator, text: str) -> None:
        await self._write(box, "@")
        await self.page.get_by_role("menuitem", name=BOT).click()
        await self.page.keyboard.type(f" {text}")

    async def _send(self) -> None:
        send = self.page.get_by_role("button", name=re.compile("^(Post|Send Message)$")).first
        await send.click()

    def _listen(self, socket: WebSocket) -> None:
        def heard(payload: str | bytes) -> None:
            frame = json.loads(payload)
            if "action" in frame:
                self.frames.append(frame)
            elif "request" in frame.get("log", {}):
                self.calls.append(frame["log"])
            self._heard.set()

        socket.on("framereceived", heard)


def _configuration() -> dict[str, Any]:
    names = ("Omar", "Ines", "Ravi", "Dana", "Lena")
    return {
        "version": "0.1.0",
        "tenantId": TENANT,
        "bot": {"id": "00000000-0000-0000-0000-00000000000011", "name": BOT},
        "currentUser": _person(PERSON, 0),
        "users": [_person(name, number) for number, name in enumerate(names, start=1)],
        "personalChat": {"id": PERSONAL},
        "groupChat": {"id": GROUP, "name": TITLES[GROUP]},
        "team": {
            "id": CHANNEL,
            "name": "Fernhill Outdoor",
            "aadGroupId": "00000000-0000-0000-0000-000000000031",
            "channels": [{"id": OTHER, "name": "Payments"}],
        },
    }


def _person(name: str, number: int) -> dict[str, str]:
    mail = f"{name.lower()}@example.com"
    return {
        "id": f"user-id-{number}",
        "name": name,
        "userPrincipleName": mail,
        "aadObjectId": f"00000000-0000-0000-0000-00000000002{number}",
        "givenName": name,
        "surname": "Fern",
        "email": mail,
    }
