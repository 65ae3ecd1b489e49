"""`director serve` in a Slack workspace that this project did not write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.doubles import local_slack
from tests.doubles.anthropic_double import AnthropicDouble, says
from tests.doubles.local_slack import CHANNEL, LocalSlack
from tests.doubles.process import Served
from tests.system.conftest import write_checkout


@pytest.mark.parametrize("delivery", ["socket", "http"])
async def test_a_second_mention_knows_the_first_and_both_survive_a_restart(
    tmp_path: Path, database_url: str, delivery: str
) -> None:
    local_slack.require()
    served = Served(tmp_path, {})
    write_checkout(tmp_path / "slos")
    events_url = f"{served.url}/slack/events" if delivery == "http" else None
    async with AnthropicDouble() as model, LocalSlack(tmp_path, events_url=events_url) as slack:
        served.env = {
            "DATABASE_URL": database_url,
            "SLACK_API_URL": slack.api_url,
            "SLACK_BOT_TOKEN": local_slack.BOT_TOKEN,
            "SLACK_SIGNING_SECRET": local_slack.SIGNING_SECRET,
            "ANTHROPIC_API_KEY": "sk-ant-test",
            "ANTHROPIC_BASE_URL": model.url,
        } | ({} if events_url else {"SLACK_APP_TOKEN": local_slack.APP_TOKEN})

        def answer(root: str, words: str) -> Any:
            return lambda message: message.get("thread_ts") == root and words in str(message)

        await served.start()
        try:
            model.script(says("Use a circuit breaker."))
            root = await slack.say(f"<@{local_slack.BOT}> what protects us?")
            await slack.until(answer(root, "Use a circuit breaker."))
            assert await served.stop() == 0
            await served.start()
            model.script(says("We spoke of breakers."))
            await slack.say(f"<@{local_slack.BOT}> what did we speak of?", thread=root)
            await slack.until(answer(root, "We spoke of breakers."))
            assert "what protects us?" in model.requests[1].raw.decode()
            assert "Use a circuit breaker." in model.requests[1].raw.decode()
            await slack.command("/director", "plan Move checkout to its own database")
            await slack.until(lambda message: "Plan p1" in str(message), channel=CHANNEL)
        finally:
            await served.stop()
        answers = [message for message in await slack.messages() if message.get("thread_ts") == root]
        assert sum("Use a circuit breaker." in str(message) for message in answers) == 1
        assert sum("We spoke of breakers." in str(message) for message in answers) == 1
