"""One answer on its way into Slack: shown while it is made, whole and exactly once in the end, also after a crash."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog

from bot.domain import Address, Audience, Reply, Text
from bot.errors import DirectorError
from bot.ports import CannotPost, DeliveryFailed, Journal
from handlers.picture import Picture
from handlers.slack.blocks import Block
from handlers.slack.drawing import Drawing
from handlers.slack.live import Live
from handlers.slack.lookup import find, metadata
from handlers.slack.private import Private, ResponseUrls
from handlers.slack.render import Post, posts
from handlers.slack.text import escaped
from handlers.slack.wire import TROUBLE, Wire, best_effort, code, in_words

log = structlog.get_logger(__name__)

STATUS_TIMEOUT = 3.0
_GONE = frozenset(("message_not_found", "cant_update_message", "edit_window_closed"))


class SlackDelivery:
    """Implements `bot.ports.Delivery`.

    The journal says how each part was begun: "post" (whole at once), "draft" (posted early, edited), "stream" (no
    metadata until it is stopped), "ephemeral".
    """

    def __init__(
        self,
        wire: Wire,
        address: Address,
        journal: Journal,
        *,
        urls: ResponseUrls,
        picture: Picture | None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wire, self._address, self._journal, self._urls = wire, address, journal, urls
        self._drawing = Drawing(wire, picture)
        self._live = Live(wire, address, journal, now=now)
        self._status = ""
        self._channel = address.place.channel

    async def status(self, line: str) -> None:
        if not self._address.place.thread or not self._wire.statuses or line == self._status:
            return
        self._status = line
        call = self._wire.client.assistant_threads_setStatus(
            channel_id=self._channel, thread_ts=self._address.place.thread, status=line
        )
        failed = await best_effort(asyncio.wait_for(call, STATUS_TIMEOUT), "assistant.threads.setStatus")
        if failed not in (None, "unreachable", "ratelimited"):
            self._wire.statuses = False

    async def write(self, markdown: str) -> None:
        if markdown:
            self._live.write(markdown)

    async def abandon(self) -> None:
        try:
            await self._live.stop()
        except DirectorError as error:
            log.info("slack.abandoned", reason=type(error).__name__)
            return
        await self._live.end()
        await self._clear_status()

    async def finish(self, reply: Reply) -> None:
        await self._live.stop()
        messages = posts(reply)
        await self._open_conversation()
        direct = self._channel.startswith("D")
        if reply.audience is Audience.ASKER and self._address.asker and not direct:
            private = Private(self._wire, self._address, self._journal, self._drawing, self._urls)
            await private.deliver(messages)
        else:
            await self._stand(messages)
        await self._clear_status()

    async def _open_conversation(self) -> None:
        """A notice may be addressed to a person; Slack wants the conversation with them."""
        if self._channel[:1] not in ("U", "W"):
            return
        try:
            answer = await self._wire.client.conversations_open(users=self._channel)
        except TROUBLE as error:
            raise in_words(error, self._wire) from error
        self._channel = str(answer["channel"]["id"])

    async def _stand(self, messages: tuple[Post, ...]) -> None:
        known = dict(await self._journal.known())
        first = await self._completed(messages[0])
        if first is None:
            first = await self._settled(0, messages[0], known.get(0), self._address.place.thread)
        for part, post in enumerate(messages[1:], start=1):
            await self._settled(part, post, known.get(part), self._root(post, first))
        for part, (how, ts) in known.items():
            if part >= len(messages):  # what was shown was longer than the answer
                thread = self._address.place.thread
                await self._removed(part, ts or await self._found(part, thread, adopt=how == "stream"))

    async def _removed(self, part: int, ts: str | None) -> None:
        if ts is None:
            return
        try:
            await self._wire.client.chat_delete(channel=self._channel, ts=ts)
        except TROUBLE as error:
            meaning = in_words(error, self._wire)
            if isinstance(meaning, DeliveryFailed):
                raise meaning from error
            log.info("slack.not_removed", error=code(error), part=part, channel=self._channel)

    def _root(self, post: Post, first: str) -> str:
        """The thread of a further message: the conversation's own; without one, beneath the first message.

        Only a direct message goes on as it is, for it has no threads unless someone opens one.
        """
        thread = self._address.place.thread
        return thread if thread or (self._channel.startswith("D") and not post.detail) else first

    async def _completed(self, post: Post) -> str | None:
        """End the live stream with what is missing of the answer; None when that isn't enough to make it whole."""
        shown, text = self._live.open_stream(), post.parts[0]
        if shown is None or not isinstance(text, Text):
            return None
        if text.markdown.startswith(shown.text):
            rest = text.markdown[len(shown.text) :]
        elif text.markdown == shown.text.rstrip():
            rest = ""
        else:
            return None
        drawn = await self._drawing.blocks(post, self._drawing.best(post), skip=1)
        try:
            await self._wire.client.chat_stopStream(
                channel=self._channel,
                ts=shown.ts,
                markdown_text=escaped(rest, line_start=shown.text.endswith("\n")) or None,
                blocks=drawn or None,
                metadata=metadata(self._address.turn_id, shown.part),
            )
        except TROUBLE as error:
            log.info("slack.stop_failed", error=code(error), channel=self._channel)
            return None
        shown.open = False
        return shown.ts

    async def _settled(self, part: int, post: Post, known: tuple[str, str | None] | None, root: str) -> str:
        """Make one message stand: the one that is known or found again, else a new one."""
        how, ts = known or ("", None)
        if ts is None and how:
            ts = await self._found(part, root, adopt=how == "stream")
            if ts is not None:
                await self._journal.shown(part, ts)
        if ts is not None and how == "post":
            return ts
        if ts is not None and await self._updated(part, post, ts, stream=how == "stream"):
            return ts
        return await self._posted(part, post, root)

    async def _found(self, part: int, root: str, *, adopt: bool) -> str | None:
        try:
            return await find(self._wire, self._address, self._channel, root, part, journal=self._journal, adopt=adopt)
        except TROUBLE as error:
            raise in_words(error, self._wire) from error

    async def _updated(self, part: int, post: Post, ts: str, *, stream: bool) -> bool:
        """Replace the message's content; False when it is gone or can't be edited any more."""
        if stream:
            await best_effort(self._wire.client.chat_stopStream(channel=self._channel, ts=ts), "chat.stopStream")

        mark = metadata(self._address.turn_id, part)

        async def update(drawn: list[Block]) -> str:
            await self._wire.client.chat_update(
                channel=self._channel, ts=ts, text=post.summary, blocks=drawn, metadata=mark
            )
            return ts

        try:
            await self._drawing.sent(post, update)
        except TROUBLE as error:
            if code(error) in _GONE:
                log.info("slack.message_gone", error=code(error), channel=self._channel)
                return False
            raise in_words(error, self._wire) from error
        return True

    async def _posted(self, part: int, post: Post, root: str) -> str:
        mark = metadata(self._address.turn_id, part)

        async def create(drawn: list[Block]) -> str:
            answer = await self._wire.client.chat_postMessage(
                channel=self._channel,
                thread_ts=root or None,
                text=post.summary,
                blocks=drawn,
                metadata=mark,
                unfurl_links=False,
                unfurl_media=False,
            )
            return str(answer["ts"])

        await self._journal.intend(part, "post")
        try:
            ts = await self._drawing.sent(post, create)
        except TROUBLE as error:
            meaning = in_words(error, self._wire)
            if isinstance(meaning, CannotPost) or code(error) == "ratelimited":
                raise meaning from error
            found = await self._found(part, root, adopt=False)  # Slack may have taken it before the answer was lost
            if found is None:
                raise meaning from error
            ts = found
        await self._journal.shown(part, ts)
        return ts

    async def _clear_status(self) -> None:
        if self._status:
            await self.status("")
