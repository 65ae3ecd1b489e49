"""Answers in Teams for the asker alone: who sees them, and by which way they come."""

from __future__ import annotations

import pytest

from bot.domain import Audience, Heading, IncomingKind, Reply, Table, Text
from bot.ports import CannotPost, DeliveryFailed
from handlers.teams.activity import REPEATED
from handlers.teams.room import STRANGER
from tests.doubles.teams import Fault
from tests.doubles.teams_people import MAYA, NOBODY, OMAR, chat_with
from tests.handlers.teams.delivery_world import CHAT, GROUP, PAYMENTS, reply, world

WHOLE = "Checkout has 62 % of its budget left."
PRIVATE = reply(WHOLE, audience=Audience.ASKER)


@pytest.fixture
async def there(tmp_path):
    async with world(tmp_path) as made:
        yield made


def seen(there, room):
    return [(one.only, one.root, one.text) for one in there.shown(room)]


@pytest.mark.parametrize("room", [GROUP, PAYMENTS], ids=lambda room: room.kind)
async def test_an_answer_for_the_asker_is_seen_by_nobody_else(there, room):
    thread = there.asked() if room is PAYMENTS else ""
    address = await there.turn(room, thread, kind=IncomingKind.COMMAND)

    await there.delivery(address).finish(PRIVATE)
    await there.delivery(address).finish(PRIVATE)  # delivered again after a crash

    (answer,) = there.shown(room)
    assert seen(there, room) == [(MAYA.id, thread, WHOLE)]
    assert answer.activity["recipient"] == {
        "id": MAYA.id,
        "name": MAYA.name,
        "aadObjectId": MAYA.object_id,
        "isTargeted": True,
    }
    assert await there.known() == {0: ("targeted", answer.id)}
    assert seen(there, CHAT) == []


async def test_one_to_one_everything_is_for_the_asker(there):
    address = await there.turn(CHAT, kind=IncomingKind.COMMAND)

    await there.delivery(address).finish(PRIVATE)

    assert seen(there, CHAT) == [(None, "", WHOLE)]


async def test_cards_and_detail_are_for_the_asker_too(there):
    address = await there.turn(GROUP)
    table = Table(columns=("service",), rows=(("checkout",),))
    whole = Reply(
        summary="Status",
        parts=(Heading(text="Status"), table),
        detail=(Text(markdown="more"),),
        audience=Audience.ASKER,
    )

    await there.delivery(address).finish(whole)

    card, detail = there.shown(GROUP)
    assert [card.only, detail.only] == [MAYA.id, MAYA.id]
    assert ("checkout" in card.words, detail.text) == (True, "more")


async def test_someone_without_an_entra_id_is_reached_by_the_id_that_teams_gave(there):
    address = await there.turn(PAYMENTS, there.asked(), person=NOBODY)

    await there.delivery(address).finish(PRIVATE)

    assert [one.only for one in there.shown(PAYMENTS)] == [NOBODY.id]


async def test_where_the_roster_cannot_be_read_the_asker_is_named_by_the_id_that_is_known(there):
    address = await there.turn(GROUP)
    there.teams.connector.spoil("member", Fault(status=403, code="Forbidden"))

    await there.delivery(address).finish(PRIVATE)

    assert [one.only for one in there.shown(GROUP)] == [MAYA.id]


@pytest.mark.parametrize("person", [MAYA, OMAR], ids=["stored chat", "chat to be opened"])
async def test_where_teams_takes_no_targeted_message_the_answer_comes_in_the_personal_chat(there, person):
    there.teams.rules.targeted = False
    address = await there.turn(PAYMENTS, there.asked(), person=person)
    long = reply(*("word " * 2_000 for _ in range(3)), audience=Audience.ASKER)

    await there.delivery(address).finish(long)

    assert seen(there, PAYMENTS) == []
    messages = there.shown(chat_with(person))
    assert " ".join(one.text for one in messages).split() == ["word"] * 6_000
    assert len(there.teams.ledger.called("targeted")) == 1
    assert await there.known() == {n: ("direct", one.id) for n, one in enumerate(messages)}


async def test_where_there_is_no_personal_chat_nothing_is_said_in_front_of_others(there):
    there.teams.rules.targeted = False
    there.teams.connector.spoil("create", Fault(status=403, code="ForbiddenOperationException"))
    address = await there.turn(GROUP, person=OMAR)

    with pytest.raises(CannotPost) as refused:
        await there.delivery(address).finish(PRIVATE)

    assert str(refused.value) == STRANGER
    assert there.shown(GROUP) == []


async def test_a_refused_card_becomes_words_for_the_same_person(there):
    address = await there.turn(GROUP)
    there.teams.connector.spoil("targeted", Fault(status=400, code="BadSyntax"))

    await there.delivery(address).finish(
        Reply(summary="Status", parts=(Heading(text="Status of checkout"),), audience=Audience.ASKER)
    )

    (answer,) = there.shown(GROUP)
    assert (answer.only, answer.cards, answer.text) == (MAYA.id, [], "**Status of checkout**")


async def test_a_private_answer_that_may_stand_is_said_once_more_and_says_so(there):
    address = await there.turn(GROUP)
    there.teams.connector.spoil("targeted", Fault(cut=True, taken=True))

    with pytest.raises(DeliveryFailed):
        await there.delivery(address).finish(PRIVATE)
    await there.delivery(address).finish(PRIVATE)

    assert seen(there, GROUP) == [(MAYA.id, "", WHOLE), (MAYA.id, "", f"{WHOLE}\n\n{REPEATED}")]


async def test_a_private_card_that_was_said_in_words_by_half_is_said_once_more_and_says_so(there):
    address = await there.turn(GROUP)
    rows = tuple((f"service {number}", "well within its budget " * 20) for number in range(30))
    table = Table(columns=("service", "state"), rows=rows)
    no = Fault(status=401, code="Unauthorized")
    for fault in (Fault(status=400, code="BadSyntax"), Fault(only_late=True), no, no):
        there.teams.connector.spoil("targeted", fault)

    with pytest.raises(DeliveryFailed):
        await there.delivery(address).finish(Reply(summary="Status", parts=(table,), audience=Audience.ASKER))
    (half,) = there.shown(GROUP)
    await there.delivery(address).finish(Reply(summary="Status", parts=(table,), audience=Audience.ASKER))

    assert (half.cards, "service 1 " in half.text, "service 29 " in half.text) == ([], True, False)
    assert REPEATED.strip("_") in there.shown(GROUP)[1].words


async def test_a_private_answer_that_was_certainly_not_taken_comes_later_without_a_mark(there):
    address = await there.turn(GROUP)
    there.teams.connector.spoil("targeted", Fault(status=401, code="Unauthorized"), times=2)

    with pytest.raises(DeliveryFailed):
        await there.delivery(address).finish(PRIVATE)
    await there.delivery(address).finish(PRIVATE)

    assert seen(there, GROUP) == [(MAYA.id, "", WHOLE)]


async def test_what_was_shown_to_everyone_is_taken_away_when_the_answer_is_for_one(there):
    address = await there.turn(GROUP)
    delivery = there.delivery(address)
    await delivery.write("I will look into it.\n\n")
    await there.seen(GROUP, "I will look into it.")

    await delivery.finish(PRIVATE)

    assert seen(there, GROUP) == [(MAYA.id, "", WHOLE)]
