"""A post that belongs to no turn: nobody will repair it, so its journal is kept only while it is made."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import uuid4

from bot.domain import Address, Place, Reply
from bot.errors import Unreachable
from bot.ports import Chat, DeliveryFailed


async def post(chat: Chat, name: str, place: Place, reply: Reply, *, at: datetime) -> str:
    """Post a reply outside of any turn and return the first message's id; `name` is what people call the platform.

    Raises:
        CannotPost: the platform refuses it for good.
        Unreachable: try again later.
    """
    address = Address(turn_id=f"cli-{uuid4()}", place=place, asker=None, asker_home=None, question=None, asked_at=at)
    journal = Once()
    try:
        await chat.delivery(address, journal).finish(reply)
    except DeliveryFailed as error:
        raise Unreachable(f"{name} could not be reached or asks to wait. Try again in a minute.") from error
    return journal.first


class Once:
    """Implements `bot.ports.Journal` in memory."""

    def __init__(self) -> None:
        self._parts: dict[int, tuple[str, str | None]] = {}

    @property
    def first(self) -> str:
        """The id of the first message; empty before it stands."""
        return self._parts.get(0, ("", None))[1] or ""

    async def intend(self, part: int, how: str) -> None:
        self._parts[part] = (how, None)

    async def shown(self, part: int, message_id: str) -> None:
        self._parts[part] = (self._parts.get(part, ("post", None))[0], message_id)

    async def known(self) -> Mapping[int, tuple[str, str | None]]:
        return dict(self._parts)

    async def owned(self, message_ids: Collection[str]) -> frozenset[str]:
        return frozenset(message_ids) & {ts for _, ts in self._parts.values() if ts is not None}
