"""From a message's parts to what Slack accepts: blocks level by level, charts uploaded as pictures where needed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from slack_sdk.errors import SlackApiError

from bot.domain import Chart
from bot.errors import DirectorError
from handlers.picture import Picture
from handlers.plain import shortened
from handlers.slack.blocks import Block, Level, blocks, wants_picture
from handlers.slack.render import Post
from handlers.slack.wire import TROUBLE, Wire, code

log = structlog.get_logger(__name__)

Send = Callable[[list[Block]], Awaitable[str]]

UNREAD_PICTURE = 1.5  # seconds that Slack may take to know an uploaded file

REFUSED = frozenset(
    ("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_blocks_too_many", "block_mismatch")
)


class Drawing:
    """How one answer is drawn. A picture is uploaded once, whatever becomes of the message."""

    def __init__(self, wire: Wire, picture: Picture | None) -> None:
        self._wire, self._picture = wire, picture
        self._uploaded: dict[str, str | None] = {}

    async def sent(self, post: Post, send: Send) -> str:
        """Send the message at the best level that Slack takes; raises what the last try raised.

        Slack may refuse a block type that this workspace doesn't have yet, or a picture that it hasn't read yet.
        """
        levels = self._levels(post)
        before = None
        for number, level in enumerate(levels):
            if level is before:
                await asyncio.sleep(UNREAD_PICTURE)
            before = level
            try:
                ts = await send(await self.blocks(post, level))
            except SlackApiError as error:
                if code(error) not in REFUSED or number == len(levels) - 1:
                    raise
                log.warning("slack.blocks_refused", error=code(error), level=level.name)
                continue
            if level is Level.PICTURES and levels[0] is Level.NATIVE:
                self._wire.charts = False  # native charts are refused here: no second try for the next answer
            return ts
        raise AssertionError("a message has at least one level")

    def best(self, post: Post) -> Level:
        return self._levels(post)[0]

    def _levels(self, post: Post) -> tuple[Level, ...]:
        if not any(isinstance(part, Chart) for part in post.parts):
            return (Level.NATIVE, Level.WORDS)
        pictures = (Level.PICTURES, Level.PICTURES, Level.WORDS)
        return (Level.NATIVE, *pictures) if self._wire.charts else pictures

    async def blocks(self, post: Post, level: Level, *, skip: int = 0) -> list[Block]:
        """The blocks of the message from part `skip` on."""
        pictures: dict[int, str] = {}
        parts = post.parts[skip:]
        for number, part in enumerate(parts):
            if isinstance(part, Chart) and wants_picture(part, level) and (file_id := await self._upload(part)):
                pictures[number] = file_id
        return blocks(parts, level, pictures)

    async def _upload(self, chart: Chart) -> str | None:
        key = chart.model_dump_json()
        if key not in self._uploaded:
            self._uploaded[key] = await self._uploaded_anew(chart)
        return self._uploaded[key]

    async def _uploaded_anew(self, chart: Chart) -> str | None:
        if self._picture is None:
            return None
        client = self._wire.client
        session = client.session
        if session is None:
            return None
        try:
            image = await self._picture(chart)
            ticket = await client.files_getUploadURLExternal(
                filename="chart.png", length=len(image), alt_txt=shortened(chart.alt, 900) or None
            )
            async with session.post(str(ticket["upload_url"]), data=image, proxy=client.proxy) as answer:
                answer.raise_for_status()
            title = shortened(chart.title, 200) or "Chart"
            await client.files_completeUploadExternal(files=[{"id": str(ticket["file_id"]), "title": title}])
        except (DirectorError, *TROUBLE) as error:
            log.warning("slack.picture_failed", error=code(error), kind=type(error).__name__)
            return None
        return str(ticket["file_id"])
