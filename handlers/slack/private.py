"""Answers for the asker alone: ephemeral, else through the command's response address, else a direct message."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from slack_sdk.errors import SlackApiError

from bot.domain import Address
from bot.ports import Journal
from handlers.slack.blocks import Block
from handlers.slack.drawing import Drawing
from handlers.slack.lookup import metadata
from handlers.slack.render import Post
from handlers.slack.wire import TROUBLE, Wire, code, in_words

log = structlog.get_logger(__name__)

LIFETIME = 29 * 60.0  # Slack: 30 minutes
USES = 5
_NOT_HERE = frozenset(
    ("not_in_channel", "user_not_in_channel", "channel_not_found", "is_archived", "restricted_action")
)


class ResponseUrls:
    """Where a command's asker can be answered. Kept in memory only: whoever has the address can write in our name."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._kept: dict[tuple[str, str], tuple[str, float, int]] = {}

    def keep(self, channel: str, person: str, url: str) -> None:
        at = self._now()
        self._kept = {key: kept for key, kept in self._kept.items() if at - kept[1] < LIFETIME}
        self._kept[channel, person] = (url, at, 0)

    def take(self, channel: str, person: str) -> str | None:
        url, at, used = self._kept.get((channel, person), ("", 0.0, USES))
        if used >= USES or self._now() - at >= LIFETIME:
            return None
        self._kept[channel, person] = (url, at, used + 1)
        return url


class Private:
    """Delivers an answer to one person. Ephemeral messages can't be looked up: after a crash it is said again."""

    def __init__(self, wire: Wire, address: Address, journal: Journal, drawing: Drawing, urls: ResponseUrls) -> None:
        self._wire, self._address, self._journal = wire, address, journal
        self._drawing, self._urls = drawing, urls
        self._channel, self._asker = address.place.channel, address.asker or ""

    async def deliver(self, messages: tuple[Post, ...]) -> None:
        known = await self._journal.known()
        for part, post in enumerate(messages):
            if known.get(part, ("", None))[1] is not None:
                continue
            await self._journal.intend(part, "ephemeral")
            await self._journal.shown(part, await self._said(part, post))

    async def _said(self, part: int, post: Post) -> str:
        async def send(drawn: list[Block]) -> str:
            return await self._sent(part, post, drawn)

        try:
            return await self._drawing.sent(post, send)
        except TROUBLE as error:
            raise in_words(error, self._wire) from error

    async def _sent(self, part: int, post: Post, drawn: list[Block]) -> str:
        try:
            answer = await self._wire.client.chat_postEphemeral(
                channel=self._channel,
                user=self._asker,
                thread_ts=self._address.place.thread or None,
                text=post.summary,
                blocks=drawn,
            )
            return str(answer["message_ts"])
        except SlackApiError as error:
            if code(error) not in _NOT_HERE:
                raise
            log.info("slack.not_ephemeral", error=code(error), channel=self._channel)
        if await self._by_response_url(post, drawn):
            return "response_url"
        answer = await self._wire.client.chat_postMessage(
            channel=self._asker,
            text=post.summary,
            blocks=drawn,
            metadata=metadata(self._address.turn_id, part),
            unfurl_links=False,
            unfurl_media=False,
        )
        return str(answer["ts"])

    async def _by_response_url(self, post: Post, drawn: list[Block]) -> bool:
        url = self._urls.take(self._channel, self._asker)
        session = self._wire.client.session
        if url is None or session is None:
            return False
        content = {
            "response_type": "ephemeral",
            "replace_original": False,
            "text": post.summary,
            "blocks": drawn,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        async with session.post(url, json=content, proxy=self._wire.client.proxy) as answer:
            return answer.status == 200
