"""The state of the workspace: who is where, what was said, which views stand; everyone who watches is told."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from handlers.slack.standin.config import StandinConfig, User
from handlers.slack.standin.messages import Change, Json, Message


@dataclass(kw_only=True)
class Conversation:
    """A channel, private channel, direct message or group direct message. `user` is the person of a direct message."""

    id: str
    name: str
    kind: Literal["channel", "group", "im", "mpim"]
    members: set[str]
    is_archived: bool = False
    is_ext_shared: bool = False
    topic: str = ""
    user: str | None = None
    created: int = 0

    @property
    def is_private(self) -> bool:
        return self.kind != "channel"

    @property
    def is_direct(self) -> bool:
        return self.kind in ("im", "mpim")


@dataclass(frozen=True, kw_only=True)
class StatusShown:
    channel: str
    thread_ts: str
    status: str


@dataclass(frozen=True, kw_only=True)
class ViewShown:
    user: str
    view: Json


@dataclass(frozen=True, kw_only=True)
class ViewClosed:
    user: str
    view_id: str


@dataclass(frozen=True, kw_only=True)
class HomePublished:
    user: str
    view: Json


@dataclass(frozen=True, kw_only=True)
class Reacted:
    user: str
    channel: str
    ts: str
    name: str


Notice = Change | StatusShown | ViewShown | ViewClosed | HomePublished | Reacted
Watcher = Callable[[Notice], None]


@dataclass(kw_only=True)
class StoredFile:
    """An uploaded file; usable once its upload was completed."""

    id: str
    name: str
    title: str
    length: int
    user: str
    content: bytes | None = None
    completed: bool = False
    alt_text: str = ""
    channels: list[str] = field(default_factory=list)


class Workspace:
    """Everything that stands in this workspace. Times come from the configuration's clock."""

    def __init__(self, config: StandinConfig) -> None:
        self.config = config
        self.users: dict[str, User] = {user.id: user for user in (config.bot, *config.users)}
        self.conversations: dict[str, Conversation] = {}
        self.messages: dict[tuple[str, str], Message] = {}
        self._by_channel: dict[str, list[Message]] = {}
        self._by_root: dict[tuple[str, str], list[Message]] = {}
        self.files: dict[str, StoredFile] = {}
        self.base_url = ""
        self._watchers: list[Watcher] = []
        self._last_tick = 0
        self._numbers = itertools.count(1)
        now = int(self.now())
        staff = {user.id for user in config.users if user.team_id is None and not user.deleted}
        for channel in config.channels:
            members = staff if channel.members is None else set(channel.members)
            self.conversations[channel.id] = Conversation(
                id=channel.id,
                name=channel.name,
                kind="group" if channel.is_private else "channel",
                members=members | ({config.bot.id} if channel.bot_is_member else set()),
                is_archived=channel.is_archived,
                is_ext_shared=channel.is_ext_shared,
                topic=channel.topic,
                created=now,
            )
        for user in config.users:
            self.direct(user.id)

    # --- watching ---

    def watch(self, watcher: Watcher) -> None:
        self._watchers.append(watcher)

    def tell(self, notice: Notice) -> None:
        for watcher in self._watchers:
            watcher(notice)

    # --- names and times ---

    def now(self) -> float:
        return self.config.clock()

    def new_ts(self) -> str:
        """A message id: unique in the whole workspace and always later than the last one."""
        self._last_tick = max(int(self.now() * 1_000_000), self._last_tick + 1)
        return f"{self._last_tick // 1_000_000}.{self._last_tick % 1_000_000:06d}"

    def new_id(self, prefix: str) -> str:
        return f"{prefix}0{next(self._numbers):07d}"

    # --- conversations ---

    def direct(self, user: str) -> Conversation:
        """The direct message between the bot and this person."""
        identity = f"D{user[1:]}"
        if identity not in self.conversations:
            self.conversations[identity] = Conversation(
                id=identity,
                name=user,
                kind="im",
                members={user, self.config.bot.id},
                user=user,
                created=int(self.now()),
            )
        return self.conversations[identity]

    def conversation(self, name: str) -> Conversation | None:
        """By id, `#name`, name, or a person's id (their direct message)."""
        if name in self.conversations:
            return self.conversations[name]
        if name in self.users and name != self.config.bot.id:
            return self.direct(name)
        plain = name.removeprefix("#")
        return next((one for one in self.conversations.values() if not one.is_direct and one.name == plain), None)

    # --- messages ---

    def in_conversation(self, channel: str) -> Iterator[Message]:
        """Messages of a conversation that stand, oldest first, thread replies included."""
        for message in self._by_channel.get(channel, ()):
            if not message.deleted:
                yield message

    def thread(self, channel: str, root: str) -> list[Message]:
        """A root and its replies that stand, oldest first."""
        held = self._by_root.get((channel, root), ())
        return [one for one in held if not one.deleted and one.ephemeral_to is None]

    def find(self, channel: str, ts: str) -> Message | None:
        message = self.messages.get((channel, ts))
        return None if message is None or message.deleted else message

    def as_json(self, message: Message, *, metadata: bool = False) -> Json:
        """As Slack returns it, with what only the workspace knows: the bot's profile and the count of replies."""
        made = message.as_json(metadata=metadata)
        made["team"] = self.config.team_id
        if message.by_bot:
            made["bot_id"], made["app_id"] = self.config.bot_id, self.config.app_id
            made["bot_profile"] = self.bot_profile()
        replies = [one for one in self.thread(message.channel, message.ts) if one.ts != message.ts]
        if replies:
            people = list(dict.fromkeys(one.user for one in replies))
            made.update(
                thread_ts=message.ts,
                reply_count=len(replies),
                reply_users=people,
                reply_users_count=len(people),
                latest_reply=replies[-1].ts,
                subscribed=False,
                is_locked=False,
            )
        elif message.thread_ts is not None:
            root = self.find(message.channel, message.thread_ts)
            if root is not None:
                made["parent_user_id"] = root.user
        return made

    def bot_profile(self) -> Json:
        config = self.config
        return {
            "id": config.bot_id,
            "app_id": config.app_id,
            "name": config.bot.real_name,
            "team_id": config.team_id,
            "deleted": False,
        }

    def post(self, channel: str, user: str, *, method: str, **content: Any) -> Message:
        """Add a message and tell everyone."""
        message = Message(channel=channel, ts=self.new_ts(), user=user, by_bot=user == self.config.bot.id, **content)
        self.messages[channel, message.ts] = message
        self._by_channel.setdefault(channel, []).append(message)
        self._by_root.setdefault((channel, message.root), []).append(message)
        self._record("created", message, before=None, by=user, method=method)
        return message

    def change(self, message: Message, *, by: str, method: str, quiet: bool = False, **content: Any) -> None:
        before = self.as_json(message)
        for name, value in content.items():
            setattr(message, name, value)
        self._record("changed", message, before=before, by=by, method=method, quiet=quiet)

    def delete(self, message: Message, *, by: str, method: str) -> None:
        before = self.as_json(message)
        message.deleted = True
        self._record("deleted", message, before=before, by=by, method=method)

    def _record(
        self,
        kind: Literal["created", "changed", "deleted"],
        message: Message,
        *,
        before: Json | None,
        by: str,
        method: str,
        quiet: bool = False,
    ) -> None:
        change = Change(
            kind=kind,
            message=message,
            snapshot=self.as_json(message, metadata=True),
            before=before,
            by=by,
            method=method,
            at=self.now(),
            quiet=quiet,
        )
        message.changes.append(change)
        self.tell(change)


Method = Callable[[Workspace, Json], Json]
"""A Web API method: checked arguments in, the answer without its `ok` out; raises Refused."""
