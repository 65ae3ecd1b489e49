"""An answer while it is being made: streamed where Slack can, one edited message elsewhere, held back otherwise."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError

from bot.domain import Address
from bot.errors import DirectorError
from bot.ports import Journal, LeaseLost
from handlers.plain import shortened
from handlers.slack.lookup import metadata
from handlers.slack.text import escaped
from handlers.slack.wire import TROUBLE, Wire, best_effort, code, retry_after

log = structlog.get_logger(__name__)

FULL = 11_000  # characters in one streamed message; what follows goes into the next
CHUNK = 11_500  # Slack takes 12,000 in one call
OLD = 240.0  # Slack ends a stream after five minutes
_MISSING = frozenset(
    (
        "unknown_method",
        "missing_scope",
        "not_allowed_token_type",
        "method_deprecated",
        "no_permission",
        "invalid_arguments",
    )
)


class Mode(StrEnum):
    UNDECIDED = "undecided"
    STREAM = "stream"
    DRAFT = "draft"
    HELD = "held"  # nothing more is shown before the whole answer stands


@dataclass
class Shown:
    """A message that carries a part of the text. `open`: a stream that takes more; `certain`: Slack has this text."""

    part: int
    ts: str
    text: str
    since: float
    open: bool = True
    certain: bool = True


class Live:
    """What one turn shows before its answer is whole. Text goes in at any pace and out at Slack's."""

    def __init__(
        self, wire: Wire, address: Address, journal: Journal, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._wire, self._address, self._journal, self._now = wire, address, journal, now
        self._channel, self._thread = address.place.channel, address.place.thread
        self._pending = ""
        self._more = asyncio.Event()
        self._ending = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._lost: LeaseLost | None = None
        self.mode = Mode.UNDECIDED
        self.shown: list[Shown] = []

    def write(self, text: str) -> None:
        if self._lost is not None:
            raise self._lost
        self._pending += text
        self._more.set()
        if self._pump is None:
            self._pump = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Let the call under way end, then show nothing more."""
        self._ending.set()
        self._more.set()
        if self._pump is not None:
            await self._pump
        if self._lost is not None:
            raise self._lost

    def open_stream(self) -> Shown | None:
        """The only message, when it is a live stream whose text is known for sure."""
        if self.mode is not Mode.STREAM or len(self.shown) != 1:
            return None
        only = self.shown[0]
        return only if only.open and only.certain else None

    async def end(self) -> None:
        """End the stream that is still open, with what it shows. Best effort."""
        if self.shown and self.shown[-1].open:
            await self._close(self.shown[-1])

    async def _run(self) -> None:
        try:
            if await self._journal.known():  # an earlier attempt showed something; the whole answer will replace it
                self.mode = Mode.HELD
            while self.mode is not Mode.HELD:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._more.wait(), self._patience())
                if self._ending.is_set():
                    return
                self._more.clear()
                pause = await self._flush()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._ending.wait(), pause)
                if self._waiting():
                    self._more.set()
        except LeaseLost as error:
            self._lost = error
        except DirectorError as error:  # the journal can't be written: the whole answer will try again
            log.warning("slack.held_back", kind=type(error).__name__, channel=self._channel)
            self.mode = Mode.HELD

    def _waiting(self) -> bool:
        """Whether there is text that isn't shown yet and could be."""
        if self.mode is Mode.DRAFT:
            return bool(self._pending.strip()) and (not self.shown or self.shown[-1].text != self._pending[:FULL])
        return bool(self._pending)

    def _patience(self) -> float | None:
        """Seconds until the open stream is too old to stay open; None when there is none."""
        last = self.shown[-1] if self.mode is Mode.STREAM and self.shown else None
        return max(last.since + OLD - self._now(), 0.0) if last and last.open else None

    async def _flush(self) -> float:
        if self.mode is Mode.UNDECIDED:
            self.mode = self._chosen()
            log.info("slack.showing", mode=self.mode, channel=self._channel)
        if self.mode is Mode.STREAM:
            return await self._stream()
        if self.mode is Mode.DRAFT:
            return await self._draft()
        return 0.0

    def _chosen(self) -> Mode:
        if self._thread and self._address.asker and self._wire.streams:
            return Mode.STREAM if self._wire.starts.take() else Mode.HELD
        return Mode.DRAFT if self._wire.updates.take() else Mode.HELD

    # --- streaming ---------------------------------------------------------------------------------------------------

    async def _stream(self) -> float:
        last = self.shown[-1] if self.shown else None
        if last is not None and last.open and (len(last.text) >= FULL or self._now() - last.since >= OLD):
            await self._close(last)
        if not self._pending:
            return 0.0
        try:
            if last is None or not last.open:
                return await self._start()
            return await self._append(last)
        except TROUBLE as error:
            return self._failed(error)

    async def _start(self) -> float:
        if self.shown and not self._wire.starts.take():
            self.mode = Mode.HELD
            return 0.0
        part, piece = len(self.shown), self._piece(FULL)
        await self._journal.intend(part, "stream")
        since = self._now()  # Slack's five minutes begin before its answer is here
        answer = await self._wire.client.chat_startStream(
            channel=self._channel,
            thread_ts=self._thread,
            markdown_text=escaped(piece),
            recipient_team_id=self._address.asker_home or self._wire.team,
            recipient_user_id=self._address.asker,
        )
        self._pending = self._pending[len(piece) :]
        self.shown.append(Shown(part=part, ts=str(answer["ts"]), text=piece, since=since))
        await self._journal.shown(part, str(answer["ts"]))
        return self._wire.pace

    async def _append(self, last: Shown) -> float:
        if not self._wire.appends.take():
            return self._wire.pace
        piece = self._piece(FULL - len(last.text))
        text = escaped(piece, line_start=last.text.endswith("\n"))
        await self._wire.client.chat_appendStream(channel=self._channel, ts=last.ts, markdown_text=text)
        self._pending = self._pending[len(piece) :]
        last.text += piece
        return self._wire.pace

    def _piece(self, room: int) -> str:
        """What of the waiting text goes out now: up to the room, at the end of a line if there is one."""
        piece = self._pending[:room]
        if len(piece) < len(self._pending):
            piece = piece[: piece.rfind("\n") + 1] or piece
        while len(escaped(piece)) > CHUNK:
            piece = piece[: len(piece) // 2]
        return piece

    async def _close(self, last: Shown) -> None:
        last.open = False
        call = self._wire.client.chat_stopStream(
            channel=self._channel, ts=last.ts, metadata=metadata(self._address.turn_id, last.part)
        )
        await best_effort(call, "chat.stopStream")

    def _failed(self, error: BaseException) -> float:
        """Decide how to go on after a call failed; the pause before the next one."""
        name = code(error)
        log.info("slack.stream_failed", error=name, channel=self._channel, shown=len(self.shown))
        if name == "ratelimited" and isinstance(error, SlackApiError):
            wait = retry_after(error.response.headers)
            if self.shown and self.shown[-1].open:
                self._wire.appends.empty(wait)
                return min(wait, 30.0)
            self._wire.starts.empty(wait)
        elif not self.shown and name in _MISSING:
            self._wire.streams = False
            self.mode = Mode.DRAFT
            return 0.0
        elif self.shown:
            self.shown[-1].certain = False
        self.mode = Mode.HELD
        return 0.0

    # --- one message, edited -----------------------------------------------------------------------------------------

    async def _draft(self) -> float:
        """Show all of the text so far; unlike in a stream it stays in `_pending`."""
        last = self.shown[-1] if self.shown else None
        text = self._pending[:FULL]
        if not self._waiting() or (last is not None and not self._wire.updates.take()):
            return self._wire.edit_pace
        body: dict[str, Any] = {
            "text": shortened(escaped(text), 300) or "…",
            "blocks": [{"type": "markdown", "text": escaped(text)}],
            "metadata": metadata(self._address.turn_id, 0),
        }
        try:
            if last is None:
                await self._journal.intend(0, "draft")
                answer = await self._wire.client.chat_postMessage(
                    channel=self._channel,
                    thread_ts=self._thread or None,
                    unfurl_links=False,
                    unfurl_media=False,
                    **body,
                )
                self.shown.append(Shown(part=0, ts=str(answer["ts"]), text=text, since=self._now(), open=False))
                await self._journal.shown(0, str(answer["ts"]))
            else:
                await self._wire.client.chat_update(channel=self._channel, ts=last.ts, **body)
                last.text = text
        except TROUBLE as error:
            log.info("slack.draft_failed", error=code(error), channel=self._channel)
            self.mode = Mode.HELD
            return 0.0
        return self._wire.edit_pace
