"""`director feedback`."""

from __future__ import annotations

import pytest

from bot.domain import Place
from bot.feedback import Feedback, Rating
from tests.doubles.wiring import NOW, FakeWiring, FixedFeedback
from tests.handlers.cli.conftest import Command

PLACE = Place(platform="teams", workspace="acme", channel="19:c", thread="17")


def said(rating: Rating, words: str = "", *, message_id: str | None = "18") -> Feedback:
    return Feedback(place=PLACE, person_id="dana", message_id=message_id, rating=rating, words=words, at=NOW)


def row(rating: str, words: str, message: str | None = "18") -> dict[str, object]:
    return {
        "at": "2026-11-16T08:00:00Z",
        "rating": rating,
        "person": "dana",
        "place": "teams/acme/19:c/17",
        "message": message,
        "words": words,
    }


@pytest.fixture(autouse=True)
def _said(wiring: FakeWiring) -> None:
    wiring.the_store.feedback = FixedFeedback(
        [said("dislike", "too long\n\x1b[2Jreally"), said("like", message_id=None)]
    )


def test_what_people_said_is_listed(director: Command) -> None:
    first, second = row("dislike", "too long\n\x1b[2Jreally"), row("like", "", None)
    assert director("feedback", "--json").data == [first, second]
    assert director("feedback", "--limit", "1", "--json").data == [first]
    result = director("feedback")
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == [
        "at                    rating   person  place               message  words",
        "────────────────────  ───────  ──────  ──────────────────  ───────  ──────────────────",
        "2026-11-16T08:00:00Z  dislike  dana    teams/acme/19:c/17  18       too long [2Jreally",
        "2026-11-16T08:00:00Z  like     dana    teams/acme/19:c/17",
    ]


def test_no_feedback_yet_is_said(director: Command, wiring: FakeWiring) -> None:
    wiring.the_store.feedback = FixedFeedback()
    assert director("feedback").out == "Nobody has said yet whether an answer helped.\n"
    assert director("feedback", "--json").data == []


def test_a_limit_below_one_is_wrong_usage(director: Command) -> None:
    result = director("feedback", "--limit", "0")
    assert (result.code, result.out) == (2, "")
