"""Definitions, answers and assessments for tests, made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from bot.reliability.assessment import Assessment
from bot.reliability.definitions import Indicator, ObjectiveDefinition, PrometheusQuery, Window
from bot.reliability.metrics import BURN_WINDOWS, HOUR, Failed, Hour, Measured, Tally
from bot.reliability.state import judge

AT = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
WINDOW = Window("28d", timedelta(days=28))
HOURS = WINDOW.length // HOUR


def promise(
    service: str = "checkout", target: str = "0.999", *, good: bool = False, slo: str = "", name: str = "availability"
) -> ObjectiveDefinition:
    part = PrometheusQuery(f'requests_total{{job="{service}",code=~"5.."}}')
    total = PrometheusQuery(f'requests_total{{job="{service}"}}')
    indicator = Indicator("ratio", total=total, good=part) if good else Indicator("ratio", total=total, bad=part)
    return ObjectiveDefinition(
        service=service,
        slo=slo or f"{service}-availability",
        name=name,
        target=Decimal(target),
        window=WINDOW,
        indicator=indicator,
    )


def hours(part: float | None, total: float | None, *, sampled: Sequence[bool] | None = None) -> tuple[Hour, ...]:
    """The window's hours with these events spread evenly over those that have samples."""
    present = list(sampled) if sampled is not None else [True] * HOURS
    share = Fraction(1, max(1, sum(present)))
    of_part = None if part is None else Fraction(part) * share
    of_total = None if total is None else Fraction(total) * share
    return tuple(
        Hour(
            AT - (HOURS - 1 - index) * HOUR,
            of_part if there else None,
            of_total if there else None,
            sampled=there,
        )
        for index, there in enumerate(present)
    )


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
        burn={name: tally(counted) for name, counted in windows.items()},
        hours=hours(part, total, sampled=sampled),
        silent_since=silent_since,
        matched=matched,
        queries={"bad": "sum(increase(bad[28d]))", "total": "sum(increase(total[28d]))"},
        source="Prometheus 3.5.3 at http://prometheus:9090",
    )


def failed(sentence: str = "Prometheus at http://prometheus:9090 refused the query.", **more: bool) -> Failed:
    return Failed(sentence=sentence, source="Prometheus at http://prometheus:9090", **more)


def assessment(*answers: tuple[ObjectiveDefinition, Measured | Failed]) -> Assessment:
    items = sorted(
        (judge(definition, answer, AT) for definition, answer in answers), key=lambda item: item.definition.key
    )
    return Assessment(AT, tuple(items))
