"""What people do in Slack, and what reaches the inbox: over Socket Mode and over signed HTTP."""

from __future__ import annotations

import asyncio
import socket
import time

import aiohttp
import pytest
from pydantic import SecretStr

from bot.domain import IncomingKind, Place, SignalKind
from bot.errors import Unreachable, UsageError
from bot.settings import SlackSettings
from handlers.slack.app import build
from handlers.slack.standin.signed_http import signature

ROADS = ["socket", "http"]


@pytest.mark.parametrize("delivery", ROADS)
async def test_a_mention_is_stored_as_one_turn_in_its_own_thread(connect, delivery):
    world = await connect(listen=True, delivery=delivery)

    ts = await world.standin.say("U0MAYA", "#general", "@Director how is <@U0OMAR>'s checkout doing &amp; why?")
    await world.intake.until(lambda intake: intake.deliveries == 2)  # app_mention and message.channels

    (turn,) = world.intake.stored
    assert turn.kind is IncomingKind.ASK
    assert turn.place == Place(platform="slack", workspace="T0DEMO", channel="C0GENERAL", thread=ts)
    assert turn.dedupe_key == f"slack:T0DEMO:C0GENERAL:{ts}"
    assert (turn.speaker_id, turn.speaker_home, turn.question) == ("U0MAYA", None, ts)
    assert turn.text == "how is <@U0OMAR>'s checkout doing & why?"


@pytest.mark.parametrize("delivery", ROADS)
async def test_a_message_that_could_not_be_stored_is_delivered_again(connect, delivery):
    world = await connect(listen=True, delivery=delivery, ack_seconds=0.3)
    world.intake.failures = 1

    ts = await world.standin.say("U0MAYA", "U0MAYA", "hello")
    await world.standin.wait_for(lambda ledger: any(h.acknowledged for h in ledger.handed if h.kind == "message"))

    (handed,) = [handed for handed in world.standin.ledger.handed if handed.kind == "message"]
    assert len(handed.attempts) == 2
    assert handed.attempts[0] != "ok"
    assert [turn.question for turn in world.intake.stored] == [ts]


async def test_a_store_that_hangs_is_given_up_after_two_seconds_and_asked_again(connect):
    world = await connect(listen=True, ack_seconds=2.5)
    world.intake.stalls = 1

    await world.standin.say("U0MAYA", "U0MAYA", "hello")
    await world.intake.until(lambda intake: bool(intake.stored))

    assert [turn.text for turn in world.intake.stored] == ["hello"]


async def test_a_mention_inside_a_thread_is_answered_in_that_thread(connect):
    world = await connect(listen=True)

    root = await world.standin.say("U0OMAR", "#general", "deploy is stuck")
    await world.standin.say("U0MAYA", "#general", "@Director can you help?", root)
    await world.intake.until(lambda intake: bool(intake.stored))

    assert world.intake.stored[0].place.thread == root


async def test_a_direct_message_is_one_flat_thread_and_a_reply_inside_a_thread_stays_there(connect):
    world = await connect(listen=True)

    first = await world.standin.say("U0MAYA", "U0MAYA", "hello there")
    await world.intake.until(lambda intake: len(intake.stored) == 1)
    await world.standin.say("U0MAYA", "U0MAYA", "and this?", first)
    await world.intake.until(lambda intake: len(intake.stored) == 2)

    assert [turn.place.thread for turn in world.intake.stored] == ["", first]
    assert world.intake.stored[0].place.channel.startswith("D")


async def test_someone_from_another_organisation_brings_their_home_along(connect):
    world = await connect(listen=True)

    await world.standin.say("U0EVE", "#general", "@Director hi")
    await world.intake.until(lambda intake: bool(intake.stored))

    assert world.intake.stored[0].speaker_home == "T0PARTNER"


async def test_edits_deletions_and_bots_are_nobodys_questions(connect):
    world = await connect(listen=True)
    people = world.standin.people

    ts = await world.standin.say("U0MAYA", "U0MAYA", "first")
    await world.intake.until(lambda intake: len(intake.stored) == 1)
    channel = world.intake.stored[0].place.channel
    people.edit("U0MAYA", channel, ts, "first, edited")
    people.remove("U0MAYA", channel, ts)
    await world.edge.wire.client.chat_postMessage(channel=channel, text="from the Director itself")
    await world.standin.say("U0MAYA", "U0MAYA", "last")
    await world.intake.until(lambda intake: len(intake.stored) == 2)

    await world.standin.wait_for(lambda ledger: all(handed.acknowledged for handed in ledger.handed))
    assert [turn.text for turn in world.intake.stored] == ["first", "last"]


async def test_plain_talk_in_channels_is_left_alone(connect):
    world = await connect(listen=True)

    root = await world.standin.say("U0MAYA", "#general", "lunch?")
    await world.standin.say("U0OMAR", "#general", "yes", root)
    await world.standin.wait_for(lambda ledger: [handed.acknowledged for handed in ledger.handed] == [True, True])

    assert world.intake.deliveries == 0


async def test_where_threads_are_followed_a_plain_reply_in_a_known_thread_is_a_question(connect):
    world = await connect(listen=True, follow=lambda channel: channel == "#payments")
    place = {}
    for channel, channel_id in (("#payments", "C0PAYMENTS"), ("#general", "C0GENERAL")):
        root = await world.standin.say("U0MAYA", channel, "hm")
        place[channel] = Place(platform="slack", workspace="T0DEMO", channel=channel_id, thread=root)
        world.intake.known.add(place[channel])
        await world.standin.say("U0OMAR", channel, "and why?", root)
    other = await world.standin.say("U0MAYA", "#payments", "unrelated")
    await world.standin.say("U0OMAR", "#payments", "indeed", other)
    await world.standin.wait_for(
        lambda ledger: len(ledger.handed) == 6 and all(handed.acknowledged for handed in ledger.handed)
    )

    assert [(turn.place, turn.text) for turn in world.intake.stored] == [(place["#payments"], "and why?")]


async def test_the_word_stop_stops_instead_of_asking(connect):
    world = await connect(listen=True)

    root = await world.standin.say("U0MAYA", "#general", "@Director plan something big")
    await world.standin.say("U0OMAR", "#general", "@Director Stop", root)
    await world.standin.say("U0MAYA", "U0MAYA", "stop")
    await world.intake.until(lambda intake: len(intake.signals) == 2)

    assert [(signal.kind, signal.place.thread, signal.person_id) for signal in world.intake.signals] == [
        (SignalKind.STOP, root, "U0OMAR"),
        (SignalKind.STOP, "", "U0MAYA"),
    ]
    assert [turn.text for turn in world.intake.stored] == ["plan something big"]


async def test_a_stop_button_stops_its_thread(connect):
    world = await connect(listen=True)
    ts, address = await world.asked()
    button = {
        "type": "button",
        "action_id": "director:stop:0",
        "value": "x",
        "text": {"type": "plain_text", "text": "Stop"},
    }
    posted = await world.edge.wire.client.chat_postMessage(
        channel="C0GENERAL", thread_ts=ts, text="working", blocks=[{"type": "actions", "elements": [button]}]
    )

    receipt = await world.standin.click("U0OMAR", "C0GENERAL", posted["ts"], "director:stop:0")

    assert receipt.acknowledged
    assert [(signal.kind, signal.place, signal.person_id) for signal in world.intake.signals] == [
        (SignalKind.STOP, address.place, "U0OMAR")
    ]


async def test_opening_the_home_tab_shows_what_can_be_asked(connect):
    world = await connect(listen=True)

    await world.standin.open_home("U0MAYA")
    (call,) = await world.standin.wait_for(lambda ledger: ledger.called("views.publish"))

    assert call.error is None
    assert call.args["user_id"] == "U0MAYA"
    assert "/director status" in str(call.args["view"])


async def test_a_dropped_connection_is_opened_again_and_nothing_is_lost(connect):
    world = await connect(listen=True, ack_seconds=1.0, time_scale=0.02)

    await world.standin.sockets.drop()
    ts = await world.standin.say("U0MAYA", "U0MAYA", "still there?")
    await world.intake.until(lambda intake: bool(intake.stored))

    assert [turn.question for turn in world.intake.stored] == [ts]
    assert await world.edge.connected()


async def test_slack_may_ask_to_reconnect_at_any_time(connect):
    world = await connect(listen=True, ack_seconds=1.0, time_scale=0.02)

    await world.standin.sockets.disconnect("refresh_requested", close=True)
    ts = await world.standin.say("U0MAYA", "U0MAYA", "still there?")
    await world.intake.until(lambda intake: bool(intake.stored))

    assert [turn.question for turn in world.intake.stored] == [ts]


@pytest.mark.slow
async def test_a_long_outage_ends_by_itself(connect):
    world = await connect(listen=True)
    world.standin.faults.fail("apps.connections.open", times=2, status=503)

    await world.standin.sockets.drop()
    await world.standin.sockets.wait_connected(40)
    ts = await world.standin.say("U0MAYA", "U0MAYA", "still there?")
    await world.intake.until(lambda intake: bool(intake.stored))

    assert [turn.question for turn in world.intake.stored] == [ts]
    assert len(world.standin.ledger.called("apps.connections.open")) >= 4


async def test_requests_with_a_wrong_signature_are_refused(connect):
    world = await connect(listen=True, delivery="http", signing_secret="another secret")

    await world.standin.say("U0MAYA", "U0MAYA", "hello")
    await world.standin.wait_for(lambda ledger: any(handed.given_up for handed in ledger.handed))

    assert world.intake.deliveries == 0
    async with aiohttp.ClientSession() as session, session.post(f"{world.url}/slack/events", data=b"{}") as answer:
        assert answer.status == 401


async def test_slack_can_verify_the_address(connect):
    world = await connect(listen=True, delivery="http")

    assert await world.standin.signed_http.verify()


async def test_a_refused_bot_token_stops_the_start_with_one_sentence(connect):
    world = await connect()
    settings = SlackSettings(
        bot_token=SecretStr("xoxb-wrong"), signing_secret=None, app_token=None, api_url=world.standin.api_url
    )

    with pytest.raises(UsageError) as refused:
        await build(settings, world.intake).open()

    assert str(refused.value) == (
        "Slack refused SLACK_BOT_TOKEN (invalid_auth). Copy the Bot User OAuth Token (xoxb-…) from OAuth & Permissions "
        "of your app."
    )


async def test_a_refused_app_token_stops_the_start_with_one_sentence(connect):
    world = await connect()
    settings = SlackSettings(
        bot_token=SecretStr(world.standin.bot_token),
        signing_secret=None,
        app_token=SecretStr("xapp-wrong"),
        api_url=world.standin.api_url,
    )
    edge = build(settings, world.intake)
    await edge.open()

    with pytest.raises(UsageError, match="Slack refused SLACK_APP_TOKEN \\(invalid_auth\\)"):
        await edge.start_socket()

    assert not await edge.connected()
    await edge.close()


async def test_a_slack_that_does_not_answer_is_told_from_a_refused_token(unused_tcp_port_of_this_machine):
    url = f"http://127.0.0.1:{unused_tcp_port_of_this_machine}/api/"
    settings = SlackSettings(bot_token=SecretStr("xoxb-1"), signing_secret=None, app_token=None, api_url=url)

    with pytest.raises(Unreachable, match="Slack could not be reached"):
        await build(settings, None).open()


@pytest.fixture
def unused_tcp_port_of_this_machine():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


async def test_closing_leaves_no_task_behind(connect):
    world = await connect(listen=True)
    await world.standin.say("U0MAYA", "U0MAYA", "hello")
    await world.intake.until(lambda intake: bool(intake.stored))

    await world.edge.close()

    sdk = [task for task in asyncio.all_tasks() if "slack_sdk" in repr(task.get_coro())]
    assert [task for task in sdk if not task.done()] == []


@pytest.mark.parametrize("at", ["", "soon", "9" * 30, "-1", "0"])
@pytest.mark.parametrize("sign", ["v0=00", "", "v0=é"])
async def test_what_slack_did_not_sign_is_refused_unread(connect, at, sign):
    world = await connect(listen=True, delivery="http")
    headers = {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": sign}
    async with aiohttp.ClientSession() as session:
        for body in (b"[", b"\xff", b"ssl_check=1", b"{}"):
            async with session.post(f"{world.url}/slack/events", data=body, headers=headers) as answer:
                assert answer.status == 401


@pytest.mark.parametrize("body", ["[]", "1", '"x"', '{"type": "event_callback", "event": []}', "[" * 50_000])
async def test_a_signed_body_of_another_form_is_refused_and_harms_nobody(connect, body):
    world = await connect(listen=True, delivery="http")
    at = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": signature(world.standin.signing_secret, at, body.encode()),
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{world.url}/slack/events", data=body, headers=headers) as answer,
    ):
        assert not answer.ok
    await world.standin.say("U0MAYA", "#general", "@Director how is checkout?")
    await world.intake.until(lambda intake: len(intake.stored) == 1)
