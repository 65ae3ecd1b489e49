"""Definitions, answers and assessments for tests, made by hand."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from bot.reliability.assessment import Assessment, Objective
from bot.reliability.definitions import Indicator, ObjectiveDefinition, PrometheusQuery, Slices, Window
from bot.reliability.hours import ABSENT, HOUR, Hours
from bot.reliability.metrics import BURN_WINDOWS, Failed, Measured, Tally
from bot.reliability.state import judge

AT = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
WINDOW = Window("28d", timedelta(days=28))
HOURS = WINDOW.length // HOUR


def promise(
    service: str = "checkout",
    target: str = "0.999",
    *,
    good: bool = False,
    slo: str = "",
    name: str = "availability",
    window: Window = WINDOW,
    slices: Slices | None = None,
) -> ObjectiveDefinition:
    part = PrometheusQuery(f'requests_total{{job="{service}",code=~"5.."}}')
    total = PrometheusQuery(f'requests_total{{job="{service}"}}')
    indicator = Indicator("ratio", total=total, good=part) if good else Indicator("ratio", total=total, bad=part)
    return ObjectiveDefinition(
        service=service,
        slo=slo or f"{service}-availability",
        name=name,
        target=Decimal(target),
        window=window,
        indicator=indicator,
        slices=slices,
    )


def hours(part: float | None, total: float | None, *, sampled: Sequence[bool] | None = None) -> Hours:
    """The window's hours with these events spread evenly over those that have samples."""
    present = list(sampled) if sampled is not None else [True] * HOURS
    share = max(1, sum(present))

    def column(events: float | None) -> array[float]:
        return array("d", (ABSENT if events is None or not there else events / share for there in present))

    return Hours(AT - (len(present) - 1) * HOUR, HOUR, column(part), column(total))


def measured(
    part: float | None = 400.0,
    total: float | None = 2_000_000.0,
    *,
    burn: Mapping[str, tuple[float | None, float | None]] | None = None,
    sampled: Sequence[bool] | None = None,
    silent_since: datetime | None = None,
    matched: bool = True,
) -> Measured:
    def tally(counted: tuple[float | None, float | None]) -> Tally:
        part, total = counted
        return Tally(None if part is None else Fraction(part), None if total is None else Fraction(total))

    windows = dict.fromkeys(BURN_WINDOWS, (0.0, 1000.0)) | dict(burn or {})
    return Measured(
        method="increase",
        tally=tally((part, total)),
        by_hours=tally((part, total)),
        burn={name: tally(counted) for name, counted in windows.items()},
        hours=hours(part, total, sampled=sampled),
        silent_since=silent_since,
        matched=matched,
        queries={"bad": "sum(increase(bad[28d]))", "total": "sum(increase(total[28d]))"},
        source="Prometheus 3.5.3 at http://prometheus:9090",
    )


def failed(sentence: str = "Prometheus at http://prometheus:9090 refused the query.", **more: bool) -> Failed:
    return Failed(sentence=sentence, source="Prometheus at http://prometheus:9090", **more)


def judged(answer: Measured | Failed, definition: ObjectiveDefinition | None = None) -> Objective:
    return judge(definition or promise(), answer, AT)


def assessment(*answers: tuple[ObjectiveDefinition, Measured | Failed]) -> Assessment:
    items = sorted(
        (judge(definition, answer, AT) for definition, answer in answers), key=lambda item: item.definition.key
    )
    return Assessment(AT, tuple(items))
