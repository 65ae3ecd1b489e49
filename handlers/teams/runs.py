"""Words on a card, as runs: they show every sign as it is.

TextBlocks read Markdown differently on each of Teams' clients, and the phones' show the backslashes of what is escaped
(github.com/microsoft/AdaptiveCards/issues/5590). Only links need one: as runs they broke (issue 9100 there).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.teams.prose import Span, spans
from handlers.teams.text import linked

Json = dict[str, Any]

BOLD: Mapping[str, Any] = {"weight": "Bolder"}
SMALL: Mapping[str, Any] = {"size": "Small", "isSubtle": True}
_MONOSPACED: Mapping[str, Any] = {"fontType": "Monospace"}


def run(text: str, look: Mapping[str, Any] | None = None) -> Json:
    return {"type": "TextRun", "text": text, **(look or {})}


def rich(*inlines: Json, **settings: Any) -> Json:
    return {"type": "RichTextBlock", "inlines": list(inlines), **settings}


def words(text: str, look: Mapping[str, Any] | None = None, **settings: Any) -> Json:
    """One line of text in which nothing is markup; an empty one keeps its height."""
    return rich(run(text or "\xa0", look), **settings)


def line(markdown: str, look: Mapping[str, Any] | None = None, **settings: Any) -> Json:
    """One line of Markdown in its looks."""
    found = spans(markdown)
    if any(span.url for span in found):
        return {"type": "TextBlock", "text": linked(found), "wrap": True, **(look or {}), **settings}
    return rich(*(run(span.text, {**(look or {}), **_look(span)}) for span in found or (Span("\xa0"),)), **settings)


def _look(span: Span) -> Json:
    look: Json = {}
    if span.bold:
        look |= BOLD
    if span.italic:
        look["italic"] = True
    if span.struck:
        look["strikethrough"] = True
    if span.code:
        look |= _MONOSPACED
    return look


def code(text: str, **settings: Any) -> Json:
    """A line of code. Its indentation would be lost as ordinary blanks."""
    inner = text.expandtabs(4)
    set_in = len(inner) - len(inner.lstrip(" "))
    return words("\xa0" * set_in + inner[set_in:], _MONOSPACED, **settings)
