"""One answer on its way into Teams: shown while it is made, whole in the end, also after a crash.

What is promised: while the process lives and Teams answers, an answer stands exactly once. Teams gives a bot no history
to look a message up in, so each new message is announced in the journal before the call, and its id written down after
it. After a crash a message whose id is known is edited to the whole answer, or left when it was whole. One that was
announced and whose id isn't known (the process was killed in the middle of the call, or the call's answer was lost)
may stand or not: it is said once more, marked as repeated, never left out. Nothing else carries that mark.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog

from bot.domain import Address, Audience, Reply
from bot.errors import DirectorError
from bot.ports import DeliveryFailed, Journal
from handlers.picture import Picture
from handlers.teams import activity
from handlers.teams.drawing import Drawing
from handlers.teams.live import Live, Shown, Stopped
from handlers.teams.outgoing import POST, STATUS, STREAM, UNSENT, Outgoing, Send, apart, may_stand
from handlers.teams.pace import Paces
from handlers.teams.private import Private
from handlers.teams.render import Post, posts
from handlers.teams.room import Room, WhereOf, room_of
from handlers.teams.sdk import MessageActivityInput
from handlers.teams.trouble import TROUBLE, best_effort, code, in_words, maybe_taken
from handlers.teams.wire import Where, Wire

log = structlog.get_logger(__name__)

_PIECES = 1_000  # parts of the journal that stand for further pieces of one part


class TeamsDelivery:
    """Implements `bot.ports.Delivery`.

    `paces` is shared by all deliveries of a process. `stopped` is called when the person presses Teams' own Stop under
    a streamed answer: Teams tells a bot of it only by refusing the stream's next step.
    """

    def __init__(
        self,
        wire: Wire,
        where_of: WhereOf,
        address: Address,
        journal: Journal,
        *,
        picture: Picture | None = None,
        paces: Paces | None = None,
        stopped: Stopped | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wire, self._where_of, self._address, self._journal = wire, where_of, address, journal
        self._drawing, self._paces = Drawing(picture), paces or Paces()
        self._room: Room | None = None
        self._live = Live(
            wire,
            address.turn_id,
            self._here,
            journal,
            drawing=self._drawing,
            paces=self._paces,
            stopped=stopped,
            now=now,
        )

    async def status(self, line: str) -> None:
        self._live.status(line)

    async def write(self, markdown: str) -> None:
        if markdown:
            self._live.write(markdown)

    async def abandon(self) -> None:
        try:
            await self._live.stop()
        except DirectorError as error:
            log.info("teams.abandoned", reason=type(error).__name__)
            return
        await self._live.end()

    async def finish(self, reply: Reply) -> None:
        await self._live.stop()
        room = await self._here()
        # A long answer takes a while to lay out; others are not to wait for it.
        messages = apart(await asyncio.to_thread(posts, reply))
        if reply.audience is Audience.ASKER and self._address.asker and room.kind != "personal":
            await self._withdrawn(room)
            private = Private(
                self._wire,
                self._where_of,
                room,
                address=self._address,
                journal=self._journal,
                drawing=self._drawing,
                paces=self._paces,
            )
            await private.deliver(messages)
        else:
            await self._stand(room, messages)

    async def _here(self) -> Room:
        if self._room is None:
            self._room = await room_of(self._address.place, self._where_of)
        return self._room

    async def _withdrawn(self, room: Room) -> None:
        """What was shown to everyone of an answer for one is taken away."""
        if self._live.shown is not None:
            await best_effort(self._wire.delete(room.where, self._live.shown.id), "delete a draft")

    async def _stand(self, room: Room, messages: tuple[Post, ...]) -> None:
        known = dict(await self._journal.known())
        first = await self._settled(0, messages[0], known, room.where)
        beneath = room.kind == "channel" and not self._address.place.thread and first
        where = room.beneath(first) if beneath else room.where
        for part, post in enumerate(messages[1:], start=1):
            await self._settled(part, post, known, where)

    async def _settled(self, part: int, post: Post, known: dict[int, tuple[str, str | None]], where: Where) -> str:
        """Make one message stand: the one that is known, else a new one."""
        how, message_id = known.get(part, ("", None))
        if message_id is not None and how == POST:
            return message_id
        if message_id is not None and await self._completed(part, post, how, message_id, where):
            return message_id
        return await self._posted(part, post, where, again=may_stand(known.get(part)))

    # --- a message that stands ---------------------------------------------------------------------------------------

    async def _completed(self, part: int, post: Post, how: str, message_id: str, where: Where) -> bool:
        """Give a message that stands its whole content; False when it is gone or can't be changed any more."""
        if how in (STREAM, STATUS) and await self._stream_ended(post, message_id, where):
            return True

        async def update(made: MessageActivityInput) -> str:
            await self._wire.update(where, message_id, made)
            return message_id

        try:
            await self._sent(part, post, where, update)
        except TROUBLE as error:
            meaning = in_words(error)
            if isinstance(meaning, DeliveryFailed):
                raise meaning from error
            log.info("teams.message_gone", error=code(error), part=part)
            await best_effort(self._wire.delete(where, message_id), "delete what can't be edited")
            return False
        return True

    async def _stream_ended(self, post: Post, message_id: str, where: Where) -> bool:
        """End the stream with the whole answer; False when the message has to be edited instead.

        Teams takes what continues the text that it shows. It refuses a stream that is over, so that this can be tried
        on one that an earlier process began.
        """
        shown = self._shown(message_id)
        if shown is not None and not shown.open:
            return False
        if shown is not None and not post.text.startswith(shown.text):
            await self._live.closed(shown, shown.text)
            return False

        async def end(made: MessageActivityInput) -> str:
            await self._wire.send(where, activity.final(made, message_id))
            return message_id

        try:
            await Outgoing(self._drawing, self._paces.of(where.conversation)).whole(post, end)
        except TROUBLE as error:
            meaning = in_words(error)
            if isinstance(meaning, DeliveryFailed):
                raise meaning from error
            log.info("teams.stream_over", error=code(error))
            return False
        finally:
            if shown is not None:
                shown.open = False
        return True

    def _shown(self, message_id: str) -> Shown | None:
        shown = self._live.shown
        return shown if shown is not None and shown.id == message_id else None

    # --- a new message -----------------------------------------------------------------------------------------------

    async def _posted(self, part: int, post: Post, where: Where, *, again: bool) -> str:
        async def create(made: MessageActivityInput) -> str:
            return await self._wire.send(where, made)

        await self._journal.intend(part, POST)
        try:
            message_id = await self._sent(part, activity.repeated(post) if again else post, where, create)
        except TROUBLE as error:
            if not maybe_taken(error) and not again:
                await self._journal.intend(part, UNSENT)
            raise in_words(error) from error
        await self._journal.shown(part, message_id)
        return message_id

    async def _sent(self, part: int, post: Post, where: Where, send: Send) -> str:
        """The message's id, once all of it stands."""
        outgoing = Outgoing(self._drawing, self._paces.of(where.conversation))
        message_id, rest = await outgoing.sent(post, send)
        if rest:
            known = await self._journal.known()
            for number, piece in enumerate(rest):
                await self._settled((part + 1) * _PIECES + number, piece, dict(known), where)
        return message_id
