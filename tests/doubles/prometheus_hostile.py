"""A server of Prometheus' API that answers as badly as servers, proxies and networks do."""

from __future__ import annotations

import asyncio
import json
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

Answer = Callable[[web.Request, dict[str, str]], Awaitable[web.StreamResponse]]
Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], Awaitable[None]]


@dataclass
class HostileServer:
    """Answers every query as `answer` says, and remembers what it was asked."""

    url: str
    asked: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    most_at_once: int = 0


@asynccontextmanager
async def hostile(
    answer: Answer, *, version: bool = True, tls: ssl.SSLContext | None = None, below: str = ""
) -> AsyncIterator[HostileServer]:
    """A server on this machine. `below` is the path under which its API stands."""
    server = HostileServer("")
    now = 0

    async def query(request: web.Request) -> web.StreamResponse:
        nonlocal now
        form = {key: str(value) for key, value in (await request.post()).items()}
        server.asked.append({"endpoint": request.path.rpartition("/")[2], **form})
        server.headers.append(dict(request.headers))
        now += 1
        server.most_at_once = max(server.most_at_once, now)
        try:
            return await answer(request, form)
        finally:
            now -= 1

    async def buildinfo(_: web.Request) -> web.Response:
        if not version:
            return web.Response(status=404, text="no such page")
        return web.json_response({"status": "success", "data": {"version": "9.9.9"}})

    app = web.Application()
    for endpoint in ("query", "query_range", "series"):
        app.router.add_post(f"{below}/api/v1/{endpoint}", query)
    app.router.add_get(f"{below}/api/v1/status/buildinfo", buildinfo)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    server.url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}{below}"
    try:
        yield server
    finally:
        await runner.cleanup()


@asynccontextmanager
async def wire(conversation: Conversation) -> AsyncIterator[str]:
    """The address of a server that speaks for itself on each connection, which are numbered from 0."""
    number = -1
    speaking: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal number
        number += 1
        task = asyncio.current_task()
        assert task is not None
        speaking.add(task)
        try:
            await conversation(reader, writer, number)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the other side hung up
        except asyncio.CancelledError:
            return
        finally:
            speaking.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in list(speaking):
            task.cancel()
        await asyncio.gather(*speaking, return_exceptions=True)


async def request_on(reader: asyncio.StreamReader) -> str:
    """The next request on this connection: its head and body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = next((line for line in head.lower().split("\r\n") if line.startswith("content-length:")), "x:0")
    return head + (await reader.readexactly(int(length.partition(":")[2]))).decode()


def response_of(body: str, head: str = "Content-Type: application/json") -> bytes:
    """A whole answer on the wire, after which the connection stays open."""
    return f"HTTP/1.1 200 OK\r\n{head}\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}".encode()


def success(result: list[object], kind: str = "vector", **more: object) -> web.Response:
    return web.json_response({"status": "success", "data": {"resultType": kind, "result": result}, **more})


def says(status: int, text: str, content_type: str = "text/html", **headers: str) -> Answer:
    """Answers with this text, whatever is asked."""

    async def answer(_: web.Request, __: dict[str, str]) -> web.Response:
        return web.Response(
            status=status,
            text=text,
            content_type=content_type,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    return answer


def gives(response: Callable[[], web.Response]) -> Answer:
    """Answers with this, whatever is asked."""

    async def answer(_: web.Request, __: dict[str, str]) -> web.Response:
        return response()

    return answer


async def never(_: web.Request, __: dict[str, str]) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def truncated(request: web.Request, _: dict[str, str]) -> web.StreamResponse:
    """Promises more than it sends, and hangs up."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "5000"})
    await response.prepare(request)
    await response.write(json.dumps({"status": "success", "data": {}}).encode()[:-3])
    if request.transport is not None:
        request.transport.close()
    return response


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A CA file that only this test trusts, and a server's TLS for 127.0.0.1 signed by it."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    key, cert = folder / "key.pem", folder / "cert.pem"
    key_of = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command = ["openssl", "req", "-x509", "-days", "2", *key_of]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(cert)]
    subprocess.run([*command, *names, *files], check=True, capture_output=True, timeout=30)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context
