"""From a message to the card that shows it, its charts as pictures within it."""

from __future__ import annotations

import asyncio
import base64
import io

import structlog

from bot.domain import Chart
from bot.errors import DirectorError
from handlers.picture import Picture
from handlers.teams.cards import Level, card
from handlers.teams.render import PICTURE, Post
from handlers.teams.runs import Json

log = structlog.get_logger(__name__)


WIDTHS = (1000, 800, 640, 500)
COLOURS = 24
_PREFIX = "data:image/png;base64,"


class Drawing:
    """How one answer is drawn. A chart is drawn once, whatever becomes of the message."""

    def __init__(self, picture: Picture | None) -> None:
        self._picture = picture
        self._drawn: dict[str, str | None] = {}

    async def card(self, post: Post, level: Level = Level.PICTURES) -> Json | None:
        """The message's card, None for one of text alone. A chart that can't be drawn is told in words."""
        if not post.parts:
            return None
        pictures: dict[int, str] = {}
        for number, part in enumerate(post.parts):
            if isinstance(part, Chart) and level is Level.PICTURES and (address := await self._address(part)):
                pictures[number] = address
        return await asyncio.to_thread(card, post.parts, post.summary, pictures)

    async def _address(self, chart: Chart) -> str | None:
        key = chart.model_dump_json()
        if key not in self._drawn:
            self._drawn[key] = await self._drawn_anew(chart)
        return self._drawn[key]

    async def _drawn_anew(self, chart: Chart) -> str | None:
        if self._picture is None:
            return None
        try:
            image = await self._picture(chart)
        except DirectorError as error:
            log.warning("teams.picture_failed", kind=type(error).__name__)
            return None
        small = await asyncio.to_thread(shrunk, image)
        if small is None:
            log.warning("teams.picture_too_big", size=len(image))
            return None
        return _PREFIX + base64.b64encode(small).decode()


def shrunk(image: bytes, most: int = (PICTURE - len(_PREFIX)) * 3 // 4 - 2) -> bytes | None:
    """The PNG in few colours, and as large as fits into so many bytes; None where nothing readable fits."""
    from PIL import Image  # noqa: PLC0415 - most answers have no chart

    with Image.open(io.BytesIO(image)) as opened:
        whole = opened.convert("RGB")
    for width in WIDTHS:
        height = max(1, round(whole.height * width / whole.width))
        scaled = whole.resize((width, height), Image.Resampling.BOX) if width < whole.width else whole
        few = scaled.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        kept = io.BytesIO()
        few.save(kept, "PNG", bits=8, compress_level=9)  # half a byte a pixel packs worse than a whole one
        if kept.tell() <= most:
            return kept.getvalue()
    return None
