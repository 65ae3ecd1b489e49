"""The workspace as one server on this machine: it binds loopback and listens to nobody else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from aiohttp import web

from handlers.slack.standin import chat, conversations, directory, uploads
from handlers.slack.standin.config import StandinConfig
from handlers.slack.standin.courier import Courier, Receipt
from handlers.slack.standin.events import Events
from handlers.slack.standin.faults import Faults
from handlers.slack.standin.ledger import Ledger
from handlers.slack.standin.live import LivePages
from handlers.slack.standin.page_routes import PageRoutes
from handlers.slack.standin.people import CommandResult, People, ViewResult
from handlers.slack.standin.response_urls import ResponseUrls
from handlers.slack.standin.signed_http import SignedHttp
from handlers.slack.standin.sockets import Sockets
from handlers.slack.standin.streams import Streams
from handlers.slack.standin.views import Views
from handlers.slack.standin.web_api import WebApi
from handlers.slack.standin.workspace import Workspace

HOST = "127.0.0.1"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LARGEST = 64 * 1024 * 1024
Found = TypeVar("Found")


class NotLoopback(Exception):
    """The workspace was asked to listen on an address that others can reach."""


class Standin:
    """A Slack workspace on this machine: start it, point an app at `api_url`, and be its people.

    `ledger` tells what happened, `faults` makes calls fail, `people` acts, `sockets` and `signed_http` reach the app.
    """

    def __init__(self, config: StandinConfig | None = None) -> None:
        self.config = config or StandinConfig()
        self.workspace = Workspace(self.config)
        self.ledger = Ledger(self.workspace)
        self.faults = Faults()
        self.views = Views(self.workspace)
        self.urls = ResponseUrls(self.workspace)
        self.sockets = Sockets(self.workspace)
        self.signed_http = SignedHttp(self.workspace)
        self.streams = Streams(self.workspace)
        carrier = self.sockets if self.config.delivery == "socket" else self.signed_http
        self.courier = Courier(self.config, self.ledger, carrier)
        self.events = Events(self.workspace, self.courier)
        self.people = People(self.workspace, self.courier, self.events, self.views, self.urls)
        self.live = LivePages(self.workspace)
        self.web_api = WebApi(
            self.workspace,
            self.ledger,
            self.faults,
            {
                **chat.METHODS,
                **conversations.METHODS,
                **directory.METHODS,
                **uploads.METHODS,
                **self.streams.methods,
                **self.views.methods,
                **self.sockets.methods,
            },
        )
        self._runner: web.AppRunner | None = None

    # --- where it is ---

    @property
    def url(self) -> str:
        return self.workspace.base_url

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    @property
    def bot_token(self) -> str:
        return self.config.bot_token

    @property
    def app_token(self) -> str:
        return self.config.app_token

    @property
    def signing_secret(self) -> str:
        return self.config.signing_secret

    @property
    def team_id(self) -> str:
        return self.config.team_id

    @property
    def bot_user_id(self) -> str:
        return self.config.bot.id

    # --- life ---

    async def start(self, port: int = 0, *, host: str = HOST) -> Self:
        """Listen on a loopback port (0: a free one).

        Raises:
            NotLoopback: `host` is an address that other machines can reach.
            OSError: the port is taken.
        """
        if host not in _LOOPBACK:
            raise NotLoopback(
                f"the workspace listens on {HOST} only, not on {host}: it trusts everyone who can reach it"
            )
        app = web.Application(middlewares=[_only_this_machine], client_max_size=_LARGEST)
        page = PageRoutes(self.workspace, self.people, self.views, self.live)
        app.add_routes(
            [
                web.post("/api/{method}", self.web_api.handle),
                web.get("/api/{method}", self.web_api.handle),
                web.get("/link/", self.sockets.handle),
                web.post("/response/{ticket}", self.urls.handle),
                web.post("/upload/{id}", self._upload),
                web.put("/upload/{id}", self._upload),
                *page.routes(),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        bound: tuple[Any, ...] = self._runner.addresses[0]
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        self.workspace.base_url = f"http://{shown}:{bound[1]}"
        return self

    async def stop(self) -> None:
        await self.courier.close()
        self.streams.close()
        await self.live.close()
        await self.sockets.close()
        await self.signed_http.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        if self._runner is None:
            await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # --- being its people ---

    async def say(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> str:
        """Post as a person and return the ts. Channels go by id, `#name`, or the bot's direct message by person id."""
        return self.people.say(user, channel, text, thread_ts)

    async def command(self, user: str, channel: str, command: str, text: str = "") -> CommandResult:
        return await self.people.command(user, channel, command, text)

    async def click(self, user: str, channel: str, ts: str, action_id: str, value: str | None = None) -> Receipt:
        return await self.people.click(user, channel, ts, action_id, value)

    async def submit_view(self, user: str, view_id: str, values: Mapping[str, Mapping[str, Any]]) -> ViewResult:
        return await self.people.submit_view(user, view_id, values)

    async def open_home(self, user: str, tab: str = "home") -> None:
        self.people.open_home(user, tab)

    async def wait_for(self, predicate: Callable[[Ledger], Found | None], seconds: float = 10.0) -> Found:
        """The first true result of `predicate(ledger)`; raises TimeoutError with an account of what happened."""
        return await self.ledger.wait_for(predicate, seconds)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        stored = self.workspace.files.get(request.match_info["id"])
        if stored is None or stored.completed:
            return web.Response(status=404, text="there is no such upload")
        if request.content_type == "multipart/form-data":
            form = await request.post()
            parts = [part.file.read() for part in form.values() if isinstance(part, web.FileField)]
            content = parts[0] if parts else b""
        else:
            content = await request.read()
        if len(content) != stored.length:
            return web.Response(status=400, text=f"expected {stored.length} bytes, got {len(content)}")
        stored.content = content
        return web.Response(text=f"OK - {len(content)}")


@web.middleware
async def _only_this_machine(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """A page of another site must not drive the workspace: not by its own name, not by a name that points here."""
    if urlsplit(f"//{request.host}").hostname not in _LOOPBACK:
        return web.Response(status=403, text="this workspace is reached by a loopback address only")
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.host}":
        return web.Response(status=403, text="another site may not use this workspace")
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        return web.Response(status=403, text="another site may not use this workspace")
    return await handler(request)
