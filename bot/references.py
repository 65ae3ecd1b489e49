"""Where conversations of a platform are reached that gives no list of them: what it said when it was last heard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from pydantic import AwareDatetime, Field

from bot.domain import Platform, Value

ConversationKind = Literal["personal", "group", "channel"]


class ConversationReference(Value):
    """What is needed to speak in a conversation without being spoken to.

    `conversation` is the platform's id without any thread; `service_url` the address that the platform gave for it.
    `person_id` is the other side of a personal conversation, `team_id` the team of a channel. `name` is what people
    call a channel, without `#`, lower case, blanks as hyphens; empty when the platform did not say.
    """

    platform: Platform
    workspace: str = Field(min_length=1)
    conversation: str = Field(min_length=1)
    kind: ConversationKind
    service_url: str = Field(min_length=1)
    name: str = ""
    person_id: str | None = None
    team_id: str | None = None
    known_at: AwareDatetime


class References(Protocol):
    """The conversations that the Director has been added to or spoken in. Each write is committed when it returns."""

    async def remember(self, reference: ConversationReference) -> None:
        """Keep it, in place of what was known of this conversation; an empty name or None forgets no known one."""
        ...

    async def forget(self, *, platform: Platform, workspace: str, conversation: str) -> None:
        """The Director was removed from this conversation, or from the team with this id and so from all its channels.

        Forgetting one that isn't known is no error.
        """
        ...

    async def find(self, *, platform: Platform, workspace: str, conversation: str) -> ConversationReference | None: ...

    async def personal(self, *, platform: Platform, workspace: str, person_id: str) -> ConversationReference | None:
        """The personal conversation with someone; the newest should there be several."""
        ...

    async def all(self, *, platform: Platform) -> Sequence[ConversationReference]:
        """Every conversation known, newest first."""
        ...
