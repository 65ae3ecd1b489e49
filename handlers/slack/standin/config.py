"""What the workspace on this machine looks like before anyone speaks: people, channels, the app and its limits."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import yaml

EVENTS = (
    "app_home_opened",
    "app_mention",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "reaction_added",
)


@dataclass(frozen=True, kw_only=True)
class User:
    """A person or a bot. `team_id` is None for people of this workspace, another team's id for external ones."""

    id: str
    name: str
    real_name: str
    tz: str = "Europe/London"
    is_admin: bool = False
    is_owner: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_bot: bool = False
    deleted: bool = False
    team_id: str | None = None
    color: str = "4b6bfb"


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A channel at the start. `members` None means every person of this workspace."""

    id: str
    name: str
    is_private: bool = False
    is_archived: bool = False
    is_ext_shared: bool = False
    bot_is_member: bool = True
    members: tuple[str, ...] | None = None
    topic: str = ""


@dataclass(frozen=True, kw_only=True)
class Command:
    command: str
    description: str = ""
    usage_hint: str = ""


_PEOPLE = (
    User(id="U0MAYA", name="maya", real_name="Maya Lindqvist", tz="Europe/London", color="4b6bfb"),
    User(id="U0OMAR", name="omar", real_name="Omar Haddad", tz="Europe/Berlin", is_admin=True, color="1a936f"),
    User(id="U0GUS", name="gus", real_name="Gus Okafor", tz="America/New_York", is_restricted=True, color="c1666b"),
    User(id="U0EVE", name="eve", real_name="Eve Partner", tz="Asia/Tokyo", team_id="T0PARTNER", color="8d5a97"),
)
_STAFF = ("U0MAYA", "U0OMAR")
_CHANNELS = (
    Channel(id="C0GENERAL", name="general", topic="Everything that concerns everybody"),
    Channel(id="C0PAYMENTS", name="payments", topic="Payments and checkout"),
    Channel(id="C0PLATFORM", name="platform", topic="Platform and reliability"),
    Channel(id="C0RANDOM", name="random", bot_is_member=False, topic="The bot was never invited here"),
    Channel(id="C0LEADS", name="leads", is_private=True, members=_STAFF, topic="Private, with the bot"),
    Channel(id="C0BOARD", name="board", is_private=True, bot_is_member=False, members=("U0OMAR",)),
    Channel(id="C0OLD", name="old-project", is_archived=True),
)


@dataclass(frozen=True, kw_only=True)
class StandinConfig:
    """Everything that can be chosen. `scopes` None grants all; `clock` gives seconds since 1970 and may be advanced."""

    team_id: str = "T0DEMO"
    team_name: str = "Demo"
    app_id: str = "A0DIRECTOR"
    bot: User = User(id="U0DIRECTOR", name="director", real_name="Director", is_bot=True, color="222f5b")
    bot_id: str = "B0DIRECTOR"
    users: tuple[User, ...] = _PEOPLE
    channels: tuple[Channel, ...] = _CHANNELS
    groups: tuple[tuple[str, tuple[str, ...]], ...] = (("S0LEADS", ("U0MAYA",)),)  # user groups and their members
    commands: tuple[Command, ...] = (
        Command(command="/director", description="Ask the Director", usage_hint="help | status | review | plan …"),
    )
    events: tuple[str, ...] = EVENTS
    scopes: frozenset[str] | None = None
    me: str = "U0MAYA"
    note: str = ""
    suggestions: tuple[str, ...] = ()
    bot_token: str = "xoxb-standin-0000"  # noqa: S105 - this workspace's own, worthless elsewhere
    app_token: str = "xapp-standin-0000"  # noqa: S105
    signing_secret: str = "standin-signing-secret"  # noqa: S105
    streaming: bool = True
    data_visualization: bool = True
    delivery: Literal["socket", "http"] = "socket"
    events_url: str | None = None
    ack_seconds: float = 3.0
    retry_delays: tuple[float, ...] = (0.0, 60.0, 300.0)
    time_scale: float = 1.0  # multiplies retry_delays
    trigger_seconds: float | None = 3.0  # None: trigger ids don't expire
    stream_seconds: float = 300.0
    response_url_seconds: float = 1800.0
    ping_seconds: float = 10.0
    rate_limits: bool = False
    clock: Callable[[], float] = field(default=time.time)

    def with_manifest(self, path: Path) -> StandinConfig:
        """This workspace with the app installed as a Slack manifest says: its name, events, scopes and commands."""
        manifest: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        features, settings = manifest.get("features", {}), manifest.get("settings", {})
        scopes = manifest.get("oauth_config", {}).get("scopes", {}).get("bot")
        name = features.get("bot_user", {}).get("display_name", self.bot.real_name)
        return replace(
            self,
            bot=replace(self.bot, real_name=name),
            events=tuple(settings.get("event_subscriptions", {}).get("bot_events", ())),
            scopes=None if scopes is None else frozenset(scopes),
            commands=tuple(
                Command(
                    command=command["command"],
                    description=command.get("description", ""),
                    usage_hint=command.get("usage_hint", ""),
                )
                for command in features.get("slash_commands", ())
            ),
        )
