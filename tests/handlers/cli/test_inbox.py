"""`director inbox`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain import Answer, Incoming, IncomingKind, Place, Reply, Text
from bot.ports import TurnRecord, TurnState
from tests.doubles.wiring import NOW, FakeWiring, FixedInbox
from tests.handlers.cli.conftest import Command


def turn(turn_id: str, state: TurnState, *, reason: str | None = None, answer: Answer | None = None) -> TurnRecord:
    return TurnRecord(
        turn_id=turn_id,
        state=state,
        incoming=Incoming(
            kind=IncomingKind.ASK,
            dedupe_key=turn_id,
            place=Place(platform="slack", workspace="T1", channel="C1", thread="1.0"),
            text="how is checkout?",
            received_at=NOW,
            speaker_id="U1",
        ),
        answer=answer,
        attempts=2,
        deaths=1,
        reason=reason,
        created_at=NOW,
        updated_at=NOW + timedelta(seconds=3),
    )


ANSWER = Answer(reply=Reply(summary="Fine", parts=(Text(markdown="Checkout is **fine**."),)))


@pytest.fixture(autouse=True)
def _turns(wiring: FakeWiring) -> None:
    wiring.the_store.inbox = FixedInbox(
        [turn("b2", TurnState.PARKED, reason="not in the channel"), turn("a1", TurnState.DONE, answer=ANSWER)]
    )


def row(turn_id: str, state: str, reason: str | None) -> dict[str, object]:
    return {
        "id": turn_id,
        "state": state,
        "kind": "ask",
        "place": "slack/T1/C1/1.0",
        "speaker": "U1",
        "text": "how is checkout?",
        "attempts": 2,
        "deaths": 1,
        "reason": reason,
        "created_at": "2026-11-16T08:00:00Z",
        "updated_at": "2026-11-16T08:00:03Z",
    }


def test_turns_are_listed(director: Command) -> None:
    parked, done = row("b2", "parked", "not in the channel"), row("a1", "done", None)
    assert director("inbox", "list", "--json").data == [parked, done]
    assert director("inbox", "list", "--state", "parked", "--json").data == [parked]
    assert director("inbox", "list", "--limit", "1", "--json").data == [parked]
    assert director("inbox", "list").out.splitlines()[2:] == [
        "b2  parked  ask   slack/T1/C1/1.0         2  2026-11-16T08:00:00Z  not in the channel",
        "a1  done    ask   slack/T1/C1/1.0         2  2026-11-16T08:00:00Z",
    ]


def test_an_unknown_state_names_those_there_are(director: Command) -> None:
    result = director("inbox", "list", "--state", "lost")
    assert (result.code, result.err) == (
        2,
        "There is no state 'lost'; there are new, running, answered, done, parked.\n",
    )


def test_a_turn_is_shown_with_its_answer(director: Command) -> None:
    result = director("inbox", "show", "a1")
    assert result.code == 0
    assert "text:         how is checkout?\n" in result.out
    assert result.out.endswith("\n\nCheckout is fine.\n")
    assert director("inbox", "show", "a1", "--json").data == row("a1", "done", None) | {
        "answer": ANSWER.model_dump(mode="json")
    }


def test_a_parked_turn_is_taken_up_again(director: Command, wiring: FakeWiring) -> None:
    result = director("inbox", "retry", "b2")
    assert (result.code, result.err) == (0, "Turn b2 is taken up again as soon as the Director runs.\n")
    assert wiring.the_store.inbox.retried == ["b2"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["retry", "a1"], "Turn a1 is done; only a parked turn can be taken up again.\n"),
        (["retry", "zz"], "There is no turn 'zz'; `director inbox list --state parked` shows parked ones.\n"),
        (["show", "zz"], "There is no turn 'zz'; `director inbox list` shows them.\n"),
    ],
)
def test_what_cannot_be_done_is_said(director: Command, words: list[str], said: str) -> None:
    result = director("inbox", *words)
    assert (result.code, result.out, result.err) == (2, "", said)
