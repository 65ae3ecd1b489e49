"""One message on its way out: drawn as well as Teams takes it, at the conversation's pace."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

import structlog

from bot.domain import Chart, Note
from handlers.teams.activity import message
from handlers.teams.cards import Level
from handlers.teams.drawing import Drawing
from handlers.teams.pace import Pace
from handlers.teams.render import Post, words
from handlers.teams.sdk import MessageActivityInput
from handlers.teams.text import escaped
from handlers.teams.trouble import ConnectorError, code, unfit

log = structlog.get_logger(__name__)

PATIENCE = 15.0  # seconds; who must wait longer comes back later

Send = Callable[[MessageActivityInput], Awaitable[str]]

# How the journal says that a message was begun.
POST = "post"  # whole at once
DRAFT = "draft"  # posted early, edited
STREAM = "stream"  # Teams' own streaming
STATUS = "status"  # a stream that shows nothing of the answer yet
TARGETED = "targeted"  # for one person, in the conversation
DIRECT = "direct"  # for one person, in their personal chat
UNSENT = "unsent"  # begun, and certainly not taken

SOURCES = 5  # beneath a card

_VISIBLE = frozenset((POST, DRAFT, STREAM, TARGETED, DIRECT))


def may_stand(known: tuple[str, str | None] | None) -> bool:
    """Whether people may see something of a message whose id nobody knows."""
    return known is not None and known[1] is None and known[0] in _VISIBLE


class Outgoing:
    """How the messages of one answer leave for one conversation."""

    def __init__(self, drawing: Drawing, pace: Pace) -> None:
        self._drawing, self._pace = drawing, pace

    async def sent(self, post: Post, send: Send) -> tuple[str, tuple[Post, ...]]:
        """Send the message with its card, a plainer card, or in words. Raises what the last try raised.

        The id that `send` gave, and further messages of words where those don't fit into one.
        """
        refused = False
        for level in _levels(post):
            card = await self._drawing.card(post, level)
            if card is None:
                break
            try:
                return await self.paced(message(post, card), send), ()
            except ConnectorError as error:
                if not unfit(error):
                    raise
                refused = True
                log.warning("teams.card_refused", error=code(error), level=level.name)
        first, *rest = as_words(post) if refused else (post,)
        return await self.paced(message(first, None), send), tuple(rest)

    async def whole(self, post: Post, send: Send) -> str:
        """Send the message as it is best, or not at all."""
        level, *_ = (*_levels(post), Level.WORDS)
        return await self.paced(message(post, await self._drawing.card(post, level)), send)

    async def paced(self, activity: MessageActivityInput, send: Send) -> str:
        wait = self._pace.waiting()
        if wait > PATIENCE:  # Teams asked for it a moment ago
            raise ConnectorError(429, "paced", "", wait, maybe=False)
        async with self._pace.turn():
            try:
                return await send(activity)
            except ConnectorError as error:
                if error.status == 429:
                    self._pace.slow(error.retry_after)
                raise


def apart(messages: Iterable[Post]) -> tuple[Post, ...]:
    """Text and card in messages of their own: Teams splits one with both in two, and then names no id of either.

    https://github.com/OfficeDev/BotBuilder-MicrosoftTeams/issues/125
    """
    done: list[Post] = []
    for post in messages:
        if post.parts and post.text:
            done += (replace(post, parts=()), replace(post, text="", citations=()))
        else:
            done.append(replace(post, parts=(*post.parts, *_sources(post)), citations=()) if post.parts else post)
    return tuple(done)


def _sources(post: Post) -> tuple[Note, ...]:
    """A card has no text that numbers could refer to; what it rests on stands beneath it."""
    told = [f"{escaped(one.title)}: {escaped(one.text)}" for one in post.citations[:SOURCES]]
    return (Note(markdown="\n".join(told)),) if told else ()


def as_words(post: Post) -> tuple[Post, ...]:
    """The message without its card; the sources stand with the last piece."""
    pieces = words(post) or (post.summary,)
    plain = [replace(post, text=piece, parts=(), citations=()) for piece in pieces]
    return (*plain[:-1], replace(plain[-1], citations=post.citations))


def _levels(post: Post) -> tuple[Level, ...]:
    if not post.parts:
        return ()
    pictured = any(isinstance(part, Chart) for part in post.parts)
    return (Level.PICTURES, Level.WORDS) if pictured else (Level.WORDS,)
