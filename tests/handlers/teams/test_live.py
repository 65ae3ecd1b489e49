"""An answer in Teams while it is being made: at which pace, and what becomes of it when Teams refuses a step."""

from __future__ import annotations

import asyncio

import pytest

from bot.domain import Address
from bot.ports import DeliveryFailed, LeaseLost
from handlers.teams.activity import REPEATED
from handlers.teams.live import OLD, TYPING, WORKING
from handlers.teams.pace import GAP, Paces
from tests.doubles.teams import Fault
from tests.doubles.teams_people import ON_CALL, Room
from tests.doubles.teams_rules import DOCUMENTED
from tests.handlers.teams.delivery_world import CHAT, GROUP, PAYMENTS, World, reply, world

WORDS = [f"Sentence {n} of the answer.\n\n" for n in range(12)]
WHOLE = "".join(WORDS).strip()


@pytest.fixture
async def there(tmp_path):
    async with world(tmp_path) as made:
        yield made


@pytest.fixture
async def at_pace(tmp_path):
    """As Teams really is: a step of a stream a second, so many calls to a conversation."""
    async with world(tmp_path, gap=GAP, known=(CHAT, GROUP, PAYMENTS, ON_CALL)) as made:
        made.teams.rules.stream_seconds, made.teams.rules.per_thread = 1.0, dict(DOCUMENTED)
        yield made


async def spoken(delivery, pieces, *, every: float):
    for piece in pieces:
        await delivery.write(piece)
        await asyncio.sleep(every)  # a model's pace
    await delivery.finish(reply(WHOLE))


async def test_however_fast_the_words_come_teams_hears_of_them_at_most_every_eleven_tenths(at_pace):
    rooms = (CHAT, GROUP)
    deliveries = [at_pace.delivery(await at_pace.turn(room)) for room in rooms]

    await asyncio.gather(*(spoken(delivery, WORDS, every=0.3) for delivery in deliveries))

    for room in rooms:
        (answer,) = at_pace.shown(room)
        gaps = at_pace.teams.ledger.gaps(room.id)
        assert answer.text == WHOLE
        assert len(gaps) >= 3
        assert min(gaps) >= GAP
    assert {call.status for call in at_pace.teams.ledger.calls} <= {200, 201, 202}


async def test_turns_in_one_channel_share_its_pace_and_another_channel_has_its_own(at_pace):
    places = [(PAYMENTS, at_pace.asked()), (PAYMENTS, at_pace.asked()), (ON_CALL, at_pace.asked(ON_CALL))]
    deliveries = []
    for room, thread in places:
        address = await at_pace.turn(room, thread)
        deliveries.append(at_pace.delivery(address))

    await asyncio.gather(*(spoken(delivery, WORDS[:8], every=0.4) for delivery in deliveries))

    for room in (PAYMENTS, ON_CALL):
        assert min(at_pace.teams.ledger.gaps(room.id)) >= GAP
    assert [one.text for room in (PAYMENTS, ON_CALL) for one in at_pace.shown(room)] == [WHOLE] * 3


async def test_an_answer_that_is_whole_at_once_is_posted_once_although_it_was_written_piece_by_piece(there):
    for room in (CHAT, GROUP):
        address = await there.turn(room)
        await spoken(there.delivery(address), WORDS, every=0.0)

    calls = [(call.what, call.status) for call in there.teams.ledger.calls]
    assert calls == [("send", 201), ("send", 201)]


async def test_only_what_stays_as_it_is_is_shown(there):
    address = await there.turn(CHAT)
    delivery = there.delivery(address)

    for piece in (
        "The **budget",
        "** of `check",
        "out` is spent. See [the",
        " page](https://example.com/x) now. And",
        " so",
    ):
        await delivery.write(piece)
        await asyncio.sleep(0.15)
    whole = "The **budget** of `checkout` is spent. See [the page](https://example.com/x) now. And so on."
    await there.seen(CHAT, "now.")
    await delivery.finish(reply(whole))

    (answer,) = there.shown(CHAT)
    assert (answer.text, answer.edits) == (whole, [])
    assert all(whole.startswith(text) for _, text in answer.updates)


# --- what Teams may say to a step -------------------------------------------------------------------------------------


async def test_pressing_teams_own_stop_ends_the_stream_and_is_told(there):
    address = await there.turn(CHAT)
    delivery = there.delivery(address)
    await delivery.write(WORDS[0])
    await there.seen(CHAT, WORDS[0].strip())
    there.teams.connector.cancel(there.shown(CHAT)[0].id)

    await delivery.write(WORDS[1])
    await there.until(lambda: there.stops)
    await delivery.write(WORDS[2])
    await delivery.finish(reply("Stopped, as asked."))

    assert there.stops == [address.turn_id]
    assert there.texts(CHAT) == ["Stopped, as asked."]


async def test_where_a_stopped_stream_cannot_be_changed_the_answer_stands_beneath(there):
    address = await there.turn(CHAT)
    delivery = there.delivery(address)
    await delivery.write(WORDS[0])
    await there.seen(CHAT, WORDS[0].strip())
    there.teams.connector.cancel(there.shown(CHAT)[0].id)
    there.teams.connector.spoil("update", Fault(status=403, code="ContentStreamNotAllowed"))
    there.teams.connector.spoil("delete", Fault(status=403, code="ContentStreamNotAllowed"))

    await delivery.write(WORDS[1])
    await there.until(lambda: there.stops)
    await delivery.finish(reply("Stopped, as asked."))

    assert there.texts(CHAT) == [WORDS[0].strip(), "Stopped, as asked."]


async def test_a_stream_is_ended_before_its_two_minutes_and_goes_on_by_edits(there):
    there.clock = [0.0]
    address = await there.turn(CHAT)
    delivery = there.delivery(address)
    await begun(there, delivery, CHAT, WORDS[0])

    there.clock[0] = OLD + 1
    await delivery.write(WORDS[1])
    await there.seen(CHAT, WORDS[1].strip())
    (message,) = there.shown(CHAT)
    assert not message.streaming
    assert [button["verb"] for button in message.buttons] == ["stop"]
    await delivery.finish(reply(WHOLE))

    assert [(one.text, one.buttons) for one in there.shown(CHAT)] == [(WHOLE, [])]


async def test_a_stream_that_shows_only_a_status_is_ended_in_time_too(there):
    there.clock = [0.0]
    address = await there.turn(CHAT)
    delivery = there.delivery(address)
    await delivery.status("drafts a plan …")
    await there.seen(CHAT, "Drafts a plan …")

    there.clock[0] = OLD + 1
    await delivery.status("repairs the plan …")
    await there.until(lambda: not there.shown(CHAT)[0].streaming)
    assert there.texts(CHAT) in (["Repairs the plan …"], ["Drafts a plan …"], [WORKING])
    await delivery.finish(reply(WHOLE))

    assert there.texts(CHAT) == [WHOLE]


async def test_a_stream_that_teams_ended_goes_on_by_edits(there):
    there.teams.rules.stream_limit = 0.0
    address = await there.turn(CHAT)
    delivery = there.delivery(address)
    await begun(there, delivery, CHAT, WORDS[0])

    await delivery.write(WORDS[1])
    await there.seen(CHAT, WORDS[1].strip())
    await delivery.finish(reply(WHOLE))

    assert there.texts(CHAT) == [WHOLE]


async def test_where_teams_allows_no_stream_one_message_is_edited(there):
    there.teams.rules.streaming = False
    address = await there.turn(CHAT)
    delivery = there.delivery(address)
    await begun(there, delivery, CHAT, WORDS[0])
    assert [button["verb"] for button in there.shown(CHAT)[0].buttons] == ["stop"]
    await delivery.finish(reply(WHOLE))

    assert there.texts(CHAT) == [WHOLE]
    assert await there.known() == {0: ("draft", there.shown(CHAT)[0].id)}


@pytest.mark.parametrize("room", [CHAT, GROUP], ids=lambda room: room.kind)
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(status=429, retry_after=6), marks=pytest.mark.slow),
        Fault(status=503, taken=True),
        Fault(cut=True, taken=True),
        Fault(status=403, code="Odd", message="no"),
        Fault(status=400, code="BadSyntax", message="no"),
    ],
    ids=["429", "503", "cut", "403", "400"],
)
async def test_a_step_that_teams_refuses_or_drops_loses_no_word(there, room, fault):
    address = await there.turn(room)
    delivery = there.delivery(address)
    await begun(there, delivery, room, WORDS[0])
    what = "stream" if room is CHAT else "update"
    there.teams.connector.spoil(what, fault)

    await delivery.write(WORDS[1])
    await there.until(lambda: [call for call in there.teams.ledger.called(what) if call.status in (None, fault.status)])
    await delivery.finish(reply(WHOLE))

    assert there.texts(room) == [WHOLE]


@pytest.mark.parametrize("room", [CHAT, GROUP], ids=lambda room: room.kind)
async def test_a_first_step_whose_answer_was_lost_is_not_made_again_before_the_whole_answer(there, room):
    address = await there.turn(room)
    delivery = there.delivery(address)
    there.teams.connector.spoil("stream" if room is CHAT else "send", Fault(cut=True, taken=True))

    await delivery.write(WORDS[0])
    await there.until(lambda: there.shown(room))
    await delivery.write(WORDS[1])
    await delivery.finish(reply(WHOLE))

    lost, answer = there.shown(room)
    assert lost.words.strip() == WORDS[0].strip()
    assert answer.text == f"{WHOLE}\n\n{REPEATED}"


async def test_asked_to_wait_while_editing_the_director_slows_down(there):
    address = await there.turn(GROUP)
    delivery = there.delivery(address)
    await begun(there, delivery, GROUP, WORDS[0])
    there.teams.connector.spoil("update", Fault(status=429, retry_after=6))

    await delivery.write(WORDS[1])
    await there.until(lambda: there.teams.ledger.called("update"))
    await there.until(lambda: there.paces.of(GROUP.id).waiting() > 1)

    assert 5 < there.paces.of(GROUP.id).waiting() <= 6
    await delivery.abandon()


async def writing_on(delivery) -> None:
    async with asyncio.timeout(5):
        while True:
            await delivery.write("more ")
            await asyncio.sleep(0.01)


async def begun(there: World, delivery, room: Room, words: str) -> None:
    """The first words, shown and written down."""
    await delivery.write(words)
    if there.clock is not None:
        there.clock[0] += 1
        await delivery.status("")
    await there.seen(room, words.strip())


async def test_a_stream_that_grows_over_one_message_goes_on_in_the_next_and_every_word_arrives_once(there):
    paragraphs = [f"Paragraph {n}: " + "word " * 200 for n in range(30)]
    address = await there.turn(CHAT)
    delivery = there.delivery(address)
    for paragraph in paragraphs:
        await delivery.write(paragraph + "\n\n")
        await asyncio.sleep(0.05)  # a model's pace
    await delivery.finish(reply("\n\n".join(paragraphs)))

    messages = there.shown(CHAT)
    told = "\n".join(message.text for message in messages)
    assert [told.count(f"Paragraph {n}:") for n in range(30)] == [1] * 30
    assert len(messages) > 1
    assert messages[0].streamed
    assert not any(message.made for message in messages)


async def test_a_process_that_stops_in_the_middle_of_a_step_lets_it_end_and_gives_the_stream_up(there):
    address = await there.turn(CHAT)
    delivery = there.delivery(address)
    await begun(there, delivery, CHAT, WORDS[0])
    there.teams.connector.spoil("stream", Fault(only_late=True, seconds=0.5))
    await delivery.write(WORDS[1])
    await asyncio.sleep(0.1)

    finishing = asyncio.create_task(delivery.finish(reply(WHOLE)))
    await asyncio.sleep(0.1)
    finishing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await finishing
    await delivery.abandon()

    assert [(one.text, one.streaming) for one in there.shown(CHAT)] == [("".join(WORDS[:2]).strip(), False)]
    await there.delivery(address).finish(reply(WHOLE))
    assert there.texts(CHAT) == [WHOLE]


async def test_a_stream_of_a_turn_that_was_taken_over_is_left_alone(there):
    there.clock = [0.0]
    address = await there.turn(CHAT)
    await there.store.inbox.later(there.claim, reason="test", after=0)
    address = await there.claimed(lease=0.2)
    first = there.delivery(address)
    await begun(there, first, CHAT, WORDS[0])
    calls = len(there.teams.ledger.calls)
    await asyncio.sleep(0.3)  # the lease runs out
    await there.claimed()

    there.clock[0] = OLD + 1
    await first.status("goes on …")
    with pytest.raises(LeaseLost):
        await writing_on(first)

    assert len(there.teams.ledger.calls) == calls
    await there.delivery(address).finish(reply(WHOLE))
    assert there.texts(CHAT) == [WHOLE]


async def test_a_long_wait_that_teams_asked_for_is_handed_on(there):
    there.paces.of(GROUP.id).slow(40.0)
    address = await there.turn(GROUP)

    with pytest.raises(DeliveryFailed) as failed:
        await there.delivery(address).finish(reply(WHOLE))

    assert 39 < failed.value.retry_after <= 40
    assert there.teams.ledger.calls == []
    assert await there.known() == {0: ("unsent", None)}


# --- signs of life ----------------------------------------------------------------------------------------------------


async def test_in_a_group_chat_a_status_is_a_typing_sign_every_few_seconds_until_words_stand(there):
    there.clock = [0.0]
    address = await there.turn(GROUP)
    delivery = there.delivery(address)

    await delivery.status("looks up budgets …")
    await there.until(lambda: len(there.teams.ledger.typing) == 1)
    await delivery.status("thinks …")
    await asyncio.sleep(0.1)
    assert len(there.teams.ledger.typing) == 1
    there.clock[0] = TYPING + 1
    await delivery.status("thinks again …")
    await there.until(lambda: len(there.teams.ledger.typing) == 2)
    await delivery.finish(reply(WHOLE))

    assert there.texts(GROUP) == [WHOLE]
    assert await there.known() == {0: ("post", there.shown(GROUP)[0].id)}


async def test_in_a_channel_a_status_shows_nothing(there):
    address = await there.turn(PAYMENTS, there.asked())
    delivery = there.delivery(address)

    await delivery.status("looks up budgets …")
    await delivery.finish(reply(WHOLE))

    assert [call.what for call in there.teams.ledger.calls] == ["send"]


async def test_trouble_with_a_status_harms_nobody(there):
    there.teams.connector.spoil("stream", Fault(status=403, code="BotDisabledByAdmin"), times=5)
    there.teams.connector.spoil("send", Fault(status=500), times=1, conversation=GROUP.id)
    for room in (CHAT, GROUP):
        address: Address = await there.turn(room)
        delivery = there.delivery(address)
        await delivery.status("looks up budgets …")
        await there.until(lambda room=room: [c for c in there.teams.ledger.calls if c.conversation == room.id])
        await delivery.finish(reply(WHOLE))

    assert there.texts(CHAT) == there.texts(GROUP) == [WHOLE]


def test_the_pace_is_taken_up_again_after_a_minute_without_a_refusal():
    clock = [0.0]
    pace = Paces(1.0, now=lambda: clock[0]).of("19:x@thread.tacv2;messageid=1")
    pace.slow(None)
    assert pace.waiting() == 2.0

    async def called() -> float:
        async with pace.turn():
            pass
        return pace.waiting()

    clock[0] = 10.0
    assert asyncio.run(called()) == 2.0
    clock[0] = 100.0
    assert asyncio.run(called()) == 1.0
