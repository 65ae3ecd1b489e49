"""Cards as their own renderer draws them, in a page that looks like Teams: npm's `adaptivecards` in Chromium.

Without the npm packages the test is skipped with a reason; in CI it fails, since there they must be seen.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

Json = dict[str, Any]
Theme = Literal["light", "dark"]

MODULES = Path(__file__).with_name("npm") / "node_modules"
_SCRIPTS = (
    MODULES / "markdown-it" / "dist" / "markdown-it.min.js",
    MODULES / "adaptivecards" / "dist" / "adaptivecards.min.js",
)
_STYLE = MODULES / "adaptivecards" / "dist" / "adaptivecards.css"

# As near to Teams' own as its samples and its style guide say.
COLOURS: dict[Theme, dict[str, str]] = {
    "light": {
        "page": "#f5f5f5",
        "card": "#ffffff",
        "ink": "#242424",
        "soft": "#616161",
        "accent": "#4f52b2",
        "line": "#e0e0e0",
        "set-off": "#f5f5f5",
        "good": "#0e700e",
        "bad": "#c4314b",
    },
    "dark": {
        "page": "#1f1f1f",
        "card": "#292929",
        "ink": "#ffffff",
        "soft": "#adadad",
        "accent": "#9299f7",
        "line": "#474747",
        "set-off": "#1f1f1f",
        "good": "#54b054",
        "bad": "#f0757f",
    },
}


def installed() -> bool:
    return all(script.is_file() for script in _SCRIPTS)


def renderer_or_skip() -> None:
    if installed():
        return
    sentence = "Adaptive Cards' renderer is not installed: run `npm ci --prefix tests/doubles/npm`."
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


def host(theme: Theme) -> Json:
    """Teams' sizes and spacings, in its colours of this theme."""
    colours = COLOURS[theme]
    sizes = {"small": 12, "default": 14, "medium": 14, "large": 18, "extraLarge": 24}
    weights = {"lighter": 200, "default": 400, "bolder": 600}
    inks = {
        name: {"default": ink, "subtle": colours["soft"] if name == "default" else ink}
        for name, ink in (
            ("default", colours["ink"]),
            ("accent", colours["accent"]),
            ("good", colours["good"]),
            ("attention", colours["bad"]),
            ("warning", colours["bad"]),
        )
    }
    return {
        "supportsInteractivity": True,
        "spacing": {"none": 0, "small": 8, "default": 12, "medium": 16, "large": 20, "extraLarge": 24, "padding": 16},
        "separator": {"lineThickness": 1, "lineColor": colours["line"]},
        "fontTypes": {
            "default": {"fontFamily": "Segoe UI, system-ui, sans-serif", "fontSizes": sizes, "fontWeights": weights},
            "monospace": {"fontFamily": "Consolas, monospace", "fontSizes": sizes, "fontWeights": weights},
        },
        "imageSizes": {"small": 32, "medium": 52, "large": 100},
        "containerStyles": {
            "default": {"backgroundColor": colours["card"], "foregroundColors": inks},
            "emphasis": {"backgroundColor": colours["set-off"], "foregroundColors": inks},
        },
        "actions": {
            "maxActions": 6,
            "spacing": "default",
            "buttonSpacing": 8,
            "actionsOrientation": "horizontal",
            "actionAlignment": "left",
        },
        "table": {"cellSpacing": 8},
    }


def page(messages: Sequence[tuple[str, Json | None]], theme: Theme) -> str:
    """The page that shows the messages, each its text and its card. `window.troubles` lists what was not understood."""
    colours = ";".join(f"--{name}:{value}" for name, value in COLOURS[theme].items())
    scripts = "".join(f"<script>{script.read_text(encoding='utf-8')}</script>" for script in _SCRIPTS)
    data = json.dumps({"messages": messages, "host": host(theme)}).replace("<", "\\u003c")
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Teams</title><style>{_STYLE.read_text(encoding="utf-8")}{_LOOK}:root{{{colours}}}</style>
<main id="room"></main>{scripts}<script>{{const data = {data};{_SHOW}}}</script></html>"""


_LOOK = """
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink); font: 14px/20px 'Segoe UI', system-ui, sans-serif }
main { padding: 12px }
article { margin: 0 0 12px; padding: 10px 16px 14px; background: var(--card); border-radius: 6px; max-width: 720px }
header { font-weight: 600; margin-bottom: 4px }
header small { font-weight: 400; font-size: 11px; color: var(--soft); margin-left: 6px }
.text p { margin: 0 0 8px } .text ul, .text ol { margin: 0 0 8px; padding-left: 24px }
.text pre { background: var(--set-off); padding: 8px; border-radius: 4px; overflow-x: auto; margin: 0 0 8px }
.text code, .text pre { font: 13px/18px Consolas, monospace }
.text blockquote { margin: 0 0 8px; padding-left: 10px; border-left: 3px solid var(--line); color: var(--soft) }
.text a, .card a.ac-anchor { color: var(--accent) }
.card { border: 1px solid var(--line); border-radius: 6px; overflow-x: auto }
.ac-pushButton { font: 600 14px/20px 'Segoe UI', system-ui, sans-serif; padding: 5px 12px; border-radius: 4px;
  border: 1px solid var(--line); background: var(--card); color: var(--ink) }
.ac-pushButton.style-positive { background: var(--accent); border-color: var(--accent); color: var(--card) }
.ac-pushButton.style-destructive { background: var(--card); color: var(--bad); border-color: var(--bad) }
"""

_SHOW = """
const markdown = window.markdown = markdownit({ html: false, linkify: false, breaks: false });
const troubles = window.troubles = [];
AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
    result.outputHtml = markdown.render(text); result.didProcess = true; };
for (const [text, card] of data.messages) {
    const article = document.createElement('article');
    article.innerHTML = '<header>Director<small>App</small></header>';
    if (text) { const shown = document.createElement('div'); shown.className = 'text';
        shown.innerHTML = markdown.render(text); article.append(shown); }
    if (card) {
        const drawn = new AdaptiveCards.AdaptiveCard(), context = new AdaptiveCards.SerializationContext();
        drawn.hostConfig = new AdaptiveCards.HostConfig(data.host);
        drawn.parse(card, context);
        for (let n = 0; n < context.eventCount; n++) troubles.push(context.getEventAt(n).message);
        for (const found of drawn.validateProperties().validationEvents) troubles.push(found.message);
        const box = document.createElement('div'); box.className = 'card'; box.append(drawn.render());
        article.append(box);
    }
    document.getElementById('room').append(article);
}
"""
