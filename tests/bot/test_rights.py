"""Who may do what, on each platform by its own ids."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain import Person, Place, Platform, Standing
from bot.rights import Rights
from bot.schedules import Schedule
from bot.settings_file import DirectorFile

DANA_IN_SLACK, DANA_IN_TEAMS = "U02", "8d6b0f3c-1111-4222-8333-944455556666"
FAY_IN_TEAMS = "11111111-2222-4333-8444-555555555555"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def file(**rights: Any) -> DirectorFile:
    people = [{"name": "Dana", "slack": DANA_IN_SLACK, "teams": DANA_IN_TEAMS.upper()}, {"name": "eli", "slack": "U03"}]
    return DirectorFile.model_validate({"roster": {"teams": {"payments": {"people": people}}}, "rights": rights})


def member(person_id: str, standing: Standing = Standing.MEMBER) -> Person:
    return Person(id=person_id, name="dana", standing=standing)


def by(person_id: str) -> Schedule:
    return Schedule(
        id="s1",
        place=Place(platform="teams", workspace="T1", channel="19:c"),
        channel_name="payments",
        what="review",
        days=(0,),
        time="09:00",
        zone="UTC",
        services=(),
        created_by=person_id,
        created_at=NOW,
        active_since=NOW,
        paused=False,
    )


def test_a_file_without_rights_gives_the_defaults() -> None:
    assert Rights.of(DirectorFile()) == Rights(ids={"slack": {}, "teams": {}})


def test_a_file_gives_the_ids_of_both_platforms() -> None:
    assert Rights.of(file(schedule=["S0BACKEND"], admin=["@dana"])) == Rights(
        ids={"slack": {"dana": DANA_IN_SLACK, "eli": "U03"}, "teams": {"dana": DANA_IN_TEAMS}},
        schedule=("S0BACKEND",),
        admin=("@dana",),
    )


@pytest.mark.parametrize(
    ("case", "entry", "platform", "person_id", "expected"),
    [
        ("by name in Slack", "@dana", "slack", DANA_IN_SLACK, True),
        ("by name in Teams", "@Dana", "teams", DANA_IN_TEAMS, True),
        ("by name, the platform writes the id in capitals", "@dana", "teams", DANA_IN_TEAMS.upper(), True),
        ("by name, with the id of the other platform", "@dana", "teams", DANA_IN_SLACK, False),
        ("by name, with the id of the other platform", "@dana", "slack", DANA_IN_TEAMS, False),
        ("by name, of whom Teams knows nothing", "@eli", "teams", "U03", False),
        ("by a name that is in no roster", "@zoe", "teams", "@zoe", False),
        ("by name on the console", "@dana", "console", DANA_IN_SLACK, False),
        ("by Slack's id in Slack", "U77", "slack", "U77", True),
        ("by Slack's id in Teams", "U77", "teams", "U77", False),
        ("by Slack's id on the console", "U77", "console", "U77", False),
        ("by Entra id in Teams", FAY_IN_TEAMS, "teams", FAY_IN_TEAMS, True),
        ("by Entra id in capitals", FAY_IN_TEAMS.upper(), "teams", FAY_IN_TEAMS, True),
        ("by Entra id in Slack", FAY_IN_TEAMS, "slack", FAY_IN_TEAMS, False),
        ("somebody else", FAY_IN_TEAMS, "teams", DANA_IN_TEAMS, False),
    ],
)
def test_who_is_named_counts_on_the_platform_of_the_id(
    case: str, entry: str, platform: Platform, person_id: str, *, expected: bool
) -> None:
    rights = Rights.of(file(schedule=[entry], admin=[entry]))
    person = member(person_id)
    assert rights.is_admin(person, platform) is expected, case
    assert rights.may_add_schedule(person, platform) is expected, case
    assert rights.may_change_schedule(person, by("somebody"), platform) is expected, case


def test_a_group_counts_on_its_own_platform() -> None:
    rights = Rights.of(file(schedule=["S0BACKEND"]))
    answers = {
        platform: rights.may_add_schedule(member("U05"), platform, ["S0BACKEND"]) for platform in ("slack", "teams")
    }
    assert answers == {"slack": True, "teams": False}


@pytest.mark.parametrize("standing", [Standing.GUEST, Standing.EXTERNAL, Standing.UNKNOWN])
def test_being_named_makes_no_member_of_a_guest(standing: Standing) -> None:
    rights = Rights.of(file(schedule=["@dana"], admin=["@dana"]))
    guest = member(DANA_IN_TEAMS, standing)
    assert rights.is_admin(guest, "teams") is False
    assert rights.may_add_schedule(guest, "teams") is False
    assert rights.may_change_schedule(guest, by(DANA_IN_TEAMS), "teams") is False


def test_whoever_made_a_schedule_may_change_it() -> None:
    rights = Rights.of(file(schedule=["@dana"]))
    assert rights.may_change_schedule(member(FAY_IN_TEAMS), by(FAY_IN_TEAMS), "teams") is True
