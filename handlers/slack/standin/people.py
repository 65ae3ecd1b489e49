"""What people do in the workspace: speak, command, click, fill in a modal, open the app's Home."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from handlers.slack.standin import chat, directory, interactions
from handlers.slack.standin.courier import Courier, Receipt
from handlers.slack.standin.events import Events
from handlers.slack.standin.messages import Json, Message
from handlers.slack.standin.refusal import Refused
from handlers.slack.standin.response_urls import ResponseUrls
from handlers.slack.standin.speech import stored
from handlers.slack.standin.views import Views
from handlers.slack.standin.workspace import Conversation, Workspace

INVITE = "/invite"  # Slack's own command; the app is the only one that can be invited here


class CannotDo(Exception):
    """Slack's own client wouldn't let this person do this; the text says why."""


@dataclass(frozen=True, kw_only=True)
class CommandResult:
    """The app's acknowledgement of a command. `error` is set when there was none or Slack couldn't read it."""

    text: str = ""
    blocks: tuple[Json, ...] = ()
    response_type: str = "ephemeral"
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class ViewResult:
    """What became of a submitted modal: errors by block id, or the view that stands now (None: it is closed)."""

    errors: dict[str, str] = field(default_factory=dict)
    view: Json | None = None
    error: str | None = None


class People:
    def __init__(
        self, workspace: Workspace, courier: Courier, events: Events, views: Views, urls: ResponseUrls
    ) -> None:
        self._workspace = workspace
        self._courier = courier
        self._events = events
        self._views = views
        self._urls = urls

    def say(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> str:
        """Post as a person; returns the message's ts. `@Director` and `<@U…>` are both mentions."""
        conversation = self._place(user, channel)
        conversation.members.add(user)  # whoever speaks in a public channel joins it
        if conversation.is_archived:
            raise CannotDo(f"#{conversation.name} is archived")
        root = chat.thread_root(self._workspace, conversation.id, thread_ts)
        message = self._workspace.post(
            conversation.id, user, method="person", text=stored(self._workspace, text), thread_ts=root
        )
        return message.ts

    def edit(self, user: str, channel: str, ts: str, text: str) -> None:
        message = self._own(user, channel, ts)
        edited = {"user": user, "ts": self._workspace.new_ts()}
        self._workspace.change(message, by=user, method="person", text=stored(self._workspace, text), edited=edited)

    def remove(self, user: str, channel: str, ts: str) -> None:
        self._workspace.delete(self._own(user, channel, ts), by=user, method="person")

    def invite(self, user: str, channel: str) -> None:
        """Bring the app's bot into a channel."""
        conversation = self._place(user, channel)
        if conversation.is_direct:
            raise CannotDo(f"{user} can't invite anyone to {channel}")
        self._events.joined(conversation, inviter=user)

    def react(self, user: str, channel: str, ts: str, name: str) -> None:
        directory.react(self._workspace, user, self._place(user, channel).id, ts, name)

    async def command(self, user: str, channel: str, command: str, text: str = "") -> CommandResult:
        """Send a slash command; what the app acknowledges with is shown to the person as Slack shows it."""
        conversation = self._place(user, channel)
        if command == INVITE:
            self.invite(user, channel)
            return CommandResult()
        if command not in {known.command for known in self._workspace.config.commands}:
            raise CannotDo(f"{command} is not a valid command here")
        config = self._workspace.config
        payload = {
            "token": "standin",
            "team_id": config.team_id,
            "team_domain": config.team_name.lower(),
            "channel_id": conversation.id,
            "channel_name": "directmessage" if conversation.kind == "im" else conversation.name,
            "user_id": user,
            "user_name": self._workspace.users[user].name,
            "command": command,
            "text": text,
            "api_app_id": config.app_id,
            "is_enterprise_install": "false",
            "response_url": self._urls.issue(conversation.id, user),
            "trigger_id": self._views.trigger(user),
        }
        receipt = await self._courier.once("slash_commands", payload)
        return self._shown(conversation, user, command, receipt)

    async def click(self, user: str, channel: str, ts: str, action_id: str, value: str | None = None) -> Receipt:
        """Press the button with this action id (and value) in a message."""
        message = self._message(user, channel, ts)
        told = self._workspace.as_json(message)
        for block, element in interactions.elements(told.get("blocks", [])):
            if element["action_id"] == action_id and value in (None, element.get("value")):
                return await self._act(user, message, block, element, {})
        raise CannotDo(f"the message {ts} has no element {action_id!r}" + (f" with value {value!r}" if value else ""))

    async def act(self, user: str, channel: str, ts: str, given: Mapping[str, Any]) -> Receipt:
        """What the page sends: an action with its block id, action id and chosen value."""
        message = self._message(user, channel, ts)
        block, element = _found(self._workspace.as_json(message).get("blocks", []), given)
        return await self._act(user, message, block, element, given)

    async def act_in_view(self, user: str, view_id: str, given: Mapping[str, Any]) -> Receipt:
        """An action in a modal or in the Home."""
        found = self._views.find(view_id)
        if found is None or found[0] != user:
            raise CannotDo(f"{user} has no view {view_id}")
        view = found[1]
        block, element = _found(view["blocks"], given)
        payload = {
            **interactions.common(self._workspace, user, "block_actions"),
            "container": {"type": "view", "view_id": view_id},
            "view": view,
            "trigger_id": self._views.trigger(user),
            "actions": [interactions.action(block, element, given, self._workspace.new_ts())],
        }
        return await self._courier.once("interactive", payload)

    async def submit_view(self, user: str, view_id: str, values: Mapping[str, Mapping[str, Any]]) -> ViewResult:
        """Submit the modal with `values` by block id and action id."""
        view = self._modal(user, view_id)
        entered = interactions.state(view, values)
        errors = interactions.missing(view, entered)
        if errors:
            return ViewResult(errors=errors, view=view)
        payload = {
            **interactions.common(self._workspace, user, "view_submission"),
            "trigger_id": self._views.trigger(user),
            "view": {**view, "state": entered},
            "response_urls": [],
        }
        receipt = await self._courier.once("interactive", payload)
        if not receipt.acknowledged:
            return ViewResult(view=view, error=receipt.reason)
        return self._answered(user, view, receipt.body or {})

    async def close_view(self, user: str, view_id: str) -> None:
        view = self._modal(user, view_id)
        self._views.close(user, view_id)
        if view["notify_on_close"]:
            payload = {
                **interactions.common(self._workspace, user, "view_closed"),
                "view": view,
                "is_cleared": False,
            }
            await self._courier.once("interactive", payload)

    def open_home(self, user: str, tab: str = "home") -> None:
        self._known(user)
        self._events.home_opened(user, tab, self._views.homes.get(user))

    # --- what lies behind ---

    def _answered(self, user: str, view: Json, body: Json) -> ViewResult:
        action = body.get("response_action")
        try:
            match action:
                case "errors":
                    errors = body.get("errors") or {}
                    known = {block["block_id"] for block in view["blocks"]}
                    if not errors or not set(errors) <= known:
                        return ViewResult(view=view, error=f"errors name unknown blocks: {sorted(errors)}")
                    return ViewResult(errors=dict(errors), view=view)
                case "update":
                    return ViewResult(view=self._views.replace(user, view["id"], body["view"]))
                case "push":
                    return ViewResult(view=self._views.put_on_top(user, body["view"]))
                case "clear":
                    self._views.close(user, view["id"], all_of_them=True)
                    return ViewResult()
                case None:
                    self._views.close(user, view["id"])
                    return ViewResult(view=self._views.shown(user))
                case _:
                    return ViewResult(view=view, error=f"unknown response_action: {action}")
        except (Refused, KeyError) as problem:
            return ViewResult(view=view, error=str(problem))

    async def _act(self, user: str, message: Message, block: Json, element: Json, given: Mapping[str, Any]) -> Receipt:
        told = self._workspace.as_json(message, metadata=True)
        if message.ephemeral_to:
            told["is_ephemeral"] = True
        payload = interactions.block_actions(
            self._workspace,
            user,
            self._workspace.conversations[message.channel],
            told,
            interactions.action(block, element, given, self._workspace.new_ts()),
            trigger_id=self._views.trigger(user),
            response_url=self._urls.issue(message.channel, user, message.ts),
        )
        return await self._courier.once("interactive", payload)

    def _shown(self, conversation: Conversation, user: str, command: str, receipt: Receipt) -> CommandResult:
        if not receipt.acknowledged:
            error = "operation_timeout" if "timeout" in receipt.reason else "dispatch_failed"
            self._to_person(conversation, user, text=f"{command} failed with the error “{error}”")
            return CommandResult(error=error)
        body = receipt.body or {}
        if not body.get("text") and not body.get("blocks"):
            return CommandResult()
        try:
            made = chat.content(self._workspace, body, text_limit=None)
        except Refused as refused:
            self._to_person(conversation, user, text=f"{command} failed with the error “invalid_command_response”")
            return CommandResult(error=f"invalid_command_response: {refused.error} {list(refused.messages)}")
        to_all = body.get("response_type") == "in_channel"
        self._to_person(conversation, None if to_all else user, **made)
        return CommandResult(
            text=body.get("text", ""),
            blocks=tuple(body.get("blocks") or ()),
            response_type="in_channel" if to_all else "ephemeral",
        )

    def _to_person(self, conversation: Conversation, user: str | None, **content: Any) -> None:
        self._workspace.post(
            conversation.id, self._workspace.config.bot.id, method="(command ack)", ephemeral_to=user, **content
        )

    def _known(self, user: str) -> None:
        if user not in self._workspace.users:
            raise CannotDo(f"there is no user {user}")

    def _place(self, user: str, channel: str) -> Conversation:
        self._known(user)
        found = self._workspace.conversation(channel)
        if found is None or (found.is_private and user not in found.members):
            raise CannotDo(f"{user} sees no channel {channel}")
        return found

    def _message(self, user: str, channel: str, ts: str) -> Message:
        message = self._workspace.find(self._place(user, channel).id, ts)
        if message is None or message.ephemeral_to not in (None, user):
            raise CannotDo(f"there is no message {ts} in {channel}")
        return message

    def _own(self, user: str, channel: str, ts: str) -> Message:
        message = self._message(user, channel, ts)
        if message.user != user:
            raise CannotDo(f"{user} didn't write the message {ts}")
        return message

    def _modal(self, user: str, view_id: str) -> Json:
        found = self._views.find(view_id)
        if found is None or found[0] != user or found[1]["type"] != "modal":
            raise CannotDo(f"{user} has no modal {view_id}")
        return found[1]


def _found(blocks: list[Json], given: Mapping[str, Any]) -> tuple[Json, Json]:
    for block, element in interactions.elements(blocks):
        same_block = given.get("block_id") in (None, block["block_id"])
        same_value = given.get("value") in (None, element.get("value")) or element["type"] != "button"
        if same_block and same_value and element["action_id"] == given.get("action_id"):
            return block, element
    raise CannotDo(f"there is no element {given.get('action_id')!r} here")
