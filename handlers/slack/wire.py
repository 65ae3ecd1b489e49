"""The wire to one Slack workspace: the client, what this workspace can do, its rate budgets, its errors in words."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import DirectorError
from bot.ports import CannotPost, DeliveryFailed

log = structlog.get_logger(__name__)

TIMEOUT = 10.0
LONGEST_WAIT = 5.0  # a longer Retry-After is handed to whoever schedules the delivery
TROUBLE = (SlackClientError, aiohttp.ClientError, TimeoutError, OSError)

# The SDKs log bodies at DEBUG; message text and tokens belong in no log.
sdk_log = logging.getLogger("handlers.slack.sdk")
sdk_log.setLevel(logging.WARNING)
# Bolt warns that it ignores this variable; we hand its value over ourselves.
sdk_log.addFilter(lambda record: "SLACK_BOT_TOKEN" not in record.getMessage())


class _ShortWait(AsyncRateLimitErrorRetryHandler):
    """Waits once, and only as long as a person would."""

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        limited = await super()._can_retry_async(state=state, request=request, response=response, error=error)
        return limited and response is not None and retry_after(response.headers) <= LONGEST_WAIT


def retry_after(headers: Mapping[str, Any]) -> float:
    """Seconds that Slack asks to wait; 30 where it doesn't say (Slack's slowest tier recovers within a minute)."""
    for name, value in headers.items():
        if name.lower() == "retry-after":
            first = value[0] if isinstance(value, list) else value
            try:
                return max(float(first), 0.0)
            except ValueError:
                break
    return 30.0


class Bucket:
    """So many calls a minute, with a burst; `now` is a monotonic clock in seconds."""

    def __init__(self, per_minute: float, burst: float, *, now: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._now = per_minute / 60, burst, now
        self._level, self._at = burst, now()

    def take(self) -> bool:
        at = self._now()
        self._level = min(self._burst, self._level + (at - self._at) * self._rate)
        self._at = at
        if self._level < 1:
            return False
        self._level -= 1
        return True

    def empty(self, seconds: float) -> None:
        """Slack asked to wait: nothing is to be had for so long."""
        self._level, self._at = -seconds * self._rate, self._now()


class Wire:
    """The workspace that a token belongs to. `team`, `me` and the rest are known after `identified`."""

    def __init__(self, client: AsyncWebClient) -> None:
        self.client = client
        self.team = ""
        self.me = ""
        self.bot_id = ""
        self.name = "Director"
        # What this workspace turned out not to have; asked again after the next start.
        self.streams = True
        self.statuses = True
        self.charts = True
        self.pace = 1.0  # seconds between two pieces of a stream
        self.edit_pace = 1.2  # and between two edits of a message
        self.starts = Bucket(15, 8)  # chat.startStream: 20 a minute
        self.appends = Bucket(90, 30)  # chat.appendStream: 100 a minute
        self.updates = Bucket(45, 15)  # chat.update: 50 a minute

    def identified(self, answer: Mapping[str, Any]) -> None:
        self.team, self.me = str(answer["team_id"]), str(answer["user_id"])
        self.bot_id = str(answer.get("bot_id") or "")
        self.name = str(answer.get("user") or self.name)

    def ours(self, message: Mapping[str, Any]) -> bool:
        return message.get("user") == self.me or (bool(self.bot_id) and message.get("bot_id") == self.bot_id)


def client(token: str, api_url: str) -> AsyncWebClient:
    """A client whose posts go out once: no retry but a short wait when Slack limits us."""
    made = AsyncWebClient(
        token=token,
        base_url=api_url,
        timeout=int(TIMEOUT),
        logger=sdk_log,
        retry_handlers=[_ShortWait(max_retry_count=1)],
    )
    if urlsplit(api_url).hostname in ("127.0.0.1", "::1", "localhost"):
        made.proxy = None  # the SDK reads HTTP_PROXY but not NO_PROXY
    return made


def code(error: BaseException) -> str:
    """Slack's own word for what went wrong: an error code, `ratelimited`, `http_5xx`, or `unreachable`."""
    if not isinstance(error, SlackApiError):
        return "unreachable"
    status = getattr(error.response, "status_code", 0)
    if status == 429:
        return "ratelimited"
    data = getattr(error.response, "data", None)
    found = data.get("error") if isinstance(data, dict) else None
    return str(found) if found else f"http_{status}"


_INVITE = "I am not a member of that channel. Invite me there with `/invite @{name}`."
_REFUSED = {
    "not_in_channel": _INVITE,
    "channel_not_found": "I can't see that channel. If it is private, invite me there with `/invite @{name}`.",
    "is_archived": "That channel is archived. Unarchive it or choose another one.",
    "is_inactive": "That channel is archived. Unarchive it or choose another one.",
    "restricted_action": "A workspace setting keeps me from posting there. An admin can allow it.",
    "restricted_action_read_only_channel": "That channel is read-only. An admin can allow me to post there.",
    "restricted_action_thread_only_channel": "That channel takes replies in threads only. Mention me in one.",
    "restricted_action_non_threadable_channel": "That channel allows no threads. Ask me in another one.",
    "restricted_action_thread_locked": "That thread is locked. Ask me in a new one.",
    "cannot_reply_to_message": "That message can't be replied to. Ask me in a new message.",
    "thread_not_found": "That thread is gone. Ask me in a new message.",
    "messages_tab_disabled": "Direct messages with me are switched off: enable the app's Messages Tab.",
    "ekm_access_denied": "Your administrators suspended posting there.",
    "user_not_found": "That person can't be reached here.",
    "user_not_in_channel": "That person is not in the channel.",
    "cannot_dm_bot": "I can't write to a bot.",
    "user_disabled": "That person's account is deactivated.",
    "access_denied": "Slack denies me access there. An admin can allow it.",
    "no_permission": "Slack denies me that. Reinstall the app with the scopes of manifest.yml.",
    "missing_scope": "A permission is missing. Reinstall the app with the scopes of manifest.yml.",
}
# About us, not about the message: once someone renews the token, the answer can still be delivered.
_TOKEN = frozenset(("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"))
_PASSING = frozenset(
    (
        "external_channel_migrating",
        "fatal_error",
        "internal_error",
        "message_limit_exceeded",
        "messaging_processing_failed",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "streaming_state_conflict",
        "team_added_to_org",
        "unreachable",
        "update_failed",
    )
)


def in_words(error: BaseException, wire: Wire) -> DirectorError:
    """What a failed call means: refused for good, or worth another try later."""
    name = code(error)
    stored = "the answer is stored and will be delivered later"
    if name in _TOKEN:
        return DeliveryFailed(f"Slack refused SLACK_BOT_TOKEN ({name}); renew it, {stored}.", retry_after=60)
    if name == "ratelimited" and isinstance(error, SlackApiError):
        return DeliveryFailed(f"Slack asks to wait; {stored}.", retry_after=retry_after(error.response.headers))
    if name in _PASSING or name.startswith("http_"):
        return DeliveryFailed(f"Slack could not be reached ({name}); {stored}.")
    known = _REFUSED.get(name)
    return CannotPost(known.format(name=wire.name) if known else f"Slack refused the message ({name}).")


async def best_effort(call: Awaitable[object], what: str) -> str | None:
    """Make a call that nothing depends on; the error's code when it failed, None when it worked."""
    try:
        await call
    except TROUBLE as error:
        log.info("slack.skipped", call=what, error=code(error))
        return code(error)
    return None
