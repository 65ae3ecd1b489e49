"""A Slack workspace for tests: fixtures that start it, and a Bolt app that is connected to it over the wire.

Re-export the fixtures from a folder's conftest.py: `from tests.doubles.slack import slack, standin`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.standin import Standin, StandinConfig

MAYA, OMAR, GUS, EVE = "U0MAYA", "U0OMAR", "U0GUS", "U0EVE"
GENERAL, PAYMENTS, RANDOM, LEADS, BOARD, ARCHIVED = (
    "C0GENERAL",
    "C0PAYMENTS",
    "C0RANDOM",
    "C0LEADS",
    "C0BOARD",
    "C0OLD",
)


class Clock:
    """Seconds since 1970 that only move when told."""

    def __init__(self, now: float = 1_795_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


@asynccontextmanager
async def running(config: StandinConfig | None = None, **changes: Any) -> AsyncIterator[Standin]:
    """A workspace of this configuration, stopped at the end."""
    standin = Standin(replace(config or StandinConfig(), **changes))
    await standin.start()
    try:
        yield standin
    finally:
        await standin.stop()


@asynccontextmanager
async def client_of(standin: Standin, token: str | None = None, **options: Any) -> AsyncIterator[AsyncWebClient]:
    """slack_sdk's own client with the bot's token."""
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient(
            token=token or standin.bot_token,
            base_url=standin.api_url,
            session=session,
            **{"retry_handlers": [], **options},
        )


def bolt_app(standin: Standin, client: AsyncWebClient, **options: Any) -> AsyncApp:
    return AsyncApp(client=client, signing_secret=standin.signing_secret, **options)


@asynccontextmanager
async def connected(
    standin: Standin, app: AsyncApp, *, ping_interval: float = 10
) -> AsyncIterator[AsyncSocketModeHandler]:
    """The app in Socket Mode, connected until the end."""
    handler = AsyncSocketModeHandler(
        app,
        standin.app_token,
        web_client=AsyncWebClient(token=standin.app_token, base_url=standin.api_url),
        ping_interval=ping_interval,
    )
    try:
        await handler.connect_async()
        await standin.sockets.wait_connected()
        yield handler
    finally:
        await handler.close_async()
        await handler.client.aiohttp_client_session.close()
        await asyncio.sleep(0)  # its tasks are cancelled, let them end


@asynccontextmanager
async def listening(
    handle: Callable[[web.Request], Awaitable[web.StreamResponse]], path: str = "/slack/events"
) -> AsyncIterator[str]:
    """A web server on a free loopback port that answers with `handle`; yields its address."""
    app = web.Application()
    app.router.add_post(path, handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}{path}"
    finally:
        await runner.cleanup()


@pytest.fixture
async def standin() -> AsyncIterator[Standin]:
    """A workspace with nobody connected. It doesn't wait long for an app that isn't there."""
    async with running(ack_seconds=1.0, time_scale=0.001) as started:
        yield started


@pytest.fixture
async def slack(standin: Standin) -> AsyncIterator[AsyncWebClient]:
    """slack_sdk's client for the workspace of this test."""
    async with client_of(standin) as client:
        yield client
