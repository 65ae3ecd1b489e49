"""What goes into the inbox comes out once, in order per thread."""

from __future__ import annotations

import asyncio

import pytest

from bot.domain import Incoming, IncomingKind, Place, Signal, SignalKind
from bot.ports import LeaseLost, TurnState
from storage import Store
from tests.storage.examples import AT, EXPIRED, answer, ask, claimed, place, texts


async def test_a_redelivered_event_is_one_turn(store: Store):
    first = await store.inbox.put(ask("once", key="C1:100.1"))
    again = await store.inbox.put(ask("once", key="C1:100.1"))
    assert (first, again, await texts(store.inbox)) == (True, False, ["once"])


async def test_eleven_deliveries_at_once_are_one_turn(store: Store):
    request = ask("once", key="C1:100.1")
    stored = await asyncio.gather(*(store.inbox.put(request) for _ in range(11)))
    assert (sorted(stored), await texts(store.inbox)) == ([False] * 10 + [True], ["once"])


async def test_the_same_key_in_another_workspace_is_another_turn(store: Store):
    assert await store.inbox.put(ask(key="C1:100.1", where=place(workspace="T1")))
    assert await store.inbox.put(ask(key="C1:100.1", where=place(workspace="T2")))


async def test_what_was_asked_comes_back_whole(store: Store):
    request = ask("Ärger mit ≥ 3 Diensten 🙂 \0 end")
    await store.inbox.put(request)
    claim = await claimed(store.inbox)
    assert (claim.incoming, claim.answer, claim.attempts, claim.deaths) == (request, None, 1, 0)


async def test_an_empty_inbox_has_nothing_to_claim(store: Store):
    assert await store.inbox.claim(worker="w1", lease=60) is None


async def test_a_thread_runs_one_turn_at_a_time_in_the_order_they_came(store: Store):
    for text in ("one", "two", "three"):
        await store.inbox.put(ask(text))
    order = []
    for _ in range(3):
        claim = await claimed(store.inbox)
        assert await store.inbox.claim(worker="w2", lease=60) is None
        order.append(claim.incoming.text)
        await store.inbox.done(claim)
    assert order == ["one", "two", "three"]


async def test_threads_run_side_by_side(store: Store):
    await store.inbox.put(ask("a", where=place("1.0")))
    await store.inbox.put(ask("a, later", where=place("1.0")))
    await store.inbox.put(ask("b", where=place("2.0")))
    await store.inbox.put(ask("c", where=place("1.0", channel="C2")))
    await store.inbox.put(ask("d", where=place("1.0", workspace="T2")))
    assert await texts(store.inbox) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("kind", [IncomingKind.COMMAND, IncomingKind.SLOT, IncomingKind.NOTICE])
async def test_requests_of_no_thread_do_not_wait_for_each_other(store: Store, kind: IncomingKind):
    for text in ("first", "second"):
        await store.inbox.put(ask(text, where=place(""), kind=kind))
    assert await texts(store.inbox) == ["first", "second"]


async def test_a_flat_direct_message_is_one_thread(store: Store):
    for text in ("first", "second"):
        await store.inbox.put(ask(text, where=place("", channel="D1")))
    assert await texts(store.inbox) == ["first"]


async def test_a_command_in_a_thread_waits_for_its_turn(store: Store):
    await store.inbox.put(ask("first"))
    await store.inbox.put(ask("second", kind=IncomingKind.COMMAND))
    assert await texts(store.inbox) == ["first"]


async def test_a_worker_takes_only_what_it_can_deliver(store: Store):
    await store.inbox.put(ask("from slack"))
    assert await store.inbox.claim(worker="w1", lease=60, platforms=frozenset({"console"})) is None
    claim = await store.inbox.claim(worker="w1", lease=60, platforms=frozenset({"console", "slack"}))
    assert claim is not None
    assert claim.incoming.text == "from slack"


async def test_an_answered_turn_keeps_its_thread_until_it_is_delivered(store: Store):
    await store.inbox.put(ask("one"))
    await store.inbox.put(ask("two"))
    claim = await claimed(store.inbox)
    await store.inbox.answered(claim, answer())
    assert await store.inbox.claim(worker="w2", lease=60) is None
    await store.inbox.done(claim)
    assert await texts(store.inbox) == ["two"]


async def test_a_turn_given_back_is_not_taken_before_its_time(store: Store):
    await store.inbox.put(ask("one"))
    await store.inbox.put(ask("two"))
    claim = await claimed(store.inbox)
    await store.inbox.later(claim, reason="Slack asks to wait", after=3600)
    record = await store.inbox.turn(claim.turn_id)
    assert record is not None
    assert (record.state, record.reason) == (TurnState.NEW, "Slack asks to wait")
    assert await texts(store.inbox) == [], "the next of the thread waits behind it"


async def test_a_turn_given_back_is_taken_again_when_its_time_has_come(store: Store):
    await store.inbox.put(ask("one"))
    await store.inbox.put(ask("two"))
    await store.inbox.later(await claimed(store.inbox), reason="the process stopped", after=0.05)
    claim = None
    while claim is None:
        claim = await store.inbox.claim(worker="w2", lease=60)
        await asyncio.sleep(0.01)
    assert (claim.incoming.text, claim.attempts, claim.deaths) == ("one", 2, 0)


async def test_an_answer_that_could_not_be_delivered_is_kept_for_the_next_try(store: Store):
    await store.inbox.put(ask("one"))
    await store.inbox.put(ask("two"))
    claim = await claimed(store.inbox)
    await store.inbox.answered(claim, answer())
    await store.inbox.later(claim, reason="Slack is down", after=0)
    record = await store.inbox.turn(claim.turn_id)
    assert record is not None
    assert record.state is TurnState.ANSWERED
    again = await claimed(store.inbox)
    assert (again.incoming.text, again.answer) == ("one", answer())


async def test_a_parked_turn_lets_the_next_one_run(store: Store):
    await store.inbox.put(ask("one"))
    await store.inbox.put(ask("two"))
    await store.inbox.park(await claimed(store.inbox), reason="The channel is archived.")
    assert await texts(store.inbox) == ["two"]


async def test_a_parked_turn_can_be_taken_up_again(store: Store):
    await store.inbox.put(ask("one"))
    claim = await claimed(store.inbox)
    await store.inbox.answered(claim, answer())
    await store.inbox.park(claim, reason="The channel is archived.")
    assert await store.inbox.retry(claim.turn_id)
    again = await claimed(store.inbox)
    assert (again.turn_id, again.answer, again.attempts, again.deaths) == (claim.turn_id, answer(), 1, 0)
    assert not await store.inbox.retry(claim.turn_id), "it is not parked any more"
    assert not await store.inbox.retry("no such turn")


async def test_a_turn_taken_up_again_waits_for_the_one_that_runs_now(store: Store):
    await store.inbox.put(ask("one"))
    await store.inbox.put(ask("two"))
    parked = await claimed(store.inbox)
    await store.inbox.park(parked, reason="The channel is archived.")
    running = await claimed(store.inbox)
    await store.inbox.retry(parked.turn_id)
    assert await texts(store.inbox) == []
    await store.inbox.done(running)
    assert await texts(store.inbox) == ["one"]


async def test_turns_are_listed_newest_first_and_by_state(store: Store):
    for text in ("one", "two", "three"):
        await store.inbox.put(ask(text, where=place(text)))
    await store.inbox.park(await claimed(store.inbox), reason="The channel is archived.")
    every = await store.inbox.turns(state=None, limit=2)
    parked = await store.inbox.turns(state=TurnState.PARKED, limit=10)
    assert [record.incoming.text for record in every] == ["three", "two"]
    assert [(record.incoming.text, record.reason) for record in parked] == [("one", "The channel is archived.")]
    assert await store.inbox.turn(parked[0].turn_id) == parked[0]
    assert await store.inbox.turn("no such turn") is None


async def test_a_finished_turn_shows_what_was_answered(store: Store):
    await store.inbox.put(ask("one"))
    claim = await claimed(store.inbox)
    await store.inbox.answered(claim, answer())
    await store.inbox.done(claim)
    record = await store.inbox.turn(claim.turn_id)
    assert record is not None
    assert (record.state, record.answer, record.reason) == (TurnState.DONE, answer(), None)


def _stop(where: Place, key: str = "stop-1") -> Signal:
    return Signal(kind=SignalKind.STOP, dedupe_key=key, place=where, person_id="U1", at=AT)


async def test_a_stop_reaches_the_running_turn_of_its_thread_only(store: Store):
    await store.inbox.put(ask("one"))
    await store.inbox.put(ask("two"))
    await store.inbox.put(ask("elsewhere", where=place("200.2")))
    running, elsewhere = await claimed(store.inbox), await claimed(store.inbox)
    assert await store.inbox.signal(_stop(place()))
    assert not await store.inbox.signal(_stop(place())), "a redelivered click is one click"
    asked = [await store.inbox.heartbeat(claim, lease=60) for claim in (running, elsewhere)]
    await store.inbox.done(running)
    following = await claimed(store.inbox)
    assert ([*asked, await store.inbox.heartbeat(following, lease=60)], following.incoming.text) == (
        [True, False, False],
        "two",
    )


async def test_a_stop_under_a_root_message_of_ours_reaches_the_turn_that_posts_it(store: Store):
    await store.inbox.put(ask("plan", where=place(""), kind=IncomingKind.COMMAND))
    await store.inbox.put(ask("another", where=place(""), kind=IncomingKind.COMMAND))
    plan, another = await claimed(store.inbox), await claimed(store.inbox)
    await store.inbox.journal(plan).shown(0, "300.1")
    await store.inbox.journal(another).shown(0, "300.2")
    await store.inbox.signal(_stop(place("300.1")))
    asked = [await store.inbox.heartbeat(claim, lease=60) for claim in (plan, another)]
    assert asked == [True, False]


async def test_a_stop_outlives_the_worker_it_was_meant_for(store: Store):
    await store.inbox.put(ask())
    await claimed(store.inbox, lease=EXPIRED)
    await store.inbox.signal(_stop(place()))
    assert await store.inbox.heartbeat(await claimed(store.inbox), lease=60)


async def test_a_cancelled_claim_gives_the_turn_back(store: Store):
    await store.inbox.put(ask("one"))
    claiming = asyncio.create_task(store.inbox.claim(worker="w1", lease=3600))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    claiming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await claiming
    claim = await claimed(store.inbox)
    assert (claim.incoming.text, claim.attempts, claim.deaths) == ("one", 1, 0)


async def test_a_request_that_this_version_cannot_read_is_parked_and_the_next_one_runs(store: Store):
    strange: Incoming = ask("strange").model_copy(update={"version": 2})
    await store.inbox.put(strange)
    await store.inbox.put(ask("plain"))
    assert await texts(store.inbox) == ["plain"]
    assert [record.incoming.text for record in await store.inbox.turns(state=None, limit=10)] == ["plain"]


async def test_a_wait_ends_when_a_turn_comes_in(store: Store):
    async with asyncio.timeout(30):
        waiting = asyncio.create_task(store.inbox.wait(600))
        await store.inbox.put(ask())
        await waiting


async def test_a_write_for_a_finished_turn_is_refused(store: Store):
    await store.inbox.put(ask())
    claim = await claimed(store.inbox)
    await store.inbox.done(claim)
    with pytest.raises(LeaseLost):
        await store.inbox.done(claim)
