"""Slack's channels and user groups, as schedules and rights look them up."""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain import Person, Place
from bot.errors import UsageError
from bot.schedule_grammar import ChannelRef
from handlers.slack.app import SlackEdge


class SlackDirectory:
    """Implements `handlers.platforms.Directory`. Of groups it asks only for those that settings name."""

    def __init__(self, edge: SlackEdge, named: Iterable[str]) -> None:
        self._edge = edge
        self._groups = tuple(dict.fromkeys(entry for entry in named if entry.startswith("S")))

    async def groups_of(self, person: Person) -> list[str]:
        return [group for group in self._groups if await self._edge.in_group(group, person.id)]

    async def find(self, place: Place, channel: ChannelRef) -> ChannelRef | None:  # noqa: ARG002 - one workspace
        if channel.id:
            name = await self._edge.channel_name(channel.id)
            return ChannelRef(id=channel.id, name=name.lstrip("#") if name.startswith("#") else "")
        try:
            found, name = await self._edge.channel(channel.name)
        except UsageError:
            return None
        return ChannelRef(id=found.channel, name=name.lstrip("#"))

    async def joined(self, place: Place, channel: ChannelRef) -> bool:  # noqa: ARG002
        return channel.id is None or await self._edge.joined(channel.id)
