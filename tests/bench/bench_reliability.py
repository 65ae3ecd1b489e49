"""Reviews and status of many objectives beside the same questions sent raw, and beside slo-generator, in one run.

One Prometheus, one machine, taking turns: only the ratios mean something. `--services 1000 --scrape 300 --shape small`
for a large fleet; `--no-peer` leaves slo-generator out (else it is installed into a cache folder of its own).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bot.reliability import Prometheus, Reliability, State, load_definitions  # noqa: E402
from storage import open_store  # noqa: E402
from tests.doubles.fleet import WINDOW, Grid, Service  # noqa: E402
from tests.doubles.prometheus_blocks import Recipe, UnseenFleet, slo, unseen_fleet  # noqa: E402

PEER = "slo-generator==2.6.0"
# What a review tells: the window and the five burn windows; seconds, and the burn rate that alerts.
PEER_WINDOWS = {
    "1 hour": (3_600, 13.44),
    "6 hours": (21_600, 5.6),
    "24 hours": (86_400, 2.8),
    "3 days": (259_200, 1),
    "7 days": (604_800, 1),
    "28 days": (2_419_200, 1),
}
Work = Callable[[], Awaitable[None]]


class NotMeasured(Exception):
    """The peer can't be had or did not answer; the message says why."""


class Bench:
    def __init__(self, fleet: UnseenFleet, folder: Path, at: datetime) -> None:
        self.url, self.folder, self.at = fleet.url, folder, at
        self.services = [replace(service, good=False) for service in fleet.services.values()]
        slos = folder / "bench.yaml"
        slos.write_text("---\n".join(slo(service) for service in self.services), encoding="utf-8")
        self.definitions = load_definitions([slos])
        self._stores = 0

    # --- ours ---

    async def cold(self) -> None:
        """A review, nothing remembered."""
        self._stores += 1
        shutil.copy(self.folder / "empty.db", self.folder / f"cold{self._stores}.db")
        await self._ask(f"cold{self._stores}", issue=True)

    async def warm(self) -> None:
        """A status, all closed hours remembered."""
        await self._ask("warm", issue=False)

    async def _ask(self, database: str, *, issue: bool) -> None:
        async with open_store(f"sqlite:///{self.folder}/{database}.db") as store:
            source = Prometheus(self.url, hours=store.hours("bench"), timeout=120)
            async with Reliability(self.definitions, {"prometheus": source}, issued=store.issued("bench")) as asked:
                found = await (asked.issue(None, self.at) if issue else asked.assess(None, self.at))
        failed = [item.sentence for item in found.items if item.state not in (State.OK, State.AT_RISK, State.EXHAUSTED)]
        if failed:
            raise RuntimeError(f"{len(failed)} objectives were not judged: {failed[0]}")

    async def prepare(self) -> None:
        """Tables made, and the memory of the warm ones filled."""
        async with open_store(f"sqlite:///{self.folder}/empty.db") as store:
            await store.migrate()
        shutil.copy(self.folder / "empty.db", self.folder / "warm.db")
        await self.warm()

    # --- the same, raw ---

    async def raw(self) -> None:
        """One increase over 28 days and one hourly range, for bad and for total: four queries at once."""
        now = self.at.timestamp()
        span = {"start": str(now - WINDOW.total_seconds() + 3600), "end": str(now), "step": "3600"}
        asks = []
        for selector in ('requests_total{code=~"5.."}', "requests_total"):
            asks.append(("query", {"query": f"sum by (service) (increase({selector}[28d]))", "time": str(now)}))
            asks.append(("query_range", {"query": f"sum by (service) (increase({selector}[1h]))", **span}))
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=300)) as session:
            answers = await asyncio.gather(*(self._post(session, *ask) for ask in asks))
        assert all(len(answer["data"]["result"]) == len(self.services) for answer in answers)

    async def _post(self, session: aiohttp.ClientSession, endpoint: str, form: dict[str, str]) -> Any:
        async with session.post(f"{self.url}/api/v1/{endpoint}", data=form) as response:
            return json.loads(await response.read())


class Peer:
    """slo-generator in an environment of its own, for the windows that a review tells of."""

    def __init__(self, url: str, services: Sequence[Service], folder: Path) -> None:
        self._program = _installed()
        self._folder, self._amount = folder / "peer", len(services)
        (self._folder / "slos").mkdir(parents=True)
        steps = [
            {"name": name, "window": window, "burn_rate_threshold": burn, "alert": False}
            | {"message_alert": "Freeze release", "message_ok": "Unfreeze release"}
            for name, (window, burn) in PEER_WINDOWS.items()
        ]
        config: dict[str, Any] = {"backends": {"prometheus": {"url": url}}, "exporters": {}}
        config["error_budget_policies"] = {"default": {"steps": steps}}
        (self._folder / "config.yaml").write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
        for service in services:
            path = self._folder / "slos" / f"{service.name}.yaml"
            path.write_text(json.dumps(_peer_slo(service)), encoding="utf-8")

    async def all(self) -> None:
        answer = await asyncio.to_thread(self._run, ["compute", "-f", "slos", "-c", "config.yaml"])
        lines = sum("SLI:" in line for line in answer.splitlines())
        if lines != self._amount * len(PEER_WINDOWS):
            raise NotMeasured(
                f"{PEER} said {lines} lines instead of {self._amount * len(PEER_WINDOWS)}:\n{answer[-800:]}"
            )

    async def start(self) -> None:
        """Only its start, which is no part of the comparison."""
        await asyncio.to_thread(self._run, ["compute", "--help"])

    def _run(self, arguments: list[str]) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self._folder), "PYTHONWARNINGS": "ignore"}
        command = [str(self._program), *arguments]
        done = subprocess.run(  # its exit code is 0 whatever happened: what it says is read
            command, cwd=self._folder, env=environment, capture_output=True, text=True, timeout=600, check=False
        )
        return done.stdout + done.stderr


def _peer_slo(service: Service) -> dict[str, object]:
    labels = {"service_name": service.name, "feature_name": "requests", "slo_name": "promise"}
    chosen = f'service="{service.name}"'
    counted = {
        "filter_good": f'requests_total{{{chosen},code!~"5.."}}',
        "filter_bad": f'requests_total{{{chosen},code=~"5.."}}',
    }
    return {
        "apiVersion": "sre.google.com/v2",
        "kind": "ServiceLevelObjective",
        "metadata": {"name": service.name, "labels": labels},
        "spec": {
            "description": "made up",
            "backend": "prometheus",
            "method": "good_bad_ratio",
            "exporters": [],
            "service_level_indicator": counted,
            "goal": float(service.target),
        },
    }


def _installed() -> Path:
    """The peer's program, installed when it isn't yet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "director-bench" / PEER
    program = cache / "bin" / "slo-generator"
    if program.exists():
        return program
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    install = [uv, "pip", "install", "--quiet", "--python", str(cache / "bin" / "python")]
    try:
        subprocess.run([uv, "venv", "--quiet", "--clear", str(cache)], check=True, capture_output=True, timeout=120)
        wanted = [f"slo-generator[prometheus]=={PEER.partition('==')[2]}", "setuptools<81"]
        subprocess.run([*install, *wanted], check=True, capture_output=True, text=True, timeout=600)
    except (OSError, subprocess.SubprocessError) as error:
        raise NotMeasured(f"{PEER} can't be installed: {getattr(error, 'stderr', None) or error}") from error
    return program


async def timed(work: Work) -> float:
    begun = time.perf_counter()
    await work()
    return time.perf_counter() - begun


async def compare(fleet: UnseenFleet, folder: Path, at: datetime, runs: int, *, peer: bool) -> None:
    bench = Bench(fleet, folder, at)
    await bench.prepare()
    works: dict[str, Work] = {"raw": bench.raw, "cold": bench.cold, "warm": bench.warm}
    missing = "left out"
    if peer:
        try:
            other = Peer(fleet.url, bench.services, folder)
            await other.all()
            works |= {"peer": other.all, "peer's start": other.start}
        except NotMeasured as reason:
            missing = str(reason)
    taken: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        await work()
    for _ in range(runs):
        for name, work in works.items():
            taken[name].append(await timed(work))
    for name, times in taken.items():
        print(f"{name:<14} median {statistics.median(times):7.3f} s   {min(times):.3f}-{max(times):.3f} s")
    print(f"{'ratios':<31} {'medians':>7} {'bests':>7}")
    tell("cold review / the same raw", taken["cold"], taken["raw"], "at most 1.2")
    tell("warm status / cold review", taken["warm"], taken["cold"], "at most 0.1")
    if "peer" not in works:
        print(f"*** slo-generator: NOT MEASURED: {missing}")
        return
    start = statistics.median(taken["peer's start"])
    alone = [seconds - start for seconds in taken["peer"]]
    tell("slo-generator* / cold review", alone, taken["cold"], "at least 2")
    tell("slo-generator* / warm status", alone, taken["warm"], "at least 20")
    print("* its start taken off")


def tell(what: str, times: Sequence[float], others: Sequence[float], promised: str) -> None:
    """The ratio of the medians, and of the best runs, which a busy machine spoils less."""
    medians, bests = statistics.median(times) / statistics.median(others), min(times) / min(others)
    print(f"{what:<31} {medians:7.2f} {bests:7.2f}   promised: {promised}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=100)
    parser.add_argument("--scrape", type=int, default=60)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--shape", choices=("mixed", "even", "small"), default="even", help="7-20, 6 or 2 series each")
    parser.add_argument("--no-peer", action="store_true")
    given = parser.parse_args()
    if shutil.which("prometheus") is None or shutil.which("promtool") is None:
        print("*** NOT MEASURED: prometheus and promtool are not installed (Debian package: prometheus)")
        return
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=1)
    grid = Grid(given.scrape, 29, until=at)
    recipe = Recipe(seed=1, services=given.services, grid=grid, with_edges=False, shape=given.shape)
    with tempfile.TemporaryDirectory(prefix="director-bench-") as name:
        folder = Path(name)
        print(f"Making {given.services} services, 29 days at {given.scrape} s …", flush=True)
        with unseen_fleet(folder / "fleet", recipe) as fleet:
            asyncio.run(compare(fleet, folder, at, max(1, given.runs), peer=not given.no_peer))


if __name__ == "__main__":
    main()
