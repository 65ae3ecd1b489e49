"""What an OpenSLO indicator counts: good or bad and total events, from Prometheus or a CSV table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot import yaml_source
from bot.reliability import histograms, selectors
from bot.reliability import openslo_schema as schema
from bot.reliability.definitions import Indicator, PrometheusQuery, Query, TableQuery, Threshold
from bot.reliability.histograms import Histogram
from bot.reliability.openslo_reading import Found, Parsed, near_names, validated
from bot.yaml_source import Key


@dataclass(frozen=True)
class Latency:
    """A `thresholdMetric`: which events are good, each objective says by its value."""

    name: str
    histogram: Histogram

    def within(self, threshold: Threshold) -> Indicator:
        good = PrometheusQuery(self.histogram.up_to(threshold.seconds))
        return Indicator(self.name, total=PrometheusQuery(self.histogram.count), good=good, threshold=threshold)


def indicator_spec(parsed: Parsed) -> schema.IndicatorSpec:
    document = parsed.document
    assert isinstance(document, schema.IndicatorDocument)  # noqa: S101 - stored under its kind
    return document.spec


def read_indicator(
    parsed: Parsed, at: Key, spec: schema.IndicatorSpec, name: str, found: Found
) -> Indicator | Latency | None:
    """What is counted, or None when it has mistakes (they are added to `found`)."""
    source = parsed.source
    wrong = list(_problems(spec))
    if wrong:
        found.mistakes += [source.mistake((*at, *key), text) for key, text in wrong]
        if spec.ratio_metric is not None:
            _queries(
                spec.ratio_metric, (*at, "ratioMetric"), source, found
            )  # what is wrong in them is told at once, too
        return None
    if spec.threshold_metric is not None:
        key = (*at, "thresholdMetric", "metricSource")
        return _latency(spec.threshold_metric.metric_source, key, source, name, found)
    assert spec.ratio_metric is not None  # noqa: S101 - else there were problems
    return _ratio(spec.ratio_metric, (*at, "ratioMetric"), source, name, found)


def _ratio(
    ratio: schema.RatioMetric, at: Key, source: yaml_source.Document, name: str, found: Found
) -> Indicator | None:
    queries = _queries(ratio, at, source, found)
    total, good, bad = queries.get("total"), queries.get("good"), queries.get("bad")
    part = good if good is not None else bad
    if total is None or part is None:
        return None
    text = None
    if type(total) is not type(part):
        text = "good or bad and total must come from the same type of metricSource"
    elif total == part:
        text = "good or bad and total are the same query; the part must select fewer events than total"
    if text is not None:
        found.mistakes.append(source.mistake(at, text))
        return None
    return Indicator(name, total=total, good=good, bad=bad)


def _queries(ratio: schema.RatioMetric, at: Key, source: yaml_source.Document, found: Found) -> dict[str, Query | None]:
    """Those that are given; None for one with mistakes."""
    return {
        part: _query(metric.metric_source, (*at, part, "metricSource"), source, found)
        for part, metric in (("good", ratio.good), ("bad", ratio.bad), ("total", ratio.total))
        if metric is not None
    }


def _latency(
    metric: schema.MetricSource, at: Key, source: yaml_source.Document, name: str, found: Found
) -> Latency | None:
    query = _query(metric, at, source, found, histograms.problem_of)
    if query is None:
        return None
    if isinstance(query, TableQuery):
        text = "a CSV table has no latencies; use ratioMetric with a series of good or bad events and one of all events"
        found.mistakes.append(source.mistake(at, text))
        return None
    return Latency(name, histograms.histogram_of(query.selector))


def _problems(spec: schema.IndicatorSpec) -> Iterator[tuple[Key, str]]:
    """What keeps this indicator from being counted, apart from its queries."""
    ratio = spec.ratio_metric
    if ratio is None:
        if spec.threshold_metric is None:
            yield (), "needs ratioMetric (good or bad, and total) or thresholdMetric (a histogram's buckets)"
        return
    if spec.threshold_metric is not None:
        yield ("thresholdMetric",), "stands beside ratioMetric; keep one of the two"
    if ratio.raw is not None or ratio.raw_type is not None:
        text = "a raw ratio hides how many events there were and is not supported; use good or bad and total"
        yield ("ratioMetric", "raw" if ratio.raw is not None else "rawType"), text
        return
    if ratio.counter is not True:
        key: Key = ("ratioMetric",) if ratio.counter is None else ("ratioMetric", "counter")
        yield key, "only counters are supported; add counter: true"
    if (ratio.good is None) == (ratio.bad is None):
        yield ("ratioMetric",), "needs exactly one of good and bad beside total"
    if ratio.total is None:
        yield ("ratioMetric",), "needs total beside good or bad"


def _query(
    metric: schema.MetricSource,
    at: Key,
    source: yaml_source.Document,
    found: Found,
    problem_of: Callable[[str], str | None] = selectors.problem_of,
) -> Query | None:
    kind = _kind(metric, at, source, found)
    if kind is None:
        return None
    if kind.casefold() == "prometheus":
        prometheus = validated(schema.PrometheusSpec, metric.spec, (*at, "spec"), source, found.mistakes)
        if prometheus is None:
            return None
        problem = problem_of(prometheus.query)
        if problem is not None:
            found.mistakes.append(source.mistake((*at, "spec", "query"), problem))
            return None
        return PrometheusQuery(selectors.canonical(prometheus.query))
    if kind.casefold() == "csv":
        table = validated(schema.TableSpec, metric.spec, (*at, "spec"), source, found.mistakes)
        return None if table is None else TableQuery((source.path.parent / table.file).resolve(), table.series)
    key = "type" if metric.type is not None else "metricSourceRef"
    text = f"{kind!r} is not supported; use Prometheus (anything that speaks its API) or CSV"
    found.mistakes.append(source.mistake((*at, key), text))
    return None


def _kind(metric: schema.MetricSource, at: Key, source: yaml_source.Document, found: Found) -> str | None:
    """The source's type: its own, or that of the DataSource that it names."""
    reference = metric.metric_source_ref
    declared = found.documents.get(("DataSource", reference)) if reference else None
    if declared is None or not isinstance(declared.document, schema.DataSourceDocument):
        if metric.type is None:
            text = "needs type: Prometheus or type: CSV"
            if reference:
                near = near_names(reference, found.named("DataSource"), "DataSource")
                text = f"there is no DataSource {reference!r} ({near}), so {text}"
            found.mistakes.append(source.mistake(at, text))
        return metric.type
    kind = declared.document.spec.type
    if metric.type is not None and metric.type.casefold() != kind.casefold():
        text = f"{metric.type!r} is not what DataSource {reference!r} says ({kind!r}); remove one of them"
        found.mistakes.append(source.mistake((*at, "type"), text))
        return None
    return kind
