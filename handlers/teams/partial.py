"""How much of an unfinished text may be shown: up to where nothing that follows can change how it reads."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_HEADING = re.compile(r" {0,3}#{1,6}(?=\s|$)")
_LINK = re.compile(r"\[[^\[\]\n]*\](?:\([^()\n]*\)|(?=[^(\[:]))")
_SIGN_AT_END = re.compile(r"(?:\A|\s+)[-+*_~>]+\Z|(?:\A|\n[ \t]*)\d{1,9}[.)]\Z")  # its meaning hangs on what follows
_TAG = re.compile(r"<[a-z/!]", re.IGNORECASE)
_RUN = re.compile(r"(?P<code>`+)|(?P<stress>\*+|~~|(?<!\w)_+|_+(?!\w))|(?P<link>\[)|(?P<tag><)|(?P<escape>\\)")


def settled(markdown: str) -> str:
    """The beginning of `markdown` that stays as it is. A last word, an open emphasis, link, fence or table waits."""
    text = _closed_fences(markdown)
    start = max((match.end() for match in _BLANK_LINE.finditer(text)), default=0)
    done, block = text[:start], text[start:]
    if not text.endswith("\n"):
        block = block[: max(block.rfind(" "), block.rfind("\n")) + 1]
    lines = block.splitlines(keepends=True)
    if any("|" in line for line in lines):  # the rule that makes it a table may still come
        return done.rstrip()
    if lines and not lines[-1].endswith("\n") and _HEADING.match(lines[-1]):
        block = "".join(lines[:-1])
    return _SIGN_AT_END.sub("", (done + block[: _open(block)]).rstrip())


def _closed_fences(text: str) -> str:
    opened: tuple[int, str] | None = None
    for match in _FENCE.finditer(text):
        if opened is None:
            opened = (match.start(), match[1])
        elif match[1].startswith(opened[1]):
            opened = None
    return text if opened is None else text[: opened[0]]


def _open(block: str) -> int:
    """Where the first inline markup begins that isn't closed; the block's length when all is."""
    at = 0
    while (found := _RUN.search(block, at)) is not None:
        end = _end(block, found)
        if end is None:
            return found.start()
        at = end
    return len(block)


def _end(block: str, found: re.Match[str]) -> int | None:
    """Where the markup that begins here is over; None when the block ends before."""
    start, after = found.span()
    match found.lastgroup:
        case "escape":
            return after + 1
        case "code":
            closing = re.compile(rf"(?<!`){found[0]}(?!`)").search(block, after)
            return closing.end() if closing is not None else None
        case "stress":
            if not block[start - 1 : start].strip() and not block[after : after + 1].strip():
                return after  # a bullet, or a sign between blanks
            closing_at = block.find(found[0], after)
            return closing_at + len(found[0]) if closing_at >= 0 else None
        case "link":
            link = _LINK.match(block, start)
            return link.end() if link is not None else None
        case _:
            tag = _TAG.match(block, start)
            return after if tag is None or ">" in block[after:] else None
