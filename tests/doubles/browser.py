"""A headless browser for tests that look at pages: `async with open_browser() as browser: …`.

Where no Chromium is installed the test is skipped with a reason; in CI it fails, since there it must be seen.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """The Chromium of this machine: `CHROMIUM` or the first on the path."""
    chosen = os.environ.get("CHROMIUM")
    return chosen or next((found for name in _NAMES if (found := shutil.which(name))), None)


def chromium_or_skip() -> str:
    """The path of Chromium; skips the test without one, fails it in CI."""
    found = chromium()
    if found is not None:
        return found
    sentence = "No Chromium on this machine: install it (Debian: apt install chromium) or set CHROMIUM to its path."
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """A headless Chromium, closed at the end."""
    path = chromium_or_skip()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()
