"""Bolt's listeners: each translates, stores and acknowledges, in this order."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

from bot.domain import Place, Signal, SignalKind
from bot.errors import DirectorError
from bot.ports import Intake
from handlers.slack import views
from handlers.slack.commands import Commands
from handlers.slack.events import STORE_LIMIT, Events, Follows
from handlers.slack.private import ResponseUrls
from handlers.slack.render import button_verb
from handlers.slack.wire import Wire, best_effort, sdk_log

log = structlog.get_logger(__name__)

COMMAND = "/director"
_ANY = re.compile(".*", re.DOTALL)


def listening(
    wire: Wire,
    intake: Intake,
    *,
    signing_secret: str,
    urls: ResponseUrls,
    follows: Follows,
    now: Callable[[], datetime],
) -> AsyncApp:
    """A Bolt app that puts what is for the Director into the intake."""
    app = _bolt(wire, signing_secret)
    events = Events(wire, intake, follows=follows, now=now)
    commands = Commands(wire, intake, urls, command=COMMAND, now=now)

    async def on_message(event: dict[str, Any]) -> None:
        await events.message(event)

    async def on_home(event: dict[str, Any]) -> None:
        if event.get("tab", "home") == "home":
            await best_effort(
                asyncio.wait_for(wire.client.views_publish(user_id=event["user"], view=views.home(wire.name)), 2.0),
                "views.publish",
            )

    async def on_command(ack: Callable[..., Awaitable[Any]], command: dict[str, Any]) -> None:
        text = await commands.run(command)
        await (ack(text=text, response_type="ephemeral") if text else ack())

    async def on_view(ack: Callable[..., Awaitable[Any]], view: dict[str, Any], body: dict[str, Any]) -> None:
        errors = await commands.submitted(view, body["user"]["id"])
        await (ack(response_action="errors", errors=errors) if errors else ack())

    async def on_button(ack: Callable[..., Awaitable[Any]], body: dict[str, Any], action: dict[str, Any]) -> None:
        await _clicked(wire, intake, body, action, now())
        await ack()

    async def ignored(ack: Callable[..., Awaitable[Any]]) -> None:
        await ack()

    app.event("app_mention")(on_message)
    app.event("message")(on_message)
    app.event("app_home_opened")(on_home)
    app.command(COMMAND)(on_command)
    app.view(views.PLAN)(on_view)
    app.action(_ANY)(on_button)
    # What isn't handled is acknowledged, or Slack sends it again and again.
    app.event(_ANY)(ignored)
    app.view(_ANY)(ignored)
    app.view_closed(_ANY)(ignored)
    app.shortcut(_ANY)(ignored)
    app.command(_ANY)(ignored)
    app.error(_not_stored)
    return app


async def _not_stored(error: Exception) -> None:
    """Bolt answers 500 (Socket Mode: nothing), and Slack delivers it again."""
    reason = str(error) if isinstance(error, DirectorError) else ""  # others may quote what was to be stored
    log.error("slack.not_stored", kind=type(error).__name__, reason=reason)


def _bolt(wire: Wire, signing_secret: str) -> AsyncApp:
    async def authorize(**_: Any) -> AuthorizeResult:
        # Bolt's own way asks auth.test, and loses the event with a 200 when that fails.
        return AuthorizeResult(
            enterprise_id=None, team_id=wire.team, bot_user_id=wire.me, bot_id=wire.bot_id, bot_token=wire.client.token
        )

    return AsyncApp(
        logger=sdk_log,
        name="director",
        signing_secret=signing_secret,
        authorize=authorize,
        process_before_response=True,  # the acknowledgement follows the commit
        attaching_conversation_kwargs_enabled=False,
    )


async def _clicked(wire: Wire, intake: Intake, body: dict[str, Any], action: dict[str, Any], at: datetime) -> None:
    verb = button_verb(action.get("action_id", ""))
    if verb not in (kind.value for kind in SignalKind):
        log.info("slack.click_ignored", verb=verb)
        return
    message, channel = body.get("message") or {}, (body.get("channel") or {}).get("id")
    if not channel or not message.get("ts"):
        return
    thread = message.get("thread_ts") or ("" if channel.startswith("D") else message["ts"])
    person = body["user"]["id"]
    signal = Signal(
        kind=SignalKind(verb),
        dedupe_key=f"slack:{wire.team}:click:{person}:{message['ts']}:{action.get('action_ts', '')}",
        place=Place(platform="slack", workspace=wire.team, channel=channel, thread=thread),
        person_id=person,
        at=at,
    )
    async with asyncio.timeout(STORE_LIMIT):
        await intake.signal(signal)
