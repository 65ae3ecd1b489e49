"""A reply as Teams messages: which parts stand in which message, within the platform's limits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from bot.domain import Buttons, Chart, Citation, Heading, Note, Part, Reply, Table, Text
from handlers.markdown import as_lines, filled, split
from handlers.plain import shortened
from handlers.teams.cards import ACTIONS, elements
from handlers.teams.prose import divided
from handlers.teams.text import bold, escaped, fenced, outgoing, small

# Microsoft takes 100 KB a message, counted as UTF-16 and without pictures in it, and advises 80 KB; earlier words of
# theirs say 40, and 28 for a card (learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages).
# An activity of ours stays below 24 KB of UTF-8 with its picture, so below 48 KB as they count: 21 for text, card and
# citations together, the rest for what goes with them (addresses, the AI label).
ROOM = 21_000
TEXT = 10_000
PICTURE = 13_600  # of the room, for a chart
CITATIONS, CITATION = 20, 550  # so many are shown, and each takes so much of the room; their words are shortened
NOTIFICATION = 500
ROWS = ROOM // 100  # of a table, and more than fit: none is lighter
SPAN, LINE = 130, 350  # bytes that a run of another look, and a line, take on a card beside their words
LONG = 1_000
ROWS_LEFT = 3  # a table begins in a message that has room for so many of its rows


_SIGNS = re.compile(r"[\\`*_\[\]~<&]")


@dataclass(frozen=True)
class Post:
    """One message: its text, in Teams' Markdown, and what its card shows beneath (nothing: no card).

    `detail` belongs beneath the first message; `summary` is its line in notifications; `generated` says that a model
    wrote words of it; `citations` stand with the last message of an answer that has text.
    """

    summary: str
    text: str
    parts: tuple[Part, ...]
    detail: bool = False
    generated: bool = False
    citations: tuple[Citation, ...] = ()


@dataclass
class _Message:
    """A message being filled."""

    text: str = ""
    parts: list[Part] = field(default_factory=list)
    room: int = ROOM


def posts(reply: Reply) -> tuple[Post, ...]:
    """The messages that carry the reply, in order; the first is the one that people see, none is over a limit."""
    summary = shortened(reply.summary, NOTIFICATION) or "…"
    spoken = bool(reply.generated or reply.citations)
    first = _messages(reply.parts, spoken=spoken, kept=CITATION * len(reply.citations[:CITATIONS])) or [
        _Message(text=escaped(reply.summary.strip() or "…"))
    ]
    beneath = _messages(reply.detail, spoken=False)
    made = [
        Post(
            summary=summary,
            text=message.text,
            parts=tuple(message.parts),
            detail=number >= len(first),
            generated=reply.generated,
        )
        for number, message in enumerate((*first, *beneath))
    ]
    cited = max((n for n, message in enumerate(first) if message.text), default=len(first) - 1)
    made[cited] = replace(made[cited], citations=reply.citations)
    return tuple(made)


def words(post: Post) -> tuple[str, ...]:
    """The message in text alone, for where Teams takes no card; buttons need one."""
    return tuple(_joined([post.text, *(text for part in post.parts for text in _told(part))]))


def _messages(parts: Iterable[Part], *, spoken: bool, kept: int = 0) -> list[_Message]:
    """Prose is text; from the first table on, what follows stands on a card. `kept` is room for what comes with it.

    A report is one card as a whole; an answer in words (`spoken`) begins as text, which carries its citations.
    """
    pieces = [piece for part in parts for piece in _divided(part)]
    plain = next((n for n, piece in enumerate(pieces) if not isinstance(piece, Text | Note)), len(pieces))
    report = not spoken and any(not isinstance(part, Text | Note) for part in parts)
    start = 0 if report else plain
    texts = _joined(text for piece in pieces[:start] for text in _told(piece))
    done = [_Message(text=text, room=ROOM - kept - _weight(text)) for text in texts] or [_Message(room=ROOM - kept)]
    for piece in pieces[start:]:
        for fitting in _fitting(piece):
            _add(done, fitting, kept)
    return [message for message in done if message.text or message.parts]


def _add(done: list[_Message], part: Part, kept: int) -> None:
    """The part at the end of the messages: in the last if it has room, else in a new one; a table in several."""
    rest: Part | None = part
    while rest is not None:
        message = done[-1]
        piece, rest = _cut(rest, message.room, fresh=not (message.text or message.parts))
        if piece is None:
            done.append(_Message(room=ROOM - kept))
        else:
            message.parts.append(piece)
            message.room -= _part_weight(piece)


def _cut(part: Part, room: int, *, fresh: bool) -> tuple[Part | None, Part | None]:
    """What of the part goes into the room, and what is left of it. A fresh message takes at least something."""
    if not (isinstance(part, Table) and len(part.rows) > ROWS) and _part_weight(part) <= room:
        return part, None
    if not isinstance(part, Table) or len(part.rows) < 2:
        return (part, None) if fresh else (None, part)
    rows = _rows_within(part, room)
    if rows < ROWS_LEFT and not fresh:
        return None, part
    first, left = part.rows[: max(1, rows)], part.rows[max(1, rows) :]
    rest = part.model_copy(update={"rows": left, "caption": ""}) if left else None
    return part.model_copy(update={"rows": first}), rest


def _rows_within(table: Table, room: int) -> int:
    """How many of the table's first rows fit."""
    low, high = 0, min(len(table.rows), ROWS)
    while low < high:
        middle = (low + high + 1) // 2
        fits = _part_weight(table.model_copy(update={"rows": table.rows[:middle]})) <= room
        low, high = (middle, high) if fits else (low, middle - 1)
    return low


def _divided(part: Part) -> tuple[Part, ...]:
    """Text apart from the tables in it; what holds nothing is left out."""
    match part:
        case Text(markdown=markdown):
            return tuple(one if isinstance(one, Table) else Text(markdown=one) for one in divided(markdown))
        case Heading(text=text) | Note(markdown=text):
            return (part,) if text.strip() else ()
        case Buttons(buttons=()):
            return ()
        case _:
            return (part,)


def _fitting(part: Part) -> Iterator[Part]:
    """The part in pieces each of which fits into a card of its own."""
    match part:
        case Heading(text=text):
            yield from (part,) if _part_weight(part) <= TEXT else _texts(bold(text))
        case Text(markdown=markdown):
            yield from _texts(markdown)
        case Note(markdown=markdown):
            yield from (part,) if _part_weight(part) <= TEXT else _texts(markdown)
        case Table(columns=columns, rows=rows):
            heads = part.model_copy(update={"rows": ()})
            if all(_part_weight(heads.model_copy(update={"rows": (row,)})) <= ROOM for row in rows or ((),)):
                yield part
                return
            yield from _texts(bold(part.caption) if part.caption else "")
            for row in rows:  # one after the other, as text
                cells = zip(columns, filled(row, len(columns)), strict=True)
                yield from _texts("\n".join(f"{bold(name)} {escaped(cell)}" for name, cell in cells))
        case Buttons(buttons=buttons):
            for n in range(0, len(buttons), ACTIONS):
                yield Buttons(buttons=buttons[n : n + ACTIONS])
        case _:
            yield part


def _texts(markdown: str) -> tuple[Text, ...]:
    pieces = split(markdown, TEXT, size=_Measured())
    return tuple(Text(markdown=piece) for piece in pieces if piece.strip())


def _told(part: Part) -> Iterator[str]:
    """The part as text of messages, in pieces that fit."""
    match part:
        case Heading(text=text):
            yield from _outgoing(bold(text))
        case Text(markdown=markdown):
            yield from _outgoing(markdown)
        case Note(markdown=markdown):
            yield from map(small, split(markdown, TEXT, size=_said))
        case Table(caption=caption):
            yield from _outgoing("\n\n".join([*([bold(caption)] if caption else []), fenced(as_lines(part))]))
        case Chart(title=title, alt=alt):
            yield from _outgoing(f"{bold(title)}\n{escaped(alt)}")
        case Buttons():
            return


def _outgoing(markdown: str) -> Iterator[str]:
    return map(outgoing, split(markdown, TEXT, size=_said))


def _joined(texts: Iterable[str]) -> list[str]:
    """Few messages instead of many: text after text as long as they fit together."""
    done: list[str] = []
    for text in texts:
        if not text.strip():
            continue
        together = f"{done[-1]}\n\n{text}" if done else text
        if done and _weight(together) <= TEXT:
            done[-1] = together
        else:
            done.append(text)
    return done


def _said(markdown: str) -> int:
    """At least the bytes that the Markdown takes as a message's text, without making it."""
    return _weight(markdown) + 5 * len(_SIGNS.findall(markdown)) + 10 * markdown.count("\n")


class _Measured:
    """At least the bytes that Markdown takes on a card: line by line, none twice, the long ones by what is in them."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def __call__(self, markdown: str) -> int:
        return sum(map(self._line, markdown.split("\n")))

    def _line(self, line: str) -> int:
        if len(line) > LONG:
            return _weight(line) + SPAN * (1 + len(_SIGNS.findall(line))) + LINE
        if line not in self._known:
            self._known[line] = max(_weight(line) + SPAN, _part_weight(Text(markdown=line)))
        return self._known[line]


def _part_weight(part: Part) -> int:
    body = sum(_weight(element) + 1 for element in elements(part))
    return body + PICTURE if isinstance(part, Chart) else body


def _weight(value: object) -> int:
    """Bytes of the value in an activity."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))
