"""An install without the extra `teams`: everything else works, and configuring Teams says what to install."""

from __future__ import annotations

import asyncio
import re
import sys
from asyncio.subprocess import PIPE
from importlib.metadata import packages_distributions
from pathlib import Path

import aiohttp
import pytest

from handlers.slack.standin import Ledger, Message
from tests.doubles.process import ROOT, environment, run
from tests.doubles.slack import MAYA, PAYMENTS
from tests.doubles.teams import CLIENT_ID, TeamsDouble
from tests.system.conftest import Towns, write_checkout

HIDES = """\
import sys
from importlib.abc import MetaPathFinder

class Hidden(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Hidden())
"""
INSTALL = "pip install 'backend-director[teams]'"


def locked(name: str) -> set[str]:
    """The packages that a lock names."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return {found.lower() for found in re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)}


@pytest.fixture
def slim(tmp_path: Path) -> dict[str, str]:
    """An environment in which no module of the extra's packages can be imported."""
    extra = locked("requirements-teams.lock") - locked("requirements.lock")
    assert "microsoft-teams-apps" in extra
    names = {
        module
        for module, packages in packages_distributions().items()
        if {package.lower().replace("_", "-") for package in packages} <= extra
    }
    assert {"msal", "jwt"} <= names
    names.add("microsoft_teams")  # a namespace of several packages
    folder = tmp_path / "slim"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(HIDES.format(names=names), encoding="utf-8")
    write_checkout(tmp_path / "slos")
    return {"PYTHONPATH": f"{folder}:{ROOT}", "DATABASE_URL": f"sqlite:///{tmp_path}/director.db"}


async def test_nothing_of_the_extra_is_there(slim: dict[str, str], tmp_path: Path) -> None:
    """Otherwise the other tests here would say nothing."""
    ended = await run("review", cwd=tmp_path, env={**slim, "PYTHONPATH": slim["PYTHONPATH"], "PYTHONVERBOSE": "1"})
    assert "import 'handlers.cli" in ended.err
    assert "microsoft_teams" not in ended.err


async def test_slack_is_served(slim: dict[str, str], towns: Towns, tmp_path: Path) -> None:
    town = await towns.build(database_url=slim["DATABASE_URL"])
    await town.serve(**slim)
    root = await town.standin.say(MAYA, PAYMENTS, "@Director how is checkout?")

    def answered(ledger: Ledger) -> list[Message]:
        return [one for one in ledger.by_bot(PAYMENTS, root) if "50.0%" in str(one.blocks)]

    await town.standin.wait_for(answered, 15)
    assert "Traceback" not in town.served[0].log


async def test_review_plan_schedules_and_chat_work(slim: dict[str, str], tmp_path: Path) -> None:
    for args, said in (
        (("review",), "reliability review"),
        (("plan", "new", "Move checkout to its own database"), "p1"),
        (("schedule", "list"), ""),
        (("manifest", "--teams", "--client-id", CLIENT_ID, "--out", "teams.zip"), ""),
    ):
        ended = await run(*args, cwd=tmp_path, env=slim)
        assert ended.code in (0, 1), ended.err
        assert said in ended.out
        assert "Traceback" not in ended.err
    talked = await run("chat", cwd=tmp_path, env=slim, stdin="/status checkout\n")
    assert (talked.code, "50.0%" in talked.out) == (0, True)


async def test_doctor_says_that_teams_is_off(slim: dict[str, str], tmp_path: Path) -> None:
    ended = await run("doctor", cwd=tmp_path, env=slim)
    assert ended.code == 0, ended.out + ended.err
    assert re.search(r"teams", ended.out, re.IGNORECASE)
    assert INSTALL not in ended.out


async def test_serve_and_doctor_say_what_to_install_when_teams_is_configured(
    slim: dict[str, str], tmp_path: Path
) -> None:
    async with TeamsDouble() as teams:
        env = {**slim, **teams.environment()}
        ended = await run("serve", cwd=tmp_path, env=env)
        assert (ended.code, ended.out) == (2, "")
        assert INSTALL in ended.err
        assert "Traceback" not in ended.err
        looked = await run("doctor", cwd=tmp_path, env=env)
        assert looked.code == 1
        assert INSTALL in looked.out + looked.err
        assert teams.token_requests == []


async def test_the_demo_runs_and_with_teams_it_says_what_to_install(slim: dict[str, str], tmp_path: Path) -> None:
    ended = await run("demo", "--teams", cwd=tmp_path, env=slim)
    assert ended.code == 2
    assert INSTALL in ended.err
    env = environment(slim)
    demo = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo", "--no-browser"), cwd=tmp_path, env=env, stdout=PIPE, stderr=PIPE
    )
    assert demo.stdout is not None
    try:
        async with asyncio.timeout(40), aiohttp.ClientSession() as session:
            while not (found := re.search(rb"http://127\.0\.0\.1:\d+", await demo.stdout.readline())):
                assert demo.returncode is None
            async with session.get(found[0].decode()) as page:
                assert page.status == 200
    finally:
        demo.kill()
        _, errors = await demo.communicate()
    assert b"Traceback" not in errors
