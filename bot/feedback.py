"""Whether answers helped: what people said by the thumbs under them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from pydantic import AwareDatetime

from bot.domain import Place, Value

Rating = Literal["like", "dislike"]


class Feedback(Value):
    """What one person said of one message. `message_id` is None where the platform did not say which it was."""

    place: Place
    person_id: str
    message_id: str | None
    rating: Rating
    words: str
    at: AwareDatetime


class FeedbackLog(Protocol):
    async def latest(self, *, workspace: str | None, limit: int) -> Sequence[Feedback]:
        """Newest first; of one workspace, or of all. Of a person and a message only what was said last."""
        ...
