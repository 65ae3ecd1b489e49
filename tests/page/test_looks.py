"""The page on a phone, in the dark, by keyboard: nothing overflows, everything can be read and reached."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.page.samples import ANSWER, PLAN, REVIEW, every_block
from tests.page.test_harmless import beyond
from tests.page.test_talking import markdown, open_page
from tests.page.workspace import DIRECT, DIRECTOR, GENERAL, MAYA, OMAR, PAYMENTS, Workspace

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def phone(browser: Browser, workspace: Workspace) -> AsyncIterator[Page]:
    size = ViewportSize(width=390, height=844)
    context = await browser.new_context(viewport=size, is_mobile=True, has_touch=True, reduced_motion="reduce")
    yield await context.new_page()
    await context.close()


async def filled(workspace: Workspace) -> str:
    """A channel with a review, every block, and a question that was answered; returns the question's ts."""
    await workspace.message(GENERAL, OMAR, "Morning. " + "A long line that goes on and on. " * 8)
    await workspace.message(GENERAL, DIRECTOR, "review", blocks=REVIEW)
    await workspace.message(GENERAL, DIRECTOR, "plan", blocks=PLAN)
    await workspace.message(GENERAL, DIRECTOR, "all", blocks=every_block())
    asked = await workspace.message(GENERAL, MAYA, f"<@{DIRECTOR}> how is checkout doing?")
    await workspace.message(GENERAL, DIRECTOR, "a note", to=MAYA)
    await workspace.message(GENERAL, DIRECTOR, ANSWER, thread_ts=asked, blocks=markdown(ANSWER))
    return asked


async def test_nothing_overflows_on_a_phone(phone: Page, workspace: Workspace) -> None:
    asked = await filled(workspace)
    for route in (f"#/{GENERAL}", f"#/{GENERAL}/{asked}", f"#/{DIRECT}"):
        await open_page(phone, workspace, route)
        await expect(phone.locator("#composer")).to_have_count(1)
        assert await phone.evaluate("document.documentElement.scrollWidth") == 390
        assert await beyond(phone) == []
    wide = phone.locator("#room .table-scroll").first
    await open_page(phone, workspace)
    assert await wide.evaluate("box => box.scrollWidth > box.clientWidth")


FITTED = """() => {
    const canvas = document.querySelector('figure.chart .canvas');
    return Number(canvas.querySelector('svg').getAttribute('width')) === canvas.clientWidth;
}"""


async def test_a_chart_fits_the_width_there_is(phone: Page, workspace: Workspace) -> None:
    await workspace.message(GENERAL, DIRECTOR, "review", blocks=REVIEW)
    await open_page(phone, workspace)
    canvas = phone.locator("figure.chart .canvas")
    for width, height in ((390, 844), (844, 390), (390, 844)):
        await phone.set_viewport_size({"width": width, "height": height})
        await phone.wait_for_function(FITTED)
        box = await canvas.bounding_box()
        assert box is not None
        assert 300 < box["width"] < width


async def test_a_long_note_opens_on_a_phone(phone: Page, workspace: Workspace) -> None:
    workspace.state["note"] = "Everything here is invented. " * 9
    await open_page(phone, workspace)
    note = phone.locator(".banner span")
    closed = await note.bounding_box()
    await phone.get_by_role("button", name="More").click()
    await expect(phone.get_by_role("button", name="Less")).to_have_attribute("aria-expanded", "true")
    opened = await note.bounding_box()
    assert closed is not None
    assert opened is not None
    assert closed["height"] < 50 < opened["height"]


async def test_short_cells_stay_on_one_line(phone: Page, workspace: Workspace) -> None:
    rows = [[{"type": "raw_text", "text": text} for text in row] for row in (("a", "b"), ("two words", "long " * 20))]
    table = {"type": "table", "column_settings": [{"is_wrapped": True}, {"is_wrapped": True}], "rows": rows}
    await workspace.message(GENERAL, DIRECTOR, "table", blocks=[table])
    await open_page(phone, workspace)
    lines = await phone.locator("#room td").evaluate_all(
        "cells => cells.map(cell => { const range = document.createRange(); range.selectNode(cell.firstChild);"
        " return range.getClientRects().length; })"
    )
    assert lines[0] == 1
    assert lines[1] > 2


async def test_the_channel_list_is_a_drawer_on_a_phone(phone: Page, workspace: Workspace) -> None:
    await open_page(phone, workspace)
    drawer = phone.get_by_role("navigation", name="Channels and direct messages")
    await expect(drawer).to_be_hidden()
    await phone.get_by_role("button", name="Channels and direct messages").click()
    await expect(drawer).to_be_visible()
    await drawer.get_by_role("link", name="payments").click()
    await expect(drawer).to_be_hidden()
    await expect(phone.get_by_role("heading", level=1)).to_have_text("payments")


async def test_a_thread_fills_a_phone_and_leads_back(phone: Page, workspace: Workspace) -> None:
    asked = await filled(workspace)
    await open_page(phone, workspace, f"#/{GENERAL}/{asked}")
    thread = phone.get_by_role("complementary", name="Thread")
    box = await thread.bounding_box()
    assert box == {"x": 0, "y": 0, "width": 390, "height": 844}
    await phone.get_by_role("link", name="Back to the channel").click()
    await expect(thread).to_be_hidden()
    await expect(phone.locator("#composer")).to_be_visible()


CONTRAST = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_can_be_read_in_either_light(page: Page, workspace: Workspace, scheme: str) -> None:
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
    asked = await filled(workspace)
    await open_page(page, workspace, f"#/{GENERAL}/{asked}")
    await workspace.message(PAYMENTS, OMAR, "unread")
    await expect(page.locator("#thread .message")).to_have_count(2)
    await expect(page.locator(".badge")).to_have_count(1)
    seen, faint = await page.evaluate(CONTRAST)
    assert faint == []
    assert seen > 150


async def test_the_chosen_light_stays_chosen(page: Page, workspace: Workspace) -> None:
    await page.emulate_media(color_scheme="light", reduced_motion="reduce")
    await open_page(page, workspace)
    ground = "getComputedStyle(document.body).backgroundColor"
    assert await page.evaluate(ground) == "rgb(255, 255, 255)"
    await page.get_by_role("button", name="Switch between light and dark").click()
    assert await page.evaluate(ground) == "rgb(22, 25, 26)"
    await page.reload()
    assert await page.evaluate(ground) == "rgb(22, 25, 26)"


FOCUSED = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"


async def test_everything_is_reached_by_keyboard(page: Page, workspace: Workspace) -> None:
    asked = await filled(workspace)
    await open_page(page, workspace, f"#/{GENERAL}/{asked}")
    await expect(page.locator("#thread-composer")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator("#thread")).to_be_hidden()
    reached = set()
    await page.locator("#sidebar a").first.focus()
    for _ in range(80):
        await page.keyboard.press("Tab")
        reached.add(
            await page.evaluate(
                "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
            )
        )
    assert {"Acknowledge", "Show queries", "Freeze search", "Mention someone", "Message #general", "Table"} <= reached


async def test_every_control_has_a_name(page: Page, workspace: Workspace) -> None:
    asked = await filled(workspace)
    await open_page(page, workspace, f"#/{GENERAL}/{asked}")
    nameless = await page.evaluate(
        """() => [...document.querySelectorAll('button, a[href], input, select, textarea, [role=region], summary')]
        .filter((node) => !(node.getAttribute('aria-label') || node.textContent.trim() || node.labels?.length
            || node.querySelector('img[alt]:not([alt=""])')))
        .map((node) => node.outerHTML.slice(0, 120))"""
    )
    assert nameless == []


async def test_messages_are_grouped_by_author(page: Page, workspace: Workspace) -> None:
    await open_page(page, workspace)
    for user, text in ((OMAR, "one"), (OMAR, "two"), (MAYA, "three"), (OMAR, "four")):
        await workspace.message(GENERAL, user, text)
    await expect(page.locator(".message .prose")).to_have_text(["one", "two", "three", "four"])
    await expect(page.locator(".author b")).to_have_text(["Omar Haddad", "Maya Lindqvist", "Omar Haddad"])


async def test_news_do_not_pull_a_reader_down(page: Page, workspace: Workspace) -> None:
    for number in range(40):
        await workspace.message(GENERAL, OMAR, f"line {number}")
    await open_page(page, workspace)
    await expect(page.get_by_text("line 39", exact=True)).to_be_in_viewport()
    await page.locator("#room .scroll").evaluate("box => box.scrollTo(0, 0)")
    latest = page.get_by_role("button", name="Latest")
    await expect(latest).to_be_visible()
    await workspace.message(GENERAL, OMAR, "line 40")
    await expect(page.get_by_text("line 40", exact=True)).not_to_be_in_viewport()
    await latest.click()
    await expect(page.get_by_text("line 40", exact=True)).to_be_in_viewport()


async def test_a_long_answer_is_read_from_its_beginning(page: Page, workspace: Workspace) -> None:
    await workspace.message(GENERAL, OMAR, "earlier\n" * 40)
    await open_page(page, workspace)
    short = await workspace.message(GENERAL, OMAR, "a short one")
    await expect(page.locator(f'[data-ts="{short}"]')).to_be_in_viewport(ratio=1)
    long = await workspace.message(
        GENERAL, DIRECTOR, "# The beginning", blocks=markdown("### The beginning\n\n" + "more\n\n" * 90)
    )
    await expect(page.get_by_role("heading", name="The beginning")).to_be_in_viewport(ratio=1)
    await workspace.change(GENERAL, long, blocks=markdown("### The beginning\n\n" + "more\n\n" * 120))
    await expect(page.locator(f'[data-ts="{long}"] p')).to_have_count(121)
    await expect(page.get_by_role("heading", name="The beginning")).to_be_in_viewport(ratio=1)
