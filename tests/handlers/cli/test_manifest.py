"""`director manifest`: the Slack manifest as it is shipped, the Teams package as a file or on standard output."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

import pytest

from tests.handlers.cli.conftest import Command

ROOT = Path(__file__).parents[3]
BOT = "6f2a1c1e-5a0c-4f7e-9d0b-3f0d2c8a7b11"
OTHER = "0b0e7a5c-9c7e-4a3e-8a53-6a1f4f8f2d90"
LINKS = "The app's links lead to https://example.com; --website, --privacy and --terms set yours.\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("TEAMS_CLIENT_ID", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def inside(package: Path | bytes) -> dict[str, Any]:
    content = package if isinstance(package, bytes) else package.read_bytes()
    found: dict[str, Any] = json.loads(zipfile.ZipFile(io.BytesIO(content)).read("manifest.json"))
    return found


def test_the_slack_manifest_is_printed_as_it_is_shipped(director: Command) -> None:
    assert director("manifest").out == (ROOT / "manifest.yml").read_text(encoding="utf-8")


def test_slacks_agent_view_is_of_a_later_version(director: Command) -> None:
    result = director("manifest", "--agent")

    assert (result.code, result.out) == (2, "")
    assert result.err == "--agent is not in this version yet; without it the Slack manifest is printed.\n"


def test_the_teams_package_is_written_to_the_working_folder_and_its_path_printed(
    director: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAMS_CLIENT_ID", BOT)
    result = director("manifest", "--teams")

    assert (result.code, result.out, result.err) == (0, f"{folder / 'director-teams.zip'}\n", LINKS)
    manifest = inside(folder / "director-teams.zip")
    assert (manifest["id"], manifest["version"]) == (BOT, version("backend-director"))


def test_the_id_on_the_command_line_goes_before_the_environments(
    director: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAMS_CLIENT_ID", BOT)
    director("manifest", "--teams", "--client-id", OTHER, "--out", "other.zip")

    assert inside(folder / "other.zip")["bots"][0]["botId"] == OTHER
    assert not (folder / "director-teams.zip").exists()


def test_what_people_see_can_be_set(director: Command, folder: Path) -> None:
    words = ["--version", "2.0.1", "--name", "Dana's Director", "--developer", "Example GmbH"]
    links = ["--website", "https://a.example", "--privacy", "https://a.example/p", "--terms", "https://a.example/t"]
    result = director("manifest", "--teams", "--client-id", BOT, *words, *links)

    assert (result.code, result.err) == (0, "")
    manifest = inside(folder / "director-teams.zip")
    assert (manifest["version"], manifest["name"]["short"]) == ("2.0.1", "Dana's Director")
    assert manifest["developer"] == {
        "name": "Example GmbH",
        "websiteUrl": "https://a.example",
        "privacyUrl": "https://a.example/p",
        "termsOfUseUrl": "https://a.example/t",
    }


def test_privacy_and_terms_lead_to_the_website_unless_told_otherwise(director: Command, folder: Path) -> None:
    director("manifest", "--teams", "--client-id", BOT, "--website", "https://a.example")

    developer = inside(folder / "director-teams.zip")["developer"]
    assert (developer["privacyUrl"], developer["termsOfUseUrl"]) == ("https://a.example", "https://a.example")


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_without_an_id_it_says_where_one_comes_from_and_writes_nothing(
    director: Command, folder: Path, monkeypatch: pytest.MonkeyPatch, empty: str | None
) -> None:
    if empty is not None:
        monkeypatch.setenv("TEAMS_CLIENT_ID", empty)
    result = director("manifest", "--teams")

    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "The Teams app needs the bot's id: set TEAMS_CLIENT_ID or give --client-id (docs/teams.md tells where).\n"
    )
    assert list(folder.glob("*.zip")) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--client-id", "director"], "is not a GUID"),
        (["--client-id", BOT, "--version", "two"], "The version 'two' has to be three numbers"),
        (["--client-id", BOT, "--website", "a.example"], "has to begin with https://"),
        (["--client-id", BOT, "--name", ""], "has to have 1 to 30 characters"),
    ],
)
def test_what_teams_would_not_take_is_refused_before_anything_is_written(
    director: Command, folder: Path, words: list[str], said: str
) -> None:
    result = director("manifest", "--teams", *words)

    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert list(folder.glob("*.zip")) == []


def test_a_place_that_cannot_be_written_is_told(director: Command) -> None:
    result = director("manifest", "--teams", "--client-id", BOT, "--out", "nowhere/app.zip")

    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "nowhere/app.zip can't be written (No such file or directory); give another place with --out.\n"
    )


def test_standard_output_that_cannot_be_written_is_told(folder: Path) -> None:
    words = ("manifest", "--teams", "--out", "-")
    with Path("/dev/full").open("wb") as full:
        result = run_elsewhere(ROOT, folder, *words, program=("-m", "bot"), stdout=full)

    assert result.returncode == 2
    assert result.stderr.decode() == (
        "Standard output can't be written (No space left on device); give another place with --out.\n"
    )


def test_a_terminal_is_spared_the_zip(folder: Path) -> None:
    ours, terminal = pty.openpty()
    try:
        words = ("manifest", "--teams", "--out", "-")
        result = run_elsewhere(ROOT, folder, *words, program=("-m", "bot"), stdout=terminal)
    finally:
        os.close(terminal)
        os.close(ours)

    assert result.returncode == 2
    assert result.stderr.decode() == "A zip file would garble this terminal; lead it into a file or another command.\n"


def test_options_of_the_teams_package_are_refused_for_slacks_manifest(director: Command) -> None:
    result = director("manifest", "--out", "app.zip", "--name", "Director")

    assert (result.code, result.out) == (2, "")
    assert result.err == ("--out, --name can be given only with --teams; without it the Slack manifest is printed.\n")


# What the command loads, printed where no output of its own can be mistaken for it.
_LOADED = """
import sys
from bot.__main__ import Root
from handlers.cli import run
code = run(Root(), sys.argv[1:])
heavy = {"microsoft_teams", "aiohttp", "sqlalchemy", "slack_bolt", "PIL", "matplotlib", "anthropic"}
sys.stderr.write(" ".join(sorted(heavy & {name.partition(".")[0] for name in sys.modules})))
sys.exit(code)
"""


def run_elsewhere(
    code: Path, folder: Path, *words: str, program: tuple[str, ...], stdout: int | IO[bytes] = subprocess.PIPE
) -> subprocess.CompletedProcess[bytes]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(code), "TEAMS_CLIENT_ID": BOT}
    command = [sys.executable, "-W", "error", *program, *words]
    return subprocess.run(
        command, cwd=folder, env=environment, stdout=stdout, stderr=subprocess.PIPE, check=False, timeout=50
    )


def test_the_package_goes_to_standard_output_as_it_goes_to_a_file_and_nothing_heavy_is_loaded(
    director: Command, folder: Path
) -> None:
    director("manifest", "--teams", "--client-id", BOT)
    words = ("manifest", "--teams", "--website", "https://example.com", "--out", "-")
    result = run_elsewhere(ROOT, folder, *words, program=("-c", _LOADED))

    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout == (folder / "director-teams.zip").read_bytes()


@pytest.mark.slow
def test_an_installed_wheel_builds_the_same_package(director: Command, folder: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    installed = folder / "installed"
    zipfile.ZipFile(wheel).extractall(installed)

    director("manifest", "--teams", "--client-id", BOT)
    result = run_elsewhere(installed, folder, "manifest", "--teams", "--out", "-", program=("-m", "bot"))

    assert (result.returncode, result.stderr.decode()) == (0, LINKS)
    assert result.stdout == (folder / "director-teams.zip").read_bytes()
