"""Rules as data: what is recorded, which alerts an SLO gets with which thresholds, what has none and why."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
import yaml

from bot.reliability.burn_alerts import BURN_ALERTS
from bot.reliability.definitions import Indicator, ObjectiveDefinition, PrometheusQuery, Slices, TableQuery
from bot.reliability.rules import exact, rules_of
from bot.reliability.rules_yaml import rules_yaml
from bot.reliability.windows import CalendarWindow, Window
from tests.bot.reliability.samples import promise
from tests.doubles.promtool import Promtool

VECTORS = json.loads((Path(__file__).parents[2] / "data" / "slo-reference-vectors.json").read_text())
LABELS = {"service": "checkout", "slo": "checkout-availability", "objective": "availability"}
SERIES = '{service="checkout",slo="checkout-availability",objective="availability"}'


def over(window: str, *, target: str = "0.999", good: bool = False) -> ObjectiveDefinition:
    length = timedelta(days=int(window[:-1])) if window.endswith("d") else timedelta(hours=int(window[:-1]))
    return replace(promise(target=target, good=good), window=Window(window, length))


def counting(indicator: Indicator) -> ObjectiveDefinition:
    return replace(promise(), indicator=indicator)


def alerts_of(objective: ObjectiveDefinition) -> list[str]:
    return [rule.name for group in rules_of([objective]).groups for rule in group.rules if rule.kind == "alert"]


def recorded(objective: ObjectiveDefinition, window: str) -> dict[str, str]:
    """Expressions by name, in their order."""
    (group,) = rules_of([objective]).groups
    return {
        rule.name: rule.expr
        for rule in group.rules
        if rule.kind == "record" and rule.name.endswith(f":increase{window}")
    }


# --- what is recorded ---


def test_increases_of_all_bad_and_good_events_are_recorded_and_no_ratios() -> None:
    assert list(recorded(promise(), "1h").items()) == [
        ("slo:events_total:increase1h", 'sum(increase(requests_total{job="checkout"}[1h]))'),
        (
            "slo:events_bad:increase1h",
            (
                'sum(increase(requests_total{job="checkout",code=~"5.."}[1h]))\n'
                f"or\n0 * sum(slo:events_total:increase1h{SERIES})"
            ),
        ),
        (
            "slo:events_good:increase1h",
            f"slo:events_total:increase1h{SERIES}\n- slo:events_bad:increase1h{SERIES}",
        ),
    ]


def test_where_good_events_are_counted_the_rest_is_bad() -> None:
    assert list(recorded(promise(good=True), "5m").items()) == [
        ("slo:events_total:increase5m", 'sum(increase(requests_total{job="checkout"}[5m]))'),
        (
            "slo:events_good:increase5m",
            (
                'sum(increase(requests_total{job="checkout",code=~"5.."}[5m]))\n'
                f"or\n0 * sum(slo:events_total:increase5m{SERIES})"
            ),
        ),
        (
            "slo:events_bad:increase5m",
            f"slo:events_total:increase5m{SERIES}\n- slo:events_good:increase5m{SERIES}",
        ),
    ]


def test_only_the_windows_that_alerts_need_are_recorded() -> None:
    def windows(objective: ObjectiveDefinition) -> list[str]:
        (group,) = rules_of([objective]).groups
        prefix = "slo:events_total:increase"
        return [rule.name.removeprefix(prefix) for rule in group.rules if rule.name.startswith(prefix)]

    assert windows(over("30d")) == ["5m", "30m", "1h", "2h", "6h", "1d", "3d"]
    assert windows(over("28d")) == ["5m", "30m", "1h", "2h", "6h", "1d"]
    assert windows(over("7d")) == ["5m", "30m", "1h", "6h"]


def test_every_rule_carries_service_slo_and_objective() -> None:
    (group,) = rules_of([over("30d")]).groups
    assert group.name == "checkout-availability: availability"
    assert [rule.labels for rule in group.rules if rule.kind == "record"] == [LABELS] * 21
    severities = [rule.labels for rule in group.rules if rule.kind == "alert"]
    assert severities == [{"severity": severity, **LABELS} for severity in ("page", "page", "ticket", "ticket")]


# --- which alerts, with which thresholds ---


@pytest.mark.parametrize("vector", VECTORS["burn_threshold"], ids=lambda item: f"{item['window_days']}d")
def test_thresholds_are_a_share_of_the_slos_own_window(vector: dict[str, float]) -> None:
    (alert,) = (item for item in BURN_ALERTS if item.long == timedelta(hours=vector["alert_hours"]))
    assert (float(alert.share), alert.short) == (vector["budget_fraction"], timedelta(minutes=vector["short_minutes"]))
    assert float(alert.threshold(over(f"{vector['window_days']}d"))) == vector["burn"]


@pytest.mark.parametrize("vector", VECTORS["time_to_alert_s_999"], ids=lambda item: f"{item['alert_hours']}h")
def test_thresholds_fire_when_the_workbook_says(vector: dict[str, float]) -> None:
    (alert,) = (item for item in BURN_ALERTS if item.long == timedelta(hours=vector["alert_hours"]))
    failing = Fraction(str(vector["error_ratio"]))
    seconds = alert.error_ratio(over("30d")) * Fraction(alert.long.total_seconds()) / failing
    assert seconds == Fraction(str(vector["seconds"]))


def test_an_alert_compares_counts_exactly_and_needs_traffic() -> None:
    (group,) = rules_of([over("30d")]).groups
    (page,) = (rule for rule in group.rules if rule.name == "ErrorBudgetBurn1h")
    assert page.expr == (
        f"slo:events_bad:increase1h{SERIES}\n/ (0.001 * slo:events_total:increase1h{SERIES})\n"
        f"and slo:events_bad:increase1h{SERIES}\n> 0.0144 * slo:events_total:increase1h{SERIES}\n"
        f"and slo:events_bad:increase5m{SERIES}\n> 0.0144 * slo:events_total:increase5m{SERIES}\n"
        f"and slo:events_total:increase5m{SERIES} > 0"
    )


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("0.0144", "0.0144"),
        ("12", "12"),
        ("120", "120"),
        ("1/8", "0.125"),
        ("0.000000000144", "0.000000000144"),
        ("1/750", "0.004 / 3"),
        ("100/7", "100 / 7"),
    ],
)
def test_numbers_in_promql_lose_nothing(number: str, text: str) -> None:
    value = Fraction(number)
    assert exact(value) == text
    above, _, below = text.partition(" / ")
    assert Fraction(above) / Fraction(below or 1) == value


def test_a_window_whose_threshold_is_no_decimal_is_written_as_a_division() -> None:
    (group,) = rules_of([over("40d")]).groups
    (ticket,) = (rule for rule in group.rules if rule.name == "ErrorBudgetBurn3d")
    assert f"> 0.004 / 3 * slo:events_total:increase3d{SERIES}" in ticket.expr


@pytest.mark.parametrize(
    ("window", "left"),
    [("30d", ["1h", "6h", "1d", "3d"]), ("28d", ["1h", "6h", "1d"]), ("7d", ["1h", "6h"]), ("3d", ["1h"])],
)
def test_alerts_that_would_fire_while_the_budget_lasts_are_left_out(window: str, left: list[str]) -> None:
    assert alerts_of(over(window)) == [f"ErrorBudgetBurn{name}" for name in left]


def test_alerts_that_could_never_fire_are_left_out() -> None:
    assert alerts_of(over("30d", target="0.93")) == ["ErrorBudgetBurn6h", "ErrorBudgetBurn1d", "ErrorBudgetBurn3d"]
    assert alerts_of(over("30d", target="0.5")) == ["ErrorBudgetBurn3d"]


def test_what_is_left_out_of_a_group_is_said_in_a_comment() -> None:
    (group,) = rules_of([over("28d", target="0.92")]).groups
    assert group.comments == (
        "checkout / checkout-availability / availability: 92% over 28d",
        "no 1h page: it would need a burn above 13.44×, and a target of 92% burns 12.5× at most",
        "no 3d ticket: over 28d it would fire at a burn of 0.93×, at which the budget lasts",
    )


def test_a_calendar_window_takes_its_nominal_length_and_says_so() -> None:
    month = CalendarWindow.of(1, "M", datetime(2026, 1, 1), "Europe/Berlin")  # noqa: DTZ001 - on the zone's clock
    (group,) = rules_of([replace(promise(), window=month)]).groups
    assert group.comments == (
        "checkout / checkout-availability / availability: 99.9% over 1M",
        "a calendar window of 1M: thresholds are for its nominal 30 days",
    )
    (rolling,) = rules_of([over("30d")]).groups
    assert [rule.expr for rule in group.rules] == [rule.expr for rule in rolling.rules]


# --- what has no rules ---


@pytest.mark.parametrize(
    ("objective", "why"),
    [
        (promise(target="1"), "a target of 100% has no error budget to burn; set one below 100% and above 0%"),
        (promise(target="0"), "a target of 0% has no error budget to burn; set one below 100% and above 0%"),
        (promise(target="99.9"), "a target of 9990% has no error budget to burn; set one below 100% and above 0%"),
        (
            counting(
                Indicator("i", total=TableQuery(Path("e.csv"), "all"), bad=TableQuery(Path("e.csv"), "bad")),
            ),
            "it counts events of a CSV table, which Prometheus doesn't know",
        ),
        (
            replace(promise(), slices=Slices(timedelta(minutes=1), Decimal("0.99"))),
            "it has a budget of Timeslices, and burn rates are of events (Occurrences)",
        ),
        (
            over("24h"),
            (
                "no 1h page: over 24h it would fire at a burn of 0.48×, at which the budget lasts; "
                "no 6h page: over 24h it would fire at a burn of 0.2×, at which the budget lasts; "
                "no 1d ticket: over 24h it would fire at a burn of 0.1×, at which the budget lasts; "
                "no 3d ticket: over 24h it would fire at a burn of 0.03×, at which the budget lasts"
            ),
        ),
    ],
    ids=["target-1", "target-0", "target-99.9", "csv", "timeslices", "short"],
)
def test_what_can_have_no_rules_is_named_beside_those_that_can(objective: ObjectiveDefinition, why: str) -> None:
    fine = replace(over("30d"), slo="fine")
    rules = rules_of([objective, fine])
    assert [group.name for group in rules.groups] == ["fine: availability"]
    assert [str(item) for item in rules.left_out] == [
        f"checkout / checkout-availability / availability: no rules, {why}"
    ]


# --- the file ---


def test_the_file_says_the_same_as_the_rules() -> None:
    rules = rules_of([over("30d"), promise("fraud", good=True)])
    text = rules_yaml(rules)
    read = yaml.safe_load(text)
    for group in read["groups"]:
        for rule in group["rules"]:
            rule["expr"] = rule["expr"].removesuffix("\n")
    assert read == rules.data()
    assert text == rules_yaml(rules_of([over("30d"), promise("fraud", good=True)]))


def test_promtool_accepts_ratios_latency_and_all_windows(tmp_path: Path) -> None:
    latency = Indicator(
        "latency",
        total=PrometheusQuery('latency_seconds_count{job="checkout"}'),
        good=PrometheusQuery('latency_seconds_bucket{job="checkout",le=~"1(\\\\.0)?"}'),
    )
    objectives = [
        replace(over("30d"), slo="bad"),
        replace(over("28d", good=True), slo="good"),
        replace(counting(latency), slo="latency"),
        replace(over("40d"), slo="division"),
        replace(over("90d", target="0.99999"), slo="strict"),
    ]
    assert Promtool(tmp_path, rules_yaml(rules_of(objectives))).check() == 25 + 21 + 21 + 25 + 25


HOSTILE = (
    'say "hello"',
    "C:\\new\\table",
    "bezahlung äöü 支付 🛒",
    "{{ .Broken }} {{",
    "ends with {",
    "two\nlines\tand a tab",
    "next\u0085line\u2028separator\u00a0space\x07bell",
    "yes",
    "1e3",
    "'",
    "# no comment: really",
    "`",
    "100%",
)


def test_whatever_stands_in_names_and_selectors_comes_out_as_it_went_in(tmp_path: Path) -> None:
    def selector(metric: str, name: str) -> PrometheusQuery:
        return PrometheusQuery(f"{metric}{{route={json.dumps(name)}}}".replace("\\ud83d\\uded2", "🛒"))

    objectives = [
        replace(
            promise(name, slo=f"slo-{number}", name=name),
            title=name,
            indicator=Indicator("i", total=selector("all", name), bad=selector("bad", name)),
        )
        for number, name in enumerate(HOSTILE)
    ]
    text = rules_yaml(rules_of(objectives))
    assert Promtool(tmp_path, text).check() == 21 * len(HOSTILE)
    groups = yaml.safe_load(text)["groups"]
    assert [group["name"] for group in groups] == [f"slo-{number}: {name}" for number, name in enumerate(HOSTILE)]
    for group, item in zip(groups, objectives, strict=True):
        total, *_, alert = group["rules"]
        assert total["labels"] == {"service": item.service, "slo": item.slo, "objective": item.name}
        assert total["expr"].strip() == f"sum(increase({item.indicator.total.selector}[5m]))"
        assert "{{" not in alert["labels"]["service"].replace('{{ "{" }}', "")


def test_promtool_accepts_a_hundred_slos(tmp_path: Path) -> None:
    objectives = [promise(f"service-{number}", good=number % 2 == 0) for number in range(100)]
    assert Promtool(tmp_path, rules_yaml(rules_of(objectives))).check() == 2100
