"""What goes into a turn: the question and the talk before it as labelled data, the circumstances from the operator."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.conversation.clean import visible
from bot.conversation.edition import line as edition_line
from bot.domain import (
    Buttons,
    Chart,
    Heading,
    Incoming,
    Message,
    Note,
    Person,
    Reply,
    Said,
    Standing,
    Table,
    Text,
    Thread,
)

NO_FIGURES = "This person may not see figures about our services: give general advice, and say so if asked."
_LONGEST = 12_000  # characters of one message; what people paste beyond that is said to be left out
_HEADER = re.compile(r'<(?:said|question) id="([^"\s]{1,200})"')
_OURS = re.compile(r"<(?=/?(?:said|question|post|operator)\b)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Question:
    """One turn's question and what it stands in. `instructions` are the operator's for this channel, from the settings.

    `before` is what others said in the thread, untrusted; `root` the Director's own post that the thread hangs under.
    """

    incoming: Incoming
    person: Person
    thread: Thread
    before: tuple[Said, ...] = ()
    root: Reply | None = None
    now: datetime
    instructions: str = ""

    @property
    def text(self) -> str:
        return visible(self.incoming.text).strip()


def opening(question: Question, history: Sequence[Message], *, edition: str = "") -> tuple[Message, Message]:
    """The turn's first messages: what people said, as data, and the circumstances, which no one in chat can fake."""
    blocks: list[str] = []
    sees_figures = question.person.may_see_figures
    if question.root is not None and not history and sees_figures:
        blocks.append(f'<post by="the Director">\n{_data(plain(question.root))}\n</post>')
    known = _known_ids(history)
    for said in question.before:
        if said.message_id in known or (said.by_director and (history or question.root or not sees_figures)):
            continue
        speaker = "the Director" if said.by_director else said.speaker_id or "unknown"
        blocks.append(
            f'<said id="{_attribute(said.message_id)}" by="{_attribute(speaker)}">\n{_data(said.text)}\n</said>'
        )
    asked_with = question.incoming.question or question.incoming.dedupe_key
    by = f"{question.person.name} ({question.person.id})"
    blocks.append(
        f'<question id="{_attribute(asked_with)}" by="{_attribute(by)}">\n{_data(question.text)}\n</question>'
    )
    said_by_people = Message(role="user", content=[{"type": "text", "text": block} for block in blocks])
    return said_by_people, Message(role="system", content=_circumstances(question, edition))


def shows_no_figures(history: Sequence[Message]) -> bool:
    """Whether only people who may not see figures asked in this history, so that none can stand in it."""
    asked = [index for index, message in enumerate(history) if message.role == "user" and not _is_result(message)]
    return all(_follows(history, index) for index in asked)


def _is_result(message: Message) -> bool:
    return not isinstance(message.content, str) and any(block.get("type") == "tool_result" for block in message.content)


def _follows(history: Sequence[Message], index: int) -> bool:
    after = history[index + 1] if index + 1 < len(history) else None
    return after is not None and after.role == "system" and NO_FIGURES in str(after.content).splitlines()


def question_of(message: Message) -> str | None:
    """The bare words of a question as `opening` wrote it; None when the message holds none."""
    if isinstance(message.content, str):
        return None
    for block in reversed(message.content):
        match = re.fullmatch(r"<question [^>\n]*>\n(.*)\n</question>", str(block.get("text", "")), re.DOTALL)
        if match:
            return match[1]
    return None


def plain(reply: Reply) -> str:
    """A reply as text for a model: what a reader of the post and its details sees, without its charts' data."""
    shown = (*reply.parts, *reply.detail)
    return "\n\n".join(_part(part) for part in shown if not isinstance(part, Buttons))


def _part(part: Heading | Text | Note | Table | Chart | Buttons) -> str:
    match part:
        case Heading():
            return f"# {part.text}"
        case Text() | Note():
            return part.markdown
        case Table():
            return "\n".join(" | ".join(row) for row in (part.columns, *part.rows))
        case Chart():
            return f"({part.title}: {part.alt})"
        case Buttons():
            return ""


def _circumstances(question: Question, edition: str) -> str:
    person, place = question.person, question.incoming.place
    local = ""
    if person.zone:
        try:
            local = (
                f"; {question.now.astimezone(ZoneInfo(person.zone)):%A %Y-%m-%d %H:%M} for the speaker ({person.zone})"
            )
        except (ZoneInfoNotFoundError, ValueError):
            local = ""
    where = f"{place.platform}, channel {place.channel}" + (", in a thread" if place.thread else "")
    lines = [
        f"Time: {question.now:%A %Y-%m-%d %H:%M} UTC{local}.",
        f"Place: {where}.",
        # Not by name: people choose their names themselves, and what stands here counts as the operator's word.
        f"Speaker of the question: {_attribute(person.id)}, {person.standing.value}.",
    ]
    if not person.may_see_figures:
        lines.append(NO_FIGURES)
    if person.standing is Standing.UNKNOWN:
        lines.append(
            "Who this is could not be looked up just now; say so if figures are asked for: trying again may help."
        )
    if question.instructions:
        lines.append(f"The operator's instructions for this channel: {question.instructions}")
    if edition:
        lines.append(edition_line(edition))
    return "\n".join(lines)


def _known_ids(history: Iterable[Message]) -> frozenset[str]:
    ids: set[str] = set()
    for message in history:
        if message.role == "user" and not isinstance(message.content, str):
            headers = (_HEADER.match(str(block.get("text", ""))) for block in message.content)
            ids.update(header[1] for header in headers if header)
    return frozenset(ids)


def _data(text: str) -> str:
    """Someone's words, unable to close the label they stand in."""
    clean = _OURS.sub("&lt;", visible(text))
    if len(clean) <= _LONGEST:
        return clean
    return f"{clean[:_LONGEST]}\n(… {len(clean) - _LONGEST} more characters were left out)"


def _attribute(text: str) -> str:
    return re.sub(r"[\"<>\s]+", " ", visible(text)).strip()[:200]
