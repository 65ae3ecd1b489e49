"""An answer on its way into Slack: where it stands, how often, and what becomes of it when things break."""

from __future__ import annotations

from functools import partial

import pytest

from bot.domain import Audience, Chart, Note, Reply, Series, Table, Text
from bot.ports import CannotPost, DeliveryFailed, LeaseLost
from handlers.slack.delivery import SlackDelivery
from tests.handlers.slack.worlds import MemoryJournal, reply

WHOLE = "Checkout has 62 % of its budget left.\n\nIt burned 38 % in the last 28 days."
FIRST, REST = WHOLE[:40], WHOLE[40:]


def text_of(message):
    """The message's Markdown, or its text when it has no blocks."""
    return "\n\n".join(b["text"] for b in message.blocks or [] if b["type"] == "markdown") or message.text


def texts(messages):
    return [text_of(message) for message in messages]


def answers(world, channel="C0GENERAL", thread=None):
    return world.standin.ledger.by_bot(channel, thread)


async def streamed(world, delivery, *pieces):
    """Write the pieces, each shown before the next."""
    for piece in pieces:
        await delivery.write(piece)
        await world.standin.wait_for(partial(shows, piece.rstrip()))


def shows(text, ledger):
    return any(text in text_of(message) for message in ledger.everything() if message.by_bot)


# --- the plain road ---------------------------------------------------------------------------------------------------


async def test_a_ready_answer_is_posted_once_in_its_thread_and_can_be_found_again(connect):
    world = await connect()
    ts, address = await world.asked()
    journal = MemoryJournal()

    await world.edge.delivery(address, journal).finish(reply(WHOLE))

    (answer,) = answers(world, thread=ts)
    assert (answer.thread_ts, answer.text, texts([answer])) == (ts, "Checkout is fine.", [WHOLE])
    assert answer.metadata == {"event_type": "director_turn", "event_payload": {"turn": "turn-1", "part": 0}}
    assert answer.options == {"unfurl_links": False, "unfurl_media": False}
    assert journal.parts == {0: ("post", answer.ts)}


async def test_a_root_message_has_its_detail_beneath(connect):
    world = await connect()

    await world.edge.delivery(world.address("C0GENERAL", asker=None), MemoryJournal()).finish(
        Reply(summary="Review", parts=(Text(markdown="the review"),), detail=(Text(markdown="the detail"),))
    )

    root, detail = answers(world)
    assert (root.thread_ts, detail.thread_ts) == (None, root.ts)
    assert texts([root, detail]) == ["the review", "the detail"]


async def test_a_flat_direct_message_is_answered_flat(connect):
    world = await connect()
    await world.standin.say("U0MAYA", "U0MAYA", "hello")
    channel = world.standin.ledger.everything()[0].channel
    long = "\n\n".join(f"paragraph {n} " + "x" * 900 for n in range(20))

    await world.edge.delivery(world.address(channel), MemoryJournal()).finish(reply(long))

    messages = answers(world, channel)
    assert len(messages) == 2
    assert [message.thread_ts for message in messages] == [None, None]
    assert "\n\n".join(texts(messages)) == long


async def test_a_notice_reaches_the_person_it_is_for(connect):
    world = await connect()

    await world.edge.delivery(world.address("U0OMAR", asker="U0OMAR"), MemoryJournal()).finish(reply("Your digest …"))

    (message,) = [m for m in world.standin.ledger.everything() if m.by_bot]
    assert message.channel.startswith("D")
    assert texts([message]) == ["Your digest …"]


# --- while it is being made -------------------------------------------------------------------------------------------


async def test_a_slow_answer_is_streamed_and_ends_as_one_whole_message(connect):
    world = await connect()
    ts, address = await world.asked()
    journal = MemoryJournal()
    delivery = world.edge.delivery(address, journal)

    await streamed(world, delivery, FIRST, REST)
    await delivery.finish(Reply(summary="Fine.", parts=(Text(markdown=WHOLE + "\n\nEnd."), Note(markdown="at *noon*"))))

    (answer,) = answers(world, thread=ts)
    assert answer.text == WHOLE + "\n\nEnd."
    assert answer.blocks[-1] == {"type": "context", "elements": [{"type": "mrkdwn", "text": "at _noon_"}]}
    assert not answer.streaming
    assert answer.turn == ("turn-1", 0)
    assert journal.parts == {0: ("stream", answer.ts)}
    assert [call.error for call in world.standin.ledger.called("chat.update")] == []


async def test_an_answer_that_turned_out_otherwise_replaces_what_was_streamed(connect):
    world = await connect()
    ts, address = await world.asked()
    delivery = world.edge.delivery(address, MemoryJournal())

    await streamed(world, delivery, "I will look into")
    await delivery.finish(reply("The model is not reachable."))

    (answer,) = answers(world, thread=ts)
    assert texts([answer]) == ["The model is not reachable."]
    assert not answer.streaming


@pytest.mark.parametrize("channel", ["C0GENERAL", "direct"])
async def test_where_slack_cannot_stream_one_message_is_edited(connect, channel):
    world = await connect(streaming=False)
    ts, address = await world.asked()
    if channel == "direct":
        await world.standin.say("U0MAYA", "U0MAYA", "hello")
        channel = world.standin.ledger.everything()[-1].channel
        address = world.address(channel)
    delivery = world.edge.delivery(address, MemoryJournal())

    await streamed(world, delivery, FIRST, REST)
    await delivery.finish(reply(WHOLE))

    (answer,) = answers(world, channel, ts if address.place.thread else None)
    assert texts([answer]) == [WHOLE]
    assert answer.turn == ("turn-1", 0)
    assert len(world.standin.ledger.called("chat.postMessage")) == 1


async def test_a_workspace_without_streaming_is_asked_only_once(connect):
    world = await connect(streaming=False)
    for turn in range(2):
        _, address = await world.asked()
        delivery = world.edge.delivery(address.model_copy(update={"turn_id": f"t{turn}"}), MemoryJournal())
        await streamed(world, delivery, FIRST)
        await delivery.finish(reply(WHOLE))

    assert len(world.standin.ledger.called("chat.startStream")) == 1


async def test_a_stream_is_rolled_before_slack_ends_it_and_nothing_stands_twice(connect):
    world = await connect()
    ts, address = await world.asked()
    clock = [0.0]
    journal = MemoryJournal()
    delivery = SlackDelivery(
        world.edge.wire, address, journal, urls=world.edge._urls, picture=None, now=lambda: clock[0]
    )

    await streamed(world, delivery, FIRST)
    clock[0] = 241.0
    await streamed(world, delivery, REST)
    first, second = answers(world, thread=ts)
    assert (first.streaming, second.streaming) == (False, True)
    await delivery.finish(reply(WHOLE))

    assert texts(answers(world, thread=ts)) == [WHOLE]
    assert set(journal.parts) == {0, 1}


async def test_a_stream_that_grows_too_long_goes_on_in_the_next_message(connect):
    world = await connect()
    ts, address = await world.asked()
    paragraphs = [f"{n} " + "word " * 200 for n in range(20)]
    delivery = world.edge.delivery(address, MemoryJournal())

    await delivery.write("\n\n".join(paragraphs[:9]))
    await world.standin.wait_for(lambda ledger: "8 word" in str([m.text for m in ledger.everything()]) or None)
    await delivery.write("\n\n" + "\n\n".join(paragraphs[9:]))
    await world.standin.wait_for(lambda ledger: len(ledger.by_bot("C0GENERAL", ts)) == 2 or None)
    await delivery.finish(reply("\n\n".join(paragraphs)))

    messages = answers(world, thread=ts)
    assert "\n\n".join(texts(messages)).split() == "\n\n".join(paragraphs).split()
    assert [message.streaming for message in messages] == [False, False]


async def test_when_streams_are_used_up_the_answer_is_posted_at_once(connect):
    world = await connect()
    ts, address = await world.asked()
    while world.edge.wire.starts.take():
        pass
    delivery = world.edge.delivery(address, MemoryJournal())

    await delivery.write(FIRST)
    await delivery.finish(reply(WHOLE))

    assert texts(answers(world, thread=ts)) == [WHOLE]
    assert world.standin.ledger.called("chat.startStream") == []


async def test_a_stream_that_dies_is_made_whole_by_an_edit(connect):
    world = await connect()
    ts, address = await world.asked()
    delivery = world.edge.delivery(address, MemoryJournal())
    await streamed(world, delivery, FIRST)
    world.standin.faults.fail("chat.appendStream", error="message_not_in_streaming_state")

    await delivery.write(REST)
    await world.standin.wait_for(lambda ledger: ledger.called("chat.appendStream"))
    await delivery.finish(reply(WHOLE))

    assert texts(answers(world, thread=ts)) == [WHOLE]


async def test_an_append_whose_answer_was_lost_leaves_no_word_twice(connect):
    world = await connect()
    ts, address = await world.asked()
    delivery = world.edge.delivery(address, MemoryJournal())
    await streamed(world, delivery, FIRST)
    world.standin.faults.fail("chat.appendStream", drop_after=True)

    await streamed(world, delivery, REST)
    await delivery.finish(reply(WHOLE))

    assert texts(answers(world, thread=ts)) == [WHOLE]


async def test_the_status_line_shows_and_goes_and_harms_nobody(connect):
    world = await connect()
    _, address = await world.asked()
    delivery = world.edge.delivery(address, MemoryJournal())

    await delivery.status("is looking up budgets …")
    await delivery.finish(reply(WHOLE))
    statuses = [call.args["status"] for call in world.standin.ledger.called("assistant.threads.setStatus")]
    assert statuses == ["is looking up budgets …", ""]

    world.standin.faults.fail("assistant.threads.setStatus", times=-1, error="missing_scope")
    other = world.edge.delivery(address.model_copy(update={"turn_id": "t2"}), MemoryJournal())
    for line in ("a", "b", "c"):
        await other.status(line)
    await other.finish(reply("done"))
    assert len(world.standin.ledger.called("assistant.threads.setStatus")) == 3


async def test_an_abandoned_stream_is_ended_and_the_next_process_makes_it_whole(connect):
    world = await connect()
    ts, address = await world.asked()
    journal = MemoryJournal()
    delivery = world.edge.delivery(address, journal)
    await streamed(world, delivery, FIRST)

    await delivery.abandon()
    assert [message.streaming for message in answers(world, thread=ts)] == [False]
    again = world.edge.delivery(address, journal)
    await again.write("a new beginning")
    await again.finish(reply(WHOLE))

    assert texts(answers(world, thread=ts)) == [WHOLE]


async def test_a_second_stream_that_a_crash_left_behind_does_not_outlive_a_shorter_answer(connect):
    world = await connect()
    ts, address = await world.asked()
    journal, client = MemoryJournal(), world.edge.wire.client
    begun = {"channel": "C0GENERAL", "thread_ts": ts, "recipient_team_id": "T0DEMO", "recipient_user_id": "U0MAYA"}
    first = await client.chat_startStream(markdown_text="A long beginning", **begun)
    await journal.intend(0, "stream")
    await journal.shown(0, first["ts"])
    await journal.intend(1, "stream")  # and killed before Slack's answer could be written down
    await client.chat_startStream(markdown_text="which goes on here", **begun)
    world.standin.faults.fail("chat.delete", status=503)

    with pytest.raises(DeliveryFailed):
        await world.edge.delivery(address, journal).finish(reply(WHOLE))
    await world.edge.delivery(address, journal).finish(reply(WHOLE))

    assert texts(answers(world, thread=ts)) == [WHOLE]


async def test_whoever_lost_the_lease_shows_nothing_more(connect):
    world = await connect()
    ts, address = await world.asked()
    journal = MemoryJournal()
    journal.lost = True
    delivery = world.edge.delivery(address, journal)

    await delivery.write(FIRST)
    with pytest.raises(LeaseLost):
        await delivery.finish(reply(WHOLE))

    assert answers(world, thread=ts) == []


# --- after a crash ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "shown"),
    [("post", True), ("post", False), ("draft", True), ("draft", False), ("stream", True), ("stream", False)],
)
async def test_a_recovered_turn_finds_the_message_that_was_begun(connect, how, shown):
    world = await connect()
    ts, address = await world.asked()
    client = world.edge.wire.client
    mark = {"event_type": "director_turn", "event_payload": {"turn": "turn-1", "part": 0}}
    if how == "stream":
        begun = await client.chat_startStream(
            channel="C0GENERAL",
            thread_ts=ts,
            markdown_text=FIRST,
            recipient_team_id="T0DEMO",
            recipient_user_id="U0MAYA",
        )
    else:
        text = WHOLE if how == "post" else FIRST
        begun = await client.chat_postMessage(
            channel="C0GENERAL", thread_ts=ts, text=text, blocks=[{"type": "markdown", "text": text}], metadata=mark
        )
    journal = MemoryJournal({0: (how, begun["ts"] if shown else None)})

    await world.edge.delivery(address, journal).finish(reply(WHOLE))

    (answer,) = answers(world, thread=ts)
    assert (answer.ts, texts([answer]), answer.streaming) == (begun["ts"], [WHOLE], False)
    assert journal.parts[0][1] == begun["ts"]


async def test_only_a_message_that_nobody_owns_is_adopted(connect):
    world = await connect()
    ts, address = await world.asked()
    client = world.edge.wire.client
    other = await client.chat_postMessage(channel="C0GENERAL", thread_ts=ts, text="of another turn")
    journal = MemoryJournal({0: ("stream", None)})
    journal.others.add(other["ts"])

    await world.edge.delivery(address, journal).finish(reply(WHOLE))

    assert texts(answers(world, thread=ts)) == ["of another turn", WHOLE]


async def test_a_root_message_is_found_again_in_the_channel(connect):
    world = await connect()
    address = world.address("C0GENERAL", asker=None)
    mark = {"event_type": "director_turn", "event_payload": {"turn": "turn-1", "part": 0}}
    begun = await world.edge.wire.client.chat_postMessage(channel="C0GENERAL", text="x", metadata=mark)

    await world.edge.delivery(address, MemoryJournal({0: ("post", None)})).finish(reply(WHOLE))

    assert [message.ts for message in answers(world)] == [begun["ts"]]


async def test_a_message_that_someone_deleted_is_said_again(connect):
    world = await connect()
    ts, address = await world.asked()
    journal = MemoryJournal({0: ("stream", "1700000000.000100")})

    await world.edge.delivery(address, journal).finish(reply(WHOLE))

    assert texts(answers(world, thread=ts)) == [WHOLE]


# --- when Slack is in trouble -----------------------------------------------------------------------------------------


async def test_a_post_whose_answer_was_lost_is_not_posted_again(connect):
    world = await connect()
    ts, address = await world.asked()
    journal = MemoryJournal()
    world.standin.faults.fail("chat.postMessage", drop_after=True)

    await world.edge.delivery(address, journal).finish(reply(WHOLE))

    (answer,) = answers(world, thread=ts)
    assert journal.parts == {0: ("post", answer.ts)}
    assert len(world.standin.ledger.called("chat.postMessage")) == 1


@pytest.mark.parametrize("fault", [{"drop_before": True}, {"status": 503}, {"error": "fatal_error"}])
async def test_a_post_that_did_not_happen_is_made_up_for_later(connect, fault):
    world = await connect()
    ts, address = await world.asked()
    journal = MemoryJournal()
    world.standin.faults.fail("chat.postMessage", **fault)

    with pytest.raises(DeliveryFailed):
        await world.edge.delivery(address, journal).finish(reply(WHOLE))
    assert answers(world, thread=ts) == []
    await world.edge.delivery(address, journal).finish(reply(WHOLE))

    assert texts(answers(world, thread=ts)) == [WHOLE]


async def test_slack_asking_for_a_short_wait_is_waited_for(connect):
    world = await connect()
    ts, address = await world.asked()
    world.standin.faults.fail("chat.postMessage", status=429, retry_after=1)

    await world.edge.delivery(address, MemoryJournal()).finish(reply(WHOLE))

    assert texts(answers(world, thread=ts)) == [WHOLE]


async def test_slack_asking_for_a_long_wait_is_told_to_the_worker(connect):
    world = await connect()
    _, address = await world.asked()
    world.standin.faults.fail("chat.postMessage", status=429, retry_after=45)

    with pytest.raises(DeliveryFailed) as failed:
        await world.edge.delivery(address, MemoryJournal()).finish(reply(WHOLE))

    assert failed.value.retry_after == 45


@pytest.mark.parametrize(
    ("channel", "said"),
    [
        ("C0RANDOM", "I am not a member of that channel. Invite me there with `/invite @director`."),
        ("C0OLD", "That channel is archived. Unarchive it or choose another one."),
        ("C0GONE", "I can't see that channel. If it is private, invite me there with `/invite @director`."),
    ],
)
async def test_what_slack_refuses_for_good_says_what_to_do(connect, channel, said):
    world = await connect()

    with pytest.raises(CannotPost) as refused:
        await world.edge.delivery(world.address(channel), MemoryJournal()).finish(reply(WHOLE))

    assert str(refused.value) == said


# --- what it is made of -----------------------------------------------------------------------------------------------

CHART = Chart(
    form="line",
    title="Error budget left",
    alt="Checkout fell from 80 % to 62 %.",
    categories=("W45", "W46"),
    series=(Series(name="checkout", values=(80.0, 62.0)),),
    unit="%",
)


async def test_a_chart_is_drawn_by_slack_where_it_can(connect):
    world = await connect()
    ts, address = await world.asked()

    await world.edge.delivery(address, MemoryJournal()).finish(Reply(summary="Budget", parts=(CHART,)))

    (answer,) = answers(world, thread=ts)
    assert [block["type"] for block in answer.blocks] == ["data_visualization"]


async def test_a_chart_is_a_picture_where_slack_cannot_draw(connect):
    world = await connect(data_visualization=False)
    for number in range(2):
        ts, address = await world.asked()
        await world.edge.delivery(address.model_copy(update={"turn_id": f"t{number}"}), MemoryJournal()).finish(
            Reply(summary="Budget", parts=(CHART,))
        )

    (answer,) = answers(world, thread=ts)
    assert [block["type"] for block in answer.blocks] == ["image"]
    assert answer.blocks[0]["alt_text"] == CHART.alt
    assert [call.error for call in world.standin.ledger.called("chat.postMessage")] == ["invalid_blocks", None, None]


async def test_a_chart_that_cannot_even_be_a_picture_is_told_in_words(connect):
    world = await connect(data_visualization=False)
    world.standin.faults.fail("files.getUploadURLExternal", times=-1, error="file_uploads_disabled")
    ts, address = await world.asked()

    await world.edge.delivery(address, MemoryJournal()).finish(Reply(summary="Budget", parts=(CHART,)))

    (answer,) = answers(world, thread=ts)
    assert "Checkout fell from 80 % to 62 %." in str(answer.blocks)


async def test_a_long_answer_is_split_and_every_word_arrives(connect):
    world = await connect()
    rows = tuple((f"service-{n}", f"{n} %") for n in range(250))
    parts = (
        Text(markdown="\n\n".join(f"Paragraph {n}: " + "word " * 150 for n in range(60))),
        Table(columns=("service", "left"), rows=rows, numeric=(1,), caption="All services"),
    )
    journal = MemoryJournal()

    await world.edge.delivery(world.address("C0GENERAL", asker=None), journal).finish(
        Reply(summary="Long", parts=parts)
    )

    messages = answers(world)
    told = str([message.blocks for message in messages])
    assert all(f"Paragraph {n}:" in told for n in range(60))
    assert all(f"service-{n}'" in told or f"service-{n} |" in told for n in range(250))
    assert [message.thread_ts for message in messages] == [None, *[messages[0].ts] * (len(messages) - 1)]
    assert [journal.parts[n][1] for n in range(len(messages))] == [message.ts for message in messages]
    assert {message.turn for message in messages} == {("turn-1", n) for n in range(len(messages))}


async def test_half_of_a_long_answer_is_completed_not_repeated(connect):
    world = await connect()
    ts, address = await world.asked()
    long = reply("\n\n".join(f"Paragraph {n}: " + "word " * 150 for n in range(30)))
    journal = MemoryJournal()
    world.standin.faults.fail("chat.postMessage", after=1, drop_before=True)

    with pytest.raises(DeliveryFailed):
        await world.edge.delivery(address, journal).finish(long)
    await world.edge.delivery(address, journal).finish(long)

    told = " ".join(texts(answers(world, thread=ts)))
    assert [told.count(f"Paragraph {n}:") for n in range(30)] == [1] * 30


# --- for one person ---------------------------------------------------------------------------------------------------


async def test_an_answer_for_the_asker_is_seen_by_nobody_else(connect):
    world = await connect()
    journal = MemoryJournal()
    private = reply(WHOLE, audience=Audience.ASKER)

    await world.edge.delivery(world.address("C0GENERAL"), journal).finish(private)
    await world.edge.delivery(world.address("C0GENERAL"), journal).finish(private)  # delivered again after a crash

    assert answers(world) == []
    assert texts(world.standin.ledger.ephemeral("U0MAYA")) == [WHOLE]


async def test_where_the_director_is_no_member_the_command_itself_is_answered(connect):
    world = await connect(listen=True)
    await world.standin.command("U0MAYA", "#random", "/director", "status")

    await world.edge.delivery(world.address("C0RANDOM"), MemoryJournal()).finish(reply(WHOLE, audience=Audience.ASKER))

    assert texts(world.standin.ledger.ephemeral("U0MAYA")) == [WHOLE]


async def test_after_a_restart_the_private_answer_comes_as_a_direct_message(connect):
    world = await connect()

    await world.edge.delivery(world.address("C0RANDOM"), MemoryJournal()).finish(reply(WHOLE, audience=Audience.ASKER))

    (message,) = [m for m in world.standin.ledger.everything() if m.by_bot]
    assert message.channel.startswith("D")
    assert texts([message]) == [WHOLE]
