"""What people do in Teams, and what of it reaches the inbox: over real HTTP, with real tokens and a real database."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

import pytest

from bot.domain import Incoming, IncomingKind, Place, Signal, SignalKind
from handlers.teams.listening import GREETING
from tests.doubles.teams import CLIENT_ID, NAME, TeamsConfig
from tests.doubles.teams_people import (
    EVE,
    GENERAL,
    GROUP,
    MAYA,
    OMAR,
    ON_CALL,
    PAT,
    PAYMENTS,
    SECOND_CHANNEL,
    SECOND_TENANT,
    STRANGE_CHANNEL,
    STRANGER,
    TENANT,
    chat_with,
)
from tests.handlers.teams.edge_world import NOW

MAYA_CHAT = chat_with(MAYA)


def place(channel: str, thread: str = "", tenant: str = TENANT) -> Place:
    return Place(platform="teams", workspace=tenant, channel=channel, thread=thread)


# --- what is said ----------------------------------------------------------------------------------------------------


async def test_a_mention_in_a_channel_is_one_turn_in_the_thread_that_it_begins(listen):
    here = await listen()

    said = await here.teams.say(MAYA, PAYMENTS, "how is <at>Omar Haddad</at>'s checkout doing &amp; why?")
    await here.intake.until(lambda intake: bool(intake.turns))

    assert here.intake.turns == [
        Incoming(
            kind=IncomingKind.ASK,
            dedupe_key=f"teams:{TENANT}:{PAYMENTS.id};messageid={said.id}:{said.id}",
            place=place(PAYMENTS.id, said.id),
            text="how is @Omar Haddad's checkout doing & why?",
            received_at=NOW,
            speaker_id=MAYA.object_id,
            question=said.id,
        )
    ]


async def test_a_mention_in_a_reply_belongs_to_the_thread_of_its_root(listen):
    here = await listen()

    root = await here.teams.say(OMAR, PAYMENTS, "deploy is stuck", mention=False)
    said = await here.teams.say(MAYA, PAYMENTS, "can you help?", reply_to=root)
    await here.intake.until(lambda intake: bool(intake.turns))

    (turn,) = here.intake.turns
    assert (turn.place, turn.question, turn.text) == (place(PAYMENTS.id, root.id), said.id, "can you help?")


async def test_personal_and_group_chats_are_one_thread_each(listen):
    here = await listen()

    await here.teams.say(MAYA, MAYA_CHAT, "hello there")
    await here.teams.say(OMAR, GROUP, "and here?")
    await here.intake.until(lambda intake: len(intake.turns) == 2)

    asked = {turn.text: (turn.place, turn.speaker_id) for turn in here.intake.turns}
    assert asked == {
        "hello there": (place(MAYA_CHAT.id), MAYA.object_id),
        "and here?": (place(GROUP.id), OMAR.object_id),
    }


async def test_who_has_no_entra_id_is_known_by_the_id_that_teams_gives(listen):
    here = await listen()

    activity = here.teams.message(MAYA, MAYA_CHAT, "hello", mention=False)
    activity["from"] = {"id": "29:1someone", "name": "Someone"}
    assert (await here.teams.attempt(activity)).taken

    assert [turn.speaker_id for turn in here.intake.turns] == ["29:1someone"]


async def test_someone_from_another_organisation_brings_their_home_along(listen):
    here = await listen()

    activity = here.teams.message(EVE, GROUP, "hi", mention=True)
    activity["from"]["tenantId"] = EVE.tenant
    assert (await here.teams.attempt(activity)).taken

    assert [turn.speaker_home for turn in here.intake.turns] == [EVE.tenant]


async def test_talk_without_a_mention_and_what_bots_say_is_nobodys_question(listen):
    here = await listen()
    bot = {"id": "28:99999999-0000-4000-8000-000000000000", "name": "Deploy Bot"}

    unasked = [
        here.teams.message(MAYA, PAYMENTS, "lunch?", mention=False),
        here.teams.message(MAYA, GROUP, "lunch?", mention=False),
        here.teams.message(MAYA, PAYMENTS, "deployed", mention=True, **{"from": bot}),
        here.teams.message(MAYA, MAYA_CHAT, "echo", mention=False, **{"from": {"id": f"28:{CLIENT_ID}"}}),
        here.teams.message(MAYA, MAYA_CHAT, "echo", mention=False, **{"from": {"id": "x", "role": "bot"}}),
    ]
    answers = [await here.teams.attempt(activity) for activity in unasked]

    assert [answer.attempts for answer in answers] == [[202]] * 5
    assert here.intake.tries == 0


async def test_a_mention_of_someone_else_in_a_channel_is_left_alone(listen):
    here = await listen()

    mention = {"type": "mention", "mentioned": {"id": OMAR.id, "name": NAME}, "text": f"<at>{NAME}</at>"}
    activity = here.teams.message(MAYA, PAYMENTS, f"<at>{NAME}</at> hi", mention=False, entities=[mention])

    assert (await here.teams.attempt(activity)).attempts == [202]
    assert here.intake.tries == 0


async def test_a_slash_command_is_a_command_whose_answer_belongs_to_the_channel(listen):
    here = await listen()

    await here.teams.say(MAYA, PAYMENTS, "/director review for checkout", targeted=True)
    await here.intake.until(lambda intake: bool(intake.turns))

    (turn,) = here.intake.turns
    assert (turn.kind, turn.place, turn.text) == (IncomingKind.COMMAND, place(PAYMENTS.id), "review for checkout")


async def test_a_slash_command_in_a_thread_stays_there(listen):
    here = await listen()

    root = await here.teams.say(OMAR, PAYMENTS, "what now?", mention=False)
    await here.teams.say(MAYA, PAYMENTS, "status", targeted=True, reply_to=root)
    await here.intake.until(lambda intake: bool(intake.turns))

    assert [(turn.kind, turn.place) for turn in here.intake.turns] == [
        (IncomingKind.COMMAND, place(PAYMENTS.id, root.id))
    ]


async def test_the_word_stop_stops_instead_of_asking(listen):
    here = await listen()

    root = await here.teams.say(MAYA, PAYMENTS, "plan something big")
    said = await here.teams.say(OMAR, PAYMENTS, "Stop", reply_to=root)
    await here.teams.say(OMAR, chat_with(OMAR), "stop")
    await here.intake.until(lambda intake: len(intake.signals) == 2 and len(intake.turns) == 1)

    assert {(one.kind, one.place, one.person_id) for one in here.intake.signals} == {
        (SignalKind.STOP, place(PAYMENTS.id, root.id), OMAR.object_id),
        (SignalKind.STOP, place(chat_with(OMAR).id), OMAR.object_id),
    }
    assert said.id in here.intake.signals[0].dedupe_key + here.intake.signals[1].dedupe_key


# --- clicks and verdicts ---------------------------------------------------------------------------------------------


def execute(verb: str, **data: Any) -> dict[str, Any]:
    return {"action": {"type": "Action.Execute", "verb": verb, "data": data}, "trigger": "manual"}


async def test_a_click_on_stop_is_stored_and_answered_in_words(listen):
    here = await listen()

    done = await here.teams.invoke(
        MAYA, PAYMENTS, "adaptiveCard/action", execute("stop", value="t1"), root="1700", replyToId="1701"
    )

    assert (done.attempts, done.answer) == (
        [200],
        {
            "statusCode": 200,
            "type": "application/vnd.microsoft.activity.message",
            "value": "I stop working on it.",
        },
    )
    (signal,) = here.intake.signals
    assert signal == Signal(
        kind=SignalKind.STOP,
        dedupe_key=f"teams:{TENANT}:{PAYMENTS.id};messageid=1700:{done.activity['id']}",
        place=place(PAYMENTS.id, "1700"),
        person_id=MAYA.object_id,
        at=NOW,
        message_id="1701",
    )


async def test_a_button_that_nobody_knows_is_answered_in_words_too(listen):
    here = await listen()

    done = await here.teams.invoke(MAYA, MAYA_CHAT, "adaptiveCard/action", execute("launch"), replyToId="1")

    assert done.attempts == [200]
    assert done.answer["statusCode"] == 200
    assert "I don't know this button" in done.answer["value"]
    assert here.intake.tries == 0


async def test_a_click_that_cannot_be_stored_says_so_where_it_was_made(listen):
    here = await listen()
    here.intake.failures = [OSError("the disk is full")]

    done = await here.teams.invoke(MAYA, MAYA_CHAT, "adaptiveCard/action", execute("stop"), replyToId="1")

    assert done.attempts == [200]
    assert "could not note this" in done.answer["value"]


async def test_a_click_from_an_old_client_comes_as_a_message_without_words(listen):
    here = await listen()

    activity = here.teams.message(MAYA, GROUP, "", mention=False, value={"verb": "stop", "value": "t1"}, replyToId="9")
    activity["text"] = None
    assert (await here.teams.attempt(activity)).attempts == [200]

    assert [(one.kind, one.place, one.message_id) for one in here.intake.signals] == [
        (SignalKind.STOP, place(GROUP.id), "9")
    ]


@pytest.mark.parametrize(
    ("feedback", "words"),
    [
        ('{"feedbackText":"too long"}', "too long"),
        ("plain words", "plain words"),
        ("", ""),
        (None, ""),
        ('{"other": 1}', ""),
        ('["a"]', '["a"]'),
    ],
)
async def test_feedback_is_kept_with_the_message_that_it_is_about(listen, feedback, words):
    here = await listen()

    value = {"actionName": "feedback", "actionValue": {"reaction": "dislike", "feedback": feedback}}
    done = await here.teams.invoke(MAYA, PAYMENTS, "message/submitAction", value, root="1700", replyToId="1701")

    assert (done.attempts, done.answer) == ([200], {})
    (signal,) = here.intake.signals
    assert (signal.kind, signal.place, signal.message_id) == (
        SignalKind.FEEDBACK,
        place(PAYMENTS.id, "1700"),
        "1701",
    )
    assert (signal.person_id, signal.value, signal.text) == (MAYA.object_id, "dislike", words)


# --- coming and going ------------------------------------------------------------------------------------------------


async def test_whoever_adds_the_director_for_themselves_is_greeted_once(listen):
    here = await listen()

    await here.teams.install(MAYA, MAYA_CHAT)
    await here.teams.install(MAYA, MAYA_CHAT)

    assert here.intake.turns == [
        Incoming(
            kind=IncomingKind.NOTICE,
            dedupe_key=f"teams:{TENANT}:{MAYA_CHAT.id}:welcome",
            place=place(MAYA_CHAT.id),
            text=GREETING,
            received_at=NOW,
            speaker_id=MAYA.object_id,
        )
    ]


async def test_a_team_that_adds_the_director_is_known_without_a_word(listen):
    here = await listen()

    await here.teams.install(MAYA, PAYMENTS)

    known = await here.store.references.all(platform="teams")
    assert [(one.conversation, one.kind, one.name, one.team_id) for one in known] == [
        (GENERAL.id, "channel", "general", GENERAL.id)
    ]
    assert known[0].service_url == here.teams.service_url
    assert here.intake.turns == []


async def test_a_team_that_removes_the_director_is_forgotten_with_its_channels(listen):
    here = await listen()
    for room in (PAYMENTS, ON_CALL, GROUP):
        said = await here.teams.say(MAYA, room, "hi")
        await here.teams.until(lambda _, said=said: said.delivered.over)

    await here.teams.remove(MAYA, PAYMENTS)
    assert [one.conversation for one in await here.store.references.all(platform="teams")] == [GROUP.id]

    await here.teams.remove(MAYA, GROUP)
    assert list(await here.store.references.all(platform="teams")) == []

    said = await here.teams.say(MAYA, PAYMENTS, "back again")
    await here.teams.until(lambda _: said.delivered.over)
    assert [one.conversation for one in await here.store.references.all(platform="teams")] == [PAYMENTS.id]


async def test_every_message_says_where_its_conversation_is_reached_and_only_news_are_written(listen):
    here = await listen()

    for _ in range(3):
        assert (await here.teams.attempt(here.teams.message(MAYA, MAYA_CHAT, "hi", mention=False))).taken
    known = await here.store.references.find(platform="teams", workspace=TENANT, conversation=MAYA_CHAT.id)
    assert known is not None
    assert (known.kind, known.person_id, known.service_url) == ("personal", MAYA.object_id, here.teams.service_url)


# --- what nobody here knows ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "more", "status"),
    [
        ("messageUpdate", {"text": "edited"}, 202),
        ("messageDelete", {}, 202),
        ("messageReaction", {"reactionsAdded": [{"type": "like"}]}, 202),
        ("typing", {}, 202),
        ("endOfConversation", {"code": "x"}, 202),
        ("event", {"name": "application/vnd.microsoft.meetingStart", "value": {}}, 202),
        ("event", {"name": "application/vnd.microsoft.neverHeardOf"}, 202),
        ("conversationUpdate", {"channelData": {"eventType": "somethingNew"}}, 202),
        ("installationUpdate", {"action": "somethingNew"}, 202),
        ("somethingNew", {"text": "x"}, 202),
        (None, {}, 202),
        ("invoke", {"name": "task/fetch", "value": {}}, 501),
        ("invoke", {"name": "composeExtension/query"}, 501),
        ("invoke", {"name": "somethingNew", "value": [1]}, 501),
        ("invoke", {}, 501),
        ("invoke", {"name": "message/submitAction", "value": {"actionName": "other"}}, 501),
        ("invoke", {"name": "message/submitAction", "value": {"actionName": "feedback", "actionValue": 3}}, 400),
        ("message", {"id": None, "text": "hi"}, 400),
        ("message", {"from": None, "text": "hi"}, 400),
    ],
)
async def test_what_teams_may_send_besides_is_answered_and_never_a_500(listen, kind, more, status):
    here = await listen()

    done = await here.teams.attempt(here.teams.activity(kind, MAYA, MAYA_CHAT, **more))

    assert done.attempts == [status]
    assert (here.intake.turns, here.intake.signals) == ([], [])


# --- who may speak ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"forged": "none"},
        {"forged": "HS256"},
        {"forged": "stranger"},
        {"forged": "kid"},
        {"aud": "somebody-else"},
        {"iss": "https://login.evil.example"},
        {"exp": 1},
        {"exp": None, "forged": "stranger"},
        {"serviceurl": "https://elsewhere.example/"},
        {"serviceurl": None},
    ],
)
async def test_a_token_that_is_not_of_teams_opens_nothing(listen, wrong):
    here = await listen()
    activity = here.teams.message(MAYA, MAYA_CHAT, "hi", mention=False)

    done = await here.teams.attempt(activity, token=here.teams.token(**wrong))

    assert (done.attempts, done.answer) == ([401], {"error": "unauthorized"})
    assert here.intake.tries == 0
    assert list(await here.store.references.all(platform="teams")) == []


@pytest.mark.parametrize("token", [None, "", "garbage", "a.b.c", "é"])
async def test_without_a_token_there_is_nothing_to_be_had(listen, token):
    here = await listen()
    activity = here.teams.message(MAYA, MAYA_CHAT, "hi", mention=False)

    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    done = await here.teams.attempt(activity, token=None, headers=headers)

    assert (done.attempts, done.answer) == ([401], {"error": "unauthorized"})
    assert here.intake.tries == 0


async def test_while_the_keys_are_out_of_reach_a_message_is_delivered_again(listen):
    here = await listen(
        config=TeamsConfig(retry_delays=(0.0,)), openid_url="http://127.0.0.1:1/v1/.well-known/openidconfiguration"
    )

    said = await here.teams.say(MAYA, MAYA_CHAT, "hello")
    await here.teams.until(lambda _: said.delivered.over)

    assert said.delivered.attempts == [503, 503]
    assert here.intake.tries == 0


async def test_messages_that_arrive_while_the_keys_are_fetched_wait_for_them(listen):
    here = await listen()
    here.teams.key_seconds = 0.5

    said = [await here.teams.say(MAYA, MAYA_CHAT, f"question {n}") for n in range(10)]
    await here.teams.until(lambda _: all(one.delivered.over for one in said))

    assert [one.delivered.attempts for one in said] == [[200]] * 10
    assert here.teams.key_requests == 1


@pytest.mark.parametrize("service_url", [None, "https://elsewhere.example/", 7, ""])
async def test_the_service_url_has_to_be_the_tokens(listen, service_url):
    here = await listen()
    activity = here.teams.message(MAYA, MAYA_CHAT, "hi", mention=False, serviceUrl=service_url)

    assert (await here.teams.attempt(activity)).attempts == [401]
    assert here.intake.tries == 0


async def test_a_tenant_that_is_not_on_the_list_is_refused_and_nothing_of_it_kept(listen):
    here = await listen()
    no_tenant = here.teams.message(MAYA, MAYA_CHAT, "hi", mention=False, channelData=None)
    no_tenant["conversation"] = {"id": MAYA_CHAT.id, "conversationType": "personal"}

    activities = [
        here.teams.message(STRANGER, STRANGE_CHANNEL, "hi", mention=True),
        here.teams.message(PAT, SECOND_CHANNEL, "hi", mention=True),
        here.teams.activity("installationUpdate", STRANGER, chat_with(STRANGER), action="add"),
        here.teams.activity("invoke", STRANGER, chat_with(STRANGER), name="task/fetch"),
        no_tenant,
    ]
    answers = [await here.teams.attempt(activity) for activity in activities]

    assert [answer.attempts for answer in answers] == [[403]] * 5
    assert here.intake.tries == 0
    assert list(await here.store.references.all(platform="teams")) == []


async def test_two_tenants_are_kept_apart_and_named_in_whatever_case(listen):
    here = await listen(TENANT.upper(), SECOND_TENANT)

    await here.teams.say(MAYA, MAYA_CHAT, "hi")
    await here.teams.say(PAT, SECOND_CHANNEL, "hi")
    await here.intake.until(lambda intake: len(intake.turns) == 2)

    assert {turn.place.workspace for turn in here.intake.turns} == {TENANT, SECOND_TENANT}
    activity = here.teams.message(MAYA, MAYA_CHAT, "again", mention=False)
    activity["conversation"] = {**activity["conversation"], "tenantId": TENANT.upper()}
    assert (await here.teams.attempt(activity)).taken
    assert here.intake.turns[-1].place == place(MAYA_CHAT.id)


async def test_a_tenant_that_stands_only_in_the_channel_data_counts(listen):
    here = await listen()
    activity = here.teams.message(MAYA, MAYA_CHAT, "hi", mention=False)
    del activity["conversation"]["tenantId"]

    assert (await here.teams.attempt(activity)).taken
    assert [turn.place for turn in here.intake.turns] == [place(MAYA_CHAT.id)]


# --- delivered again -------------------------------------------------------------------------------------------------


async def test_a_message_that_is_delivered_again_is_one_turn(listen):
    here = await listen()
    activity = here.teams.message(MAYA, PAYMENTS, "hi", mention=True)

    answers = await asyncio.gather(*(here.teams.attempt(activity) for _ in range(5)))

    assert [answer.attempts for answer in answers] == [[200]] * 5
    assert (len(here.intake.turns), here.intake.tries) == (1, 5)


async def test_a_message_that_could_not_be_stored_is_delivered_again_and_stored_once(listen):
    here = await listen(config=TeamsConfig(retry_delays=(0.0, 0.05)))
    here.intake.failures = [OSError("the disk is full"), RuntimeError("something else")]

    said = await here.teams.say(MAYA, MAYA_CHAT, "hello")
    await here.teams.until(lambda _: said.delivered.over)

    assert said.delivered.attempts == [503, 503, 200]
    assert [turn.text for turn in here.intake.turns] == ["hello"]


async def test_a_store_that_hangs_is_given_up_after_two_seconds_and_asked_again(listen):
    here = await listen(config=TeamsConfig(retry_delays=(0.0,)))
    here.intake.pauses = [30.0]

    said = await here.teams.say(MAYA, MAYA_CHAT, "hello")
    await here.teams.until(lambda _: said.delivered.over)

    assert said.delivered.attempts == [503, 200]
    assert [turn.text for turn in here.intake.turns] == ["hello"]


async def test_who_hangs_up_while_it_is_stored_loses_nothing(listen):
    here = await listen(config=TeamsConfig(ack_seconds=0.2))
    here.intake.pauses = [0.5]

    activity = here.teams.message(MAYA, MAYA_CHAT, "hello", mention=False)
    assert (await here.teams.attempt(activity)).attempts == [None]
    await here.intake.until(lambda intake: bool(intake.turns))

    assert [turn.text for turn in here.intake.turns] == ["hello"]


async def test_closing_waits_for_what_is_being_stored(listen):
    here = await listen()
    here.intake.pauses = [0.3]

    said = await here.teams.say(MAYA, MAYA_CHAT, "hello")
    await here.intake.until(lambda intake: intake.tries == 1)
    await here.edge.close()

    assert [turn.question for turn in here.intake.turns] == [said.id]


@pytest.mark.parametrize("fresh", [False, True], ids=["kept alive", "fresh connections"])
async def test_forty_messages_at_once_are_forty_turns(listen, fresh):
    here = await listen(config=TeamsConfig(connections=4, fresh=fresh))

    said = [await here.teams.say(MAYA, room, f"question {n}") for n in range(20) for room in (PAYMENTS, MAYA_CHAT)]
    await here.teams.until(lambda _: all(one.delivered.over for one in said))

    assert [one.delivered.attempts for one in said] == [[200]] * 40
    assert sorted(turn.question for turn in here.intake.turns) == sorted(one.id for one in said)


# --- the request itself ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe\x00",
        b"[]",
        b'"text"',
        b"null",
        b"1" + b"0" * 5000,
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=["empty", "words", "bytes", "list", "string", "null", "number without end", "deep list", "deep object"],
)
async def test_a_body_that_is_no_activity_is_unreadable(listen, body):
    here = await listen()

    assert (await here.teams.attempt(body)).attempts == [400]
    assert (await here.teams.attempt(body, token=None)).attempts == [401]


async def test_a_body_without_end_and_one_wrongly_packed_are_refused(listen):
    here = await listen()

    assert (await here.teams.attempt(b"x" * 1_040_000)).attempts == [413]
    wrongly_packed = await here.teams.attempt(b"not gzip", headers={"Content-Encoding": "gzip"})
    assert wrongly_packed.attempts == [400]


async def test_a_get_is_answered_with_405(listen):
    here = await listen()

    reader, writer = await asyncio.open_connection("127.0.0.1", int(here.url.rsplit(":", 1)[1]))
    writer.write(b"GET /api/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    assert b" 405 " in await reader.readline()
    writer.close()
    with contextlib.suppress(ConnectionError, socket.error):
        await writer.wait_closed()


async def test_text_that_no_database_takes_is_stored_without_what_it_cannot_take(listen):
    here = await listen()

    activity = here.teams.message(MAYA, MAYA_CHAT, "how\x00 is\ud800 it\u202e going", mention=False)
    assert (await here.teams.attempt(activity)).attempts == [200]

    assert [turn.text for turn in here.intake.turns] == ["how is it going"]
