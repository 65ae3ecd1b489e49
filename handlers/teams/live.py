"""An answer while it is being made: streamed one-to-one, one edited message elsewhere, held back otherwise."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

import structlog

from bot.domain import Button, Buttons, Reply, Text
from bot.errors import DirectorError
from bot.ports import Journal, LeaseLost
from handlers.teams import activity
from handlers.teams.drawing import Drawing
from handlers.teams.outgoing import DRAFT, STATUS, STREAM, UNSENT
from handlers.teams.pace import Pace, Paces
from handlers.teams.partial import settled
from handlers.teams.render import Post, posts
from handlers.teams.room import Room
from handlers.teams.sdk import MessageActivityInput, TypingActivityInput
from handlers.teams.trouble import TROUBLE, ConnectorError, best_effort, code, maybe_taken, unfit
from handlers.teams.wire import Wire

log = structlog.get_logger(__name__)

SOON = 0.4  # seconds: an answer that is whole by then is posted at once
OLD = 105.0  # Teams ends a stream two minutes after its first call ("strict time limit of two minutes")
TYPING = 3.0  # seconds between two typing signs, which Teams shows for a little longer
LIFE = 600.0  # no turn takes longer; one that another worker took over leaves nothing running behind
TRIES = 3  # calls that may fail in a row before nothing more is shown
PARTING = 5.0  # seconds that ending a stream early may take
WORKING = "Still working on it …"

Stopped = Callable[[], Awaitable[None]]


class Mode(StrEnum):
    UNDECIDED = "undecided"
    STREAM = "stream"
    DRAFT = "draft"
    HELD = "held"  # nothing more is shown before the whole answer stands


@dataclass
class Shown:
    """The message that carries the text so far. `open`: a stream that takes more."""

    id: str
    text: str
    since: float
    open: bool


class Live:
    """What one turn shows before its answer is whole. Text goes in at any pace and out at the conversation's.

    All of it stands in one message. `stopped` is called when the person presses Teams' own Stop under a stream.
    """

    def __init__(
        self,
        wire: Wire,
        turn_id: str,
        room: Callable[[], Awaitable[Room]],
        journal: Journal,
        *,
        drawing: Drawing,
        paces: Paces,
        stopped: Stopped | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wire, self._turn_id, self._find_room, self._journal = wire, turn_id, room, journal
        self._drawing, self._paces, self._stopped, self._now = drawing, paces, stopped, now
        self._room: Room
        self._pace: Pace
        self._said, self._line = "", ""
        self._shown_line = ""
        self._first_word: float | None = None
        self._typed, self._sign_due = float("-inf"), False
        self._begun = 0.0
        self._sequence = 0
        self._failures = 0
        self._button = True
        self._more = asyncio.Event()
        self._ending = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._lost: LeaseLost | None = None
        self.mode = Mode.UNDECIDED
        self.shown: Shown | None = None

    def status(self, line: str) -> None:
        self._line, self._sign_due = line[:1].upper() + line[1:], True  # it stands alone, without the Director's name
        self._wake()

    def write(self, text: str) -> None:
        if self._lost is not None:
            raise self._lost
        self._said += text
        if self._first_word is None:
            self._first_word = self._now()
        self._wake()

    async def stop(self) -> None:
        """Let the call under way end, then show nothing more."""
        self._ending.set()
        self._more.set()
        if self._pump is not None:
            await asyncio.wait((self._pump,))  # whoever is cancelled here must not cancel the call under way
            self._pump.result()
        if self._lost is not None:
            raise self._lost

    async def end(self) -> None:
        """End the stream that is still open, with the text that it shows. Best effort."""
        shown = self.shown
        if shown is not None and shown.open and shown.text:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PARTING):
                    await self.closed(shown, shown.text)

    async def closed(self, shown: Shown, text: str) -> None:
        """End the stream with this text, to be edited afterwards. Best effort."""
        shown.open = False
        if self._pace.waiting() > PARTING:  # Teams asked to wait: the edit will end it
            return
        last = activity.final(MessageActivityInput(text=text, text_format="markdown"), shown.id)
        async with self._pace.turn():
            if await best_effort(self._wire.send(self._room.where, last), "end of a stream") is None:
                shown.text = text

    def _wake(self) -> None:
        self._more.set()
        if self._pump is None:
            self._pump = asyncio.create_task(self._run(), name=f"show {self._turn_id}")

    async def _run(self) -> None:
        try:
            if await self._journal.known():  # an earlier attempt showed something; the whole answer will replace it
                self.mode = Mode.HELD
                return
            self._room = await self._find_room()
            self._pace = self._paces.of(self._room.channel)
            self.mode = Mode.STREAM if self._room.kind == "personal" else Mode.DRAFT
            self._begun = self._now()
            while self.mode is not Mode.HELD and not self._ending.is_set():
                await self._step()
        except LeaseLost as error:
            self._lost = error
        except DirectorError as error:  # the whole answer will try again, and say what is wrong
            log.warning("teams.held_back", kind=type(error).__name__)
            self.mode = Mode.HELD

    async def _step(self) -> None:
        """Wait for the conversation's pace, then show what is due, else wait for something to show."""
        if (wait := self._pace.waiting()) > 0:
            await _within(self._ending, wait)
            return
        self._more.clear()
        if not await self._flush():
            await _within(self._more, self._patience())
        if self._now() - self._begun >= LIFE:
            self.mode = Mode.HELD

    def _patience(self) -> float:
        """Seconds until something is due without a further word."""
        due = [self._begun + LIFE]
        if self._first_word is not None and not self._shown_text:
            due.append(self._first_word + SOON)
        if self.shown is not None and self.shown.open:
            due.append(self.shown.since + OLD)
        if self._types():
            due.append(self._typed + TYPING)
        return min((at - self._now() for at in due if at > self._now()), default=0.0)

    @property
    def _shown_text(self) -> str:
        return self.shown.text if self.shown is not None else ""

    def _types(self) -> bool:
        return self._sign_due and self.mode is Mode.DRAFT and self.shown is None and self._room.kind != "channel"

    async def _flush(self) -> bool:
        """Make the one call that is due; False when none is."""
        # Laying out a long answer takes a while, in which others are not to wait.
        said = self._so_far()
        due = await asyncio.to_thread(_laid_out, said) if said else ()
        if self._ending.is_set():
            return False
        shown, text = self.shown, due[0].text if due else ""
        try:
            if shown is not None and shown.open and self._now() - shown.since >= OLD:
                self.mode = Mode.DRAFT
                await self._journal.shown(0, shown.id)  # known already; says whether the turn is still ours
                await self.closed(shown, shown.text or self._line or WORKING)
            elif self.mode is Mode.STREAM and text.startswith(self._shown_text) and text != self._shown_text:
                await self._streamed(activity.streaming(text, self._id, self._sequence + 1), text)
            elif self.mode is Mode.STREAM and self._line not in ("", self._shown_line) and not self._shown_text:
                await self._streamed(activity.informative(self._line, self._id, self._sequence + 1), "")
            elif self.mode is Mode.DRAFT and text not in ("", self._shown_text):
                await self._drafted(said, due)
            elif self._types() and self._now() - self._typed >= TYPING:
                self._typed, self._sign_due = self._now(), False
                async with self._pace.turn():
                    await best_effort(self._wire.send(self._room.where, activity.typing()), "typing")
            else:
                return False
        except TROUBLE as error:
            await self._failed(error)
        else:
            self._failures = 0
        return True

    @property
    def _id(self) -> str | None:
        return self.shown.id if self.shown is not None else None

    def _so_far(self) -> str:
        """What of the answer is to be shown; empty as long as it may soon be whole."""
        return "" if self._first_word is None or self._now() - self._first_word < SOON else self._said

    async def _streamed(self, step: TypingActivityInput, text: str) -> None:
        begun = self._now()  # Teams' two minutes begin before its answer is here
        if self.shown is None:
            await self._journal.intend(0, STREAM if text else STATUS)
        self._sequence += 1
        line = self._line
        async with self._pace.turn():
            message_id = await self._wire.send(self._room.where, step)
        if self.shown is None:
            if not message_id:
                raise _nameless()
            self.shown = Shown(message_id, text, begun, open=True)
            await self._journal.shown(0, message_id)
        self.shown.text = text
        self._shown_line = line

    async def _drafted(self, said: str, due: tuple[Post, ...]) -> None:
        text = due[0].text
        made = activity.draft(text, await self._card(said, due), WORKING)
        if self.shown is not None:
            async with self._pace.turn():
                await self._wire.update(self._room.where, self.shown.id, made)
            self.shown.text = text
            return
        begun = self._now()
        await self._journal.intend(0, DRAFT)
        async with self._pace.turn():
            message_id = await self._wire.send(self._room.where, made)
        if not message_id:
            raise _nameless()
        self.shown = Shown(message_id, text, begun, open=False)
        await self._journal.shown(0, message_id)

    async def _card(self, said: str, due: tuple[Post, ...]) -> activity.Json | None:
        """The answer so far with a button beneath it; None where it goes over one message."""
        if not self._button or len(due) != 1:
            return None
        words = Text(markdown=settled(said))
        button = Buttons(buttons=(Button(verb="stop", label="Stop", value=self._turn_id),))
        return await self._drawing.card(Post(summary=WORKING, text="", parts=(words, button)))

    async def _failed(self, error: BaseException) -> None:
        """Decide how to go on after a call failed."""
        log.info("teams.show_failed", error=code(error), mode=self.mode, shown=self.shown is not None)
        self._failures += 1
        starting = self.shown is None
        if starting and maybe_taken(error):
            self.mode = Mode.HELD  # it may stand, and nobody knows its id
            return
        if starting:
            await self._journal.intend(0, UNSENT)
        if self._failures >= TRIES:
            self.mode = Mode.HELD
        elif isinstance(error, ConnectorError) and error.status == 429:
            self._pace.slow(error.retry_after)
        elif isinstance(error, ConnectorError) and self.mode is Mode.STREAM:
            await self._stream_refused(error)
        elif unfit(error) and self._button:
            self._button = False
        elif starting or (isinstance(error, ConnectorError) and not error.maybe):
            self.mode = Mode.HELD
        else:
            self._pace.slow(None)

    async def _stream_refused(self, error: ConnectorError) -> None:
        said, shown = error.text.lower(), self.shown
        if shown is None:
            self.mode = Mode.DRAFT if error.status in (400, 403) else Mode.HELD
        elif "cancel" in said:
            shown.open = False
            self.mode = Mode.HELD
            if self._stopped is not None:
                await self._stopped()
        elif "exceeded streaming time" in said:
            shown.open = False
            self.mode = Mode.DRAFT
        elif error.maybe:
            self._pace.slow(None)
        else:
            self.mode = Mode.HELD


def _laid_out(said: str) -> tuple[Post, ...]:
    """The messages that would carry what can be shown of an answer so far."""
    markdown = settled(said)
    if not markdown.strip():
        return ()
    return posts(Reply(summary="…", parts=(Text(markdown=markdown),), generated=True))


def _nameless() -> ConnectorError:
    return ConnectorError(201, "no_id", "Teams named no message", maybe=True)


async def _within(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, at most so long."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
