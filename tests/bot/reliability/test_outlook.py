"""What reviews say of burns, forecasts, exclusions and doubts: short, the largest first, never a cause."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from bot.domain import Chart, Note, Part, Table, Text
from bot.reliability import Assessment, Objective, State, digest_reply, facts, review_reply, status_reply
from bot.reliability.assessment import Remark
from bot.reliability.definitions import ObjectiveDefinition, Slices
from bot.reliability.deploys import Deploy
from bot.reliability.forecast import Forecast, Relief
from bot.reliability.hours import HOUR, Hours
from bot.reliability.incidents import Burner, Incident
from bot.reliability.metrics import Measured, Tally
from bot.reliability.outlook import forecast_sentence, incident_words
from bot.reliability.state import judge
from bot.reliability.windows import CalendarWindow, Span
from tests.bot.reliability.samples import AT, HOURS, assessment, judged, measured, promise

MONTH = CalendarWindow.of(1, "M", datetime(2026, 1, 1), "UTC")  # noqa: DTZ001 - local time of its zone
BERLIN = CalendarWindow.of(1, "M", datetime(2026, 1, 1), "Europe/Berlin")  # noqa: DTZ001 - local time of its zone


def burning(burns: Mapping[int, float], *, recent: float = 84.0) -> Measured:
    """Hours before T -> bad events, half a one in every other hour; `recent` are those of the last seven days."""
    bad = array("d", [0.5] * HOURS)
    for ago, events in burns.items():
        bad[HOURS - ago] = events
    total = array("d", [1000.0] * HOURS)
    tally = Tally(Fraction(sum(bad)), Fraction(sum(total)))
    hours = Hours(AT - (HOURS - 1) * HOUR, HOUR, bad, total)
    return replace(measured(burn={"7d": (recent, 168_000.0)}), tally=tally, by_hours=tally, hours=hours)


def texts(parts: tuple[Part, ...]) -> list[str]:
    return [part.markdown for part in parts if isinstance(part, Text | Note)]


def part(parts: tuple[Part, ...], title: str) -> str | None:
    return next((text for text in texts(parts) if text.startswith(f"**{title}**")), None)


def test_the_review_tells_the_largest_burns_first() -> None:
    found = review_reply(
        assessment(
            (promise("checkout"), burning({600: 501.0, 50: 40.0, 49: 40.0})),
            (promise("search"), burning({300: 100.0})),
            (promise("calm"), burning({})),
        )
    )
    assert part(found.parts, "What burned") == (
        "**What burned**\n"
        "- checkout: 74.6% of its 28d budget in 1 h, Thu 22 Oct 2026 08:00–09:00 UTC\n"
        "- search: 14.9% of its 28d budget in 1 h, Tue 3 Nov 2026 20:00–21:00 UTC\n"
        "- checkout: 11.9% of its 28d budget in 2 h, Sat 14 Nov 2026 06:00–08:00 UTC"
    )


def test_burns_beyond_the_first_few_are_counted() -> None:
    many = assessment(*((promise(f"s{number}"), burning({100: 60.0 + number})) for number in range(8)))
    said = part(review_reply(many).parts, "What burned")
    assert said is not None
    assert (said.count("\n"), said.splitlines()[-1]) == (6, "- 3 more burns.")


def test_the_digest_tells_only_what_burned_since_the_day_before() -> None:
    found = digest_reply(assessment((promise(), burning({600: 501.0, 24: 40.0, 23: 40.0}))))
    assert part(found.parts, "What burned") == (
        "**What burned**\n- checkout: 11.9% of its 28d budget in 2 h, Sun 15 Nov 2026 08:00–10:00 UTC"
    )
    assert part(digest_reply(assessment((promise(), burning({600: 501.0})))).parts, "What burned") is None


def incident(**more: tuple[Deploy, ...] | tuple[Burner, ...]) -> Incident:
    return Incident(Span(AT - 9 * HOUR, AT - 7 * HOUR), Fraction(501), Fraction(745, 1000), **more)  # type: ignore[arg-type]


DEPLOY = Deploy("checkout", AT - 9 * HOUR - timedelta(minutes=8), "1.4*2", "https://evil.example")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (incident(), ""),
        (incident(deploys=(DEPLOY,)), r"; coincides with the deploy of 1.4\*2 at 22:52 UTC"),
        (
            incident(deploys=(DEPLOY, replace(DEPLOY, version="a"), replace(DEPLOY, version="b"))),
            (r"; coincides with the deploys of 1.4\*2 at 22:52 UTC, a at 22:52 UTC and 1 more"),
        ),
        (
            incident(burners=(Burner("route", "/pay", Fraction(400)), Burner("route", "[x](y)", Fraction(9)))),
            r"; largest sources: route=/pay (400) and route=\[x\](y) (9)",
        ),
    ],
)
def test_deploys_coincide_and_burners_are_counted(told: Incident, words: str) -> None:
    found = incident_words(told, judged(measured()))
    assert found == f"74.5% of its 28d budget in 2 h, Sun 15 Nov 23:00 to Mon 16 Nov 2026 01:00 UTC{words}"
    assert "caus" not in found


def with_forecast(forecast: Forecast | None, answer: Measured, definition: ObjectiveDefinition | None = None) -> str:
    return forecast_sentence(replace(judged(answer, definition), forecast=forecast))


THEN = AT + timedelta(days=3)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (with_forecast(None, measured()), ""),
        (with_forecast(Forecast(), measured()), ""),
        (
            with_forecast(Forecast(exhausts_at=THEN), measured()),
            (
                "If the last 7 days' burn goes on, the budget is gone by Thu 19 Nov 2026 08:00 UTC, even as old errors "
                "leave the window."
            ),
        ),
        (
            with_forecast(Forecast(), measured(burn={"7d": (30.0, 1000.0)})),
            (
                "If the last 7 days' burn goes on, the budget still lasts 28 days or more, as old errors leave the "
                "window."
            ),
        ),
        (with_forecast(Forecast(), measured(part=1600.0)), ""),
        (
            with_forecast(Forecast(recovers_at=THEN), measured(part=2469.0)),
            (
                "If the last 7 days' burn goes on, the budget recovers by Thu 19 Nov 2026 08:00 UTC, as old errors "
                "leave the window."
            ),
        ),
        (
            with_forecast(Forecast(), measured(part=2469.0)),
            "The budget does not recover within 28 days unless the burn slows.",
        ),
        (
            with_forecast(Forecast(relief=Relief(THEN, Fraction(745, 1000))), measured()),
            (
                "By Thu 19 Nov 2026 08:00 UTC the budget looks 74.5 points better, but only because an old burn leaves "
                "the window."
            ),
        ),
        (
            with_forecast(Forecast(recovers_at=THEN, relief=Relief(THEN, Fraction(745, 1000))), measured(part=2469.0)),
            (
                "If the last 7 days' burn goes on, the budget recovers by Thu 19 Nov 2026 08:00 UTC, but only because "
                "an old burn of 74.5% of the budget leaves the window."
            ),
        ),
        (
            with_forecast(Forecast(recovers_at=THEN), measured(part=2469.0), promise(window=MONTH)),
            "The budget begins anew on Thu 19 Nov 2026 08:00 UTC.",
        ),
        (
            with_forecast(Forecast(recovers_at=THEN), measured(part=2469.0), promise(window=BERLIN)),
            "The budget begins anew on Thu 19 Nov 2026 09:00 Europe/Berlin.",
        ),
        (
            with_forecast(Forecast(exhausts_at=THEN), measured(part=1600.0), promise(window=MONTH)),
            "If the last 7 days' burn goes on, the budget is gone by Thu 19 Nov 2026 08:00 UTC.",
        ),
    ],
    ids=range(12),
)
def test_a_forecast_adds_to_the_state_what_it_doesn_t_say(found: str, sentence: str) -> None:
    assert found == sentence


def test_the_review_and_the_status_say_what_becomes_of_a_spent_budget() -> None:
    found = assessment((promise(), burning({600: 501.0})))
    said = (
        "he budget recovers by Thu 19 Nov 2026 09:00 UTC, but only because an old burn of 74.6% of the budget leaves "
        "the window."
    )
    title = "Forecast if the last 7 days' burn goes on"
    assert part(review_reply(found).parts, title) == f"**{title}**\n- checkout: T{said}"
    assert f"If the last 7 days' burn goes on, t{said}" in "\n".join(texts(status_reply(found).parts))


def test_a_forecast_that_several_share_is_said_once() -> None:
    found = assessment(*((promise(f"s{number}"), burning({600: 501.0})) for number in range(7)))
    said = part(review_reply(found).parts, "Forecast if the last 7 days' burn goes on")
    assert said is not None
    assert said.partition("\n")[2] == (
        "- s0, s1, s2 and 4 more: The budget recovers by Thu 19 Nov 2026 09:00 UTC, but only because an old burn of "
        "74.6% of the budget leaves the window."
    )


def test_a_deploy_without_a_version_is_told_by_its_service() -> None:
    found = incident_words(incident(deploys=(replace(DEPLOY, version=""),)), judged(measured()))
    assert found.endswith("; coincides with the deploy of checkout at 22:52 UTC")


def test_exclusions_are_shown_once_for_all_that_have_them() -> None:
    def left_out(item: Objective) -> Objective:
        note = Remark("excluded_windows", "left out 4 times, 4 h in all with 9 events: nights [x] (dana)")
        return replace(item, remarks=(note,))

    items = tuple(left_out(judged(measured(), promise(name))) for name in ("checkout", "search"))
    for reply in (review_reply(Assessment(AT, items)), digest_reply(Assessment(AT, items))):
        assert part(reply.parts, "Left out of the figures") == (
            "**Left out of the figures**\n"
            r"- checkout and search: 4 times, 4 h in all with 9 events: nights \[x\] (dana)"
        )
        assert part(reply.parts, "Data quality") is None


# --- doubts ---


def doubted() -> Assessment:
    return assessment(
        (promise("checkout"), measured(part=None, matched=False)),
        (promise("search"), measured(part=500.0)),
    )


def test_what_is_in_doubt_is_not_among_the_green() -> None:
    reply = review_reply(doubted())
    assert reply.summary == "Weekly reliability review: 2 OK (1 of them in doubt)"
    assert texts(reply.parts)[:3] == [
        (
            "All 2 objectives are within their error budgets by their figures; **checkout** is in doubt.\n\n"
            "*No decision is needed this week.*"
        ),
        "Within budget, with 75.0% left: search. Within budget by the figures, but in doubt: checkout.",
        (
            "**Data quality**\n- checkout: the bad query matched no series in the window: either nothing went bad, or "
            "its labels are wrong."
        ),
    ]
    [table] = [one for one in status_reply(doubted()).parts if isinstance(one, Table)]
    assert [row[:2] for row in table.rows] == [("search", "🟢 OK"), ("checkout", "🟡 OK, in doubt")]


def test_a_single_objective_in_doubt_says_so() -> None:
    found = assessment((promise(), measured(part=None, matched=False)))
    assert texts(status_reply(found).parts)[0] == "**The objective is within its error budget, but in doubt.**"
    assert next((fact.text, fact.meaning) for fact in facts(found)) == (
        "OK, in doubt",
        "state of the error budget over 28d",
    )


def test_a_measurement_that_contradicts_itself_needs_someone_to_repair_it() -> None:
    apart = replace(measured(), by_hours=Tally(Fraction(900), Fraction(2_000_000)))
    reply = review_reply(assessment((promise("checkout"), apart), (promise("search"), measured())))
    assert "*Decision asked for:* who repairs the measurement of checkout?" in texts(reply.parts)[0]


# --- calendars ---


def test_a_calendar_s_figures_say_since_when() -> None:
    definition = promise(window=MONTH)
    item = judge(definition, measured(part=1600.0, sampled=[True] * (15 * 24 + 8)), AT)
    reply = review_reply(Assessment(AT, (item,)))
    charts = [one for one in reply.parts if one.kind == "chart"]
    assert texts(reply.parts)[-1].endswith("Calendar window: month.")
    assert [(one.title, one.alt) for one in charts] == [
        (
            "Error budget left, since 1 Nov",
            "Burn-down of the error budget since 1 Nov, from 100%: checkout ends at 20.0%.",
        )
    ]


def test_rolling_and_calendar_windows_are_named_apart() -> None:
    reply = status_reply(assessment((promise("a"), measured()), (promise("b", window=MONTH), measured())))
    assert texts(reply.parts)[-1].endswith("Rolling window: 28d. Calendar window: month.")


def test_a_period_is_told_by_its_own_clock() -> None:
    sampled = [True] * (15 * 24 + 9)
    item = judge(promise(window=BERLIN), measured(part=1600.0, sampled=sampled), AT)
    assert item.sentence == (
        "Only 20.0% of this month's error budget is left so far: 1,600 of 2,000,000 events were bad since "
        "Sun 1 Nov 2026 00:00 Europe/Berlin."
    )
    [chart] = [one for one in review_reply(Assessment(AT, (item,))).parts if isinstance(one, Chart)]
    assert (chart.title, chart.categories[0]) == ("Error budget left, since 1 Nov", "1 Nov")
    assert facts(Assessment(AT, (item,)))[0].meaning == (
        "state of the error budget this month since Sun 1 Nov 2026 00:00 Europe/Berlin"
    )


def test_the_points_of_a_chart_have_names_that_differ() -> None:
    def categories(elapsed: int, window: CalendarWindow) -> tuple[str, ...]:
        sampled = [True] * elapsed
        item = judge(promise(window=window), measured(sampled=sampled), AT)
        [chart] = [one for one in review_reply(Assessment(AT, (item,))).parts if isinstance(one, Chart)]
        assert len({*chart.categories}) == len(chart.categories)
        return chart.categories

    today = CalendarWindow.of(1, "M", datetime(2026, 1, 16), "UTC")  # noqa: DTZ001 - local time of its zone
    year = CalendarWindow.of(1, "Y", datetime(2026, 1, 1), "UTC")  # noqa: DTZ001 - local time of its zone
    assert categories(8, today)[:2] == ("16 Nov 00:00", "16 Nov 01:00")
    assert categories(319 * 24 + 8, year)[0] == "1 Jan"
    assert categories(15 * 24 + 8, MONTH)[0] == "1 Nov"


def test_a_calendar_s_burn_is_a_share_of_its_period_s_budget() -> None:
    item = judge(promise(window=BERLIN), measured(), AT)
    assert incident_words(incident(), item).startswith("74.5% of this month's budget in 2 h, Sun 15 Nov 23:00 to ")


def test_a_burn_that_lasts_until_now_is_still_going_on() -> None:
    lasting = Incident(Span(AT - 2 * HOUR, AT), Fraction(501), Fraction(745, 1000))
    assert incident_words(lasting, judged(measured())) == (
        "74.5% of its 28d budget in 2 h, Mon 16 Nov 2026 06:00–08:00 UTC, still going on"
    )


def test_a_deploy_of_another_day_than_the_burn_s_names_its_day() -> None:
    early = Incident(Span(AT - 8 * HOUR, AT - 7 * HOUR), Fraction(501), Fraction(745, 1000), deploys=(DEPLOY,))
    assert incident_words(early, judged(measured())).endswith(
        r"00:00–01:00 UTC; coincides with the deploy of 1.4\*2 on Sun 15 Nov 2026 22:52 UTC"
    )


# --- facts ---


def test_facts_of_time_slices_count_slices() -> None:
    definition = promise(target="0.99", slices=Slices(timedelta(minutes=1), Decimal("0.95")))
    item = judged(measured(part=60.0, total=40_000.0), definition)
    told = {(fact.text, fact.unit, fact.meaning) for fact in facts(Assessment(AT, (item,)))}
    assert ("60", "minutes", "bad minutes over 28d") in told
    assert [meaning for _, unit, meaning in told if unit == "events" or "bad events" in meaning] == []


def test_facts_in_brief_are_the_state_what_is_left_and_what_becomes_of_it() -> None:
    item = judged(burning({600: 501.0}))
    assert [(fact.id, fact.text) for fact in facts(Assessment(AT, (item,)), 7, brief=True)] == [
        ("f7", "exhausted"),
        ("f8", "-24.5%"),
        ("f9", "Thu 19 Nov 2026 09:00 UTC"),
        ("f10", "Thu 19 Nov 2026 09:00 UTC"),
        ("f11", "74.6%"),
    ]


def test_forecasts_burns_and_exclusions_are_facts() -> None:
    item = judged(burning({600: 501.0}), promise(target="0.999"))
    assert item.state is State.EXHAUSTED
    assert item.target == Decimal("0.999")
    told = [(fact.text, fact.unit, fact.meaning) for fact in facts(Assessment(AT, (item,)))]
    assert told[13:] == [
        (
            "Thu 19 Nov 2026 09:00 UTC",
            "time",
            "estimate: when the error budget is above zero again if the last 7 days' burn goes on",
        ),
        ("Thu 19 Nov 2026 09:00 UTC", "time", "when an old burn has left the window, which is no improvement"),
        ("74.6%", "share", "share of the error budget by which it looks better then"),
        ("Thu 22 Oct 2026 08:00–09:00 UTC", "time", "burn 1, one of the largest over 28d: when it was"),
        ("1 h", "s", "burn 1, one of the largest over 28d: how long it was"),
        ("74.6%", "share", "burn 1, one of the largest over 28d: error budget it cost"),
        ("501", "events", "burn 1, one of the largest over 28d: bad events"),
    ]
