"""A worker that dies, or sleeps past its lease, harms nothing: its turn is retaken and its late writes are refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from bot.ports import Claim, Inbox, LeaseLost, TurnState
from storage import Store
from storage.inbox import MOST_DEATHS
from tests.storage.examples import EXPIRED, answer, ask, claimed, place, texts


async def test_a_turn_whose_lease_ran_out_is_taken_over(store: Store):
    await store.inbox.put(ask("one"))
    await store.inbox.put(ask("two"))
    first = await claimed(store.inbox, lease=EXPIRED)
    second = await claimed(store.inbox)
    assert (second.turn_id, second.answer, second.attempts, second.deaths) == (first.turn_id, None, 2, 1)
    assert second.token != first.token


async def test_a_turn_whose_lease_holds_is_left_alone(store: Store):
    await store.inbox.put(ask())
    await claimed(store.inbox, lease=60)
    assert await store.inbox.claim(worker="w2", lease=60) is None


async def test_a_heartbeat_keeps_the_turn(store: Store):
    await store.inbox.put(ask())
    claim = await claimed(store.inbox, lease=EXPIRED)
    assert await store.inbox.heartbeat(claim, lease=60) is False
    assert await store.inbox.claim(worker="w2", lease=60) is None


async def test_an_answer_found_after_a_death_is_only_delivered(store: Store):
    await store.inbox.put(ask())
    dying = await claimed(store.inbox, lease=EXPIRED)
    await store.inbox.answered(dying, answer("Fine."))
    heir = await claimed(store.inbox)
    assert (heir.turn_id, heir.answer, heir.deaths) == (dying.turn_id, answer("Fine."), 1)
    await store.inbox.done(heir)
    assert (await store.memory.thread(place())).messages == answer("Fine.").messages


Write = Callable[[Inbox, Claim], Awaitable[object]]

WRITES: dict[str, Write] = {
    "heartbeat": lambda inbox, claim: inbox.heartbeat(claim, lease=60),
    "answered": lambda inbox, claim: inbox.answered(claim, answer("too late")),
    "done": lambda inbox, claim: inbox.done(claim),
    "later": lambda inbox, claim: inbox.later(claim, reason="too late", after=0),
    "park": lambda inbox, claim: inbox.park(claim, reason="too late"),
    "intend": lambda inbox, claim: inbox.journal(claim).intend(0, "stream"),
    "shown": lambda inbox, claim: inbox.journal(claim).shown(0, "999.9"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
async def test_a_worker_that_slept_past_its_lease_can_write_nothing(store: Store, write: Write):
    await store.inbox.put(ask())
    sleeper = await claimed(store.inbox, lease=EXPIRED)
    heir = await claimed(store.inbox)
    before = await store.inbox.turn(heir.turn_id)
    with pytest.raises(LeaseLost):
        await write(store.inbox, sleeper)
    assert await store.inbox.turn(heir.turn_id) == before
    assert await store.inbox.journal(heir).known() == {}
    await store.inbox.done(heir)


async def test_an_answer_stored_twice_under_one_lease_is_remembered_once(store: Store):
    await store.inbox.put(ask())
    claim = await claimed(store.inbox)
    await store.inbox.answered(claim, answer("first"))
    await store.inbox.answered(claim, answer("again, since the word of the first got lost"))
    record = await store.inbox.turn(claim.turn_id)
    assert record is not None
    assert record.answer == answer("first")
    assert (await store.memory.thread(place())).messages == answer("first").messages


async def test_after_too_many_deaths_a_turn_is_parked_and_the_next_one_runs(store: Store):
    await store.inbox.put(ask("poison"))
    await store.inbox.put(ask("next"))
    poisoned = [await claimed(store.inbox, lease=EXPIRED) for _ in range(MOST_DEATHS)]
    assert [(claim.incoming.text, claim.deaths) for claim in poisoned] == [("poison", n) for n in range(MOST_DEATHS)]
    assert await texts(store.inbox) == ["next"]
    parked = await store.inbox.turn(poisoned[0].turn_id)
    assert parked is not None
    assert (parked.state, parked.deaths, parked.reason) == (
        TurnState.PARKED,
        MOST_DEATHS,
        f"The process working on it ended {MOST_DEATHS} times.",
    )


async def test_giving_a_turn_back_is_no_death(store: Store):
    await store.inbox.put(ask())
    for _ in range(7):
        await store.inbox.later(await claimed(store.inbox), reason="the process stopped", after=0)
    claim = await claimed(store.inbox)
    assert (claim.attempts, claim.deaths) == (8, 0)
