"""From a message's parts to what Slack accepts: blocks level by level, charts uploaded as pictures where needed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from bot.domain import Chart
from bot.errors import DirectorError
from handlers.slack.blocks import Block, Level, blocks, wants_picture
from handlers.slack.render import Post
from handlers.slack.text import shortened
from handlers.slack.wire import TROUBLE, Wire, code

log = structlog.get_logger(__name__)

Picture = Callable[[Chart], Awaitable[bytes]]

REFUSED = frozenset(
    ("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_blocks_too_many", "block_mismatch")
)


class Drawing:
    """How one answer is drawn. A picture is uploaded once, whatever becomes of the message."""

    def __init__(self, wire: Wire, picture: Picture | None) -> None:
        self._wire, self._picture = wire, picture
        self._uploaded: dict[str, str | None] = {}

    def levels(self, post: Post) -> tuple[Level, ...]:
        """The levels to try in turn; Slack may refuse a block type that this workspace doesn't have yet."""
        charts = any(isinstance(part, Chart) for part in post.parts)
        if not charts:
            return (Level.NATIVE, Level.WORDS)
        return (Level.NATIVE, Level.PICTURES, Level.WORDS) if self._wire.charts else (Level.PICTURES, Level.WORDS)

    async def blocks(self, post: Post, level: Level, *, skip: int = 0) -> list[Block]:
        """The blocks of the message from part `skip` on."""
        pictures: dict[int, str] = {}
        parts = post.parts[skip:]
        for number, part in enumerate(parts):
            if isinstance(part, Chart) and wants_picture(part, level) and (file_id := await self._upload(part)):
                pictures[number] = file_id
        return blocks(parts, level, pictures)

    def accepted(self, post: Post, level: Level) -> None:
        """Remember that native charts are refused here, so that the next answer needs no second try."""
        if level is Level.PICTURES and any(isinstance(part, Chart) for part in post.parts):
            self._wire.charts = False

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
