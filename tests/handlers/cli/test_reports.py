"""`director status`, `review`, `digest`."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.domain import Place
from bot.errors import DirectorError
from bot.reliability import State, digest_reply, review_reply, status_reply
from bot.reliability.assessment import Assessment
from handlers.terminal import render
from tests.doubles.wiring import NOW, FakeWiring, FixedReliability, objective
from tests.handlers.cli.conftest import Command


@pytest.mark.parametrize("what", ["status", "review", "digest"])
def test_json_is_the_contracts_list(director: Command, wiring: FakeWiring, what: str) -> None:
    result = director(what, "--json")
    assert (result.code, result.err) == (0, "")
    assert result.data == [item.contract() for item in wiring.the_reliability.items]


def test_text_is_the_default(director: Command, wiring: FakeWiring) -> None:
    assessment = Assessment(at=NOW, items=wiring.the_reliability.items)
    digest = digest_reply(assessment).model_copy(update={"detail": ()})  # one screen
    for what, reply in (("status", status_reply(assessment)), ("review", review_reply(assessment)), ("digest", digest)):
        whole = render(reply, width=100) + "\n"
        assert director(what).out == whole
        assert director(what, "--text").out == whole


def test_services_and_time_are_handed_on(director: Command, wiring: FakeWiring) -> None:
    director("review", "--service", "search", "--service", "checkout", "--at", "2026-11-16T08:30:00+01:00")
    director("status", "search")
    director("digest")
    at = datetime(2026, 11, 16, 7, 30, tzinfo=UTC)
    assert wiring.the_reliability.issued == [(["search", "checkout"], at), (None, NOW)]
    assert wiring.the_reliability.asked == [(["search"], NOW)]


@pytest.mark.parametrize("what", ["status", "review", "digest"])
def test_what_is_asked_and_said_is_remembered_in_the_database(director: Command, wiring: FakeWiring, what: str) -> None:
    assert (director(what).code, wiring.remembering) == (0, [True])


@pytest.mark.parametrize("what", ["status", "review", "digest"])
def test_without_a_database_the_figures_come_all_the_same_and_a_line_says_why_none_is_remembered(
    director: Command, wiring: FakeWiring, what: str
) -> None:
    wiring.no_store = DirectorError("SQLite file director.db: it is read-only; check the rights of the file.")
    result = director(what, "--json")
    assert result.data == [item.contract() for item in wiring.the_reliability.items]
    assert (result.code, wiring.remembering) == (0, [False])
    assert result.err == (
        "Nothing of this is remembered: SQLite file director.db: it is read-only; check the rights of the file.\n"
    )


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ((State.OK, State.EXHAUSTED), 0),
        ((State.OK, State.QUERY_FAILED), 1),
        ((State.OK, State.NO_DATA), 1),
        ((State.OK, State.LOW_VOLUME), 0),
    ],
)
def test_missing_data_is_exit_code_1(
    director: Command, wiring: FakeWiring, states: tuple[State, State], code: int
) -> None:
    wiring.the_reliability = FixedReliability(
        tuple(objective(f"s{index}", state) for index, state in enumerate(states))
    )
    result = director("review", "--json")
    assert result.code == code
    assert [item["state"] for item in result.data] == list(states)


def test_metrics_that_cannot_be_reached_are_exit_code_3_with_the_whole_list(
    director: Command, wiring: FakeWiring
) -> None:
    items = tuple(objective(name, State.QUERY_FAILED, unreachable=True) for name in ("checkout", "search"))
    wiring.the_reliability = FixedReliability(items)
    result = director("review", "--json")
    assert result.code == 3
    assert [(item["service"], item["state"], item["sli"]) for item in result.data] == [
        ("checkout", "QUERY_FAILED", None),
        ("search", "QUERY_FAILED", None),
    ]


def test_an_unknown_service_is_exit_code_2(director: Command) -> None:
    result = director("review", "--service", "chekout", "--json")
    assert (result.code, result.out, result.err) == (2, "", "There is no service 'chekout'.\n")


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("yesterday", "is no RFC 3339 time; write date, time and offset, for example 2026-11-16T08:00:00Z."),
        ("2026-11-15", "is no RFC 3339 time; write date, time and offset, for example 2026-11-16T08:00:00Z."),
        (
            "2026-11-15T08:00:00",
            "names no offset from UTC; add Z or one such as +01:00, for example 2026-11-16T08:00:00Z.",
        ),
        ("2026-11-16T08:00:01Z", "is still to come (it is 2026-11-16T08:00:00Z); give a past time."),
        (
            "2026-02-30T08:00:00Z",
            "is no time that exists (day is out of range for month); for example 2026-11-16T08:00:00Z.",
        ),
        ("0001-01-01T00:00:00+05:00", "lies outside of the calendar; for example 2026-11-16T08:00:00Z."),
    ],
)
def test_a_bad_time_is_refused_with_what_is_wrong(director: Command, at: str, said: str) -> None:
    result = director("review", "--at", at)
    assert (result.code, result.out, result.err) == (2, "", f"--at '{at}' {said}\n")


@pytest.mark.parametrize("at", ["2026-11-15t08:00:00z", "2026-11-15 08:00:00.000Z", "2026-11-15T10:00:00+02:00"])
def test_rfc_3339_may_be_written_in_its_ways(director: Command, wiring: FakeWiring, at: str) -> None:
    assert director("digest", "--at", at).code == 0
    assert wiring.the_reliability.issued == [(None, datetime(2026, 11, 15, 8, tzinfo=UTC))]


def test_a_review_can_be_posted_in_a_channel(director: Command, wiring: FakeWiring) -> None:
    result = director("review", "--post", "#payments")
    assert (result.code, result.out, result.err) == (0, "", "Posted the review in #payments.\n")
    place = Place(platform="slack", workspace="T1", channel="C1")
    assert wiring.board.posts == [(place, review_reply(Assessment(at=NOW, items=wiring.the_reliability.items)))]


def test_posted_and_printed_at_once(director: Command, wiring: FakeWiring) -> None:
    result = director("digest", "--post", "general", "--json")
    assert [item["service"] for item in result.data] == ["checkout", "search"]
    assert [place.channel for place, _ in wiring.board.posts] == ["C2"]


def test_a_channel_that_cannot_be_seen_is_said(director: Command, wiring: FakeWiring) -> None:
    result = director("review", "--post", "#secret")
    assert (result.code, result.err) == (2, "I can't see a channel #secret; invite me there.\n")
    assert wiring.board.posts == []


def test_html_is_refused_and_nothing_is_written(director: Command, wiring: FakeWiring) -> None:
    path = wiring.folder / "review.html"
    result = director("review", "--html", str(path))
    assert (result.code, result.out) == (2, "")
    assert result.err == f"--html is not in this version yet; use --text or --json ({path} was not written).\n"
    assert not path.exists()


def test_two_forms_at_once_are_refused(director: Command) -> None:
    assert director("review", "--json", "--text").err == "Choose one of --json, --text and --html.\n"


def test_without_slos_it_says_where_they_belong(director: Command, wiring: FakeWiring) -> None:
    (wiring.folder / "slos").rmdir()
    result = director("review", "--json")
    assert (result.code, result.out) == (2, "")
    assert result.err == (
        "There are no SLOs to judge: set DIRECTOR_SLOS to OpenSLO files or folders, or make ./slos.\n"
    )
