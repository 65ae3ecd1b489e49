"""The edges of the chat platforms, opened from the settings. Each platform's code is imported only where it is used."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.errors import UsageError

if TYPE_CHECKING:
    from bot.ports import Intake
    from bot.references import References
    from bot.settings import Settings, TeamsSettings
    from handlers.slack.app import SlackEdge
    from handlers.teams.app import TeamsEdge

NO_CHAT = (
    "There is no chat to serve. For Slack set SLACK_BOT_TOKEN and SLACK_APP_TOKEN (Socket Mode) or "
    "SLACK_SIGNING_SECRET (HTTP): docs/slack.md. For Microsoft Teams set TEAMS_CLIENT_ID, TEAMS_CLIENT_SECRET "
    "and TEAMS_TENANT_ID: docs/teams.md. `make demo` needs none."
)


@asynccontextmanager
async def slack_edge(settings: Settings, intake: Intake | None) -> AsyncIterator[SlackEdge]:
    """The Slack edge, identified but not listening; without an intake it only posts.

    Raises:
        UsageError: there is no token, or Slack refuses it.
    """
    from handlers.slack.app import build  # noqa: PLC0415

    if settings.slack is None:
        raise UsageError("Slack is not configured: set SLACK_BOT_TOKEN (docs/slack.md).")
    channels = settings.file.channels

    def follows(channel: str) -> bool:
        return channel in channels and channels[channel].follow_threads

    edge = build(settings.slack, intake, follow_threads=follows)
    await edge.open()
    try:
        yield edge
    finally:
        await edge.close()


@asynccontextmanager
async def teams_edge(
    settings: TeamsSettings | None, intake: Intake | None, references: References
) -> AsyncIterator[TeamsEdge]:
    """The Teams edge; without settings the one for a playground on this machine, without an intake it only posts.

    Raises:
        UsageError: the extra isn't installed, or Microsoft refuses the credentials.
    """
    await teams_sdk()
    from handlers.teams.app import build, playground  # noqa: PLC0415

    edge = playground(intake, references) if settings is None else build(settings, intake, references)
    await edge.open()
    try:
        yield edge
    finally:
        await edge.close()


async def check_slack(settings: Settings) -> str:
    """What `director doctor` says of Slack. Raises DirectorError with what to do."""
    async with slack_edge(settings, None) as edge:
        return f"connected to workspace {edge.team} as @{edge.name}"


async def check_teams(settings: TeamsSettings) -> str:
    """What `director doctor` says of Teams. Raises DirectorError with what to do."""
    await teams_sdk()
    from handlers.teams.app import build  # noqa: PLC0415

    edge = build(settings, None, None)
    try:
        return await edge.check()
    finally:
        await edge.close()


async def teams_sdk() -> None:
    """Import it, which takes more than a second. Raises UsageError with what to install."""
    await asyncio.to_thread(importlib.import_module, "handlers.teams.sdk")
