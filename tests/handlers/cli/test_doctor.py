"""`director doctor`."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from bot.errors import DirectorError, Unreachable
from handlers.cli import doctor
from tests.doubles.wiring import FakeWiring
from tests.handlers.cli.conftest import Command
from tests.handlers.cli.test_files import SLO


def states(result: list[dict[str, str]]) -> dict[str, tuple[str, str]]:
    return {check["check"]: (check["state"], check["text"]) for check in result}


def test_a_bare_machine_has_rooms_switched_off_and_no_problem(director: Command, wiring: FakeWiring) -> None:
    (wiring.folder / "slos").rmdir()
    wiring.checks["database"] = "sqlite:///director.db is empty"
    result = director("doctor", "--json")
    assert result.code == 0
    assert states(result.data) == {
        "settings": ("ok", "environment; no director.yml, which is fine"),
        "database": ("ok", "sqlite:///director.db is empty"),
        "slack": ("off", "SLACK_BOT_TOKEN is not set, so nothing is answered in Slack; docs/slack.md leads there."),
        "teams": (
            "off",
            "TEAMS_CLIENT_ID is not set, so nothing is answered in Microsoft Teams; docs/teams.md leads there.",
        ),
        "metrics": ("off", "PROMETHEUS_URL is not set; only SLOs from CSV files can be judged."),
        "model": (
            "off",
            "ANTHROPIC_API_KEY is not set, so mentions are answered with figures only, without a model.",
        ),
        "SLO files": (
            "off",
            "there are none, so there is nothing to review; set DIRECTOR_SLOS or make ./slos (docs/slos.md).",
        ),
    }


def test_one_problem_hides_no_other_and_gives_exit_code_1(director: Command, wiring: FakeWiring) -> None:
    (wiring.folder / "slos" / "a.yml").write_text("kind: Nothing\n")
    wiring.checks = {
        "database": Unreachable("postgresql://u:geheim@h/d does not answer; is it running?"),
        "slack": "connected to acme",
        "teams": None,
        "metrics": DirectorError("Prometheus refuses the token (401)."),
        "model": ZeroDivisionError("secret detail"),
    }
    result = director("doctor", "--json")
    found = states(result.data)
    assert result.code == 1
    assert found["database"] == ("problem", "postgresql://u:[secret]@h/d does not answer; is it running?")
    assert found["slack"] == ("ok", "connected to acme")
    assert found["metrics"] == ("problem", "Prometheus refuses the token (401).")
    assert found["model"] == (
        "problem",
        "the check itself broke (ZeroDivisionError); this is a bug, see the log above",
    )
    assert found["SLO files"][0] == "problem"
    assert "a.yml:1" in found["SLO files"][1]


def test_a_check_that_hangs_is_given_up(director: Command, wiring: FakeWiring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PATIENCE", 0.05)
    wiring.checks["slack"] = "hangs"
    result = director("doctor", "--json")
    assert states(result.data)["slack"] == (
        "problem",
        "no answer within 0.05 s; is its address right, and reachable from here?",
    )


def test_wrong_settings_are_the_only_thing_checked(director: Command, wiring: FakeWiring) -> None:
    wiring.environ = {"LOG_LEVEL": "loud", "SLACK_APP_TOKEN": "xapp-geheim"}
    result = director("doctor", "--json")
    assert result.code == 1
    assert result.data == [
        {
            "check": "settings",
            "state": "problem",
            "text": "SLACK_APP_TOKEN: is set, but SLACK_BOT_TOKEN is not; set it too, or neither",
        },
        {
            "check": "settings",
            "state": "problem",
            "text": "LOG_LEVEL: must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL",
        },
    ]


def test_what_teams_lacks_is_told_like_any_other_problem(director: Command, wiring: FakeWiring) -> None:
    wiring.checks["teams"] = DirectorError("Microsoft refuses TEAMS_CLIENT_SECRET; make a new one in Entra.")
    result = director("doctor", "--json")
    assert (result.code, states(result.data)["teams"]) == (
        1,
        ("problem", "Microsoft refuses TEAMS_CLIENT_SECRET; make a new one in Entra."),
    )


def test_what_is_set_but_not_built_yet_is_said(director: Command, wiring: FakeWiring) -> None:
    key = Fernet.generate_key().decode()
    wiring.environ = {
        "SLACK_CLIENT_ID": "c",
        "SLACK_CLIENT_SECRET": "geheim",
        "SLACK_SIGNING_SECRET": "geheim",
        "DIRECTOR_ENCRYPTION_KEYS": key,
    }
    result = director("doctor", "--json")
    assert states(result.data)["Slack install"] == (
        "off",
        "SLACK_CLIENT_ID is set, but installing into several workspaces is not built into this version yet",
    )


def test_an_exclusion_for_a_service_that_no_slo_names_is_pointed_out(director: Command, wiring: FakeWiring) -> None:
    (wiring.folder / "slos" / "checkout.yml").write_text(SLO)
    rest = "rrule: FREQ=DAILY, duration: 1h, reason: backup, owner: dana}"
    (wiring.folder / "director.yml").write_text(
        "".join(
            (
                "exclusions:\n",
                f"  - {{service: Checkout, {rest}\n",
                f"  - {{service: chekout, {rest}\n",
                f"  - {{service: other, {rest}\n",
            )
        )
    )
    result = director("doctor", "--json")
    assert (result.code, [check for check in result.data if check["check"] == "exclusions"]) == (
        0,
        [
            {
                "check": "exclusions",
                "state": "off",
                "text": "exclusions[1] is for 'chekout', which no SLO file names; did you mean checkout?",
            },
            {"check": "exclusions", "state": "off", "text": "exclusions[2] is for 'other', which no SLO file names"},
        ],
    )


def test_keys_without_effect_are_named(director: Command, wiring: FakeWiring) -> None:
    (wiring.folder / "director.yml").write_text("retention: {threads: 90d}\n")
    assert states(director("doctor", "--json").data)["not used"] == (
        "off",
        "retention: checked, but without effect in this version",
    )


def test_a_variable_with_a_wrong_name_is_pointed_out(
    director: Command, wiring: FakeWiring, monkeypatch: pytest.MonkeyPatch
) -> None:
    (wiring.folder / "slos").rmdir()
    monkeypatch.setenv("PROMETHEUS_URI", "http://127.0.0.1:9090")
    result = director("doctor", "--json")
    assert result.code == 0
    text = "PROMETHEUS_URI is not read; did you mean PROMETHEUS_URL?"
    assert result.data[1] == {"check": "settings", "state": "off", "text": text}


def test_text_has_one_line_a_check(director: Command, wiring: FakeWiring) -> None:
    (wiring.folder / "slos" / "checkout.yml").write_text(SLO)
    wiring.checks["metrics"] = DirectorError("Prometheus refuses the token (401).\nSet PROMETHEUS_TOKEN.")
    assert director("doctor").out == (
        "ok       settings  environment; no director.yml, which is fine\n"
        "off      database  there is no database.\n"
        "off      slack     SLACK_BOT_TOKEN is not set, so nothing is answered in Slack; docs/slack.md leads there.\n"
        "off      teams     TEAMS_CLIENT_ID is not set, so nothing is answered in Microsoft Teams; "
        "docs/teams.md leads there.\n"
        "PROBLEM  metrics   Prometheus refuses the token (401).\n"
        "                   Set PROMETHEUS_TOKEN.\n"
        "off      model     ANTHROPIC_API_KEY is not set, so mentions are answered with figures only, "
        "without a model.\n"
        "ok       SLO files 1 objective of 1 service\n"
    )
