"""Schedules as people in a channel change them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

import pytest

from bot.domain import Audience, Note, Person, Place, Reply, Standing, Table, Text
from bot.errors import UsageError
from bot.rights import NOT_FOR_GUESTS, Rights
from bot.schedule_chat import NotAllowed, Schedules, UnknownSchedule, listing
from bot.schedule_grammar import EXAMPLE, ChannelRef, ScheduleError
from bot.schedules import Schedule
from tests.doubles.stores import MemorySchedules

PAYMENTS = Place(platform="slack", workspace="T1", channel="C1", thread="1700.1")
OPERATIONS = Place(platform="slack", workspace="T1", channel="C2")
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)  # a Friday
BERLIN = "Europe/Berlin"

DANA = Person(id="U02", name="dana", standing=Standing.MEMBER, zone=BERLIN)
ELI = Person(id="U03", name="eli", standing=Standing.MEMBER)
ADMIN = Person(id="U01", name="olga", standing=Standing.ADMIN)
REPORT = Reply(summary="All is well", parts=(Text(markdown="All is well."),))


class Workspace:
    """The channels that the Director sees, and who is in which group."""

    def __init__(self, groups: dict[str, set[str]] | None = None) -> None:
        self._groups = groups or {}

    async def find(self, place: Place, channel: ChannelRef) -> ChannelRef | None:
        known = {"C1": "payments", "C2": "operations", "C3": "random"}
        for id_, name in known.items():
            if id_ == channel.id or (channel.id is None and name == channel.name):
                return ChannelRef(id=id_, name=name)
        return None

    async def joined(self, place: Place, channel: ChannelRef) -> bool:
        return channel.id != "C3"

    async def groups_of(self, place: Place, person: Person) -> Collection[str]:
        return {group for group, members in self._groups.items() if person.id in members}


class Chat:
    def __init__(self, rights: Rights | None = None, groups: dict[str, set[str]] | None = None) -> None:
        self.store = MemorySchedules()
        self.reported: list[Schedule] = []
        workspace = Workspace(groups)
        self.schedules = Schedules(
            self.store,
            rights=rights or Rights(),
            services=lambda: ("checkout", "Payments-API", "fraud"),
            report=self._report,
            channels=workspace,
            groups_of=workspace.groups_of,
        )
        self._requests = 0

    async def say(self, text: str, *, person: Person = DANA, place: Place = PAYMENTS, key: str | None = None) -> Reply:
        self._requests += 1
        return await self.schedules.handle(
            text, place=place, person=person, request_key=key or f"r{self._requests}", now=NOW
        )

    async def _report(self, schedule: Schedule, at: datetime) -> Reply:
        assert at == NOW
        self.reported.append(schedule)
        return REPORT


async def test_a_schedule_is_added_for_the_channel_and_its_next_runs_are_shown() -> None:
    chat = Chat()
    reply = await chat.say("review every monday 09:00")
    assert chat.store.rows["s1"] == Schedule(
        id="s1",
        place=Place(platform="slack", workspace="T1", channel="C1"),
        channel_name="payments",
        what="review",
        days=(0,),
        time="09:00",
        zone=BERLIN,
        services=(),
        created_by="U02",
        created_at=NOW,
        active_since=NOW,
        paused=False,
    )
    assert reply == Reply(
        summary="Schedule s1: review every monday at 09:00 Europe/Berlin in #payments",
        parts=(
            Text(
                markdown="**s1**: I post the review every monday at 09:00 Europe/Berlin in #payments.\n\n"
                "Next: Mon 2026-11-23 09:00, Mon 2026-11-30 09:00, Mon 2026-12-07 09:00 (Europe/Berlin)."
            ),
            Note(markdown="Change it with `schedule pause s1`, `remove s1`; try it with `test s1`."),
        ),
    )


async def test_a_person_whose_zone_is_unknown_gets_utc() -> None:
    chat = Chat()
    await chat.say("digest every day 08:00", person=ELI)
    assert chat.store.rows["s1"].zone == "UTC"


async def test_a_request_that_is_handled_twice_makes_one_schedule() -> None:
    chat = Chat()
    first = await chat.say("add review every monday 09:00", key="same")
    assert (await chat.say("add review every monday 09:00", key="same"), list(chat.store.rows)) == (first, ["s1"])


async def test_a_schedule_can_be_for_another_channel() -> None:
    chat = Chat()
    for ref in ("#operations", "<#C2|operations>", "<#C2|>"):
        await chat.say(f"digest every day 08:00 UTC in {ref}")
    assert [(row.place.channel, row.channel_name) for row in chat.store.rows.values()] == [("C2", "operations")] * 3


async def test_a_channel_that_the_director_is_not_in_is_refused_at_once() -> None:
    chat = Chat()
    with pytest.raises(UsageError) as caught:
        await chat.say("digest every day 08:00 UTC in #random")
    assert str(caught.value) == (
        "I can't post in #random: I am not in it, or it is archived. Invite me there and say it again."
    )
    assert chat.store.rows == {}


async def test_a_channel_that_the_director_cannot_see_is_named() -> None:
    with pytest.raises(ScheduleError) as caught:
        await Chat().say("digest every day 08:00 UTC in #secrets")
    assert str(caught.value) == (
        f"I can't see the channel #secrets. Invite me there, or say it in that channel. Example: `{EXAMPLE}`"
    )


async def test_services_get_their_own_spelling() -> None:
    chat = Chat()
    await chat.say("digest every day 08:00 UTC for CHECKOUT,payments-api")
    assert chat.store.rows["s1"].services == ("checkout", "Payments-API")


@pytest.mark.parametrize(
    ("service", "hint"),
    [("chekout", "Did you mean checkout?"), ("zzz", "There are: Payments-API, checkout, fraud.")],
)
async def test_a_service_that_nobody_defined_is_refused(service: str, hint: str) -> None:
    chat = Chat()
    with pytest.raises(ScheduleError) as caught:
        await chat.say(f"digest every day 08:00 UTC for {service}")
    assert (str(caught.value), chat.store.rows) == (f"I know no service “{service}”. {hint} Example: `{EXAMPLE}`", {})


async def test_a_list_shows_the_channels_schedules_and_ones_own_to_the_asker_alone() -> None:
    chat = Chat()
    await chat.say("review every monday 09:00", person=ELI)
    await chat.say("digest every weekday 08:30 UTC for checkout", place=OPERATIONS)
    await chat.say("digest every sunday 08:30 UTC", place=OPERATIONS, person=ELI)
    await chat.say("pause s2", place=OPERATIONS)
    assert await chat.say("list") == Reply(
        summary="2 schedules",
        parts=(
            Table(
                columns=("id", "what and when", "services", "where", "next"),
                rows=(
                    ("s1", "review every monday 09:00 UTC", "all", "here", "Mon 2026-11-23 09:00"),
                    ("s2", "digest every weekday 08:30 UTC", "checkout", "#operations", "paused"),
                ),
            ),
            Note(markdown="`schedule pause s1`, `resume s1`, `remove s1`, `test s1`"),
        ),
        audience=Audience.ASKER,
    )


def test_an_empty_list_says_how_to_begin() -> None:
    said = f"Nothing is scheduled here. Try `schedule {EXAMPLE}`."
    assert listing([], NOW) == Reply(summary="No schedules", parts=(Text(markdown=said),), audience=Audience.ASKER)


async def test_pause_resume_and_remove() -> None:
    chat = Chat()
    await chat.say("review every monday 09:00")
    paused = await chat.say("PAUSE S1")
    assert (paused.parts, chat.store.rows["s1"].paused) == (
        (
            Text(
                markdown="**s1** is paused: review every monday at 09:00 Europe/Berlin in #payments. "
                "It goes on with `schedule resume s1`."
            ),
        ),
        True,
    )
    resumed = await chat.say("resume 1")
    assert (resumed.parts, chat.store.rows["s1"].paused) == (
        (
            Text(
                markdown="**s1** goes on: review every monday at 09:00 Europe/Berlin in #payments.\n\n"
                "Next: Mon 2026-11-23 09:00, Mon 2026-11-30 09:00, Mon 2026-12-07 09:00 (Europe/Berlin)."
            ),
        ),
        False,
    )
    removed = await chat.say("remove s1")
    assert (removed.parts, chat.store.rows) == (
        (Text(markdown="**s1** is removed: review every monday at 09:00 Europe/Berlin in #payments."),),
        {},
    )


async def test_a_test_makes_the_report_for_the_asker_alone() -> None:
    chat = Chat()
    await chat.say("review every monday 09:00")
    assert await chat.say("test s1", person=ELI) == Reply(
        summary="All is well",
        parts=(
            Text(markdown="All is well."),
            Note(
                markdown="A test of s1, posted nowhere else. Review every monday at 09:00 Europe/Berlin in #payments."
            ),
        ),
        audience=Audience.ASKER,
    )
    assert chat.reported == [chat.store.rows["s1"]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pause", "Which one? Ids look like s7; `schedule list` shows them."),
        ("pause everything", "“everything” is no schedule's id. Ids look like s7; `schedule list` shows them."),
        ("remove s9", "There is no schedule s9 here. `schedule list` shows those there are."),
        ("test s9", "There is no schedule s9 here. `schedule list` shows those there are."),
    ],
)
async def test_a_schedule_that_is_not_there(text: str, message: str) -> None:
    with pytest.raises(UnknownSchedule) as caught:
        await Chat().say(text)
    assert str(caught.value) == message


async def test_an_unknown_verb_says_which_there_are() -> None:
    with pytest.raises(ScheduleError) as caught:
        await Chat().say("delete s1")
    assert str(caught.value).startswith("I don't know “schedule delete”. There are: review|digest every …, list,")


@pytest.mark.parametrize("standing", [Standing.GUEST, Standing.EXTERNAL, Standing.UNKNOWN])
@pytest.mark.parametrize("text", ["list", "review every monday 09:00", "test s1", "remove s1"])
async def test_guests_and_strangers_get_nothing(standing: Standing, text: str) -> None:
    chat = Chat(Rights(ids={"slack": {"dana": "U02"}}, schedule=("@dana",), admin=("U02",)))
    await chat.say("review every monday 09:00", person=ADMIN)
    with pytest.raises(NotAllowed) as caught:
        await chat.say(text, person=DANA.model_copy(update={"standing": standing}))
    assert (str(caught.value), list(chat.store.rows)) == (NOT_FOR_GUESTS, ["s1"])


NAMED = Rights(ids={"slack": {"dana": "U02"}}, schedule=("@dana", "S0BACKEND"), admin=("U07",))
MEMBER = Standing.MEMBER


@pytest.mark.parametrize(
    ("case", "rights", "person", "expected"),
    [
        ("default: any member adds, but changes only his own", Rights(), ELI, (True, False)),
        ("default: an admin of the workspace", Rights(), ADMIN, (True, True)),
        ("named by roster name", NAMED, DANA, (True, True)),
        ("in a named group", NAMED, Person(id="U05", name="gus", standing=MEMBER), (True, True)),
        ("an admin by director.yml", NAMED, Person(id="U07", name="ada", standing=MEMBER), (True, True)),
        ("not named", NAMED, ELI, (False, False)),
        (
            "only calls himself like one who is named",
            NAMED,
            Person(id="U66", name="dana", standing=MEMBER),
            (False, False),
        ),
        ("an admin who is not named", NAMED, ADMIN, (True, True)),
    ],
)
async def test_who_may_add_and_change(case: str, rights: Rights, person: Person, expected: tuple[bool, bool]) -> None:
    chat = Chat(rights, groups={"S0BACKEND": {"U05"}})
    maker = Person(id="U99", name="maker", standing=Standing.ADMIN)
    await chat.say("review every monday 09:00", person=maker)

    async def allowed(text: str) -> bool:
        try:
            await chat.say(text, person=person)
        except NotAllowed:
            return False
        return True

    assert (await allowed("review every friday 09:00"), await allowed("pause s1")) == expected, case


async def test_rights_hold_in_teams_by_the_ids_of_teams() -> None:
    entra = "8d6b0f3c-1111-4222-8333-944455556666"
    here = Place(platform="teams", workspace="tenant", channel="19:pay@thread.tacv2", thread="17")
    chat = Chat(Rights(ids={"slack": {"dana": "U02"}, "teams": {"dana": entra}}, schedule=("@dana", "U02")))
    with pytest.raises(NotAllowed):
        await chat.say("review every monday 09:00", person=DANA, place=here)
    await chat.say("review every monday 09:00", person=DANA.model_copy(update={"id": entra}), place=here)
    with pytest.raises(NotAllowed):
        await chat.say("remove s1", person=DANA, place=here)
    await chat.say("remove s1", person=DANA.model_copy(update={"id": entra}), place=here)
    assert chat.store.rows == {}


async def test_its_creator_may_change_a_schedule_also_when_others_have_the_right_now() -> None:
    chat = Chat(Rights(schedule=("U77",)))
    made = await chat.store.add(
        request_key="before",
        place=OPERATIONS,
        channel_name="operations",
        what="review",
        days=(0,),
        time="09:00",
        zone="UTC",
        services=(),
        created_by=ELI.id,
        at=NOW,
    )
    await chat.say(f"remove {made.id}", person=ELI)
    assert chat.store.rows == {}


async def test_other_channels_and_workspaces_schedules_are_out_of_sight() -> None:
    chat = Chat()
    await chat.say("review every monday 09:00", person=ELI, place=OPERATIONS)
    elsewhere = Place(platform="slack", workspace="T2", channel="C1")
    for person, place in ((DANA, PAYMENTS), (ADMIN, elsewhere)):
        with pytest.raises(UnknownSchedule):
            await chat.say("test s1", person=person, place=place)
    assert (await chat.say("list")).summary == "No schedules"


async def test_a_direct_message_gets_a_schedule_of_its_own() -> None:
    chat = Chat()
    reply = await chat.say("digest every day 08:00 UTC", place=Place(platform="slack", workspace="T1", channel="D9"))
    assert (chat.store.rows["s1"].place.channel, reply.summary) == (
        "D9",
        "Schedule s1: digest every day at 08:00 UTC",
    )
