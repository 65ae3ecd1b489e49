"""A small workspace that speaks the page's HTTP interface from canned data; tests say what happens in it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

Json = dict[str, Any]

PAGE = Path(__file__).parents[2] / "handlers" / "slack" / "standin" / "page"

DIRECTOR, MAYA, OMAR = "U0DIRECTOR", "U0MAYA", "U0OMAR"
GENERAL, PAYMENTS, OLD, DIRECT, DIRECT_OMAR = "C0GENERAL", "C0PAYMENTS", "C0OLD", "D0MAYA", "D0OMAR"

# One dark pixel as PNG.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154"
    "789c6360606060000000050001a5f645400000000049454e44ae426082"
)


def state() -> Json:
    """What GET /standin/state answers."""
    return {
        "team": {"id": "T0DEMO", "name": "Harbour & Co"},
        "me": MAYA,
        "users": [
            {"id": DIRECTOR, "name": "director", "real_name": "Director", "is_bot": True, "color": "222f5b"},
            {"id": MAYA, "name": "maya", "real_name": "Maya Lindqvist", "is_bot": False, "color": "4b6bfb"},
            {"id": OMAR, "name": "omar", "real_name": "Omar Haddad", "is_bot": False, "color": "1a936f"},
        ],
        "channels": [
            _channel(GENERAL, "general", topic="Everything that concerns everybody"),
            _channel(PAYMENTS, "payments", topic="Payments and checkout"),
            _channel("C0RANDOM", "random", bot_is_member=False),
            _channel("C0LEADS", "leads", is_private=True, members=[MAYA, OMAR, DIRECTOR]),
            _channel("C0BOARD", "board", is_private=True, members=[OMAR]),
            _channel(OLD, "old-project", is_archived=True),
            _channel(DIRECT, MAYA, is_im=True, im_user=MAYA),
            _channel(DIRECT_OMAR, OMAR, is_im=True, im_user=OMAR),
        ],
        "app": {
            "bot_user_id": DIRECTOR,
            "name": "Director",
            "commands": [
                {
                    "command": "/director",
                    "description": "Plan work, review reliability",
                    "usage_hint": "help | status [service] | review | digest | plan <initiative> | schedule …",
                }
            ],
        },
        "note": "A recorded model speaks here: no key is set.",
        "suggestions": ["@Director how is checkout doing?", "/director plan move refunds to their own service"],
    }


def _channel(identity: str, name: str, **more: Any) -> Json:
    plain = {"is_im": False, "is_private": False, "is_archived": False, "bot_is_member": True, "topic": ""}
    return {"id": identity, "name": name, **plain, **more}


class Workspace:
    """The server. `sent` lists what the page posted; the coroutines make things happen and tell every open page."""

    def __init__(self) -> None:
        self.state = state()
        self.sent: list[tuple[str, Json]] = []
        self.messages: dict[str, dict[str, Json]] = {}
        self.errors: Json = {}
        self.refuse: dict[str, str] = {}  # path -> error
        self.refuse_sockets = False
        self.home: Json | None = None
        self.url = ""
        self._sockets: dict[web.WebSocketResponse, str] = {}
        self._arrived = asyncio.Event()
        self._tick = int((time.time() - 3600) * 1_000_000)
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/", self._index)
        app.router.add_static("/page/", PAGE)
        app.router.add_get("/standin/state", self._state)
        app.router.add_get("/standin/messages", self._messages)
        app.router.add_get("/standin/live", self._live)
        app.router.add_get("/standin/files/{id}/{name}", self._file)
        for name in ("say", "command", "action", "view_submit", "view_close", "home"):
            app.router.add_post(f"/standin/{name}", self._post)
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        await self.drop()
        if self._runner is not None:
            await self._runner.cleanup()

    # --- what tests make happen ---

    def new_ts(self) -> str:
        self._tick += 1_000_001
        return f"{self._tick // 1_000_000}.{self._tick % 1_000_000:06d}"

    async def message(self, channel: str, user: str, text: str = "", **more: Any) -> str:
        """A message, told to every page; `to` makes it ephemeral. Returns its ts."""
        to = more.pop("to", None)
        made = {"type": "message", "ts": self.new_ts(), "user": user, "text": text, "streaming": False, **more}
        if to is not None:
            made["ephemeral"] = True
        self.messages.setdefault(channel, {})[made["ts"]] = made
        await self.push({"type": "message", "channel": channel, "message": made}, to=to)
        return str(made["ts"])

    async def change(self, channel: str, ts: str, **more: Any) -> None:
        made = {**self.messages[channel][ts], **more}
        self.messages[channel][ts] = made
        await self.push({"type": "message_changed", "channel": channel, "message": made})

    async def push(self, event: Json, *, to: str | None = None) -> None:
        for socket, user in list(self._sockets.items()):
            if to in (None, user) and not socket.closed:
                await socket.send_json(event)

    async def drop(self) -> None:
        """Close every page's socket."""
        for socket in list(self._sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY)

    async def posted(self, name: str, count: int = 1) -> Json:
        """The body of the `count`-th request to /standin/<name>, when it has arrived."""
        while True:
            bodies = [body for path, body in self.sent if path == name]
            if len(bodies) >= count:
                return bodies[count - 1]
            self._arrived.clear()
            await asyncio.wait_for(self._arrived.wait(), 10)

    # --- the interface ---

    async def _index(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(PAGE / "index.html")

    async def _state(self, request: web.Request) -> web.Response:
        return web.json_response(self.state)

    async def _messages(self, request: web.Request) -> web.Response:
        found = self.messages.get(request.query["channel"], {})
        return web.json_response({"messages": [found[ts] for ts in sorted(found)]})

    async def _file(self, request: web.Request) -> web.Response:
        if request.match_info["id"] != "F1":
            raise web.HTTPNotFound
        return web.Response(body=PIXEL, content_type="image/png")

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        if self.refuse_sockets:
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets[socket] = request.query["user"]
        try:
            async for frame in socket:
                if frame.type is WSMsgType.ERROR:
                    break
        finally:
            self._sockets.pop(socket, None)
        return socket

    async def _post(self, request: web.Request) -> web.Response:
        name = request.path.removeprefix("/standin/")
        body = await request.json()
        if name in self.refuse:
            return web.json_response({"ok": False, "error": self.refuse[name]}, status=400)
        self.sent.append((name, body))
        self._arrived.set()
        if name == "say":
            more = {"thread_ts": body["thread_ts"]} if "thread_ts" in body else {}
            ts = await self.message(body["channel"], body["user"], body["text"], **more)
            return web.json_response({"ts": ts})
        if name == "command" and body["command"] == "/invite":
            invited = next(one for one in self.state["channels"] if one["id"] == body["channel"])
            invited["bot_is_member"] = True
        if name == "home" and self.home is not None:
            await self.push({"type": "home", "view": self.home}, to=body["user"])
        return web.json_response({"errors": self.errors} if name == "view_submit" and self.errors else {})
