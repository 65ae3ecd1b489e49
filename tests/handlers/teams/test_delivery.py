"""An answer on its way into Teams: where it stands, how often, and what becomes of it when things break."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from bot.domain import Button, Buttons, Chart, Citation, Heading, IncomingKind, Note, Reply, Series, Table, Text
from bot.ports import CannotPost, DeliveryFailed, LeaseLost
from handlers.teams.activity import REPEATED
from handlers.teams.room import LEFT
from tests.doubles.loop import longest_hold
from tests.doubles.teams import Fault
from tests.doubles.teams_people import OMAR, ROOMS, chat_with
from tests.handlers.teams.delivery_world import CHAT, GROUP, PAYMENTS, reply, world

WHOLE = "Checkout has 62 % of its budget left.\n\nIt burned 38 % in the last 28 days."
FIRST, REST = WHOLE[:37], WHOLE[37:]
REVIEW = Reply(
    summary="One service at risk",
    parts=(Heading(text="Review"), Table(columns=("service", "left"), rows=(("checkout", "62 %"),), numeric=(1,))),
)


@pytest.fixture
async def there(tmp_path):
    async with world(tmp_path) as made:
        yield made


# --- the plain road ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", [CHAT, GROUP, PAYMENTS], ids=lambda room: room.kind)
async def test_a_ready_answer_is_posted_once(there, room):
    thread = there.asked() if room is PAYMENTS else ""
    address = await there.turn(room, thread)

    await there.delivery(address).finish(reply(WHOLE))

    (answer,) = there.shown(room)
    assert (answer.text, answer.root, answer.edits) == (WHOLE, thread, [])
    assert await there.known() == {0: ("post", answer.id)}


async def test_while_a_long_answer_full_of_signs_is_laid_out_nothing_else_waits(there):
    address = await there.turn(CHAT)
    odd = Reply(summary="odd", parts=(Heading(text="odd"), Text(markdown="\\" * 20_000)))

    held = await longest_hold(there.delivery(address).finish(odd))

    assert held < 0.4  # laid out on the loop it takes a second and more


async def test_a_root_message_has_its_detail_beneath(there):
    address = await there.turn(PAYMENTS, person=None)

    await there.delivery(address).finish(
        Reply(summary="Review", parts=(Text(markdown="the review"),), detail=(Text(markdown="the detail"),))
    )

    root, detail = there.shown(PAYMENTS)
    assert [(root.text, root.root), (detail.text, detail.root)] == [("the review", ""), ("the detail", root.id)]


async def test_in_a_flat_chat_the_detail_follows(there):
    address = await there.turn(GROUP)

    await there.delivery(address).finish(
        Reply(summary="Review", parts=(Text(markdown="the review"),), detail=(Text(markdown="the detail"),))
    )

    assert [(one.text, one.root) for one in there.shown(GROUP)] == [("the review", ""), ("the detail", "")]


async def test_a_long_answer_is_split_and_every_word_arrives_once(there):
    address = await there.turn(PAYMENTS, person=None)
    long = "\n\n".join(f"Paragraph {n}: " + "word " * 150 for n in range(60))
    rows = tuple((f"service-{n}", f"{n} %") for n in range(150))

    await there.delivery(address).finish(
        Reply(summary="Long", parts=(Text(markdown=long), Table(columns=("service", "left"), rows=rows)))
    )

    messages = there.shown(PAYMENTS)
    told = "\n".join(message.words for message in messages) + "\n"
    assert [told.count(f"Paragraph {n}:") for n in range(60)] == [1] * 60
    assert [told.count(f"service-{n}\n") for n in range(150)] == [1] * 150
    assert [message.root for message in messages] == ["", *[messages[0].id] * (len(messages) - 1)]
    assert await there.known() == {n: ("post", message.id) for n, message in enumerate(messages)}


async def test_a_notice_reaches_the_person_it_is_for_also_where_no_chat_is_stored(there):
    address = await there.turn(CHAT, person=OMAR, channel=OMAR.key, kind=IncomingKind.NOTICE)

    await there.delivery(address).finish(reply("Your digest could not be posted."))

    assert there.texts(chat_with(OMAR)) == ["Your digest could not be posted."]


# --- what it is made of -----------------------------------------------------------------------------------------------


async def test_a_report_is_a_card_with_a_line_for_notifications(there):
    address = await there.turn(GROUP)

    await there.delivery(address).finish(REVIEW)

    (answer,) = there.shown(GROUP)
    assert (answer.activity["summary"], answer.text, answer.labelled) == ("One service at risk", "", False)
    assert "checkout" in answer.words
    assert "feedbackLoop" not in (answer.activity.get("channelData") or {})


async def test_what_a_model_wrote_is_labelled_cites_its_sources_and_asks_for_feedback(there):
    address = await there.turn(CHAT)
    sources = (
        Citation(title="checkout: budget " + "x" * 90, text="62 % " + "y" * 200, url="https://metrics.example/q"),
        Citation(title="", text="", url="javascript:alert(1)"),
    )

    await there.delivery(address).finish(reply(WHOLE, generated=True, citations=sources))

    (answer,) = there.shown(CHAT)
    first, second = (one["appearance"] for one in answer.citations)
    assert answer.text == f"{WHOLE} [1][2]"
    assert answer.labelled
    assert answer.activity["channelData"]["feedbackLoop"] == {"type": "default"}
    assert [one["position"] for one in answer.citations] == [1, 2]
    assert (len(first["name"]), len(first["abstract"]), first["url"]) == (80, 160, "https://metrics.example/q")
    assert (second["name"], second["abstract"], "url" in second) == ("Source 2", "Source 2", False)


CHART = Chart(
    form="line",
    title="Error budget left",
    alt="Checkout fell from 80 % to 62 %.",
    categories=("W45", "W46"),
    series=(Series(name="checkout", values=(80.0, 62.0)),),
    unit="%",
)


async def test_a_card_that_teams_refuses_is_sent_plainer_and_in_the_end_as_text(there):
    there.picture = painted
    parts = (Heading(text="Review"), CHART, Table(columns=("service",), rows=(("checkout",),)))
    refusal = Fault(status=400, code="BadSyntax", message="Failed to process card attachment")
    seen = []
    for refused in range(3):
        address = await there.turn(GROUP)
        if refused:
            there.teams.connector.spoil("send", refusal, times=refused)
        await there.delivery(address).finish(Reply(summary="Review", parts=parts))
        shown = there.shown(GROUP)[-1]
        seen.append((len(shown.cards), "data:image/png" in str(shown.cards), "checkout" in shown.words))
        await there.store.inbox.done(there.claim)

    assert seen == [(1, True, True), (1, False, True), (0, False, True)]
    assert len(there.shown(GROUP)) == 3


async def test_a_refused_card_of_many_words_becomes_several_messages_and_nothing_is_lost(there):
    address = await there.turn(GROUP)
    long = tuple(Text(markdown=f"Line {n}: " + "word " * 60) for n in range(50))
    whole = Reply(summary="Long", parts=(Heading(text="Review"), *long))
    there.teams.connector.spoil("send", Fault(status=413, code="MessageSizeTooBig"), times=1)

    await there.delivery(address).finish(whole)

    told = "\n".join(message.words for message in there.shown(GROUP))
    assert [told.count(f"Line {n}:") for n in range(50)] == [1] * 50


async def painted(_):
    kept = BytesIO()
    Image.new("RGB", (40, 20), "white").save(kept, "PNG")
    return kept.getvalue()


# --- while it is being made -------------------------------------------------------------------------------------------


async def streamed(there, delivery, room, *pieces):
    """Write the pieces, each shown before the next."""
    for piece in pieces:
        await delivery.write(piece)
        await there.seen(room, piece.strip())


async def test_a_slow_answer_one_to_one_is_streamed_and_ends_as_one_whole_message(there):
    address = await there.turn(CHAT)
    delivery = there.delivery(address)

    await delivery.status("looks up budgets …")
    await there.seen(CHAT, "Looks up budgets …")
    await streamed(there, delivery, CHAT, FIRST + "\n\n", REST.strip() + "\n\n")
    await delivery.finish(
        Reply(summary="Fine.", parts=(Text(markdown=WHOLE), Note(markdown="at noon")), generated=True)
    )

    (answer,) = there.shown(CHAT)
    assert (answer.streamed, answer.streaming, answer.edits) == (True, False, [])
    assert answer.text == f"{WHOLE}\n\n*at noon*"
    assert answer.labelled
    assert [text for _, text in answer.updates] == ["Looks up budgets …", FIRST, WHOLE, answer.text]
    assert await there.known() == {0: ("status", answer.id)}
    assert there.teams.ledger.problems == []


async def test_steps_of_a_stream_are_numbered_from_one_and_its_end_is_not(there):
    address = await there.turn(CHAT)
    delivery = there.delivery(address)
    await streamed(there, delivery, CHAT, FIRST + "\n\n", REST.strip() + "\n\n")
    await delivery.finish(reply(WHOLE))

    infos = [entity for call in there.teams.ledger.called("stream") for entity in call.body["entities"]]
    stream = there.shown(CHAT)[0].id
    assert infos == [
        {"type": "streaminfo", "streamType": "streaming", "streamSequence": 1},
        {"type": "streaminfo", "streamId": stream, "streamType": "streaming", "streamSequence": 2},
        {"type": "streaminfo", "streamId": stream, "streamType": "final"},
    ]


async def test_text_and_a_table_are_two_messages_in_their_order(there):
    table = Table(columns=("service", "left"), rows=(("checkout", "62 %"),), numeric=(1,))
    source = Citation(title="checkout", text="62 %")
    address = await there.turn(GROUP)
    delivery = there.delivery(address)
    await streamed(there, delivery, GROUP, "Here it is:\n\n")

    await delivery.finish(
        Reply(summary="x", parts=(Text(markdown="Here it is:"), table), generated=True, citations=(source,))
    )

    first, second = there.shown(GROUP)
    assert (first.text, first.cards, len(first.citations)) == ("Here it is: [1]", [], 1)
    assert (second.text, len(second.cards), "checkout" in second.words, second.labelled) == ("", 1, True, True)


@pytest.mark.parametrize("room", [GROUP, PAYMENTS], ids=lambda room: room.kind)
async def test_elsewhere_one_message_is_posted_early_and_edited_with_a_button_to_stop_it(there, room):
    thread = there.asked() if room is PAYMENTS else ""
    address = await there.turn(room, thread)
    delivery = there.delivery(address)

    await streamed(there, delivery, room, FIRST + "\n\n", REST.strip() + "\n\n")
    (draft,) = there.shown(room)
    (button,) = draft.buttons
    assert (button["type"], button["verb"], button["data"]) == ("Action.Execute", "stop", {"value": address.turn_id})
    await delivery.finish(reply(WHOLE))

    (answer,) = there.shown(room)
    assert (answer.id, answer.root, answer.text, answer.buttons) == (draft.id, thread, WHOLE, [])
    assert await there.known() == {0: ("draft", answer.id)}
    assert there.teams.ledger.called("stream") == []


async def test_an_answer_that_turned_out_otherwise_replaces_what_was_shown(there):
    for room in (CHAT, GROUP):
        address = await there.turn(room)
        delivery = there.delivery(address)
        await streamed(there, delivery, room, "I will look into it.\n\n")
        await delivery.finish(reply("The model is not reachable."))

        (answer,) = there.shown(room)
        assert (answer.text, answer.made) == ("The model is not reachable.", False)


async def test_a_stream_may_end_with_a_card(there):
    address = await there.turn(CHAT)
    delivery = there.delivery(address)
    await delivery.status("prepares the review …")
    await there.seen(CHAT, "Prepares the review …")

    await delivery.finish(REVIEW)

    (answer,) = there.shown(CHAT)
    assert (answer.streaming, answer.informative, answer.edits) == (False, "", [])
    assert "checkout" in answer.words


async def test_whoever_lost_the_lease_shows_nothing_more(there):
    await there.turn(GROUP)
    await there.store.inbox.later(there.claim, reason="test", after=0)
    old = await there.claimed(lease=0.0)
    delivery = there.delivery(old)
    await there.claimed()

    await delivery.write(WHOLE + "\n\n")
    with pytest.raises(LeaseLost):
        await delivery.finish(reply(WHOLE))

    assert there.shown(GROUP) == []


# --- after a crash ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["post", "draft", "stream"])
async def test_a_turn_killed_in_the_middle_of_a_post_says_it_once_more_and_says_so(there, how):
    address = await there.turn(CHAT)
    await there.journal.intend(0, how)  # and killed before Teams' answer could be written down

    await there.delivery(address).finish(reply(WHOLE))

    assert there.texts(CHAT) == [f"{WHOLE}\n\n{REPEATED}"]
    assert await there.known() == {0: ("post", there.shown(CHAT)[0].id)}


async def test_a_card_said_once_more_says_so_too(there):
    address = await there.turn(GROUP)
    await there.journal.intend(0, "post")

    await there.delivery(address).finish(REVIEW)

    (answer,) = there.shown(GROUP)
    assert "I was interrupted while posting this" in answer.words


async def test_a_turn_killed_before_anything_of_the_answer_was_shown_carries_no_mark(there):
    address = await there.turn(CHAT)
    await there.journal.intend(0, "status")

    await there.delivery(address).finish(reply(WHOLE))

    assert there.texts(CHAT) == [WHOLE]


@pytest.mark.parametrize("room", [CHAT, GROUP], ids=lambda room: room.kind)
async def test_what_an_earlier_process_began_to_show_becomes_the_whole_answer(there, room):
    address = await there.turn(room)
    first = there.delivery(address)
    await streamed(there, first, room, FIRST + "\n\n")

    second = there.delivery(address)  # the first process is gone, its stream still open
    await second.write("a new beginning")
    await second.finish(reply(WHOLE))

    (answer,) = there.shown(room)
    assert (answer.text, answer.made) == (WHOLE, False)
    await first.abandon()


async def test_what_an_earlier_process_showed_is_replaced_by_another_answer(there):
    address = await there.turn(CHAT)
    first = there.delivery(address)
    await streamed(there, first, CHAT, FIRST + "\n\n")

    await there.delivery(address).finish(reply("Something else."))

    (answer,) = there.shown(CHAT)
    assert (answer.text, answer.streaming) == ("Something else.", False)
    await first.abandon()


async def test_an_abandoned_stream_is_ended_and_the_next_process_makes_it_whole(there):
    address = await there.turn(CHAT)
    first = there.delivery(address)
    await streamed(there, first, CHAT, FIRST + "\n\n")

    await first.abandon()
    assert [(one.text, one.streaming) for one in there.shown(CHAT)] == [(FIRST, False)]
    await there.delivery(address).finish(reply(WHOLE))

    assert there.texts(CHAT) == [WHOLE]


async def test_a_message_that_stands_whole_is_left_as_it_is(there):
    address = await there.turn(GROUP)
    await there.delivery(address).finish(reply(WHOLE))

    await there.delivery(address).finish(reply(WHOLE))

    (answer,) = there.shown(GROUP)
    assert (answer.text, answer.edits) == (WHOLE, [])


async def test_a_message_that_someone_deleted_is_said_again(there):
    address = await there.turn(GROUP)
    await there.journal.intend(0, "draft")
    await there.journal.shown(0, "1700000000000")

    await there.delivery(address).finish(reply(WHOLE))

    assert there.texts(GROUP) == [WHOLE]


async def test_half_of_a_long_answer_is_completed_not_repeated(there):
    address = await there.turn(GROUP)
    long = reply("\n\n".join(f"Paragraph {n}: " + "word " * 150 for n in range(60)))
    there.teams.connector.spoil("send", Fault(only_late=True), times=1)
    there.teams.connector.spoil("send", Fault(status=403, code="Odd"), times=1)

    with pytest.raises(CannotPost):
        await there.delivery(address).finish(long)
    assert len(there.shown(GROUP)) == 1
    await there.delivery(address).finish(long)

    told = "\n".join(there.texts(GROUP))
    assert [told.count(f"Paragraph {n}:") for n in range(60)] == [1] * 60
    assert "Repeated" not in told


# --- when Teams is in trouble -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Fault(cut=True, taken=True), Fault(status=502, taken=True)], ids=["cut", "502"])
async def test_a_post_whose_answer_was_lost_is_said_once_more_and_says_so(there, fault):
    address = await there.turn(GROUP)
    there.teams.connector.spoil("send", fault)

    with pytest.raises(DeliveryFailed):
        await there.delivery(address).finish(reply(WHOLE))
    await there.delivery(address).finish(reply(WHOLE))

    assert there.texts(GROUP) == [WHOLE, f"{WHOLE}\n\n{REPEATED}"]


@pytest.mark.parametrize(
    ("fault", "times"), [(Fault(status=429, retry_after=60), 1), (Fault(status=401, code="Unauthorized"), 2)]
)
async def test_a_post_that_certainly_did_not_happen_is_made_up_for_without_a_mark(there, fault, times):
    address = await there.turn(GROUP)
    there.teams.connector.spoil("send", fault, times=times)

    with pytest.raises(DeliveryFailed) as failed:
        await there.delivery(address).finish(reply(WHOLE))
    there.paces = type(there.paces)(0.0)  # the minute is over
    await there.delivery(address).finish(reply(WHOLE))

    assert failed.value.retry_after == 60
    assert there.texts(GROUP) == [WHOLE]


async def test_the_mark_stays_due_while_further_tries_fail(there):
    address = await there.turn(GROUP)
    there.teams.connector.spoil("send", Fault(cut=True, taken=True))
    there.teams.connector.spoil("send", Fault(status=401, code="Unauthorized"), times=2)

    for _ in range(2):
        with pytest.raises(DeliveryFailed):
            await there.delivery(address).finish(reply(WHOLE))
    await there.delivery(address).finish(reply(WHOLE))

    assert there.texts(GROUP) == [WHOLE, f"{WHOLE}\n\n{REPEATED}"]


async def test_an_edit_whose_answer_was_lost_is_made_again(there):
    address = await there.turn(GROUP)
    delivery = there.delivery(address)
    await streamed(there, delivery, GROUP, FIRST + "\n\n")
    there.teams.connector.spoil("update", Fault(cut=True, taken=True), times=100)

    with pytest.raises(DeliveryFailed):
        await delivery.finish(reply(WHOLE))
    there.teams.connector.heal()
    await there.delivery(address).finish(reply(WHOLE))

    assert there.texts(GROUP) == [WHOLE]


async def test_the_end_of_a_stream_whose_answer_was_lost_leaves_one_whole_answer(there):
    address = await there.turn(CHAT)
    delivery = there.delivery(address)
    await streamed(there, delivery, CHAT, FIRST + "\n\n")
    there.teams.connector.spoil("stream", Fault(cut=True, taken=True))

    with pytest.raises(DeliveryFailed):
        await delivery.finish(reply(WHOLE))
    await delivery.abandon()
    await there.delivery(address).finish(reply(WHOLE))

    assert there.texts(CHAT) == [WHOLE]


async def test_a_conversation_that_the_director_left_is_refused_with_what_to_do(there):
    unknown = ROOMS[2]
    address = await there.turn(unknown, person=None)
    with pytest.raises(CannotPost) as refused:
        await there.delivery(address).finish(reply(WHOLE))
    assert str(refused.value) == LEFT

    there.teams.connector.away.add(PAYMENTS.team)
    address = await there.turn(PAYMENTS, person=None)
    with pytest.raises(CannotPost) as refused:
        await there.delivery(address).finish(reply(WHOLE))
    assert str(refused.value) == "I am not a member of that conversation. Add the app there."


async def test_buttons_keep_their_verb_and_value(there):
    address = await there.turn(GROUP)
    buttons = Buttons(buttons=(Button(verb="approve", label="Approve", value="p1"),))

    await there.delivery(address).finish(Reply(summary="Plan", parts=(Heading(text="Plan"), buttons)))

    (button,) = there.shown(GROUP)[0].buttons
    assert (button["verb"], button["data"]) == ("approve", {"value": "p1"})
