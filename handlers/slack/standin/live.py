"""Telling open pages what happens, each only what its person may see."""

from __future__ import annotations

import asyncio
import json

from aiohttp import WSMsgType, web

from handlers.slack.standin.messages import Change, Json, Message
from handlers.slack.standin.workspace import (
    HomePublished,
    Notice,
    Reacted,
    StatusShown,
    ViewClosed,
    ViewShown,
    Workspace,
)

_UNSENT = 2_000  # a page that is further behind is cut off and catches up when it comes back


def page_message(workspace: Workspace, message: Message) -> Json:
    """A message as the page reads it."""
    made = workspace.as_json(message, metadata=True)
    made["streaming"] = message.streaming
    made["reply_count"] = made.get("reply_count", 0)
    made["ephemeral"] = message.ephemeral_to is not None
    if message.broadcast:
        made["broadcast"] = True
    return made


def visible_to(workspace: Workspace, user: str, channel: str) -> bool:
    conversation = workspace.conversations.get(channel)
    return conversation is not None and (not conversation.is_private or user in conversation.members)


class LivePages:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._pages: dict[asyncio.Queue[str | None], str] = {}
        self.statuses: dict[tuple[str, str], str] = {}
        workspace.watch(self._notice)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        user = request.query.get("user", self._workspace.config.me)
        socket = web.WebSocketResponse(heartbeat=20.0)
        await socket.prepare(request)
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._pages[queue] = user
        sending = asyncio.create_task(_send(socket, queue))
        try:
            async for message in socket:
                if message.type == WSMsgType.ERROR:
                    break
        finally:
            self._pages.pop(queue, None)
            sending.cancel()
        return socket

    async def close(self) -> None:
        for queue in list(self._pages):
            queue.put_nowait(None)

    def _notice(self, notice: Notice) -> None:
        match notice:
            case Change():
                self._message(notice)
            case StatusShown():
                self._status(notice.channel, notice.thread_ts, notice.status)
            case ViewShown(user=user, view=view):
                self._push({"type": "view", "view": view}, only=user)
            case ViewClosed(user=user, view_id=view_id):
                self._push({"type": "view_closed", "view_id": view_id}, only=user)
            case HomePublished(user=user, view=view):
                self._push({"type": "home", "view": view}, only=user)
            case Reacted():
                message = self._workspace.find(notice.channel, notice.ts)
                if message is not None:
                    self._changed("message_changed", message)

    def _message(self, change: Change) -> None:
        message = change.message
        kinds = {"created": "message", "changed": "message_changed", "deleted": "message_deleted"}
        self._changed(kinds[change.kind], message)
        if change.kind == "created" and message.by_bot and message.ephemeral_to is None:
            # Slack takes the status away as soon as the app says something in the thread
            for key in ((message.channel, message.root), (message.channel, "")):
                if self.statuses.get(key):
                    self._status(*key, "")

    def _changed(self, kind: str, message: Message) -> None:
        told = {"type": kind, "channel": message.channel, "message": page_message(self._workspace, message)}
        self._push(told, only=message.ephemeral_to, channel=message.channel)

    def _status(self, channel: str, thread_ts: str, status: str) -> None:
        self.statuses[channel, thread_ts] = status
        self._push({"type": "status", "channel": channel, "thread_ts": thread_ts, "status": status}, channel=channel)

    def _push(self, told: Json, *, only: str | None = None, channel: str | None = None) -> None:
        text = json.dumps(told)
        for queue, user in self._pages.items():
            if only is not None and user != only:
                continue
            if channel is not None and not visible_to(self._workspace, user, channel):
                continue
            queue.put_nowait(text if queue.qsize() < _UNSENT else None)


async def _send(socket: web.WebSocketResponse, queue: asyncio.Queue[str | None]) -> None:
    while (text := await queue.get()) is not None:
        try:
            await socket.send_str(text)
        except ConnectionError:
            return
    await socket.close()
