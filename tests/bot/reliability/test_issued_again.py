"""A review of one instant, made at once and made again later: the same facts, whatever was remembered meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.reliability import Definitions, Prometheus, Reliability, ServiceDefinition
from bot.reliability.assessment import Assessment
from bot.reliability.exclusions import Exclusion
from tests.bot.reliability.test_prometheus_accuracy import promise
from tests.doubles.prometheus import AT, Fleet
from tests.doubles.remembered import MemoryHours, MemoryIssued

SERVICES = ("born", "dead", "faultless", "few", "fine", "holed", "restarts", "risky", "silent", "spent")
NIGHT = Exclusion(
    service="fine",
    rule="FREQ=DAILY;BYHOUR=3;BYMINUTE=20",
    duration=timedelta(minutes=50),
    reason="backup",
    owner="dana",
    zone="Europe/Berlin",
)
NEXT_WEEK = AT + timedelta(days=7)


async def asked(
    fleet: Fleet,
    at: datetime,
    *,
    now: datetime,
    hours: MemoryHours | None = None,
    issued: MemoryIssued | None = None,
    question: bool = False,
) -> Assessment:
    definitions = Definitions(tuple(map(ServiceDefinition, SERVICES)), tuple(map(promise, SERVICES)))
    source = Prometheus(fleet.url, hours=hours, clock=lambda: now)
    async with Reliability(definitions, {"prometheus": source}, exclusions=(NIGHT,), issued=issued) as reliability:
        return await (reliability.assess if question else reliability.issue)(None, at)


@pytest.mark.parametrize("at", [AT, AT - timedelta(minutes=8, seconds=47), AT - timedelta(hours=30, minutes=13)])
@pytest.mark.parametrize("question", [False, True], ids=["issued", "asked"])
async def test_an_instant_reads_the_same_at_once_and_a_week_later(
    prometheus_fleet: Fleet, at: datetime, *, question: bool
) -> None:
    hours = MemoryHours()
    at_once = await asked(prometheus_fleet, at, now=at, hours=hours, question=question)
    warm = await asked(prometheus_fleet, at, now=NEXT_WEEK, hours=hours, question=question)
    fresh = await asked(prometheus_fleet, at, now=NEXT_WEEK, hours=MemoryHours(), question=question)
    without = await asked(prometheus_fleet, at, now=NEXT_WEEK, question=question)
    assert warm.contract() == at_once.contract()
    assert fresh.contract() == at_once.contract()
    assert without.contract() == at_once.contract()


async def test_hours_that_were_remembered_hour_by_hour_read_like_those_asked_for_at_once(
    prometheus_fleet: Fleet,
) -> None:
    kept = MemoryHours()
    for back in (75, 50, 25, 3, 2, 1):
        moment = AT - timedelta(hours=back)
        await asked(prometheus_fleet, moment, now=moment, hours=kept, question=True)
    grown = await asked(prometheus_fleet, AT, now=AT, hours=kept, question=True)
    fresh = await asked(prometheus_fleet, AT, now=AT, hours=MemoryHours(), question=True)
    assert grown.contract() == fresh.contract()
