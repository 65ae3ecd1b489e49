"""Messages in a page like Teams', cards drawn by their own renderer: understood, within the width, as said."""

from __future__ import annotations

import random
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize

from bot.domain import Chart, Heading, Note, Reply, Table, Text
from bot.reliability.charts import png
from handlers.teams.drawing import Drawing
from handlers.teams.prose import spans
from handlers.teams.render import posts
from handlers.teams.text import escaped
from tests.doubles.adaptive_cards import Theme, page, renderer_or_skip
from tests.page.teams.replies import odd, replies

pytestmark = pytest.mark.asyncio(loop_scope="session")

WIDTHS = (380, 720)
CONTRAST = (Path(__file__).parents[1] / "contrast.js").read_text(encoding="utf-8")
SEEN = "[...document.querySelectorAll('.text, .card')].map(node => node.innerText).join('\\n')"


@pytest_asyncio.fixture(loop_scope="session")
async def window(browser: Browser) -> AsyncIterator[Page]:
    renderer_or_skip()
    context = await browser.new_context(viewport=ViewportSize(width=380, height=800))
    opened = await context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    await context.close()
    assert errors == []


async def show(window: Page, reply: Reply, theme: Theme = "light", *, width: int = 380) -> None:
    drawing = Drawing(png)
    messages = [(post.text, await drawing.card(post)) for post in posts(reply)]
    await window.set_viewport_size(ViewportSize(width=width, height=800))
    await window.set_content(page(messages, theme))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("slos")


async def test_every_card_is_understood_and_keeps_within_a_phone_and_a_window(window: Page, folder: Path) -> None:
    for name, reply in (await replies(folder)).items():
        for width in WIDTHS:
            await show(window, reply, width=width)

            assert await window.evaluate("troubles") == [], name
            assert await window.evaluate("document.documentElement.scrollWidth") <= width, name
            wide = "[...document.querySelectorAll('.card')].filter(card => card.scrollWidth > card.clientWidth).length"
            assert await window.evaluate(wide) == 0, name


async def test_every_figure_of_a_review_can_be_read(window: Page, folder: Path) -> None:
    reply = (await replies(folder))["review-hundred"]
    await show(window, reply)

    seen = " ".join((await window.evaluate(SEEN)).split())

    tables = [part for part in (*reply.parts, *reply.detail) if isinstance(part, Table)]
    assert sum(len(table.rows) for table in tables if table.caption == "All objectives") == 100
    missing = [cell for table in tables for row in table.rows for cell in row if " ".join(cell.split()) not in seen]
    assert missing == []
    assert await window.locator("img[alt*='Error budget left']").count() == sum(
        isinstance(part, Chart) for part in reply.parts
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_words_stand_out_from_their_ground(window: Page, folder: Path, theme: Theme) -> None:
    said = await replies(folder)
    for name in ("review", "answer", "odd"):
        await show(window, said[name], theme)

        seen, faint = await window.evaluate(CONTRAST)

        assert seen > 10
        assert faint == [], name


async def test_names_and_words_full_of_signs_show_as_they_are(window: Page) -> None:
    await show(window, odd())

    seen = await window.evaluate(SEEN)

    table = odd().parts[0]
    assert isinstance(table, Table)
    assert [cell for row in (*table.rows, table.columns) for cell in row if cell not in seen] == []
    assert "*Odd* names" in seen
    assert 'Said of bold, italic, struck and http_requests{job="a"}: the runbook.' in seen
    assert await window.locator(".card a").get_attribute("href") == "https://example.com/a_b"
    assert await window.locator(".card button").all_inner_texts() == ["Stop", "Approve *now*", "Later"]


async def test_a_heading_is_one_for_screen_readers_too(window: Page) -> None:
    await show(window, Reply(summary="x", parts=(Heading(text="Weekly review"), Note(markdown="small"))))

    assert await window.get_by_role("heading", name="Weekly review").count() == 1


async def test_a_grid_is_a_table_with_heads_for_screen_readers(window: Page) -> None:
    await show(window, Reply(summary="x", parts=(Table(columns=("Service", "Left"), rows=(("checkout", "1 %"),)),)))

    assert await window.get_by_role("columnheader").all_inner_texts() == ["Service", "Left"]
    assert await window.get_by_role("cell").all_inner_texts() == ["checkout", "1 %"]


async def test_escaped_text_shows_every_sign_in_a_message(window: Page) -> None:
    dice = random.Random(7)  # noqa: S311 - the same texts on every run
    signs = "ab1 *_`~[]()<>#-+=.|\\&;:!/@"
    texts = ["".join(dice.choice(signs) for _ in range(dice.randint(1, 40))) for _ in range(400)]
    texts = [" ".join(text.split()) for text in texts if text.strip()]
    await window.set_content(page([], "light"))

    shown = await window.evaluate(
        """texts => texts.map(text => { const box = document.createElement('div');
           box.innerHTML = markdown.render(text); return box.textContent.trim(); })""",
        [escaped(text) for text in texts],
    )

    assert [pair for pair in zip(texts, shown, strict=True) if pair[0] != pair[1]] == []


async def test_a_line_has_the_same_words_in_runs_as_in_markdown(window: Page) -> None:
    dice = random.Random(11)  # noqa: S311 - the same lines on every run
    pieces = [
        "word",
        "a_b",
        "2 * 3",
        "**bold**",
        "*it*",
        "_it_",
        "`code*`",
        "[link](https://a.b/c)",
        "~~no~~",
        "(x)",
        "1.5",
    ]
    lines = [" ".join(dice.choice(pieces) for _ in range(dice.randint(1, 9))) for _ in range(300)]
    await window.set_content(page([], "light"))

    shown = await window.evaluate(
        """lines => lines.map(line => { const box = document.createElement('div');
           box.innerHTML = markdown.renderInline(line); return box.textContent; })""",
        lines,
    )

    assert ["".join(span.text for span in spans(line)) for line in lines] == shown


async def test_lines_of_a_text_message_stay_apart(window: Page) -> None:
    await show(window, Reply(summary="x", parts=(Text(markdown="one\ntwo\n- three\n- four\nfive"),)))

    seen = await window.evaluate(SEEN)

    assert [line for line in re.split(r"\n+", seen) if line] == ["one", "two", "three", "four", "five"]
