"""`director slo`: whether OpenSLO files are right, and the rules that come of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.errors import UsageError
from handlers.cli import slo_rules
from handlers.cli.session import begin, show, show_json

group = typer.Typer(
    help="Check OpenSLO files, and write Prometheus rules of them.", no_args_is_help=True, rich_markup_mode=None
)


@group.callback()
def _group() -> None:
    pass


@group.command("check")
def check(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="Files or folders; the configured ones when left out."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print mistakes as a JSON list.")] = False,
) -> int:
    """Say what is wrong, with file, line and remedy. Exits 1 when something is."""
    from bot.reliability import DefinitionError, load_definitions

    chosen = tuple(paths) if paths else begin(context)[1].slos
    if not chosen:
        raise UsageError("Which files? Name OpenSLO files or folders, or set DIRECTOR_SLOS.")
    for path in chosen:
        if not path.exists():
            raise UsageError(f"There is no file or folder {path}.")
    try:
        definitions = load_definitions(chosen)
    except DefinitionError as error:
        if json:
            show_json([{"where": wrong.where, "key": wrong.key, "text": wrong.text} for wrong in error.mistakes])
        else:
            show("\n".join(str(wrong) for wrong in error.mistakes))
        return 1
    if json:
        show_json([])
        return 0
    count, services = len(definitions.objectives), len(definitions.service_names)
    show(f"No mistakes: {count} objective{_s(count)} of {services} service{_s(services)}.")
    return 0


slo_rules.register(group)


def _s(count: int) -> str:
    return "" if count == 1 else "s"
