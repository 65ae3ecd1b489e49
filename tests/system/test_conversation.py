"""Mentions, threads and commands through the whole house: Slack's wire, the database, the model's wire."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from handlers.slack.standin import Ledger, Message
from tests.doubles.anthropic_double import AnthropicDouble, Stream, looks_up, says
from tests.doubles.process import run
from tests.doubles.slack import MAYA, PAYMENTS, RANDOM
from tests.system.conftest import Towns

LONG = "Timeouts come first, then bulkheads. " * 40


def stands(channel: str, thread: str, *words: str):
    """The Director's finished messages in a thread, once there are as many as words, each with its word."""

    def look(ledger: Ledger) -> list[Message] | None:
        found = [message for message in ledger.by_bot(channel, thread) if not message.streaming and shown(message)]
        fits = len(found) == len(words) and all(
            word in shown(message) for word, message in zip(words, found, strict=True)
        )
        return found if fits else None

    return look


def shown(message: Message) -> str:
    """All that a reader sees of a message."""
    return f"{message.text} {message.blocks}"


def asked_of(model: AnthropicDouble, number: int) -> str:
    return model.requests[number].raw.decode()


@pytest.mark.parametrize("delivery", ["socket", "http"])
async def test_a_second_mention_knows_the_first_and_both_survive_a_restart(
    towns: Towns, database_url: str, delivery: str
) -> None:
    town = await towns.build(database_url=database_url, delivery=delivery)
    async with AnthropicDouble() as model:
        town.env |= {"ANTHROPIC_API_KEY": "sk-ant-test", "ANTHROPIC_BASE_URL": model.url}
        served = await town.serve()
        slack = town.standin

        model.script(says("Use a circuit breaker."))
        root = await slack.say(MAYA, PAYMENTS, "@Director what protects us from a slow dependency?")
        await slack.wait_for(stands(PAYMENTS, root, "circuit breaker"), 15)

        model.script(looks_up("error_budget_status", {"services": ["checkout"]}), says("Checkout has {{f3}} left."))
        await slack.say(MAYA, PAYMENTS, "@Director and how is checkout?", root)
        await slack.wait_for(stands(PAYMENTS, root, "circuit breaker", "Checkout has 50"), 15)
        assert "what protects us from a slow dependency?" in asked_of(model, 1)
        assert "Use a circuit breaker." in asked_of(model, 1)

        assert await served.stop() == 0
        await served.start()
        model.script(says("I remember: the breaker, and checkout."))
        await slack.say(MAYA, PAYMENTS, "@Director what did we talk about?", root)
        await slack.wait_for(stands(PAYMENTS, root, "circuit breaker", "Checkout has 50", "I remember"), 15)
        last = asked_of(model, 3)
        assert "Use a circuit breaker." in last
        assert "and how is checkout?" in last
        assert model.problems == []
    assert set(slack.ledger.posts_by_turn().values()) <= {1}


@pytest.mark.slow
async def test_killed_in_the_middle_of_an_answer_the_thread_has_one_whole_answer_after_a_restart(
    towns: Towns, database_url: str
) -> None:
    town = await towns.build(database_url=database_url)
    async with AnthropicDouble() as model:
        town.env |= {"ANTHROPIC_API_KEY": "sk-ant-test", "ANTHROPIC_BASE_URL": model.url}
        served = await town.serve()
        slack = town.standin
        model.script(Stream(blocks=({"type": "text", "text": LONG},), events=120, end="hang"), says(LONG + "The end."))
        root = await slack.say(MAYA, PAYMENTS, "@Director how do we stay up?")
        await slack.wait_for(
            lambda ledger: [one for one in ledger.by_bot(PAYMENTS, root) if "Timeouts" in one.text], 15
        )
        await served.kill()
        await served.start()
        [answer] = await slack.wait_for(stands(PAYMENTS, root, "The end."), 45)
    assert shown(answer).count("Timeouts come first") >= 40
    assert len(slack.ledger.by_bot(PAYMENTS, root)) == 1


async def test_without_a_model_a_mention_gets_the_facts_and_one_line_that_no_model_spoke(
    towns: Towns, tmp_path: Path
) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    await town.serve()
    root = await town.standin.say(MAYA, PAYMENTS, "@Director how is checkout?")
    [answer] = await town.standin.wait_for(stands(PAYMENTS, root, "checkout"), 15)
    assert "50" in shown(answer)
    assert "No model spoke" in shown(answer)


async def test_an_event_delivered_again_and_again_is_answered_once(towns: Towns, database_url: str) -> None:
    town = await towns.build(database_url=database_url, ack_seconds=0.001, retry_delays=(0.0, 0.1, 0.2))
    await town.serve()
    root = await town.standin.say(MAYA, PAYMENTS, "@Director how is checkout?")
    await town.standin.wait_for(stands(PAYMENTS, root, "checkout"), 15)
    await town.standin.wait_for(lambda ledger: all(one.acknowledged or one.given_up for one in ledger.handed), 15)
    assert max(len(one.attempts) for one in town.standin.ledger.handed) > 1
    await asyncio.sleep(0.5)
    turns = town.standin.ledger.posts_by_turn()
    assert (len({turn for turn, _ in turns}), set(turns.values())) == (1, {1})


async def test_what_comes_in_while_the_director_is_down_is_answered_when_it_is_back(
    towns: Towns, database_url: str
) -> None:
    town = await towns.build(database_url=database_url, retry_delays=(0.5, 1.0, 2.0, 2.0))
    served = await town.serve()
    await served.kill()
    root = await town.standin.say(MAYA, PAYMENTS, "@Director how is checkout?")
    await served.start()
    await town.standin.wait_for(stands(PAYMENTS, root, "checkout"), 20)


async def test_status_and_help_are_seen_only_by_the_asker(towns: Towns, tmp_path: Path) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    await town.serve()
    helped = await town.standin.command(MAYA, PAYMENTS, "/director", "help")
    assert "/director status" in helped.text
    await town.standin.command(MAYA, PAYMENTS, "/director", "status checkout")

    def private(ledger: Ledger) -> list[Message]:
        return [one for one in ledger.ephemeral(MAYA) if "checkout" in shown(one) and "50" in shown(one)]

    await town.standin.wait_for(private, 15)
    assert town.standin.ledger.by_bot(PAYMENTS) == []


async def test_review_digest_and_plan_stand_in_the_channel_and_never_unfurl(towns: Towns, tmp_path: Path) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    await town.serve()
    for words, expected in (
        ("review", "reliability review"),
        ("digest", "Error-budget digest"),
        ("plan Move checkout to its own database", "Plan p1"),
    ):
        await town.standin.command(MAYA, PAYMENTS, "/director", words)
        await town.standin.wait_for(
            lambda ledger, expected=expected: [one for one in ledger.by_bot(PAYMENTS) if expected in shown(one)], 20
        )
    posts = town.standin.ledger.called("chat.postMessage")
    assert {(str(call.args.get("unfurl_links")), str(call.args.get("unfurl_media"))) for call in posts} <= {
        ("False", "False"),
        ("false", "false"),
        ("0", "0"),
    }
    shown_plan = await run("plan", "show", "p1", "--json", cwd=tmp_path, env=town.env)
    assert shown_plan.code == 0
    assert '"initiative": "Move checkout to its own database"' in shown_plan.out


async def test_where_the_director_is_no_member_it_says_how_to_invite_it(towns: Towns, tmp_path: Path) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    await town.serve()
    told = await town.standin.command(MAYA, RANDOM, "/director", "plan Move checkout to its own database")
    assert "/invite" in told.text
    assert "Move checkout to its own database" in told.text


async def test_guests_get_no_figures(towns: Towns, tmp_path: Path) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    await town.serve()
    root = await town.standin.say("U0GUS", PAYMENTS, "@Director how is checkout?")
    [answer] = await town.standin.wait_for(stands(PAYMENTS, root, "members of this workspace"), 15)
    assert "50" not in answer.text


async def test_a_workspace_without_streaming_gets_one_message_that_is_updated(towns: Towns, tmp_path: Path) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db", streaming=False)
    async with AnthropicDouble() as model:
        town.env |= {"ANTHROPIC_API_KEY": "sk-ant-test", "ANTHROPIC_BASE_URL": model.url}
        await town.serve()
        model.script(replace(says(LONG), chunk=20))
        root = await town.standin.say(MAYA, PAYMENTS, "@Director how do we stay up?")
        await town.standin.wait_for(stands(PAYMENTS, root, "bulkheads"), 15)
    assert len(town.standin.ledger.by_bot(PAYMENTS, root)) == 1


async def test_a_direct_message_is_answered_where_it_was_said(towns: Towns, tmp_path: Path) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    await town.serve()
    await town.standin.say(MAYA, MAYA, "how is checkout?")
    await town.standin.wait_for(lambda ledger: [one for one in ledger.by_bot(MAYA) if "checkout" in shown(one)], 15)
