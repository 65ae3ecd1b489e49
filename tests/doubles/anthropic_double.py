"""A double of Anthropic's Messages API on loopback: scripted streams, every fault of the wire, and strict checks.

Each scripted answer carries a thinking block that is signed over the exact prefix it answered, as the 5.5 models do: a
later request whose history was edited is refused with 400. What a request does wrong is answered with 400 and kept in
`problems`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

from aiohttp import web

Event = dict[str, Any]
End = Literal["clean", "rst", "fin", "hang", "pings"]


@dataclass(frozen=True)
class Stream:
    """A 200 answer: these events (None: until the whole message), then this end. `raw` replaces the body altogether."""

    blocks: tuple[dict[str, Any], ...] = ()
    stop_reason: str | None = None
    events: int | None = None
    end: End = "clean"
    raw: bytes | None = None
    content_type: str = "text/event-stream"
    extra: tuple[Event, ...] = ()
    thinking: bool = True
    chunk: int = 7
    pause: float = 0.0  # seconds between two events


@dataclass(frozen=True)
class Refusal:
    """An error answer."""

    status: int
    kind: str
    headers: dict[str, str] = field(default_factory=dict)


Step = Stream | Refusal


def says(text: str, **how: Any) -> Stream:
    return Stream(blocks=({"type": "text", "text": text},), **how)


def looks_up(name: str, arguments: dict[str, Any] | str, text: str = "", **how: Any) -> Stream:
    """Arguments as text are sent as they are, half JSON too."""
    words = ({"type": "text", "text": text},) if text else ()
    return Stream(blocks=(*words, {"type": "tool_use", "name": name, "input": arguments}), **how)


@dataclass
class Captured:
    """One request as it came over the wire."""

    raw: bytes
    body: dict[str, Any]
    headers: dict[str, str]

    def prefix(self) -> bytes:
        """The bytes that the next request of this thread has to begin with, after the opening of `messages`."""
        return json.dumps(self.body["messages"], ensure_ascii=False)[:-1].encode()


class AnthropicDouble:
    """Answers the scripted steps in order, what goes beyond them with `otherwise`; without it that is an error."""

    def __init__(self, otherwise: Callable[[dict[str, Any]], Step] | None = None) -> None:
        self._otherwise = otherwise
        self.requests: list[Captured] = []
        self.problems: list[str] = []
        self._steps: list[Step] = []
        self._calls = 0
        self._runner: web.AppRunner | None = None
        self._stopping = asyncio.Event()
        self.url = ""

    def script(self, *steps: Step) -> None:
        self._steps.extend(steps)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=16 * 2**20)
        app.router.add_post("/v1/messages", self._messages)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        body = json.loads(raw)
        self.requests.append(Captured(raw, body, {key.lower(): value for key, value in request.headers.items()}))
        problems = [*check_headers(self.requests[-1].headers), *check_request(body)]
        if problems:
            self.problems.extend(problems)
            return _error(Refusal(400, "invalid_request_error"), "; ".join(problems))
        if not self._steps and self._otherwise is not None:
            self._steps.append(self._otherwise(body))
        if not self._steps:
            self.problems.append("a request beyond the script")
            return _error(Refusal(400, "invalid_request_error"), "a request beyond the script")
        step = self._steps.pop(0)
        if isinstance(step, Refusal):
            return _error(step, "scripted")
        with contextlib.suppress(ConnectionError):  # whoever asked was killed
            return await self._stream(request, step, body)
        return web.Response(status=499)

    async def _stream(self, request: web.Request, step: Stream, body: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": step.content_type, "request-id": "req_double"})
        await response.prepare(request)
        transport = request.transport
        if step.raw is not None:
            await response.write(step.raw)
        else:
            for event in self._events(step, body)[: step.events]:
                await response.write(_sse(event))
                if step.pause:
                    await asyncio.sleep(step.pause)
        for event in step.extra:
            await response.write(_sse(event))
        match step.end:
            case "rst" if transport is not None:
                await asyncio.sleep(0.05)  # what was written is on its way
                raw_socket: socket.socket = transport.get_extra_info("socket")
                raw_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                transport.abort()
            case "fin" if transport is not None:
                await asyncio.sleep(0.05)
                transport.close()
            case "hang":
                await self._stopping.wait()
            case "pings":
                with contextlib.suppress(ConnectionError):
                    while not self._stopping.is_set():
                        await response.write(_sse({"type": "ping"}))
                        await asyncio.sleep(0.01)
            case _:
                await response.write_eof()
        return response

    def _events(self, step: Stream, body: dict[str, Any]) -> list[Event]:
        self._calls += 1
        blocks = list(step.blocks)
        if step.thinking and step.stop_reason != "refusal":
            blocks.insert(0, {"type": "thinking", "thinking": "", "signature": signature(body, body["messages"])})
        uses = any(block["type"] == "tool_use" for block in blocks)
        usage = {"input_tokens": 11, "cache_creation_input_tokens": 7, "cache_read_input_tokens": 5, "output_tokens": 1}
        message = {
            "id": f"msg_{self._calls}",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        }
        events: list[Event] = [{"type": "message_start", "message": message}, {"type": "ping"}]
        for index, block in enumerate(blocks):
            events += _block_events(index, block, f"toolu_{self._calls}_{index}", step.chunk)
        reason = step.stop_reason or ("tool_use" if uses else "end_turn")
        events.append(
            {
                "type": "message_delta",
                "delta": {"stop_reason": reason, "stop_sequence": None},
                "usage": {"output_tokens": 13},
            }
        )
        events.append({"type": "message_stop"})
        return events


def _block_events(index: int, block: dict[str, Any], tool_id: str, chunk: int) -> list[Event]:
    def delta(**what: Any) -> Event:
        return {"type": "content_block_delta", "index": index, "delta": what}

    start: dict[str, Any]
    match block["type"]:
        case "text":
            start = {"type": "text", "text": ""}
            deltas = [delta(type="text_delta", text=part) for part in _parts(block["text"], chunk)]
        case "thinking":
            start = {"type": "thinking", "thinking": "", "signature": ""}
            deltas = [delta(type="signature_delta", signature=block["signature"])]
        case "tool_use":
            start = {"type": "tool_use", "id": tool_id, "name": block["name"], "input": {}}
            sent = block["input"] if isinstance(block["input"], str) else json.dumps(block["input"])
            deltas = [delta(type="input_json_delta", partial_json=part) for part in _parts(sent, chunk)]
        case _:
            start, deltas = block, []
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *deltas,
        {"type": "content_block_stop", "index": index},
    ]


def _parts(text: str, size: int) -> list[str]:
    return [text[begin : begin + size] for begin in range(0, len(text), size)]


def _sse(event: Event) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def _error(refusal: Refusal, message: str) -> web.Response:
    body = {"type": "error", "error": {"type": refusal.kind, "message": message}}
    return web.json_response(body, status=refusal.status, headers=refusal.headers)


# --- what the API would refuse ---------------------------------------------------------------------------------------


def signature(body: dict[str, Any], before: Sequence[Any]) -> str:
    """What binds a thinking block to model, system, tools and every message before it."""
    bound = [body["model"], body.get("system"), body.get("tools"), list(before)]
    return hashlib.sha256(json.dumps(bound, ensure_ascii=False).encode()).hexdigest()


def check_headers(headers: dict[str, str]) -> list[str]:
    problems = []
    if not headers.get("authorization", "").startswith("Bearer "):
        problems.append("no bearer key")
    if "anthropic-version" not in headers:
        problems.append("no anthropic-version")
    return problems


def check_request(body: dict[str, Any]) -> list[str]:
    problems = [f"{name} is not accepted" for name in ("temperature", "top_p", "top_k") if name in body]
    if body.get("tool_choice", {}).get("type") in ("any", "tool"):
        problems.append("forced tool_choice is not accepted")
    if body.get("thinking", {}).get("type") in ("disabled", "enabled"):
        problems.append("this thinking setting is not accepted")
    if not body.get("stream"):
        problems.append("only streams are expected here")
    problems += _cache_problems(body)
    return problems + _message_problems(body)


def _cache_problems(body: dict[str, Any]) -> list[str]:
    marks: list[str] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "cache_control" in node:
                marks.append(node["cache_control"].get("ttl", "5m"))
            for key, value in node.items():
                if key != "cache_control":
                    walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk([body.get("tools", []), body.get("system", []), body["messages"]])
    if "cache_control" in body:
        marks.append(body["cache_control"].get("ttl", "5m"))
    problems = ["more than four cache breakpoints"] if len(marks) > 4 else []
    return [*problems, "a longer ttl after a shorter one"] if marks != sorted(marks, key="1h".__ne__) else problems


def _message_problems(body: dict[str, Any]) -> list[str]:
    problems: list[str] = []
    messages = body["messages"]
    before, asked = "", []
    for index, message in enumerate(messages):
        role = message["role"]
        blocks = (
            [{"type": "text", "text": message["content"]}]
            if isinstance(message["content"], str)
            else message["content"]
        )
        expected = {"": ("user",), "user": ("assistant", "system"), "system": ("assistant",), "assistant": ("user",)}
        if role not in expected[before]:
            problems.append(f"messages.{index}: {role} after {before or 'nothing'}")
        if not blocks or any(block["type"] == "text" and not block["text"].strip() for block in blocks):
            problems.append(f"messages.{index}: empty content")
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if role == "user" and results != asked:
            problems.append(f"messages.{index}: tool_use {asked} answered by tool_result {results}")
        if role != "system":
            asked = [block["id"] for block in blocks if block["type"] == "tool_use"]
        problems += [
            f"messages.{index}: the thinking block is bound to a different conversation"
            for block in blocks
            if block["type"] == "thinking" and block["signature"] != signature(body, messages[:index])
        ]
        before = role
    if asked or before == "assistant":
        problems.append("the last message does not ask for anything")
    return problems
