"""Questions answered: with the model where there is one that answers, with the plain facts otherwise."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from bot.conversation.conversation import Conversation
from bot.conversation.fallback import Fallback
from bot.conversation.model import ModelRefused, ModelUnavailable
from bot.conversation.words import Question
from bot.domain import Answer, Person, Reply, Standing, Text
from bot.turn import Turn

log = structlog.get_logger(__name__)

_NOBODY = Person(id="unknown", name="someone", standing=Standing.UNKNOWN)


class Talks:
    """`instructions` are the operator's words for a channel, by "#name"."""

    def __init__(
        self, conversation: Conversation, fallback: Fallback, *, instructions: Mapping[str, str] | None = None
    ) -> None:
        self._conversation = conversation
        self._fallback = fallback
        self._instructions = dict(instructions or {})

    async def answer(self, turn: Turn) -> Answer:
        """Never fails for the model's sake; raises DirectorError when the facts can't be had either."""
        channel = (turn.incoming.channel_name or "").lstrip("#")
        question = Question(
            incoming=turn.incoming,
            person=turn.person or _NOBODY,
            thread=turn.thread,
            before=turn.before,
            root=turn.root,
            now=turn.now,
            instructions=self._instructions.get(f"#{channel}", ""),
        )
        try:
            return await self._conversation.answer(question, write=turn.write, status=turn.status)
        except ModelRefused as error:
            log.info("model.declined", turn=turn.id)
            return Answer(reply=Reply(summary=str(error), parts=(Text(markdown=str(error)),)))
        except ModelUnavailable as error:
            log.warning("model.unavailable", turn=turn.id, fault=error.fault.value, retryable=error.retryable)
            return await self._fallback.answer(question, reason=error.reason)
