"""The door from Teams over raw HTTP: what strangers try there, and that the bot's token goes nowhere it must not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.doubles.teams_people import MAYA, chat_with
from tests.handlers.teams.edge_world import World, world

MAYA_CHAT = chat_with(MAYA)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def posted(here: World, *authorizations: str) -> int:
    """The status for one message with these Authorization headers."""
    body = json.dumps(here.teams.message(MAYA, MAYA_CHAT, "help", mention=False)).encode()
    parts = urlsplit(here.teams.bot)
    lines = [f"POST {parts.path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"Authorization: {one}" for one in authorizations]
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return int(answer.split()[1])


async def test_a_request_with_two_tokens_is_refused_whichever_is_good(here):
    good = f"Bearer {here.teams.token()}"

    assert await posted(here, good) == 200
    assert [await posted(here, good, "Bearer x"), await posted(here, "Bearer x", good)] == [401, 401]
    assert await posted(here, good, good) == 401


@pytest.mark.parametrize(
    "address",
    [
        "http://smba.trafficmanager.net/amer/",  # the bot's token would go out unencrypted
        "http://169.254.169.254/latest/",
        "https://smba.trafficmanager.net@evil.example/",
        "https://someone:secret@smba.trafficmanager.net/",
        "https://evil.example\\@smba.trafficmanager.net/",
        "https://smba.trafficmanager.net/amer/?to=",
        "https://smba.trafficmanager.net/amer/#",
        "https://smba.trafficmanager.net:99999/",
        "https:///amer/",
        "https://[/",
        "//smba.trafficmanager.net/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "javascript:alert(1)",
        "x",
    ],
)
async def test_an_address_that_our_own_token_must_not_go_to_is_refused_even_where_teams_token_names_it(here, address):
    activity = {**here.teams.message(MAYA, MAYA_CHAT, "help", mention=False), "serviceUrl": address}

    refused = await here.teams.attempt(activity, token=here.teams.token(service_url=address))

    assert refused.attempts == [401]
    assert here.intake.turns == []
    assert await here.store.references.all(platform="teams") == ()
