"""The whole house beside a Microsoft Teams: its wire in and out, the database, the model's wire."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from handlers.slack.standin import Standin, StandinConfig
from storage import open_store
from tests.doubles.anthropic_double import AnthropicDouble, Step, Stream, looks_up, says
from tests.doubles.process import run
from tests.doubles.slack import MAYA as SLACK_MAYA
from tests.doubles.slack import PAYMENTS as SLACK_PAYMENTS
from tests.doubles.teams import Fault, Said
from tests.doubles.teams_people import (
    EVE,
    GENERAL,
    GROUP,
    MAYA,
    NOBODY,
    OMAR,
    ON_CALL,
    PAYMENTS,
    TENANT,
    Room,
    Someone,
    chat_with,
)
from tests.doubles.teams_shown import Ledger, Shown
from tests.system.conftest import TeamsTown, TeamsTowns

MAYA_CHAT = chat_with(MAYA)
LONG = "Timeouts come first, then bulkheads. " * 60
GAP = 1.0  # seconds; Teams takes one change of a conversation a second


@asynccontextmanager
async def model_of(town: TeamsTown, *steps: Step, otherwise: Any = None) -> AsyncIterator[AnthropicDouble]:
    async with AnthropicDouble(otherwise=otherwise) as model:
        model.script(*steps)
        town.env |= {"ANTHROPIC_API_KEY": "sk-ant-test", "ANTHROPIC_BASE_URL": model.url}
        yield model
        assert model.problems == []


def texts(shown: list[Shown]) -> list[str]:
    return [one.text for one in shown]


async def test_a_follow_up_in_the_reply_chain_knows_the_mention_and_both_survive_a_restart(
    teams_towns: TeamsTowns, database_url: str
) -> None:
    town = await teams_towns.build(database_url=database_url)
    async with model_of(town) as model:
        served = await town.serve()
        model.script(says("Use a circuit breaker."))
        asked = await town.teams.say(MAYA, PAYMENTS, "what protects us from a slow dependency?")
        [first] = await town.teams.answer(asked, "circuit breaker")
        assert (first.root, first.labelled) == (asked.id, True)

        model.script(looks_up("error_budget_status", {"services": ["checkout"]}), says("Checkout has {{f3}} left."))
        more = await town.teams.say(OMAR, PAYMENTS, "and how is checkout?", reply_to=asked)
        [second] = await town.teams.answer(more, "Checkout has 50.0% left")
        assert len(second.citations) == 1
        assert "what protects us from a slow dependency?" in model.requests[1].raw.decode()
        assert "Use a circuit breaker." in model.requests[1].raw.decode()

        assert await served.stop() == 0
        await served.start()
        model.script(says("I remember: the breaker, and checkout."))
        last = await town.teams.say(MAYA, PAYMENTS, "what did we talk about?", reply_to=asked)
        await town.teams.answer(last, "I remember")
        assert "and how is checkout?" in model.requests[3].raw.decode()
    assert len(town.teams.ledger.in_(PAYMENTS.id, asked.root)) == 3
    assert town.teams.ledger.problems == []


async def test_a_group_chat_is_one_thread(teams_towns: TeamsTowns, tmp_path: Path) -> None:
    town = await teams_towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    async with model_of(town, says("Noted, Maya."), says("Maya said heron.")) as model:
        await town.serve()
        first = await town.teams.say(MAYA, GROUP, "the codeword is heron")
        await town.teams.answer(first, "Noted")
        unmentioned = await town.teams.say(MAYA, GROUP, "lunch?", mention=False)
        second = await town.teams.say(OMAR, GROUP, "what did she say?")
        await town.teams.answer(second, "heron")
        assert "the codeword is heron" in model.requests[1].raw.decode()
    assert len(model.requests) == 2
    assert unmentioned.delivered.taken
    assert [one.root for one in town.teams.ledger.in_(GROUP.id)] == ["", ""]


async def test_one_to_one_an_answer_is_streamed_at_a_pace_that_teams_takes(
    teams_towns: TeamsTowns, tmp_path: Path
) -> None:
    town = await teams_towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    slow = says(f"{LONG}The end.", chunk=40, pause=0.1)
    async with model_of(town, looks_up("slo_definitions", {}), slow):
        await town.serve()
        asked = await town.teams.say(MAYA, MAYA_CHAT, "how do we stay up?")
        [answer] = await town.teams.answer(asked, "The end.", seconds=30)
    assert answer.streamed
    assert len(answer.updates) >= 3
    assert all(
        later.startswith(earlier)
        for (_, earlier), (_, later) in zip(answer.updates[1:], answer.updates[2:], strict=False)
    )
    assert min(town.teams.ledger.gaps(MAYA_CHAT.id)) >= GAP
    assert [one.status for one in town.teams.ledger.called("stream")] == [201, *[202] * (len(answer.updates) - 1)]
    assert (answer.edits, answer.labelled) == ([], True)
    assert answer.text.count("bulkheads") == 60


async def test_a_stream_that_teams_ends_after_two_minutes_goes_on_by_edits(
    teams_towns: TeamsTowns, tmp_path: Path
) -> None:
    town = await teams_towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    town.teams.rules.stream_limit = 2.5
    async with model_of(town, says(f"{LONG}The end.", chunk=40, pause=0.1)):
        await town.serve()
        asked = await town.teams.say(MAYA, MAYA_CHAT, "how do we stay up?")
        [answer] = await town.teams.answer(asked, "The end.", seconds=30)
    assert answer.edits
    assert answer.text.count("bulkheads") == 60


async def test_teams_own_stop_button_stops_the_turn(teams_towns: TeamsTowns, tmp_path: Path) -> None:
    town = await teams_towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    hanging = Stream(blocks=({"type": "text", "text": LONG},), events=300, pause=0.1, end="hang")
    async with model_of(town, hanging):
        await town.serve()
        asked = await town.teams.say(MAYA, MAYA_CHAT, "how do we stay up?")
        shown = await town.teams.until(lambda ledger: [one for one in ledger.in_(MAYA_CHAT.id) if one.text])
        town.teams.connector.cancel(shown[0].id)
        found = await town.teams.answer(asked, "Stopped, as asked", seconds=20)
    assert [(one.id, "bulkheads" in one.text) for one in found] == [(shown[0].id, False)]


async def test_a_draft_in_a_channel_is_edited_at_its_pace_and_stopped_by_its_button(
    teams_towns: TeamsTowns, tmp_path: Path
) -> None:
    town = await teams_towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    hanging = Stream(blocks=({"type": "text", "text": LONG},), events=60, pause=0.1, end="hang")
    async with model_of(town, hanging):
        await town.serve()
        asked = await town.teams.say(MAYA, PAYMENTS, "how do we stay up?")

        def drafted(ledger: Ledger) -> list[Shown]:
            return [one for one in ledger.in_(PAYMENTS.id, asked.root) if one.made and len(one.edits) >= 2]

        [draft] = await town.teams.until(drafted, 20)
        pressed = await town.teams.press(MAYA, draft, verb="stop")
        assert pressed.attempts == [200]
        assert pressed.answer is not None
        assert pressed.answer["type"] == "application/vnd.microsoft.activity.message"
        [answer] = await town.teams.answer(asked, "Stopped, as asked")
    assert (answer.id, answer.buttons) == (draft.id, [])
    assert min(town.teams.ledger.gaps(PAYMENTS.id)) >= GAP


async def test_two_turns_in_one_channel_share_its_pace(teams_towns: TeamsTowns, tmp_path: Path) -> None:
    town = await teams_towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    async with model_of(town, otherwise=lambda body: says(f"{LONG}The end.", chunk=40, pause=0.05)):
        await town.serve()
        asked = [await town.teams.say(MAYA, PAYMENTS, f"how do we stay up, {number}?") for number in range(4)]
        for one in asked:
            await town.teams.answer(one, "The end.", seconds=40)
    assert min(town.teams.ledger.gaps(PAYMENTS.id)) >= GAP
    assert {one.status for one in town.teams.ledger.calls} <= {200, 201}


async def test_status_review_digest_and_plan_are_cards_that_say_all(teams_towns: TeamsTowns, tmp_path: Path) -> None:
    town = await teams_towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    await town.serve()
    teams = town.teams
    status = await teams.say(MAYA, PAYMENTS, "/director status checkout", targeted=True)
    [card] = await teams.answer(status, "checkout", "50.0%")
    assert (card.only, len(card.cards)) == (MAYA.id, 1)
    review = await teams.say(MAYA, PAYMENTS, "/director review", targeted=True)
    [top, detail] = await _since(town, review, "reliability review", "672,000")
    assert (top.root, detail.root) == ("", top.id)
    images = re.findall(r'"type": ?"Image"', str(top.cards).replace("'", '"'))
    assert len(images) == 1
    digest = await teams.say(MAYA, PAYMENTS, "digest", reply_to=None)
    [shown] = await teams.answer(digest, "Error-budget digest", "50.0%")
    assert shown.cards
    plan = await teams.say(MAYA, PAYMENTS, "plan Move checkout to its own database")
    found = await teams.answer(plan, "Plan p1", "Project plan", many=2)
    assert all(one.root == plan.id for one in found)


async def _since(town: TeamsTown, said: Said, *words: str) -> list[Shown]:
    """All that was shown in the room since, once it says these words and is whole."""

    def look(ledger: Ledger) -> list[Shown] | None:
        found = [one for one in ledger.in_(said.room.id) if int(one.id) > int(said.id) and not one.only]
        spoken = " ".join(one.words for one in found)
        return found if all(word in spoken for word in words) and not any(one.made for one in found) else None

    return await town.teams.ledger.settled(look, 20)


async def test_a_schedule_made_in_a_channel_posts_there_after_a_restart_unasked(
    teams_towns: TeamsTowns, database_url: str
) -> None:
    town = await teams_towns.build(database_url=database_url)
    served = await town.serve()
    due = datetime.now(UTC) - timedelta(minutes=3)
    words = f"schedule review every day {due:%H:%M} UTC"
    asked = await town.teams.say(MAYA, PAYMENTS, words)
    await town.teams.answer(asked, "s1", "every day at")
    assert await served.stop() == 0
    async with open_store(database_url) as store:  # as if it had been made an hour ago
        at = due - timedelta(hours=1)
        for paused in (True, False):
            await store.schedules.set_paused("s1", workspace=TENANT, paused=paused, at=at)
    before = set(town.teams.ledger.messages)
    await served.start()
    found = await town.teams.ledger.settled(
        lambda ledger: (
            [one for one in ledger.in_(PAYMENTS.id) if one.id not in before and "672,000" in one.words]
            and [one for one in ledger.in_(PAYMENTS.id) if one.id not in before]
        ),
        20,
    )
    assert [one.root for one in found] == ["", found[0].id]
    assert "reliability review" in found[0].words


async def test_a_review_is_posted_from_the_command_line_into_a_channel_that_was_heard_of(
    teams_towns: TeamsTowns, tmp_path: Path
) -> None:
    town = await teams_towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    served = await town.serve()
    await town.teams.install(MAYA, GENERAL)
    assert await served.stop() == 0
    posted = await run("review", "--post", "#payments", cwd=tmp_path, env=town.env)
    assert posted.code == 0, posted.err
    [top, *_] = town.teams.ledger.in_(PAYMENTS.id)
    assert "reliability review" in top.words
    refused = await run("review", "--post", "#nowhere", cwd=tmp_path, env=town.env)
    assert refused.code == 2
    assert "nowhere" in refused.err


async def test_one_process_serves_slack_and_teams(teams_towns: TeamsTowns, tmp_path: Path) -> None:
    town = await teams_towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    slack = Standin(StandinConfig())
    await slack.start()
    try:
        async with model_of(town, otherwise=lambda body: says(f"Heard {re.findall(r'hello (.)', str(body))[-1]}.")):
            env = {
                "SLACK_API_URL": slack.api_url,
                "SLACK_BOT_TOKEN": slack.bot_token,
                "SLACK_APP_TOKEN": slack.app_token,
            }
            served = await town.serve(**env)
            asked = await town.teams.say(MAYA, PAYMENTS, "hello T")
            root = await slack.say(SLACK_MAYA, SLACK_PAYMENTS, "@Director hello S")
            [answer] = await town.teams.answer(asked, "Heard")
            [other] = await slack.wait_for(
                lambda ledger: [one for one in ledger.by_bot(SLACK_PAYMENTS, root) if "Heard" in str(one.blocks)], 15
            )
            assert answer.text == "Heard T."
            assert "Heard S." in str(other.blocks)
            assert await served.stop() == 0
    finally:
        await slack.stop()


# --- the inbox in front ----------------------------------------------------------------------------------------------


async def test_what_is_delivered_again_while_it_is_answered_is_one_turn(
    teams_towns: TeamsTowns, database_url: str
) -> None:
    await redelivered(teams_towns, database_url, seconds=2.0, every=0.5)


@pytest.mark.slow
async def test_a_turn_of_twenty_seconds_under_redelivery_is_answered_once(
    teams_towns: TeamsTowns, database_url: str
) -> None:
    await redelivered(teams_towns, database_url, seconds=20.0, every=5.0)


async def redelivered(teams_towns: TeamsTowns, database_url: str, *, seconds: float, every: float) -> None:
    """Teams hands the same message over again and again while the model thinks."""
    town = await teams_towns.build(database_url=database_url)
    answer = says("One answer.", chunk=1, pause=seconds / 20)
    async with model_of(town, answer) as model:
        served = await town.serve()
        asked = await town.teams.say(MAYA, PAYMENTS, "think about it")
        again = []
        for _ in range(int(seconds / every)):
            await asyncio.sleep(every)
            again.append(await town.teams.attempt(asked.delivered.activity))
        found = await town.teams.answer(asked, "One answer.", seconds=seconds + 15)
        await asyncio.sleep(1.0)
        assert await served.stop() == 0
    assert [one.attempts for one in again] == [[again[0].attempts[0]]] * len(again)
    assert all(one.taken and one.seconds < 2.0 for one in [asked.delivered, *again])
    assert len(model.requests) == 1
    assert texts(town.teams.ledger.in_(PAYMENTS.id)) == texts(found) == ["One answer."]


async def test_what_comes_in_while_the_director_is_down_is_answered_when_it_is_back(
    teams_towns: TeamsTowns, tmp_path: Path
) -> None:
    delays = (0.5,) * 40
    town = await teams_towns.build(database_url=f"sqlite:///{tmp_path}/director.db", retry_delays=delays)
    served = await town.serve()
    await served.kill()
    asked = await town.teams.say(MAYA, PAYMENTS, "help")
    await served.start()
    assert len(await town.teams.answer(asked, "What I can do", seconds=30)) == 1


ROOMS: tuple[tuple[Someone, Room], ...] = (
    (MAYA, MAYA_CHAT),
    (OMAR, chat_with(OMAR)),
    (EVE, chat_with(EVE)),
    (NOBODY, chat_with(NOBODY)),
    (MAYA, PAYMENTS),
    (OMAR, GENERAL),
    (MAYA, ON_CALL),
    (MAYA, GROUP),
)
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
MANY = 40


@pytest.mark.slow
@pytest.mark.timeout(360)
async def test_of_forty_messages_five_seconds_apart_on_one_kept_alive_connection_none_is_lost(
    teams_towns: TeamsTowns, tmp_path: Path
) -> None:
    await forty(teams_towns, tmp_path, gap=5.0)


async def test_of_forty_messages_at_once_on_one_kept_alive_connection_none_is_lost(
    teams_towns: TeamsTowns, tmp_path: Path
) -> None:
    await forty(teams_towns, tmp_path, gap=0.0)


async def forty(teams_towns: TeamsTowns, tmp_path: Path, *, gap: float) -> None:
    """Nothing is delivered twice: what the connection loses stays lost."""
    town = await teams_towns.build(
        database_url=f"sqlite:///{tmp_path}/director.db", connections=1, retry_delays=(), ack_seconds=5.0
    )

    def speak(body: dict[str, Any]) -> Step:
        return says(f"Heard {re.findall(r'this is ([a-z]+ [a-z]+)', str(body['messages']))[-1]}.")

    async with model_of(town, otherwise=speak):
        await town.serve()
        names = [f"{NUMBERS[number // 10]} {NUMBERS[number % 10]}" for number in range(MANY)]
        said: list[Said] = []
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for number, name in enumerate(names):
            await asyncio.sleep(max(0.0, begun + number * gap - loop.time()))
            person, room = ROOMS[number % len(ROOMS)]
            said.append(await town.teams.say(person, room, f"this is {name}"))

        def all_answered(ledger: Ledger) -> list[str] | None:
            heard = [
                name for one in ledger.messages.values() for name in re.findall(r"Heard ([a-z]+ [a-z]+)", one.words)
            ]
            return heard if len(heard) >= MANY else None

        heard = await town.teams.ledger.settled(all_answered, 50)
    assert [one.delivered.attempts for one in said] == [[said[0].delivered.attempts[0]]] * MANY
    assert sorted(heard) == sorted(names)
    assert town.teams.connections == 1


async def test_a_throttled_send_is_made_again_and_stands_once(teams_towns: TeamsTowns, tmp_path: Path) -> None:
    town = await teams_towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    await town.serve()
    town.teams.connector.spoil("send", Fault(status=429, code="Throttled", retry_after=1))
    town.teams.connector.spoil("send", Fault(status=502, html=True))
    asked = await town.teams.say(MAYA, PAYMENTS, "help")
    found = await town.teams.answer(asked, "What I can do", seconds=30)
    assert len(found) == 1


async def test_an_answer_whose_acknowledgement_is_lost_is_said_once_more_and_marked(
    teams_towns: TeamsTowns, tmp_path: Path
) -> None:
    town = await teams_towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    await town.serve()
    town.teams.connector.spoil("send", Fault(cut=True, taken=True))
    asked = await town.teams.say(MAYA, PAYMENTS, "help")
    found = await town.teams.answer(asked, "Repeated", seconds=30)
    assert ["Repeated" in one.words for one in found] == [False, True]
