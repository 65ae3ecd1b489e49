"""Socket Mode: Slack's events over a connection that we open. Reconnects, also after long outages, and drains."""

from __future__ import annotations

import asyncio
import contextlib
import time

import structlog
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import Unreachable, UsageError
from handlers.slack.wire import TROUBLE, code, sdk_log

log = structlog.get_logger(__name__)

PING = 5.0
WATCH = 1.0
RENEW = 10  # watches between attempts with a new address
DRAIN = 5.0
CONNECT = 20.0
_REFUSED = frozenset(
    ("invalid_auth", "not_authed", "not_allowed_token_type", "missing_scope", "token_revoked", "account_inactive")
)


class Socket(AsyncSocketModeHandler):
    """One connection. An envelope that couldn't be stored isn't acknowledged, so Slack sends it again."""

    def __init__(self, app: AsyncApp, app_token: str, web_client: AsyncWebClient) -> None:
        super().__init__(app, app_token, logger=sdk_log, web_client=web_client, ping_interval=PING)
        self.client.proxy = web_client.proxy
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining = False
        self._watch: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect.

        Raises:
            UsageError: Slack refuses the app token.
            Unreachable: Slack doesn't answer.
        """
        try:
            answer = await self.client.web_client.apps_connections_open(app_token=self.app_token)
        except TROUBLE as error:
            name = code(error)
            if name in _REFUSED:
                raise UsageError(
                    f"Slack refused SLACK_APP_TOKEN ({name}). It has to be an app-level token (xapp-…) with the scope "
                    "connections:write: Basic Information > App-Level Tokens."
                ) from error
            raise Unreachable(f"Slack could not be reached ({name}). Check the network and SLACK_API_URL.") from error
        self.client.wss_uri = str(answer["url"])  # the SDK would try for ever with a refused token
        try:
            await asyncio.wait_for(self.client.connect(), CONNECT)  # type: ignore[no-untyped-call]
        except TimeoutError as error:
            raise Unreachable("Slack gave an address for Socket Mode, but no connection to it came about.") from error
        self._watch = asyncio.create_task(self._watched())

    async def connected(self) -> bool:
        return bool(await self.client.is_connected())

    async def close(self) -> None:
        """Take nothing new, let what is being stored be stored and acknowledged, then disconnect."""
        self._draining = True
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=DRAIN)
        await self.client.close()  # type: ignore[no-untyped-call]
        # The SDK cancels its tasks without waiting for them.
        ours = (self.client.message_processor, self.client.current_session_monitor, self.client.message_receiver)
        await asyncio.gather(*(task for task in ours if task is not None), return_exceptions=True)

    async def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]
        if self._draining:
            return  # not acknowledged: Slack delivers it to the next process
        task = asyncio.current_task()
        if task is not None:  # the SDK keeps no reference; without one the task may be collected while it waits
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        started = time.time()
        answer = await run_async_bolt_app(self.app, req)
        try:
            await send_async_response(client, req, answer, started)
        except TROUBLE as error:
            # The connection went while the event was stored. Slack delivers it again, and the inbox knows it by then.
            log.info("slack.acknowledgement_lost", error=type(error).__name__)

    async def _watched(self) -> None:
        """Reconnect within seconds; the SDK alone waits for its next ping.

        In a long outage the connection's address is thrown away from time to time: the SDK tries the same one for
        ever, but Slack honours it only once.
        """
        down = 0
        reconnecting: asyncio.Task[None] | None = None
        try:
            while True:
                await asyncio.sleep(WATCH)
                if await self.connected():
                    down = 0
                    continue
                if down % RENEW == 0:
                    log.warning("slack.socket_down", seconds=down * WATCH)
                    if reconnecting is None or reconnecting.done():
                        reconnecting = asyncio.create_task(self._reconnected())
                    elif down:
                        self.client.wss_uri = None
                down += 1
        finally:
            if reconnecting is not None:
                reconnecting.cancel()
                await asyncio.gather(reconnecting, return_exceptions=True)

    async def _reconnected(self) -> None:
        try:
            await self.client.connect_to_new_endpoint()
        except TROUBLE as error:
            log.warning("slack.socket_refused", error=code(error))
