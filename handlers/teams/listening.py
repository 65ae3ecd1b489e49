"""Activities from Teams on their way into the inbox: each is stored, and answered afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog
from aiohttp import web

from bot.commands import HELP, asks_to_stop
from bot.domain import Incoming, IncomingKind, Signal, SignalKind
from bot.errors import DirectorError
from bot.ports import Intake
from handlers.teams import invokes
from handlers.teams.conversations import Conversations
from handlers.teams.meaning import (
    Added,
    Clicked,
    Judged,
    Meaning,
    Removed,
    Said,
    Unasked,
    UnknownInvoke,
    Unreadable,
    meaning,
)
from handlers.teams.origin import Body, Origin

log = structlog.get_logger(__name__)

STORE_LIMIT = 2.0  # seconds; Teams waits fifteen and people wait for less
GREETING = f"Hello, I am the Director of Backend Engineering.\n\n{HELP}"

TAKEN, NOTHING, AGAIN = 200, 202, 503


class Listening:
    """Translates, stores and returns the answer for Teams, which never waits for the work."""

    def __init__(self, intake: Intake, conversations: Conversations, *, me: str, now: Callable[[], datetime]) -> None:
        self._intake, self._conversations, self._me, self._now = intake, conversations, me, now

    async def take(self, body: Body) -> web.Response:
        """Never raises: an activity that can't be read gets 400, one that can't be stored 503."""
        try:
            meant = meaning(body, me=self._me)
        except Unreadable as error:
            log.warning("teams.unreadable", reason=str(error))
            return web.json_response({"error": "unreadable activity"}, status=400)
        try:
            async with asyncio.timeout(STORE_LIMIT):
                return await self._act(meant)
        except Exception as error:  # noqa: BLE001  the outermost edge; Teams delivers again what isn't stored
            reason = str(error) if isinstance(error, DirectorError) else ""  # others may quote what was to be stored
            log.error("teams.not_stored", kind=type(error).__name__, reason=reason)  # noqa: TRY400
        if isinstance(meant, Clicked) and meant.answered:
            return invokes.words(invokes.NOT_STORED)
        return web.Response(status=AGAIN)

    async def _act(self, meant: Meaning) -> web.Response:
        if isinstance(meant, Removed):
            await self._conversations.removed(meant.origin.tenant, meant.conversation)
            log.info("teams.removed", conversation=meant.conversation)
            return web.Response(status=NOTHING)
        if meant.origin is not None:
            await self._conversations.heard(meant.origin.reference(self._now()))
        match meant:
            case Said():
                return await self._said(meant)
            case Clicked():
                return await self._clicked(meant)
            case Judged():
                await self._judged(meant.origin, meant.message, meant.verdict, meant.words)
                return web.json_response({})
            case Added():
                return await self._added(meant)
            case Unasked():
                return web.Response(status=NOTHING)
            case UnknownInvoke(name=name):
                log.info("teams.unknown_invoke", name=name)
                return invokes.unanswered()

    async def _said(self, said: Said) -> web.Response:
        origin = said.origin
        if asks_to_stop(said.text):
            await self._signal(origin, SignalKind.STOP)
            return web.Response(status=TAKEN)
        incoming = Incoming(
            kind=IncomingKind.COMMAND if said.command else IncomingKind.ASK,
            dedupe_key=origin.key,
            place=origin.place,
            text=said.text,
            received_at=self._now(),
            speaker_id=origin.person,
            speaker_home=origin.home,
            channel_name=origin.channel_name or await self._conversations.named(origin.place),
            question=origin.activity,
        )
        new = await self._intake.put(incoming)
        log.info("teams.asked", conversation=origin.conversation, where=origin.kind, command=said.command, new=new)
        return web.Response(status=TAKEN)

    async def _clicked(self, clicked: Clicked) -> web.Response:
        origin = clicked.origin
        answer = invokes.UNKNOWN
        if clicked.verb == SignalKind.STOP:
            await self._signal(origin, SignalKind.STOP, message=clicked.card)
            answer = invokes.STOPPED
        elif clicked.verb == SignalKind.FEEDBACK and clicked.value in ("like", "dislike"):
            await self._judged(origin, clicked.card, clicked.value, "")
            answer = invokes.THANKS
        else:
            log.info("teams.click_ignored", verb=clicked.verb)
        return invokes.words(answer) if clicked.answered else web.Response(status=TAKEN)

    async def _judged(self, origin: Origin, message: str, verdict: str, words: str) -> None:
        await self._signal(origin, SignalKind.FEEDBACK, message=message, value=verdict, text=words)

    async def _signal(
        self, origin: Origin, kind: SignalKind, *, message: str = "", value: str = "", text: str = ""
    ) -> None:
        at = self._now()
        # An invoke is delivered once, so that one without an id is known by its moment.
        key = origin.key if origin.activity else f"{origin.key}{origin.person}:{at.isoformat()}"
        signal = Signal(
            kind=kind,
            dedupe_key=key,
            place=origin.place,
            person_id=origin.person or "",
            at=at,
            message_id=message or None,
            value=value,
            text=text,
        )
        new = await self._intake.signal(signal)
        log.info("teams.signal", signal=kind.value, conversation=origin.conversation, new=new)

    async def _added(self, added: Added) -> web.Response:
        origin = added.origin
        self._conversations.changed(origin.tenant, origin.team)
        if added.greets:
            await self._intake.put(
                Incoming(
                    kind=IncomingKind.NOTICE,
                    dedupe_key=f"teams:{origin.tenant}:{origin.conversation}:welcome",
                    place=origin.place,
                    text=GREETING,
                    received_at=self._now(),
                    speaker_id=origin.person,
                )
            )
        log.info("teams.added", conversation=origin.conversation, where=origin.kind)
        return web.Response(status=NOTHING)
