"""From a message to its card, with charts as pictures small enough to travel in it."""

from __future__ import annotations

import base64
import io
from collections.abc import Awaitable, Callable

from PIL import Image, ImageDraw

from bot.domain import Chart, Series, Table
from bot.errors import DirectorError
from bot.reliability.charts import png
from handlers.teams.cards import Level
from handlers.teams.drawing import Drawing, shrunk
from handlers.teams.render import PICTURE, Post

CHART = Chart(
    form="line",
    title="Error budget left",
    alt="Three of four fell.",
    categories=tuple(f"{day} Nov" for day in range(1, 29)),
    series=tuple(
        Series(name=name, values=tuple(100 - fall * day + (day % 5) for day in range(28)))
        for name, fall in (("checkout", 4.2), ("payments", 3.1), ("notifications", 1.4), ("search", 0.3))
    ),
    unit="%",
    threshold=0.0,
)
POST = Post(summary="Review", text="", parts=(CHART,))


def drawn(images: list[bytes]) -> Callable[[Chart], Awaitable[bytes]]:
    async def picture(_: Chart) -> bytes:
        return images.pop()

    return picture


def noise() -> bytes:
    kept = io.BytesIO()
    Image.effect_noise((1200, 675), 90).save(kept, "PNG")
    return kept.getvalue()


async def test_a_text_has_no_card():
    assert await Drawing(None).card(Post(summary="x", text="hello", parts=())) is None


async def test_a_real_chart_travels_in_the_card_and_can_still_be_read():
    card = await Drawing(png).card(POST)

    assert card is not None
    (image,) = card["body"]
    head, data = image["url"].split(",")
    assert head == "data:image/png;base64"
    assert len(image["url"]) <= PICTURE
    with Image.open(io.BytesIO(base64.b64decode(data))) as opened:
        assert opened.format == "PNG"
        assert opened.width >= 640


async def test_a_chart_is_drawn_once_however_often_its_card_is_made():
    plain = io.BytesIO()
    Image.new("RGB", (1200, 675), "white").save(plain, "PNG")
    drawing = Drawing(drawn([plain.getvalue()]))

    assert await drawing.card(POST) == await drawing.card(POST)


async def test_in_words_nothing_is_drawn():
    assert await Drawing(drawn([])).card(POST, Level.WORDS) == await Drawing(None).card(POST)


async def test_a_chart_that_fails_or_fits_nowhere_is_told_in_words():
    async def failing(_: Chart) -> bytes:
        raise DirectorError("no matplotlib")

    told = await Drawing(None).card(POST)

    assert await Drawing(failing).card(POST) == told
    assert await Drawing(drawn([noise()])).card(POST) == told


async def test_a_table_needs_no_picture():
    card = await Drawing(drawn([])).card(Post(summary="x", text="", parts=(Table(columns=("a",), rows=(("1",),)),)))

    assert card is not None
    assert card["body"][0]["type"] == "Table"


def test_a_picture_keeps_its_shape_and_its_colours():
    image = Image.new("RGB", (1200, 800), "white")
    ImageDraw.Draw(image).rectangle((100, 100, 600, 400), fill="#d55e00")
    kept = io.BytesIO()
    image.save(kept, "PNG")

    small = shrunk(kept.getvalue())

    assert small is not None
    with Image.open(io.BytesIO(small)) as opened:
        assert abs(opened.width / opened.height - 1.5) < 0.01
        red, green, blue = opened.convert("RGB").getpixel((opened.width // 4, opened.height // 4))
    assert (abs(red - 0xD5) < 12, abs(green - 0x5E) < 12, blue < 12) == (True, True, True)
