"""Markdown as all rooms need it: long text in pieces that fit, a table where no table can be drawn."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from bot.domain import Table

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")
_RULE = re.compile(r"^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")

# How much room a text takes. Lines are measured each for itself: joined they take no more than one by one.
Measure = Callable[[str], int]
_STEP = 64


def split(markdown: str, limit: int, *, size: Measure = len) -> tuple[str, ...]:
    """`markdown` in pieces of at most `limit` by `size`, in order, nothing left out.

    It is cut between paragraphs if possible, else lines, sentences, words. A code block that must be divided is closed
    and opened again, a table repeats its head.
    """
    if size(markdown) <= limit:
        return (markdown,) if markdown.strip() else ()
    pieces = _Pieces("\n\n", limit, size)
    for block in _blocks(markdown):
        for part in _divided(block, limit, size):
            pieces.add(part)
    return tuple(pieces.all())


class _Pieces:
    """Pieces being filled, none of them measured anew with every part that comes in."""

    def __init__(self, joint: str, limit: int, size: Measure) -> None:
        self._joint, self._limit, self._size = joint, limit, size
        self._gap = size(f"x{joint}x") - 2 * size("x")
        self._done: list[str] = []
        self._parts: list[str] = []
        self._used = 0

    def add(self, part: str) -> None:
        weight = self._size(part)
        if self._parts and self._used + self._gap + weight > self._limit:
            self._close()
        self._used += weight + (self._gap if self._parts else 0)
        self._parts.append(part)

    def all(self) -> list[str]:
        if self._parts:
            self._close()
        return self._done

    def _close(self) -> None:
        self._done.append(self._joint.join(self._parts))
        self._parts, self._used = [], 0


def _blocks(markdown: str) -> Iterator[str]:
    """Paragraphs, with a fenced block as one of them, however many blank lines it has."""
    lines: list[str] = []
    fence = ""
    for line in markdown.split("\n"):
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence) and not mark[2].strip():
            fence = ""
        if line.strip() or fence:
            lines.append(line)
        elif lines:
            yield "\n".join(lines)
            lines = []
    if lines:
        yield "\n".join(lines)


def _divided(block: str, limit: int, size: Measure) -> list[str]:
    if size(block) <= limit:
        return [block]
    lines = block.split("\n")
    mark = _FENCE.match(lines[0])
    if mark:
        closed = bool((end := _FENCE.match(lines[-1])) and end[1].startswith(mark[1]) and len(lines) > 1)
        return _packed(lines[1 : -1 if closed else None], limit, size, head=f"{lines[0]}\n", tail=f"\n{mark[1]}")
    if len(lines) > 2 and "|" in lines[0] and _RULE.match(lines[1]):
        head = f"{lines[0]}\n{lines[1]}\n"
        if 2 * size(head) < limit:
            return _packed(lines[2:], limit, size, head=head)
    return _packed(lines, limit, size)


def _packed(lines: list[str], limit: int, size: Measure, *, head: str = "", tail: str = "") -> list[str]:
    room = limit - size(head) - size(tail)
    if room < 1:  # a head longer than a message: nothing to repeat
        head, tail, room = "", "", limit
    pieces = _Pieces("\n", room, size)
    for line in lines:
        for part in _line_parts(line, room, size):
            pieces.add(part)
    return [f"{head}{piece}{tail}" for piece in pieces.all()] or [f"{head}{tail}".strip("\n")]


def _line_parts(line: str, limit: int, size: Measure) -> Iterator[str]:
    if size(line) <= limit:
        yield line
        return
    while line:
        cut = _fitting(line, limit, size)
        if cut < len(line):
            cut = _boundary(line, cut)
        yield line[:cut].rstrip() or line[:cut]
        line = line[cut:].lstrip(" ")


def _boundary(line: str, cut: int) -> int:
    """Where to break so that at least half of what fits is used: after a sentence, a word, or right at the limit."""
    for mark in (". ", " "):
        end = line.rfind(mark, 0, cut) + 1
        if end > cut // 2:
            return end
    return cut


def _fitting(line: str, limit: int, size: Measure) -> int:
    """The longest prefix of the line that fits; at least one character."""
    low, high = 1, min(_STEP, len(line))
    while high < len(line) and size(line[:high]) <= limit:  # so that a long line isn't measured whole for each piece
        low, high = high, min(2 * high, len(line))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if size(line[:middle]) <= limit else (low, middle - 1)
    return low


def as_markdown(table: Table) -> str:
    """The table in Markdown, for where a table block can't stand."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    rule = [("---:" if n in table.numeric else "---") for n in range(len(table.columns))]
    caption = [f"**{table.caption}**", ""] if table.caption else []
    return "\n".join([*caption, line(table.columns), line(rule), *map(line, table.rows)])


def as_lines(table: Table) -> list[str]:
    """The table as lines of text, its columns aligned for a monospaced face."""
    rows = [filled(row, len(table.columns)) for row in (table.columns, *table.rows)]
    width = [max(len(row[n]) for row in rows) for n in range(len(table.columns))]
    return [
        "  ".join(
            cell.rjust(width[n]) if n in table.numeric else cell.ljust(width[n]) for n, cell in enumerate(row)
        ).rstrip()
        for row in rows
    ]


def filled(row: tuple[str, ...], columns: int) -> tuple[str, ...]:
    """The row with exactly as many cells as there are columns."""
    return (*row, *([""] * (columns - len(row))))[:columns]
