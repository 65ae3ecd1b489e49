"""The sample fleet: six services of an outdoor shop, nine weeks of hourly events with incidents, made by formula.

The events are invented and look it: the same hour always gives the same numbers, and incidents lie a fixed number of
days before `now`, so that the demo tells the same story whenever it is started. Some hours to come are written too, so
that a demo left open for a day doesn't go stale.
"""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from bot.reliability.assessment import rfc3339

HISTORY = timedelta(weeks=9)
AHEAD = timedelta(days=3)
HOUR = timedelta(hours=1)
EVENTS = "events.csv"


@dataclass(frozen=True)
class Incident:
    """A burn: so many days before today, from this hour (UTC) on, this share of all events fails."""

    days_ago: int
    at: int
    hours: int
    failing: float


@dataclass(frozen=True, kw_only=True)
class SampleService:
    """`hourly` events at the busiest hour; `error_rate` is what fails on a quiet day."""

    name: str
    title: str
    description: str
    slo: str
    counted: str
    target: str
    hourly: int
    error_rate: float
    nightly: float  # share of the busiest hour's events that is left at night
    counts_bad: bool = True
    incidents: tuple[Incident, ...] = ()


FLEET = (
    SampleService(
        name="checkout",
        title="Checkout",
        description="Basket to order: prices, stock reservation, order confirmation.",
        slo="checkout-availability",
        counted="Order requests answered without a server error",
        target="0.999",
        hourly=21_000,
        error_rate=0.00031,
        nightly=0.12,
        incidents=(Incident(47, 9, 3, 0.05), Incident(9, 13, 4, 0.064), Incident(4, 10, 3, 0.031)),
    ),
    SampleService(
        name="payments",
        title="Payments",
        description="Card and invoice payments, refunds, the ledger.",
        slo="payments-success",
        counted="Payment attempts that did not fail on our side",
        target="0.9995",
        hourly=8_400,
        error_rate=0.00022,
        nightly=0.15,
        incidents=(Incident(36, 15, 5, 0.01), Incident(14, 12, 6, 0.0099), Incident(3, 16, 3, 0.0098)),
    ),
    SampleService(
        name="search",
        title="Search",
        description="Product search and suggestions.",
        slo="search-availability",
        counted="Searches that returned a result page",
        target="0.995",
        hourly=52_000,
        error_rate=0.0009,
        nightly=0.2,
        incidents=(Incident(25, 8, 6, 0.02), Incident(1, 13, 4, 0.155)),
    ),
    SampleService(
        name="catalog",
        title="Catalog",
        description="Products, categories and prices.",
        slo="catalog-availability",
        counted="Catalog reads answered without a server error",
        target="0.999",
        hourly=88_000,
        error_rate=0.00017,
        nightly=0.25,
        incidents=(Incident(39, 11, 2, 0.012),),
    ),
    SampleService(
        name="notifications",
        title="Notifications",
        description="Order mails and push messages.",
        slo="notifications-delivered",
        counted="Messages handed to the carrier at the first attempt",
        target="0.99",
        hourly=6_200,
        error_rate=0.0031,
        nightly=0.3,
        counts_bad=False,
        incidents=(Incident(17, 9, 8, 0.11),),
    ),
    SampleService(
        name="partner-api",
        title="Partner API",
        description="Orders of the few resellers that have their own systems.",
        slo="partner-api-availability",
        counted="Partner requests answered without a server error",
        target="0.999",
        hourly=14,
        error_rate=0.00015,
        nightly=0.1,
        incidents=(Incident(7, 12, 1, 0.2),),
    ),
)


def write_fleet(folder: Path, now: datetime) -> None:
    """Write the fleet's OpenSLO files and its table of hourly events into a folder, replacing what it wrote before."""
    folder.mkdir(parents=True, exist_ok=True)
    for service in FLEET:
        text = yaml.safe_dump_all(_documents(service), sort_keys=False, allow_unicode=True, width=110)
        (folder / f"{service.name}.yml").write_text(text, encoding="utf-8")
    with (folder / EVENTS).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("hour", "series", "events"))
        for service in FLEET:
            table.writerows(_rows(service, now))


def hourly_events(service: SampleService, now: datetime) -> Iterator[tuple[datetime, int, int]]:
    """Start of hour, bad events, all events; oldest first."""
    current = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    hour = current - HISTORY
    while hour < current + AHEAD:
        total, bad = _events(service, hour, now)
        yield hour, bad, total
        hour += HOUR


def _rows(service: SampleService, now: datetime) -> Iterator[tuple[str, str, int]]:
    part = "bad" if service.counts_bad else "good"
    for hour, bad, total in hourly_events(service, now):
        yield rfc3339(hour), f"{service.name}_{part}", bad if service.counts_bad else total - bad
        yield rfc3339(hour), f"{service.name}_total", total


def _events(service: SampleService, hour: datetime, now: datetime) -> tuple[int, int]:
    chance = random.Random(f"{service.name} {rfc3339(hour)}")  # noqa: S311 - sample data, the same in every run
    day = 0.5 - 0.5 * math.cos((hour.hour - 3) / 24 * math.tau)  # quietest at 3, busiest at 15 UTC
    weekend = 0.82 if hour.weekday() >= 5 else 1.0
    level = (service.nightly + (1 - service.nightly) * day) * weekend * chance.uniform(0.93, 1.07)
    total = max(1, round(service.hourly * level))
    failing = service.error_rate * chance.uniform(0.6, 1.4)
    for incident in service.incidents:
        day_of = now.astimezone(UTC).date() - timedelta(days=incident.days_ago)
        if hour.date() == day_of and incident.at <= hour.hour < incident.at + incident.hours:
            failing += incident.failing * chance.uniform(0.85, 1.15)
    whole, rest = divmod(total * failing, 1)
    return total, min(total, int(whole) + (chance.random() < rest))


def _documents(service: SampleService) -> Iterator[dict[str, object]]:
    yield {
        "apiVersion": "openslo/v1",
        "kind": "Service",
        "metadata": {"name": service.name, "displayName": service.title},
        "spec": {"description": service.description},
    }
    part = "bad" if service.counts_bad else "good"
    yield {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": service.slo, "displayName": f"{service.title}: {service.counted.lower()}"},
        "spec": {
            "description": service.counted,
            "service": service.name,
            "indicator": {
                "metadata": {"name": f"{service.slo}-ratio"},
                "spec": {
                    "ratioMetric": {
                        "counter": True,
                        part: {"metricSource": _series(f"{service.name}_{part}")},
                        "total": {"metricSource": _series(f"{service.name}_total")},
                    }
                },
            },
            "timeWindow": [{"duration": "28d", "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [
                {"displayName": service.slo.removeprefix(f"{service.name}-"), "target": float(service.target)}
            ],
        },
    }


def _series(name: str) -> dict[str, object]:
    return {"type": "CSV", "spec": {"file": EVENTS, "series": name}}
