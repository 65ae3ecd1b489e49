"""Against a real Prometheus with a known past: figures are the truth, states are honest."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from bot.reliability import Assessment, Prometheus, Reliability, State
from bot.reliability.definitions import (
    Definitions,
    Indicator,
    ObjectiveDefinition,
    PrometheusQuery,
    ServiceDefinition,
    Window,
)
from tests.doubles.prometheus import AT, Fleet

WINDOW = Window("28d", timedelta(days=28))


def promise(service: str, target: str = "0.999", *, good: bool = False) -> ObjectiveDefinition:
    every = PrometheusQuery(f'events_total{{service="{service}"}}')
    failed = PrometheusQuery(f'events_total{{service="{service}",code=~"5.."}}')
    passed = PrometheusQuery(f'events_total{{service="{service}",code!~"5.."}}')
    indicator = Indicator(service, total=every, good=passed) if good else Indicator(service, total=every, bad=failed)
    return ObjectiveDefinition(
        service=service,
        slo=f"{service}-{'good' if good else 'bad'}",
        name="availability",
        target=Decimal(target),
        window=WINDOW,
        indicator=indicator,
    )


async def assess(fleet: Fleet, *promises: ObjectiveDefinition) -> Assessment:
    services = tuple(ServiceDefinition(name) for name in sorted({item.service for item in promises}))
    async with Reliability(Definitions(services, promises), {"prometheus": Prometheus(fleet.url)}) as reliability:
        return await reliability.assess(None, AT)


@pytest.mark.parametrize("good", [False, True], ids=["bad+total", "good+total"])
async def test_budgets_are_within_a_twentieth_of_a_point_of_the_truth(prometheus_fleet: Fleet, *, good: bool) -> None:
    names = ("fine", "spent", "risky", "restarts", "faultless")
    found = await assess(prometheus_fleet, *(promise(name, good=good) for name in names))
    apart = {}
    for item in found.items:
        truth = prometheus_fleet.truth[item.service]
        remaining = 1 - truth.bad / (0.001 * truth.total)
        assert item.figures.remaining is not None
        apart[item.service] = abs(float(item.figures.remaining) - remaining) * 100
    assert {name: points for name, points in apart.items() if points > 0.05} == {}, apart


async def test_each_kind_of_history_has_its_state(prometheus_fleet: Fleet) -> None:
    names = ("fine", "spent", "risky", "faultless", "silent", "few", "dead", "born", "holed", "restarts", "nobody")
    found = await assess(prometheus_fleet, *(promise(name) for name in names))
    assert {item.service: item.state for item in found.items} == {
        "fine": State.OK,
        "spent": State.EXHAUSTED,
        "risky": State.AT_RISK,
        "restarts": State.OK,
        "faultless": State.OK,
        "silent": State.NO_TRAFFIC,
        "few": State.LOW_VOLUME,
        "dead": State.STALE,
        "born": State.PARTIAL,
        "holed": State.PARTIAL,
        "nobody": State.NO_DATA,
    }


async def test_each_kind_of_history_has_its_notes(prometheus_fleet: Fleet) -> None:
    names = ("fine", "faultless", "few", "dead", "born", "holed")
    found = await assess(prometheus_fleet, *(promise(name) for name in names))
    notes = {item.service: {remark.code for remark in item.remarks} for item in found.items}
    assert notes["fine"] == set()
    assert notes["faultless"] == {"bad_never_matched"}
    assert "low_volume" in notes["few"]
    assert "stale_since" in notes["dead"]
    assert notes["born"] == {"partial_history"}
    assert notes["holed"] == {"gap"}


async def test_a_dead_service_names_its_last_sample(prometheus_fleet: Fleet) -> None:
    found = await assess(prometheus_fleet, promise("dead"))
    assert found.items[0].sentence == (
        "There have been no samples since Fri 6 Nov 2026 07:55 UTC; check that the service is still scraped."
    )


async def test_an_impossible_target_is_shown_with_its_events_and_without_a_budget(prometheus_fleet: Fleet) -> None:
    found = await assess(prometheus_fleet, promise("fine", "1.0"))
    item = found.items[0].contract()
    assert (item["state"], item["budget"]) == ("INVALID_TARGET", {"consumed": None, "remaining": None})
    assert item["burn"] == {"1h": None, "6h": None, "24h": None, "3d": None, "7d": None}
    assert item["events"]["total"] == pytest.approx(prometheus_fleet.truth["fine"].total, rel=1e-3)


async def test_a_broken_query_costs_only_its_own_objective(prometheus_fleet: Fleet) -> None:
    broken = promise("broken")
    indicator = Indicator("x", total=PrometheusQuery("events_total{"), bad=PrometheusQuery("events_total"))
    broken = ObjectiveDefinition(**{**broken.__dict__, "indicator": indicator})
    found = await assess(prometheus_fleet, broken, promise("fine"))
    assert [item.state for item in found.items] == [State.QUERY_FAILED, State.OK]
    assert found.items[0].sentence.startswith(f"Prometheus at {prometheus_fleet.url} refused the query (bad_data):")
    assert found.exit_code == 1


async def test_asked_again_for_the_same_instant_everything_is_the_same(prometheus_fleet: Fleet) -> None:
    promises = [promise(name) for name in ("fine", "spent", "dead", "holed", "nobody")]
    assert (await assess(prometheus_fleet, *promises)).contract() == (
        await assess(prometheus_fleet, *promises)
    ).contract()


async def test_the_hourly_figures_agree_with_the_headline(prometheus_fleet: Fleet) -> None:
    found = await assess(prometheus_fleet, *(promise(name) for name in ("fine", "spent", "risky", "restarts")))
    for item in found.items:
        bad = float(sum(point.bad for point in item.points))
        truth = prometheus_fleet.truth[item.service]
        assert abs(bad - truth.bad) / (0.001 * truth.total) < 0.0025, item.service


async def test_a_single_failing_burst_is_seen_in_the_burn_windows(prometheus_fleet: Fleet) -> None:
    found = await assess(prometheus_fleet, promise("risky"))
    burn = {name: float(rate) for name, rate in found.items[0].figures.burn.items() if rate is not None}
    assert burn["24h"] == pytest.approx(0.11, abs=0.01)
    assert burn["3d"] > 5
    assert burn["7d"] == pytest.approx(burn["3d"] * 3 / 7, rel=0.1)
