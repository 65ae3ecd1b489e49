"""A Reply as text for a terminal: nothing wider than the terminal, and no control character from anyone's words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from bot.domain import Buttons, Chart, Heading, Note, Part, Reply, Table, Text
from handlers.terminal_chart import chart_lines
from handlers.terminal_table import display_width, table_lines

_LINK = re.compile(r"!?\[([^\]\n]*)\]\((\S+?)\)")
_SLACK_LINK = re.compile(r"<(https?://[^|>\s]+)\|([^>\n]+)>")
_STRONG = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_SINGLE = re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])")
_BULLET = re.compile(r"(\s*)[-*+•]\s+(.*)")
_NUMBERED = re.compile(r"(\s*)(\d+[.)])\s+(.*)")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])|(`+)(?!`)(.+?)(?<!`)\2(?!`)")  # or code, in which nothing is escaped
_ASIDE = 0xF0000  # where signs that mean nothing wait: characters that nobody uses
_PUT_BACK = {_ASIDE + sign: chr(sign) for sign in range(33, 127)}
_TABLE_RULE = re.compile(r"\s*\|?[\s:|-]*-[\s:|-]*\|?\s*")
_SMALLEST = 20


def render(reply: Reply, *, width: int) -> str:
    """The whole reply, without a newline at its end."""
    width = max(width, _SMALLEST)
    lines = _parts(reply.parts, width)
    if reply.detail:
        lines += ["", "─" * min(width, 40), "", *_parts(reply.detail, width)]
    return "\n".join(line.rstrip() for line in lines) if lines else clean(reply.summary)


def clean(text: str) -> str:
    """Without escape sequences and other control characters, so that nobody's text can steer the terminal."""
    kept = (char for char in text.replace("\r\n", "\n") if char in "\n\t" or unicodedata.category(char) not in _HIDDEN)
    return "".join(kept).expandtabs(4)


_HIDDEN = ("Cc", "Cf", "Cs", "Co")


def _parts(parts: Sequence[Part], width: int) -> list[str]:
    lines: list[str] = []
    for part in parts:
        block = _part(part, width)
        if lines and block:
            lines.append("")
        lines += block
    return lines


def _part(part: Part, width: int) -> list[str]:
    match part:
        case Heading(text=text):
            title = wrap(clean(text), width)
            return [*title, "═" * max(map(display_width, title), default=0)]
        case Text(markdown=markdown):
            return markdown_lines(markdown, width)
        case Note(markdown=markdown):
            return [f"  {line}" for line in markdown_lines(markdown, width - 2)]
        case Table():
            columns, rows = tuple(map(_cell, part.columns)), [tuple(map(_cell, row)) for row in part.rows]
            lines = table_lines(columns, rows, frozenset(part.numeric), width)
            return [*wrap(clean(part.caption), width), *lines] if part.caption else lines
        case Chart():
            return [*map(clean, chart_lines(part, width)), *wrap(clean(part.alt), width)]
        case Buttons(buttons=buttons):
            return wrap(" ".join(f"[{clean(button.label)}]" for button in buttons), width)


def markdown_lines(markdown: str, width: int) -> list[str]:
    """Markdown as wrapped plain text; code stays as it is."""
    lines: list[str] = []
    in_code = False
    rows: list[str] = []
    for raw in [*clean(markdown).strip("\n").split("\n"), ""]:
        if raw.lstrip().startswith("|") and not in_code:
            rows.append(raw.strip())
            continue
        if rows:
            lines += _pipe_table(rows, width)
            rows = []
        if raw.lstrip().startswith("```"):
            in_code = not in_code
        elif in_code:
            lines.append(f"    {raw}")
        else:
            lines += _line(raw, width)
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _line(raw: str, width: int) -> list[str]:
    if heading := re.fullmatch(r"#{1,6}\s+(.*?)\s*#*", raw):
        return wrap(_inline(heading[1]), width)
    if raw.startswith(">"):
        return [f"│ {line}" for line in wrap(_inline(raw.lstrip("> ")), width - 2)] or ["│"]
    if bullet := _BULLET.fullmatch(raw):
        return wrap(_inline(bullet[2]), width, first=f"{bullet[1]}• ")
    if numbered := _NUMBERED.fullmatch(raw):
        return wrap(_inline(numbered[3]), width, first=f"{numbered[1]}{numbered[2]} ")
    return wrap(_inline(raw), width) or [""]


def _inline(text: str) -> str:
    text = _ESCAPED.sub(lambda found: chr(_ASIDE + ord(found[1])) if found[1] else found[0], text)
    text = _LINK.sub(lambda link: link[1] if link[1] == link[2] else f"{link[1]} ({link[2]})", text)
    text = _SLACK_LINK.sub(r"\2 (\1)", text)
    return _SINGLE.sub(r"\1", _STRONG.sub(r"\2", text)).translate(_PUT_BACK)


def _cell(text: str) -> str:
    return _inline(clean(text)).replace("\n", " ")


def _pipe_table(rows: list[str], width: int) -> list[str]:
    cells = [
        [_cell(cell.strip()) for cell in row.strip("|").split("|")] for row in rows if not _TABLE_RULE.fullmatch(row)
    ]
    if not cells:
        return []
    count = max(map(len, cells))
    padded = [(*row, *[""] * (count - len(row))) for row in cells]
    return table_lines(padded[0], padded[1:], frozenset(), width)


def wrap(text: str, width: int, *, first: str = "") -> list[str]:
    """Words in lines no wider than `width`; `first` leads the first line and its width indents the others."""
    indent = " " * min(display_width(first), max(width - 10, 0))
    room = max(width - display_width(first), 10)
    lines: list[str] = []
    line = ""
    for word in text.split():
        for piece in _pieces(word, room):
            longer = f"{line} {piece}" if line else piece
            if not line or display_width(longer) <= room:
                line = longer
            else:
                lines.append(line)
                line = piece
    if line:
        lines.append(line)
    return [f"{indent if number else first}{line}" for number, line in enumerate(lines)]


def _pieces(word: str, room: int) -> list[str]:
    """A word that is wider than a line, cut into lines; addresses stay whole so that they can be clicked."""
    if display_width(word) <= room or "://" in word:
        return [word]
    pieces, piece = [], ""
    for char in word:
        if display_width(piece + char) > room:
            pieces.append(piece)
            piece = ""
        piece += char
    return [*pieces, piece]
