"""`director slo rules`: Prometheus rules and alerts for the SLOs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from bot.errors import UsageError
from handlers.cli.session import begin, show_json, tell

Paths = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[PATH]...", help="Files or folders; the configured ones when left out."),
]
Out = Annotated[str | None, typer.Option("--out", metavar="FILE", help="Write a file; - is standard output.")]
Json = Annotated[bool, typer.Option("--json", help="The same rules as JSON, without comments.")]


def register(group: typer.Typer) -> None:
    group.command("rules")(rules)


def rules(context: typer.Context, paths: Paths = None, *, out: Out = None, json: Json = False) -> int:
    """Print Prometheus recording rules and burn-rate alerts. Exits 1 when no SLO can have any."""
    from bot.reliability import load_definitions
    from bot.reliability.rules import rules_of
    from bot.reliability.rules_yaml import rules_yaml

    written = rules_of(load_definitions(_chosen(context, paths)).objectives)
    for item in written.left_out:
        tell(str(item))
    if not written.groups:
        tell("There is nothing to write: no objective can have rules.")
        return 1
    if out is not None and out != "-":
        _write(_json(written.data()) if json else rules_yaml(written), Path(out))
        count = len(written.groups)
        tell(f"Wrote the rules of {count} objective{'' if count == 1 else 's'} to {out}.")
    elif json:
        show_json(written.data())
    else:
        typer.echo(rules_yaml(written).encode(), nl=False)  # in no other encoding, whatever the terminal's is
    return 0


def _chosen(context: typer.Context, paths: list[Path] | None) -> tuple[Path, ...]:
    chosen = tuple(paths) if paths else begin(context)[1].slos
    if not chosen:
        raise UsageError("Which files? Name OpenSLO files or folders, or set DIRECTOR_SLOS.")
    for path in chosen:
        if not path.exists():
            raise UsageError(f"There is no file or folder {path}.")
    return chosen


def _json(data: object) -> str:
    import json

    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _write(text: str, path: Path) -> None:
    """Whole or not at all, as Prometheus may be reading it; devices and pipes are written to as they are."""
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
            return
        file = path.resolve()
        part = file.with_name(f".{file.name}.part")
        try:
            part.write_text(text, encoding="utf-8")
            if file.exists():
                shutil.copymode(file, part)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{path} can't be written ({error.strerror}); give another place with --out.") from error
