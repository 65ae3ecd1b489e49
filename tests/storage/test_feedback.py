"""What people say of answers is kept whole, read newest first, and stops nobody's work."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from bot.domain import Place, Signal, SignalKind
from bot.feedback import Feedback
from storage import Store
from storage.address import parse
from storage.database import migration_engine
from tests.storage.examples import AT, ask, claimed, place


def signal(number: int, value: str = "like", **changes: Any) -> Signal:
    return Signal.model_validate(
        {
            "kind": SignalKind.FEEDBACK,
            "dedupe_key": f"teams:T1:C1:{number}",
            "place": place(),
            "person_id": "U1",
            "at": AT + timedelta(seconds=number),
            "message_id": "200.1",
            "value": value,
        }
        | changes
    )


def feedback(said: Signal) -> Feedback:
    return Feedback(
        place=said.place,
        person_id=said.person_id,
        message_id=said.message_id,
        rating="like" if said.value == "like" else "dislike",
        words=said.text,
        at=said.at,
    )


async def _latest(store: Store, workspace: str | None = None, limit: int = 50) -> list[Feedback]:
    return list(await store.feedback.latest(workspace=workspace, limit=limit))


async def test_feedback_comes_back_whole_newest_first(store: Store):
    words = 'Wrong: "kind":"stop" 🧾\0 \\ {"kind":"feedback"} – and ' + "long " * 2_000
    first, second = signal(1, "dislike", text=words), signal(2, message_id="300.1")
    for said in (first, second):
        assert await store.inbox.signal(said) is True
    assert await _latest(store) == [feedback(second), feedback(first)]
    assert await _latest(store, limit=1) == [feedback(second)]


async def test_feedback_that_is_delivered_twice_is_one(store: Store):
    assert [await store.inbox.signal(signal(1)), await store.inbox.signal(signal(1))] == [True, False]
    assert await _latest(store) == [feedback(signal(1))]


async def test_who_changes_their_mind_is_heard_by_the_last_word(store: Store):
    first = [signal(1, "like"), signal(2, "dislike", person_id="U2"), signal(3, "dislike", message_id="300.1")]
    mind = signal(4, "dislike", text="on second thoughts", place=place("other thread"))
    for said in (*first, mind):
        await store.inbox.signal(said)
    assert await _latest(store) == [feedback(mind), feedback(first[2]), feedback(first[1])]


async def test_feedback_on_no_message_in_particular_is_never_taken_for_a_change_of_mind(store: Store):
    both = [signal(number, message_id=None) for number in (1, 2)]
    for said in both:
        await store.inbox.signal(said)
    assert await _latest(store) == [feedback(both[1]), feedback(both[0])]


async def test_the_same_message_id_elsewhere_is_another_message(store: Store):
    elsewhere = [
        signal(1),
        signal(2, place=place(workspace="T2")),
        signal(3, place=place(channel="C2")),
        signal(4, place=Place(platform="teams", workspace="T1", channel="C1")),
    ]
    for said in elsewhere:
        await store.inbox.signal(said)
    assert await _latest(store) == [feedback(said) for said in reversed(elsewhere)]
    assert await _latest(store, workspace="T2") == [feedback(elsewhere[1])]
    assert await _latest(store, workspace="T3") == []


async def test_other_signals_and_unknown_ratings_are_no_feedback(store: Store):
    await store.inbox.signal(signal(1, kind=SignalKind.STOP, value="", text='"kind":"feedback"'))
    await store.inbox.signal(signal(2, value="shrug"))
    assert await _latest(store) == []


async def test_what_another_version_stored_is_left_out(store: Store, url: str):
    await store.inbox.signal(signal(1))
    await store.inbox.signal(signal(2, message_id="300.1"))
    engine = migration_engine(parse(url))
    with engine.begin() as connection:
        newer = {"newer": '{"kind":"feedback","version":9}'}
        connection.execute(text("UPDATE signals SET signal = :newer WHERE seq = 1"), newer)
    engine.dispose()
    assert await _latest(store) == [feedback(signal(2, message_id="300.1"))]


async def test_feedback_stops_no_turn_and_keeps_none_from_starting(store: Store):
    await store.inbox.put(ask("running"))
    claim = await claimed(store.inbox)
    await store.inbox.signal(signal(1, "dislike", text="stop", message_id=place().thread))
    assert await store.inbox.heartbeat(claim, lease=60.0) is False
    await store.inbox.done(claim)
    await store.inbox.put(ask("next"))
    assert (await claimed(store.inbox)).incoming.text == "next"


async def test_the_newest_of_thousands_are_found_under_all_that_changed_minds(store: Store):
    kept = [signal(number, message_id=f"m{number}") for number in range(3)]
    minds = [signal(100 + number, "dislike" if number % 2 else "like", message_id="m2") for number in range(1_200)]
    for said in (*kept, *minds):
        await store.inbox.signal(said)
    assert await _latest(store, limit=2) == [feedback(minds[-1]), feedback(kept[1])]
