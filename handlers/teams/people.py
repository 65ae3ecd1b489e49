"""Who people are, as Teams says of a conversation's members; remembered for ten minutes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import structlog

from bot.domain import Person, Place, Standing
from handlers.plain import visible
from handlers.teams.room import WhereOf
from handlers.teams.sdk import TeamsChannelAccount
from handlers.teams.trouble import TROUBLE
from handlers.teams.wire import Where
from handlers.teams.words import clean

log = structlog.get_logger(__name__)

REMEMBERED = 600.0
CAPACITY = 10_000


class Members(Protocol):
    """The part of the wire that people are looked up with."""

    async def member(self, where: Where, person_id: str) -> TeamsChannelAccount: ...


class People:
    def __init__(self, wire: Members, where_of: WhereOf, *, now: Callable[[], float] = time.monotonic) -> None:
        self._wire, self._where_of, self._now = wire, where_of, now
        self._people: dict[tuple[str, str], tuple[float, Person]] = {}

    async def person(self, place: Place, person_id: str) -> Person:
        """Never raises: someone who can't be looked up has standing UNKNOWN and is asked for again next time."""
        key = (place.workspace, person_id)
        at, known = self._people.get(key, (0.0, None))
        if known is not None and self._now() - at < REMEMBERED:
            return known
        unknown = Person(id=person_id, name=person_id, standing=Standing.UNKNOWN)
        try:
            reference = await self._where_of(place)
            if reference is None:
                log.warning("teams.person_unknown", reason="the conversation isn't known")
                return unknown
            where = Where(reference.service_url, reference.conversation)
            person = described(await self._wire.member(where, person_id), person_id, tenant=place.workspace)
        except TROUBLE as error:
            log.warning("teams.person_unknown", kind=type(error).__name__)
            return unknown
        if person.standing is not Standing.UNKNOWN:
            if len(self._people) >= CAPACITY:
                self._people.clear()
            self._people[key] = (self._now(), person)
        return person


def described(account: TeamsChannelAccount, person_id: str, *, tenant: str) -> Person:
    """A person from a conversation's member. Whose tenant Teams doesn't say is nobody we know."""
    role, home = (account.user_role or "").lower(), (account.tenant_id or "").lower()
    if role == "anonymous" or (home and home != tenant.lower()):
        standing = Standing.EXTERNAL
    elif role == "guest" or "#ext#" in (account.user_principal_name or "").lower():
        standing = Standing.GUEST
    elif not home:
        standing = Standing.UNKNOWN
    else:
        standing = Standing.MEMBER
    return Person(id=person_id, name=visible(clean(account.name or "")).strip() or person_id, standing=standing)
