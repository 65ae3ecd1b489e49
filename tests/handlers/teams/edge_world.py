"""The Teams edge over real HTTP and a real store, with a Teams of the tests on the other side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from bot.domain import Incoming, Place, Signal
from bot.ports import Intake
from bot.settings import HttpAddress, TeamsSettings
from handlers.teams.app import TeamsEdge, build
from handlers.web import WebEdge
from storage import Store, open_store
from tests.doubles.teams import CLIENT_ID, SECRET, TeamsConfig, TeamsDouble, running
from tests.doubles.teams_people import TENANT

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Watched:
    """An intake that can be told to fail or to hang, and shows what was stored anew."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self.turns: list[Incoming] = []
        self.signals: list[Signal] = []
        self.tries = 0
        self.failures: list[Exception] = []
        self.pauses: list[float] = []
        self._changed = asyncio.Event()

    async def _trouble(self) -> None:
        self.tries += 1
        self._changed.set()
        if self.failures:
            raise self.failures.pop(0)
        if self.pauses:
            await asyncio.sleep(self.pauses.pop(0))

    async def put(self, incoming: Incoming) -> bool:
        await self._trouble()
        new = await self._intake.put(incoming)
        if new:
            self.turns.append(incoming)
        self._changed.set()
        return new

    async def signal(self, signal: Signal) -> bool:
        await self._trouble()
        new = await self._intake.signal(signal)
        if new:
            self.signals.append(signal)
        self._changed.set()
        return new

    async def knows(self, place: Place) -> bool:
        return await self._intake.knows(place)

    async def until(self, wanted: Callable[[Watched], bool]) -> None:
        async with asyncio.timeout(10):
            while not wanted(self):
                self._changed.clear()
                await self._changed.wait()


def settings(teams: TeamsDouble, *tenants: str, secret: str = SECRET) -> TeamsSettings:
    return TeamsSettings(
        client_id=CLIENT_ID,
        client_secret=SecretStr(secret),
        tenant_id=TENANT,
        allowed_tenants=tenants or (TENANT,),
        login_url=teams.url,
        openid_url=teams.openid_url,
    )


@dataclass
class World:
    teams: TeamsDouble
    store: Store
    intake: Watched
    edge: TeamsEdge
    url: str
    stack: AsyncExitStack = field(repr=False)


@asynccontextmanager
async def world(
    folder: Path,
    *tenants: str,
    config: TeamsConfig | None = None,
    openid_url: str | None = None,
    now: Callable[[], datetime] = lambda: NOW,
) -> AsyncIterator[World]:
    """The edge is open and listens; people may speak."""
    async with AsyncExitStack() as stack:
        teams = await stack.enter_async_context(running(config))
        store = await stack.enter_async_context(open_store(f"sqlite:///{folder}/director.db"))
        await store.migrate()
        intake = Watched(store.inbox)
        how = settings(teams, *tenants)
        if openid_url is not None:
            how = how.model_copy(update={"openid_url": openid_url})
        edge = build(how, intake, store.references, now=now)
        stack.push_async_callback(edge.close)
        await edge.open()
        web = WebEdge(HttpAddress(host="127.0.0.1", port=0), edge.http_routes())
        url = await web.start()
        stack.push_async_callback(web.close)
        teams.bot = f"{url}/api/messages"
        yield World(teams, store, intake, edge, url, stack)
