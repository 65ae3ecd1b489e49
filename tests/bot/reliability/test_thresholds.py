"""Thresholds of SLO files held against the buckets that the metrics have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bot.reliability.definitions import Definitions, Indicator, ObjectiveDefinition, PrometheusQuery, Threshold
from bot.reliability.prometheus_failures import QueryFailed
from bot.reliability.thresholds import ThresholdsUnchecked, check_thresholds
from bot.yaml_source import Mistake
from tests.bot.reliability.samples import promise

AT = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
KNOWN = tuple(Decimal(value) for value in ("0.1", "0.25", "0.5", "1", "2.5"))


class Buckets:
    """A source that knows these histograms' buckets; one without any can't be asked for."""

    def __init__(self, known: Mapping[str, tuple[Decimal, ...] | None]) -> None:
        self.known = known
        self.asked: list[tuple[str, datetime]] = []

    async def buckets(self, selector: str, at: datetime) -> tuple[Decimal, ...]:
        self.asked.append((selector, at))
        found = self.known[selector]
        if found is None:
            raise QueryFailed("Prometheus at http://prometheus:9090 did not answer.", unreachable=True)
        return found


def latency(value: str, buckets: str = "x_bucket", line: int = 7) -> ObjectiveDefinition:
    threshold = Threshold(Decimal(value), buckets, where=f"slo.yml:{line}", key="spec.objectives[0].value")
    indicator = Indicator(
        "latency", total=PrometheusQuery("x_count"), good=PrometheusQuery("good"), threshold=threshold
    )
    return ObjectiveDefinition(
        service="checkout",
        slo="latency",
        name=f"within {value}",
        target=Decimal("0.99"),
        window=promise().window,
        indicator=indicator,
    )


def defined(*objectives: ObjectiveDefinition) -> Definitions:
    return Definitions(objectives=objectives)


@pytest.mark.parametrize("value", ["0.25", "0.250", "1", "1.0", "1e0"])
async def test_a_threshold_that_is_a_bucket_is_right_however_it_is_written(value: str) -> None:
    assert await check_thresholds(defined(latency(value)), Buckets({"x_bucket": KNOWN}), AT) == []


@pytest.mark.parametrize(
    ("value", "near"),
    [("0.3", "0.3 is no bucket of this histogram; the nearest are 0.25 and 0.5. Set value to one of them."),
     ("0.05", "0.05 is no bucket of this histogram; the nearest is 0.1. Set value to it."),
     ("250", "250 is no bucket of this histogram; the nearest is 2.5. Set value to it.")],
)  # fmt: skip
async def test_a_threshold_that_is_no_bucket_names_the_nearest_ones(value: str, near: str) -> None:
    found = await check_thresholds(defined(promise(), latency(value)), Buckets({"x_bucket": KNOWN}), AT)
    assert found == [Mistake("slo.yml:7", "spec.objectives[0].value", near)]


async def test_each_histogram_is_asked_for_once_and_ratios_for_nothing() -> None:
    source = Buckets({"x_bucket": KNOWN, "y_bucket": KNOWN})
    objectives = defined(promise(), latency("0.1"), latency("0.5"), latency("1", "y_bucket"))
    assert await check_thresholds(objectives, source, AT) == []
    assert source.asked == [("x_bucket", AT), ("y_bucket", AT)]


async def test_a_histogram_without_series_is_a_mistake() -> None:
    assert await check_thresholds(defined(latency("1")), Buckets({"x_bucket": ()}), AT) == [
        Mistake(
            "slo.yml:7",
            "spec.objectives[0].value",
            (
                "x_bucket has no series with buckets in the last day, so this can't be checked or counted; correct its "
                "name and labels (native histograms have no such series and are not supported)"
            ),
        )
    ]


async def test_what_could_be_checked_is_told_although_something_could_not() -> None:
    source = Buckets({"x_bucket": KNOWN, "y_bucket": None})
    with pytest.raises(ThresholdsUnchecked) as raised:
        await check_thresholds(defined(latency("3"), latency("1", "y_bucket")), source, AT)
    assert [mistake.where for mistake in raised.value.mistakes] == ["slo.yml:7"]
    assert str(raised.value) == (
        "Thresholds were not checked against the buckets of 1 of 2 histograms: "
        "Prometheus at http://prometheus:9090 did not answer."
    )
