"""What an OpenSLO indicator counts: good or bad and total events, from Prometheus or a CSV table."""

from __future__ import annotations

from collections.abc import Iterator

from bot import yaml_source
from bot.reliability import openslo_schema as schema
from bot.reliability import selectors
from bot.reliability.definitions import Indicator, PrometheusQuery, Query, TableQuery
from bot.reliability.openslo_reading import Found, Parsed, validated
from bot.yaml_source import Key


def indicator_spec(parsed: Parsed) -> schema.IndicatorSpec:
    document = parsed.document
    assert isinstance(document, schema.IndicatorDocument)  # noqa: S101 - stored under its kind
    return document.spec


def read_indicator(parsed: Parsed, at: Key, spec: schema.IndicatorSpec, name: str, found: Found) -> Indicator | None:
    """The indicator, or None when it has mistakes (they are added to `found`)."""
    source, ratio = parsed.source, spec.ratio_metric
    wrong = list(_problems(spec))
    if wrong or ratio is None:
        found.mistakes += [source.mistake((*at, *key), text) for key, text in wrong]
        return None
    queries = {
        part: _query(metric.metric_source, (*at, "ratioMetric", part, "metricSource"), source, found)
        for part, metric in (("good", ratio.good), ("bad", ratio.bad), ("total", ratio.total))
        if metric is not None
    }
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
        found.mistakes.append(source.mistake((*at, "ratioMetric"), text))
        return None
    return Indicator(name, total=total, good=good, bad=bad)


def _problems(spec: schema.IndicatorSpec) -> Iterator[tuple[Key, str]]:
    """What keeps this indicator from being counted, apart from its queries."""
    ratio = spec.ratio_metric
    if spec.threshold_metric is not None:
        text = "latency and other threshold metrics are not supported yet; use ratioMetric with good or bad and total"
        yield ("thresholdMetric",), text
    if ratio is None:
        if spec.threshold_metric is None:
            yield (), "needs ratioMetric with good or bad and total"
        return
    if ratio.raw is not None or ratio.raw_type is not None:
        text = "a raw ratio hides how many events there were and is not supported; use good or bad and total"
        yield ("ratioMetric", "raw"), text
        return
    if ratio.counter is not True:
        key: Key = ("ratioMetric",) if ratio.counter is None else ("ratioMetric", "counter")
        yield key, "only counters are supported; add counter: true"
    if (ratio.good is None) == (ratio.bad is None):
        yield ("ratioMetric",), "needs exactly one of good and bad beside total"
    if ratio.total is None:
        yield ("ratioMetric",), "needs total beside good or bad"


def _query(metric: schema.MetricSource, at: Key, source: yaml_source.Document, found: Found) -> Query | None:
    kind = metric.type
    reference = metric.metric_source_ref
    declared = found.documents.get(("DataSource", reference)) if reference else None
    if declared is not None and isinstance(declared.document, schema.DataSourceDocument):
        kind = kind or declared.document.spec.type
    if kind is None:
        text = "needs type: Prometheus or type: CSV"
        if reference:
            text = f"there is no DataSource {reference!r} in these files, so {text}"
        found.mistakes.append(source.mistake(at, text))
        return None
    if kind.lower() == "prometheus":
        prometheus = validated(schema.PrometheusSpec, metric.spec, (*at, "spec"), source, found.mistakes)
        if prometheus is None:
            return None
        problem = selectors.problem_of(prometheus.query)
        if problem is not None:
            found.mistakes.append(source.mistake((*at, "spec", "query"), problem))
            return None
        return PrometheusQuery(selectors.canonical(prometheus.query))
    if kind.lower() == "csv":
        table = validated(schema.TableSpec, metric.spec, (*at, "spec"), source, found.mistakes)
        return None if table is None else TableQuery((source.path.parent / table.file).resolve(), table.series)
    text = f"{kind!r} is not supported; use Prometheus (anything that speaks its API) or CSV"
    found.mistakes.append(source.mistake((*at, "type"), text))
    return None
