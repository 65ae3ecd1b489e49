"""`director chat`: the same Director in the terminal."""

from __future__ import annotations

import typer

from handlers.cli.session import begin, run_async, terminal_place


def register(app: typer.Typer) -> None:
    app.command("chat")(chat)


def chat(context: typer.Context) -> int:
    """Talk to the Director here. A line that starts with / is a command, Ctrl-D leaves."""

    async def work() -> int:
        import sys

        from handlers.console import Console, lines_of

        wiring, settings = begin(context)
        console = Console(place=terminal_place(settings), out=sys.stdout, notes=sys.stderr, now=wiring.now)
        async with wiring.core(settings, console) as intake:
            return await console.converse(intake, lines_of(sys.stdin.fileno()), interactive=sys.stdin.isatty())

    return run_async(work())
