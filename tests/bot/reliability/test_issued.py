"""What an issued objective is found by: all that decides its facts, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.reliability.definitions import Indicator, ObjectiveDefinition, PrometheusQuery, Slices, TableQuery, Threshold
from bot.reliability.exclusions import Exclusion
from bot.reliability.issued import key_of
from bot.reliability.windows import CalendarWindow, Window
from tests.bot.reliability.samples import promise

GOOD = PrometheusQuery('latency_bucket{le="0.25"}')
ALL = PrometheusQuery("latency_count")
FILE = Path("events.csv")
MONTH = CalendarWindow.of(1, "M", datetime(2026, 1, 1), "Europe/Berlin")  # noqa: DTZ001 - local time
NIGHT = Exclusion(service="checkout", rule="FREQ=DAILY", duration=timedelta(hours=1), reason="backup", owner="dana")


def key(definition: ObjectiveDefinition, *exclusions: Exclusion, source: str = "http://prometheus:9090") -> str:
    return key_of(definition, exclusions, source)


def latency(where: str = "a.yaml:3", seconds: str = "0.25") -> ObjectiveDefinition:
    threshold = Threshold(Decimal(seconds), "latency_bucket", where)
    return replace(promise(), indicator=Indicator("latency", total=ALL, good=GOOD, threshold=threshold))


@pytest.mark.parametrize(
    "other",
    [
        lambda one: replace(one, target=Decimal("0.9991")),
        lambda one: replace(one, service="Checkout"),
        lambda one: replace(one, slo="other"),
        lambda one: replace(one, name="other"),
        lambda one: replace(one, window=Window("28d", timedelta(days=28, seconds=1))),
        lambda one: replace(one, window=MONTH),
        lambda one: replace(one, slices=Slices(timedelta(minutes=1), Decimal("0.99"))),
        lambda one: replace(one, indicator=Indicator("ratio", total=ALL, bad=GOOD)),
        lambda one: replace(one, indicator=Indicator("ratio", total=ALL, good=GOOD)),
        lambda one: replace(
            one, indicator=Indicator("ratio", total=TableQuery(FILE, "all"), bad=TableQuery(FILE, "bad"))
        ),
    ],
)
def test_what_decides_the_facts_makes_another_key(other: Callable[[ObjectiveDefinition], ObjectiveDefinition]) -> None:
    assert key(other(promise())) != key(promise())


def test_source_exclusions_and_threshold_make_another_key() -> None:
    keys = {
        key(latency()),
        key(latency(seconds="0.5")),
        key(latency(), source="http://other:9090"),
        key(latency(), NIGHT),
        key(latency(), replace(NIGHT, zone="Europe/Berlin")),
    }
    assert len(keys) == 5


def test_words_and_lines_in_files_leave_the_key() -> None:
    renamed = replace(latency(where="b.yaml:9"), title="Latency", description="How long it takes")
    assert key(replace(renamed, target=Decimal("0.9990")), NIGHT) == key(latency(), NIGHT)


def test_a_key_stays_as_it_is_while_its_form_does() -> None:
    assert key(promise(), NIGHT)[:12] == "548e474336b4"
