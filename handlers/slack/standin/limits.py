"""Slack's rate limits: calls a minute by tier and method, and one message a second in each channel."""

from __future__ import annotations

import math
from collections import deque

from handlers.slack.standin.messages import Json

TIERS = {2: 20, 3: 50, 4: 100}
_TIER_OF = {
    "auth.test": 4,
    "assistant.threads.setSuggestedPrompts": 4,
    "assistant.threads.setTitle": 4,
    "bots.info": 3,
    "chat.appendStream": 4,
    "chat.delete": 3,
    "chat.getPermalink": 4,
    "chat.postEphemeral": 4,
    "chat.startStream": 2,
    "chat.stopStream": 2,
    "chat.update": 3,
    "conversations.history": 3,
    "conversations.info": 3,
    "conversations.list": 2,
    "conversations.members": 4,
    "conversations.open": 3,
    "conversations.replies": 3,
    "files.completeUploadExternal": 4,
    "files.getUploadURLExternal": 4,
    "files.info": 4,
    "reactions.add": 3,
    "team.info": 3,
    "users.conversations": 3,
    "users.info": 4,
    "users.list": 2,
    "views.open": 4,
    "views.publish": 4,
    "views.push": 4,
    "views.update": 4,
}
_POSTS_BURST = 3  # Slack says "short bursts of more than one a second" and names no number


class Limits:
    """Windows of a minute per method; posting has its own window of a second per channel."""

    def __init__(self) -> None:
        self._made: dict[str, deque[float]] = {}

    def wait(self, method: str, args: Json, now: float) -> int | None:
        """Seconds to wait (whole, as Retry-After has them), or None when the call may go through and counts."""
        if method == "chat.postMessage":
            return self._within(f"{method}/{args.get('channel')}", now, most=_POSTS_BURST, seconds=float(_POSTS_BURST))
        tier = _TIER_OF.get(method)
        return None if tier is None else self._within(method, now, most=TIERS[tier], seconds=60.0)

    def _within(self, key: str, now: float, *, most: int, seconds: float) -> int | None:
        made = self._made.setdefault(key, deque())
        while made and made[0] <= now - seconds:
            made.popleft()
        if len(made) >= most:
            return max(1, math.ceil(made[0] + seconds - now))
        made.append(now)
        return None
