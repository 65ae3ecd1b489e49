"""A made-up fleet in a real Prometheus of its own: samples as blocks, promises as OpenSLO files, truth beside."""

from __future__ import annotations

import multiprocessing
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TextIO

import numpy as np

from tests.doubles.fleet import WINDOW, Grid, Service, Shape, Truth, ordinary
from tests.doubles.fleet_edges import NOBODY, edges
from tests.doubles.prometheus_process import serving

BLOCK = 54 * 3600  # the longest that Prometheus makes by itself with default retention; blocks begin at multiples of it
WEEK = timedelta(days=7)
_PROCESSES = 2


@dataclass(frozen=True)
class UnseenFleet:
    """`slos` is the folder of the promises; `truth` is known for the grid's instants, over the window and a week."""

    url: str
    slos: Path
    services: Mapping[str, Service]
    truth: Mapping[tuple[str, datetime, timedelta], Truth]


@dataclass(frozen=True)
class Recipe:
    """What makes a fleet; the same one makes the same fleet."""

    seed: int
    services: int
    grid: Grid
    with_edges: bool = True
    shape: Shape = "mixed"

    def born(self, part: int, parts: int) -> Iterator[Service]:
        """Every so many of its services, to be made side by side."""
        if self.with_edges and part == 0:
            yield from edges(self.grid, np.random.default_rng([self.seed, 1]))
        for number in range(part, self.services, parts):
            yield ordinary(self.grid, np.random.default_rng([self.seed, 2, number]), number, self.shape)


@contextmanager
def unseen_fleet(folder: Path, recipe: Recipe) -> Iterator[UnseenFleet]:
    """Takes about a second for every million samples."""
    windows = [(at, window) for at in recipe.grid.instants for window in (WINDOW, WEEK)]
    found = {NOBODY.name: NOBODY} if recipe.with_edges else {}
    truth = {(NOBODY.name, *key): Truth(0, 0) for key in windows}
    (folder / "data").mkdir(parents=True)
    with ProcessPoolExecutor(_PROCESSES, multiprocessing.get_context("spawn")) as pool:
        jobs = [pool.submit(_lived, folder, recipe, part) for part in range(_PROCESSES)]
        for job in jobs:
            for service, tallies in job.result():
                found[service.name] = service
                truth.update({(service.name, *key): tally for key, tally in tallies.items()})
        chunks = _chunks(folder)
        list(pool.map(_block, chunks, [folder / "data"] * len(chunks)))
    slos = folder / "slos"
    slos.mkdir()
    (slos / "fleet.yaml").write_text("---\n".join(slo(service) for service in found.values()), encoding="utf-8")
    with serving(folder) as url:
        yield UnseenFleet(url, slos, found, truth)


def slo(service: Service) -> str:
    """The promise as its team would have written it."""
    chosen = f'service="{service.name}"'
    target = f"target: {service.target}"
    if service.threshold:
        selector = f"latency_seconds_bucket{{{chosen}}}"
        indicator = f"      thresholdMetric: {_source(selector)}"
        target += f", op: lte, value: {service.threshold}"
    else:
        part = ("good", f'code!~"{service.bad_codes}"') if service.good else ("bad", f'code=~"{service.bad_codes}"')
        indicator = (
            "      ratioMetric:\n"
            "        counter: true\n"
            f"        {part[0]}: {_source(f'requests_total{{{chosen},{part[1]}}}')}\n"
            f"        total: {_source(f'requests_total{{{chosen}}}')}"
        )
    return (
        "apiVersion: openslo/v1\n"
        "kind: SLO\n"
        f"metadata: {{name: {service.name}-promise}}\n"
        "spec:\n"
        f"  service: {service.name}\n"
        "  budgetingMethod: Occurrences\n"
        "  timeWindow: [{duration: 28d, isRolling: true}]\n"
        f"  indicator:\n    metadata: {{name: {service.name}-events}}\n    spec:\n{indicator}\n"
        f"  objectives: [{{displayName: promise, {target}}}]\n"
        "---\n"
        "apiVersion: openslo/v1\n"
        "kind: Service\n"
        f"metadata: {{name: {service.name}}}\n"
        "spec: {description: made up}\n"
    )


def _source(selector: str) -> str:
    return f"{{metricSource: {{type: Prometheus, spec: {{query: '{selector}'}}}}}}"


# --- samples ---

_Tallies = dict[tuple[datetime, timedelta], Truth]


def _lived(folder: Path, recipe: Recipe, part: int) -> list[tuple[Service, _Tallies]]:
    """Let these services live, write their samples as text by block, and say what truly happened."""
    grid, told = recipe.grid, []
    with ExitStack() as stack:
        files = _Files(folder, part, stack)
        for service in recipe.born(part, _PROCESSES):
            rng = np.random.default_rng([recipe.seed, 7, *service.name.encode()])
            for pod in service.pods:
                scrapes = pod.scrapes(grid, rng)
                stamps = [f" {at:.3f}\n" for at in scrapes.tolist()]
                bounds = _bounds(scrapes)
                for counter in (one for one in service.counters if one.pod == pod):
                    values, there = counter.samples(grid, scrapes)
                    labels = f'service="{service.name}",pod="{pod.name}"' + (
                        f",{counter.label}" if counter.label else ""
                    )
                    head = f"{counter.metric}{{{labels}}} "
                    shown, kept = values.tolist(), there.tolist()
                    for chunk, first, last in bounds:
                        span = range(first, last)
                        files.of(counter.metric, chunk).writelines(
                            [f"{head}{shown[index]}{stamps[index]}" for index in span if kept[index]]
                        )
            tallies = {
                (at, window): service.truth(grid, at, window) for at in grid.instants for window in (WINDOW, WEEK)
            }
            told.append((service.described(), tallies))
    return told


def _bounds(scrapes: np.typing.NDArray[np.float64]) -> list[tuple[int, int, int]]:
    """For each block its number and the places of its first and behind its last scrape."""
    if not len(scrapes):
        return []
    chunks = (scrapes // BLOCK).astype(np.int64)
    starts = [0, *(np.flatnonzero(np.diff(chunks)) + 1).tolist(), len(scrapes)]
    return [(int(chunks[first]), first, last) for first, last in pairwise(starts)]


class _Files:
    """One text per block, kind of metric and process; a kind's samples must stand together."""

    def __init__(self, folder: Path, part: int, stack: ExitStack) -> None:
        self._folder, self._part, self._stack = folder, part, stack
        self._open: dict[tuple[str, int], TextIO] = {}

    def of(self, metric: str, chunk: int) -> TextIO:
        key = (metric, chunk)
        if key not in self._open:
            path = self._folder / f"{chunk}.{metric}.{self._part}.part"
            self._open[key] = self._stack.enter_context(path.open("w", encoding="utf-8"))
        return self._open[key]


def _chunks(folder: Path) -> list[list[Path]]:
    """The parts of each block, those of one metric together."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.part")):
        found.setdefault(path.name.partition(".")[0], []).append(path)
    return list(found.values())


def _block(parts: Sequence[Path], data: Path) -> None:
    text = parts[0].with_suffix(".om")
    metrics: set[str] = set()
    with text.open("wb") as whole:
        for part in parts:
            metric = part.name.split(".")[1]
            family = metric.removesuffix("_total").removesuffix("_bucket").removesuffix("_count")
            if family not in metrics:
                metrics.add(family)
                kind = "counter" if metric.endswith("_total") else "unknown"
                whole.write(f"# TYPE {family} {kind}\n".encode())
            with part.open("rb") as source:
                shutil.copyfileobj(source, whole, 1 << 20)
            part.unlink()
        whole.write(b"# EOF\n")
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", f"--max-block-duration={BLOCK // 3600}h"]
    subprocess.run([*command, str(text), str(data)], check=True, capture_output=True, timeout=280)
    text.unlink()
