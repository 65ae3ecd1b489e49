"""Several chat platforms as one: whoever looks a channel up or posts need not know which of them it is on."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Protocol

from bot.domain import Person, Place, Reply
from bot.errors import UsageError
from bot.schedule_chat import Channels
from bot.schedule_grammar import ChannelRef
from handlers.web import Readiness


class Directory(Channels, Protocol):
    """Channels and groups of one platform."""

    async def groups_of(self, person: Person) -> Collection[str]:
        """The ids of the user groups that someone belongs to, of those that rights speak of."""
        ...


class Posting(Protocol):
    async def channel(self, name_or_id: str) -> tuple[Place, str]:
        """The channel's place and its name with `#`. Raises UsageError when there is no such channel."""
        ...

    async def post(self, place: Place, reply: Reply) -> str:
        """Post a reply and return its first message's id. Raises CannotPost or Unreachable."""
        ...


class Edge(Protocol):
    async def connected(self) -> bool:
        """Whether what is asked there can come in and be answered now."""
        ...


async def readiness(edges: Mapping[str, Edge]) -> Readiness:
    """One platform that is away doesn't keep the others from being served; all of them do."""
    connected = await asyncio.gather(*(edge.connected() for edge in edges.values()))
    away = tuple(name.capitalize() for name, there in zip(edges, connected, strict=True) if not there)
    return Readiness(missing=away) if len(away) == len(edges) else Readiness(without=away)


class Directories:
    """Implements `bot.schedule_chat.Channels` over the directories by platform; others have no names to look up."""

    def __init__(self, by_platform: Mapping[str, Directory]) -> None:
        self._by_platform = by_platform

    async def groups_of(self, place: Place, person: Person) -> Collection[str]:
        directory = self._by_platform.get(place.platform)
        return () if directory is None else await directory.groups_of(person)

    async def find(self, place: Place, channel: ChannelRef) -> ChannelRef | None:
        directory = self._by_platform.get(place.platform)
        if directory is None:
            return channel if channel.id else None
        return await directory.find(place, channel)

    async def joined(self, place: Place, channel: ChannelRef) -> bool:
        directory = self._by_platform.get(place.platform)
        return directory is None or await directory.joined(place, channel)


class Postings:
    """Posts on whichever platform has the channel; the first named wins where both have one."""

    def __init__(self, by_platform: Mapping[str, Posting]) -> None:
        """At least one platform."""
        self._by_platform = by_platform

    async def channel(self, name_or_id: str) -> tuple[Place, str]:
        unknown: list[UsageError] = []
        for posting in self._by_platform.values():
            try:
                return await posting.channel(name_or_id)
            except UsageError as error:
                unknown.append(error)
        raise UsageError(" ".join(map(str, unknown)))

    async def post(self, place: Place, reply: Reply) -> str:
        return await self._by_platform[place.platform].post(place, reply)
