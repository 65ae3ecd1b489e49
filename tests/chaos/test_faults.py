"""Slack, the network, the database and the process fail in many ways: each question ends with one answer."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from handlers.slack.standin import Ledger, Standin
from tests.chaos.test_kill import answer, letters, read, words
from tests.doubles.anthropic_double import AnthropicDouble, says
from tests.doubles.postgres import PostgresServer
from tests.doubles.slack import MAYA, PAYMENTS
from tests.system.conftest import Town, Towns

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]

EVERYTHING = "CHAOS_SECONDS" in os.environ  # asked for a long torment: every combination; else the telling ones
METHODS = (
    "chat.startStream",
    "chat.appendStream",
    "chat.stopStream",
    "chat.postMessage",
    "chat.update",
    "conversations.replies",
    "users.info",
    "assistant.threads.setStatus",
)
FAULTS: dict[str, dict[str, Any]] = {
    "cut before": {"drop_before": True},
    "cut after": {"drop_after": True},
    "500": {"status": 500},
    "asked to wait": {"status": 429, "retry_after": 2},
    "late": {"delay": 11.0},  # longer than we wait, with its effect
}


STREAMING = [pytest.param(True, id="streaming"), *([pytest.param(False, id="editing")] if EVERYTHING else [])]


@asynccontextmanager
async def talking(town: Town) -> AsyncIterator[AnthropicDouble]:
    async with AnthropicDouble(otherwise=answer) as model:
        town.env |= {"ANTHROPIC_API_KEY": "sk-ant-test", "ANTHROPIC_BASE_URL": model.url}
        yield model
        assert model.problems == []


async def ask(slack: Standin, names: Sequence[str]) -> dict[str, str]:
    """One thread for each name."""
    return {await slack.say(MAYA, PAYMENTS, f"@Director please explain {name}"): name for name in names}


def stand(roots: dict[str, str]):
    def look(ledger: Ledger) -> bool:
        return all(
            len(read(found := ledger.by_bot(PAYMENTS, root))) >= len(words(name))
            and not any(one.streaming for one in found)
            for root, name in roots.items()
        )

    return look


def proven(town: Town, roots: dict[str, str]) -> None:
    for root, name in roots.items():
        assert read(town.standin.ledger.by_bot(PAYMENTS, root)) == words(name)
    assert set(town.standin.ledger.posts_by_turn().values()) == {1}
    logs = "".join(served.log for served in town.served)
    assert "Traceback" not in logs
    assert "please explain" not in logs
    assert town.standin.bot_token not in logs


def names(prefix: str, number: int) -> list[str]:
    return [f"q{prefix}{letters(one)}" for one in range(number)]


@pytest.mark.parametrize("streaming", STREAMING)
@pytest.mark.parametrize("fault", FAULTS if EVERYTHING else ["cut after"])
async def test_calls_that_fail_now_and_then_leave_one_whole_answer(
    towns: Towns, tmp_path: Path, fault: str, *, streaming: bool
) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db", streaming=streaming)
    async with talking(town):
        await town.serve()
        for method in METHODS:
            for after in (0, 2, 5, 9):
                town.standin.faults.fail(method, after=after, **FAULTS[fault])
        roots = await ask(town.standin, names("f", 12))
        await town.standin.wait_for(stand(roots), 100)
        proven(town, roots)


async def test_a_stream_that_slack_ends_early_is_made_whole(towns: Towns, tmp_path: Path) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db", stream_seconds=0.7)
    async with talking(town):
        await town.serve()
        roots = await ask(town.standin, names("e", 8))
        await town.standin.wait_for(stand(roots), 60)
        proven(town, roots)


async def test_sockets_that_drop_lose_nothing(towns: Towns, tmp_path: Path) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db", ack_seconds=3.0, time_scale=0.01)
    async with talking(town):
        await town.serve()
        roots: dict[str, str] = {}
        for number, name in enumerate(names("d", 12)):
            roots |= await ask(town.standin, [name])
            match number % 3:
                case 0:
                    await town.standin.sockets.drop()
                case 1:
                    await town.standin.sockets.disconnect("refresh_requested", close=bool(number % 2))
                case _:
                    await asyncio.sleep(0.5)
        await town.standin.wait_for(stand(roots), 90)
        proven(town, roots)


@pytest.mark.parametrize("replicas", [1, 2] if EVERYTHING else [2])
async def test_a_process_frozen_past_its_lease_says_nothing_twice(
    towns: Towns, postgres_url: str, replicas: int
) -> None:
    town = await towns.build(database_url=postgres_url, retry_delays=(0.5,) * 100)
    async with talking(town):
        for _ in range(replicas):
            await town.serve()
        roots = await ask(town.standin, names("z", 8))
        await asyncio.sleep(0.8)
        frozen = town.served[0].process
        assert frozen is not None
        frozen.send_signal(signal.SIGSTOP)
        await asyncio.sleep(18)
        frozen.send_signal(signal.SIGCONT)
        await town.standin.wait_for(stand(roots), 60)
        await asyncio.sleep(3)  # whoever woke up late has spoken by now
        proven(town, roots)


async def test_told_to_stop_under_load_it_ends_in_time_and_loses_nothing(towns: Towns, database_url: str) -> None:
    town = await towns.build(database_url=database_url, retry_delays=(0.5,) * 100)
    async with talking(town):
        served = await town.serve()
        roots: dict[str, str] = {}
        for round_ in range(3):
            roots |= await ask(town.standin, names(f"t{letters(round_)}", 14))
            await asyncio.sleep(0.6)
            assert await served.stop(seconds=28) == 0
            await served.start()
        await town.standin.wait_for(stand(roots), 60)
        proven(town, roots)


async def test_a_token_that_is_revoked_for_a_while_delays_answers_and_loses_none(towns: Towns, tmp_path: Path) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    async with talking(town):
        await town.serve()
        roots = await ask(town.standin, names("r", 4))
        await asyncio.sleep(0.5)
        town.standin.faults.fail("*", -1, error="token_revoked")
        roots |= await ask(town.standin, names("s", 2))
        await asyncio.sleep(4)
        town.standin.faults.clear()
        await town.standin.wait_for(stand(roots), 90)
        proven(town, roots)


async def test_a_database_server_that_ends_every_connection_again_and_again(
    towns: Towns, postgres_server: PostgresServer, postgres_url: str
) -> None:
    town = await towns.build(database_url=postgres_url, retry_delays=(0.5,) * 100)
    async with talking(town):
        await town.serve()
        roots: dict[str, str] = {}
        for round_ in range(6):
            roots |= await ask(town.standin, names(f"p{letters(round_)}", 3))
            await asyncio.sleep(0.4)
            postgres_server.disconnect(postgres_url)
        await town.standin.wait_for(stand(roots), 90)
        proven(town, roots)


async def test_a_database_file_that_another_process_locks_for_ten_seconds(towns: Towns, tmp_path: Path) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db", retry_delays=(0.5,) * 100)
    async with talking(town):
        await town.serve()
        roots = await ask(town.standin, names("l", 4))
        await asyncio.sleep(0.4)
        other = sqlite3.connect(tmp_path / "director.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        roots |= await ask(town.standin, names("m", 2))
        await asyncio.sleep(10)
        other.execute("ROLLBACK")
        other.close()
        await town.standin.wait_for(stand(roots), 60)
        proven(town, roots)


LONG = {
    "no spaces": "x" * 60_000,
    "prose": "Words come and go. " * 3_200,
    "a fence": "```python\n" + "print('hello, world')\n" * 2_800 + "```",
    "a table": "| a | b |\n|---|---|\n" + "".join(f"| row {letters(n)} | value |\n" for n in range(2_500)),
    "signs": "<&>" * 12_000,
    "faces": "👩‍👩‍👧 " * 6_000,
}


@pytest.mark.parametrize("streaming", STREAMING)
@pytest.mark.parametrize("kind", LONG if EVERYTHING else ["a table"])
async def test_a_very_long_answer_is_split_and_never_cut(
    towns: Towns, tmp_path: Path, kind: str, *, streaming: bool
) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db", streaming=streaming)
    async with AnthropicDouble() as model:
        town.env |= {"ANTHROPIC_API_KEY": "sk-ant-test", "ANTHROPIC_BASE_URL": model.url}
        await town.serve()
        model.script(says(f"Here.\n\n{LONG[kind]}\n\nThe end.", chunk=400, pause=0.01))
        root = await town.standin.say(MAYA, PAYMENTS, "@Director tell me all")

        def ended(ledger: Ledger) -> bool:
            found = ledger.by_bot(PAYMENTS, root)
            return bool(found) and not any(one.streaming for one in found) and "The end." in str(found[-1].blocks)

        await town.standin.wait_for(ended, 60)
        await asyncio.sleep(1.5)
        posts = town.standin.ledger.by_bot(PAYMENTS, root)
        text = "\n".join(block["text"] for post in posts for block in post.blocks or [] if block["type"] == "markdown")
        text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        piece = {"no spaces": "x", "prose": "Words come", "a fence": "print(", "a table": "| row", "signs": "&"}
        wanted = piece.get(kind, "👩")
        assert text.count(wanted) == LONG[kind].count(wanted)
        assert set(town.standin.ledger.posts_by_turn().values()) == {1}


HOSTILE = (
    "<!channel> <!here> <!everyone> <!subteam^S0LEADS> and <@U0OMAR> and <https://evil.example|https://bank.example> "
    "[bank.example](https://evil.example) ![x](https://evil.example/p.png) \u202eback\u200bwards \U000e0041 "
    "&lt;!channel&gt;"
)


@pytest.mark.parametrize("streaming", STREAMING)
async def test_hostile_text_wakes_nobody(towns: Towns, tmp_path: Path, *, streaming: bool) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db", streaming=streaming)
    async with AnthropicDouble() as model:
        town.env |= {"ANTHROPIC_API_KEY": "sk-ant-test", "ANTHROPIC_BASE_URL": model.url}
        await town.serve()
        model.script(says(HOSTILE, chunk=5, pause=0.05))
        root = await town.standin.say(MAYA, PAYMENTS, f"@Director {HOSTILE}")
        await town.standin.wait_for(
            lambda ledger: any(
                "channel" in str(one.blocks) and not one.streaming for one in ledger.by_bot(PAYMENTS, root)
            ),
            20,
        )
        sent = [str(call.args) for call in town.standin.ledger.calls if call.method.startswith("chat.")]
        for bad in ("<!", "\\u202e", "\\u200b", "|https://bank", "evil.example/p.png"):
            assert not [one for one in sent if bad in one]


async def test_a_thread_whose_root_is_gone(towns: Towns, tmp_path: Path) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    async with talking(town):
        await town.serve()
        root = await town.standin.say(MAYA, PAYMENTS, "@Director please explain qgone")
        town.standin.people.remove(MAYA, PAYMENTS, root)
        other = await ask(town.standin, names("o", 2))
        await town.standin.wait_for(stand(other), 30)
        told = lambda ledger: [one for one in ledger.by_bot(MAYA) if "That thread is gone" in one.text]  # noqa: E731
        await town.standin.wait_for(told, 15)
