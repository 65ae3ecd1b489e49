"""A table on a card: as a grid where a phone has room for its columns, else as one entry after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.domain import Table
from handlers.markdown import filled
from handlers.teams.runs import BOLD, SMALL, Json, rich, run, words

ROOM = 43.0  # characters across a card on a phone 380 pixels wide
PADDING = 2.3  # of them between two columns
PROSE, FIGURE = 14, 10  # longer cells are wrapped between words
IDENTIFIER = 4
ASIDE = 16  # a figure to the right of an entry
ONE_LINE = 30


def table(part: Table) -> list[Json]:
    """The table's elements; no cell is left out or shortened."""
    rows = [filled(row, len(part.columns)) for row in part.rows]
    title = [words(part.caption, BOLD, spacing="Medium")] if part.caption else []
    if not part.columns:
        return title
    widths = [_width(part, rows, n) for n in range(len(part.columns))]
    if sum(widths) + PADDING * len(widths) <= ROOM or not rows:
        return [*title, _grid(part, rows, widths)]
    return [*title, *_entries(part, rows)]


def _width(part: Table, rows: Sequence[Sequence[str]], column: int) -> int:
    """The characters a column needs on a phone, its longer cells wrapped between words."""
    cells = [row[column] for row in rows]
    word = max((len(word) for cell in (part.columns[column], *cells) for word in cell.split()), default=1)
    return max(word, min(FIGURE if column in part.numeric else PROSE, max(map(len, cells), default=1)))


def _grid(part: Table, rows: Sequence[Sequence[str]], widths: Sequence[int]) -> Json:
    def cells(row: Sequence[str], look: Json | None = None) -> list[Json]:
        return [{"type": "TableCell", "items": [words(cell, look)]} for cell in row]

    return {
        "type": "Table",
        "firstRowAsHeader": True,
        "showGridLines": False,
        "columns": [
            {"width": width + PADDING, "horizontalCellContentAlignment": "Right" if n in part.numeric else "Left"}
            for n, width in enumerate(widths)
        ],
        "rows": [
            {"type": "TableRow", "cells": cells(row, look)}
            for row, look in [(part.columns, dict(BOLD)), *((row, None) for row in rows)]
        ],
    }


def _entries(part: Table, rows: Sequence[Sequence[str]]) -> Iterator[Json]:
    """Each row as an entry: its name, its first figure to the right, the other cells with their columns' names."""
    named = _named(part, rows)
    figure = next((n for n in part.numeric if n not in named and _short(rows, n, ASIDE)), None)
    rest = [n for n in range(len(part.columns)) if n not in named and n != figure]
    clear = next((n for n in rest if n not in part.numeric), None)  # stands first, and so says what it is
    head = " · ".join(part.columns[n] for n in (*named, clear) if n is not None)
    yield words(head, SMALL, spacing="None" if part.caption else "Medium")
    for row in rows:
        name = " · ".join(row[n] for n in named if row[n]) or "–"
        items = [words(name, BOLD), *_rest(part, row, rest, clear)]
        columns = [{"type": "Column", "width": "stretch", "items": items}]
        if figure is not None:
            value = words(row[figure] or "–", BOLD, horizontalAlignment="Right")
            label = words(part.columns[figure], SMALL, horizontalAlignment="Right", spacing="None")
            columns.append({"type": "Column", "width": "auto", "items": [value, label]})
        yield {"type": "ColumnSet", "separator": True, "spacing": "Small", "columns": columns}


def _named(part: Table, rows: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """The columns that say what a row is about: the first, and the second with it where the first only numbers."""
    more = len(part.columns) > 2 and 1 not in part.numeric and _short(rows, 0, IDENTIFIER)
    return (0, 1) if more else (0,)


def _short(rows: Sequence[Sequence[str]], column: int, most: int) -> bool:
    return all(len(row[column]) <= most for row in rows)


def _rest(part: Table, row: Sequence[str], columns: Sequence[int], clear: int | None) -> list[Json]:
    """The other cells with their columns' names: a long one on a line of its own, the short ones together."""
    lines: list[Json] = []
    together: list[str] = []
    for n in columns:
        cell = row[n]
        if cell and len(cell) > ONE_LINE:
            label = [] if n == clear else [run(f"{part.columns[n]}  ", SMALL)]
            lines.append(rich(*label, run(cell, {"size": "Small"}), spacing="None"))
        elif cell:
            together.append(cell if n == clear else f"{part.columns[n]} {cell}")
    return [*lines, words(" · ".join(together), SMALL, spacing="None")] if together else lines
