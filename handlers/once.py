"""The journal of a post that belongs to no turn: nobody will repair it, so it is kept only while it is made."""

from __future__ import annotations

from collections.abc import Collection, Mapping


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
