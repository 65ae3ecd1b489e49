"""Prometheus rules of the SLOs: recorded increases of good, bad and all events, and the alerts that compare them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from typing import Any

from bot.reliability import budget, formats
from bot.reliability.burn_alerts import BURN_ALERTS, BurnAlert
from bot.reliability.definitions import ObjectiveDefinition, PrometheusQuery
from bot.reliability.promql import promql_duration
from bot.reliability.rules_words import description, summary, verbatim
from bot.reliability.windows import CalendarWindow


@dataclass(frozen=True)
class Rule:
    """A recording rule (`kind` "record") or an alert. Annotations are Go templates, an alert's labels are, too."""

    kind: str
    name: str
    expr: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        """As the rule file has it."""
        found: dict[str, Any] = {self.kind: self.name, "expr": self.expr, "labels": dict(self.labels)}
        if self.annotations:
            found["annotations"] = dict(self.annotations)
        return found


@dataclass(frozen=True)
class Group:
    """The rules of one objective, evaluated in this order. `comments` say what a reader would miss."""

    name: str
    comments: tuple[str, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class LeftOut:
    """An objective that has no rules, and why."""

    objective: ObjectiveDefinition
    why: str

    def __str__(self) -> str:
        return f"{' / '.join(self.objective.key)}: no rules, {self.why}"


@dataclass(frozen=True)
class Rules:
    """What `rule_files` of Prometheus loads, and what could not be written."""

    groups: tuple[Group, ...]
    left_out: tuple[LeftOut, ...]

    def data(self) -> dict[str, Any]:
        """The file's content without its comments."""
        return {
            "groups": [{"name": group.name, "rules": [rule.data() for rule in group.rules]} for group in self.groups]
        }


def rules_of(objectives: Iterable[ObjectiveDefinition]) -> Rules:
    """One group per objective, in the order given. Pure: the same definitions give the same rules."""
    groups, left_out = [], []
    for objective in objectives:
        why = _without_rules(objective)
        if why is None:
            groups.append(_group(objective))
        else:
            left_out.append(LeftOut(objective, why))
    return Rules(tuple(groups), tuple(left_out))


def _without_rules(objective: ObjectiveDefinition) -> str | None:
    if not budget.is_possible(objective.target):
        target = formats.target(objective.target)
        return f"a target of {target} has no error budget to burn; set one below 100% and above 0%"
    if not isinstance(objective.indicator.total, PrometheusQuery):
        return "it counts events of a CSV table, which Prometheus doesn't know"
    if objective.slices is not None:
        return "it has a budget of Timeslices, and burn rates are of events (Occurrences)"
    reasons = [alert.unusable(objective) for alert in BURN_ALERTS]
    if all(reasons):
        return "; ".join(reason for reason in reasons if reason)
    return None


def _group(objective: ObjectiveDefinition) -> Group:
    comments = [f"{' / '.join(objective.key)}: {formats.target(objective.target)} over {objective.window.label}"]
    if isinstance(objective.window, CalendarWindow):
        nominal = formats.duration(objective.window.length)
        comments.append(f"a calendar window of {objective.window.label}: thresholds are for its nominal {nominal}")
    alerts = []
    for alert in BURN_ALERTS:
        why = alert.unusable(objective)
        if why is None:
            alerts.append(alert)
        else:
            comments.append(why)
    windows = sorted({window for alert in alerts for window in (alert.short, alert.long)})
    recorded = [rule for window in windows for rule in _recorded(objective, window)]
    fired = [_alert(objective, alert) for alert in alerts]
    # An SLO's name has no blank, so no two groups get the same name.
    return Group(f"{objective.slo}: {objective.name}", tuple(comments), (*recorded, *fired))


def _recorded(objective: ObjectiveDefinition, window: timedelta) -> Iterator[Rule]:
    """Total first: the others refer to it. A series that isn't there counted nothing, as long as the total is there."""
    indicator, length = objective.indicator, promql_duration(window)
    assert isinstance(indicator.total, PrometheusQuery)  # noqa: S101 - others have no rules
    assert isinstance(indicator.part, PrometheusQuery)  # noqa: S101 - both ask one source
    total = _series("total", objective, window)
    counted, rest = ("bad", "good") if indicator.counts_bad else ("good", "bad")
    expressions = {
        "total": f"sum(increase({indicator.total.selector}[{length}]))",
        counted: f"sum(increase({indicator.part.selector}[{length}]))\nor\n0 * sum({total})",
        rest: f"{total}\n- {_series(counted, objective, window)}",
    }
    for kind, expression in expressions.items():
        yield Rule("record", _metric(kind, window), expression, _labels(objective))


def _alert(objective: ObjectiveDefinition, alert: BurnAlert) -> Rule:
    """Its value is the long window's burn rate."""
    share, ratio = exact(budget.budget_share(objective.target)), exact(alert.error_ratio(objective))
    bad, total = (_series(kind, objective, alert.long) for kind in ("bad", "total"))
    bad_now, total_now = (_series(kind, objective, alert.short) for kind in ("bad", "total"))
    expression = (
        f"{bad}\n/ ({share} * {total})\n"
        f"and {bad}\n> {ratio} * {total}\n"
        f"and {bad_now}\n> {ratio} * {total_now}\n"
        f"and {total_now} > 0"
    )
    labels = {name: verbatim(value) for name, value in _labels(objective).items()}
    annotations = {"summary": summary(objective), "description": description(objective, alert)}
    return Rule("alert", alert.name, expression, {"severity": alert.severity, **labels}, annotations)


def exact(value: Fraction) -> str:
    """As PromQL, with nothing lost: `0.0144`; where no decimal is exact, `0.004 / 3`."""
    places, rest = 0, value.denominator
    for prime in (2, 5):
        power = 0
        while rest % prime == 0:
            rest //= prime
            power += 1
        places = max(places, power)
    digits = str(value.numerator * 10**places // (value.denominator // rest)).rjust(places + 1, "0")
    text = f"{digits[:-places]}.{digits[-places:]}".rstrip("0").rstrip(".") if places else digits
    return text if rest == 1 else f"{text} / {rest}"


def _labels(objective: ObjectiveDefinition) -> dict[str, str]:
    return {"service": objective.service, "slo": objective.slo, "objective": objective.name}


def _metric(kind: str, window: timedelta) -> str:
    return f"slo:events_{kind}:increase{promql_duration(window)}"


def _series(kind: str, objective: ObjectiveDefinition, window: timedelta) -> str:
    matchers = ",".join(f"{name}={quoted(value)}" for name, value in _labels(objective).items())
    return f"{_metric(kind, window)}{{{matchers}}}"


def quoted(text: str) -> str:
    """In double quotes, for PromQL and YAML alike."""
    escapes = {"\\": r"\\", '"': r"\""}
    return '"' + "".join(escapes.get(char, char if char.isprintable() else _escape(char)) for char in text) + '"'


def _escape(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
