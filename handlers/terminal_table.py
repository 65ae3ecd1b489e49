"""Tables in text: aligned where they fit, wrapped where they nearly do, else one record under the other."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_GAP = "  "
_NARROWEST = 8


def display_width(text: str) -> int:
    """How many terminal cells the text takes: wide East Asian characters and emoji take two, marks none."""
    return sum(_cells(char) for char in text)


def _cells(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def table_lines(
    columns: Sequence[str], rows: Sequence[Sequence[str]], numeric: frozenset[int], width: int
) -> list[str]:
    """Header, rule and rows, none wider than `width`; `numeric` columns stand to the right."""
    whole = list(zip(columns, *rows, strict=True))
    widths = [max(map(display_width, cells)) for cells in whole]
    words = [max((display_width(word) for cell in cells for word in cell.split()), default=0) for cells in whole]
    for gap, floors in ((_GAP, words), (" ", words), (_GAP, [_NARROWEST] * len(words))):
        fitted = _fit(widths, width - len(gap) * (len(widths) - 1), numeric, floors)
        if fitted is not None:
            body = [line for row in rows for line in _row(row, fitted, numeric, gap)]
            return [*_row(columns, fitted, numeric, gap), gap.join("─" * size for size in fitted), *body]
    return _records(columns, rows)


def _fit(widths: list[int], room: int, numeric: frozenset[int], floors: list[int]) -> list[int] | None:
    """Column widths that fit; the widest text columns give way first, none below its floor. None when they can't."""
    fitted = list(widths)
    while sum(fitted) > room:
        giving = [index for index in range(len(fitted)) if index not in numeric and fitted[index] > floors[index]]
        if not giving:
            return None
        fitted[max(giving, key=lambda index: fitted[index])] -= 1
    return fitted


def _row(cells: Sequence[str], widths: Sequence[int], numeric: frozenset[int], gap: str) -> list[str]:
    wrapped = [_wrapped(cell, size) for cell, size in zip(cells, widths, strict=True)]
    lines = []
    for number in range(max(map(len, wrapped), default=0)):
        pieces = [cell[number] if number < len(cell) else "" for cell in wrapped]
        padded = [_pad(piece, widths[index], right=index in numeric) for index, piece in enumerate(pieces)]
        lines.append(gap.join(padded).rstrip())
    return lines


def _pad(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - display_width(text))
    return space + text if right else text + space


def _wrapped(text: str, width: int) -> list[str]:
    lines, line = [], ""
    for word in text.split(" "):
        rest = word
        if line and display_width(f"{line} {rest}") <= width:
            line = f"{line} {rest}"
            continue
        if line:
            lines.append(line)
        while display_width(rest) > width:
            cut = _cut(rest, width)
            lines.append(rest[:cut])
            rest = rest[cut:]
        line = rest
    return [*lines, line]


def _cut(text: str, width: int) -> int:
    """How many characters of the text fit, at least one."""
    used = 0
    for index, char in enumerate(text):
        used += _cells(char)
        if used > width:
            return max(index, 1)
    return len(text)


def _records(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines: list[str] = []
    for row in rows:
        if lines:
            lines.append("")
        lines += [f"{name}: {cell}" if name else cell for name, cell in zip(columns, row, strict=True) if cell]
    return lines
