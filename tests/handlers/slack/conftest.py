"""The `connect` fixture: a workspace on this machine and the edge under test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from pydantic import SecretStr

from bot.settings import HttpAddress, SlackSettings
from handlers.slack.app import build
from handlers.slack.standin import Standin, StandinConfig
from handlers.web import WebEdge
from tests.handlers.slack.worlds import MemoryIntake, World, picture

Connect = Callable[..., Any]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """`await connect(listen=…, config options…)` gives a World."""
    async with AsyncExitStack() as stack:

        async def make(
            *,
            listen: bool = False,
            delivery: str = "socket",
            follow: Callable[[str], bool] | None = None,
            draw: Any = picture,
            signing_secret: str | None = None,
            **options: Any,
        ) -> World:
            intake = MemoryIntake()
            holder: list[str] = []
            config = {"ack_seconds": 3.0, "time_scale": 0.001, **options}
            if delivery == "http":
                config["events_url"] = "http://127.0.0.1:1/slack/events"
            standin = await Standin(StandinConfig(delivery=delivery, **config)).start()
            stack.push_async_callback(standin.stop)
            settings = SlackSettings(
                bot_token=SecretStr(standin.bot_token),
                signing_secret=SecretStr(signing_secret or standin.signing_secret) if delivery == "http" else None,
                app_token=SecretStr(standin.app_token) if delivery == "socket" else None,
                api_url=standin.api_url,
            )
            edge = build(settings, intake, follow_threads=follow, picture=draw)
            stack.push_async_callback(edge.close)
            await edge.open()
            if listen and delivery == "socket":
                await edge.start_socket()
            if listen and delivery == "http":
                web = WebEdge(HttpAddress(host="127.0.0.1", port=0), edge.http_routes())
                holder.append(await web.start())
                stack.push_async_callback(web.close)
                standin.signed_http.events_url = f"{holder[0]}/slack/events"
            return World(stack, standin, intake, edge, holder[0] if holder else "")

        yield make
