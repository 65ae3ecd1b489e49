"""The demo beside a Teams playground: it listens without credentials, to this machine alone."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.doubles.process import free_port, run
from tests.system.test_playground import demo

ACTIVITY: dict[str, Any] = {
    "type": "installationUpdate",
    "action": "add",
    "id": "1",
    "serviceUrl": "http://localhost:1/_connector",
    "from": {"id": "user-id-0"},
    "recipient": {"id": "bot"},
    "conversation": {"id": "c", "conversationType": "personal", "tenantId": "t"},
    "channelId": "msteams",
}


@pytest.mark.slow
async def test_activities_of_this_machine_are_taken_and_no_others(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/api/messages"
    async with demo(port, tmp_path, {}), aiohttp.ClientSession() as session:

        async def post(change: dict[str, Any], **headers: str) -> int:
            async with session.post(url, json=ACTIVITY | change, headers=headers) as answer:
                return answer.status

        assert await post({}) == 202
        assert await post({"serviceUrl": "https://smba.trafficmanager.net/teams/"}) == 401
        assert await post({}, Origin="https://example.com") == 401
        with pytest.raises(OSError, match="refused"), socket.socket() as elsewhere:
            elsewhere.connect(("127.0.0.2", port))


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = await run("demo", "--no-browser", "--teams-port", str(port), cwd=tmp_path, env={})
    assert said.code == 2
    assert f"--teams-port: 127.0.0.1:{port} can't be listened on" in said.err
