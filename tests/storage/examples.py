"""Requests and answers as the tests of the store need them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

from bot.domain import Answer, Fact, Incoming, IncomingKind, Message, Place, Reply, Text, Usage
from bot.ports import Claim, Inbox

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
EXPIRED = -1.0  # a lease that has run out when it is given

_numbers = itertools.count()


def place(thread: str = "100.1", *, channel: str = "C1", workspace: str = "T1") -> Place:
    return Place(platform="slack", workspace=workspace, channel=channel, thread=thread)


def ask(
    text: str = "How is checkout?",
    *,
    where: Place | None = None,
    key: str | None = None,
    kind: IncomingKind = IncomingKind.ASK,
) -> Incoming:
    return Incoming(
        kind=kind,
        dedupe_key=key or f"key-{next(_numbers)}",
        place=where or place(),
        text=text,
        received_at=AT,
        speaker_id="U1",
        question="100.1",
    )


def fact(name: str = "f1") -> Fact:
    return Fact(
        id=name,
        text="20.0 %",
        value=0.2,
        unit="%",
        entity="checkout",
        meaning="budget remaining",
        query="sum(increase(x[28d]))",
        evaluated_at=AT,
    )


def usage() -> Usage:
    return Usage(
        model="claude-sonnet-5-5", input_tokens=1200, output_tokens=90, cache_read_tokens=800, cache_write_tokens=0
    )


def answer(text: str = "Fine.", *, asked: str = "How is checkout?") -> Answer:
    return Answer(
        reply=Reply(summary=text, parts=(Text(markdown=text),)),
        messages=(
            Message(role="user", content=asked),
            Message(role="assistant", content=[{"type": "text", "text": text}]),
        ),
        facts=(fact(),),
        usage=(usage(),),
    )


async def claimed(inbox: Inbox, *, lease: float = 60.0) -> Claim:
    claim = await inbox.claim(worker="w1", lease=lease)
    assert claim is not None, "there was nothing to claim"
    return claim


async def texts(inbox: Inbox) -> list[str]:
    """The texts of all turns that can be claimed now, in the order they are claimed."""
    found = []
    while (claim := await inbox.claim(worker="w1", lease=60.0)) is not None:
        found.append(claim.incoming.text)
    return found
