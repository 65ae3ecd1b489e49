"""Socket Mode: the app's web sockets, and the envelopes that go through them."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

from handlers.slack.standin.courier import Kind, Receipt
from handlers.slack.standin.messages import Json
from handlers.slack.standin.workspace import Method, Workspace

MOST_CONNECTIONS = 10
_LONGEST = 18_060


@dataclass(eq=False)
class _Connection:
    """One web socket of the app, and the transport beneath it, so that it can be cut."""

    socket: web.WebSocketResponse
    transport: asyncio.Transport | None


class Sockets:
    """The connections of one app. Any one of them gets each envelope, in turn."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._tickets: set[str] = set()
        self._connections: list[_Connection] = []
        self._connected = asyncio.Event()
        self._next = 0
        self._waiting: dict[str, asyncio.Future[Json | None]] = {}
        self.deaf = False  # connected, but nothing is delivered and no ping is answered
        self.opened = 0
        self.methods: dict[str, Method] = {"apps.connections.open": self.issue}

    @property
    def connections(self) -> int:
        return len(self._connections)

    def issue(self, workspace: Workspace, _args: Json) -> Json:
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        base = workspace.base_url.replace("http://", "ws://", 1)
        return {"url": f"{base}/link/?ticket={ticket}&app_id={workspace.config.app_id}"}

    async def wait_connected(self, seconds: float = 10.0) -> None:
        """Return when the app has a connection. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            await self._connected.wait()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403, text="this ticket is unknown or was used")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        if len(self._connections) >= MOST_CONNECTIONS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        connection = _Connection(socket=socket, transport=request.transport)
        self._connections.append(connection)
        self.opened += 1
        pinging = asyncio.create_task(self._ping(socket))
        try:
            await socket.send_json(self._hello())
            self._connected.set()
            async for message in socket:
                if message.type == WSMsgType.PING and not self.deaf:
                    await socket.pong(message.data)
                elif message.type == WSMsgType.TEXT:
                    self._acknowledge(message.data)
        except ConnectionError:
            pass  # the app went away in the middle of a frame
        finally:
            pinging.cancel()
            self._gone(connection)
        return socket

    async def carry(self, kind: Kind, payload: Json, *, attempt: int, reason: str | None) -> Receipt:
        seconds = self._workspace.config.ack_seconds
        envelope: Json = {
            "envelope_id": secrets.token_hex(16),
            "type": kind,
            "accepts_response_payload": kind != "events_api",
            "payload": payload,
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": reason or ""}
        waiting: asyncio.Future[Json | None] = asyncio.get_running_loop().create_future()
        self._waiting[envelope["envelope_id"]] = waiting
        try:
            async with asyncio.timeout(seconds):
                while not await self._send(envelope):
                    await self._connected.wait()
                return Receipt(acknowledged=True, body=await waiting)
        except TimeoutError:
            return Receipt(acknowledged=False, reason="timeout")
        finally:
            self._waiting.pop(envelope["envelope_id"], None)

    async def disconnect(self, reason: str = "refresh_requested", *, close: bool = False) -> None:
        """Tell every connection to go: "warning", "refresh_requested" or "link_disabled"; `close` also closes them."""
        for connection in list(self._connections):
            frame = {"type": "disconnect", "reason": reason, "debug_info": {"host": "standin"}}
            await connection.socket.send_json(frame)
            if close:
                await connection.socket.close()

    async def drop(self) -> None:
        """Cut every connection without a word."""
        for connection in list(self._connections):
            self._gone(connection)
            if connection.transport is not None:
                connection.transport.abort()

    async def close(self) -> None:
        for connection in list(self._connections):
            self._gone(connection)
            await connection.socket.close()

    async def _send(self, envelope: Json) -> bool:
        if self.deaf:
            return bool(self._connections)
        while self._connections:
            self._next = (self._next + 1) % len(self._connections)
            connection = self._connections[self._next]
            if connection.socket.closed:
                self._gone(connection)
                continue
            try:
                await connection.socket.send_json(envelope)
                return True
            except ConnectionError:
                self._gone(connection)
        self._connected.clear()
        return False

    def _acknowledge(self, text: str) -> None:
        try:
            frame: Any = json.loads(text)
        except ValueError:
            return
        waiting = self._waiting.get(frame.get("envelope_id", "")) if isinstance(frame, dict) else None
        if waiting is not None and not waiting.done():
            waiting.set_result(frame.get("payload"))

    async def _ping(self, socket: web.WebSocketResponse) -> None:
        while True:
            await asyncio.sleep(self._workspace.config.ping_seconds)
            if not self.deaf:
                await socket.ping(b"standin")

    def _gone(self, connection: _Connection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)
        if not self._connections:
            self._connected.clear()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._connections),
            "debug_info": {"host": "standin", "build_number": 1, "approximate_connection_time": _LONGEST},
            "connection_info": {"app_id": self._workspace.config.app_id},
        }
