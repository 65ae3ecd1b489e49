"""Mentions answered per second by one `serve`, on SQLite beside PostgreSQL, with its memory before and after.

Slack and the model answer at once on this machine, so that what is measured is the Director and its database.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from handlers.slack.standin import Ledger, Standin  # noqa: E402
from tests.doubles.anthropic_double import AnthropicDouble, says  # noqa: E402
from tests.doubles.postgres import postgres  # noqa: E402
from tests.doubles.process import Served  # noqa: E402
from tests.doubles.slack import MAYA, PAYMENTS, running  # noqa: E402

BATCH, BATCHES = 50, 4
WORDS = "Use a circuit breaker."


def answered(ledger: Ledger) -> int:
    finished = (one for one in ledger.everything() if one.by_bot and not one.streaming)
    return sum(WORDS in f"{one.text} {one.blocks}" for one in finished)


async def batch(slack: Standin, model: AnthropicDouble, number: int) -> float:
    model.script(*[says(WORDS)] * BATCH)
    begun = time.perf_counter()
    for question in range(BATCH):
        await slack.say(MAYA, PAYMENTS, f"@Director question {number}.{question}?")
    await slack.wait_for(lambda ledger: answered(ledger) >= (number + 1) * BATCH, 120)
    return BATCH / (time.perf_counter() - begun)


async def measure(folder: Path, database_url: str) -> tuple[float, float, float]:
    """Turns per second of the best batch, and MB at rest and after all of them."""
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(running())
        model = await stack.enter_async_context(AnthropicDouble())
        served = Served(
            folder,
            {
                "DATABASE_URL": database_url,
                "SLACK_API_URL": slack.api_url,
                "SLACK_BOT_TOKEN": slack.bot_token,
                "SLACK_APP_TOKEN": slack.app_token,
                "ANTHROPIC_API_KEY": "sk-ant-bench",
                "ANTHROPIC_BASE_URL": model.url,
            },
        )
        await served.start()
        stack.push_async_callback(served.kill)
        before = served.memory_mb()
        best = max([await batch(slack, model, number) for number in range(BATCHES)])
        return best, before, served.memory_mb()


def main() -> None:
    base = 0.0
    with tempfile.TemporaryDirectory() as name, postgres() as server:
        for kind, url in (("SQLite", f"sqlite:///{name}/director.db"), ("PostgreSQL", server.database())):
            speed, before, after = asyncio.run(measure(Path(name), url))
            base = base or speed
            print(
                f"{kind:<12} {speed:5.1f} turns/s  {speed / base:4.1f} × SQLite   "
                f"{before:.0f} MB at rest, {after:.0f} MB after {BATCH * BATCHES} mentions"
            )


if __name__ == "__main__":
    main()
