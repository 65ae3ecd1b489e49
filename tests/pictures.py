"""Takes the pictures in docs/pictures from the running demo: `python -m tests.pictures [address of a demo's page]`."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from tests.doubles.browser import ARGUMENTS, chromium

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
DESKTOP = ViewportSize(width=1280, height=980)
PHONE = ViewportSize(width=390, height=844)
PATIENCE = 60_000  # ms
QUESTION = "@Director how is checkout doing?"
PLAN = "/director plan Move checkout to its own database"
GENERAL = "#/C0GENERAL"


@asynccontextmanager
async def demo() -> AsyncIterator[str]:
    """The demo in a process of its own, without a key; yields its page's address."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANTHROPIC_")}
    command = [sys.executable, "-m", "bot", "demo", "--no-browser"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=environment)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            while line := await process.stdout.readline():
                found = re.search(rb"http://127\.0\.0\.1:\d+", line)
                if found:
                    break
            else:
                raise SystemExit("The demo ended before it named its address.")
        yield found.group().decode()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def window(browser: Browser, size: ViewportSize, scheme: str) -> AsyncIterator[Page]:
    small = size["width"] < 600
    context = await browser.new_context(
        viewport=size,
        color_scheme="dark" if scheme == "dark" else "light",
        device_scale_factor=2 if small else 1.5,
        is_mobile=small,
        has_touch=small,
        locale="en-GB",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE)
    yield await context.new_page()
    await context.close()


async def keep(page: Page, name: str) -> None:
    await page.mouse.move(0, 0)
    await page.evaluate("document.activeElement?.blur()")
    await page.wait_for_timeout(400)  # charts are drawn to their width after the layout stands
    await page.screenshot(path=FOLDER / f"{name}.png")


async def open_page(page: Page, address: str) -> None:
    await page.goto(address)
    await expect(page.locator("#app[data-connection=live]")).to_be_visible(timeout=PATIENCE)


async def review(page: Page, address: str, name: str) -> None:
    """The review that stands in #general, from its heading."""
    await open_page(page, f"{address}/{GENERAL}")
    chart = page.locator("#room figure.chart, #room img.picture").first
    await expect(chart).to_be_visible(timeout=PATIENCE)
    await chart.evaluate("node => node.closest('.message').scrollIntoView({ block: 'start' })")
    await keep(page, name)


async def conversation(page: Page, address: str) -> str:
    """A typed mention, answered in its thread; returns the thread's route."""
    await open_page(page, f"{address}/{GENERAL}")
    await page.locator("#composer").fill(QUESTION)
    await page.locator("#composer").press("Enter")
    answer = page.locator("#thread .message").nth(1)
    await expect(answer.locator(".content")).not_to_be_empty(timeout=PATIENCE)
    await expect(page.locator("#thread .streaming")).to_have_count(0, timeout=PATIENCE)
    await keep(page, "thread-light")
    return page.url.partition("/#")[2]


async def plan(page: Page, address: str) -> None:
    await open_page(page, f"{address}/#/C0PAYMENTS")
    await page.locator("#composer").fill(PLAN)
    await page.locator("#composer").press("Enter")
    posted = page.locator("#room .message:not(.streaming) .header-block").last
    await expect(posted).to_be_visible(timeout=PATIENCE)
    await posted.evaluate("node => node.closest('.message').scrollIntoView({ block: 'start' })")
    await keep(page, "plan-light")


async def take(browser: Browser, address: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    async with window(browser, DESKTOP, "light") as page:
        await review(page, address, "review-light")
        thread = await conversation(page, address)
        await plan(page, address)
    async with window(browser, DESKTOP, "dark") as page:
        await review(page, address, "review-dark")
    async with window(browser, PHONE, "light") as page:
        await review(page, address, "review-phone")
    async with window(browser, PHONE, "dark") as page:
        await open_page(page, f"{address}/#{thread}")
        await expect(page.locator("#thread .message").nth(1)).to_be_visible()
        await keep(page, "thread-phone-dark")


async def main(arguments: list[str]) -> None:
    path = chromium()
    if path is None:
        raise SystemExit("Pictures need Chromium: install it (Debian: apt install chromium) or set CHROMIUM.")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        if arguments:
            await take(browser, arguments[0].rstrip("/"))
        else:
            async with demo() as address:
                await take(browser, address)
        await browser.close()
    for picture in sorted(FOLDER.glob("*.png")):
        print(picture.relative_to(Path.cwd()) if picture.is_relative_to(Path.cwd()) else picture)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
