"""The core cases against a Slack workspace that this project did not write, lest our own flatters us."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from bot.domain import Address, Audience, Chart, Reply, Series, Standing, Table, Text
from bot.settings import HttpAddress, SlackSettings
from handlers.slack.app import build
from handlers.web import WebEdge
from tests.doubles import local_slack
from tests.doubles.local_slack import CHANNEL, DIRECT, PERSON, LocalSlack
from tests.doubles.process import free_port
from tests.handlers.slack.worlds import MemoryIntake, MemoryJournal, picture


@pytest.fixture(params=["socket", "http"])
async def world(request, tmp_path):
    """(local-slack, the edge, its intake), joined by Socket Mode or by signed HTTP."""
    local_slack.require()
    port = free_port()
    http = request.param == "http"
    async with AsyncExitStack() as stack:
        slack = LocalSlack(tmp_path, events_url=f"http://127.0.0.1:{port}/slack/events" if http else None)
        await stack.enter_async_context(slack)
        settings = SlackSettings(
            bot_token=SecretStr(local_slack.BOT_TOKEN),
            signing_secret=SecretStr(local_slack.SIGNING_SECRET) if http else None,
            app_token=None if http else SecretStr(local_slack.APP_TOKEN),
            api_url=slack.api_url,
        )
        intake = MemoryIntake()
        edge = build(settings, intake, picture=picture)
        stack.push_async_callback(edge.close)
        await edge.open()
        if http:
            web = WebEdge(HttpAddress(host="127.0.0.1", port=port), edge.http_routes())
            await web.start()
            stack.push_async_callback(web.close)
        else:
            await edge.start_socket()
        yield slack, edge, intake


def address(turn):
    return Address(
        turn_id="t1",
        place=turn.place,
        asker=turn.speaker_id,
        asker_home=None,
        question=turn.question,
        asked_at=datetime.now(UTC),
    )


async def test_a_mention_is_answered_in_its_thread(world):
    slack, edge, intake = world

    ts = await slack.say(f"<@{edge.wire.me}> how is checkout?")
    await intake.until(lambda found: bool(found.stored))
    (turn,) = intake.stored
    delivery = edge.delivery(address(turn), MemoryJournal())
    await delivery.status("is thinking …")
    await delivery.write("Checkout has ")
    await slack.until(lambda message: message.get("thread_ts") == ts and message["ts"] != ts)
    await delivery.finish(Reply(summary="Fine.", parts=(Text(markdown="Checkout has 62 % left."),)))

    assert (turn.text, turn.place.channel, turn.place.thread) == ("how is checkout?", CHANNEL, ts)
    answers = [message for message in await slack.messages() if message.get("thread_ts") == ts and message["ts"] != ts]
    assert [message["blocks"][0]["text"] for message in answers] == ["Checkout has 62 % left."]


async def test_a_direct_message_is_answered_flat(world):
    slack, edge, intake = world

    await slack.say("hello", channel=DIRECT)
    await intake.until(lambda found: bool(found.stored))
    await edge.delivery(address(intake.stored[0]), MemoryJournal()).finish(
        Reply(summary="Hi.", parts=(Text(markdown="Hello."),))
    )

    answer = await slack.until(lambda message: message["user"] == edge.wire.me, channel=DIRECT)
    assert answer.get("thread_ts") is None
    assert intake.stored[0].place.thread == ""


async def test_help_and_a_private_status_are_seen_by_the_asker_alone(world):
    slack, edge, intake = world

    await slack.command("/director", "help")
    shown = await slack.until(lambda message: "/director status" in message["text"])
    assert shown["subtype"] == "ephemeral"

    await slack.command("/director", "status")
    await intake.until(lambda found: bool(found.stored))
    await edge.delivery(address(intake.stored[0]), MemoryJournal()).finish(
        Reply(summary="All fine.", parts=(Text(markdown="fine"),), audience=Audience.ASKER)
    )
    shown = await slack.until(lambda message: message["text"] == "All fine.")
    assert shown.get("ephemeral_to") == PERSON or shown.get("subtype") == "ephemeral"


@pytest.mark.parametrize("shown", [True, False])
async def test_a_turn_that_was_cut_off_ends_in_the_message_it_began(world, shown):
    slack, edge, intake = world
    ts = await slack.say(f"<@{edge.wire.me}> how is checkout?")
    await intake.until(lambda found: bool(found.stored))
    begun = await edge.wire.client.chat_postMessage(channel=CHANNEL, thread_ts=ts, text="Checkout h")
    journal = MemoryJournal({0: ("stream", begun["ts"] if shown else None)})

    reply = Reply(summary="Fine.", parts=(Text(markdown="Checkout has 62 % left."),))
    await edge.delivery(address(intake.stored[0]), journal).finish(reply)

    thread = [message for message in await slack.messages() if message.get("thread_ts") == ts and message["ts"] != ts]
    assert [(message["ts"], message["blocks"][0]["text"]) for message in thread] == [
        (begun["ts"], "Checkout has 62 % left.")
    ]


async def test_a_review_with_table_and_chart_is_taken(world):
    slack, edge, _ = world
    chart = Chart(
        form="line",
        title="Budget",
        alt="It fell.",
        categories=("a", "b"),
        series=(Series(name="checkout", values=(80.0, 62.0)),),
        unit="%",
    )
    table = Table(columns=("service", "left"), rows=(("checkout", "62 %"),), numeric=(1,))
    place, _name = await edge.channel("#general")

    ts = await edge.post(place, Reply(summary="Review", parts=(chart, table), detail=(Text(markdown="detail"),)))

    root = await slack.until(lambda message: message["ts"] == ts)
    assert {block["type"] for block in root["blocks"]} == {"data_visualization", "table"}
    assert (await edge.person(place, PERSON)).standing is Standing.MEMBER
