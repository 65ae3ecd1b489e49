"""A conversation with the model: one question in, one whole answer out, or an error and nothing to store."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from bot.conversation.clean import Links
from bot.conversation.edition import as_sent, edition_of
from bot.conversation.facts import FactBook, cited
from bot.conversation.gate import Gate
from bot.conversation.loop import Loop, Spoken, TurnLimits
from bot.conversation.model import Fault, Model, ModelUnavailable, text_of
from bot.conversation.numerals import unsupported
from bot.conversation.tools import Toolbox
from bot.conversation.words import Question, opening, shows_no_figures
from bot.domain import Answer, Fact, Message, Note, Part, Reply, Text

_MOST_NUMERALS = 12
_LONGEST_SUMMARY = 150


class Conversation:
    """`system` is the frozen prompt of the persona. With `model=None` every answer raises ModelUnavailable."""

    def __init__(
        self,
        *,
        model: Model | None,
        tools: Toolbox,
        system: str,
        links: Links | None = None,
        limits: TurnLimits | None = None,
    ) -> None:
        self._model = model
        self._tools = tools
        self._system = system
        self._links = links or Links()
        self._limits = limits or TurnLimits()

    async def answer(
        self, question: Question, *, write: Callable[[str], Awaitable[None]], status: Callable[[str], Awaitable[None]]
    ) -> Answer:
        """The answer with exactly this turn's messages, facts and usage.

        Raises:
            ModelUnavailable: no whole answer came; nothing of the turn may be stored.
            ModelRefused: the model declined.
        """
        if self._model is None:
            raise ModelUnavailable(
                "no model is configured (ANTHROPIC_API_KEY is not set)", fault=Fault.NO_MODEL, retryable=False
            )
        sees_figures = question.person.may_see_figures
        # Whoever may not see figures must not get them by way of what others were told in this thread.
        apart = not sees_figures and not shows_no_figures(question.thread.messages)
        edition = edition_of(self._model.name, self._system, self._tools.specs)
        history = () if apart else as_sent(question.thread.messages, edition)
        book = FactBook(question.thread.facts)
        first = opening(question, history, edition=edition)
        spoken = await Loop(self._model, self._tools, self._system, self._limits).speak(
            (*history, *first),
            person=question.person,
            at=question.now,
            book=book,
            gate=lambda: Gate(book.resolve if sees_figures else lambda _: None, self._links),
            write=write,
            status=status,
        )
        known = (
            self._system,
            *(book.texts() if sees_figures else ()),  # else a guess that goes unmarked would tell that it is right
            *(_said(message) for message in (*history, *first) if message.role != "assistant"),
            *spoken.tool_texts,
        )
        # Blocks that answered another prefix than the thread's would be refused in its next turn: only words are kept.
        messages = (Message(role="assistant", content=spoken.markdown),) if apart else tuple(spoken.messages)
        return Answer(
            reply=_reply(spoken, tuple(book.used.values()), unsupported(spoken.own, known)),
            messages=(*first, *messages),
            facts=tuple(book.new),
            usage=tuple(spoken.usage),
        )


def summary_of(markdown: str) -> str:
    """The first sentence, without markup, for notifications."""
    bare = re.sub(r"[*_`#>|\[\]]|\]\([^)]*\)", "", markdown)
    line = next((line.strip() for line in bare.splitlines() if line.strip()), "")
    sentence = re.split(r"(?<=[.!?])\s", line, maxsplit=1)[0]
    return sentence if len(sentence) <= _LONGEST_SUMMARY else sentence[: _LONGEST_SUMMARY - 1].rstrip() + "…"


def _reply(spoken: Spoken, used: tuple[Fact, ...], general: tuple[str, ...]) -> Reply:
    parts: list[Part] = [Text(markdown=spoken.markdown)]
    if used:
        first, last = min(fact.evaluated_at for fact in used), max(fact.evaluated_at for fact in used)
        until = f" to {last:%Y-%m-%d %H:%M}" if f"{last:%Y-%m-%d %H:%M}" != f"{first:%Y-%m-%d %H:%M}" else ""
        parts.append(Note(markdown=f"Figures of our services as of {first:%Y-%m-%d %H:%M}{until} UTC."))
    if general:
        more = f" and {len(general) - _MOST_NUMERALS} more" if len(general) > _MOST_NUMERALS else ""
        parts.append(Note(markdown=f"General knowledge, not measured: {', '.join(general[:_MOST_NUMERALS])}{more}."))
    return Reply(summary=summary_of(spoken.texts[-1]), parts=tuple(parts), generated=True, citations=cited(used))


def _said(message: Message) -> str:
    if isinstance(message.content, str):
        return message.content
    results = (str(block.get("content", "")) for block in message.content if block.get("type") == "tool_result")
    return "\n".join((text_of(message), *results))
