"""chat.*: posting, changing and deleting messages."""

from __future__ import annotations

import json
from typing import Any

from handlers.slack.standin import blocks as block_rules
from handlers.slack.standin.messages import Json, Message
from handlers.slack.standin.refusal import Refused
from handlers.slack.standin.workspace import Conversation, Workspace

TEXT_TRUNCATED = 40_000
UPDATE_TEXT = 4_000
MARKDOWN_TEXT = 12_000
_OPTIONS = ("unfurl_links", "unfurl_media", "mrkdwn", "parse", "link_names", "icon_emoji", "icon_url")


def open_conversation(workspace: Workspace, name: str) -> Conversation:
    """A conversation that the bot may write to. Raises Refused as Slack does."""
    found = workspace.conversation(name)
    if found is None:
        raise Refused("channel_not_found")
    if workspace.config.bot.id not in found.members:
        raise Refused("channel_not_found" if found.is_private else "not_in_channel")
    if found.is_archived:
        raise Refused("is_archived")
    return found


def own_message(workspace: Workspace, args: Json, *, error: str) -> Message:
    """A message of the bot's. Raises Refused: unknown conversation or message, or someone else's message."""
    found = workspace.conversation(args["channel"])
    if found is None or (found.is_private and workspace.config.bot.id not in found.members):
        raise Refused("channel_not_found")
    message = workspace.find(found.id, args["ts"])
    if message is None or message.ephemeral_to is not None:
        raise Refused("message_not_found")
    if not message.by_bot:
        raise Refused(error)
    return message


def thread_root(workspace: Workspace, channel: str, thread_ts: str | None) -> str | None:
    """The root of the thread that a reply goes to; a reply's own ts counts as its root's."""
    if not thread_ts:
        return None
    parent = workspace.find(channel, thread_ts)
    if parent is None or parent.ephemeral_to is not None:
        raise Refused("thread_not_found")
    return parent.root


def content(workspace: Workspace, args: Json, *, text_limit: int | None) -> Json:
    """The checked content of a message. `text_limit` None truncates as chat.postMessage does."""
    text, markdown = args.get("text"), args.get("markdown_text")
    if markdown is not None and (text is not None or args.get("blocks") is not None):
        raise Refused("markdown_text_conflict")
    if not any(args.get(name) for name in ("text", "blocks", "attachments", "markdown_text")):
        raise Refused("no_text")
    _demand_length(markdown, MARKDOWN_TEXT)
    _demand_length(text, text_limit)
    made: Json = {}
    if args.get("blocks") is not None:
        block_rules.demand_message(args["blocks"], workspace)
        made["blocks"] = args["blocks"] or None
    if markdown is not None:
        made["blocks"] = [{"type": "markdown", "text": markdown}]
        text = markdown
    if text is not None:
        made["text"] = text[:TEXT_TRUNCATED]
    if args.get("attachments") is not None:
        if len(args["attachments"]) > 100:
            raise Refused("too_many_attachments")
        made["attachments"] = args["attachments"]
    if args.get("metadata") is not None:
        made["metadata"] = checked_metadata(args["metadata"])
    return made


def _demand_length(text: str | None, limit: int | None) -> None:
    if text is not None and limit is not None and len(text) > limit:
        raise Refused("msg_too_long")


def checked_metadata(metadata: Any) -> Json | None:
    """Metadata of a known shape; an empty object removes it."""
    if metadata == {}:
        return None
    if (
        not isinstance(metadata, dict)
        or set(metadata) - {"event_type", "event_payload", "entities"}
        or not isinstance(metadata.get("event_type"), str)
        or not isinstance(metadata.get("event_payload"), dict)
    ):
        raise Refused("invalid_metadata_format")
    if len(json.dumps(metadata)) > 8_000:
        raise Refused("metadata_too_large")
    return metadata


def post_message(workspace: Workspace, args: Json) -> Json:
    conversation = open_conversation(workspace, args["channel"])
    made = content(workspace, args, text_limit=None)
    message = workspace.post(
        conversation.id,
        workspace.config.bot.id,
        method="chat.postMessage",
        thread_ts=thread_root(workspace, conversation.id, args.get("thread_ts")),
        broadcast=args.get("reply_broadcast", False),
        username=args.get("username"),
        options={name: args[name] for name in _OPTIONS if name in args},
        **made,
    )
    return {
        "channel": conversation.id,
        "ts": message.ts,
        "message": workspace.as_json(message, metadata=True),
    }


def update(workspace: Workspace, args: Json) -> Json:
    message = own_message(workspace, args, error="cant_update_message")
    if message.streaming:
        raise Refused("streaming_state_conflict")
    made = content(workspace, args, text_limit=UPDATE_TEXT)
    if "text" in made and "blocks" not in args and "blocks" not in made:
        made["blocks"] = None  # blocks that are not sent again go away
    if "blocks" not in args:  # Slack marks only updates by text as edited
        made["edited"] = {"user": workspace.config.bot.id, "ts": workspace.new_ts()}
    workspace.change(message, by=workspace.config.bot.id, method="chat.update", **made)
    return {
        "channel": message.channel,
        "ts": message.ts,
        "text": message.text,
        "message": workspace.as_json(message, metadata=True),
    }


def delete(workspace: Workspace, args: Json) -> Json:
    message = own_message(workspace, args, error="cant_delete_message")
    workspace.delete(message, by=workspace.config.bot.id, method="chat.delete")
    return {"channel": message.channel, "ts": message.ts}


def post_ephemeral(workspace: Workspace, args: Json) -> Json:
    conversation = open_conversation(workspace, args["channel"])
    if args["user"] not in conversation.members:
        raise Refused("user_not_in_channel")
    message = workspace.post(
        conversation.id,
        workspace.config.bot.id,
        method="chat.postEphemeral",
        ephemeral_to=args["user"],
        thread_ts=thread_root(workspace, conversation.id, args.get("thread_ts")),
        **content(workspace, args, text_limit=TEXT_TRUNCATED),
    )
    return {"message_ts": message.ts}


def get_permalink(workspace: Workspace, args: Json) -> Json:
    conversation = workspace.conversation(args["channel"])
    if conversation is None:
        raise Refused("channel_not_found")
    message = workspace.find(conversation.id, args["message_ts"])
    if message is None:
        raise Refused("message_not_found")
    link = f"{workspace.base_url}/archives/{conversation.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts:
        link += f"?thread_ts={message.thread_ts}&cid={conversation.id}"
    return {"channel": conversation.id, "permalink": link}


def validate_blocks(workspace: Workspace, args: Json) -> Json:
    given = [name for name in ("blocks", "message", "view") if name in args]
    if len(given) != 1:
        raise Refused("invalid_arguments", "must provide exactly one of `blocks`, `view`, or `message`")
    what = given[0]
    if what == "view":
        mistakes = block_rules.view_mistakes(args["view"], workspace)
    else:
        listed = args["blocks"] if what == "blocks" else args["message"].get("blocks", [])
        mistakes = block_rules.message_mistakes(listed, workspace)
    if mistakes:
        errors = [
            {"code": "failed_constraint", "message": mistake.message, "pointer": mistake.pointer}
            for mistake in mistakes
        ]
        raise Refused(f"invalid_{what}", errors=errors)
    return {}


METHODS = {
    "chat.postMessage": post_message,
    "chat.update": update,
    "chat.delete": delete,
    "chat.postEphemeral": post_ephemeral,
    "chat.getPermalink": get_permalink,
    "blocks.validate": validate_blocks,
}
