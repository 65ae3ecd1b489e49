"""A worker to be killed: `python -m tests.storage.worker_process URL`. Answers each turn with its own text."""

from __future__ import annotations

import asyncio
import sys

from bot.domain import Answer, Message, Reply, Text
from bot.ports import LeaseLost
from storage import open_store

LEASE = 0.5


async def work(url: str) -> None:
    async with open_store(url) as store:
        while True:
            claim = await store.inbox.claim(worker="victim", lease=LEASE)
            if claim is None:
                await store.inbox.wait(0.05)
                continue
            print("claimed", flush=True)
            text = claim.incoming.text
            try:
                journal = store.inbox.journal(claim)
                if claim.answer is None:
                    await journal.intend(0, "stream")
                    said = (Message(role="user", content=text), Message(role="assistant", content=text))
                    reply = Reply(summary=text, parts=(Text(markdown=text),))
                    await store.inbox.answered(claim, Answer(reply=reply, messages=said))
                await journal.shown(0, f"message-{text}")
                await store.inbox.done(claim)
            except LeaseLost:
                print("lost", flush=True)


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1]))
