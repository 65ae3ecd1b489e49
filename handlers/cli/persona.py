"""`director persona check`: whether agent cards can be read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from handlers.cli.session import begin, show, show_json

group = typer.Typer(help="Check agent cards.", no_args_is_help=True, rich_markup_mode=None)


@group.callback()
def _group() -> None:
    pass


@group.command("check")
def check(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH]...", help="Cards; the configured ones when left out.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print mistakes as a JSON list.")] = False,
) -> int:
    """Say what is missing in an agent card, with file and line. Exits 1 when something is."""
    from bot.persona import builtin_cards, check_card

    chosen = list(paths or ())
    if not chosen:
        personas = begin(context)[1].file.personas
        chosen = [path for path in personas.model_dump().values() if path is not None]
    mistakes = [wrong for path in chosen for wrong in check_card(path)]
    if json:
        show_json([{"where": wrong.where, "key": wrong.key, "text": wrong.text} for wrong in mistakes])
        return 1 if mistakes else 0
    if mistakes:
        show("\n".join(str(wrong) for wrong in mistakes))
        return 1
    if chosen:
        show(f"{len(chosen)} card{'' if len(chosen) == 1 else 's'}: nothing is missing.")
    else:
        show(f"The {len(builtin_cards())} built-in cards are used: nothing is missing.")
    return 0
