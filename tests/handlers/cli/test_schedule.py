"""`director schedule`."""

from __future__ import annotations

import pytest

from bot.reliability import digest_reply, review_reply
from bot.reliability.assessment import Assessment
from handlers.terminal import render
from tests.doubles.wiring import NOW, FakeWiring
from tests.handlers.cli.conftest import Command

SENTENCE = "review every monday 09:00 Europe/Berlin in #payments for checkout"


def test_a_schedule_is_kept_for_its_channel(director: Command, wiring: FakeWiring) -> None:
    result = director("schedule", "add", SENTENCE)
    (schedule,) = wiring.the_store.schedules.rows.values()
    assert (result.code, result.out) == (0, "")
    assert result.err == (
        "Kept as s1: review every monday at 09:00 Europe/Berlin for checkout in #payments. "
        "First at 2026-11-23 09:00 Europe/Berlin.\n"
    )
    assert (schedule.place.workspace, schedule.place.channel, schedule.channel_name) == ("T1", "C1", "payments")
    assert (schedule.what, schedule.days, schedule.time, schedule.services) == ("review", (0,), "09:00", ("checkout",))
    assert (schedule.created_by, schedule.created_at, schedule.active_since) == (None, NOW, NOW)


def test_words_need_no_quotes_and_no_zone_means_utc(director: Command, wiring: FakeWiring) -> None:
    assert director("schedule", "add", *["digest", "every", "weekday", "08:30", "in", "#general"]).code == 0
    (schedule,) = wiring.the_store.schedules.rows.values()
    assert (schedule.what, schedule.zone, schedule.channel_name) == ("digest", "UTC", "general")


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        (
            "review every monday 09:00",
            'In which channel? Add it: director schedule add "review every monday 09:00 in #channel".\n',
        ),
        ("review every monday 09:00 in #secret", "I can't see a channel #secret; invite me there.\n"),
    ],
)
def test_a_schedule_without_a_channel_we_see_is_refused(
    director: Command, wiring: FakeWiring, sentence: str, said: str
) -> None:
    result = director("schedule", "add", sentence)
    assert (result.code, result.out, result.err) == (2, "", said)
    assert wiring.the_store.schedules.rows == {}


def test_a_wrong_word_is_pointed_at(director: Command) -> None:
    result = director("schedule", "add", "review every munday 09:00 in #general")
    assert result.code == 2
    assert "munday" in result.err
    assert "monday" in result.err


def test_schedules_are_listed_with_their_next_time(director: Command) -> None:
    director("schedule", "add", SENTENCE)
    assert director("schedule", "list", "--json").data == [
        {
            "id": "s1",
            "what": "review",
            "days": [0],
            "time": "09:00",
            "zone": "Europe/Berlin",
            "services": ["checkout"],
            "workspace": "T1",
            "channel": "C1",
            "channel_name": "payments",
            "paused": False,
            "next": "2026-11-23T08:00:00Z",
        }
    ]
    assert "  T1         2026-11-23T08:00:00Z\n" in director("schedule", "list").out


def test_pause_resume_and_remove(director: Command, wiring: FakeWiring) -> None:
    director("schedule", "add", SENTENCE)
    assert director("schedule", "pause", "S1").err == "s1 is paused; `director schedule resume s1` takes it up again.\n"
    assert [row["next"] for row in director("schedule", "list", "--json").data] == [None]
    resumed = director("schedule", "resume", "1")
    assert resumed.err == "s1 runs again: review every monday at 09:00 Europe/Berlin for checkout in #payments.\n"
    assert director("schedule", "remove", "s1").err == "s1 is removed.\n"
    assert wiring.the_store.schedules.rows == {}


def test_a_test_prints_what_would_be_posted_and_posts_nothing(director: Command, wiring: FakeWiring) -> None:
    (wiring.folder / "director.yml").write_text('channels: {"#general": {services: [search]}}')
    director("schedule", "add", SENTENCE)
    director("schedule", "add", "digest every day 08:00 in #general")
    checkout, search = wiring.the_reliability.items
    review = Assessment(at=NOW, items=(checkout,), asked=("checkout",))
    digest = Assessment(at=NOW, items=(search,), asked=("search",))
    assert director("schedule", "test", "s1").out == render(review_reply(review), width=100) + "\n"
    assert director("schedule", "test", "s2").out == render(digest_reply(digest), width=100) + "\n"
    assert wiring.board.posts == []


@pytest.mark.parametrize("verb", ["pause", "resume", "remove", "test"])
def test_a_schedule_that_is_not_there_is_said(director: Command, verb: str) -> None:
    result = director("schedule", verb, "s9")
    assert (result.code, result.err) == (2, "There is no schedule 's9'; `director schedule list` shows them.\n")


def test_an_empty_list_says_how_to_begin(director: Command) -> None:
    assert director("schedule", "list").out == (
        'Nothing is scheduled. Try: director schedule add "review every monday 09:00 UTC in #channel"\n'
    )
