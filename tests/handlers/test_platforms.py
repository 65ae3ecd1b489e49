"""Several chat platforms as one."""

from __future__ import annotations

import pytest

from bot.domain import Person, Place, Reply, Standing, Text
from bot.errors import UsageError
from bot.schedule_grammar import ChannelRef
from handlers.platforms import Directories, Postings, readiness
from handlers.web import Readiness

DANA = Person(id="p1", name="Dana", standing=Standing.MEMBER)
REPLY = Reply(summary="a digest", parts=(Text(markdown="a digest"),))


class Edge:
    """One platform with one channel."""

    def __init__(self, platform: str, channel: str, *, connected: bool = True) -> None:
        self.place = Place(platform=platform, workspace="w1", channel=f"{platform}-1")
        self._name, self._connected = channel, connected
        self.posted: list[Reply] = []

    async def connected(self) -> bool:
        return self._connected

    async def groups_of(self, person: Person) -> list[str]:
        return [f"{self.place.platform}-group-of-{person.id}"]

    async def find(self, place: Place, channel: ChannelRef) -> ChannelRef | None:
        return ChannelRef(id=self.place.channel, name=self._name) if channel.name == self._name else None

    async def joined(self, place: Place, channel: ChannelRef) -> bool:
        return False

    async def channel(self, name_or_id: str) -> tuple[Place, str]:
        if name_or_id != f"#{self._name}":
            raise UsageError(f"There is no channel {name_or_id} in {self.place.platform}.")
        return self.place, name_or_id

    async def post(self, place: Place, reply: Reply) -> str:
        self.posted.append(reply)
        return "1"


@pytest.mark.parametrize(
    ("slack", "teams", "found"),
    [
        (True, True, Readiness()),
        (True, False, Readiness(without=("Teams",))),
        (False, True, Readiness(without=("Slack",))),
        (False, False, Readiness(missing=("Slack", "Teams"))),
    ],
)
async def test_one_platform_that_is_away_keeps_nobody_from_being_served_on_the_other(slack, teams, found):
    edges = {"slack": Edge("slack", "a", connected=slack), "teams": Edge("teams", "b", connected=teams)}
    assert await readiness(edges) == found


async def test_the_only_platform_has_to_be_there():
    assert await readiness({"slack": Edge("slack", "a", connected=False)}) == Readiness(missing=("Slack",))


async def test_a_channel_is_looked_up_on_its_own_platform():
    directories = Directories({"slack": Edge("slack", "a"), "teams": Edge("teams", "b")})
    place = Place(platform="teams", workspace="w1", channel="here")
    assert await directories.find(place, ChannelRef(id=None, name="b")) == ChannelRef(id="teams-1", name="b")
    assert await directories.find(place, ChannelRef(id=None, name="a")) is None
    assert not await directories.joined(place, ChannelRef(id="teams-1", name="b"))
    assert await directories.groups_of(place, DANA) == ["teams-group-of-p1"]


async def test_a_place_without_names_knows_only_ids_and_no_groups():
    directories = Directories({"slack": Edge("slack", "a")})
    place = Place(platform="console", workspace="local", channel="terminal")
    assert await directories.find(place, ChannelRef(id="x", name="")) == ChannelRef(id="x", name="")
    assert await directories.find(place, ChannelRef(id=None, name="a")) is None
    assert await directories.joined(place, ChannelRef(id="x", name=""))
    assert await directories.groups_of(place, DANA) == ()


async def test_it_is_posted_where_the_channel_is():
    slack, teams = Edge("slack", "a"), Edge("teams", "b")
    postings = Postings({"slack": slack, "teams": teams})
    place, name = await postings.channel("#b")
    await postings.post(place, REPLY)
    assert (name, slack.posted, teams.posted) == ("#b", [], [REPLY])


async def test_a_channel_that_is_nowhere_is_told_of_by_each_platform():
    postings = Postings({"slack": Edge("slack", "a"), "teams": Edge("teams", "b")})
    with pytest.raises(UsageError, match=r"^There is no channel #c in slack\. There is no channel #c in teams\.$"):
        await postings.channel("#c")
