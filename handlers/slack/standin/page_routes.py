"""HTTP for the chat page: its files, the state it starts from, and what its person does."""

from __future__ import annotations

import mimetypes
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from handlers.slack.standin.config import Command
from handlers.slack.standin.live import LivePages, page_message, visible_to
from handlers.slack.standin.messages import Json
from handlers.slack.standin.people import INVITE, CannotDo, People
from handlers.slack.standin.refusal import Refused
from handlers.slack.standin.views import Views
from handlers.slack.standin.workspace import HomePublished, Workspace

_PAGE = Path(__file__).parent / "page"
_INVITE = Command(command=INVITE, description="Bring the app into this channel", usage_hint="@Director")
_PLAIN = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}


class PageRoutes:
    def __init__(self, workspace: Workspace, people: People, views: Views, live: LivePages) -> None:
        self._workspace = workspace
        self._people = people
        self._views = views
        self._live = live

    def routes(self) -> list[web.RouteDef]:
        acts = {
            "say": self._say,
            "command": self._command,
            "action": self._action,
            "view_submit": self._submit,
            "view_close": self._close,
            "home": self._home,
        }
        return [
            web.get("/", self._index),
            web.get("/page/{name}", self._file),
            web.get("/standin/state", self._state),
            web.get("/standin/messages", self._messages),
            web.get("/standin/live", self._live.handle),
            web.get("/standin/files/{id}/{name}", self._upload),
            *(web.post(f"/standin/{name}", _acting(act)) for name, act in acts.items()),
        ]

    async def _index(self, _request: web.Request) -> web.StreamResponse:
        return _static("index.html")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return _static(request.match_info["name"])

    async def _state(self, _request: web.Request) -> web.StreamResponse:
        config = self._workspace.config
        return web.json_response(
            {
                "team": {"id": config.team_id, "name": config.team_name},
                "me": config.me,
                "users": [
                    {
                        "id": user.id,
                        "name": user.name,
                        "real_name": user.real_name,
                        "is_bot": user.is_bot,
                        "tz": user.tz,
                        "color": user.color,
                    }
                    for user in self._workspace.users.values()
                ],
                "channels": [
                    {
                        "id": one.id,
                        "name": one.name,
                        "is_im": one.kind == "im",
                        "is_private": one.is_private,
                        "is_archived": one.is_archived,
                        "bot_is_member": config.bot.id in one.members,
                        "topic": one.topic,
                        **({"im_user": one.user} if one.kind == "im" else {}),
                        **({"members": sorted(one.members)} if one.kind == "group" else {}),
                    }
                    for one in self._workspace.conversations.values()
                ],
                "app": {
                    "bot_user_id": config.bot.id,
                    "name": config.bot.real_name,
                    "commands": [
                        {"command": one.command, "description": one.description, "usage_hint": one.usage_hint}
                        for one in (*config.commands, _INVITE)
                    ],
                },
                "note": config.note,
                "suggestions": list(config.suggestions),
            }
        )

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        channel = request.query.get("channel", "")
        user = request.query.get("user", self._workspace.config.me)
        seen = visible_to(self._workspace, user, channel)
        found = self._workspace.in_conversation(channel) if seen else ()
        return web.json_response(
            {
                "messages": [
                    page_message(self._workspace, message) for message in found if message.ephemeral_to in (None, user)
                ]
            }
        )

    async def _say(self, body: Json) -> Json:
        return {"ts": self._people.say(body["user"], body["channel"], body["text"], body.get("thread_ts"))}

    async def _command(self, body: Json) -> Json:
        result = await self._people.command(body["user"], body["channel"], body["command"], body.get("text", ""))
        return {} if result.error is None else {"failed": result.error}

    async def _action(self, body: Json) -> Json:
        if body.get("view_id"):
            receipt = await self._people.act_in_view(body["user"], body["view_id"], body["action"])
        else:
            receipt = await self._people.act(body["user"], body["channel"], body["message_ts"], body["action"])
        if not receipt.acknowledged:
            raise CannotDo(f"the app did not answer this click ({receipt.reason})")
        return {}

    async def _submit(self, body: Json) -> Json:
        result = await self._people.submit_view(body["user"], body["view_id"], body["values"])
        if result.error is not None:
            raise CannotDo(f"the app did not take this form ({result.error})")
        return {"errors": result.errors} if result.errors else {}

    async def _close(self, body: Json) -> Json:
        await self._people.close_view(body["user"], body["view_id"])
        return {}

    async def _home(self, body: Json) -> Json:
        user: str = body["user"]
        standing = self._views.homes.get(user)
        if standing is not None:
            self._workspace.tell(HomePublished(user=user, view=standing))
        self._people.open_home(user)
        return {}

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        stored = self._workspace.files.get(request.match_info["id"])
        if stored is None or stored.content is None:
            return web.Response(status=404, text="there is no such file")
        kind = mimetypes.guess_type(stored.name)[0] or "application/octet-stream"
        headers = {"Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=stored.content, content_type=kind, headers=headers)


def _acting(act: Callable[[Json], Awaitable[Json]]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        if request.content_type != "application/json":
            return web.json_response({"error": "send JSON"}, status=415)
        try:
            body: Any = await request.json()
            return web.json_response(await act(body))
        except CannotDo as problem:
            return web.json_response({"error": str(problem)}, status=409)
        except Refused as refused:
            return web.json_response({"error": refused.error}, status=409)
        except (KeyError, TypeError, ValueError) as problem:
            return web.json_response({"error": f"not understood: {problem}"}, status=400)

    return handle


def _static(name: str) -> web.StreamResponse:
    path = _PAGE / unquote(name)
    if path.parent != _PAGE or not path.is_file():
        return web.Response(status=404, text="there is no such page")
    kind = _PLAIN.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    charset = "utf-8" if kind.startswith("text/") else None
    return web.Response(body=path.read_bytes(), content_type=kind, charset=charset, headers=headers)
