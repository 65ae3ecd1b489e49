"""Where an answer goes: the conversation behind a place, or the personal one with the person it names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.domain import Place
from bot.ports import CannotPost
from bot.references import ConversationKind, ConversationReference
from handlers.teams.origin import THREAD
from handlers.teams.trouble import TROUBLE, in_words
from handlers.teams.wire import Where

# How a place is reached; a place that is a person is their personal conversation. Raises what the wire raises.
WhereOf = Callable[[Place], Awaitable[ConversationReference | None]]

LEFT = (
    "I am not in that conversation any more. Add me to it again (in Teams under Apps), then mention me there once "
    "and ask anew."
)
STRANGER = (
    "I could not open a personal chat in Teams for this. Find me there under Apps, write to me once and ask anew."
)


@dataclass(frozen=True)
class Room:
    """`where` is this turn's thread, `channel` the conversation's id without any thread."""

    kind: ConversationKind
    channel: str
    where: Where

    def beneath(self, message_id: str) -> Where:
        """The reply chain of one of a channel's root messages."""
        return Where(self.where.service_url, f"{self.channel}{THREAD}{message_id}")


async def room_of(place: Place, where_of: WhereOf) -> Room:
    """Raises CannotPost when the Director has no such conversation, DeliveryFailed when Teams can't be asked."""
    try:
        found = await where_of(place)
    except TROUBLE as error:
        meaning = in_words(error)
        raise CannotPost(STRANGER) if isinstance(meaning, CannotPost) else meaning from error
    if found is None:
        raise CannotPost(LEFT)
    threaded = found.kind == "channel" and place.thread
    conversation = f"{found.conversation}{THREAD}{place.thread}" if threaded else found.conversation
    return Room(found.kind, found.conversation, Where(found.service_url, conversation))
