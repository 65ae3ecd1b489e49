"""The composition root: wiring and nothing else. The only module that imports handlers and storage."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
import webbrowser
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web

    from bot.conversation.model import Model
    from bot.director import Director
    from bot.planning import Planning
    from bot.ports import Chat, Intake
    from bot.reliability import Reliability
    from bot.settings import HttpAddress, Settings
    from handlers.cli import wiring
    from handlers.platforms import Directories, Directory, Postings
    from handlers.slack.app import SlackEdge
    from handlers.teams.app import TeamsEdge
    from storage import Store

DRAIN = 20.0  # seconds that running turns get to finish when the process is told to stop


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class Root:
    """What the commands need, made from the settings. `model` replaces the configured one, e.g. by a recorded one."""

    def __init__(self, model: Model | None = None) -> None:
        self._clock = SystemClock()
        self._instead = model

    def now(self) -> datetime:
        return self._clock.now()

    def settings(self) -> Settings:
        from bot.settings import load_settings

        return load_settings(os.environ, Path.cwd())

    # --- rooms -------------------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def store(self, settings: Settings) -> AsyncIterator[Store]:
        opened = await asyncio.to_thread(_open_store)  # importing takes long
        async with opened(settings.database_url) as store:
            await store.migrate()
            yield store

    async def migrate(self, settings: Settings) -> tuple[str | None, str]:
        from storage import open_store

        async with open_store(settings.database_url) as store:
            revisions = await store.migrate()
        return revisions.before, str(revisions.after)

    @contextlib.asynccontextmanager
    async def reliability(self, settings: Settings, store: wiring.Store | None = None) -> AsyncIterator[Reliability]:
        def read() -> Reliability:
            from bot.assemble import reliability_of
            from bot.reliability.memory import Remembered

            at = settings.workspace
            memory = None if store is None else Remembered(store.hours(at), store.issued(at), store.deploys(at))
            gc.freeze()  # modules and definitions stay: looking through them for garbage holds the event loop up
            found = reliability_of(settings, memory, self._clock)
            gc.freeze()
            return found

        async with await asyncio.to_thread(read) as reliability:  # a thousand SLO files take a while
            yield reliability

    @contextlib.asynccontextmanager
    async def model(self, settings: Settings) -> AsyncIterator[Model | None]:
        from bot.assemble import model_of

        model = self._instead if self._instead is not None else model_of(settings)
        try:
            yield model
        finally:
            if model is not None:
                await model.close()

    @contextlib.asynccontextmanager
    async def planning(self, settings: Settings, store: wiring.Store) -> AsyncIterator[Planning]:
        from bot.assemble import planning_of

        async with self.reliability(settings, store) as reliability, self.model(settings) as model:
            yield planning_of(settings, store.plans, reliability, model)

    @contextlib.asynccontextmanager
    async def posting(self, settings: Settings) -> AsyncIterator[Postings]:
        from handlers.edges import slack_edge, teams_edge
        from handlers.platforms import Posting, Postings

        async with contextlib.AsyncExitStack() as stack:
            edges: dict[str, Posting] = {}
            if settings.slack is not None or settings.teams is None:
                edges["slack"] = await stack.enter_async_context(slack_edge(settings, None))
            if settings.teams is not None:
                store = await stack.enter_async_context(self.store(settings))
                edges["teams"] = await stack.enter_async_context(teams_edge(settings.teams, None, store.references))
            yield Postings(edges)

    @contextlib.asynccontextmanager
    async def director(
        self, settings: Settings, store: Store, reliability: Reliability, directories: Directories | None = None
    ) -> AsyncIterator[Director]:
        from bot.assemble import director_of

        async with self.model(settings) as model:
            if model is not None:
                await model.warm_up()
            yield director_of(
                settings,
                plans=store.plans,
                schedules=store.schedules,
                reliability=reliability,
                model=model,
                clock=self._clock,
                channels=directories,
                groups_of=directories.groups_of if directories is not None else None,
            )

    @contextlib.asynccontextmanager
    async def working(self, store: Store, director: Director, chats: Mapping[str, Chat]) -> AsyncIterator[None]:
        """A worker on this store's inbox while the body runs; should it ever fail, the body ends with its error."""
        from bot.worker import Worker

        worker = Worker(inbox=store.inbox, memory=store.memory, director=director, chats=chats, clock=self._clock)
        try:
            async with asyncio.TaskGroup() as group:
                run = group.create_task(worker.run(), name="worker")
                try:
                    yield
                finally:
                    await worker.drain(DRAIN)
                    await run
        except ExceptionGroup as several:
            if len(several.exceptions) > 1:
                raise
            raise several.exceptions[0] from None  # as it was said, for who started the command

    @contextlib.asynccontextmanager
    async def core(self, settings: Settings, chat: Chat) -> AsyncIterator[Intake]:
        async with (
            self.store(settings) as store,
            self.reliability(settings, store) as reliability,
            self.director(settings, store, reliability) as director,
            self.working(store, director, {"console": chat}),
        ):
            yield store.inbox

    # --- at work -----------------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def serving(self, settings: Settings, *, playground: HttpAddress | None = None) -> AsyncIterator[str]:
        """Everything that `serve` runs; yields the address of the web edge. Closes in the order that loses nothing.

        `playground` is a loopback address at which a Teams playground is listened to, without credentials.
        """
        from bot.errors import UsageError
        from handlers.clock import ScheduleClock
        from handlers.edges import NO_CHAT, slack_edge, teams_edge
        from handlers.hours_clock import HoursClock
        from handlers.platforms import Directories, readiness
        from handlers.slack.directory import SlackDirectory
        from handlers.web import Readiness, WebEdge
        from storage import serve_lock

        if settings.slack is None and settings.teams is None:
            raise UsageError(NO_CHAT)
        rights = settings.file.rights
        slack: SlackEdge | None = None
        teams: TeamsEdge | None = None
        edges: dict[str, SlackEdge | TeamsEdge] = {}
        directories: dict[str, Directory] = {}
        with serve_lock(settings.database_url):
            async with contextlib.AsyncExitStack() as stack:
                store = await stack.enter_async_context(self.store(settings))
                if settings.slack is not None:
                    slack = await stack.enter_async_context(slack_edge(settings, store.inbox))
                    edges["slack"] = slack
                    directories["slack"] = SlackDirectory(slack, (*(rights.schedule or ()), *(rights.admin or ())))
                if settings.teams is not None or playground is not None:
                    how = settings.teams if playground is None else None
                    teams = await stack.enter_async_context(teams_edge(how, store.inbox, store.references))
                    edges["teams"] = directories["teams"] = teams
                reliability = await stack.enter_async_context(self.reliability(settings, store))
                known = Directories(directories)
                director = await stack.enter_async_context(self.director(settings, store, reliability, known))
                await stack.enter_async_context(self.working(store, director, edges))

                async def ready() -> Readiness:
                    await store.check()
                    return await readiness(edges)

                web = WebEdge(
                    settings.http,
                    (
                        *self._hooks(settings, store, reliability),
                        *(slack.http_routes() if slack is not None else ()),
                        *(teams.http_routes() if teams is not None and playground is None else ()),
                    ),
                    ready=ready,
                )
                clocks = (
                    ScheduleClock(store.schedules, store.inbox, self._clock),
                    HoursClock(reliability, self._clock),
                )
                beside = (
                    WebEdge(playground, teams.http_routes(), named="--teams-port") if playground and teams else None
                )
                try:
                    address = await web.start()
                    if beside is not None:
                        await beside.start()
                    if slack is not None and settings.slack is not None and settings.slack.app_token is not None:
                        await slack.start_socket()
                    for clock in clocks:
                        clock.start()
                    yield address
                finally:
                    for clock in clocks:
                        await clock.stop()
                    for edge in filter(None, (beside, web)):
                        await edge.close()

    def _hooks(self, settings: Settings, store: Store, reliability: Reliability) -> tuple[web.RouteDef, ...]:
        """Webhooks, for whoever knows the secret; without one there is no door."""
        from handlers.hooks import hook_routes

        if settings.hook_secret is None:
            return ()
        secret, deploys = settings.hook_secret.get_secret_value(), store.deploys(settings.workspace)
        return hook_routes(secret, deploys, lambda: reliability.services, self._clock)

    async def serve(self, settings: Settings) -> int:
        import structlog

        async with self.serving(settings) as address:
            structlog.get_logger("director").info("serving", address=address, database=settings.database_shown)
            await _told_to_stop()
        return 0

    async def demo(self, *, port: int | None, teams_port: int | None, open_browser: bool) -> int:
        from tempfile import TemporaryDirectory

        from bot import demo as sample
        from bot.conversation.recorded import RecordedModel
        from bot.errors import UsageError
        from bot.settings import HttpAddress, load_settings
        from handlers.edges import teams_sdk
        from handlers.slack.standin import Standin, StandinConfig

        playground = None if teams_port is None else HttpAddress(host="127.0.0.1", port=teams_port)
        if playground is not None:
            try:
                await teams_sdk()
            except UsageError as error:
                raise UsageError(sample.NOT_INSTALLED) from error
        recorded = None if os.environ.get("ANTHROPIC_API_KEY") else RecordedModel()
        with TemporaryDirectory(prefix="director-demo-") as name:
            folder = Path(name)
            sample.write_company(folder, self.now())
            note = sample.notice(recorded.notice if recorded is not None else None)
            standin = Standin(StandinConfig(team_name=sample.WORKSPACE, suggestions=sample.SUGGESTIONS, note=note))
            try:
                await standin.start(port or 0)
            except OSError as error:
                raise UsageError(f"Port {port} can't be listened on ({error.strerror}); choose another.") from error
            try:
                slack = {
                    "SLACK_API_URL": standin.api_url,
                    "SLACK_BOT_TOKEN": standin.bot_token,
                    "SLACK_APP_TOKEN": standin.app_token,
                }
                settings = load_settings(sample.environment(folder, os.environ) | slack, folder)
                async with Root(recorded).serving(settings, playground=playground):
                    await standin.command(sample.COLLEAGUE, sample.CHANNEL, "/director", "review")
                    sys.stdout.write(sample.guide(standin.url, teams_port))
                    sys.stdout.flush()
                    if open_browser:
                        await asyncio.to_thread(webbrowser.open, standin.url)
                    await _told_to_stop()
            finally:
                await standin.stop()
        return 0

    # --- doctor ------------------------------------------------------------------------------------------------------

    async def check(self, settings: Settings, room: wiring.Room) -> str | None:
        match room:
            case "database":
                from bot.checks import check_database
                from storage import open_store

                async with open_store(settings.database_url) as store:
                    return check_database(await store.check())
            case "slack":
                from handlers.edges import check_slack

                return None if settings.slack is None else await check_slack(settings)
            case "teams":
                from handlers.edges import check_teams

                return None if settings.teams is None else await check_teams(settings.teams)
            case "metrics":
                async with self.reliability(settings) as reliability:
                    if settings.prometheus is None and not reliability.services:
                        return None
                    return "; ".join((await reliability.check()).values())
            case "model":
                from bot.checks import check_model

                async with self.model(settings) as model:
                    return None if model is None else await check_model(model)


def _open_store() -> Callable[[str], Store]:
    from storage import open_store

    return open_store


async def _told_to_stop() -> None:
    """Until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


def main() -> None:
    """Entry point of `director` and `python -m bot`."""
    from handlers.cli import run

    sys.exit(run(Root()))


if __name__ == "__main__":
    main()
