"""Finding our own messages again after a crash, so that nothing is posted twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from bot.domain import Address
from bot.ports import Journal
from handlers.slack.wire import Wire

EVENT = "director_turn"
PAGE = 200
PAGES = 10
_MARGIN = 60.0  # seconds; our clock is not Slack's


def metadata(turn_id: str, part: int) -> dict[str, Any]:
    """What makes a message findable: whose turn it carries, and which part."""
    return {"event_type": EVENT, "event_payload": {"turn": turn_id, "part": part}}


async def thread(wire: Wire, channel: str, root: str, **bounds: Any) -> AsyncIterator[dict[str, Any]]:
    """The messages of a thread, oldest first, its root included."""
    cursor = None
    for _ in range(PAGES):
        page = await wire.client.conversations_replies(
            channel=channel, ts=root, limit=PAGE, cursor=cursor, include_all_metadata=True, **bounds
        )
        messages: list[dict[str, Any]] = page.get("messages") or []
        for message in messages:
            yield message
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
        if cursor is None:
            return


async def roots(wire: Wire, channel: str, **bounds: Any) -> AsyncIterator[dict[str, Any]]:
    """The channel's messages outside threads, newest first."""
    cursor = None
    for _ in range(PAGES):
        page = await wire.client.conversations_history(
            channel=channel, limit=PAGE, cursor=cursor, include_all_metadata=True, **bounds
        )
        messages: list[dict[str, Any]] = page.get("messages") or []
        for message in messages:
            yield message
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
        if cursor is None:
            return


async def find(
    wire: Wire, address: Address, channel: str, root: str, part: int, *, journal: Journal, adopt: bool
) -> str | None:
    """The message that carries this part of the turn, if there is one.

    With `adopt`, a message of ours without metadata and without an owner counts: it is the stream that was begun just
    before a crash, for a thread has one turn at a time.
    """
    oldest = float(address.question) if address.question else address.asked_at.timestamp() - _MARGIN
    source = (
        thread(wire, channel, root, oldest=f"{oldest:.6f}") if root else roots(wire, channel, oldest=f"{oldest:.6f}")
    )
    unmarked: list[str] = []
    async for message in source:
        if not wire.ours(message) or float(message["ts"]) < oldest:
            continue
        mark = message.get("metadata") or {}
        if mark.get("event_type") != EVENT:
            unmarked.append(message["ts"])
            continue
        payload = mark.get("event_payload") or {}
        if payload.get("turn") == address.turn_id and payload.get("part") == part:
            return str(message["ts"])
    if not adopt or not unmarked:
        return None
    owned = await journal.owned(unmarked)
    free = sorted(ts for ts in unmarked if ts not in owned)
    return free[-1] if free else None
