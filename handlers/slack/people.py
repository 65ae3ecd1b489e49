"""Who people are and what channels are called, as Slack knows them; remembered for ten minutes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import structlog

from bot.domain import Person, Place, Said, Standing
from bot.errors import UsageError
from handlers.plain import visible
from handlers.slack import lookup
from handlers.slack.text import received
from handlers.slack.wire import TROUBLE, Wire, code, in_words

log = structlog.get_logger(__name__)

REMEMBERED = 600.0
_CHANNEL_ID = re.compile(r"^[CGD][A-Z0-9]{2,}$")


class People:
    def __init__(self, wire: Wire, *, now: Callable[[], float] = time.monotonic) -> None:
        self._wire, self._now = wire, now
        self._people: dict[str, tuple[float, Person]] = {}
        self._groups: dict[str, tuple[float, frozenset[str]]] = {}
        self._names: dict[str, tuple[float, str]] = {}

    async def person(self, person_id: str) -> Person:
        """Never raises: someone who can't be looked up has standing UNKNOWN and is asked for again next time."""
        at, known = self._people.get(person_id, (0.0, None))
        if known is not None and self._now() - at < REMEMBERED:
            return known
        try:
            answer = await self._wire.client.users_info(user=person_id)
            person = described(answer["user"], team=self._wire.team)
        except (*TROUBLE, KeyError) as error:
            log.warning("slack.person_unknown", error=code(error))
            return Person(id=person_id, name=person_id, standing=Standing.UNKNOWN)
        self._people[person_id] = (self._now(), person)
        return person

    async def in_group(self, group: str, person_id: str) -> bool:
        """Whether a person belongs to a user group; no when Slack doesn't say, so that no right is given by mistake."""
        at, members = self._groups.get(group, (0.0, frozenset()))
        if not at or self._now() - at >= REMEMBERED:
            try:
                answer = await self._wire.client.usergroups_users_list(usergroup=group)
            except TROUBLE as error:
                log.warning("slack.group_unknown", group=group, error=code(error))
                return False
            members = frozenset(answer.get("users") or ())
            self._groups[group] = (self._now(), members)
        return person_id in members

    async def channel_name(self, channel: str) -> str:
        """`#payments`; the id where Slack gives no name. Raises what the Web API raises."""
        at, known = self._names.get(channel, (0.0, ""))
        if known and self._now() - at < REMEMBERED:
            return known
        answer = await self._wire.client.conversations_info(channel=channel)
        name = (answer["channel"] or {}).get("name")
        found = f"#{name}" if name else channel
        self._names[channel] = (self._now(), found)
        return found

    async def joined(self, channel: str) -> bool:
        """Whether we can post in this channel now. Raises what the Web API raises."""
        answer = await self._wire.client.conversations_info(channel=channel)
        found = answer["channel"] or {}
        return bool(found.get("is_im") or found.get("is_member", True)) and not found.get("is_archived", False)

    async def resolve_channel(self, name: str) -> tuple[str, str]:
        """The id and the name with `#` of a channel that is given by name or id.

        Raises:
            UsageError: there is none that the Director can see.
            DeliveryFailed, CannotPost: Slack can't be asked.
        """
        wanted = name.strip().removeprefix("#")
        try:
            if _CHANNEL_ID.match(wanted):
                return wanted, await self.channel_name(wanted)
            cursor = None
            for _ in range(lookup.PAGES * 2):
                page = await self._wire.client.conversations_list(
                    exclude_archived=True, types="public_channel,private_channel", limit=lookup.PAGE, cursor=cursor
                )
                for channel in page.get("channels") or []:
                    if channel.get("name") == wanted.lower():
                        return str(channel["id"]), f"#{wanted.lower()}"
                cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
                if cursor is None:
                    break
        except TROUBLE as error:
            if code(error) != "channel_not_found":
                raise in_words(error, self._wire) from error
        raise UsageError(
            f"There is no channel {name} that I can see. If it is private, invite me: /invite @{self._wire.name}"
        )

    async def before(self, place: Place, *, question: str | None, limit: int) -> tuple[Said, ...]:
        """The last messages before the question, oldest first; empty where Slack doesn't say."""
        if question is None or limit < 1:
            return ()
        channel, bounds = place.channel, {"latest": question, "inclusive": False}
        found: list[dict[str, Any]] = []
        try:
            if place.thread:
                if place.thread != question:
                    found = [message async for message in lookup.thread(self._wire, channel, place.thread, **bounds)]
            else:
                async for message in lookup.roots(self._wire, channel, **bounds):
                    found.append(message)
                    if len(found) >= limit:
                        break
                found.reverse()
        except TROUBLE as error:
            log.warning("slack.thread_unread", error=code(error), channel=channel)
            return ()
        said = [message for message in found if float(message["ts"]) < float(question)]
        return tuple(self._said(message) for message in said[-limit:])

    def _said(self, message: dict[str, Any]) -> Said:
        by_director = self._wire.ours(message)
        text = received(_words(message), me=self._wire.me)
        return Said(message_id=message["ts"], speaker_id=message.get("user"), by_director=by_director, text=text)


def described(user: dict[str, Any], *, team: str) -> Person:
    """A person from Slack's user object. Guests and people of other organisations are told apart from members."""
    profile = user.get("profile") or {}
    name = profile.get("display_name") or profile.get("real_name") or user.get("real_name") or user.get("name")
    if user.get("deleted"):
        standing = Standing.UNKNOWN
    elif user.get("is_stranger") or user.get("team_id", team) != team:
        standing = Standing.EXTERNAL
    elif user.get("is_restricted") or user.get("is_ultra_restricted"):
        standing = Standing.GUEST
    elif user.get("is_admin") or user.get("is_owner") or user.get("is_primary_owner"):
        standing = Standing.ADMIN
    else:
        standing = Standing.MEMBER
    return Person(id=user["id"], name=visible(name or user["id"]), standing=standing, zone=user.get("tz") or None)


def _words(message: dict[str, Any]) -> str:
    """What stands in a message, also when it is an alert whose words are in attachments."""
    words = [message.get("text") or ""]
    for attachment in message.get("attachments") or []:
        words += [attachment.get(key) or "" for key in ("pretext", "title", "text")]
        if not attachment.get("text"):
            words.append(attachment.get("fallback") or "")
    return "\n".join(dict.fromkeys(word for word in words if word))
