"""Schedules said in Slack as Slack sends them, through the whole house."""

from __future__ import annotations

import json
from pathlib import Path

from handlers.slack.standin import Ledger, Message
from tests.doubles.process import run
from tests.doubles.slack import MAYA, PAYMENTS
from tests.system.conftest import Towns


async def test_a_schedule_for_a_channel_is_kept_where_the_director_is_and_refused_where_it_is_not(
    towns: Towns, tmp_path: Path
) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    await town.serve()
    slack = town.standin

    def said(words: str):
        def look(ledger: Ledger) -> list[Message]:
            seen = [*ledger.ephemeral(MAYA), *ledger.by_bot(PAYMENTS)]
            return [one for one in seen if words in f"{one.text} {one.blocks}"]

        return look

    await slack.command(MAYA, PAYMENTS, "/director", "schedule digest every day 08:00 UTC in <#C0RANDOM|random>")
    await slack.wait_for(said("I can't post in #random"), 15)
    await slack.command(MAYA, PAYMENTS, "/director", "schedule “Digest every Day 8:00 europe/berlin in <#C0PLATFORM|>”")
    await slack.wait_for(said("digest every day at 08:00 Europe/Berlin in #platform"), 15)
    listed = await run("schedule", "list", "--json", cwd=tmp_path, env=town.env)
    assert [(one["id"], one["channel"], one["zone"]) for one in json.loads(listed.out)] == [
        ("s1", "C0PLATFORM", "Europe/Berlin")
    ]
