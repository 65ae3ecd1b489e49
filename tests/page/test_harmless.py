"""Hostile text stays text, in its box; nothing runs and nothing is fetched from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.page.samples import plain
from tests.page.test_blocks import posted
from tests.page.workspace import DIRECTOR, GENERAL, Workspace

pytestmark = pytest.mark.asyncio(loop_scope="session")

OVERFLOW = (Path(__file__).parent / "overflow.js").read_text(encoding="utf-8")
SCRIPT = "<script>window.hit = 1</script><img src=x onerror='window.hit = 1'>"
ADDRESSES = (
    "javascript:window.hit=1",
    "JaVaScRiPt:window.hit=1",
    "java\tscript:window.hit=1",
    "data:text/html,<script>window.hit=1</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "//example.com/x",
)


def everywhere(text: str) -> list[dict[str, Any]]:
    """The same text wherever a block takes text."""
    rich: dict[str, Any] = {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}],
    }
    return [
        {"type": "header", "text": plain(text)},
        {"type": "section", "text": {"type": "mrkdwn", "text": text}, "fields": [{"type": "mrkdwn", "text": text}]},
        {"type": "markdown", "text": text},
        {"type": "markdown", "text": f"| a | b |\n|---|---|\n| {text} | {text} |"},
        {"type": "markdown", "text": f"```{text}\n{text}\n```"},
        {"type": "context", "elements": [plain(text), {"type": "mrkdwn", "text": text}]},
        {"type": "table", "rows": [[{"type": "raw_text", "text": text}, rich], [{"type": "raw_text", "text": text}]]},
        {"type": "image", "alt_text": text, "image_url": text, "title": plain(text)},
        {"type": "actions", "elements": [{"type": "button", "action_id": text, "text": plain(text), "value": text}]},
        rich,
        {
            "type": "data_visualization",
            "title": text,
            "chart": {
                "type": "bar",
                "series": [{"name": text, "data": [{"label": text, "value": 1}]}],
                "axis_config": {"categories": [text], "x_label": text, "y_label": text},
            },
        },
        {
            "type": "data_visualization",
            "title": text,
            "chart": {"type": "pie", "segments": [{"label": text, "value": 1}]},
        },
        {"type": "task_card", "task_id": "1", "title": text, "status": text},
        {"type": text},
    ]


async def test_markup_in_any_block_stays_text(page: Page, workspace: Workspace) -> None:
    content = await posted(page, workspace, everywhere(SCRIPT))
    await expect(content.locator("h3").first).to_have_text(SCRIPT)
    assert await page.evaluate("document.querySelectorAll('#app script, #app [onerror], #app img').length") == 0
    assert await page.evaluate("window.hit") is None


def links_to(address: str) -> list[dict[str, Any]]:
    """Blocks that name an address in each way that makes a link or a picture."""
    text = f"[click]({address}) <{address}|click> ![pic]({address}) <{address}>"
    link = {"type": "link", "url": address, "text": "click"}
    source = {"type": "url", "url": address, "text": "s"}
    return [
        {"type": "markdown", "text": text},
        {"type": "section", "text": {"type": "mrkdwn", "text": text}},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [link]}]},
        {"type": "actions", "elements": [{"type": "button", "action_id": "a", "text": plain("Go"), "url": address}]},
        {"type": "image", "alt_text": "pic", "image_url": address},
        {"type": "task_card", "task_id": "1", "title": "t", "status": "complete", "sources": [source]},
    ]


async def test_an_address_that_could_run_or_mislead_is_no_link(page: Page, workspace: Workspace) -> None:
    content = await posted(page, workspace, [block for address in ADDRESSES for block in links_to(address)])
    links = await content.locator("a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert links == []
    assert await content.locator("img").count() == 0
    assert await content.get_by_text("click").count() >= len(ADDRESSES)


async def test_a_harmless_address_is_a_link(page: Page, workspace: Workspace) -> None:
    content = await posted(page, workspace, links_to("https://example.com/a?b=1"))
    links = await content.locator("a").evaluate_all("links => links.map(link => link.href)")
    assert set(links) == {"https://example.com/a?b=1"}
    assert len(links) == 12


async def test_pictures_from_elsewhere_are_not_fetched(page: Page, workspace: Workspace) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    blocks = [
        {"type": "image", "alt_text": "a tracker", "image_url": "https://tracker.example/p.png?leak=1"},
        {"type": "markdown", "text": "![x](https://tracker.example/q.png)"},
    ]
    content = await posted(page, workspace, blocks)
    await expect(content.locator("a")).to_have_count(2)
    assert [url for url in asked if not url.startswith(workspace.url)] == []


async def test_giant_words_stay_in_their_box(page: Page, workspace: Workspace) -> None:
    word = "W" * 3_000
    await posted(page, workspace, everywhere(word))
    await workspace.message(GENERAL, DIRECTOR, word)
    await expect(page.locator("#room .message")).to_have_count(2)
    for width in (1280, 390):
        await page.set_viewport_size({"width": width, "height": 800})
        assert await beyond(page) == []


async def beyond(page: Page) -> list[str]:
    """What reaches past the right edge of the window without being clipped or scrolled by something around it."""
    found: list[str] = await page.evaluate(OVERFLOW)
    return found


LONG = (
    "*a " * 4_000,
    "**" * 6_000,
    "_a" * 6_000,
    "[" * 12_000,
    "[a](" * 3_000,
    "`" * 3_000 + "a" + "``" * 2_000,
    "> " * 6_000,
    "- " * 6_000,
    "<a" * 6_000,
    "|" * 6_000 + "\n" + "|-" * 3_000,
    "~~a" * 4_000,
    ":a" * 6_000,
    "h" * 12_000,
    "&amp" * 3_000,
)
TIMED = """async (texts) => {
    const { markdown, mrkdwn } = await import('/page/markdown.js');
    const people = { me: 'U', users: [], channels: [], user: () => null, channel: () => null };
    return texts.map((text) => {
        const start = performance.now();
        markdown(text, people);
        mrkdwn(text, people);
        return [text.slice(0, 6), performance.now() - start];
    });
}"""


async def test_no_text_makes_the_page_slow(page: Page, workspace: Workspace) -> None:
    await page.goto(workspace.url)
    timed = await page.evaluate(TIMED, LONG)
    assert len(timed) == len(LONG)
    assert [one for one in timed if one[1] > 1_000] == []
