"""Where the Director can speak in Teams, which gives no list of it: what it said when it was last heard.

What the store says holds: another replica may have heard a moment ago that a conversation moved, or that it is over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

import structlog

from bot.domain import Place
from bot.errors import UsageError
from bot.references import ConversationReference, References
from bot.schedule_grammar import ChannelRef
from handlers.teams.origin import THREAD
from handlers.teams.sdk import ChannelInfo
from handlers.teams.trouble import TROUBLE
from handlers.teams.words import channel_name

log = structlog.get_logger(__name__)

REMEMBERED = 600.0


class Directory(Protocol):
    """The part of the wire that conversations are found with."""

    async def channels(self, service_url: str, team_id: str) -> list[ChannelInfo]: ...

    async def direct(self, service_url: str, tenant: str, person_id: str) -> str: ...


class Conversations:
    """The stored references, and the names of the channels that go with them."""

    def __init__(
        self,
        references: References,
        wire: Directory,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._references, self._wire, self._now, self._monotonic = references, wire, now, monotonic
        self._teams: dict[tuple[str, str], tuple[float, list[ConversationReference]]] = {}

    # --- coming and going --------------------------------------------------------------------------------------------

    async def heard(self, reference: ConversationReference) -> None:
        """Keep where something was heard from."""
        known = await self._find(reference.workspace, reference.conversation)
        if known is None or _merged(reference, known) != known:
            await self._references.remember(reference)

    async def removed(self, workspace: str, conversation: str) -> None:
        """Forget a conversation, or a team with all its channels."""
        await self._references.forget(platform="teams", workspace=workspace, conversation=conversation)
        for key, (_, listed) in tuple(self._teams.items()):
            if key[0] == workspace and (
                key[1] == conversation or any(one.conversation == conversation for one in listed)
            ):
                del self._teams[key]

    def changed(self, workspace: str, team_id: str | None) -> None:
        """A team has a new channel, or one by another name: it is asked for its channels anew."""
        if team_id is not None:
            self._teams.pop((workspace, team_id), None)

    # --- finding -----------------------------------------------------------------------------------------------------

    async def reference(self, place: Place) -> ConversationReference | None:
        """How this place is reached; a place that is a person is their personal conversation, begun where needed.

        Raises what the wire raises when one has to be begun.
        """
        known = await self._find(place.workspace, place.channel)
        if known is not None or _is_conversation(place.channel):
            return known
        personal = await self._references.personal(platform="teams", workspace=place.workspace, person_id=place.channel)
        return personal if personal is not None else await self._begun(place.workspace, place.channel)

    async def named(self, place: Place) -> str | None:
        """The name of this place's channel, if it is known without asking Teams."""
        known = await self._find(place.workspace, place.channel)
        return known.name if known is not None and known.name else None

    async def find(self, place: Place, channel: ChannelRef) -> ChannelRef | None:
        """The channel of this place's tenant by id or name; None when there is none that we can see.

        Raises:
            UsageError: several teams have a channel of this name, and none of them is this place's.
        """
        if channel.id:
            known = await self._with_name(place.workspace, channel.id.partition(THREAD)[0])
            return None if known is None else ChannelRef(id=known.conversation, name=known.name)
        here = await self._find(place.workspace, place.channel)
        found = await self.by_name(channel.name, workspace=place.workspace)
        same_team = [one for one in found if here is not None and one.team_id == here.team_id]
        match same_team or found:
            case []:
                return None
            case [one]:
                return ChannelRef(id=one.conversation, name=one.name)
            case _:
                raise UsageError(f"Several teams have a channel #{channel.name}. Say it in the one that you mean.")

    async def joined(self, place: Place, channel: ChannelRef) -> bool:
        """Whether we can post in a channel that was found."""
        return channel.id is not None and await self._find(place.workspace, channel.id) is not None

    async def by_name(self, name: str, *, workspace: str | None = None) -> list[ConversationReference]:
        """The channels with this name, of one tenant or of all; those of our teams are looked up and remembered."""
        wanted = channel_name(name)
        if not wanted:
            return []
        known = [
            reference
            for reference in await self._references.all(platform="teams")
            if reference.kind == "channel" and workspace in (None, reference.workspace)
        ]
        teams = {(one.workspace, one.team_id): one for one in reversed(known) if one.team_id}
        found = {(one.workspace, one.conversation): one for one in known if one.name == wanted}
        for team in teams.values():
            for reference in await self._channels_of(team):
                if reference.name == wanted:
                    found.setdefault((reference.workspace, reference.conversation), reference)
        return list(found.values())

    async def channel(self, name_or_id: str) -> ConversationReference:
        """The channel that a command means by its name or id, in whatever tenant it is.

        Raises:
            UsageError: there is none that we are in, or there are several.
        """
        wanted = name_or_id.strip().partition(THREAD)[0]
        known = await self._references.all(platform="teams")
        found = [one for one in known if one.conversation == wanted] or await self.by_name(wanted)
        match found:
            case [one]:
                return one
            case []:
                raise UsageError(
                    f"There is no channel {name_or_id} in Teams that I am in. Add me to its team, "
                    "or mention me there once."
                )
            case several:
                ids = ", ".join(one.conversation for one in several)
                raise UsageError(f"Several channels in Teams are called {name_or_id}; give the id of one: {ids}.")

    # --- behind them -------------------------------------------------------------------------------------------------

    async def _find(self, workspace: str, conversation: str) -> ConversationReference | None:
        return await self._references.find(platform="teams", workspace=workspace, conversation=conversation)

    async def _with_name(self, workspace: str, conversation: str) -> ConversationReference | None:
        known = await self._find(workspace, conversation)
        if known is None or known.name or known.kind != "channel" or known.team_id is None:
            return known
        named = await self._channels_of(known)
        return next((one for one in named if one.conversation == conversation), known)

    async def _channels_of(self, team: ConversationReference) -> list[ConversationReference]:
        """The channels of a reference's team in which we can post; none when Teams doesn't say."""
        if team.team_id is None:
            return []
        key = (team.workspace, team.team_id)
        at, known = self._teams.get(key, (0.0, None))
        if known is not None and self._monotonic() - at < REMEMBERED:
            return known
        try:
            listed = await self._wire.channels(team.service_url, team.team_id)
        except TROUBLE as error:
            log.warning("teams.channels_unknown", kind=type(error).__name__)
            return []
        found = []
        for info in listed:
            name = channel_name(info.name or "") or ("general" if info.id == team.team_id else "")
            if not info.id or not name or info.type in ("private", "shared"):
                continue
            reference = team.model_copy(update={"conversation": info.id, "name": name, "known_at": self._now()})
            await self.heard(reference)  # only now: an older list would bring back what was renamed or deleted since
            found.append(reference)
        self._teams[key] = (self._monotonic(), found)
        return found

    async def _begun(self, workspace: str, person_id: str) -> ConversationReference | None:
        """A personal conversation with someone who has not spoken to us; through any address of their tenant."""
        known = await self._references.all(platform="teams")
        via = next((reference for reference in known if reference.workspace == workspace), None)
        if via is None:
            return None
        conversation = await self._wire.direct(via.service_url, workspace, person_id)
        reference = ConversationReference(
            platform="teams",
            workspace=workspace,
            conversation=conversation,
            kind="personal",
            service_url=via.service_url,
            person_id=person_id,
            known_at=self._now(),
        )
        await self.heard(reference)
        return reference


def _merged(reference: ConversationReference, known: ConversationReference) -> ConversationReference:
    """What the store would make of it."""
    return reference.model_copy(
        update={
            "name": reference.name or known.name,
            "person_id": reference.person_id or known.person_id,
            "team_id": reference.team_id or known.team_id,
            "known_at": known.known_at,
        }
    )


def _is_conversation(channel: str) -> bool:
    """Conversations' ids say what they are; people's don't."""
    return channel.startswith(("19:", "a:"))


class NoReferences:
    """Implements `bot.references.References` for an edge that only checks its own settings."""

    async def remember(self, reference: ConversationReference) -> None:
        pass

    async def forget(self, **_: str) -> None:
        pass

    async def find(self, **_: str) -> None:
        return None

    async def personal(self, **_: str) -> None:
        return None

    async def all(self, **_: str) -> Sequence[ConversationReference]:
        return ()
