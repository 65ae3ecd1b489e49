"""Latencies in SLO files: thresholdMetric over a classic histogram, one threshold per objective."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from bot.reliability import load_definitions
from bot.reliability.definitions import Indicator, PrometheusQuery, Threshold
from tests.bot.reliability.slo_files import NOW, SLO, mistakes, written

START, END = SLO.index("      ratioMetric:"), SLO.index("  timeWindow:")
THRESHOLD = (
    "      thresholdMetric:\n"
    "        metricSource: {type: Prometheus, spec: {query: 'http_seconds_bucket{job=\"checkout\"}'}}\n"
)
LATENCY = (SLO[:START] + THRESHOLD + SLO[END:]).replace(
    "- {displayName: availability, target: 0.999}",
    "- {displayName: fast, op: lte, value: 0.25, target: 0.99}\n"
    "    - {displayName: bearable, op: lte, value: 1, target: 0.999}",
)


def test_a_threshold_is_a_bucket_of_its_histogram_and_each_objective_has_its_own(tmp_path: Path) -> None:
    path = written(tmp_path, LATENCY)
    buckets, total = 'http_seconds_bucket{job="checkout"}', PrometheusQuery('http_seconds_count{job="checkout"}')
    found = load_definitions([path], now=NOW).objectives
    assert [(item.name, item.target, item.indicator) for item in found] == [
        (
            "bearable",
            Decimal("0.999"),
            Indicator(
                "ratio",
                total=total,
                good=PrometheusQuery('http_seconds_bucket{job="checkout",le=~"1|1[.]0"}'),
                threshold=Threshold(Decimal(1), buckets),
            ),
        ),
        (
            "fast",
            Decimal("0.99"),
            Indicator(
                "ratio",
                total=total,
                good=PrometheusQuery('http_seconds_bucket{job="checkout",le="0.25"}'),
                threshold=Threshold(Decimal("0.25"), buckets),
            ),
        ),
    ]
    threshold = found[1].indicator.threshold
    assert threshold is not None
    assert (threshold.where, threshold.key) == (f"{path}:15", "spec.objectives[0].value")


def test_an_sli_of_its_own_may_be_a_latency(tmp_path: Path) -> None:
    inline = LATENCY[LATENCY.index("  indicator:") : LATENCY.index("  timeWindow:")]
    written(tmp_path, LATENCY.replace(inline, "  indicatorRef: latency\n"))
    written(
        tmp_path,
        """\
        apiVersion: openslo/v1
        kind: SLI
        metadata: {name: latency}
        spec:
          thresholdMetric: {metricSource: {type: Prometheus, spec: {query: http_seconds_bucket}}}
        """,
        "sli.yml",
    )
    found = load_definitions([tmp_path], now=NOW).objectives
    assert [item.indicator.part for item in found] == [
        PrometheusQuery('http_seconds_bucket{le=~"1|1[.]0"}'),
        PrometheusQuery('http_seconds_bucket{le="0.25"}'),
    ]


def test_buckets_counted_by_hand_are_an_ordinary_ratio(tmp_path: Path) -> None:
    text = SLO.replace("bad: {", "good: {").replace("'http_total{code=~\"5..\"}'", "'x_bucket{le=\"0.25\"}'")
    found = load_definitions([written(tmp_path, text.replace("query: http_total}", "query: x_count}"))], now=NOW)
    assert found.objectives[0].indicator == Indicator(
        "ratio", total=PrometheusQuery("x_count"), good=PrometheusQuery('x_bucket{le="0.25"}')
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "op: lte, value: 0.25",
            "op: lt, value: 0.25",
            "15: spec.objectives[0].op: 'lt' is not supported; write lte: a bucket counts what took at most value",
        ),
        (
            "op: lte, value: 0.25",
            "op: gte, value: 0.25",
            "15: spec.objectives[0].op: 'gte' is not supported; write lte: a bucket counts what took at most value",
        ),
        (
            "op: lte, value: 0.25, ",
            "",
            "15: spec.objectives[0]: needs op: lte and value: beside a thresholdMetric, such as op: lte, value: 0.25",
        ),
        (
            "op: lte, value: 0.25, ",
            "op: lte, ",
            "15: spec.objectives[0]: is missing value: the bucket that good events are in, such as value: 0.25",
        ),
        (
            "value: 0.25",
            "value: 250ms",
            "15: spec.objectives[0].value: '250ms' is no number above 0; write one of the histogram's buckets",
        ),
        (
            "value: 0.25",
            "value: .inf",
            "15: spec.objectives[0].value: inf is no number above 0; write one of the histogram's buckets",
        ),
        (
            "value: 0.25",
            "value: -1",
            "15: spec.objectives[0].value: -1 is no number above 0; write one of the histogram's buckets",
        ),
        (
            "http_seconds_bucket{job",
            "http_seconds{job",
            (
                "10: spec.indicator.spec.thresholdMetric.metricSource.spec.query: http_seconds is no classic "
                'histogram\'s buckets; write http_seconds_bucket{job="checkout"}. Native histograms, summaries and '
                "gauges are not supported: let the service expose a classic histogram with the threshold among its "
                "buckets"
            ),
        ),
        (
            "{type: Prometheus, spec: {query: 'http_seconds_bucket{job=\"checkout\"}'}}",
            "{type: CSV, spec: {file: a.csv, series: b}}",
            (
                "10: spec.indicator.spec.thresholdMetric.metricSource: a CSV table has no latencies; use ratioMetric "
                "with a series of good or bad events and one of all events"
            ),
        ),
        (
            "thresholdMetric:",
            "ratioMetric: {rawType: success}\n      thresholdMetric:",
            "10: spec.indicator.spec.thresholdMetric: stands beside ratioMetric; keep one of the two",
        ),
        (
            "{type: Prometheus, spec: {query: 'http_seconds_bucket{job=\"checkout\"}'}}",
            "",
            "10: spec.indicator.spec.thresholdMetric.metricSource: is missing; add metricSource:",
        ),
    ],
)
def test_a_latency_that_can_not_be_counted_is_told_with_its_place_and_remedy(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    assert old in LATENCY
    assert f"slo.yml:{told}" in mistakes(written(tmp_path, LATENCY.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("op: lte", "op: belongs to thresholdMetric; remove it: a ratio is held against the target, more is better"),
        ("value: 1", "value: belongs to thresholdMetric; remove it: a ratio is held against the target alone"),
    ],
)
def test_a_ratio_has_no_threshold(tmp_path: Path, field: str, told: str) -> None:
    path = written(tmp_path, SLO.replace("target: 0.999", f"target: 0.999, {field}"))
    assert mistakes(path) == [f"slo.yml:17: spec.objectives[0].{told}"]


def test_that_a_ratio_should_be_greater_may_be_said_as_openslo_s_examples_do(tmp_path: Path) -> None:
    path = written(tmp_path, SLO.replace("target: 0.999", "target: 0.999, op: gt"))
    assert mistakes(path) == []
