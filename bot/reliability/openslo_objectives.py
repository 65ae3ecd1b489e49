"""An OpenSLO SLO's objectives: target, window, what is counted, and how its budget is kept."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from bot import yaml_source
from bot.reliability import budget
from bot.reliability import openslo_schema as schema
from bot.reliability.definitions import Indicator, ObjectiveDefinition, Slices, Threshold, Window
from bot.reliability.openslo_indicators import Latency, indicator_spec, read_indicator
from bot.reliability.openslo_reading import Found, Parsed, near_names
from bot.reliability.openslo_windows import DURATION, read_window
from bot.yaml_source import Key, Mistake

_METHODS = ("Occurrences", "Timeslices")
_HOUR_MINUTES = 60
_DIVISORS = frozenset(minutes for minutes in range(1, _HOUR_MINUTES + 1) if _HOUR_MINUTES % minutes == 0)
_MOST_DIGITS = 30  # before and behind the point; exact arithmetic with more would only cost time
_COMPOSITE = "composite SLOs are not supported; write one SLO per indicator, with the indicator under spec"


@dataclass(frozen=True)
class _Reading:
    """One SLO while its objectives are read."""

    source: yaml_source.Document
    mistakes: list[Mistake]
    remarks: list[Mistake]
    method: str
    measure: Indicator | Latency | None

    def wrong(self, key: Key, text: str) -> None:
        self.mistakes.append(self.source.mistake(key, text))


def read_slo(parsed: Parsed, found: Found, now: datetime) -> list[ObjectiveDefinition]:
    """The objectives without mistakes; the mistakes are added to `found`."""
    document, source = parsed.document, parsed.source
    assert isinstance(document, schema.SloDocument)  # noqa: S101 - stored under its kind
    spec, name = document.spec, document.metadata.name
    _refuse_method(spec.budgeting_method, source, found.mistakes)
    found.mistakes += [source.mistake(key, text) for key, text in _alert_problems(spec.alert_policies)]
    window = read_window(spec, source, found.mistakes, now)
    measure = _measure(parsed, spec, name, found)
    reading = _Reading(source, found.mistakes, found.remarks, spec.budgeting_method, measure)
    objectives = []
    for number, item in enumerate(spec.objectives):
        key: Key = ("spec", "objectives", number)
        target, slices, indicator = _parts(item, key, reading, window)
        if target is None or window is None or indicator is None:
            continue
        objectives.append(
            ObjectiveDefinition(
                service=spec.service,
                slo=name,
                name=item.display_name or f"objective-{number + 1}",
                target=target,
                window=window,
                indicator=indicator,
                slices=slices,
                title=document.metadata.display_name,
                description=spec.description.strip(),
            )
        )
    names = [item.name for item in objectives]
    for double in sorted({item for item in names if names.count(item) > 1}):
        reading.wrong(("spec", "objectives"), f"two objectives are called {double!r}; give each its own displayName")
    return objectives


def _parts(
    item: schema.Target, key: Key, reading: _Reading, window: Window | None
) -> tuple[Decimal | None, Slices | None, Indicator | None]:
    """Target, slices and indicator. The indicator is None when anything here is wrong."""
    before = len(reading.mistakes)
    for name, text in _unwanted(item, reading):
        reading.wrong((*key, name), text)
    target = _target(item, key, reading)
    indicator = _indicator(item, key, reading)
    slices = _slices(item, key, reading, window, indicator) if reading.method == "Timeslices" else None
    return target, slices, indicator if len(reading.mistakes) == before else None


def _refuse_method(method: str, source: yaml_source.Document, mistakes: list[Mistake]) -> None:
    if method in _METHODS:
        return
    if method == "RatioTimeslices":
        text = (
            "RatioTimeslices is not supported: it averages ratios, so a quiet minute counts as much as a busy one; "
            "use Occurrences, or Timeslices with timeSliceTarget"
        )
    else:
        near = difflib.get_close_matches(method.capitalize(), _METHODS, n=1)
        text = f"{method!r} is no budgeting method; " + (
            f"did you mean {near[0]}?" if near else "use Occurrences or Timeslices"
        )
    mistakes.append(source.mistake(("spec", "budgetingMethod"), text))


def _alert_problems(policies: list[object]) -> Iterator[tuple[Key, str]]:
    """Alert policies say nothing about budgets and are left alone, whatever their spec; but not what is none."""
    for number, item in enumerate(policies):
        key: Key = ("spec", "alertPolicies", number)
        if not isinstance(item, dict):
            yield key, "must be a mapping: write alertPolicyRef: and its name"
        elif "alertPolicyRef" not in item and "kind" not in item:
            yield key, "needs alertPolicyRef, or kind: AlertPolicy with its spec"
        elif "kind" in item and item["kind"] != "AlertPolicy":
            yield (*key, "kind"), f"{item['kind']!r} is not supported here; write kind: AlertPolicy, or alertPolicyRef"


def _measure(parsed: Parsed, spec: schema.SloSpec, slo: str, found: Found) -> Indicator | Latency | None:
    source = parsed.source
    composite = any(item.indicator is not None or item.indicator_ref is not None for item in spec.objectives)
    if spec.indicator is None and spec.indicator_ref is None and composite:
        return None  # told beside the objectives
    if (spec.indicator is None) == (spec.indicator_ref is None):
        text = "needs either indicator (inline) or indicatorRef (an SLI's name)"
        found.mistakes.append(source.mistake(("spec",), text))
        return None
    if spec.indicator is not None:
        name = spec.indicator.metadata.name or slo
        return read_indicator(parsed, ("spec", "indicator", "spec"), spec.indicator.spec, name, found)
    reference = spec.indicator_ref or ""
    referred = found.documents.get(("SLI", reference))
    if referred is None:
        text = f"there is no SLI {reference!r}; {near_names(reference, found.named('SLI'), 'SLI')}"
        found.mistakes.append(source.mistake(("spec", "indicatorRef"), text))
        return None
    return read_indicator(referred, ("spec",), indicator_spec(referred), reference, found)


# --- one objective ---------------------------------------------------------------------------------------------------


def _unwanted(item: schema.Target, reading: _Reading) -> Iterator[tuple[str, str]]:
    """Fields that mean something only elsewhere. `op: gt` beside a ratio says what a target is, and is left alone."""
    if isinstance(reading.measure, Indicator):
        if item.op is not None and item.op not in ("gt", "gte"):
            yield "op", "belongs to thresholdMetric; remove it: a ratio is held against the target, more is better"
        if item.value is not None:
            yield "value", "belongs to thresholdMetric; remove it: a ratio is held against the target alone"
    if reading.method == "Occurrences":
        for given, name in ((item.time_slice_target, "timeSliceTarget"), (item.time_slice_window, "timeSliceWindow")):
            if given is not None:
                yield name, "belongs to budgetingMethod: Timeslices; remove it, or use that method"
    for given, name in (
        (item.indicator, "indicator"),
        (item.indicator_ref, "indicatorRef"),
        (item.composite_weight, "compositeWeight"),
    ):
        if given is not None:
            yield name, _COMPOSITE


def _target(item: schema.Target, key: Key, reading: _Reading) -> Decimal | None:
    """The exact target, as it was written."""
    if (item.target is None) == (item.target_percent is None):
        reading.wrong(key, "needs either target (0.999) or targetPercent (99.9)")
        return None
    name, given = ("target", item.target) if item.target is not None else ("targetPercent", item.target_percent)
    number = _exact(given)
    if number is None:
        reading.wrong((*key, name), f"{given!r} is not a number; write 0.999 (target) or 99.9 (targetPercent)")
        return None
    target = number if item.target is not None else number / 100
    doubt = _doubt(name, number, target)
    if doubt is not None:
        reading.remarks.append(reading.source.mistake((*key, name), doubt))
    return target


def _doubt(name: str, number: Decimal, target: Decimal) -> str | None:
    """Why this target is hardly meant: an impossible one is shown as such, one below 1% is always met."""
    if not budget.is_possible(target):
        meant = name == "target" and number > 1 and budget.is_possible(number / 100)
        instead = (
            f"if per cent are meant, write targetPercent: {number}" if meant else "set one below 100% and above 0%"
        )
        return f"{number} leaves no budget to judge, so reviews show INVALID_TARGET; {instead}"
    if name == "targetPercent" and number < 1:
        return f"{number} is less than one per cent; if a share is meant, write target: {number}"
    return None


def _indicator(item: schema.Target, key: Key, reading: _Reading) -> Indicator | None:
    """What this objective counts: a latency's good events depend on its value."""
    measure = reading.measure
    if not isinstance(measure, Latency):
        return measure
    if item.op is None:
        reading.wrong(key, "needs op: lte and value: beside a thresholdMetric, such as op: lte, value: 0.25")
        return None
    if item.op != "lte":
        reading.wrong((*key, "op"), f"{item.op!r} is not supported; write lte: a bucket counts what took at most value")
    if item.value is None:
        reading.wrong(key, "is missing value: the bucket that good events are in, such as value: 0.25")
        return None
    value = _exact(item.value)
    if value is None or value <= 0:
        reading.wrong((*key, "value"), f"{item.value!r} is no number above 0; write one of the histogram's buckets")
        return None
    where = reading.source.where((*key, "value"))
    field = yaml_source.dotted((*key, "value"))
    return measure.within(Threshold(value, measure.histogram.buckets, where, field))


def _slices(
    item: schema.Target, key: Key, reading: _Reading, window: Window | None, indicator: Indicator | None
) -> Slices | None:
    target = _slice_target(item.time_slice_target, key, reading)
    length = _slice_length(item.time_slice_window, key, reading)
    if target is None or length is None:
        return None
    problem = None
    if indicator is not None and indicator.source == "csv" and length != timedelta(hours=1):
        problem = "a CSV table counts whole hours; write timeSliceWindow: 1h"
    elif window is not None and window.length % length:
        problem = f"slices of this length don't fill a window of {window.label}; choose a length that divides it"
    if problem is not None:
        reading.wrong((*key, "timeSliceWindow"), problem)
        return None
    return Slices(length, target)


def _slice_target(given: object, key: Key, reading: _Reading) -> Decimal | None:
    if given is None:
        reading.wrong(key, "Timeslices needs timeSliceTarget: the share of good events that makes a slice good (0.95)")
        return None
    number = _exact(given)
    if number is None or not 0 < number <= 1:
        text = f"{given!r} is no share; write a number above 0 and at most 1, such as 0.95"
        reading.wrong((*key, "timeSliceTarget"), text)
        return None
    return number


def _slice_length(given: object, key: Key, reading: _Reading) -> timedelta | None:
    """Minutes where it has no unit, as OpenSLO says."""
    if given is None:
        reading.wrong(key, "Timeslices needs timeSliceWindow: how long a slice is (1m)")
        return None
    match = DURATION.fullmatch(given) if isinstance(given, str) else None
    minutes = _exact(given)
    if match is not None and match[2] in ("m", "h"):
        minutes = Decimal(match[1]) * (_HOUR_MINUTES if match[2] == "h" else 1)
    if minutes is None or minutes not in _DIVISORS:
        text = f"{given!r} doesn't divide an hour into whole minutes; write 1m, 5m, 10m, 15m, 30m or 1h"
        reading.wrong((*key, "timeSliceWindow"), text)
        return None
    return timedelta(minutes=int(minutes))


def _exact(given: object) -> Decimal | None:
    """The number as it was written: YAML's shortest decimal form of a float. None for what is none, or endless."""
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    try:
        number = Decimal(str(given))
    except InvalidOperation:
        return None
    if not number.is_finite() or max(abs(number.adjusted()), len(number.as_tuple().digits)) > _MOST_DIGITS:
        return None
    return number
