"""`director slo`: whether OpenSLO files are right, and the rules that come of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.errors import UsageError
from handlers.cli import slo_rules
from handlers.cli.session import begin, run_async, show, show_json, tell, wiring_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.reliability import Definitions
    from bot.settings import Settings
    from bot.yaml_source import Mistake
    from handlers.cli.wiring import Wiring

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
    """Say what is wrong, with file, line and remedy. Exits 1 when something is.

    Where a Prometheus is configured, the thresholds of latencies are held against its buckets.
    """
    from bot.reliability import DefinitionError, Definitions, load_definitions

    chosen = tuple(paths) if paths else begin(context)[1].slos
    if not chosen:
        raise UsageError("Which files? Name OpenSLO files or folders, or set DIRECTOR_SLOS.")
    for path in chosen:
        if not path.exists():
            raise UsageError(f"There is no file or folder {path}.")
    definitions = Definitions()
    try:
        definitions = load_definitions(chosen, now=wiring_of(context).now())
        mistakes = _wrong_thresholds(context, chosen, definitions)
    except DefinitionError as error:
        mistakes = error.mistakes
    mistakes = sorted(mistakes, key=_place)
    for remark in definitions.remarks:
        tell(str(remark))
    if json:
        show_json([{"where": wrong.where, "key": wrong.key, "text": wrong.text} for wrong in mistakes])
    elif mistakes:
        show("\n".join(str(wrong) for wrong in mistakes))
    else:
        count, services = len(definitions.objectives), len(definitions.service_names)
        show(f"No mistakes: {count} objective{_s(count)} of {services} service{_s(services)}.")
    return 1 if mistakes else 0


def _wrong_thresholds(context: typer.Context, chosen: tuple[Path, ...], definitions: Definitions) -> Sequence[Mistake]:
    """Only the metrics know a histogram's buckets. Files can be checked without them, so what fails here is told."""
    from bot.errors import DirectorError
    from bot.reliability.thresholds import ThresholdsUnchecked

    if all(item.indicator.threshold is None for item in definitions.objectives):
        return ()
    try:
        wiring, settings = begin(context)
        if settings.prometheus is None:
            return ()
        return run_async(_asked(wiring, settings.model_copy(update={"slos": chosen})))
    except ThresholdsUnchecked as error:
        tell(str(error))
        return error.mistakes
    except DirectorError as error:
        tell(f"Thresholds were not checked: {error}")
        return ()


async def _asked(wiring: Wiring, settings: Settings) -> Sequence[Mistake]:
    async with wiring.reliability(settings) as reliability:
        return await reliability.check_thresholds(wiring.now())


slo_rules.register(group)


def _place(mistake: Mistake) -> tuple[str, int]:
    """As they are met when reading; what has no line concerns the whole file."""
    file, _, line = mistake.where.rpartition(":")
    return (file, int(line)) if line.isdecimal() else (mistake.where, 0)


def _s(count: int) -> str:
    return "" if count == 1 else "s"
