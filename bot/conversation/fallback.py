"""What the Director says when no model speaks: the facts that the question names, and that no model spoke."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence

from bot.conversation.lookups import Assesses
from bot.conversation.words import Question, opening, plain
from bot.domain import Answer, Audience, Message, Note, Part, Reply, Standing, Text
from bot.errors import DirectorError
from bot.reliability import status_reply

Listing = Callable[[Question], Awaitable[Reply]]


class Fallback:
    """Answers by rule. `schedules` gives the schedules that the person who asks may read."""

    def __init__(
        self, reliability: Assesses, *, services: Sequence[str] = (), schedules: Listing | None = None
    ) -> None:
        self._reliability = reliability
        self._services = tuple(services)
        self._schedules = schedules

    async def answer(self, question: Question, *, reason: str) -> Answer:
        """`reason` is a clause in plain words, as in `ModelUnavailable.reason`."""
        reply = await self._facts(question)
        note = Note(markdown=f"No model spoke: {reason}.")
        reply = reply.model_copy(update={"parts": (*reply.parts, note), "audience": Audience.ALL})
        said = Message(role="assistant", content=plain(reply))
        return Answer(reply=reply, messages=(*opening(question, question.thread.messages), said))

    async def _facts(self, question: Question) -> Reply:
        if question.person.standing is Standing.UNKNOWN:
            return _words("I could not look up who you are just now, so I show no figures. Please ask again.")
        if not question.person.may_see_figures:
            return _words(
                "I can't answer this just now, and figures about our services are for members of this workspace. "
                "Please ask again later."
            )
        if self._schedules is not None and re.search(r"\bschedul", question.text, re.IGNORECASE):
            return await self._schedules(question)
        named = self.named(question.text)
        who = f"{_listed(named)} {'stands' if len(named) == 1 else 'stand'}" if named else "our services stand"
        lead = f"I can't put it in words just now, but here is how {who}."
        try:
            assessment = await self._reliability.assess(named or None, question.now)
            reply = await asyncio.to_thread(status_reply, assessment)  # of a thousand objectives it takes a while
        except DirectorError as error:
            return _words(str(error))
        parts: tuple[Part, ...] = (Text(markdown=lead), *reply.parts)
        return reply.model_copy(update={"parts": parts, "detail": ()})

    def named(self, text: str) -> tuple[str, ...]:
        """The services whose names stand in the text as words of their own, in order of definition."""
        found: list[str] = []
        rest = text
        for name in sorted(self._services, key=len, reverse=True):  # "payments-db" is not "payments"
            pattern = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])", re.IGNORECASE)
            if pattern.search(rest):
                found.append(name)
                rest = pattern.sub(" ", rest)
        return tuple(name for name in self._services if name in found)


def _words(text: str) -> Reply:
    return Reply(summary=text.split(". ", maxsplit=1)[0], parts=(Text(markdown=text),))


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
