"""A thousand objectives of which nothing is remembered: a review's memory, its queries, its hold on the loop."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.fleet import END, Grid
from tests.doubles.process import ROOT, environment
from tests.doubles.prometheus_blocks import Recipe, UnseenFleet, unseen_fleet
from tests.doubles.prometheus_process import needs_prometheus
from tests.doubles.prometheus_proxy import Proxy, proxy

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SERVICES = 1000
_MOST_SAMPLES = 2_000_000  # configured far below what one query over all of them would read


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnseenFleet]:
    needs_prometheus()
    recipe = Recipe(seed=5, services=SERVICES, grid=Grid(300, 29), with_edges=False, shape="small")
    with unseen_fleet(tmp_path_factory.mktemp("large"), recipe) as found:
        yield found


async def review(folder: Path, fleet: UnseenFleet, url: str) -> dict[str, Any]:
    (folder / "director.yml").write_text(f"metrics: {{max_samples_per_query: {_MOST_SAMPLES}}}\n", encoding="utf-8")
    settings = {
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": f"sqlite:///{folder}/director.db",
        "DIRECTOR_SLOS": str(fleet.slos),
        "PROMETHEUS_URL": url,
    }
    command = [sys.executable, "-m", "tests.doubles.measured_review", END.isoformat()]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environment(settings), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 240)
    assert process.returncode == 0, err.decode()
    return dict(json.loads(out))


async def test_a_thousand_objectives_are_reviewed_within_bounds(tmp_path: Path, fleet: UnseenFleet) -> None:
    async with proxy(fleet.url, stats=True) as between:
        found = await review(tmp_path, fleet, between.url)
    print(found, summary(between))
    assert found["failed"] is None
    assert sum(found["states"].values()) == SERVICES
    assert {query.points for query in between.queries if query.points > 11_000} == set()
    assert {query.samples for query in between.queries if query.samples > _MOST_SAMPLES} == set()
    assert between.most_at_once <= 8
    assert found["peak_mb"] < 300
    assert found["longest_hold_ms"] < 100


def summary(between: Proxy) -> str:
    queries = between.queries
    return (
        f"{len(queries)} queries, at most {between.most_at_once} at once; largest: "
        f"{max(query.points for query in queries)} points, {max(query.samples for query in queries):,} samples, "
        f"{max(query.peak_samples for query in queries):,} held at once, {max(query.size for query in queries):,} bytes"
    )
