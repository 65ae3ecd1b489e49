"""Draws the Teams app's icons in deploy/teams from their SVG sources: `python -m tests.icons`."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

from PIL import Image
from playwright.async_api import ViewportSize, async_playwright

from tests.doubles.browser import ARGUMENTS, chromium

FOLDER = Path(__file__).parents[1] / "deploy" / "teams"
SIZES = {"color": 192, "outline": 32}


async def drawn() -> dict[str, bytes]:
    """Each icon as a PNG of its size. Teams takes no colour but white in the outline: its edges keep only alpha."""
    icons = {}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        for name, size in SIZES.items():
            page = await browser.new_page(viewport=ViewportSize(width=size, height=size))
            await page.set_content(f"<style>body{{margin:0}}</style>{(FOLDER / name).with_suffix('.svg').read_text()}")
            picture = Image.open(io.BytesIO(await page.screenshot(omit_background=True)))
            icons[name] = _png(_white(picture) if name == "outline" else picture.convert("RGB"))
        await browser.close()
    return icons


def _white(picture: Image.Image) -> Image.Image:
    white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    white.putalpha(picture.getchannel("A"))
    return white


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


async def main() -> None:
    for name, png in (await drawn()).items():
        (FOLDER / name).with_suffix(".png").write_bytes(png)


if __name__ == "__main__":
    asyncio.run(main())
