"""Who and what is let in from a Microsoft Teams, and what stops the start, held against whole processes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from handlers.slack.standin import Standin, StandinConfig
from storage import open_store
from tests.doubles.process import run
from tests.doubles.slack import MAYA as SLACK_MAYA
from tests.doubles.slack import PAYMENTS as SLACK_PAYMENTS
from tests.doubles.teams import Fault
from tests.doubles.teams_people import MAYA, PAT, PAYMENTS, SECOND_CHANNEL, SECOND_TENANT, STRANGER, TENANT, chat_with
from tests.system.conftest import TeamsTowns

MAYA_CHAT = chat_with(MAYA)


async def test_a_tenant_that_is_not_on_the_list_is_refused_and_nothing_is_stored(
    teams_towns: TeamsTowns, tmp_path: Path
) -> None:
    town = await teams_towns.build(
        database_url=f"sqlite:///{tmp_path}/director.db", tenants=(TENANT.upper(), SECOND_TENANT)
    )
    served = await town.serve()
    strange = await town.teams.say(STRANGER, chat_with(STRANGER), "help")
    second = await town.teams.say(PAT, SECOND_CHANNEL, "help")
    first = await town.teams.say(MAYA, PAYMENTS, "help")
    for one in (second, first):
        await town.teams.answer(one, "What I can do")
    assert strange.delivered.attempts == [403]
    assert town.teams.ledger.in_(chat_with(STRANGER).id) == []
    assert await served.stop() == 0
    listed = await run("inbox", "list", "--json", cwd=tmp_path, env=town.env)
    places = sorted(turn["place"].split("/")[1] for turn in json.loads(listed.out))
    assert places == [TENANT, SECOND_TENANT]
    async with open_store(town.env["DATABASE_URL"]) as store:
        known = await store.references.all(platform="teams")
    assert {one.workspace for one in known} == {TENANT, SECOND_TENANT}


FORGED: tuple[dict[str, Any], ...] = (
    {"forged": "none"},
    {"forged": "HS256"},
    {"forged": "stranger"},
    {"forged": "kid"},
    {"aud": "99999999-0000-4000-8000-000000000000"},
    {"iss": "https://evil.example"},
    {"exp": 1_700_000_000},
    {"serviceurl": "https://evil.example/"},
    {"serviceurl": None},
)


async def test_who_does_not_come_from_microsoft_is_refused(teams_towns: TeamsTowns, tmp_path: Path) -> None:
    town = await teams_towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    served = await town.serve()
    activity = town.teams.message(MAYA, PAYMENTS, "help", mention=True)
    first = await town.teams.attempt(activity, token=town.teams.token())
    assert first.taken
    elsewhere = {**activity, "serviceUrl": "https://evil.example/"}
    nowhere = {name: value for name, value in activity.items() if name != "serviceUrl"}
    found = [await town.teams.attempt(activity, token=town.teams.token(**how)) for how in FORGED]
    found += [await town.teams.attempt(one, token=town.teams.token()) for one in (elsewhere, nowhere)]
    found += [await town.teams.attempt(activity, token=token) for token in (None, "x", "a.b.c")]
    assert {status for one in found for status in one.attempts} <= {400, 401, 403}
    assert served.process is not None
    assert served.process.returncode is None
    assert "eyJ" not in served.log


async def test_what_nobody_knows_is_no_error_of_ours(teams_towns: TeamsTowns, tmp_path: Path) -> None:
    town = await teams_towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    served = await town.serve()
    teams = town.teams
    odd = {
        "an unknown type": (teams.activity("brandNew", MAYA, PAYMENTS), {200, 202}),
        "an unknown event": (teams.activity("event", MAYA, PAYMENTS, name="application/new"), {200, 202}),
        "an unknown invoke": (teams.activity("invoke", MAYA, PAYMENTS, name="new/thing", value={}), {501}),
        "a reaction": (
            teams.activity("messageReaction", MAYA, PAYMENTS, reactionsAdded=[{"type": "like"}]),
            {200, 202},
        ),
        "typing": (teams.activity("typing", MAYA, MAYA_CHAT), {200, 202}),
        "an edit": (teams.activity("messageUpdate", MAYA, PAYMENTS, text="other"), {200, 202}),
        "a message of nothing": (teams.activity("message", MAYA, MAYA_CHAT, text=None, value=None), {200, 202}),
        "no JSON": (b"{", {400}),
        "a list": ([1, 2], {400}),
    }
    statuses = {name: (await teams.attempt(body)).attempts[0] for name, (body, _) in odd.items()}
    assert {name for name, (_, allowed) in odd.items() if statuses[name] not in allowed} == set(), statuses
    assert await served.stop() == 0
    assert "Traceback" not in served.log


async def test_where_teams_removes_the_director_it_stops_and_where_it_comes_back_it_goes_on(
    teams_towns: TeamsTowns, tmp_path: Path
) -> None:
    town = await teams_towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    served = await town.serve()
    asked = await town.teams.say(MAYA, PAYMENTS, "schedule review every monday 09:00 UTC")
    await town.teams.answer(asked, "every monday")
    await town.teams.remove(MAYA, PAYMENTS)
    refused = await run("review", "--post", "#payments", cwd=tmp_path, env=town.env)
    assert (refused.code, town.teams.ledger.called("send", PAYMENTS.id)) == (2, [])
    await town.teams.install(MAYA, PAYMENTS)
    again = await run("review", "--post", "#payments", cwd=tmp_path, env=town.env)
    assert again.code == 0, again.err
    assert served.process is not None
    assert served.process.returncode is None


# --- starting --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"TEAMS_CLIENT_SECRET": ""}, "TEAMS_CLIENT_SECRET"),
        ({"TEAMS_CLIENT_SECRET": "wrong"}, "TEAMS_CLIENT_SECRET"),
        ({"TEAMS_CLIENT_ID": ""}, "TEAMS_CLIENT_ID"),
        ({"TEAMS_CLIENT_ID": "99999999-0000-4000-8000-000000000000"}, "TEAMS_CLIENT_ID"),
        ({"TEAMS_TENANT_ID": "99999999-0000-4000-8000-000000000000"}, "TEAMS_TENANT_ID"),
    ],
    ids=["no secret", "a wrong secret", "no id", "an unknown id", "an unknown tenant"],
)
async def test_without_good_credentials_serve_does_not_start(
    teams_towns: TeamsTowns, tmp_path: Path, given: dict[str, str], said: str
) -> None:
    town = await teams_towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    ended = await run("serve", cwd=tmp_path, env={**town.env, "DIRECTOR_HTTP": "127.0.0.1:0", **given})
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert town.env["TEAMS_CLIENT_SECRET"] not in ended.err


async def test_while_microsoft_is_out_of_reach_slack_is_served_all_the_same(
    teams_towns: TeamsTowns, tmp_path: Path
) -> None:
    town = await teams_towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    town.teams.token_fault = Fault(status=503)
    slack = Standin(StandinConfig())
    await slack.start()
    try:
        env = {"SLACK_API_URL": slack.api_url, "SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token}
        served = await town.serve(**env)
        root = await slack.say(SLACK_MAYA, SLACK_PAYMENTS, "@Director help")
        await slack.wait_for(lambda ledger: ledger.by_bot(SLACK_PAYMENTS, root), 15)
        async with aiohttp.ClientSession() as session, session.get(f"{served.url}/ready") as told:
            assert (told.status, await told.json()) == (200, {"status": "ready", "without": ["Teams"]})
        town.teams.token_fault = None
        asked = await town.teams.say(MAYA, PAYMENTS, "help")
        await town.teams.answer(asked, "What I can do")
    finally:
        await slack.stop()


async def test_doctor_says_of_teams_how_it_stands(teams_towns: TeamsTowns, tmp_path: Path) -> None:
    town = await teams_towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    good = await run("doctor", cwd=tmp_path, env=town.env)
    assert re.search(r"teams.*Microsoft gives a token", good.out, re.IGNORECASE), good.out
    bad = await run("doctor", cwd=tmp_path, env={**town.env, "TEAMS_CLIENT_SECRET": "wrong"})
    assert bad.code == 1
    assert "TEAMS_CLIENT_SECRET" in bad.out + bad.err
