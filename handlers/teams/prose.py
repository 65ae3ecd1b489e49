"""Markdown as structure: paragraphs, lists, code, tables, and the runs of a line, for what Teams can't read itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.domain import Table


@dataclass(frozen=True)
class Paragraph:
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Title:
    text: str


@dataclass(frozen=True)
class Item:
    """`mark` is "•" or the number as it was written; a line that goes on under its item has none."""

    depth: int
    mark: str
    text: str


@dataclass(frozen=True)
class Listing:
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Quote:
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    pass


Block = Paragraph | Title | Listing | Quote | Code | Table | Rule


@dataclass(frozen=True)
class Span:
    """A stretch of a line in one look."""

    text: str
    bold: bool = False
    italic: bool = False
    struck: bool = False
    code: bool = False
    url: str | None = None


_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^`]*)$")
_TITLE = re.compile(r"^ {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$")
_RULE = re.compile(r"^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$")
_ITEM = re.compile(r"^([ \t]*)([-*+•]|\d{1,9}[.)])[ \t]+(?=\S)(.*)$")
_QUOTE = re.compile(r"^ {0,3}> ?(.*)$")
_COLUMNS = re.compile(r"^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_CELL = re.compile(r"(?<!\\)\|")
_TASK = re.compile(r"^\[([ xX])\][ \t]+")

_INLINE = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|(?<!`)(?P<ticks>`+)(?!`)(?P<code>.{1,2000}?)(?<!`)(?P=ticks)(?!`)"
    r"|!?\[(?P<label>[^\[\]]{0,500})\]"
    r"\([ ]*<?(?P<url>[^()\s<>]*(?:\([^()\s<>]*\)[^()\s<>]*)*)>?(?:[ ]+\"[^\"]*\")?[ ]*\)"
    r"|<(?P<auto>(?:https?://|mailto:)[^<>\s]+)>"
    r"|\*\*\*(?=[^\s*])(?P<both>.{1,500}?)(?<=\S)\*\*\*(?!\*)"
    r"|\*\*(?=[^\s*])(?P<bold>.{1,500}?)(?<=\S)\*\*(?!\*)"
    r"|(?<!\w)__(?=[^\s_])(?P<bold_>.{1,500}?)(?<=\S)__(?!\w)"
    r"|\*(?=[^\s*])(?P<italic>(?:[^*]|\*\*[^*]+\*\*){1,500}?)(?<=\S)\*(?!\*)"
    r"|(?<![\w_])_(?=[^\s_])(?P<italic_>.{1,500}?)(?<=[^\s_])_(?!\w)"
    r"|~~(?=\S)(?P<struck>.{1,500}?)(?<=\S)~~"
)
_SAFE = re.compile(r"^(?:https?://|mailto:)", re.IGNORECASE)


def blocks(markdown: str) -> tuple[Block, ...]:
    """The blocks of the text in order. Every line of a paragraph is a line of its own."""
    return tuple(block for block, _ in _located(_lines(markdown)))


def divided(markdown: str) -> tuple[str | Table, ...]:
    """The text with its tables taken out of it, in order."""
    lines = _lines(markdown)
    found: list[str | Table] = []
    done = 0
    for block, (start, end) in _located(lines):
        if isinstance(block, Table):
            found += ["\n".join(lines[done:start]), block]
            done = end
    found.append("\n".join(lines[done:]))
    return tuple(one for one in found if isinstance(one, Table) or one.strip())


def _lines(markdown: str) -> list[str]:
    return markdown.replace("\r\n", "\n").split("\n")


def _located(lines: list[str]) -> Iterator[tuple[Block, tuple[int, int]]]:
    """Each block and the lines it stands in."""
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
        elif mark := _FENCE.match(line):
            end = at + 1
            while end < len(lines) and not _closes(lines[end], mark[1]):
                end += 1
            yield Code(tuple(lines[at + 1 : end])), (at, end + 1)
            at = end + 1
        elif title := _TITLE.match(line):
            yield Title(title[1]), (at, at + 1)
            at += 1
        elif _RULE.match(line):
            yield Rule(), (at, at + 1)
            at += 1
        elif _is_table(lines, at):
            end = at + 2
            while end < len(lines) and "|" in lines[end]:
                end += 1
            yield _table(lines[at:end]), (at, end)
            at = end
        else:
            end = _end(lines, at)
            yield _plain(lines[at:end]), (at, end)
            at = end


def _closes(line: str, fence: str) -> bool:
    mark = _FENCE.match(line)
    return bool(mark and mark[1].startswith(fence) and not mark[2].strip())


def _is_table(lines: list[str], at: int) -> bool:
    below = lines[at + 1] if at + 1 < len(lines) else ""
    if "|" not in lines[at] or "-" not in below or not _COLUMNS.match(below):
        return False
    return len(_cells(lines[at])) == len(_cells(below))


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|")
    if inner.endswith("|") and not inner.endswith("\\|"):
        inner = inner[:-1]
    return [cell.strip().replace("\\|", "|") for cell in _CELL.split(inner)]


def _table(lines: list[str]) -> Table:
    """The table with the words of its cells: what a run looks like is left out."""
    head, rule, *rows = map(_cells, lines)
    numeric = tuple(n for n, cell in enumerate(rule) if cell.endswith(":") and not cell.startswith(":"))
    return Table(columns=tuple(map(bare, head)), rows=tuple(tuple(map(bare, row)) for row in rows), numeric=numeric)


def _end(lines: list[str], at: int) -> int:
    """Where the paragraph, list or quotation that begins at `at` is over."""
    kind = _kind(lines[at])
    end = at + 1
    while end < len(lines):
        line = lines[end]
        if not line.strip() or _FENCE.match(line) or _TITLE.match(line) or _RULE.match(line) or _is_table(lines, end):
            break
        if _kind(line) != kind and not (kind == "list" and line[0] in " \t"):
            break
        end += 1
    return end


def _kind(line: str) -> str:
    return "list" if _ITEM.match(line) else "quote" if _QUOTE.match(line) else "words"


def _plain(lines: list[str]) -> Block:
    kind = _kind(lines[0])
    if kind == "quote":
        return Quote(tuple(found[1].strip() for line in lines if (found := _QUOTE.match(line))))
    if kind == "words":
        return Paragraph(tuple(line.strip().removesuffix("\\").rstrip() for line in lines))
    items: list[Item] = []
    indents: list[int] = []
    for line in lines:
        found = _ITEM.match(line)
        if found is None:
            items.append(Item(items[-1].depth if items else 0, "", line.strip()))
            continue
        indent = len(found[1].expandtabs(4))
        while indents and indents[-1] >= indent:
            indents.pop()
        indents.append(indent)
        mark = found[2] if found[2][0].isdigit() else "•"
        text = _TASK.sub(lambda task: "☐ " if task[1] == " " else "☑ ", found[3].strip())
        items.append(Item(len(indents) - 1, mark, text))
    return Listing(tuple(items))


def spans(text: str, look: Span = Span("")) -> tuple[Span, ...]:
    """The line in runs of one look. A link that leads nowhere on the web is only its words."""
    found: list[Span] = []
    for span in _spans(text, look):
        if found and replace(found[-1], text="") == replace(span, text=""):
            found[-1] = replace(span, text=found[-1].text + span.text)
        elif span.text:
            found.append(span)
    return tuple(found)


def _spans(text: str, look: Span) -> Iterator[Span]:
    end = 0
    for match in _INLINE.finditer(text):
        yield replace(look, text=text[end : match.start()])
        end = match.end()
        kind = match.lastgroup or ""
        if kind == "escaped":
            yield replace(look, text=match["escaped"])
        elif match["code"] is not None:
            code = match["code"]
            yield replace(look, text=code.strip() or code, code=True)
        elif match["url"] is not None:
            url = match["url"] if _SAFE.match(match["url"]) else None
            yield from _spans(match["label"] or match["url"], replace(look, url=url or look.url))
        elif match["auto"] is not None:
            yield replace(look, text=match["auto"].removeprefix("mailto:"), url=match["auto"])
        elif match["both"] is not None:
            yield from _spans(match["both"], replace(look, bold=True, italic=True))
        elif (bold := match["bold"] or match["bold_"]) is not None:
            yield from _spans(bold, replace(look, bold=True))
        elif (italic := match["italic"] or match["italic_"]) is not None:
            yield from _spans(italic, replace(look, italic=True))
        else:
            yield from _spans(match["struck"], replace(look, struck=True))
    yield replace(look, text=text[end:])


def bare(text: str) -> str:
    """The words of the line without its marks."""
    return "".join(span.text for span in spans(text))
