"""Messages from Slack on their way into the inbox: what is for the Director, and as which turn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import structlog

from bot.commands import asks_to_stop
from bot.domain import Incoming, IncomingKind, Place, Signal, SignalKind
from bot.ports import Intake
from handlers.slack.text import mentions, received
from handlers.slack.wire import Wire

log = structlog.get_logger(__name__)

STORE_LIMIT = 2.0  # seconds; Slack waits three
_SUBTYPES = (None, "file_share", "thread_broadcast")

Follows = Callable[[str], Awaitable[bool]]


class Events:
    """Translates, stores and returns; whoever calls acknowledges afterwards. What fails here, Slack delivers again."""

    def __init__(self, wire: Wire, intake: Intake, *, follows: Follows, now: Callable[[], datetime]) -> None:
        self._wire, self._intake, self._follows, self._now = wire, intake, follows, now

    async def message(self, event: dict[str, Any]) -> None:
        """Store one `message` or `app_mention`. Two events for one message are one turn: they share its key."""
        if not self._by_a_person(event):
            return
        place = self.place(event)
        async with asyncio.timeout(STORE_LIMIT):
            if not await self._for_the_director(event, place):
                return
            await self._store(event, place)

    def place(self, event: dict[str, Any]) -> Place:
        """Where the answer belongs: the thread it was asked in, a new thread in a channel, the flat direct message."""
        thread = event.get("thread_ts") or ("" if _direct(event) else event["ts"])
        return Place(platform="slack", workspace=self._wire.team, channel=event["channel"], thread=thread)

    def _by_a_person(self, event: dict[str, Any]) -> bool:
        if event.get("subtype") not in _SUBTYPES or event.get("hidden"):
            return False
        if event.get("bot_id") or event.get("bot_profile") or self._wire.ours(event):
            return False
        return bool(event.get("user") and event.get("ts") and event.get("channel"))

    async def _for_the_director(self, event: dict[str, Any], place: Place) -> bool:
        if event["type"] == "app_mention" or _direct(event) or mentions(event.get("text") or "", self._wire.me):
            return True
        if not event.get("thread_ts") or event.get("channel_type") not in ("channel", "group"):
            return False
        return await self._intake.knows(place) and await self._follows(event["channel"])

    async def _store(self, event: dict[str, Any], place: Place) -> None:
        key = f"slack:{self._wire.team}:{event['channel']}:{event['ts']}"
        text = received(event.get("text") or "", me=self._wire.me)
        if asks_to_stop(text):
            signal = Signal(kind=SignalKind.STOP, dedupe_key=key, place=place, person_id=event["user"], at=self._now())
            new = await self._intake.signal(signal)
            log.info("slack.stop", channel=place.channel, new=new)
            return
        home = event.get("user_team") or event.get("source_team") or event.get("team")
        incoming = Incoming(
            kind=IncomingKind.ASK,
            dedupe_key=key,
            place=place,
            text=text,
            received_at=self._now(),
            speaker_id=event["user"],
            speaker_home=home if home and home != self._wire.team else None,
            question=event["ts"],
        )
        new = await self._intake.put(incoming)
        log.info("slack.asked", channel=place.channel, direct=_direct(event), new=new)


def _direct(event: dict[str, Any]) -> bool:
    return event.get("channel_type") == "im" or str(event["channel"]).startswith("D")
