"""One SLO file, what it defines, and how tests write others like it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from textwrap import dedent

from bot.reliability import check
from bot.reliability.definitions import Indicator, ObjectiveDefinition, PrometheusQuery, Window

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: checkout-availability}
spec:
  service: checkout
  indicator:
    metadata: {name: ratio}
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: Prometheus, spec: {query: 'http_total{code=~"5.."}'}}}
        total: {metricSource: {type: Prometheus, spec: {query: http_total}}}
  timeWindow:
    - {duration: 28d, isRolling: true}
  budgetingMethod: Occurrences
  objectives:
    - {displayName: availability, target: 0.999}
"""
DEFINED = ObjectiveDefinition(
    service="checkout",
    slo="checkout-availability",
    name="availability",
    target=Decimal("0.999"),
    window=Window("28d", timedelta(days=28)),
    indicator=Indicator("ratio", total=PrometheusQuery("http_total"), bad=PrometheusQuery('http_total{code=~"5.."}')),
)


def written(folder: Path, text: str, name: str = "slo.yml") -> Path:
    path = folder / name
    path.write_text(dedent(text))
    return path


def mistakes(path: Path) -> list[str]:
    return [str(mistake).replace(f"{path.parent}/", "") for mistake in check([path], now=NOW)]
