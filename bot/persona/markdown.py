"""Just enough Markdown to read an agent card: sections by heading, paragraphs, bullets, fenced blocks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
_FENCE = re.compile(r"^\s*(```+|~~~+)\s*(\w*)")
_BULLET = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+(.*)$")
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


@dataclass(eq=False)
class Section:
    """What stands between one heading and the next. `title` is in lower case without emoji; `line` counts from 1."""

    title: str
    level: int
    line: int
    lines: list[str]
    parent: Section | None = None


def read_sections(text: str) -> list[Section]:
    """All sections in order; the first has no title and holds what stands before any heading."""
    sections = [Section(title="", level=0, line=1, lines=[])]
    fence = ""
    for number, line in enumerate(text.splitlines(), start=1):
        mark = _FENCE.match(line)
        if mark and (not fence or (mark[1].startswith(fence) and not mark[2])):
            fence = "" if fence else mark[1]
        heading = None if fence or mark else _HEADING.match(line)
        if heading is None:
            sections[-1].lines.append(line)
            continue
        level = len(heading[1])
        parent = next((one for one in reversed(sections) if 0 < one.level < level), None)
        sections.append(Section(title=_title(heading[2]), level=level, line=number, lines=[], parent=parent))
    return sections


def paragraphs(lines: Sequence[str]) -> list[str]:
    """Prose blocks, each on one line, without fenced blocks, rules, images and HTML."""
    found: list[str] = []
    current: list[str] = []
    fence = ""
    for line in [*lines, ""]:
        mark = _FENCE.match(line)
        if mark:
            fence = "" if fence else mark[1]
        bare = "" if fence or mark else strip_inline(line)
        if bare and not re.fullmatch(r"[-*_]{3,}|<.*>", bare):
            current.append(bare)
        elif current:
            found.append(" ".join(current))
            current = []
    return found


def bullets(lines: Sequence[str]) -> tuple[str, ...]:
    """List entries with their continuation lines, nested ones too."""
    found: list[str] = []
    for line in lines:
        match = _BULLET.match(line)
        if match:
            found.append(match[1])
        elif found and line.startswith((" ", "\t")) and line.strip():
            found[-1] += f" {line.strip()}"
    return tuple(text for entry in found if (text := strip_inline(entry)))


def fenced(lines: Sequence[str], language: str) -> str | None:
    """The first fenced block of this language."""
    inside: list[str] | None = None
    for line in lines:
        mark = _FENCE.match(line)
        if inside is None:
            inside = [] if mark and mark[2].lower() == language else None
        elif mark:
            return "\n".join(inside).strip()
        else:
            inside.append(line)
    return None


def strip_inline(text: str) -> str:
    """Text without images, link targets and emphasis."""
    text = _LINK.sub(r"\1", _IMAGE.sub("", text))
    return re.sub(r"\*\*|__|`|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)", "", text).strip()


def _title(text: str) -> str:
    words = "".join(char if char.isalnum() or char in " -/&" else " " for char in strip_inline(text))
    return " ".join(words.split()).lower()
