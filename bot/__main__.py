"""The composition root: wiring and nothing else. The only module that imports handlers and storage."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import webbrowser
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.conversation.model import Model
    from bot.director import Director
    from bot.domain import Person, Place
    from bot.planning import Planning
    from bot.ports import Chat, Intake
    from bot.reliability import Reliability
    from bot.schedule_grammar import ChannelRef
    from bot.settings import Settings
    from handlers.cli import wiring
    from handlers.slack.app import SlackEdge
    from handlers.slack.standin import Standin
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
        from storage import open_store

        async with open_store(settings.database_url) as store:
            await store.migrate()
            yield store

    async def migrate(self, settings: Settings) -> tuple[str | None, str]:
        from storage import open_store

        async with open_store(settings.database_url) as store:
            revisions = await store.migrate()
        return revisions.before, str(revisions.after)

    @contextlib.asynccontextmanager
    async def reliability(self, settings: Settings) -> AsyncIterator[Reliability]:
        from bot.assemble import reliability_of

        async with reliability_of(settings) as reliability:
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

        async with self.reliability(settings) as reliability, self.model(settings) as model:
            yield planning_of(settings, store.plans, reliability, model)

    @contextlib.asynccontextmanager
    async def posting(self, settings: Settings) -> AsyncIterator[SlackEdge]:
        async with _slack(settings, None) as edge:
            yield edge

    @contextlib.asynccontextmanager
    async def director(
        self, settings: Settings, store: Store, slack: _SlackDirectory | None = None
    ) -> AsyncIterator[Director]:
        from bot.assemble import director_of

        async with self.reliability(settings) as reliability, self.model(settings) as model:
            if model is not None:
                await model.warm_up()
            yield director_of(
                settings,
                plans=store.plans,
                schedules=store.schedules,
                reliability=reliability,
                model=model,
                clock=self._clock,
                channels=slack,
                groups_of=slack.groups_of if slack is not None else None,
            )

    @contextlib.asynccontextmanager
    async def working(self, store: Store, director: Director, chat: Chat, platform: str) -> AsyncIterator[None]:
        """A worker on this store's inbox while the body runs; should it ever fail, the body ends with its error."""
        from bot.worker import Worker

        worker = Worker(
            inbox=store.inbox, memory=store.memory, director=director, chats={platform: chat}, clock=self._clock
        )
        async with asyncio.TaskGroup() as group:
            run = group.create_task(worker.run(), name="worker")
            try:
                yield
            finally:
                await worker.drain(DRAIN)
                await run

    @contextlib.asynccontextmanager
    async def core(self, settings: Settings, chat: Chat) -> AsyncIterator[Intake]:
        async with (
            self.store(settings) as store,
            self.director(settings, store) as director,
            self.working(store, director, chat, "console"),
        ):
            yield store.inbox

    # --- at work -----------------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def serving(self, settings: Settings) -> AsyncIterator[str]:
        """Everything that `serve` runs; yields the address of the web edge. Closes in the order that loses nothing."""
        from bot.errors import UsageError
        from handlers.clock import ScheduleClock
        from handlers.web import WebEdge
        from storage import serve_lock

        if settings.slack is None:
            raise UsageError(
                "There is no chat to serve: set SLACK_BOT_TOKEN and SLACK_APP_TOKEN (Socket Mode) or "
                "SLACK_SIGNING_SECRET (HTTP). docs/slack.md tells how to get them; `make demo` needs none."
            )
        with serve_lock(settings.database_url):
            async with (
                self.store(settings) as store,
                _slack(settings, store.inbox) as edge,
                self.director(settings, store, _SlackDirectory(edge, settings)) as director,
                self.working(store, director, edge, "slack"),
            ):

                async def missing() -> Iterable[str]:
                    await store.check()
                    return () if await edge.connected() else ("Slack",)

                web = WebEdge(settings.http, edge.http_routes(), ready=missing)
                clock = ScheduleClock(store.schedules, store.inbox, self._clock)
                try:
                    address = await web.start()
                    if settings.slack.app_token is not None:
                        await edge.start_socket()
                    clock.start()
                    yield address
                finally:
                    await clock.stop()
                    await web.close()

    async def serve(self, settings: Settings) -> int:
        import structlog

        async with self.serving(settings) as address:
            structlog.get_logger("director").info("serving", address=address, database=settings.database_shown)
            await _told_to_stop()
        return 0

    async def demo(self, *, port: int | None, open_browser: bool) -> int:
        from tempfile import TemporaryDirectory

        from bot.conversation.recorded import RecordedModel
        from bot.demo import CHANNEL, COLLEAGUE, SUGGESTIONS, WORKSPACE, guide, notice, write_company
        from bot.errors import UsageError
        from bot.settings import load_settings
        from handlers.slack.standin import Standin, StandinConfig

        recorded = None if os.environ.get("ANTHROPIC_API_KEY") else RecordedModel()
        with TemporaryDirectory(prefix="director-demo-") as name:
            folder = Path(name)
            write_company(folder, self.now())
            note = notice(recorded.notice if recorded is not None else None)
            standin = Standin(StandinConfig(team_name=WORKSPACE, suggestions=SUGGESTIONS, note=note))
            try:
                await standin.start(port or 0)
            except OSError as error:
                raise UsageError(f"Port {port} can't be listened on ({error.strerror}); choose another.") from error
            try:
                settings = load_settings(_demo_environment(folder, standin), folder)
                async with Root(recorded).serving(settings):
                    await standin.command(COLLEAGUE, CHANNEL, "/director", "review")
                    sys.stdout.write(guide(standin.url))
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
                return await _check_database(settings)
            case "slack":
                if settings.slack is None:
                    return None
                async with _slack(settings, None) as edge:
                    return f"connected to workspace {edge.team} as @{edge.name}"
            case "metrics":
                async with self.reliability(settings) as reliability:
                    if settings.prometheus is None and not reliability.services:
                        return None
                    return "; ".join((await reliability.check()).values())
            case "model":
                async with self.model(settings) as model:
                    return None if model is None else await _check_model(model)


class _SlackDirectory:
    """Slack's channels and user groups, as the core looks them up; of groups only those that director.yml names."""

    def __init__(self, edge: SlackEdge, settings: Settings) -> None:
        self._edge = edge
        rights = settings.file.rights
        named = (*(rights.schedule or ()), *(rights.admin or ()))
        self._groups = tuple(dict.fromkeys(entry for entry in named if entry.startswith("S")))

    async def groups_of(self, place: Place, person: Person) -> list[str]:
        if place.platform != "slack":
            return []
        return [group for group in self._groups if await self._edge.in_group(group, person.id)]

    async def find(self, place: Place, channel: ChannelRef) -> ChannelRef | None:
        from bot.errors import UsageError
        from bot.schedule_grammar import ChannelRef

        if place.platform != "slack":
            return channel if channel.id else None
        if channel.id:
            name = await self._edge.channel_name(channel.id)
            return ChannelRef(id=channel.id, name=name.lstrip("#") if name.startswith("#") else "")
        try:
            found, name = await self._edge.channel(channel.name)
        except UsageError:
            return None
        return ChannelRef(id=found.channel, name=name.lstrip("#"))

    async def joined(self, place: Place, channel: ChannelRef) -> bool:
        if place.platform != "slack" or channel.id is None:
            return True
        return await self._edge.joined(channel.id)


@contextlib.asynccontextmanager
async def _slack(settings: Settings, intake: Intake | None) -> AsyncIterator[SlackEdge]:
    """The Slack edge, identified but not listening. Raises UsageError without a token."""
    from bot.errors import UsageError
    from handlers.slack.app import build

    if settings.slack is None:
        raise UsageError("Slack is not configured: set SLACK_BOT_TOKEN (docs/slack.md).")
    channels = settings.file.channels

    def follows(channel: str) -> bool:
        return channel in channels and channels[channel].follow_threads

    edge = build(settings.slack, intake, follow_threads=follows)
    await edge.open()
    try:
        yield edge
    finally:
        await edge.close()


async def _check_database(settings: Settings) -> str:
    from bot.errors import DirectorError
    from storage import open_store

    async with open_store(settings.database_url) as store:
        found = await store.check()
    if found.revision is None:
        return f"{found.name} ({found.server}) is empty; `director migrate` or `serve` fills in the tables"
    if not found.up_to_date:
        raise DirectorError(
            f"{found.name} is at revision {found.revision}, this Director needs {found.newest}: run `director migrate`."
        )
    return f"{found.name} ({found.server}), revision {found.revision}"


async def _check_model(model: Model) -> str:
    from bot.conversation.model import ModelRequest, ModelUnavailable, whole
    from bot.domain import Message
    from bot.errors import DirectorError

    await model.warm_up()
    request = ModelRequest(
        system="Answer with one word.", messages=(Message(role="user", content="Are you there?"),), max_tokens=1024
    )
    try:
        await whole(model, request)
    except ModelUnavailable as error:
        look_at = "the network, ANTHROPIC_BASE_URL, ANTHROPIC_API_KEY and DIRECTOR_MODEL"
        raise DirectorError(f"{error} Check {look_at}; until then mentions get figures only.") from error
    return f"{model.name} answers"


def _demo_environment(folder: Path, standin: Standin) -> dict[str, str]:
    """The demo reads nothing of the person's own settings but the key of a real model, should there be one."""
    model = ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "DIRECTOR_MODEL")
    return {name: os.environ[name] for name in model if name in os.environ} | {
        "DIRECTOR_CONFIG": str(folder / "director.yml"),
        "DIRECTOR_SLOS": str(folder / "slos"),
        "DATABASE_URL": f"sqlite:///{folder}/director.db",
        "DIRECTOR_HTTP": "127.0.0.1:0",
        "SLACK_API_URL": standin.api_url,
        "SLACK_BOT_TOKEN": standin.bot_token,
        "SLACK_APP_TOKEN": standin.app_token,
    }


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
