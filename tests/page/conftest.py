"""The page in a browser, on a workspace of canned data."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.doubles.browser import open_browser
from tests.page.workspace import Workspace

expect.set_options(timeout=10_000)

DESKTOP = ViewportSize(width=1280, height=800)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def workspace() -> AsyncIterator[Workspace]:
    made = Workspace()
    await made.start()
    yield made
    await made.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, workspace: Workspace) -> AsyncIterator[Page]:
    """A desktop window; a script error or a refused resource of the page fails the test."""
    context = await browser.new_context(viewport=DESKTOP, reduced_motion="reduce", locale="en-GB")
    opened = await context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda line: errors.append(line.text) if "Content Security Policy" in line.text else None)
    yield opened
    await context.close()
    assert errors == []
