"""Whole processes on real wires: `director serve` beside a Slack workspace, on SQLite and PostgreSQL."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from handlers.slack.standin import Standin, StandinConfig
from tests.doubles.postgres import PostgresServer, postgres
from tests.doubles.process import Served
from tests.doubles.prometheus import prometheus_fleet
from tests.doubles.teams import TeamsConfig, TeamsDouble

__all__ = ["prometheus_fleet"]

SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: checkout-availability}
spec:
  service: checkout
  description: Requests that succeed
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  indicator:
    metadata: {name: checkout-requests}
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: CSV, spec: {file: events.csv, series: checkout_bad}}}
        total: {metricSource: {type: CSV, spec: {file: events.csv, series: checkout_total}}}
  objectives: [{displayName: availability, target: 0.999}]
---
apiVersion: openslo/v1
kind: Service
metadata: {name: checkout}
spec: {description: Takes orders}
"""


def write_checkout(folder: Path, *, now: datetime | None = None) -> None:
    """One service with 1,000 requests an hour, half of whose error budget is spent."""
    folder.mkdir(exist_ok=True)
    (folder / "checkout.yaml").write_text(SLO, encoding="utf-8")
    hour = (now or datetime.now(UTC)).replace(minute=0, second=0, microsecond=0)
    with (folder / "events.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["hour", "series", "events"])
        for back in range(1, 30 * 24):
            at = (hour - timedelta(hours=back)).isoformat().replace("+00:00", "Z")
            table.writerow([at, "checkout_total", 1000])
            table.writerow([at, "checkout_bad", 1 if back % 2 else 0])


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    url = postgres_server.database()
    yield url
    postgres_server.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/director.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@dataclass
class Town:
    """A Slack workspace and the Directors that serve it."""

    folder: Path
    standin: Standin
    env: dict[str, str]
    port: int  # of the Director that Slack's events go to
    served: list[Served] = field(default_factory=list)

    async def serve(self, **env: str) -> Served:
        """Start a Director; the first one listens where Slack sends signed events."""
        served = Served(self.folder, {**self.env, **env})
        if not self.served:
            served.port = self.port
        self.served.append(served)
        await served.start()
        return served


class Towns:
    """Builds towns; closes everything at the end of the test."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self._folder, self._stack = folder, stack

    async def build(self, *, database_url: str, delivery: str = "socket", **config: object) -> Town:
        first = Served(self._folder, {})  # only for its port: signed HTTP has to know where events go
        standin = Standin(
            replace(
                StandinConfig(),
                delivery=delivery,
                events_url=f"{first.url}/slack/events",
                **config,  # type: ignore[arg-type]
            )
        )
        await standin.start()
        self._stack.push_async_callback(standin.stop)
        env = {
            "DATABASE_URL": database_url,
            "SLACK_API_URL": standin.api_url,
            "SLACK_BOT_TOKEN": standin.bot_token,
            "SLACK_SIGNING_SECRET": standin.signing_secret,
        }
        if delivery == "socket":
            env["SLACK_APP_TOKEN"] = standin.app_token
        slos = self._folder / "slos"
        write_checkout(slos)
        env["DIRECTOR_SLOS"] = str(slos)
        town = Town(self._folder, standin, env, first.port)
        self._stack.push_async_callback(_stop_all, town)
        return town


@dataclass
class TeamsTown:
    """A Microsoft Teams and the Directors that serve it."""

    folder: Path
    teams: TeamsDouble
    env: dict[str, str]
    served: list[Served] = field(default_factory=list)

    async def serve(self, **env: str) -> Served:
        """Start a Director; activities go to the newest one."""
        served = Served(self.folder, {**self.env, **env})
        self.served.append(served)
        self.teams.bot = f"{served.url}/api/messages"
        await served.start()
        return served


class TeamsTowns:
    """Builds towns with Teams in them; closes everything at the end of the test."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self._folder, self._stack = folder, stack

    async def build(self, *, database_url: str, tenants: tuple[str, ...] = (), **config: object) -> TeamsTown:
        teams = await self._stack.enter_async_context(TeamsDouble(TeamsConfig(**config)))  # type: ignore[arg-type]
        slos = self._folder / "slos"
        write_checkout(slos)
        env = {"DATABASE_URL": database_url, "DIRECTOR_SLOS": str(slos), **teams.environment(*tenants)}
        town = TeamsTown(self._folder, teams, env)
        self._stack.push_async_callback(_stop_all, town)
        return town


async def _stop_all(town: Town | TeamsTown) -> None:
    for served in town.served:
        if served.process is not None and served.process.returncode is None:
            await served.kill()


@pytest.fixture
async def towns(tmp_path: Path) -> AsyncIterator[Towns]:
    async with AsyncExitStack() as stack:
        yield Towns(tmp_path, stack)


@pytest.fixture
async def teams_towns(tmp_path: Path) -> AsyncIterator[TeamsTowns]:
    async with AsyncExitStack() as stack:
        yield TeamsTowns(tmp_path, stack)
