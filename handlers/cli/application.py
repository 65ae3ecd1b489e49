"""Every command and group, in the order that `--help` shows."""

from __future__ import annotations

from typing import Annotated

import typer

from handlers.cli import chat, doctor, feedback, inbox, manifest, persona, plan, reports, schedule, service, slo

_HELP = (
    "The Director of Backend Engineering: a teammate in Slack and Microsoft Teams who plans, and reviews "
    "reliability from your metrics. Settings come from the environment and director.yml, see docs/settings.md."
)


def application() -> typer.Typer:
    app = typer.Typer(
        name="director",
        help=_HELP,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,  # without it help takes several times as long
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    service.register(app)
    manifest.register(app)
    chat.register(app)
    reports.register(app)
    for name, group in (("plan", plan), ("schedule", schedule), ("slo", slo), ("inbox", inbox), ("persona", persona)):
        app.add_typer(group.group, name=name)
    feedback.register(app)
    doctor.register(app)
    return app


def _version(*, wanted: bool) -> None:
    if not wanted:
        return
    from importlib.metadata import version

    typer.echo(version("backend-director"))
    raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda value: _version(wanted=value), is_eager=True, help="Show the version."
        ),
    ] = False,
) -> None:
    del version
