"""A reply as Slack messages: which parts stand in which message, within the platform's limits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bot.domain import Button, Buttons, Chart, Heading, Note, Part, Reply, Table, Text
from handlers.markdown import as_markdown, split
from handlers.plain import shortened
from handlers.slack.text import escaped, mrkdwn

BLOCKS = 48  # Slack takes 50; two are left for what a stream carries
HEADER = 150
MARKDOWN = 11_500  # Slack takes 12,000 in all markdown blocks of a message together
SECTION = 3_000
TABLE_ROWS = 100
TABLE_COLUMNS = 20
TABLE_CHARACTERS = 10_000
CHARTS = 2
ACTIONS = 25
NOTIFICATION = 1_000


@dataclass(frozen=True)
class Post:
    """One message. `detail` belongs into a thread beneath the first one; `summary` is its line in notifications."""

    summary: str
    parts: tuple[Part, ...]
    detail: bool = False


@dataclass
class _Open:
    """A message being filled."""

    parts: list[Part] = field(default_factory=list)
    blocks: int = 0
    markdown: int = 0
    tables: int = 0
    charts: int = 0

    def takes(self, part: Part) -> bool:
        if not self.parts:
            return True
        if self.blocks + _blocks(part) > BLOCKS or self.markdown + _markdown(part) > MARKDOWN:
            return False
        return not (isinstance(part, Table) and self.tables) and not (isinstance(part, Chart) and self.charts >= CHARTS)

    def add(self, part: Part) -> None:
        self.parts.append(part)
        self.blocks += _blocks(part)
        self.markdown += _markdown(part)
        self.tables += isinstance(part, Table)
        self.charts += isinstance(part, Chart)


def posts(reply: Reply) -> tuple[Post, ...]:
    """The messages that carry the reply, in order; the first is the one that people see, none is over a limit."""
    summary = shortened(escaped(reply.summary), NOTIFICATION) or "…"
    first = _packed(reply.parts) or [(Text(markdown=reply.summary or "…"),)]
    found = [Post(summary=summary, parts=parts) for parts in first]
    return (*found, *(Post(summary=summary, parts=parts, detail=True) for parts in _packed(reply.detail)))


def _packed(parts: Iterable[Part]) -> list[tuple[Part, ...]]:
    done: list[tuple[Part, ...]] = []
    current = _Open()
    for part in parts:
        for piece in _pieces(part):
            wanted = piece
            if isinstance(wanted, Table) and current.tables:  # a message holds one table block; small ones go as text
                wanted = _small(wanted) or wanted
            if not current.takes(wanted):
                done.append(tuple(current.parts))
                current = _Open()
            current.add(wanted)
    return [*done, tuple(current.parts)] if current.parts else done


def _pieces(part: Part) -> Sequence[Part]:
    """The part in pieces each of which fits into a message of its own."""
    match part:
        case Heading(text=text):
            if not text.strip():
                return ()
            return (part,) if len(text) <= HEADER else _texts(f"**{text}**")
        case Text(markdown=markdown):
            return _texts(markdown)
        case Note(markdown=markdown):
            if not markdown.strip():
                return ()
            return (part,) if len(mrkdwn(markdown)) <= SECTION - 200 else _texts(markdown)
        case Table():
            return _tables(part)
        case Chart():
            return (part,)
        case Buttons(buttons=buttons):
            return tuple(Buttons(buttons=buttons[n : n + ACTIONS]) for n in range(0, len(buttons), ACTIONS))


def _texts(markdown: str) -> tuple[Text, ...]:
    return tuple(Text(markdown=piece) for piece in split(markdown, MARKDOWN, size=_size) if piece.strip())


def _size(markdown: str) -> int:
    return len(escaped(markdown))


def _tables(table: Table) -> Sequence[Part]:
    head = sum(map(len, table.columns)) + len(table.columns)
    widest = max((sum(map(len, row)) + len(row) for row in table.rows), default=0)
    if len(table.columns) > TABLE_COLUMNS or not table.columns or head + widest > TABLE_CHARACTERS:
        return _texts(as_markdown(table))
    groups: list[list[tuple[str, ...]]] = [[]]
    used = head
    for row in table.rows:
        size = sum(map(len, row)) + len(row)
        if len(groups[-1]) >= TABLE_ROWS - 1 or used + size > TABLE_CHARACTERS:
            groups.append([])
            used = head
        groups[-1].append(row)
        used += size
    return tuple(
        table.model_copy(update={"rows": tuple(rows), "caption": table.caption if number == 0 else ""})
        for number, rows in enumerate(groups)
    )


def _small(table: Table) -> Text | None:
    text = as_markdown(table)
    return Text(markdown=text) if _size(text) <= MARKDOWN // 3 else None


def _blocks(part: Part) -> int:
    match part:
        case Table(caption=caption):
            return 2 if caption else 1
        case Chart():
            return 2  # a picture stands with its words
        case _:
            return 1


def _markdown(part: Part) -> int:
    match part:
        case Text(markdown=markdown):
            return _size(markdown)
        case Table(caption=caption):
            return _size(caption) + 4
        case _:
            return 0


def button_id(button: Button, number: int) -> str:
    """The action id of a button, unique in its message; `button_verb` reads it back."""
    return f"director:{button.verb}:{number}"


def button_verb(action_id: str) -> str:
    return action_id.split(":")[1] if action_id.startswith("director:") and action_id.count(":") >= 2 else ""
