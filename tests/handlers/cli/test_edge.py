"""The command line's edge: help, wrong words, exit codes, no traceback ever."""

from __future__ import annotations

import json

import pytest

from bot.errors import DirectorError, Unreachable, UsageError
from tests.doubles.wiring import FakeWiring
from tests.handlers.cli.conftest import Command

COMMANDS = (
    *("serve", "demo", "migrate", "manifest", "chat", "status", "review", "digest", "feedback", "doctor"),
    *("plan new", "plan show", "plan list", "plan schema", "plan check"),
    *("schedule add", "schedule list", "schedule pause", "schedule resume", "schedule remove", "schedule test"),
    *("slo check", "inbox list", "inbox show", "inbox retry", "persona check"),
)


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_has_help_on_standard_output(director: Command, words: str) -> None:
    result = director(*words.split(), "--help")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"Usage: director {words} [OPTIONS]")


def test_the_help_lists_every_command(director: Command) -> None:
    listed = director("--help").out.partition("Commands:\n")[2].split("\n")
    assert [line.split()[0] for line in listed if line.startswith("  ")] == [
        *("serve", "demo", "migrate", "manifest", "chat", "status", "review", "digest", "feedback", "doctor"),
        *("plan", "schedule", "slo", "inbox", "persona"),
    ]


@pytest.mark.parametrize(("words", "group"), [(["fly"], ""), (["plan", "fly"], " plan")])
def test_an_unknown_command_shows_help_and_exits_2(director: Command, words: list[str], group: str) -> None:
    result = director(*words)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"Usage: director{group} [OPTIONS] COMMAND")
    assert result.err.endswith("No such command 'fly'.\n")


@pytest.mark.parametrize("words", [[], ["plan"], ["schedule"]])
def test_no_command_shows_help_and_exits_2(director: Command, words: list[str]) -> None:
    result = director(*words)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("Usage: director")


def test_a_wrong_option_is_named(director: Command) -> None:
    result = director("review", "--wen", "now")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(
        "Usage: director review [OPTIONS]\nTry 'director review --help'.\n\nNo such option: --wen"
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [(DirectorError("It broke."), 1), (UsageError("Say it otherwise."), 2), (Unreachable("Nobody answers."), 3)],
)
def test_an_error_raised_on_purpose_is_one_sentence_and_its_exit_code(
    director: Command, wiring: FakeWiring, error: DirectorError, code: int
) -> None:
    wiring.broken = error
    result = director("inbox", "list")
    assert (result.code, result.out, result.err) == (code, "", f"{error}\n")


def test_a_secret_in_an_error_is_blotted_out(director: Command, wiring: FakeWiring) -> None:
    wiring.broken = DirectorError("No luck with xoxb-1-geheim at postgresql://u:geheim@h/d.")
    assert director("inbox", "list").err == "No luck with [secret] at postgresql://u:[secret]@h/d.\n"


def test_a_bug_is_told_with_a_reference_that_the_log_has_too(director: Command, wiring: FakeWiring) -> None:
    wiring.broken = ZeroDivisionError("never shown as the answer")
    result = director("inbox", "list")
    assert (result.code, result.out) == (1, "")
    told = result.err.strip().splitlines()[-1]
    assert told.startswith(
        "Something unexpected went wrong. This is a bug; please report it with the log above (reference "
    )
    reference = told.partition("(reference ")[2].removesuffix(").")
    event, *_ = result.err.splitlines()
    logged = json.loads(event)
    assert (logged["event"], logged["reference"], logged["level"]) == ("command_broke", reference, "error")
    assert "ZeroDivisionError: never shown as the answer" in logged["exception"]


def test_control_c_is_quiet(director: Command, wiring: FakeWiring) -> None:
    wiring.broken = KeyboardInterrupt()
    result = director("inbox", "list")
    assert (result.code, result.out, result.err) == (130, "", "")


def test_the_version_is_that_of_the_package(director: Command) -> None:
    assert director("--version").out == "0.1.0\n"


def test_wrong_settings_are_listed_before_anything_runs(director: Command, wiring: FakeWiring) -> None:
    wiring.environ = {"LOG_LEVEL": "loud", "DIRECTOR_HTTP": "x"}
    result = director("serve")
    assert (result.code, result.err) == (
        2,
        (
            "2 settings are wrong:\n"
            "  DIRECTOR_HTTP: must be host:port, e.g. 127.0.0.1:8080 (0.0.0.0:8080 listens on every address)\n"
            "  LOG_LEVEL: must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL\n"
        ),
    )
    assert wiring.served == []


def test_serve_runs_on_the_settings(director: Command, wiring: FakeWiring) -> None:
    assert director("serve").code == 0
    assert wiring.served == [wiring.settings()]


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ([], (None, None, True)),
        (["--port", "8099", "--no-browser"], (8099, None, False)),
        (["--teams"], (None, 3978, True)),
        (["--teams", "--teams-port", "4100"], (None, 4100, True)),
        (["--teams-port", "4100"], (None, 4100, True)),
    ],
)
def test_demo_takes_ports_and_leaves_the_browser_alone(
    director: Command, wiring: FakeWiring, words: list[str], given: tuple[int | None, int | None, bool]
) -> None:
    assert director("demo", *words).code == 0
    assert wiring.served == [given]


@pytest.mark.parametrize(
    ("revisions", "said"),
    [
        ((None, "0002"), "sqlite:///director.db went from empty to revision 0002.\n"),
        (("0001", "0002"), "sqlite:///director.db went from 0001 to revision 0002.\n"),
        (("0002", "0002"), "sqlite:///director.db is at revision 0002 already.\n"),
    ],
)
def test_migrate_says_from_where_to_where(
    director: Command, wiring: FakeWiring, revisions: tuple[str | None, str], said: str
) -> None:
    wiring.revisions = revisions
    assert director("migrate").out == said


def test_migrate_never_shows_the_password(director: Command, wiring: FakeWiring) -> None:
    wiring.environ = {"DATABASE_URL": "postgresql://u:geheim@h/d"}
    assert director("migrate", "--json").data == {"database": "postgresql://u:***@h/d", "before": None, "now": "0002"}
