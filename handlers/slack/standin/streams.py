"""chat.*Stream: messages that are written while people watch."""

from __future__ import annotations

import asyncio
from typing import Any

from handlers.slack.standin import blocks as block_rules
from handlers.slack.standin.chat import (
    MARKDOWN_TEXT,
    checked_metadata,
    open_conversation,
    own_message,
    thread_root,
)
from handlers.slack.standin.messages import Json, Message
from handlers.slack.standin.refusal import Refused
from handlers.slack.standin.workspace import Method, Workspace

_TASK_STATUS = ("pending", "in_progress", "complete", "error")


class Streams:
    """The streams that are open. One that is open for too long ends by itself, as Slack ends them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._begun: dict[tuple[str, str], float] = {}
        self._timers: dict[tuple[str, str], asyncio.TimerHandle] = {}
        self.methods: dict[str, Method] = {
            "chat.startStream": self.start,
            "chat.appendStream": self.append,
            "chat.stopStream": self.stop,
        }

    def start(self, workspace: Workspace, args: Json) -> Json:
        if not workspace.config.streaming:
            raise Refused("unknown_method")
        conversation = open_conversation(workspace, args["channel"])
        if not conversation.is_direct:
            if not args.get("thread_ts"):
                raise Refused("invalid_arguments", "missing required field: thread_ts")
            if not args.get("recipient_team_id"):
                raise Refused("missing_recipient_team_id")
            if not args.get("recipient_user_id"):
                raise Refused("missing_recipient_user_id")
            if args["recipient_user_id"] not in workspace.users:
                raise Refused("user_not_found")
        text, blocks = _written(args, workspace)
        message = workspace.post(
            conversation.id,
            workspace.config.bot.id,
            method="chat.startStream",
            thread_ts=thread_root(workspace, conversation.id, args.get("thread_ts")),
            text=text,
            blocks=_shown(text, blocks),
            streaming=True,
        )
        key = (message.channel, message.ts)
        self._begun[key] = workspace.now()
        loop = asyncio.get_running_loop()
        self._timers[key] = loop.call_later(workspace.config.stream_seconds, self._end, message)
        return {"channel": message.channel, "ts": message.ts}

    def append(self, workspace: Workspace, args: Json) -> Json:
        message = self._open(args)
        if not args.get("markdown_text") and not args.get("chunks"):
            raise Refused("no_text")
        text, blocks = _written(args, workspace)
        self._write(message, text, blocks, method="chat.appendStream", quiet=True)
        return {"channel": message.channel, "ts": message.ts}

    def stop(self, workspace: Workspace, args: Json) -> Json:
        message = self._open(args)
        text, chunk_blocks = _written(args, workspace)
        last: list[Json] = args.get("blocks") or []
        if last:
            block_rules.demand_message(last, workspace)
        final: Json = {"streaming": False}
        if args.get("metadata") is not None:
            final["metadata"] = checked_metadata(args["metadata"])
        self._write(message, text, [*chunk_blocks, *last], method="chat.stopStream", quiet=False, **final)
        self._forget(message)
        return {
            "channel": message.channel,
            "ts": message.ts,
            "message": workspace.as_json(message, metadata=True),
        }

    def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _open(self, args: Json) -> Message:
        if not self._workspace.config.streaming:
            raise Refused("unknown_method")
        message = own_message(self._workspace, args, error="message_not_owned_by_app")
        begun = self._begun.get((message.channel, message.ts))
        if message.streaming and begun is not None:
            age = self._workspace.now() - begun
            if age >= self._workspace.config.stream_seconds:
                self._end(message)
        if not message.streaming:
            raise Refused("message_not_in_streaming_state")
        return message

    def _write(
        self, message: Message, text: str, blocks: list[Json], *, method: str, quiet: bool, **final: Any
    ) -> None:
        whole = message.text + text
        renewed = {block.get("task_id") for block in blocks if block["type"] == "task_card"}
        standing = [
            block
            for block in message.blocks or []
            if block is not _spoken(message) and (block.get("task_id") is None or block["task_id"] not in renewed)
        ]
        self._workspace.change(
            message,
            by=message.user,
            method=method,
            quiet=quiet,
            text=whole,
            blocks=_shown(whole, [*standing, *blocks]),
            **final,
        )

    def _end(self, message: Message) -> None:
        """The stream is over without a stop: what was written stays."""
        self._forget(message)
        if message.streaming:
            self._workspace.change(message, by=message.user, method="(stream ended)", quiet=True, streaming=False)

    def _forget(self, message: Message) -> None:
        key = (message.channel, message.ts)
        self._begun.pop(key, None)
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()


def _shown(text: str, blocks: list[Json]) -> list[Json] | None:
    """Streamed text is Markdown and stands above the blocks."""
    spoken = [{"type": "markdown", "text": text}] if text else []
    return [*spoken, *blocks] or None


def _spoken(message: Message) -> Json | None:
    return message.blocks[0] if message.blocks and message.text else None


def _written(args: Json, workspace: Workspace) -> tuple[str, list[Json]]:
    """The text and blocks that a call adds. Raises Refused for chunks that Slack doesn't know."""
    text: str = args.get("markdown_text") or ""
    if len(text) > MARKDOWN_TEXT:
        raise Refused("msg_too_long")
    blocks: list[Json] = []
    for chunk in args.get("chunks") or []:
        if not isinstance(chunk, dict):
            raise Refused("invalid_chunks")
        match chunk:
            case {"type": "markdown_text", "text": str(more)}:
                if len(more) > MARKDOWN_TEXT:
                    raise Refused("msg_too_long")
                text += more
            case {"type": "task_update", "id": str(task), "title": str(title), "status": str(status)}:
                if status not in _TASK_STATUS:
                    raise Refused("invalid_chunks")
                blocks.append({"type": "task_card", "task_id": task, "title": title, "status": status})
            case {"type": "plan_update", "title": str()}:
                pass
            case {"type": "blocks", "blocks": list(more_blocks)}:
                block_rules.demand_message(more_blocks, workspace)
                blocks.extend(more_blocks)
            case _:
                raise Refused("invalid_chunks")
    return text, blocks
