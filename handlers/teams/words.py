"""What a person typed in Teams, as plain words: without markup, hidden characters and the Director's own mention."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from handlers.plain import visible

_AT = re.compile(r"<at(?:\s[^<>]*)?>((?:(?!<at[\s>]).)*?)</at>", re.IGNORECASE | re.DOTALL)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_BLOCK_END = re.compile(r"</(?:p|div|li|blockquote|pre|tr|h[1-6])\s*>", re.IGNORECASE)
_CELL_END = re.compile(r"</t[dh]\s*>(?=\s*<t[dh])", re.IGNORECASE)
_ITEM = re.compile(r"<li(?:\s[^<>]*)?>", re.IGNORECASE)
_PICTURED = re.compile(r"<(?:emoji|img)\s[^<>]*?\balt=\"([^\"<>]*)\"[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)
_QUOTED = re.compile(r"<quoted\b[^<>]*/>", re.IGNORECASE)  # stands for a message that is quoted
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,7}|#x[0-9a-f]{1,6});", re.IGNORECASE)
_COMMAND = re.compile(r"/?director(?![\w-])\s*|/(?=\w)", re.IGNORECASE)
_TYPED_COMMAND = re.compile(r"/director(?![\w-])\s*", re.IGNORECASE)

# Takes the place of the Director's mention until its surroundings are tidied; stripped from what people send.
_HERE = "\x00"
_CALLED = re.compile(rf"(?<=\w),?[ \t]+{_HERE}[ \t]*(?=[,.?!;:]|$)")  # "how is checkout, @Director?"
_OWN_MENTION = re.compile(rf"(?:^[ \t]*{_HERE}[,:]?(?=\s|$)|(?:(?<![ \t])[ \t]+)?{_HERE})[ \t]*")


@dataclass(frozen=True)
class Mention:
    """One mention of a message, in its order. `text` is its markup as it stands in the message."""

    id: str
    name: str
    text: str


def plain_words(text: str, mentions: Iterable[Mention], *, me: Collection[str], rich: bool = False) -> str:
    """The words of a message. Mentions of others become `@Name`, of channels `#name`; `rich` says that it is HTML."""
    text = _QUOTED.sub("", text.replace(_HERE, ""))
    waiting = list(mentions)

    def said(markup: re.Match[str]) -> str:
        inner = _TAG.sub("", markup[1]).strip()
        mention = next((one for one in waiting if one.text == markup[0]), None) or next(
            (one for one in waiting if one.name and one.name == html.unescape(inner)), None
        )
        if mention is None:
            return f"@{inner}"
        waiting.remove(mention)
        if mention.id in me:
            return _HERE
        return f"#{channel_name(inner)}" if mention.id.startswith("19:") else f"@{inner}"

    text = _BREAK.sub("\n", _AT.sub(said, text))
    if rich:
        text = _ITEM.sub("- ", _PICTURED.sub(r"\1", _CELL_END.sub(" | ", text)))
        text = _TAG.sub("", _BLOCK_END.sub("\n", text))
    text = _ENTITY.sub(lambda entity: html.unescape(entity[0].lower()), text)
    text = _OWN_MENTION.sub(" ", _CALLED.sub("", clean(text)))
    return visible(text).strip()


def command_words(text: str) -> str:
    """The words behind `/director`, where Teams says that a command was sent."""
    return _COMMAND.sub("", text.strip(), count=1) if _COMMAND.match(text.strip()) else text.strip()


def without_slash_command(text: str) -> str:
    """The words behind `/director`, typed where commands aren't offered."""
    found = _TYPED_COMMAND.match(text)
    return text[found.end() :] if found else text


def channel_name(text: str) -> str:
    """What people call a channel: without `#`, lower case, blanks as hyphens."""
    return "-".join(visible(clean(text)).strip().lstrip("#").lower().split())


def clean(text: str) -> str:
    """`text` with every blank a blank and every line's end one, and nothing in it that can't be stored."""
    return "".join(map(_spaced, text.replace("\r\n", "\n").replace("\r", "\n")))


def _spaced(character: str) -> str:
    category = unicodedata.category(character)
    return {"Zs": " ", "Zl": "\n", "Zp": "\n", "Cs": ""}.get(category, character)
