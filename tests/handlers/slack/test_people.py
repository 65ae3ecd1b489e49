"""Who is who in Slack, and what was said before."""

from __future__ import annotations

import pytest

from bot.domain import Person, Place, Said, Standing
from bot.errors import UsageError
from handlers.slack.people import People, described
from tests.handlers.slack.worlds import reply

PLACE = Place(platform="slack", workspace="T0DEMO", channel="C0GENERAL")


@pytest.mark.parametrize(
    ("facts", "standing"),
    [
        ({}, Standing.MEMBER),
        ({"is_admin": True}, Standing.ADMIN),
        ({"is_owner": True}, Standing.ADMIN),
        ({"is_restricted": True}, Standing.GUEST),
        ({"is_ultra_restricted": True, "is_restricted": True}, Standing.GUEST),
        ({"is_stranger": True}, Standing.EXTERNAL),
        ({"team_id": "T2", "is_admin": True}, Standing.EXTERNAL),
        ({"deleted": True}, Standing.UNKNOWN),
    ],
)
def test_standing_follows_what_slack_says_and_never_more(facts, standing):
    assert described({"id": "U1", "name": "ann", **facts}, team="T1").standing is standing


async def test_a_person_is_looked_up_once_in_ten_minutes(connect):
    world = await connect()
    clock = [0.0]
    people = People(world.edge.wire, now=lambda: clock[0])

    first = await people.person("U0OMAR")
    clock[0] = 599.0
    assert await people.person("U0OMAR") == first
    clock[0] = 601.0
    await people.person("U0OMAR")

    assert first == Person(id="U0OMAR", name="omar", standing=Standing.ADMIN, zone="Europe/Berlin")
    assert len(world.standin.ledger.called("users.info")) == 2


async def test_whoever_cannot_be_looked_up_is_unknown_and_asked_for_again(connect):
    world = await connect()
    world.standin.faults.fail("users.info", status=503)

    assert await world.edge.person(PLACE, "U0MAYA") == Person(id="U0MAYA", name="U0MAYA", standing=Standing.UNKNOWN)
    assert (await world.edge.person(PLACE, "U0MAYA")).standing is Standing.MEMBER


async def test_what_stood_in_the_thread_before_is_read_without_the_question(connect):
    world = await connect()
    root = await world.standin.say("U0OMAR", "#general", "deploy is <b>stuck</b>")
    second = await world.standin.say("U0MAYA", "#general", "since noon", root)
    place = PLACE.model_copy(update={"thread": root})
    posted = await world.edge.wire.client.chat_postMessage(channel="C0GENERAL", thread_ts=root, text="I looked at it")
    question = await world.standin.say("U0MAYA", "#general", "@Director and now?", root)
    await world.standin.say("U0MAYA", "#general", "hello?", root)

    before = await world.edge.before(place, question=question, limit=10)

    assert before == (
        Said(message_id=root, speaker_id="U0OMAR", by_director=False, text="deploy is <b>stuck</b>"),
        Said(message_id=second, speaker_id="U0MAYA", by_director=False, text="since noon"),
        Said(message_id=posted["ts"], speaker_id="U0DIRECTOR", by_director=True, text="I looked at it"),
    )
    assert await world.edge.before(place, question=question, limit=1) == before[-1:]


async def test_a_long_thread_is_read_to_its_end(connect):
    world = await connect()
    root = await world.standin.say("U0OMAR", "#general", "start")
    for number in range(450):
        await world.standin.say("U0MAYA", "#general", f"message {number}", root)
    question = await world.standin.say("U0MAYA", "#general", "@Director?", root)

    before = await world.edge.before(PLACE.model_copy(update={"thread": root}), question=question, limit=3)

    assert [said.text for said in before] == ["message 447", "message 448", "message 449"]


async def test_an_alert_is_read_from_its_attachment(connect):
    world = await connect()
    alert = {"title": "Checkout errors", "text": "5 % of requests fail", "fallback": "5 % of requests fail"}
    root = await world.edge.wire.client.chat_postMessage(channel="C0GENERAL", text="", attachments=[alert])
    question = await world.standin.say("U0MAYA", "#general", "@Director why?", root["ts"])

    (said,) = await world.edge.before(PLACE.model_copy(update={"thread": root["ts"]}), question=question, limit=5)

    assert said.text == "Checkout errors\n5 % of requests fail"


async def test_where_slack_does_not_say_there_was_nothing_before(connect):
    world = await connect()
    root = await world.standin.say("U0OMAR", "#general", "start")
    question = await world.standin.say("U0MAYA", "#general", "@Director?", root)
    world.standin.faults.fail("conversations.replies", error="missing_scope")

    assert await world.edge.before(PLACE.model_copy(update={"thread": root}), question=question, limit=5) == ()


async def test_a_flat_direct_message_has_its_earlier_messages(connect):
    world = await connect()
    for text in ("one", "two", "three"):
        ts = await world.standin.say("U0MAYA", "U0MAYA", text)
    place = PLACE.model_copy(update={"channel": world.standin.ledger.everything()[0].channel})

    assert [said.text for said in await world.edge.before(place, question=ts, limit=5)] == ["one", "two"]


async def test_channels_go_by_name_or_id(connect):
    world = await connect()

    found = {name: await world.edge.channel(name) for name in ("#payments", "payments", "C0PAYMENTS")}

    place = PLACE.model_copy(update={"channel": "C0PAYMENTS"})
    assert found == dict.fromkeys(found, (place, "#payments"))
    assert await world.edge.channel_name("C0PAYMENTS") == "#payments"


@pytest.mark.parametrize("name", ["#nowhere", "C0NOWHERE", "#board"])
async def test_a_channel_that_cannot_be_seen_is_said_to_be_so(connect, name):
    world = await connect()

    with pytest.raises(UsageError) as unknown:
        await world.edge.channel(name)

    assert str(unknown.value) == (
        f"There is no channel {name} that I can see. If it is private, invite me: /invite @director"
    )


async def test_the_command_line_posts_a_root_message(connect):
    world = await connect()
    place, _ = await world.edge.channel("#payments")

    ts = await world.edge.post(place, reply("the review"))

    (message,) = world.standin.ledger.by_bot("C0PAYMENTS")
    assert (message.ts, message.thread_ts) == (ts, None)


async def test_a_user_group_has_the_members_that_slack_names(connect):
    world = await connect()
    assert await world.edge.in_group("S0LEADS", "U0MAYA")
    assert not await world.edge.in_group("S0LEADS", "U0OMAR")
    assert not await world.edge.in_group("S0UNKNOWN", "U0MAYA")
    assert len(world.standin.ledger.called("usergroups.users.list")) == 2
