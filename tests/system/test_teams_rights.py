"""Who may see what on Teams, held against whole processes: guests, people from elsewhere, two tenants on one bot."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.doubles.anthropic_double import AnthropicDouble, looks_up, says
from tests.doubles.teams_people import (
    EVE,
    GENERAL,
    GUS,
    MAYA,
    NOBODY,
    PAT,
    PAYMENTS,
    SECOND_CHANNEL,
    SECOND_TENANT,
    TENANT,
    chat_with,
)
from tests.system.conftest import TeamsTowns

COMMANDS = ("status", "review", "digest", "plan list", "plan show p1", "plan Move checkout", "schedule list")
OUTSIDERS = (GUS, EVE, NOBODY)


@pytest.mark.slow
async def test_who_is_no_member_gets_no_figure_plan_or_schedule_by_any_road(
    teams_towns: TeamsTowns, tmp_path: Path
) -> None:
    town = await teams_towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    teams = town.teams
    async with AnthropicDouble() as model:
        town.env |= {"ANTHROPIC_API_KEY": "sk-ant-test", "ANTHROPIC_BASE_URL": model.url}
        await town.serve()
        model.script(looks_up("error_budget_status", {}), says("Checkout has {{f3}} left."))
        asked = await teams.say(MAYA, PAYMENTS, "how is checkout?")
        [member] = await teams.answer(asked, "50.0%")
        assert "50.0%" in member.words
        for person in OUTSIDERS:
            before = len(model.requests)
            model.script(looks_up("error_budget_status", {}), says("It has {{f1}}, {{f2}}, {{f3}}."))
            said = await teams.say(person, PAYMENTS, "and what was that figure again?", reply_to=asked)
            await teams.answer(said, "no figure, no figure, no figure")
            sent = "".join(request.raw.decode() for request in model.requests[before:])
            assert re.findall(r"\d+\.\d+ ?%", sent) == []
            for words in COMMANDS:
                told = await teams.answer(
                    await teams.say(person, PAYMENTS, f"/director {words}", targeted=True), "members of this workspace"
                )
                assert {one.only or one.conversation for one in told} <= {person.id, chat_with(person).id}
                private = await teams.answer(
                    await teams.say(person, chat_with(person), words), "members of this workspace"
                )
                assert "%" not in "".join(one.words for one in private)


async def test_two_tenants_on_one_bot_know_nothing_of_each_other(teams_towns: TeamsTowns, tmp_path: Path) -> None:
    town = await teams_towns.build(database_url=f"sqlite:///{tmp_path}/director.db", tenants=(TENANT, SECOND_TENANT))
    teams = town.teams
    async with AnthropicDouble() as model:
        town.env |= {"ANTHROPIC_API_KEY": "sk-ant-test", "ANTHROPIC_BASE_URL": model.url}
        await town.serve()
        await teams.install(MAYA, PAYMENTS)
        await teams.answer(await teams.say(MAYA, GENERAL, "schedule review every monday 09:00 UTC"), "every monday")
        model.script(says("The wombats are fed."))
        await teams.answer(await teams.say(MAYA, chat_with(MAYA), "are the wombats fed?"), "fed")
        heard = {}
        for words in ("schedule list", "schedule remove s1", "schedule test s1", "plan list", "plan show p1"):
            said = await teams.say(PAT, SECOND_CHANNEL, words)
            heard[words] = " ".join(one.words for one in await teams.answer(said))
        model.script(says("Nothing that I know of."))
        await teams.answer(await teams.say(PAT, SECOND_CHANNEL, "what do you remember?"), "Nothing")
        assert "wombats" not in model.requests[-1].raw.decode()
        still = await teams.answer(await teams.say(MAYA, GENERAL, "schedule list"), "every monday")
        assert len(still) == 1
    assert [words for words, text in heard.items() if "I post" in text or "reliability review" in text] == [], heard
