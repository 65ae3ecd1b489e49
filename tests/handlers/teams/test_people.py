"""Who people in Teams are to the Director, and that nobody gets figures by not being found."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.domain import Person, Place, Standing
from bot.references import ConversationReference
from handlers.teams.people import People, described
from handlers.teams.sdk import TeamsChannelAccount
from handlers.teams.trouble import ConnectorError, ConnectorUnreachable
from handlers.teams.wire import Where

TENANT = "11111111-1111-4111-8111-111111111111"
OTHER = "99999999-9999-4999-8999-999999999999"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CHANNEL = Place(platform="teams", workspace=TENANT, channel="19:payments@thread.tacv2", thread="17")
URL = "https://smba.example/emea/"


def account(**more: object) -> TeamsChannelAccount:
    known = {"id": "29:maya", "name": "Maya Okafor", "tenantId": TENANT, "userRole": "user", "objectId": "maya"}
    upn = {"userPrincipalName": "maya@fernhill.example"}
    return TeamsChannelAccount.model_validate({**known, **upn, **more})


class Roster:
    """Says who someone is, or fails; counts how often it was asked."""

    def __init__(self, *answers: TeamsChannelAccount | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[Where, str]] = []

    async def member(self, where: Where, person_id: str) -> TeamsChannelAccount:
        self.asked.append((where, person_id))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Ticks:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def where_of(place: Place) -> ConversationReference | None:
    if place.channel != CHANNEL.channel:
        return None
    return ConversationReference(
        platform="teams",
        workspace=place.workspace,
        conversation=place.channel,
        kind="channel",
        service_url=URL,
        known_at=NOW,
    )


@pytest.mark.parametrize(
    ("more", "standing"),
    [
        ({}, Standing.MEMBER),
        ({"userRole": None}, Standing.MEMBER),
        ({"tenantId": TENANT.upper()}, Standing.MEMBER),
        ({"userRole": "guest"}, Standing.GUEST),
        ({"userRole": "Guest"}, Standing.GUEST),
        ({"userPrincipalName": "gus_agency.example#EXT#@fernhill.example"}, Standing.GUEST),
        ({"tenantId": OTHER}, Standing.EXTERNAL),
        ({"tenantId": OTHER, "userRole": "guest"}, Standing.EXTERNAL),
        ({"userRole": "anonymous"}, Standing.EXTERNAL),
        ({"tenantId": None}, Standing.UNKNOWN),
        ({"tenantId": ""}, Standing.UNKNOWN),
        ({"tenantId": None, "userRole": "guest"}, Standing.GUEST),
    ],
)
def test_standing_follows_tenant_role_and_name(more, standing):
    assert described(account(**more), "maya", tenant=TENANT) == Person(id="maya", name="Maya Okafor", standing=standing)


@pytest.mark.parametrize(("name", "shown"), [(None, "maya"), ("  ", "maya"), ("Ma\u202eya\ud800", "Maya")])
def test_a_name_is_what_can_be_seen_of_it(name, shown):
    assert described(account(name=name), "maya", tenant=TENANT).name == shown


async def test_someone_is_asked_for_in_their_conversation_and_remembered_for_ten_minutes():
    roster, ticks = Roster(account(), account(userRole="guest")), Ticks()
    people = People(roster, where_of, now=ticks)

    first = await people.person(CHANNEL, "maya")
    ticks.now += 599
    again = await people.person(CHANNEL, "maya")
    ticks.now += 2
    later = await people.person(CHANNEL, "maya")

    assert [first.standing, again.standing, later.standing] == [Standing.MEMBER, Standing.MEMBER, Standing.GUEST]
    assert roster.asked == [(Where(URL, CHANNEL.channel), "maya")] * 2


async def test_two_tenants_remember_their_own_people():
    roster = Roster(account(), account())
    people = People(roster, where_of)

    here = await people.person(CHANNEL, "maya")
    there = await people.person(CHANNEL.model_copy(update={"workspace": OTHER}), "maya")

    assert [here.standing, there.standing] == [Standing.MEMBER, Standing.EXTERNAL]


@pytest.mark.parametrize(
    "trouble",
    [
        ConnectorError(404, "MemberNotFoundInConversation", "no such member", maybe=False),
        ConnectorError(503, "http_503", "", maybe=True),
        ConnectorUnreachable("timeout", maybe=True),
    ],
)
async def test_who_is_not_found_is_unknown_and_asked_for_again(trouble):
    roster = Roster(trouble, account())
    people = People(roster, where_of)

    unknown = await people.person(CHANNEL, "maya")
    found = await people.person(CHANNEL, "maya")

    assert unknown == Person(id="maya", name="maya", standing=Standing.UNKNOWN)
    assert not unknown.may_see_figures
    assert found.standing is Standing.MEMBER


async def test_someone_in_a_conversation_that_is_not_known_is_unknown():
    people = People(Roster(), where_of)

    person = await people.person(Place(platform="teams", workspace=TENANT, channel="19:other"), "maya")

    assert person.standing is Standing.UNKNOWN
