"""Text on its way out to Teams: escaping, and CommonMark as Teams' messages show it.

A message's text knows bold, italics, code, quotations, links and lists. Headings and tables it doesn't know, and a
single line break is no break (learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from bot.domain import Table
from handlers.markdown import as_lines
from handlers.teams.prose import Block, Code, Listing, Paragraph, Quote, Rule, Span, Title, blocks, spans

# What would be read as Markdown and is not meant so; an underscore within a word and a lone asterisk are harmless.
_SIGNS = re.compile(
    r"\\(?=[!-/:-@\[-`{-~]|$)|`|\*(?!(?<=\s\*)\s)|(?<![^\W_])_|_(?![^\W_])|(?<=\])(?=[(:])|~(?=~)|(?<=~)~"
)
_FIRST = re.compile(r"^(\s*)(?:([-+](?=\s|$)|#{1,6}(?=\s|$)|>|-(?=[-\s]*$)|=(?==*\s*$))|(\d{1,9})([.)])(?=\s|$))")
_ENTITY = re.compile(r"&(?=#?\w+;)")


def escaped(text: str) -> str:
    """Markdown that shows exactly `text`, whatever signs are in it."""
    return "\n".join(_escaped_line(line) for line in text.split("\n"))


def bold(text: str) -> str:
    """Markdown that shows the text in one line, in bold."""
    return f"**{escaped(' '.join(text.split()))}**" if text.strip() else ""


def outgoing(markdown: str) -> str:
    """CommonMark as Teams shows it: each line on its own, headings bold, tables aligned; no markup but Markdown."""
    return "\n\n".join(filter(None, map(_block, blocks(markdown))))


def small(markdown: str) -> str:
    """Small print, for which a message's text has italics only."""
    lines = (spans(line, Span("", italic=True)) for line in markdown.split("\n") if line.strip())
    return "  \n".join("".join(map(_span, line)) for line in lines)


def linked(found: Iterable[Span]) -> str:
    """The line as the Markdown of cards, which knows links, bold and italics, but no code."""
    return _begun("".join(_span(replace(span, code=False)) for span in found))


def _block(block: Block) -> str:
    match block:
        case Paragraph(lines=lines):
            return "  \n".join(_line(line) for line in lines)
        case Title(text=text):
            return "".join(_span(span) for span in spans(text, Span("", bold=True)))
        case Listing(items=items):
            return "\n".join(f"{'   ' * item.depth}{_mark(item.mark)} {_line(item.text)}" for item in items)
        case Quote(lines=lines):
            return "  \n".join(f"> {_line(line)}" for line in lines)
        case Code(lines=lines):
            return fenced(list(lines))
        case Table():
            return fenced(as_lines(block))
        case Rule():
            return "———"


def _mark(mark: str) -> str:
    """A line that goes on under its item is set in as far as the item's words."""
    return "-" if mark == "•" else mark or "  "


def fenced(lines: list[str]) -> str:
    """The lines as a block of code."""
    fence = "```"
    while any(fence in line for line in lines):
        fence += "`"
    return "\n".join((fence, *lines, fence))


def _line(markdown: str) -> str:
    return _begun("".join(map(_span, spans(markdown))))


def _span(span: Span) -> str:
    if span.code:
        return _coded(span.text)
    core = span.text.strip()
    if not core:
        return span.text
    before, _, after = span.text.partition(core)
    text = _inert(_SIGNS.sub(r"\\\g<0>", core))
    if span.url is not None:
        text = f"[{text}]({span.url})" if span.text != span.url else span.url
    for on, mark in ((span.struck, "~~"), (span.italic, "*"), (span.bold, "**")):
        text = f"{mark}{text}{mark}" if on else text
    return f"{before}{text}{after}"


def _coded(text: str) -> str:
    ticks = "`"
    while ticks in text:
        ticks += "`"
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _escaped_line(line: str) -> str:
    return _begun(_inert(_SIGNS.sub(r"\\\g<0>", line)))


def _begun(line: str) -> str:
    """The line, beginning a sentence also where it would begin a list, a heading or a quotation."""
    return _FIRST.sub(lambda it: f"{it[1]}\\{it[2]}" if it[2] else f"{it[1]}{it[3]}\\{it[4]}", line)


def _inert(text: str) -> str:
    """Without what Teams would read as its own markup: `<at>` and other tags, entities."""
    return _ENTITY.sub("&amp;", text).replace("<", "&lt;")
