"""`/director …`: answered at once where that is possible, else stored as a turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog

from bot.commands import HELP, Digest, Help, MakePlan, Review, Schedule, Unknown, parse
from bot.domain import Incoming, IncomingKind, Place
from bot.errors import DirectorError
from bot.ports import Intake
from handlers.slack import views
from handlers.slack.private import ResponseUrls
from handlers.slack.text import escaped, received
from handlers.slack.wire import TROUBLE, Wire, best_effort, code

log = structlog.get_logger(__name__)

MEMBERSHIP_LIMIT = 0.8  # seconds; with the store's limit it has to fit into Slack's three
STORE_LIMIT = 1.8
MODAL_LIMIT = 1.8
_NO_NAMES = ("directmessage", "privategroup")  # what Slack calls conversations that it gives no name of
_POSTING = ("review", "digest", "add", "test", "resume")

# What goes back in the acknowledgement: a text only the person sees, or nothing.
Ack = str | None


class Commands:
    def __init__(
        self, wire: Wire, intake: Intake, urls: ResponseUrls, *, command: str, now: Callable[[], datetime]
    ) -> None:
        self._wire, self._intake, self._urls, self._command, self._now = wire, intake, urls, command, now

    async def run(self, payload: dict[str, Any]) -> Ack:
        """Take one command; the text for its acknowledgement."""
        text = received(payload.get("text") or "", me=self._wire.me)
        channel, person = payload["channel_id"], payload["user_id"]
        if payload.get("response_url"):
            self._urls.keep(channel, person, payload["response_url"])
        command = parse(text)
        if isinstance(command, Help):
            return HELP
        if isinstance(command, Unknown):
            return f"I don't know `{self._command} {_quoted(text)}`.\n\n{HELP}"
        posts_here = isinstance(command, MakePlan | Review | Digest) or (
            isinstance(command, Schedule) and command.rest.split(" ", 1)[0].lower() in _POSTING
        )
        if posts_here and not await self._member(channel):
            return self._uninvited(channel, text)
        if isinstance(command, MakePlan) and views.problem(command.initiative):
            return await self._asked_in_form(payload, channel, command.initiative)
        key = payload.get("trigger_id") or f"{channel}:{person}:{self._now().isoformat()}"
        stored = await self._stored(f"command:{key}", channel, person, text, payload.get("channel_name"))
        if not stored:
            again = self._again(text)
            return f"I could not store your request in time. If nothing appears, please send it again:\n{again}"
        match command:
            case MakePlan():
                return "I am working on the plan; it will appear in this channel."
            case Review() | Digest():
                return "I am on it; it will appear in this channel."
        return None

    async def submitted(self, view: dict[str, Any], person: str) -> dict[str, str] | None:
        """Take a submitted form; the errors to show in it, None when it was stored."""
        channel, initiative = views.submitted(view)
        wrong = views.problem(initiative)
        if wrong is not None:
            return {views.FIELD: wrong}
        key = f"view:{view['id']}:{view['hash']}"
        if not await self._stored(key, channel, person, f"plan new {initiative}"):
            return {views.FIELD: "I could not store this in time. Your text is still here: try again in a moment."}
        return None

    async def _stored(self, key: str, channel: str, person: str, text: str, name: str | None = None) -> bool:
        """Slack never delivers a command twice, so a failure is told to the person instead of being raised."""
        incoming = Incoming(
            kind=IncomingKind.COMMAND,
            dedupe_key=f"slack:{self._wire.team}:{key}",
            place=Place(platform="slack", workspace=self._wire.team, channel=channel),
            text=text,
            received_at=self._now(),
            speaker_id=person,
            channel_name=name if name not in _NO_NAMES else None,
        )
        try:
            async with asyncio.timeout(STORE_LIMIT):
                new = await self._intake.put(incoming)
        except (DirectorError, TimeoutError, OSError) as error:
            log.warning("slack.command_not_stored", kind=type(error).__name__, channel=channel)
            return False
        log.info("slack.command", channel=channel, new=new)
        return True

    async def _member(self, channel: str) -> bool:
        """Whether the Director can post here; yes when Slack doesn't say in time, for posting will tell."""
        try:
            async with asyncio.timeout(MEMBERSHIP_LIMIT):
                answer = await self._wire.client.conversations_info(channel=channel)
        except TROUBLE as error:
            return code(error) != "channel_not_found"
        found = answer.get("channel") or {}
        return bool(found.get("is_im") or found.get("is_member", True))

    def _uninvited(self, channel: str, text: str) -> str:
        again = f"and send it again:\n{self._again(text)}"
        if channel.startswith("D"):
            return f"I can't post in this conversation. Write to me directly or choose a channel that I am in, {again}"
        return f"I am not in this channel, so I can't post here. Invite me with `/invite @{self._wire.name}` {again}"

    async def _asked_in_form(self, payload: dict[str, Any], channel: str, initiative: str) -> Ack:
        call = self._wire.client.views_open(
            trigger_id=payload.get("trigger_id"), view=views.plan_form(channel, initiative)
        )
        failed = await best_effort(asyncio.wait_for(call, MODAL_LIMIT), "views.open")
        if failed is None:
            return None
        return (
            f"What should be achieved? Send it behind the command, for example:\n{self._again(f'plan {views.EXAMPLE}')}"
        )

    def _again(self, text: str) -> str:
        return f"`{self._command} {_quoted(text)}`"


def _quoted(text: str) -> str:
    """The person's own words inside a code mark, none lost."""
    return escaped(" ".join(text.split()).replace("`", "'"), line_start=False)
