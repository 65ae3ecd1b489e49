"""What an issued review said is said again, word for word, however often and by whomever it is asked."""

from __future__ import annotations

import asyncio
from datetime import timedelta, timezone

import pytest

from storage import Store, open_store
from storage.schema import issued_reviews
from tests.storage.examples import AT

FACTS = '{"state": "EXHAUSTED", "remaining": "-1.8860", "sentence": "чат-支払い 🧾"}'


async def test_facts_come_back_word_for_word_at_their_instant_only(store: Store):
    issued = store.issued("T1")
    await issued.put(AT, {"checkout": FACTS, "search": "", "pay": "nul \0 and\r\nlines"})
    everything = ["checkout", "pay", "nobody", "search", "checkout"]
    assert await issued.get(AT, everything) == {"checkout": FACTS, "search": "", "pay": "nul \0 and\r\nlines"}
    assert await issued.get(AT, ["pay"]) == {"pay": "nul \0 and\r\nlines"}
    assert await issued.get(AT + timedelta(seconds=1), everything) == {}
    assert await issued.get(AT, []) == {}
    await issued.put(AT, {})


async def test_what_was_said_first_stays(store: Store):
    issued = store.issued("T1")
    await issued.put(AT, {"checkout": "first"})
    await issued.put(AT, {"checkout": "second", "search": "new"})
    await issued.put(AT + timedelta(days=7), {"checkout": "a week later"})
    assert await issued.get(AT, ["checkout", "search"]) == {"checkout": "first", "search": "new"}
    assert await issued.get(AT + timedelta(days=7), ["checkout"]) == {"checkout": "a week later"}


async def test_an_instant_is_the_same_in_every_zone(store: Store):
    issued = store.issued("T1")
    kathmandu = timezone(timedelta(hours=5, minutes=45))
    await issued.put(AT.astimezone(kathmandu), {"checkout": FACTS})
    assert await issued.get(AT, ["checkout"]) == {"checkout": FACTS}


async def test_a_naive_instant_is_refused(store: Store):
    naive = AT.replace(tzinfo=None)
    with pytest.raises(Exception, match="naive time"):
        await store.issued("T1").put(naive, {"checkout": FACTS})
    with pytest.raises(Exception, match="naive time"):
        await store.issued("T1").get(naive, ["checkout"])


async def test_no_workspace_hears_what_another_one_was_told(store: Store):
    await store.issued("T1").put(AT, {"checkout": "ours"})
    await store.issued("T2").put(AT, {"checkout": "theirs"})
    assert await store.issued("T1").get(AT, ["checkout"]) == {"checkout": "ours"}
    assert await store.issued("T2").get(AT, ["checkout"]) == {"checkout": "theirs"}
    assert await store.issued("T3").get(AT, ["checkout"]) == {}


async def test_a_review_of_a_large_fleet_is_kept_whole(store: Store):
    facts = {f"{number:064x}": f"{number} {FACTS}" for number in range(1_500)}
    await store.issued("T1").put(AT, facts)
    assert await store.issued("T1").get(AT, list(facts)) == facts


async def test_words_that_repeat_take_little_room(url: str):
    text = '{"hour": "2026-11-23T08:00:00Z", "part": 0, "total": 1000}' * 600
    async with open_store(url) as store:
        await store.issued("T1").put(AT, {"checkout": text})
        stored = await store._db.read(
            lambda c: c.scalar(issued_reviews.select().with_only_columns(issued_reviews.c.facts))
        )
        assert await store.issued("T1").get(AT, ["checkout"]) == {"checkout": text}
    assert len(stored) < len(text) / 50


async def test_replicas_that_issue_the_same_review_at_once_say_the_same(url: str):
    async with open_store(url) as one, open_store(url) as two:
        keys = [f"key {number}" for number in range(200)]
        stores = [one, two] * 3
        await asyncio.gather(
            *(
                store.issued("T1").put(AT, dict.fromkeys(keys[:: (-1) ** number], f"said by {number}"))
                for number, store in enumerate(stores)
            )
        )
        said = await asyncio.gather(*(store.issued("T1").get(AT, keys) for store in stores))
        assert [set(one_said) for one_said in said] == [set(keys)] * 6
        assert len({word for one_said in said for word in one_said.values()}) == 1
