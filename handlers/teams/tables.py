"""A table on a card: as a grid where a phone has room for its columns, else as one entry after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.domain import Table
from handlers.markdown import filled
from handlers.teams.runs import BOLD, SMALL, Json, rich, run, words

ROOM = 43.0  # characters across a card on a phone 380 pixels wide
PADDING = 2.3  # of them between two columns
PROSE = 18  # a longer cell that isn't a figure is wrapped
IDENTIFIER = 4
FIGURE = 16
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
    """The characters a column needs on a phone: a figure stays on its line, prose may be wrapped between words."""
    head = max(map(len, part.columns[column].split()), default=1)
    cells = [row[column] for row in rows]
    if column in part.numeric:
        return max([head, *map(len, cells)])
    longest = max((len(word) for cell in cells for word in cell.split()), default=1)
    return max(head, longest, min(PROSE, max(map(len, cells), default=1)))


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
    figure = next((n for n in part.numeric if n not in named and _short(rows, n, FIGURE)), None)
    rest = [n for n in range(len(part.columns)) if n not in named and n != figure]
    for row in rows:
        name = "  ".join(row[n] for n in named if row[n]) or "–"
        columns = [{"type": "Column", "width": "stretch", "items": [words(name, BOLD), *_rest(part, row, rest)]}]
        if figure is not None:
            value = words(row[figure] or "–", BOLD, horizontalAlignment="Right")
            label = words(part.columns[figure], SMALL, horizontalAlignment="Right", spacing="None")
            columns.append({"type": "Column", "width": "auto", "items": [value, label]})
        yield {"type": "ColumnSet", "separator": True, "spacing": "Small", "columns": columns}


def _named(part: Table, rows: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """The columns that say what a row is about: the first, and the second with it where the first only numbers."""
    more = len(part.columns) > 2 and _short(rows, 0, IDENTIFIER)
    return (0, 1) if more else (0,)


def _short(rows: Sequence[Sequence[str]], column: int, most: int) -> bool:
    return all(len(row[column]) <= most for row in rows)


def _rest(part: Table, row: Sequence[str], columns: Sequence[int]) -> list[Json]:
    """The other cells: in one line, the first words without their column's name; each in its own where one is long."""
    known = [n for n in columns if row[n]]
    if not known:
        return []
    if any(len(row[n]) > ONE_LINE for n in known):
        return [rich(run(f"{part.columns[n]}  ", SMALL), run(row[n], {"size": "Small"}), spacing="None") for n in known]
    bare = next((n for n in known if n not in part.numeric), None)
    cells = [row[n] if n == bare else f"{part.columns[n]} {row[n]}" for n in known]
    return [words(" · ".join(cells), SMALL, spacing="None")]
