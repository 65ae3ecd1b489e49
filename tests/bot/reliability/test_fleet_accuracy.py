"""A fleet that nobody tuned for, in a real Prometheus: figures are what happened, and nothing is falsely green.

Other fleets: FLEET_SEED, FLEET_SERVICES, FLEET_SCRAPE (seconds), FLEET_DAYS in the environment.
"""

from __future__ import annotations

import asyncio
import os
import statistics
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from bot.reliability import Assessment, Objective, Prometheus, Reliability, State, load_definitions
from bot.reliability.metrics import Method
from tests.doubles.fleet import END, ON_THE_HOUR, WINDOW, Grid
from tests.doubles.prometheus_blocks import WEEK, Recipe, UnseenFleet, unseen_fleet
from tests.doubles.prometheus_process import needs_prometheus
from tests.doubles.prometheus_proxy import Change, half, proxy
from tests.doubles.remembered import MemoryHours

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

_MEDIAN = 0.001  # points of budget
_MOST: Mapping[Method, float] = {"increase": 0.05, "hours": 0.25}
_DOUBTS = {"bad_never_matched", "hidden_first_sample", "hours_disagree"}
_METHODS: tuple[Method, ...] = ("increase", "hours")


@dataclass
class Seen:
    """Everything that was said: at both instants, by both methods, with an empty and with a filled memory."""

    fleet: UnseenFleet
    cold: dict[tuple[datetime, Method], Assessment] = field(default_factory=dict)
    warm: dict[tuple[datetime, Method], Assessment] = field(default_factory=dict)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnseenFleet]:
    needs_prometheus()
    given = {name: int(os.environ.get(f"FLEET_{name.upper()}", "0")) for name in ("seed", "services", "scrape", "days")}
    recipe = Recipe(
        seed=given["seed"] or 20_261_116,
        services=given["services"] or 24,
        grid=Grid(given["scrape"] or 60, given["days"] or 30),
    )
    with unseen_fleet(tmp_path_factory.mktemp("fleet"), recipe) as found:
        yield found


@pytest.fixture(scope="module")
def seen(fleet: UnseenFleet) -> Seen:
    async def look() -> Seen:
        found, memory = Seen(fleet), MemoryHours()
        for at in (END, ON_THE_HOUR):
            for method in _METHODS:
                found.cold[at, method] = await said(fleet, at, method)
        for at in (ON_THE_HOUR, END):
            await said(fleet, at, "hours", memory)
            for method in _METHODS:
                found.warm[at, method] = await said(fleet, at, method, memory)
        return found

    return asyncio.run(look())


async def said(
    fleet: UnseenFleet, at: datetime, method: Method, memory: MemoryHours | None = None, url: str = ""
) -> Assessment:
    """A review (`increase`) or an answer (`hours`) at this instant, given when the fleet's last samples are in."""
    source = Prometheus(url or fleet.url, hours=memory or MemoryHours(), clock=lambda: END, timeout=60)
    async with Reliability(load_definitions([fleet.slos]), {"prometheus": source}) as reliability:
        return await (reliability.issue(None, at) if method == "increase" else reliability.assess(None, at))


# --- what is true ---


def true_remaining(fleet: UnseenFleet, item: Objective, window: timedelta = WINDOW) -> Fraction | None:
    """What is left of the budget by the events that happened; a burn's complement for a shorter window."""
    truth = fleet.truth[item.service, item.evaluated_at, window]
    allowed = (1 - Fraction(item.target)) * truth.total
    return 1 - truth.bad / allowed if allowed > 0 else None


def is_truly_fine(fleet: UnseenFleet, item: Objective) -> bool:
    """By the rules for OK, on the truth; up to a twentieth of a point, which may fall on either side."""
    remaining, week = true_remaining(fleet, item), true_remaining(fleet, item, WEEK)
    if remaining is None or remaining <= Fraction(1, 4) - Fraction(5, 10_000):
        return False
    burn = 1 - week if week is not None else Fraction()
    return burn <= 0 or WINDOW * float(remaining / burn) > WEEK * 0.999


def falsely_green(fleet: UnseenFleet, found: Assessment) -> dict[str, float]:
    """Services that are said to be OK without a doubt and are not, with what is truly left of their budget."""
    return {
        item.service: float(true_remaining(fleet, item) or 0)
        for item in found.items
        if item.state is State.OK and not _DOUBTS & codes(item) and not is_truly_fine(fleet, item)
    }


def codes(item: Objective) -> set[str]:
    return {remark.code for remark in item.remarks}


def points_apart(fleet: UnseenFleet, found: Assessment) -> dict[str, float]:
    """How many points of budget each ordinary service's figure is away from the truth."""
    apart = {}
    for item in found.items:
        if fleet.services[item.service].expected is None:
            truth, remaining = true_remaining(fleet, item), item.figures.remaining
            apart[item.service] = float("inf") if truth is None or remaining is None else 100 * abs(remaining - truth)
    return {name: float(points) for name, points in apart.items()}


# --- what must hold: few tests, for each process that runs some of them makes a fleet of its own ---


def test_budgets_are_what_happened(seen: Seen) -> None:
    for (at, method), found in seen.cold.items():
        apart = points_apart(seen.fleet, found)
        assert {name: points for name, points in apart.items() if points > _MOST[method]} == {}, (at, method)
        assert statistics.median(apart.values()) <= _MEDIAN, (at, method, apart)


def test_every_service_at_an_edge_has_its_state_and_its_notes(seen: Seen) -> None:
    wrong = {}
    for case, found in seen.cold.items():
        for item in found.items:
            expected = seen.fleet.services[item.service].expected
            if expected is not None and (item.state not in expected.states or not set(expected.notes) <= codes(item)):
                wrong[item.service, *case] = (item.state.value, codes(item), expected)
    assert wrong == {}


def test_ordinary_services_are_judged_without_doubts_and_none_is_falsely_green(seen: Seen) -> None:
    for case, found in seen.cold.items():
        doubted = {
            item.service: (item.state.value, codes(item))
            for item in found.items
            if seen.fleet.services[item.service].expected is None
            and (item.state not in (State.OK, State.AT_RISK, State.EXHAUSTED) or _DOUBTS & codes(item))
        }
        assert (case, doubted, falsely_green(seen.fleet, found)) == (case, {}, {})


def test_what_is_remembered_changes_nothing(seen: Seen) -> None:
    for case, found in seen.cold.items():
        assert differing(found, seen.warm[case]) == {}, case


async def test_half_of_the_series_makes_nothing_falsely_green(fleet: UnseenFleet) -> None:
    for method in _METHODS:
        for keep in (0, 1):
            found = await through(fleet, method, change=half(keep))
            assert falsely_green(fleet, found) == {}, (method, keep)


async def test_a_server_killed_in_the_middle_leaves_no_wrong_figure(seen: Seen) -> None:
    for method in _METHODS:
        whole = seen.cold[END, method]
        figures = {item.service: item.figures.remaining for item in whole.items}
        for after in (0, 1, 2, 4, 7, 11, 16):
            found = await through(seen.fleet, method, dies_after=after)
            wrong = {
                item.service: (item.state.value, item.sentence)
                for item in found.items
                if item.state not in (State.QUERY_FAILED, State.INVALID_TARGET)
                and item.figures.remaining != figures[item.service]
            }
            assert (wrong, falsely_green(seen.fleet, found)) == ({}, {}), (method, after)
            assert found.unreachable or differing(whole, found) == {}, (method, after)


async def through(
    fleet: UnseenFleet, method: Method, *, dies_after: int | None = None, change: Change | None = None
) -> Assessment:
    async with AsyncExitStack() as stack:
        between = await stack.enter_async_context(proxy(fleet.url, dies_after=dies_after, change=change))
        return await said(fleet, END, method, url=between.url)


def differing(first: Assessment, second: Assessment) -> dict[str, Any]:
    """What two answers say differently, apart from the address that was asked."""
    found = {}
    for one, other in zip(first.contract(), second.contract(), strict=True):
        for key, value in one.items():
            if value != other[key] and key != "source":
                found[f"{one['service']}: {key}"] = (value, other[key])
    return found
