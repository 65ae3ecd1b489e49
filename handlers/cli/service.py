"""`director serve`, `demo` and `migrate`: running the Director and setting it up."""

from __future__ import annotations

from typing import Annotated

import typer

from handlers.cli.session import begin, run_async, show, show_json, wiring_of

TEAMS_PORT = 3978  # where the playground looks for a bot by itself


def register(app: typer.Typer) -> None:
    app.command("serve")(serve)
    app.command("demo")(demo)
    app.command("migrate")(migrate)


def serve(context: typer.Context) -> int:
    """Answer in chat until stopped: Slack, Teams, schedules, the web edge."""
    wiring, settings = begin(context, quiet=False)
    return run_async(wiring.serve(settings))


def demo(
    context: typer.Context,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port of the page; a free one by default.")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
    teams: Annotated[bool, typer.Option("--teams", help="Also listen to Microsoft's Teams playground.")] = False,
    teams_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help=f"Where the playground finds it: {TEAMS_PORT} by default.")
    ] = None,
) -> int:
    """Show the Director at work on this machine. Needs no account and no key."""
    import os

    from handlers import logs

    level = os.environ.get("LOG_LEVEL", "").upper()
    logs.configure(level if level in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL") else "WARNING", None)
    at = (teams_port or TEAMS_PORT) if teams or teams_port else None
    return run_async(wiring_of(context).demo(port=port, teams_port=at, open_browser=browser))


def migrate(context: typer.Context, json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> int:
    """Bring the database to this version's schema."""
    wiring, settings = begin(context)
    before, now = run_async(wiring.migrate(settings))
    if json:
        show_json({"database": settings.database_shown, "before": before, "now": now})
    elif before == now:
        show(f"{settings.database_shown} is at revision {now} already.")
    else:
        show(f"{settings.database_shown} went from {before or 'empty'} to revision {now}.")
    return 0
