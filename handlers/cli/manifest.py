"""`director manifest`: the Slack app's manifest to paste, or the Teams app's package to upload."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.errors import UsageError
from handlers.cli.session import show, tell

_HERE = Path(__file__).resolve()
# In an installed package the manifest lies beside the Slack edge, in a checkout at its root.
_SLACK = (_HERE.parents[1] / "slack" / "manifest.yml", _HERE.parents[2] / "manifest.yml")

_FILE = "director-teams.zip"
_EXAMPLE = "https://example.com"  # reserved: it leads nowhere that is somebody's

Agent = Annotated[bool, typer.Option("--agent", help="With Slack's agent view. Not in this version yet.")]
Teams = Annotated[bool, typer.Option("--teams", help="Build the Teams app package instead.")]
Out = Annotated[
    str | None,
    typer.Option("--out", metavar="FILE", help=f"With --teams: where to write it, - is standard output. [{_FILE}]"),
]
ClientId = Annotated[
    str | None, typer.Option("--client-id", metavar="GUID", help="With --teams: the bot's id. [$TEAMS_CLIENT_ID]")
]
Version = Annotated[
    str | None, typer.Option("--version", metavar="X.Y.Z", help="With --teams: the app's version. [the Director's]")
]
Name = Annotated[str | None, typer.Option("--name", help="With --teams: the name people mention. [Director]")]
Developer = Annotated[str | None, typer.Option("--developer", help="With --teams: who runs it. [Backend Engineering]")]
Website = Annotated[
    str | None, typer.Option("--website", metavar="URL", help=f"With --teams: where help is. [{_EXAMPLE}]")
]
Privacy = Annotated[
    str | None, typer.Option("--privacy", metavar="URL", help="With --teams: the privacy page. [the website]")
]
Terms = Annotated[
    str | None, typer.Option("--terms", metavar="URL", help="With --teams: the terms of use. [the website]")
]


def register(app: typer.Typer) -> None:
    app.command("manifest")(manifest)


def manifest(
    *,
    agent: Agent = False,
    teams: Teams = False,
    out: Out = None,
    client_id: ClientId = None,
    version: Version = None,
    name: Name = None,
    developer: Developer = None,
    website: Website = None,
    privacy: Privacy = None,
    terms: Terms = None,
) -> int:
    """Print the Slack app manifest, to paste at api.slack.com/apps; or build the Teams app package, to upload there."""
    if agent:
        raise UsageError("--agent is not in this version yet; without it the Slack manifest is printed.")
    wanted = {
        "--out": out,
        "--client-id": client_id,
        "--version": version,
        "--name": name,
        "--developer": developer,
        "--website": website,
        "--privacy": privacy,
        "--terms": terms,
    }
    given = {option: value for option, value in wanted.items() if value is not None}
    if not teams:
        if given:
            raise UsageError(
                f"{', '.join(given)} can be given only with --teams; without it the Slack manifest is printed."
            )
        show(_slack())
        return 0
    _write(_teams(given), Path(out) if out is not None and out != "-" else Path(_FILE), stdout=out == "-")
    if "--website" not in given:
        tell(f"The app's links lead to {_EXAMPLE}; --website, --privacy and --terms set yours.")
    return 0


def _slack() -> str:
    for path in _SLACK:
        if path.is_file():
            return path.read_text(encoding="utf-8").rstrip("\n")
    raise UsageError("manifest.yml is missing from this installation; install the package again.")


def _teams(given: dict[str, str]) -> bytes:
    import os

    from handlers.teams.bundle import AppPackage

    client_id = given.get("--client-id") or os.environ.get("TEAMS_CLIENT_ID", "").strip()
    if not client_id:
        raise UsageError(
            "The Teams app needs the bot's id: set TEAMS_CLIENT_ID or give --client-id (docs/teams.md tells where)."
        )
    website = given.get("--website", _EXAMPLE)
    return AppPackage(
        client_id=client_id,
        version=given.get("--version") or _own_version(),
        name=given.get("--name", "Director"),
        developer=given.get("--developer", "Backend Engineering"),
        website=website,
        privacy=given.get("--privacy", website),
        terms=given.get("--terms", website),
    ).zipped()


def _own_version() -> str:
    from importlib.metadata import version

    return version("backend-director")


def _write(package: bytes, path: Path, *, stdout: bool) -> None:
    import sys

    if stdout and sys.stdout.isatty():
        raise UsageError("A zip file would garble this terminal; lead it into a file or another command.")
    try:
        if stdout:
            sys.stdout.buffer.write(package)
            sys.stdout.buffer.flush()
            return
        path.write_bytes(package)
    except BrokenPipeError:  # whoever reads has had enough
        raise
    except OSError as error:
        place = "Standard output" if stdout else path
        raise UsageError(f"{place} can't be written ({error.strerror}); give another place with --out.") from error
    show(str(path.resolve()))
