"""What the app is told: Slack events made from what happens in the workspace."""

from __future__ import annotations

from handlers.slack.standin.courier import Courier
from handlers.slack.standin.messages import Change, Json
from handlers.slack.standin.workspace import Conversation, Notice, Reacted, Workspace

_SUBSCRIPTION = {"channel": "message.channels", "group": "message.groups", "im": "message.im", "mpim": "message.mpim"}


class Events:
    """Watches the workspace and hands over what the app subscribed to, in conversations that the bot is in."""

    def __init__(self, workspace: Workspace, courier: Courier) -> None:
        self._workspace = workspace
        self._courier = courier
        workspace.watch(self._notice)

    def home_opened(self, user: str, tab: str, view: Json | None) -> None:
        event: Json = {
            "type": "app_home_opened",
            "user": user,
            "channel": self._workspace.direct(user).id,
            "tab": tab,
            "event_ts": self._workspace.new_ts(),
        }
        if view is not None:
            event["view"] = view
        self._hand("app_home_opened", event)

    def joined(self, conversation: Conversation, *, inviter: str) -> None:
        """The bot becomes a member of a channel."""
        config = self._workspace.config
        if config.bot.id in conversation.members:
            return
        conversation.members.add(config.bot.id)
        self._workspace.post(
            conversation.id, config.bot.id, method="(joined)", subtype="channel_join", text="joined the channel"
        )
        event = {
            "type": "member_joined_channel",
            "user": config.bot.id,
            "channel": conversation.id,
            "channel_type": "G" if conversation.is_private else "C",
            "team": config.team_id,
            "inviter": inviter,
            "event_ts": self._workspace.new_ts(),
        }
        self._hand("member_joined_channel", event)

    def hand(self, event: Json) -> None:
        """Hand any event over, subscribed or not."""
        self._courier.event(self._wrapped(event))

    def _hand(self, subscription: str, event: Json) -> None:
        if subscription in self._workspace.config.events:
            self.hand(event)

    def _notice(self, notice: Notice) -> None:
        if isinstance(notice, Change):
            self._message(notice)
        elif isinstance(notice, Reacted):
            self._reaction(notice)

    def _message(self, change: Change) -> None:
        message = change.message
        conversation = self._workspace.conversations[message.channel]
        if change.quiet or message.ephemeral_to or self._workspace.config.bot.id not in conversation.members:
            return
        common = {"channel": conversation.id, "channel_type": conversation.kind}
        told = {key: value for key, value in change.snapshot.items() if key != "metadata"}
        if change.kind == "created":
            event = {**told, **common, "event_ts": message.ts, **self._author(change)}
            self._hand(_SUBSCRIPTION[conversation.kind], event)
            self._mention(event, conversation)
            return
        stamp = self._workspace.new_ts()
        event = {"type": "message", "hidden": True, "ts": stamp, "event_ts": stamp, **common}
        if change.kind == "changed":
            event |= {"subtype": "message_changed", "message": told, "previous_message": change.before}
        else:
            event |= {"subtype": "message_deleted", "deleted_ts": message.ts, "previous_message": change.before}
        self._hand(_SUBSCRIPTION[conversation.kind], event)

    def _author(self, change: Change) -> Json:
        user = self._workspace.users[change.message.user]
        if change.message.by_bot:
            return {}
        made: Json = {"client_msg_id": f"msg-{change.message.ts}"}
        if user.team_id is not None:
            made |= {"user_team": user.team_id, "source_team": user.team_id}
        return made

    def _mention(self, event: Json, conversation: Conversation) -> None:
        mentioned = f"<@{self._workspace.config.bot.id}>" in event["text"]
        if mentioned and not conversation.is_direct and "bot_id" not in event:
            mention = {key: value for key, value in event.items() if key not in ("channel_type", "subtype")}
            self._hand("app_mention", {**mention, "type": "app_mention"})

    def _reaction(self, notice: Reacted) -> None:
        message = self._workspace.find(notice.channel, notice.ts)
        event = {
            "type": "reaction_added",
            "user": notice.user,
            "reaction": notice.name,
            "item": {"type": "message", "channel": notice.channel, "ts": notice.ts},
            "item_user": message.user if message else None,
            "event_ts": self._workspace.new_ts(),
        }
        self._hand("reaction_added", event)

    def _wrapped(self, event: Json) -> Json:
        config = self._workspace.config
        conversation = self._workspace.conversations.get(str(event.get("channel")))
        return {
            "token": "standin",
            "team_id": config.team_id,
            "api_app_id": config.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": self._workspace.new_id("Ev"),
            "event_time": int(self._workspace.now()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": config.team_id,
                    "user_id": config.bot.id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": conversation is not None and conversation.is_ext_shared,
            "event_context": "standin",
        }
