"""Which messages carry an answer is known before and after they are made."""

from __future__ import annotations

from bot.domain import IncomingKind
from storage import Store
from tests.storage.examples import EXPIRED, answer, ask, claimed, place


async def test_an_intent_is_known_before_its_message(store: Store):
    await store.inbox.put(ask())
    journal = store.inbox.journal(await claimed(store.inbox))
    assert await journal.known() == {}
    await journal.intend(0, "stream")
    assert await journal.known() == {0: ("stream", None)}
    await journal.shown(0, "100.7")
    await journal.shown(1, "100.8")
    assert await journal.known() == {0: ("stream", "100.7"), 1: ("post", "100.8")}


async def test_a_new_intent_forgets_the_message_before_it(store: Store):
    await store.inbox.put(ask())
    journal = store.inbox.journal(await claimed(store.inbox))
    await journal.shown(0, "100.7")
    await journal.intend(0, "stream")
    assert await journal.known() == {0: ("stream", None)}


async def test_who_takes_a_turn_over_reads_what_was_shown(store: Store):
    await store.inbox.put(ask())
    await store.inbox.journal(await claimed(store.inbox, lease=EXPIRED)).shown(0, "100.7")
    assert await store.inbox.journal(await claimed(store.inbox)).known() == {0: ("post", "100.7")}


async def test_messages_of_other_turns_are_known_to_be_owned(store: Store):
    await store.inbox.put(ask(where=place("1.0")))
    await store.inbox.put(ask(where=place("2.0")))
    await store.inbox.put(ask(where=place("1.0", workspace="T2")))
    one, two, foreign = [store.inbox.journal(await claimed(store.inbox)) for _ in range(3)]
    await one.shown(0, "1.1")
    await two.shown(0, "2.1")
    await foreign.shown(0, "3.1")
    assert await one.owned(["1.1", "2.1", "3.1", "4.1"]) == {"1.1", "2.1"}
    assert await one.owned([]) == frozenset()


async def test_a_thread_under_a_message_of_ours_finds_its_reply(store: Store):
    await store.inbox.put(ask("review", where=place(""), kind=IncomingKind.SLOT))
    claim = await claimed(store.inbox)
    await store.inbox.answered(claim, answer("The weekly review"))
    await store.inbox.journal(claim).shown(0, "300.1")
    assert await store.inbox.posted(place("300.1")) == answer("The weekly review").reply
    others = [place("300.2"), place("300.1", channel="C2"), place("300.1", workspace="T2"), place("")]
    assert [await store.inbox.posted(other) for other in others] == [None] * 4


async def test_a_thread_is_known_when_we_were_asked_in_it_or_posted_its_root(store: Store):
    await store.inbox.put(ask(where=place("1.0")))
    await store.inbox.put(ask("review", where=place("", channel="C5"), kind=IncomingKind.SLOT))
    await claimed(store.inbox)
    await store.inbox.journal(await claimed(store.inbox)).shown(0, "300.1")
    known = [place("1.0"), place("300.1", channel="C5")]
    unknown = [place("2.0"), place("1.0", channel="C2"), place("1.0", workspace="T2"), place("300.1")]
    assert [await store.inbox.knows(where) for where in known + unknown] == [True] * 2 + [False] * 4
