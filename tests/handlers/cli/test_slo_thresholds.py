"""`director slo check` where a Prometheus is configured: thresholds are held against its buckets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from bot.reliability import Reliability, load_definitions
from bot.reliability.metrics import Metrics
from bot.reliability.prometheus_failures import QueryFailed
from bot.settings import Settings
from tests.doubles.wiring import FakeWiring
from tests.handlers.cli.conftest import Command

SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: checkout-latency}
spec:
  service: checkout
  budgetingMethod: Occurrences
  timeWindow: [{duration: 28d, isRolling: true}]
  indicator:
    spec:
      thresholdMetric: {metricSource: {type: Prometheus, spec: {query: http_seconds_bucket}}}
  objectives:
    - {displayName: fast, op: lte, value: 0.25, target: 0.99}
    - {displayName: bearable, op: lte, value: 2, target: 0.999}
"""
WRONG = "2 is no bucket of this histogram; the nearest are 1 and 2.5. Set value to one of them."
SILENT = "Prometheus at http://prometheus:9090 did not answer."


class Buckets:
    """Prometheus, as far as it is asked for buckets."""

    def __init__(self) -> None:
        self.known: tuple[str, ...] | None = ("0.1", "0.25", "1", "2.5")

    async def buckets(self, selector: str, at: datetime) -> tuple[Decimal, ...]:
        assert selector == "http_seconds_bucket"
        if self.known is None:
            raise QueryFailed(SILENT, unreachable=True)
        return tuple(Decimal(value) for value in self.known)

    async def close(self) -> None:
        pass


class MeasuredWiring(FakeWiring):
    """Figures from a Prometheus that is asked for nothing but buckets."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, {"PROMETHEUS_URL": "http://prometheus:9090"})
        self.source = Buckets()

    @asynccontextmanager
    async def reliability(self, settings: Settings, store: Any = None) -> AsyncIterator[Any]:
        async with Reliability(
            load_definitions(settings.slos), {"prometheus": cast("Metrics", self.source)}
        ) as reliability:
            yield reliability


@pytest.fixture
def wiring(tmp_path: Path) -> MeasuredWiring:
    (tmp_path / "slos").mkdir()
    return MeasuredWiring(tmp_path)


@pytest.fixture
def slo_file(wiring: MeasuredWiring) -> Path:
    path = wiring.folder / "slos" / "checkout.yml"
    path.write_text(SLO)
    return path


def test_a_threshold_that_is_no_bucket_is_a_mistake_with_its_place_and_the_nearest_buckets(
    director: Command, slo_file: Path
) -> None:
    result = director("slo", "check")
    assert (result.code, result.err) == (1, "")
    assert result.out == f"{slo_file}:13: spec.objectives[1].value: {WRONG}\n"
    assert director("slo", "check", "--json").data == [
        {"where": f"{slo_file}:13", "key": "spec.objectives[1].value", "text": WRONG}
    ]


def test_files_that_are_named_are_held_against_the_buckets_too(
    director: Command, wiring: MeasuredWiring, slo_file: Path
) -> None:
    other = wiring.folder / "other.yml"
    other.write_text(SLO.replace("value: 2,", "value: 2.5,").replace("value: 0.25", "value: 0.2"))
    result = director("slo", "check", str(other))
    told = "0.2 is no bucket of this histogram; the nearest are 0.1 and 0.25. Set value to one of them."
    assert (result.code, result.out) == (1, f"{other}:12: spec.objectives[0].value: {told}\n")


def test_thresholds_that_are_buckets_are_right(director: Command, slo_file: Path) -> None:
    slo_file.write_text(SLO.replace("value: 2,", "value: 2.50,"))
    result = director("slo", "check")
    assert (result.code, result.out, result.err) == (0, "No mistakes: 2 objectives of 1 service.\n", "")


def test_a_prometheus_that_does_not_answer_is_told_and_the_files_are_checked_without_it(
    director: Command, wiring: MeasuredWiring, slo_file: Path
) -> None:
    wiring.source.known = None
    result = director("slo", "check")
    assert (result.code, result.out, result.err) == (
        0,
        "No mistakes: 2 objectives of 1 service.\n",
        f"Thresholds were not checked against the histogram's buckets: {SILENT}\n",
    )


def test_without_a_prometheus_nothing_is_asked(director: Command, wiring: MeasuredWiring, slo_file: Path) -> None:
    wiring.environ = {}
    result = director("slo", "check", "--json")
    assert (result.code, result.data, result.err) == (0, [], "")


def test_settings_that_are_wrong_keep_nobody_from_checking_a_file(
    director: Command, wiring: MeasuredWiring, slo_file: Path
) -> None:
    wiring.environ = {"PROMETHEUS_URL": "not a url"}
    result = director("slo", "check", str(slo_file))
    assert (result.code, result.out) == (0, "No mistakes: 2 objectives of 1 service.\n")
    assert result.err.startswith("Thresholds were not checked: ")
    assert "PROMETHEUS_URL" in result.err


def test_mistakes_in_the_files_come_first(director: Command, slo_file: Path) -> None:
    slo_file.write_text(SLO.replace("op: lte, value: 2", "op: lt, value: 2"))
    result = director("slo", "check")
    assert (result.code, result.out) == (
        1,
        (
            f"{slo_file}:13: spec.objectives[1].op: 'lt' is not supported; "
            "write lte: a bucket counts what took at most value\n"
        ),
    )
