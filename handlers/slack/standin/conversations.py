"""conversations.*: which conversations there are and what was said in them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from handlers.slack.standin.messages import Json, Message
from handlers.slack.standin.refusal import Refused
from handlers.slack.standin.scopes import READ_SCOPES, demand
from handlers.slack.standin.workspace import Conversation, Workspace

_KIND_NAMES = {"channel": "public_channel", "group": "private_channel", "im": "im", "mpim": "mpim"}
Item = TypeVar("Item")


def page(items: Sequence[Item], args: Json, *, default: int, most: int) -> tuple[list[Item], str]:
    """One page of a list and the cursor of the next; an empty cursor says that this is the last."""
    limit = args.get("limit") or default
    if not 1 <= limit <= most:
        raise Refused("invalid_limit")
    start = 0
    if args.get("cursor"):
        try:
            start = int(base64.b64decode(args["cursor"], validate=True).decode().removeprefix("next:"))
        except (ValueError, binascii.Error):
            raise Refused("invalid_cursor") from None
    more = start + limit < len(items)
    cursor = base64.b64encode(f"next:{start + limit}".encode()).decode() if more else ""
    return list(items[start : start + limit]), cursor


def visible(workspace: Workspace, method: str, name: str) -> Conversation:
    """A conversation that the bot may read about: every public one, and the private ones that it is in."""
    found = workspace.conversations.get(name)
    if found is None:
        raise Refused("channel_not_found")
    demand(workspace.config.scopes, method, found)
    if found.is_private and workspace.config.bot.id not in found.members:
        raise Refused("channel_not_found")
    return found


def described(workspace: Workspace, conversation: Conversation) -> Json:
    if conversation.kind == "im":
        return {
            "id": conversation.id,
            "created": conversation.created,
            "is_im": True,
            "is_org_shared": False,
            "is_archived": conversation.is_archived,
            "user": conversation.user,
        }
    return {
        "id": conversation.id,
        "name": conversation.name,
        "name_normalized": conversation.name,
        "is_channel": conversation.kind == "channel",
        "is_group": False,
        "is_im": False,
        "is_mpim": conversation.kind == "mpim",
        "is_private": conversation.is_private,
        "is_archived": conversation.is_archived,
        "is_general": conversation.name == "general",
        "is_member": workspace.config.bot.id in conversation.members,
        "is_shared": conversation.is_ext_shared,
        "is_ext_shared": conversation.is_ext_shared,
        "is_org_shared": False,
        "created": conversation.created,
        "context_team_id": workspace.config.team_id,
        "topic": {"value": conversation.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def _listed(workspace: Workspace, args: Json, allowed: Callable[[Conversation], bool]) -> Json:
    kinds = [kind.strip() for kind in (args.get("types") or "public_channel").split(",")]
    if not set(kinds) <= set(READ_SCOPES):
        raise Refused("invalid_types")
    granted = workspace.config.scopes
    for kind in kinds:
        if granted is not None and READ_SCOPES[kind] not in granted:
            raise Refused("missing_scope", needed=READ_SCOPES[kind], provided=",".join(sorted(granted)))
    found = [
        conversation
        for conversation in workspace.conversations.values()
        if _KIND_NAMES[conversation.kind] in kinds
        and allowed(conversation)
        and not (args.get("exclude_archived") and conversation.is_archived)
    ]
    items, cursor = page(found, args, default=100, most=1000)
    return {
        "channels": [described(workspace, conversation) for conversation in items],
        "response_metadata": {"next_cursor": cursor},
    }


def listing(workspace: Workspace, args: Json) -> Json:
    bot = workspace.config.bot.id
    return _listed(workspace, args, lambda one: not one.is_private or bot in one.members)


def of_user(workspace: Workspace, args: Json) -> Json:
    """users.conversations: those that a user (the bot, unless said otherwise) is a member of."""
    user, bot = args.get("user", workspace.config.bot.id), workspace.config.bot.id
    return _listed(workspace, args, lambda one: user in one.members and (not one.is_private or bot in one.members))


def info(workspace: Workspace, args: Json) -> Json:
    conversation = visible(workspace, "conversations.info", args["channel"])
    made = described(workspace, conversation)
    if args.get("include_num_members"):
        made["num_members"] = len(conversation.members)
    return {"channel": made}


def members(workspace: Workspace, args: Json) -> Json:
    conversation = visible(workspace, "conversations.members", args["channel"])
    items, cursor = page(sorted(conversation.members), args, default=100, most=1000)
    return {"members": items, "response_metadata": {"next_cursor": cursor}}


def _within(messages: Sequence[Message], args: Json) -> list[Message]:
    oldest, latest = args.get("oldest") or "0", args.get("latest")
    inclusive = args.get("inclusive", False)

    def inside(ts: str) -> bool:
        at, low = float(ts), float(oldest)
        high = float(latest) if latest else float("inf")
        return low <= at <= high if inclusive else low < at < high

    return [message for message in messages if inside(message.ts)]


def _answered(workspace: Workspace, items: list[Message], cursor: str, args: Json) -> Json:
    metadata = args.get("include_all_metadata", False)
    made: Json = {
        "messages": [workspace.as_json(message, metadata=metadata) for message in items],
        "has_more": bool(cursor),
    }
    if cursor:
        made["response_metadata"] = {"next_cursor": cursor}
    return made


def history(workspace: Workspace, args: Json) -> Json:
    """Root messages (and replies that were also sent to the channel), newest first."""
    conversation = _readable(workspace, "conversations.history", args["channel"])
    standing = [
        message
        for message in workspace.in_conversation(conversation.id)
        if message.ephemeral_to is None and (message.thread_ts is None or message.broadcast)
    ]
    items, cursor = page(_within(standing, args)[::-1], args, default=100, most=999)
    return {**_answered(workspace, items, cursor, args), "pin_count": 0}


def replies(workspace: Workspace, args: Json) -> Json:
    """A thread, oldest first; the root is always there."""
    conversation = _readable(workspace, "conversations.replies", args["channel"])
    asked = workspace.find(conversation.id, args["ts"])
    if asked is None or asked.ephemeral_to is not None:
        raise Refused("thread_not_found")
    whole = workspace.thread(conversation.id, asked.ts) or [asked]  # a reply has no replies of its own
    root, rest = whole[:1], _within(whole[1:], args)
    items, cursor = page(rest, args, default=1000, most=1000)
    return _answered(workspace, [*root, *items], cursor, args)


def _readable(workspace: Workspace, method: str, name: str) -> Conversation:
    conversation = visible(workspace, method, name)
    if workspace.config.bot.id not in conversation.members:
        raise Refused("not_in_channel")
    return conversation


def open_direct(workspace: Workspace, args: Json) -> Json:
    if args.get("channel"):
        conversation = visible(workspace, "conversations.open", args["channel"])
    else:
        users = [user for user in (args.get("users") or "").split(",") if user]
        if not users:
            raise Refused("users_list_not_supplied")
        if any(user not in workspace.users or user == workspace.config.bot.id for user in users):
            raise Refused("user_not_found")
        conversation = workspace.direct(users[0]) if len(users) == 1 else _group(workspace, users)
        demand(workspace.config.scopes, "conversations.open", conversation)
    found: dict[str, Any] = {"id": conversation.id}
    if args.get("return_im"):
        found = described(workspace, conversation)
    return {"channel": found}


def _group(workspace: Workspace, users: list[str]) -> Conversation:
    everyone = {*users, workspace.config.bot.id}
    for conversation in workspace.conversations.values():
        if conversation.kind == "mpim" and conversation.members == everyone:
            return conversation
    identity = workspace.new_id("G")
    made = Conversation(id=identity, name=f"mpdm-{identity.lower()}", kind="mpim", members=everyone)
    workspace.conversations[identity] = made
    return made


METHODS = {
    "conversations.list": listing,
    "users.conversations": of_user,
    "conversations.info": info,
    "conversations.members": members,
    "conversations.history": history,
    "conversations.replies": replies,
    "conversations.open": open_direct,
}
