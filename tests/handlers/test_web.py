"""The web edge: alive, ready, and never more than asked for."""

from __future__ import annotations

import asyncio
import logging

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from bot.errors import UsageError
from bot.settings import HttpAddress
from handlers.web import BODY_LIMIT, Readiness, WebEdge

ANY_PORT = HttpAddress(host="127.0.0.1", port=0)


async def test_it_is_alive_before_it_is_ready():
    told = [Readiness(missing=("Slack",)), Readiness(without=("Teams",)), Readiness()]

    async def ready():
        return told.pop(0)

    edge = WebEdge(ANY_PORT, ready=ready)
    url = await edge.start()
    try:
        async with aiohttp.ClientSession(url) as session:
            assert await _told(session, "/health") == (200, {"status": "alive"})
            assert await _told(session, "/ready") == (503, {"status": "not ready", "missing": ["Slack"]})
            assert await _told(session, "/ready") == (200, {"status": "ready", "without": ["Teams"]})
            assert await _told(session, "/ready") == (200, {"status": "ready"})
    finally:
        await edge.close()


async def _told(session, path):
    async with session.get(path) as answer:
        return answer.status, await answer.json()


async def test_a_body_that_is_too_large_is_refused():
    async def read(request):
        return web.json_response({"read": len(await request.read())})

    edge = WebEdge(ANY_PORT, [web.post("/slack/events", read)])
    url = await edge.start()
    try:
        async with aiohttp.ClientSession(url) as session:
            async with session.post("/slack/events", data=b"x" * (BODY_LIMIT + 1)) as answer:
                assert answer.status == 413
            async with session.post("/slack/events", data=b"x" * 100) as answer:
                assert answer.status == 200
    finally:
        await edge.close()


async def test_an_address_that_is_taken_is_named():
    first = WebEdge(ANY_PORT)
    port = int((await first.start()).rsplit(":", 1)[1])
    try:
        with pytest.raises(
            UsageError, match=rf"DIRECTOR_HTTP: 127.0.0.1:{port} can't be listened on \(Address already in use\)"
        ):
            await WebEdge(HttpAddress(host="127.0.0.1", port=port)).start()
    finally:
        await first.close()


async def test_of_a_body_that_is_wrongly_packed_no_traceback_is_logged(caplog):
    async def read(request):
        try:
            return web.json_response({"read": len(await request.read())})
        except web.RequestPayloadError:
            return web.json_response({}, status=400)

    edge = WebEdge(ANY_PORT, [web.post("/slack/events", read)])
    url = await edge.start()
    try:
        async with aiohttp.ClientSession(url) as session:
            headers = {"Content-Encoding": "gzip"}
            async with session.post("/slack/events", data=b"wombats" * 9, headers=headers) as answer:
                assert answer.status == 400
    finally:
        await edge.close()
    assert caplog.text == ""


@pytest.mark.parametrize(
    "sent",
    [
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nwombats\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nAuthorization wombats\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: wombats\r\n\r\n",
        b"GET /" + b"wombats" * 2_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"wombats",
    ],
    ids=["a chunk", "a header", "a length", "an address", "a line"],
)
async def test_of_what_is_no_http_nothing_is_quoted_in_the_log(sent, caplog):
    caplog.set_level(logging.DEBUG)
    edge = WebEdge(ANY_PORT)
    url = URL(await edge.start())
    try:
        reader, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(sent)
        writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
    finally:
        await edge.close()
    assert not answer or b" 400 " in answer.splitlines()[0]
    assert "wombats" not in caplog.text
