"""What really happens in a made-up fleet: services, their pods, every event in its cell of time, and the true tallies.

Counters see less than happens: what comes between a last scrape and a crash, or before a series' first sample, is in
the truth and in no sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.int64]
Floats = NDArray[np.float64]
Shape = Literal["mixed", "even", "small"]
DAY = 86_400
WINDOW = timedelta(days=28)
END = datetime(2026, 11, 16, 8, 40, 47, tzinfo=UTC)  # nothing is scraped after it; neither an hour nor a scrape
ON_THE_HOUR = datetime(2026, 11, 16, 8, 0, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Grid:
    """The time that is simulated, in cells of a quarter of a scrape; within a cell events are spread evenly."""

    scrape: int = 60
    days: int = 36
    until: datetime = END

    @property
    def grain(self) -> float:
        return self.scrape / 4

    @property
    def end(self) -> float:
        return self.until.timestamp()

    @property
    def instants(self) -> tuple[datetime, datetime]:
        """At which the truth is known: the end, and the full hour before it."""
        return self.until, self.until.replace(minute=0, second=0, microsecond=0)

    @property
    def start(self) -> float:
        return (self.end - self.days * DAY) // 3600 * 3600

    @cached_property
    def times(self) -> Floats:
        """When each cell begins."""
        return np.arange(self.start, self.end + self.grain, self.grain)

    def span(self, start: float, end: float) -> slice:
        """The cells that begin within these times."""
        first, last = np.searchsorted(self.times, [start, end])
        return slice(int(first), int(last))

    def before(self, **back: float) -> float:
        """So long before the end."""
        return self.end - timedelta(**back).total_seconds()


@dataclass(frozen=True)
class Pod:
    """One target: when it is scraped, when it restarts in place, and the times in which no scrape succeeds."""

    name: str
    offset: float
    jitter: float = 0.0
    born: float = -np.inf
    died: float = np.inf
    restarts: tuple[float, ...] = ()
    missed: tuple[tuple[float, float], ...] = ()

    def scrapes(self, grid: Grid, rng: np.random.Generator) -> Floats:
        """The instants of its samples, to the millisecond."""
        times = np.arange(grid.start + self.offset, grid.end + 1, grid.scrape)
        if self.jitter:
            times = np.round(times + rng.uniform(0, self.jitter, len(times)), 3)
        kept = (times >= self.born) & (times < self.died) & (times <= grid.end)
        for start, end in self.missed:
            kept &= (times < start) | (times >= end)
        return times[kept]


@dataclass(frozen=True)
class Counter:
    """One series. `counts` says which tallies its events enter; a lazy one has no sample before its first event."""

    pod: Pod
    metric: str
    label: str
    events: Cells
    counts: tuple[str, ...]
    lazy: bool = False

    @cached_property
    def _sums(self) -> Cells:
        return np.concatenate(([0], np.cumsum(self.events)))

    def happened(self, grid: Grid, at: Floats) -> Cells:
        """Events from the beginning up to these instants."""
        place = np.clip((at - grid.start) / grid.grain, 0, len(self.events) - 1e-9)
        cell = place.astype(np.int64)
        return self._sums[cell] + np.floor((place - cell) * self.events[cell]).astype(np.int64)

    def samples(self, grid: Grid, scrapes: Floats) -> tuple[Cells, NDArray[np.bool_]]:
        """The counter's value at each scrape, and which of them have a sample."""
        began = np.array([max(self.pod.born, grid.start), *self.pod.restarts])
        life = np.searchsorted(began, scrapes, side="right") - 1
        values = self.happened(grid, scrapes) - self.happened(grid, began)[np.maximum(life, 0)]
        return values, values > 0 if self.lazy else np.ones(len(values), dtype=np.bool_)


@dataclass(frozen=True)
class Truth:
    """Events that happened in one window."""

    bad: int
    total: int


@dataclass(frozen=True)
class Expected:
    """What must be said of an edge service: one of these states, and all of these notes."""

    states: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass
class Service:
    """A service with its promise. Without `expected` the truth alone says what it should be."""

    name: str
    target: Decimal = Decimal("0.999")
    counters: list[Counter] = field(default_factory=list)
    expected: Expected | None = None
    good: bool = False  # the indicator counts good events
    bad_codes: str = "5.."
    threshold: str | None = None  # a latency's, in seconds

    @property
    def pods(self) -> list[Pod]:
        return list({counter.pod.name: counter.pod for counter in self.counters}.values())

    def truth(self, grid: Grid, at: datetime, window: timedelta) -> Truth:
        edges = np.array([(at - window).timestamp(), at.timestamp()])
        found = dict.fromkeys(("total", "bad", "good"), 0)
        for counter in self.counters:
            start, end = counter.happened(grid, edges)
            for tally in counter.counts:
                found[tally] += int(end - start)
        return Truth(found["total"] - found["good"] if self.threshold else found["bad"], found["total"])

    def described(self) -> Service:
        """The same without its events."""
        return Service(self.name, self.target, [], self.expected, self.good, self.bad_codes, self.threshold)


# --- ordinary services: nobody chose their numbers ---

_SHAPES = ("step", "ramp", "spike", "flapping", "slow", "wave")
_LENGTHS = {"step": (10, 180), "ramp": (40, 400), "spike": (3, 8), "flapping": (60, 300), "slow": (1440, 5760)}
_EDGE = (
    2 * 3600
)  # an incident that is under way at a window's edge can't be told from samples to a twentieth of a point


def traffic(grid: Grid, rng: np.random.Generator, rate: float) -> Floats:
    """Expected events per cell: a daily and a weekly rhythm around `rate` events per second."""
    hours = grid.times / 3600
    daily = 1 + rng.uniform(0.1, 0.9) * np.sin((hours - rng.uniform(0, 24)) * np.pi / 12)
    weekend = np.where((grid.times // DAY + 3) % 7 >= 5, rng.uniform(0.4, 1.1), 1.0)  # day 0 was a Thursday
    return rate * grid.grain * daily * weekend


def ordinary(grid: Grid, rng: np.random.Generator, number: int, shape: Shape = "mixed") -> Service:
    """2–4 pods and codes; between none and four incidents; now and then a restart, or a few scrapes missed.

    An even one has two pods and three codes, so six series; a small one has one pod and two series.

    Events come at random, so that those since the last scrape can only be estimated: with 100 requests a second to
    about a thousandth of a point.
    """
    load = traffic(grid, rng, float(np.exp(rng.uniform(np.log(100), np.log(10_000)))))
    target = Decimal(str(rng.choice(["0.999", "0.9995", "0.995", "0.99"])))
    allowed = float(1 - target)
    inside = grid.span(grid.before(days=28), grid.end)
    failing = np.full(len(load), allowed * rng.uniform(0.02, 0.6))
    burns: list[tuple[float, float]] = []
    for _ in range(rng.choice(5, p=[0.2, 0.3, 0.25, 0.15, 0.1])):
        start, end, course = _incident(grid, rng)
        cells = grid.span(start, end)
        cost = float(np.exp(rng.uniform(np.log(0.02), np.log(1.2)))) * allowed * load[inside].sum()
        weight = course(grid.times[cells]) * load[cells]
        peak = cost / max(1e-9, weight.sum())
        failing[cells] += np.minimum(0.95, peak * course(grid.times[cells]))
        burns.append((start, end))
    failing = np.minimum(failing, 0.99)
    service = Service(f"svc-{number:04d}", target, good=number % 3 == 2)
    codes = _codes(rng) if shape == "mixed" else {"500": 1.0}
    pods = _pods(grid, rng, burns)[: {"mixed": 4, "even": 2, "small": 1}[shape]]
    shares = rng.uniform(0.7, 1.3, len(pods))
    for pod, share in zip(pods, shares / shares.sum(), strict=True):
        for code, of_bad in codes.items():
            events = rng.poisson(load * share * failing * of_bad)
            service.counters.append(request_counter(pod, code, events))
        passed = load * share * (1 - failing)
        service.counters.append(request_counter(pod, "200", rng.poisson(passed * 0.985)))
        if shape != "small":
            service.counters.append(request_counter(pod, "404", rng.poisson(passed * 0.015)))
    return service


def request_counter(pod: Pod, code: str, events: Any, *, lazy: bool = False) -> Counter:
    counts = ("total", "bad") if code.startswith("5") else ("total",)
    return Counter(pod, "requests_total", f'code="{code}"', np.asarray(events, dtype=np.int64), counts, lazy)


def _codes(rng: np.random.Generator) -> dict[str, float]:
    several: Sequence[dict[str, float]] = (
        {"500": 1.0},
        {"500": 0.6, "503": 0.4},
        {"500": 0.5, "502": 0.2, "503": 0.3},
    )
    return several[int(rng.integers(len(several)))]


def _incident(grid: Grid, rng: np.random.Generator) -> tuple[float, float, Any]:
    shape = str(rng.choice(_SHAPES))
    length = rng.uniform(*_LENGTHS.get(shape, (60, 600))) * 60
    earliest, latest = grid.before(days=28) + _EDGE, grid.instants[1].timestamp() - _EDGE - length
    start = float(rng.uniform(earliest, latest))

    def course(times: Floats) -> Floats:
        """How bad it is along its length, between 0 and 1."""
        gone = (times - start) / length
        if shape == "ramp":
            return np.clip(gone, 0.01, 1)
        if shape == "wave":
            return np.sin(np.pi * np.clip(gone, 0, 1)) ** 2 + 0.01
        if shape == "flapping":
            return np.where((times - start) // 300 % 2 == 0, 1.0, 0.02)
        return np.ones(len(times))

    return start, start + length, course


def _pods(grid: Grid, rng: np.random.Generator, burns: Sequence[tuple[float, float]]) -> list[Pod]:
    """Restarts and missed scrapes stay out of incidents: what they hide there is in no sample that anyone could ask."""

    def quiet(length: float) -> float:
        while True:
            at = float(rng.uniform(grid.before(days=28) + _EDGE, grid.instants[1].timestamp() - _EDGE))
            if not any(start - 600 < at + length and at < end + 600 for start, end in burns):
                return at

    restarting, missing = rng.random() < 0.4, rng.random() < 0.4
    pods = []
    for number in range(int(rng.integers(2, 5))):
        restarts = sorted(quiet(0) for _ in range(int(rng.integers(1, 3)))) if restarting else []
        missed = []
        for _ in range(int(rng.integers(1, 4)) if missing else 0):
            length = float(rng.integers(1, 8)) * grid.scrape
            at = quiet(length)
            missed.append((at, at + length))
        offset, jitter = float(rng.integers(0, grid.scrape * 1000)) / 1000, float(rng.choice([0.0, 0.004, 0.04]))
        pods.append(Pod(f"p{number}", offset, jitter, restarts=tuple(restarts), missed=tuple(missed)))
    return pods
