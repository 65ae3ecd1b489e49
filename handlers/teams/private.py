"""Answers for the asker alone: a targeted message where Teams takes one, else the personal chat."""

from __future__ import annotations

import structlog

from bot.domain import Address, Place
from bot.ports import CannotPost, Journal
from handlers.teams.activity import repeated
from handlers.teams.drawing import Drawing
from handlers.teams.outgoing import DIRECT, TARGETED, UNSENT, Outgoing, Send, may_stand
from handlers.teams.pace import Paces
from handlers.teams.render import Post
from handlers.teams.room import Room, WhereOf, room_of
from handlers.teams.sdk import Account, MessageActivityInput
from handlers.teams.trouble import TROUBLE, code, in_words, maybe_taken
from handlers.teams.wire import Wire

log = structlog.get_logger(__name__)

_OURS = frozenset((TARGETED, DIRECT))


class Private:
    """Delivers an answer to one person; nothing of it is said in front of others.

    Teams shows no bot its targeted messages either: one that may stand is said again, marked as repeated.
    """

    def __init__(
        self,
        wire: Wire,
        where_of: WhereOf,
        room: Room,
        *,
        address: Address,
        journal: Journal,
        drawing: Drawing,
        paces: Paces,
    ) -> None:
        self._wire, self._where_of, self._room = wire, where_of, room
        self._place, self._asker = address.place, address.asker or ""
        self._journal, self._drawing, self._paces = journal, drawing, paces
        self._recipient: Account | None = None
        self._direct: Room | None = None

    async def deliver(self, messages: tuple[Post, ...]) -> None:
        known = await self._journal.known()
        for part, post in enumerate(messages):
            how, message_id = known.get(part, ("", None))
            if how in _OURS and message_id is not None:
                continue
            again = how in _OURS and may_stand((how, message_id))
            await self._said(part, repeated(post) if again else post, again=again)

    async def _said(self, part: int, post: Post, *, again: bool) -> None:
        if self._direct is None:
            await self._journal.intend(part, TARGETED)
            try:
                message_id = await self._sent(post, self._room, self._targeted)
            except TROUBLE as error:
                if not isinstance(in_words(error), CannotPost):
                    await self._failed(part, error, again=again)
                log.info("teams.not_targeted", error=code(error), channel=self._room.channel)
            else:
                await self._journal.shown(part, message_id)
                return
            place = Place(platform="teams", workspace=self._place.workspace, channel=self._asker)
            self._direct = await room_of(place, self._where_of)
        await self._journal.intend(part, DIRECT)
        try:
            message_id = await self._sent(post, self._direct, self._directly)
        except TROUBLE as error:
            await self._failed(part, error, again=again)
        else:
            await self._journal.shown(part, message_id)

    async def _failed(self, part: int, error: BaseException, *, again: bool) -> None:
        if not maybe_taken(error) and not again:
            await self._journal.intend(part, UNSENT)
        raise in_words(error) from error

    async def _sent(self, post: Post, room: Room, send: Send) -> str:
        outgoing = Outgoing(self._drawing, self._paces.of(room.channel))
        message_id, rest = await outgoing.sent(post, send)
        try:
            for piece in rest:
                await outgoing.sent(piece, send)
        except TROUBLE as error:  # the first piece stands, whatever became of this one
            raise in_words(error) from error
        return message_id

    async def _targeted(self, activity: MessageActivityInput) -> str:
        if self._recipient is None:
            self._recipient = await self._account()
        activity.recipient = self._recipient
        return await self._wire.targeted(self._room.where, activity)

    async def _directly(self, activity: MessageActivityInput) -> str:
        where = self._direct.where if self._direct is not None else self._room.where
        return await self._wire.send(where, activity)

    async def _account(self) -> Account:
        """The asker as the roster names them: the Director knows people by their Entra object id."""
        try:
            member = await self._wire.member(self._room.where, self._asker)
        except TROUBLE as error:
            log.info("teams.recipient_by_id", error=code(error))
            return Account(id=self._asker, is_targeted=True)
        return Account(id=member.id, name=member.name, aad_object_id=member.aad_object_id, is_targeted=True)
