"""From one message of an answer to what Teams takes: label, citations, feedback, and the steps of a stream."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.domain import Citation, Note
from handlers.teams.render import Post
from handlers.teams.sdk import (
    Attachment,
    ChannelData,
    CitationAppearance,
    MessageActivityInput,
    TypingActivityInput,
)

Json = dict[str, Any]

CARD = "application/vnd.microsoft.card.adaptive"
CITATIONS = 20  # Teams shows no more on one message
NAME, ABSTRACT = 80, 160  # characters; Teams refuses more
INFORMATIVE = 1_000  # characters of the line above a stream

REPEATED = "_Repeated: I was interrupted while posting this, so it may stand here twice._"


def repeated(post: Post) -> Post:
    """The message for a second time, saying so."""
    if post.text:
        return replace(post, text=f"{post.text}\n\n{REPEATED}")
    return replace(post, parts=(*post.parts, Note(markdown=REPEATED)))


def message(post: Post, card: Json | None) -> MessageActivityInput:
    """The message, text or card; as an edit it replaces all that stood before."""
    # The SDK's model lacks `summary`, which Teams shows in notifications of cards; it takes what it doesn't know.
    made = MessageActivityInput.model_validate({"attachments": [], **({"summary": post.summary} if card else {})})
    if post.text:
        made.text, made.text_format = post.text, "markdown"
    if card is not None:
        made.add_attachments(Attachment(content_type=CARD, content=card))
    if post.generated:
        made.add_ai_generated()
        made.add_feedback()
    _cite(made, post.citations)
    return made


def draft(text: str, card: Json | None, summary: str) -> MessageActivityInput:
    """An answer so far: on its card, which has the button that ends the making of it, or in text alone."""
    if card is None:
        return MessageActivityInput(text=text, text_format="markdown", attachments=[])
    shown = Attachment(content_type=CARD, content=card)
    return MessageActivityInput.model_validate({"summary": summary, "attachments": [shown]})


def informative(line: str, stream: str | None, sequence: int) -> TypingActivityInput:
    """A line that says what the Director is doing, before the first words of a stream."""
    made = TypingActivityInput(id=stream, text=line[:INFORMATIVE])
    return made.with_channel_data(ChannelData(stream_type="informative")).add_stream_update(sequence)


def streaming(text: str, stream: str | None, sequence: int) -> TypingActivityInput:
    """All of the text so far: each step holds the one before."""
    return TypingActivityInput(id=stream, text=text, text_format="markdown").add_stream_update(sequence)


def final(activity: MessageActivityInput, stream: str) -> MessageActivityInput:
    """The message that ends a stream."""
    return activity.with_id(stream).add_stream_final()


def typing() -> TypingActivityInput:
    return TypingActivityInput()


def _cite(made: MessageActivityInput, citations: tuple[Citation, ...]) -> None:
    """Teams shows a source only where its number stands in the text."""
    shown = citations[:CITATIONS]
    if not shown:
        return
    marks = "".join(f"[{position}]" for position in range(1, len(shown) + 1))
    made.text = f"{made.text} {marks}" if made.text else f"Sources: {marks}"
    for position, citation in enumerate(shown, start=1):
        url = citation.url if citation.url and citation.url.startswith(("https://", "http://")) else None
        made.add_citation(
            position,
            CitationAppearance(
                name=_cut(citation.title, NAME) or f"Source {position}",
                abstract=_cut(citation.text, ABSTRACT) or citation.title[:ABSTRACT] or f"Source {position}",
                url=url,
            ),
        )


def _cut(text: str, limit: int) -> str:
    """One line of at most so many UTF-16 units, which is how Teams counts."""
    line = " ".join(text.split())
    if _units(line) <= limit:
        return line
    while _units(line) > limit - 1:
        line = line[:-1]
    return line.rstrip() + "…"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
