"""`/director …` and the form behind it."""

from __future__ import annotations

import asyncio

import pytest

from bot.commands import HELP
from bot.domain import IncomingKind, Place
from handlers.slack import views

INITIATIVE = "Move checkout to its own database"


@pytest.mark.parametrize("delivery", ["socket", "http"])
async def test_help_is_answered_at_once_and_only_to_the_person(connect, delivery):
    world = await connect(listen=True, delivery=delivery)

    for words in ("help", ""):
        result = await world.standin.command("U0MAYA", "#general", "/director", words)
        assert (result.text, result.response_type, result.error) == (HELP, "ephemeral", None)

    assert world.intake.deliveries == 0


async def test_unknown_words_are_given_back_with_the_help(connect):
    world = await connect(listen=True)

    result = await world.standin.command("U0MAYA", "#general", "/director", "dance <!channel> `now`")

    assert result.text == f"I don't know `/director dance &lt;!channel&gt; 'now'`.\n\n{HELP}"


async def test_a_status_is_stored_as_a_turn_of_the_channel(connect):
    world = await connect(listen=True)

    result = await world.standin.command("U0MAYA", "#random", "/director", "status checkout")

    (turn,) = world.intake.stored
    assert (result.text, result.error) == ("", None)
    assert turn.kind is IncomingKind.COMMAND
    assert turn.place == Place(platform="slack", workspace="T0DEMO", channel="C0RANDOM", thread="")
    assert (turn.text, turn.speaker_id, turn.question) == ("status checkout", "U0MAYA", None)
    assert turn.dedupe_key.startswith("slack:T0DEMO:command:")


@pytest.mark.parametrize("words", ["review", "digest", f"plan {INITIATIVE}", "schedule review every monday 09:00"])
async def test_what_is_posted_in_the_channel_is_stored_where_the_director_is_a_member(connect, words):
    world = await connect(listen=True)

    await world.standin.command("U0MAYA", "#general", "/director", words)

    assert [turn.text for turn in world.intake.stored] == [words]


@pytest.mark.parametrize("channel", ["#random", "#board"])
async def test_where_the_director_is_no_member_it_says_how_to_invite_it_and_loses_nothing(connect, channel):
    world = await connect(listen=True)

    result = await world.standin.command("U0OMAR", channel, "/director", f"plan {INITIATIVE}")

    assert result.response_type == "ephemeral"
    assert result.text == (
        "I am not in this channel, so I can't post here. Invite me with `/invite @director` and send it again:\n"
        f"`/director plan {INITIATIVE}`"
    )
    assert world.intake.deliveries == 0


async def test_in_its_own_direct_message_the_director_needs_no_invitation(connect):
    world = await connect(listen=True)

    await world.standin.command("U0MAYA", "U0MAYA", "/director", "review")

    assert [turn.text for turn in world.intake.stored] == ["review"]


async def test_a_membership_that_slack_does_not_tell_in_time_does_not_hold_the_command_up(connect):
    world = await connect(listen=True)
    world.standin.faults.fail("conversations.info", delay=2.5)

    result = await world.standin.command("U0MAYA", "#general", "/director", "review")

    assert result.error is None
    assert [turn.text for turn in world.intake.stored] == ["review"]


async def test_a_command_that_cannot_be_stored_is_told_to_the_person(connect):
    world = await connect(listen=True)
    world.intake.failures = 1

    result = await world.standin.command("U0MAYA", "#general", "/director", "review")

    assert result.text == (
        "I could not store your request in time. If nothing appears, please send it again:\n`/director review`"
    )


async def form(world, words, user="U0MAYA"):
    result = await world.standin.command(user, "#general", "/director", words)
    assert (result.text, result.error) == ("", None)
    (call,) = world.standin.ledger.called("views.open")
    assert call.error is None
    return call.answer["view"]


def filled(text):
    return {views.FIELD: {views.FIELD: {"type": "plain_text_input", "value": text}}}


@pytest.mark.parametrize(("words", "prefilled"), [("plan", None), ("plan db", "db")])
async def test_a_plan_without_a_usable_initiative_opens_a_form(connect, words, prefilled):
    world = await connect(listen=True)

    view = await form(world, words)

    assert view["callback_id"] == "director_plan"
    assert view["blocks"][0]["element"].get("initial_value") == prefilled
    assert world.intake.deliveries == 0


async def test_the_form_says_what_is_missing_and_keeps_standing(connect):
    world = await connect(listen=True)
    view = await form(world, "plan")

    result = await world.standin.submit_view("U0MAYA", view["id"], filled("db"))

    assert result.errors == {"initiative": "Say in a sentence what should be achieved, for example: " + views.EXAMPLE}
    assert world.intake.deliveries == 0


async def test_a_filled_form_becomes_a_plan_in_the_channel_it_was_asked_in(connect):
    world = await connect(listen=True)
    view = await form(world, "plan")

    result = await world.standin.submit_view("U0MAYA", view["id"], filled(INITIATIVE))

    (turn,) = world.intake.stored
    assert (result.errors, result.view, result.error) == ({}, None, None)
    assert (turn.kind, turn.text, turn.speaker_id) == (IncomingKind.COMMAND, f"plan new {INITIATIVE}", "U0MAYA")
    assert turn.place.channel == "C0GENERAL"
    assert turn.dedupe_key.startswith(f"slack:T0DEMO:view:{view['id']}:")


async def test_a_form_that_cannot_be_stored_keeps_its_text(connect):
    world = await connect(listen=True)
    view = await form(world, "plan")
    world.intake.failures = 1

    result = await world.standin.submit_view("U0MAYA", view["id"], filled(INITIATIVE))

    assert result.errors == {
        "initiative": "I could not store this in time. Your text is still here: try again in a moment."
    }


async def test_when_no_form_can_be_opened_the_command_is_explained(connect):
    world = await connect(listen=True)
    world.standin.faults.fail("views.open", error="expired_trigger_id")

    result = await world.standin.command("U0MAYA", "#general", "/director", "plan")

    assert result.text == (
        "What should be achieved? Send it behind the command, for example:\n"
        "`/director plan Move checkout to its own database by March`"
    )


async def test_a_hundred_commands_at_once_are_all_stored(connect):
    world = await connect(listen=True)

    await asyncio.gather(
        *(world.standin.command("U0MAYA", "#general", "/director", f"status s{n}") for n in range(100))
    )

    assert sorted(turn.text for turn in world.intake.stored) == sorted(f"status s{n}" for n in range(100))
