"""Where the Director can speak in Teams: remembered, found by name, forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain import Place, Platform
from bot.errors import UsageError
from bot.references import ConversationReference, References
from bot.schedule_grammar import ChannelRef
from handlers.teams.conversations import Conversations
from handlers.teams.sdk import ChannelInfo
from handlers.teams.trouble import ConnectorError, ConnectorUnreachable
from storage import open_store

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TENANT, OTHER = "tenant-1", "tenant-2"
TEAM, SECOND_TEAM = "19:fernhill@thread.tacv2", "19:second@thread.tacv2"
PAYMENTS, ON_CALL = "19:payments@thread.tacv2", "19:oncall@thread.tacv2"
URL = "https://smba.example/emea/"


class Counted:
    """References that count what they are asked."""

    def __init__(self, references: References) -> None:
        self._references = references
        self.remembered: list[ConversationReference] = []

    async def remember(self, reference: ConversationReference) -> None:
        self.remembered.append(reference)
        await self._references.remember(reference)

    async def forget(self, *, platform: Platform, workspace: str, conversation: str) -> None:
        await self._references.forget(platform=platform, workspace=workspace, conversation=conversation)

    async def find(self, *, platform: Platform, workspace: str, conversation: str) -> ConversationReference | None:
        return await self._references.find(platform=platform, workspace=workspace, conversation=conversation)

    async def personal(self, *, platform: Platform, workspace: str, person_id: str) -> ConversationReference | None:
        return await self._references.personal(platform=platform, workspace=workspace, person_id=person_id)

    async def all(self, *, platform: Platform) -> Sequence[ConversationReference]:
        return await self._references.all(platform=platform)


class Teams:
    """Lists the channels of teams and begins personal conversations."""

    def __init__(self) -> None:
        self.listed: list[tuple[str, str]] = []
        self.begun: list[tuple[str, str, str]] = []
        self.trouble: Exception | None = None
        self.teams: dict[str, list[ChannelInfo]] = {
            TEAM: [
                ChannelInfo(id=TEAM),
                ChannelInfo(id=PAYMENTS, name="Payments"),
                ChannelInfo(id=ON_CALL, name="On  Call", type="standard"),
                ChannelInfo(id="19:secret@thread.tacv2", name="Secret", type="private"),
                ChannelInfo(id="19:nameless@thread.tacv2"),
                ChannelInfo(name="No id"),
            ],
            SECOND_TEAM: [ChannelInfo(id=SECOND_TEAM), ChannelInfo(id="19:p2@thread.tacv2", name="payments")],
        }

    async def channels(self, service_url: str, team_id: str) -> list[ChannelInfo]:
        self.listed.append((service_url, team_id))
        if self.trouble is not None:
            raise self.trouble
        return self.teams[team_id]

    async def direct(self, service_url: str, tenant: str, person_id: str) -> str:
        self.begun.append((service_url, tenant, person_id))
        if self.trouble is not None:
            raise self.trouble
        return f"a:with-{person_id}"


class Ticks:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class World:
    def __init__(self, references: References) -> None:
        self.references, self.teams, self.ticks = Counted(references), Teams(), Ticks()
        self.conversations = self.fresh()

    def fresh(self) -> Conversations:
        """As in another process on the same database."""
        return Conversations(self.references, self.teams, now=lambda: NOW, monotonic=self.ticks)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_store(f"sqlite:///{tmp_path}/director.db") as store:
        await store.migrate()
        yield World(store.references)


def reference(conversation: str = PAYMENTS, **more: Any) -> ConversationReference:
    known: dict[str, Any] = {
        "platform": "teams",
        "workspace": TENANT,
        "conversation": conversation,
        "kind": "channel",
        "service_url": URL,
        "known_at": NOW,
    }
    if more.get("kind", "channel") == "channel":
        known["team_id"] = TEAM
    return ConversationReference(**{**known, **more})


def place(channel: str = PAYMENTS, workspace: str = TENANT, thread: str = "") -> Place:
    return Place(platform="teams", workspace=workspace, channel=channel, thread=thread)


def named(name: str) -> ChannelRef:
    return ChannelRef(id=None, name=name)


# --- remembering -----------------------------------------------------------------------------------------------------


async def test_what_is_heard_again_unchanged_is_not_written_again(world):
    later = NOW + timedelta(minutes=5)

    for heard in (reference(name="payments"), reference(), reference(known_at=later)):
        await world.conversations.heard(heard)

    assert world.references.remembered == [reference(name="payments")]


async def test_what_changed_is_written(world):
    moved, renamed = reference(service_url="https://smba.example/amer/"), reference(name="pay")
    for heard in (reference(), moved, renamed, reference()):
        await world.conversations.heard(heard)

    assert world.references.remembered == [reference(), moved, renamed]
    known = await world.conversations.reference(place())
    assert known == reference(name="pay")


async def test_what_another_replica_was_told_to_forget_is_known_again_once_it_is_heard_from(world):
    await world.conversations.heard(reference())
    await world.fresh().removed(TENANT, TEAM)

    await world.conversations.heard(reference())

    assert await world.fresh().reference(place()) == reference()


async def test_what_another_replica_was_told_to_forget_is_gone_here_too(world):
    await world.conversations.heard(reference())
    await world.fresh().removed(TENANT, TEAM)

    assert await world.conversations.reference(place()) is None


async def test_an_answer_goes_to_the_address_that_another_replica_heard_last(world):
    moved = reference(service_url="https://smba.example/amer/")
    await world.conversations.heard(reference())
    await world.fresh().heard(moved)

    assert await world.conversations.reference(place(thread="17")) == moved


async def test_a_team_that_is_gone_takes_its_channels_along(world):
    for heard in (reference(TEAM), reference(), reference("19:p2@thread.tacv2", team_id=SECOND_TEAM)):
        await world.conversations.heard(heard)

    await world.conversations.removed(TENANT, TEAM)

    assert [await world.conversations.reference(place(channel)) for channel in (TEAM, PAYMENTS)] == [None, None]
    assert [one.conversation for one in await world.references.all(platform="teams")] == ["19:p2@thread.tacv2"]


async def test_the_same_id_in_another_tenant_is_another_conversation(world):
    await world.conversations.heard(reference())

    assert await world.conversations.reference(place(workspace=OTHER)) is None
    await world.conversations.removed(OTHER, TEAM)
    assert await world.conversations.reference(place()) == reference()


# --- people ----------------------------------------------------------------------------------------------------------


async def test_a_person_is_reached_in_their_personal_conversation(world):
    await world.conversations.heard(reference("a:1maya", kind="personal", person_id="maya"))

    found = await world.conversations.reference(place("maya"))

    assert found == reference("a:1maya", kind="personal", person_id="maya")
    assert world.teams.begun == []


async def test_a_conversation_is_begun_with_someone_who_never_spoke_to_us_personally(world):
    await world.conversations.heard(reference())

    found = await world.conversations.reference(place("maya"))
    again = await world.fresh().reference(place("maya"))

    assert found == reference("a:with-maya", kind="personal", person_id="maya")
    assert again == found
    assert world.teams.begun == [(URL, TENANT, "maya")]


async def test_nobody_can_be_reached_in_a_tenant_that_never_spoke(world):
    await world.conversations.heard(reference())

    assert await world.conversations.reference(place("maya", OTHER)) is None
    assert world.teams.begun == []


async def test_what_keeps_a_conversation_from_beginning_is_told(world):
    await world.conversations.heard(reference())
    world.teams.trouble = ConnectorError(403, "ForbiddenOperationException", "not installed", maybe=False)

    with pytest.raises(ConnectorError):
        await world.conversations.reference(place("maya"))


async def test_a_conversation_that_is_not_known_is_not_begun(world):
    await world.conversations.heard(reference())

    assert await world.conversations.reference(place("19:gone@thread.tacv2")) is None
    assert world.teams.begun == []


# --- channels by name ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("payments", ChannelRef(id=PAYMENTS, name="payments")),
        ("Payments", ChannelRef(id=PAYMENTS, name="payments")),
        ("#payments", ChannelRef(id=PAYMENTS, name="payments")),
        ("on-call", ChannelRef(id=ON_CALL, name="on-call")),
        ("On Call", ChannelRef(id=ON_CALL, name="on-call")),
        ("general", ChannelRef(id=TEAM, name="general")),
        ("secret", None),
        ("nowhere", None),
        ("", None),
    ],
)
async def test_a_channel_of_a_team_that_we_are_in_is_found_by_its_name(world, asked, found):
    await world.conversations.heard(reference(TEAM, name="general"))

    assert await world.conversations.find(place(TEAM), named(asked)) == found
    if found is not None:
        assert await world.conversations.joined(place(TEAM), found)
        reached = await world.fresh().reference(place(found.id))
        assert reached is not None
        assert reached.service_url == URL


async def test_a_teams_channels_are_asked_for_once_in_ten_minutes(world):
    await world.conversations.heard(reference(TEAM))

    for seconds in (0, 599, 2):
        world.ticks.now += seconds
        await world.conversations.find(place(TEAM), named("payments"))

    assert world.teams.listed == [(URL, TEAM)] * 2


async def test_a_channel_that_was_deleted_is_not_found_by_what_was_listed_before(world):
    await world.conversations.heard(reference(TEAM))
    await world.conversations.find(place(TEAM), named("payments"))
    world.teams.teams[TEAM] = [ChannelInfo(id=TEAM), ChannelInfo(id=ON_CALL, name="On Call")]

    await world.conversations.removed(TENANT, PAYMENTS)

    assert await world.conversations.find(place(TEAM), named("payments")) is None
    assert await world.conversations.reference(place()) is None


async def test_a_renamed_channel_has_its_new_name_at_once(world):
    await world.conversations.heard(reference(TEAM))
    await world.conversations.find(place(TEAM), named("payments"))
    world.teams.teams[TEAM] = [ChannelInfo(id=TEAM), ChannelInfo(id=PAYMENTS, name="Money")]

    await world.conversations.heard(reference(name="money"))
    world.conversations.changed(TENANT, TEAM)

    assert await world.conversations.find(place(TEAM), named("payments")) is None
    assert await world.conversations.find(place(TEAM), named("money")) == ChannelRef(id=PAYMENTS, name="money")


async def test_what_was_listed_before_does_not_undo_what_another_replica_was_told(world):
    await world.conversations.heard(reference(TEAM))
    await world.conversations.find(place(TEAM), named("payments"))
    other = world.fresh()
    await other.heard(reference(ON_CALL, name="fire-brigade"))
    await other.removed(TENANT, PAYMENTS)

    found = await world.conversations.find(place(TEAM), named("payments"))

    assert found is None or not await world.conversations.joined(place(TEAM), found)
    assert await world.conversations.named(place(ON_CALL)) == "fire-brigade"


async def test_the_channel_of_ones_own_team_wins_and_two_strange_ones_are_told_apart_by_the_person(world):
    await world.conversations.heard(reference(TEAM))
    await world.conversations.heard(reference(SECOND_TEAM, team_id=SECOND_TEAM))
    await world.conversations.heard(reference("a:1maya", kind="personal", person_id="maya"))

    assert await world.conversations.find(place(TEAM), named("payments")) == ChannelRef(id=PAYMENTS, name="payments")
    assert await world.conversations.find(place(SECOND_TEAM), named("payments")) == ChannelRef(
        id="19:p2@thread.tacv2", name="payments"
    )
    with pytest.raises(UsageError, match="Several teams have a channel #payments"):
        await world.conversations.find(place("a:1maya"), named("payments"))


async def test_a_channel_of_another_tenant_is_not_found(world):
    await world.conversations.heard(reference(TEAM, name="general", workspace=OTHER))

    assert await world.conversations.find(place(), named("general")) is None


async def test_a_channel_is_found_by_its_id_and_named_by_its_team(world):
    await world.conversations.heard(reference())

    found = await world.conversations.find(place(), ChannelRef(id=f"{PAYMENTS};messageid=17", name=""))

    assert found == ChannelRef(id=PAYMENTS, name="payments")
    assert await world.conversations.named(place()) == "payments"
    assert await world.conversations.find(place(), ChannelRef(id="19:gone@thread.tacv2", name="")) is None


async def test_a_channel_that_was_only_said_is_not_one_that_we_are_in(world):
    assert not await world.conversations.joined(place(), named("payments"))
    assert not await world.conversations.joined(place(), ChannelRef(id=PAYMENTS, name="payments"))


@pytest.mark.parametrize(
    "trouble", [ConnectorUnreachable("timeout", maybe=True), ConnectorError(403, "http_403", "", maybe=False)]
)
async def test_channels_that_teams_does_not_tell_are_those_that_are_known(world, trouble):
    await world.conversations.heard(reference(name="payments"))
    await world.conversations.heard(reference(TEAM))
    world.teams.trouble = trouble

    assert await world.conversations.find(place(), named("payments")) == ChannelRef(id=PAYMENTS, name="payments")
    assert await world.conversations.find(place(), named("on-call")) is None
    assert await world.conversations.find(place(), ChannelRef(id=TEAM, name="")) == ChannelRef(id=TEAM, name="")


# --- for the command line --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", ["payments", "#Payments", PAYMENTS, f"{PAYMENTS};messageid=17"])
async def test_a_command_means_a_channel_by_its_name_or_id(world, asked):
    await world.conversations.heard(reference(name="payments"))

    assert await world.conversations.channel(asked) == reference(name="payments")


async def test_a_command_is_told_what_to_do_about_a_channel_that_is_not_clear(world):
    await world.conversations.heard(reference(TEAM))
    await world.conversations.heard(reference(SECOND_TEAM, team_id=SECOND_TEAM))

    with pytest.raises(UsageError, match=r"There is no channel #nowhere in Teams that I am in\. Add me to its team"):
        await world.conversations.channel("#nowhere")
    with pytest.raises(UsageError, match="Several channels in Teams are called payments; give the id of one: 19:p"):
        await world.conversations.channel("payments")
