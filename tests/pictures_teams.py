"""Takes pictures of what the Director says in Teams: `python -m tests.pictures_teams [folder] [name …]`.

Its cards are drawn by their own renderer in the colours of Teams; the real Teams may differ in small things.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, ViewportSize, async_playwright

from bot.domain import Reply
from bot.reliability.charts import png
from handlers.teams.drawing import Drawing
from handlers.teams.render import posts
from tests.doubles.adaptive_cards import Theme, installed, page
from tests.doubles.browser import ARGUMENTS, chromium
from tests.page.teams.replies import replies

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
DESKTOP = ViewportSize(width=720, height=400)
PHONE = ViewportSize(width=380, height=400)
LOOKS: tuple[tuple[str, ViewportSize, Theme], ...] = (
    ("light", DESKTOP, "light"),
    ("dark", DESKTOP, "dark"),
    ("phone", PHONE, "light"),
    ("phone-dark", PHONE, "dark"),
)
KEPT = ("review-light", "review-phone-dark", "plan-phone", "answer-light")  # in docs/pictures, without their details


async def take(browser: Browser, reply: Reply, path: Path, size: ViewportSize, theme: Theme, *, whole: bool) -> None:
    drawing = Drawing(png)
    messages = [(post.text, await drawing.card(post)) for post in posts(reply) if whole or not post.detail]
    context = await browser.new_context(viewport=size, device_scale_factor=2 if size["width"] < 600 else 1.5)
    opened = await context.new_page()
    await opened.set_content(page(messages, theme))
    await opened.screenshot(path=path, full_page=True)
    await context.close()


async def main(arguments: list[str]) -> None:
    path = chromium()
    if path is None or not installed():
        raise SystemExit("Pictures need Chromium (or CHROMIUM), and `npm ci --prefix tests/doubles/npm`.")
    folder, names = (Path(arguments[0]), arguments[1:]) if arguments else (FOLDER, [])
    folder.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        with tempfile.TemporaryDirectory() as work:
            said = await replies(Path(work))
        for name, reply in said.items():
            for look, size, theme in LOOKS:
                wanted = f"{name}-{look}" in KEPT if not arguments else not names or name in names
                if wanted:
                    picture = folder / f"teams-{name}-{look}.png"
                    await take(browser, reply, picture, size, theme, whole=bool(arguments))
                    print(picture)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
