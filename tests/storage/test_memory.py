"""A thread remembers exactly what was said, in order, together with the answers it belongs to."""

from __future__ import annotations

import asyncio
import json

import pytest
from sqlalchemy import select

from bot.domain import Answer, IncomingKind, Message, Place, Reply, Text, Thread
from storage import Store, open_store, schema
from storage.errors import StorageError
from tests.storage.examples import answer, ask, claimed, fact, place, usage

REPLY = Reply(summary="ok", parts=(Text(markdown="ok"),))


async def _said(store: Store, *messages: Message, where: Place | None = None) -> None:
    await store.inbox.put(ask(where=where))
    claim = await claimed(store.inbox)
    await store.inbox.answered(claim, Answer(reply=REPLY, messages=messages))
    await store.inbox.done(claim)


async def test_an_unknown_thread_remembers_nothing(store: Store):
    assert await store.memory.thread(place()) == Thread()


async def test_turns_of_a_thread_stand_one_after_the_other(store: Store, url: str):
    first = (Message(role="user", content="one"), Message(role="assistant", content=[{"type": "text", "text": "1"}]))
    second = (Message(role="user", content="two"), Message(role="system", content="late"))
    await _said(store, *first)
    await _said(store, *second)
    await _said(store, Message(role="user", content="elsewhere"), where=place("2.0"))
    assert (await store.memory.thread(place())).messages == first + second
    async with open_store(url) as reopened:
        assert (await reopened.memory.thread(place())).messages == first + second


EXACT = (
    '[{"zeta":1,"alpha":{"b":[1.0,2,1e-07,12345678901234567890],"a":null}},'
    '{"signature":"\\u0000\\ud800 \\u20ac","t":true}]'
)


async def test_content_comes_back_byte_for_byte(store: Store):
    content = json.loads(EXACT)
    await _said(store, Message(role="assistant", content=content))
    kept = (await store.memory.thread(place())).messages[0].content
    assert json.dumps(kept, separators=(",", ":")) == EXACT


async def test_facts_are_remembered_with_the_answer_they_stand_in(store: Store):
    await store.inbox.put(ask())
    claim = await claimed(store.inbox)
    await store.inbox.answered(claim, Answer(reply=REPLY, facts=(fact("f1"), fact("f2"))))
    assert await store.memory.thread(place()) == Thread(facts=(fact("f1"), fact("f2")))


async def test_an_answer_without_messages_leaves_no_memory(store: Store):
    await _said(store)
    assert await store.memory.thread(place()) == Thread()


async def test_answers_given_at_once_in_one_place_do_not_interleave(store: Store):
    """Root requests run side by side and share their channel's memory."""
    where = place("", channel="D1")
    pairs = [(Message(role="user", content=f"q{n}"), Message(role="assistant", content=f"a{n}")) for n in range(12)]
    claims = []
    for _ in pairs:
        await store.inbox.put(ask(where=where, kind=IncomingKind.COMMAND))
        claims.append(await claimed(store.inbox))
    await asyncio.gather(
        *(
            store.inbox.answered(claim, Answer(reply=REPLY, messages=pair))
            for claim, pair in zip(claims, pairs, strict=True)
        )
    )
    kept = (await store.memory.thread(where)).messages
    assert sorted(zip(kept[::2], kept[1::2], strict=True), key=str) == sorted(pairs, key=str)


async def test_what_the_model_used_is_booked_to_place_and_person(store: Store):
    await store.inbox.put(ask())
    claim = await claimed(store.inbox)
    await store.inbox.answered(claim, answer())
    rows = await store._db.read(lambda c: c.execute(select(schema.usage)).mappings().all())
    booked = [{name: row[name] for name in row if name not in ("seq", "at")} for row in rows]
    assert booked == [
        {
            "turn_id": claim.turn_id,
            "platform": "slack",
            "workspace": "T1",
            "channel": "C1",
            "person_id": "U1",
            **usage().model_dump(),
        }
    ]


async def test_an_answer_that_cannot_be_stored_leaves_nothing_behind(store: Store):
    await store.inbox.put(ask())
    claim = await claimed(store.inbox)
    too_many = usage().model_copy(update={"input_tokens": None})
    with pytest.raises(StorageError):
        await store.inbox.answered(claim, answer().model_copy(update={"usage": (too_many,)}))
    record = await store.inbox.turn(claim.turn_id)
    assert record is not None
    assert (record.state.value, record.answer, await store.memory.thread(place())) == ("running", None, Thread())
