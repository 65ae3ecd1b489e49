"""Status, digest and review: short, whole, worst first, and nothing that the assessment doesn't hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.domain import Chart, Heading, Note, Part, Reply, Table, Text
from bot.reliability import Assessment, digest_reply, review_reply, status_reply
from tests.bot.reliability.samples import AT, HOURS, assessment, failed, judged, measured, promise

DOWN = "Prometheus at http://prometheus:9090 can't be reached; check PROMETHEUS_URL."
SOURCE = "Evaluated Mon 16 Nov 2026 08:00 UTC from Prometheus 3.5.3 at http://prometheus:9090. Rolling window: 28d."


def mixed() -> Assessment:
    return assessment(
        (promise("checkout"), measured(part=2469.0, burn={"24h": (3.0, 1000.0), "7d": (700.0, 700_000.0)})),
        (promise("payments"), measured(part=1700.0)),
        (promise("search"), measured(part=500.0)),
        (promise("catalog"), measured(part=100.0)),
        (promise("partner"), measured(part=1.0, total=140.0)),
        (promise("mail"), measured(sampled=[False] * (HOURS - 48) + [True] * 48)),
    )


def texts(parts: tuple[Part, ...]) -> list[str]:
    return [part.markdown for part in parts if isinstance(part, Text | Note)]


def tables(parts: tuple[Part, ...]) -> list[Table]:
    return [part for part in parts if isinstance(part, Table)]


def test_the_review_names_the_worst_and_asks_for_a_decision() -> None:
    found = review_reply(mixed())
    assert found.summary == (
        "Weekly reliability review: 1 exhausted, 1 at risk, 1 with partial history, 1 with low volume and 2 OK "
        "(checkout exhausted)"
    )
    assert found.parts[0] == Heading(text="Weekly reliability review · 16 Nov 2026")
    assert texts(found.parts) == [
        (
            "**checkout** has no error budget left; **payments** is at risk. 6 objectives: 1 exhausted, 1 at risk, "
            "1 with partial history, 1 with low volume and 2 OK.\n\n"
            "*Decision asked for:* hold feature releases of checkout until the budget recovers, "
            "or record an exception with an owner."
        ),
        "Within budget, each with at least 75.0% left: search and catalog.",
        (
            "**Forecast if the last 7 days' burn goes on**\n"
            "- checkout: The budget does not recover within 28 days unless the burn slows."
        ),
        (
            "**Data quality**\n"
            "- mail: Only 2 of 28 days have samples, none before Sat 14 Nov 2026 08:00 UTC; the budget can't be "
            "judged yet.\n"
            "- partner: 1 of 140 events was bad; with less than one allowed, "
            "a single failure weighs too much to judge the budget."
        ),
        SOURCE,
    ]


def test_the_review_s_table_holds_what_moved_or_is_not_in_order_worst_first() -> None:
    assert tables(review_reply(mixed()).parts) == [
        Table(
            columns=("Objective", "State", "Budget left", "Used in 7d", "Burn 24h"),
            rows=(
                ("checkout", "🔴 Exhausted", "-23.4%", "35.0%", "3.0×"),
                ("payments", "🟠 At risk", "15.0%", "0%", "0×"),
                ("mail", "⚪ Partial history", "80.0%", "0%", "0×"),
                ("partner", "⚪ Low volume", "1 of 140 bad", "0%", "0×"),
            ),
            numeric=(2, 3, 4),
        )
    ]


def test_the_review_s_chart_burns_down_from_whole_to_what_is_left() -> None:
    charts = [part for part in review_reply(mixed()).parts if isinstance(part, Chart)]
    assert len(charts) == 1
    chart = charts[0]
    assert (chart.form, chart.title, chart.threshold, len(chart.categories)) == (
        "line",
        "Error budget left, last 28 days",
        0.0,
        15,
    )
    assert [(one.name, one.values[0], one.values[-1]) for one in chart.series] == [
        ("checkout", 100.0, -23.4),
        ("payments", 100.0, 15.0),
        ("search", 100.0, 75.0),
        ("catalog", 100.0, 95.0),
    ]
    assert chart.alt.endswith(
        "checkout ends at -23.4%; payments ends at 15.0%; search ends at 75.0%; catalog ends at 95.0%."
    )


def test_every_figure_s_query_stands_in_the_thread() -> None:
    detail = "\n".join(texts(review_reply(mixed()).detail))
    assert detail.count("bad: sum(increase(bad[28d]))\ntotal: sum(increase(total[28d]))") == 6


def test_the_digest_fits_one_screen_of_a_phone() -> None:
    found = digest_reply(mixed(), remark="This was due at 08:00 and is late.")
    assert found.parts[1] == Note(markdown="This was due at 08:00 and is late.")
    assert [table.columns for table in tables(found.parts)] == [("Objective", "State", "Budget left")]
    assert sum(len(text) for text in texts(found.parts)) < 800


def test_a_status_says_a_few_objectives_in_sentences_and_many_in_a_table() -> None:
    few = status_reply(assessment((promise("search"), measured(part=500.0))))
    assert texts(few.parts) == [
        "**The objective is within its error budget.**",
        "**search**: 75.0% of the error budget is left: 500 of 2,000,000 events were bad.",
        SOURCE,
    ]
    assert [row[0] for row in tables(status_reply(mixed()).parts)[0].rows] == [
        "checkout",
        "payments",
        "mail",
        "partner",
        "search",
        "catalog",
    ]


@pytest.mark.parametrize("reply", [review_reply, digest_reply, status_reply])
def test_when_nobody_answers_the_headline_says_it_once(reply: Callable[[Assessment], Reply]) -> None:
    found = reply(assessment(*((promise(f"s{number}"), failed(DOWN, unreachable=True)) for number in range(90))))
    said = "\n".join(texts(found.parts))
    assert said.startswith(f"**Nothing could be judged**: 90 with a failed query. {DOWN}")
    assert (said.count(DOWN), "more" in said) == (1, False)
    assert [part for part in found.parts if isinstance(part, Chart | Table)] == []


@pytest.mark.parametrize("reply", [review_reply, digest_reply, status_reply])
def test_without_definitions_it_says_what_to_do(reply: Callable[[Assessment], Reply]) -> None:
    assert texts(reply(assessment()).parts) == [
        "No objectives are defined yet. Put OpenSLO files into a folder and set DIRECTOR_SLOS to it."
    ]


def test_all_green_needs_no_decision_and_shows_what_is_left_as_bars() -> None:
    found = review_reply(assessment(*((promise(f"s{number}"), measured(part=float(number))) for number in range(5))))
    assert texts(found.parts)[:2] == [
        "**All 5 objectives are within their error budgets.**\n\n*No decision is needed this week.*",
        "Within budget, each with at least 99.8% left: s4, s3, s2, s1 and s0.",
    ]
    chart = next(part for part in found.parts if isinstance(part, Chart))
    assert (chart.form, chart.categories) == ("bar", ("s4", "s3", "s2", "s1", "s0"))


@pytest.mark.parametrize("bad", [0.0, 5000.0, None])
@pytest.mark.parametrize("reply", [review_reply, digest_reply, status_reply])
@pytest.mark.parametrize("services", [1, 2, 13, 100])
def test_any_number_of_services_stays_within_what_platforms_take(
    bad: float | None, reply: Callable[[Assessment], Reply], services: int
) -> None:
    answer = failed(DOWN) if bad is None else measured(part=bad)
    found = reply(assessment(*((promise(f"service-{number:04}"), answer) for number in range(services))))
    assert sum(len(text) for text in texts(found.parts)) < 3000
    assert len(found.summary) < 200
    assert max((len(table.rows) for table in tables(found.parts)), default=0) <= 20
    assert max((len(table.rows) for table in tables(found.detail)), default=0) <= 99
    for part in (*found.parts, *found.detail):
        if isinstance(part, Chart):
            assert len(part.categories) <= 20
            assert len(part.series) <= 12
            assert max(len(label) for label in (*part.categories, *(one.name for one in part.series))) <= 20
            assert len(part.title) <= 50


def test_every_objective_of_a_thousand_is_in_the_thread() -> None:
    one = judged(measured(part=5000.0))
    items = tuple(replace(one, definition=promise(f"s{number:04}")) for number in range(1000))
    found = review_reply(Assessment(AT, items))
    assert len({row[0] for table in tables(found.detail) for row in table.rows}) == 1000


def test_objectives_of_one_service_are_told_apart() -> None:
    found = status_reply(
        assessment(
            (promise("shop", slo="shop-errors", name="strict"), measured()),
            (promise("shop", "0.99", slo="shop-errors", name="relaxed"), measured()),
            (promise("shop", slo="latency"), measured()),
            (promise("mail"), measured()),
        )
    )
    assert {row[0] for row in tables(found.parts)[0].rows} == {
        "shop-errors strict",
        "shop-errors relaxed",
        "shop latency",
        "mail",
    }


def test_more_doubts_about_the_data_than_fit_are_named() -> None:
    reply = digest_reply(assessment(*((promise(f"s{number}"), failed(f"Broken {number}.")) for number in range(6))))
    assert [text for text in texts(reply.parts) if text.startswith("**Data quality**")] == [
        "**Data quality**\n- s0: Broken 0.\n- s1: Broken 1.\n- s2: Broken 2.\n- 3 more objectives: s3, s4 and s5."
    ]


def test_a_chart_cuts_long_names_so_that_they_still_differ() -> None:
    names = ("payments-gateway-europe-east", "payments-gateway-europe-west", "exactly-20-characters"[:20])
    reply = review_reply(assessment(*((promise(name), measured()) for name in names)))
    [chart] = [part for part in reply.parts if isinstance(part, Chart)]
    assert chart.categories == ("exactly-20-character", "payments-…urope-east", "payments-…urope-west")
    assert {len(name) for name in chart.categories} == {20}


def test_a_service_s_name_is_shown_as_it_is_whatever_signs_are_in_it() -> None:
    name, said = "*odd*_[name](https://evil.example) `a_b`", r"\*odd\*\_\[name\](https://evil.example) \`a_b\`"
    found = review_reply(
        assessment(
            (promise(name, slo="_slo_"), measured(part=2469.0)),
            (promise("payments"), measured(part=100.0)),
        )
    )
    assert found.summary == f"Weekly reliability review: 1 exhausted and 1 OK ({name} exhausted)"
    assert texts(found.parts)[0].startswith(f"**{said}** has no error budget left.")
    assert tables(found.parts)[0].rows[0][0] == name
    assert texts(found.detail)[0].startswith(rf"**{said}** 🔴 Exhausted · \_slo\_")


def test_a_status_gives_a_reason_once() -> None:
    one = status_reply(assessment((promise("search"), failed(DOWN, unreachable=True))))
    assert texts(one.parts)[:2] == ["**search**: query failed.", f"**search**: {DOWN}"]
    three = status_reply(assessment(*((promise(f"s{number}"), failed(DOWN, unreachable=True)) for number in range(3))))
    assert texts(three.parts)[:1] == [f"**Nothing could be judged**: 3 with a failed query. {DOWN}"]
    for reply in (one, three):
        assert "\n".join(texts(reply.parts)).count(DOWN) == 1


def test_a_source_that_failed_is_not_named_beside_the_one_that_answered() -> None:
    found = status_reply(assessment((promise("search"), measured()), (promise("checkout"), failed())))
    assert texts(found.parts)[-1] == SOURCE


@pytest.mark.parametrize("reply", [review_reply, digest_reply, status_reply])
def test_a_sentence_with_a_query_in_it_is_shown_as_it_is(reply: Callable[[Assessment], Reply]) -> None:
    refused = failed('Prometheus refused up{job=~"a.*|b.*"}[28d](x); check it.')
    for found in (assessment((promise(), refused)), assessment((promise(), refused), (promise("search"), measured()))):
        said = "\n".join(texts(reply(found).parts))
        assert r'Prometheus refused up{job=\~"a.\*\|b.\*"}\[28d\](x); check it.' in said
