"""What every command starts with: the wiring, the settings, the logs; and how it hands out data."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

import typer

if TYPE_CHECKING:
    from bot.domain import Place, Reply
    from bot.settings import Settings
    from handlers.cli.wiring import Store, Wiring

T = TypeVar("T")


def wiring_of(context: typer.Context) -> Wiring:
    return cast("Wiring", context.obj)


def begin(context: typer.Context, *, quiet: bool = True) -> tuple[Wiring, Settings]:
    """Read the settings and set the logs up. A `quiet` command logs only warnings unless DEBUG is asked for."""
    from handlers import logs

    wiring = wiring_of(context)
    settings = wiring.settings()
    level = "WARNING" if quiet and settings.log_level == "INFO" else settings.log_level
    logs.configure(level, settings.log_format)
    return wiring, settings


def run_async(work: Coroutine[Any, Any, T]) -> T:
    import asyncio

    return asyncio.run(work)


@asynccontextmanager
async def memory(wiring: Wiring, settings: Settings) -> AsyncIterator[Store | None]:
    """The database, for a command that works without it too; None where it can't be opened, which is told."""
    from bot.errors import DirectorError

    async with AsyncExitStack() as stack:
        store: Store | None = None
        try:
            store = await stack.enter_async_context(wiring.store(settings))
        except DirectorError as error:
            tell(f"Nothing of this is remembered: {error}")
        yield store


def terminal_place(settings: Settings) -> Place:
    """Where the person at the terminal speaks."""
    from bot.domain import Place

    return Place(platform="console", workspace=settings.workspace, channel="terminal", thread="")


def show(text: str) -> None:
    """Data, to standard output."""
    typer.echo(text)


def show_json(value: object) -> None:
    import json

    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def show_reply(reply: Reply) -> None:
    import shutil

    from handlers.terminal import render

    typer.echo(render(reply, width=shutil.get_terminal_size((100, 24)).columns))


def tell(text: str) -> None:
    """Everything that is not data, to standard error."""
    typer.echo(text, err=True)
