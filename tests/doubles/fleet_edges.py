"""Services at the edges of what can be judged, each with the state or the note that it must get."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tests.doubles.fleet import DAY, Counter, Expected, Floats, Grid, Pod, Service, request_counter, traffic


def edges(grid: Grid, rng: np.random.Generator) -> Iterator[Service]:
    """All of them but `nobody`, who has no series."""
    yield from _of_exact_budgets(grid)
    yield from _of_few_events(grid, rng)
    yield from _of_broken_histories(grid, rng)
    yield from _of_hidden_events(grid, rng)
    yield from _of_hours(grid, rng)
    yield _latency(grid, rng)


NOBODY = Service("nobody", expected=Expected(("NO_DATA",)))


def _pods(rng: np.random.Generator, grid: Grid, count: int = 2) -> list[Pod]:
    return [Pod(f"p{number}", float(rng.integers(0, grid.scrape)), 0.005) for number in range(count)]


def _of_exact_budgets(grid: Grid) -> Iterator[Service]:
    """250 requests a cell, without noise: 28 days allow 40,320 bad ones at 60 s, one of a thousand."""
    cells = len(grid.times)
    even = np.full(cells, 250)
    each_scrape = (np.arange(cells) % 4 == 0).astype(np.int64)
    pods = [Pod("p0", 7.0), Pod("p1", float(grid.scrape - 11))]
    exact = [counter for pod in pods for counter in _pair(pod, even - each_scrape, each_scrape)]
    yield Service("exactly-spent", counters=exact, expected=Expected(("EXHAUSTED",)))
    allowed = round(0.001 * 250 * 4 * 28 * DAY / grid.scrape)
    for name, share, state in (("just-over", 1.003, "EXHAUSTED"), ("just-under", 0.997, "AT_RISK")):
        burst = np.zeros(cells, dtype=np.int64)
        where = grid.span(grid.before(days=11), grid.before(days=11, hours=-5))
        burst[where] = round(share * allowed) // (where.stop - where.start)
        burst[where.start] += round(share * allowed) - burst.sum()
        yield Service(name, counters=_pair(pods[0], even - np.minimum(burst, 250), burst), expected=Expected((state,)))
    yield Service("perfect", Decimal("1.0"), exact, Expected(("INVALID_TARGET",)))


def _pair(pod: Pod, passed: object, failed: object) -> list[Counter]:
    return [request_counter(pod, "200", passed), request_counter(pod, "500", failed)]


def _of_few_events(grid: Grid, rng: np.random.Generator) -> Iterator[Service]:
    cells = len(grid.times)
    nothing = np.zeros(cells, dtype=np.int64)
    pods = _pods(rng, grid)
    idle = [counter for pod in pods for counter in _pair(pod, nothing, nothing)]
    yield Service("no-traffic", counters=idle, expected=Expected(("NO_TRAFFIC",)))
    load = traffic(grid, rng, 60) / len(pods)
    never = [request_counter(pod, "200", rng.poisson(load)) for pod in pods]
    yield Service("never-an-error", counters=never, expected=Expected(("OK",), ("bad_never_matched",)))
    zero = [counter for pod in pods for counter in _pair(pod, rng.poisson(load), nothing)]
    yield Service("errors-at-zero", counters=zero, expected=Expected(("OK",)))
    five, one = nothing.copy(), nothing.copy()
    five[np.searchsorted(grid.times, np.arange(grid.start + 3000, grid.end, DAY / 5))] = 1
    one[np.searchsorted(grid.times, grid.before(days=9))] = 1
    yield Service("five-a-day", counters=_pair(pods[0], five, one), expected=Expected(("LOW_VOLUME",), ("low_volume",)))


def _of_broken_histories(grid: Grid, rng: np.random.Generator) -> Iterator[Service]:
    load = traffic(grid, rng, 80) / 2
    alive = np.ones(len(load), dtype=np.bool_)

    def served(pods: list[Pod], running: NDArray[np.bool_] = alive) -> list[Counter]:
        return [
            counter
            for pod in pods
            for counter in _pair(pod, rng.poisson(load) * running, rng.poisson(load * 0.0002) * running)
        ]

    born = grid.before(days=3, hours=5)
    yield Service(
        "born-this-week",
        counters=served([replace(pod, born=born) for pod in _pods(rng, grid)], grid.times >= born),
        expected=Expected(("PARTIAL",), ("partial_history",)),
    )
    for name, died in (("dead-for-ten-days", grid.before(days=10)), ("dead-since-dawn", grid.before(hours=3))):
        pods = [replace(pod, died=died) for pod in _pods(rng, grid)]
        yield Service(name, counters=served(pods, grid.times < died), expected=Expected(("STALE",), ("stale_since",)))
    hole = (grid.before(days=12, hours=7), grid.before(days=9, hours=7))
    holed = [replace(pod, missed=(hole,)) for pod in _pods(rng, grid)]
    yield Service("three-day-gap", counters=served(holed), expected=Expected(("PARTIAL",), ("gap",)))
    late = [replace(pod, died=grid.before(minutes=25)) for pod in _pods(rng, grid)]
    yield Service("late-by-minutes", counters=served(late), expected=Expected(("OK",)))
    life = 10 * grid.scrape
    loops = [
        replace(pod, restarts=tuple(np.arange(grid.start + pod.offset + life * 0.97, grid.end, life)))
        for pod in _pods(rng, grid)
    ]
    yield Service("crash-loop", counters=served(loops), expected=Expected(("OK",), ("resets_lose_events",)))
    yield Service("pod-churn", counters=_churn(grid, rng, load), expected=Expected(("OK",), ("pod_churn",)))


def _churn(grid: Grid, rng: np.random.Generator, load: Floats) -> list[Counter]:
    """New names every day; a pod's errors have no series before the first of them."""
    counters = []
    for day in range(int((grid.end - grid.start) // DAY) + 1):
        for pod in _pods(rng, grid):
            born = grid.start + day * DAY + pod.offset * 31
            one = replace(pod, name=f"{pod.name}-{day:02d}", born=born, died=born + DAY)
            living = (grid.times >= one.born) & (grid.times < one.died)
            counters.append(request_counter(one, "200", rng.poisson(load) * living))
            counters.append(request_counter(one, "500", rng.poisson(load * 0.0003) * living, lazy=True))
    return counters


def _of_hidden_events(grid: Grid, rng: np.random.Generator) -> Iterator[Service]:
    cells = len(grid.times)
    pods = _pods(rng, grid)
    even = rng.poisson(np.full(cells, 40_000_000 / 28 / DAY * grid.grain / 2))
    first = np.zeros(cells, dtype=np.int64)
    first[np.searchsorted(grid.times, grid.before(days=5, hours=2))] = 50_000
    hidden = [request_counter(pods[0], "200", even), request_counter(pods[1], "200", even)]
    hidden.append(request_counter(pods[1], "500", first, lazy=True))
    yield Service("errors-in-first-sample", counters=hidden, expected=Expected(("OK",), ("hidden_first_sample",)))
    spent = np.zeros(cells, dtype=np.int64)
    spent[grid.span(grid.before(days=6), grid.before(days=6, hours=-2))] = 400
    mistaken = [request_counter(pods[0], "200", even), request_counter(pods[0], "500", spent)]
    yield Service("mistyped", counters=mistaken, bad_codes="5xx", expected=Expected(("OK",), ("bad_never_matched",)))


def _of_hours(grid: Grid, rng: np.random.Generator) -> Iterator[Service]:
    """The same hour of total failure: it costs the more, the more traffic it meets."""
    hours = grid.times / 3600 % 24
    load = 100 * grid.grain * np.where((hours >= 9) & (hours < 21), 1.0, 0.03)
    for name, hour, state in (("bad-hour-at-peak", 13, "EXHAUSTED"), ("bad-hour-at-night", 3, "OK")):
        midnight = grid.end - grid.end % DAY - 6 * DAY
        failing = np.full(len(load), 0.00001)
        failing[grid.span(midnight + hour * 3600, midnight + (hour + 1) * 3600)] = 1.0
        counters = []
        for pod in _pods(rng, grid):
            counters += _pair(pod, rng.poisson(load / 2 * (1 - failing)), rng.poisson(load / 2 * failing))
        yield Service(name, counters=counters, expected=Expected((state,)))


def _latency(grid: Grid, rng: np.random.Generator) -> Service:
    """A classic histogram: its buckets are cumulative, and the threshold is one of them."""
    counters = []
    load = traffic(grid, rng, 400) / 3
    for pod in _pods(rng, grid, 3):
        fast, fair, slow = (rng.poisson(load * share) for share in (0.8, 0.19, 0.01))
        sums = {"0.1": fast, "0.25": fast + fair, "1.0": fast + fair + slow // 2, "+Inf": fast + fair + slow}
        for bound, events in sums.items():
            counts = ("good",) if bound == "0.25" else ()
            counters.append(Counter(pod, "latency_seconds_bucket", f'le="{bound}"', events, counts))
        counters.append(Counter(pod, "latency_seconds_count", "", sums["+Inf"], ("total",)))
    return Service("histogram", Decimal("0.98"), counters, threshold="0.25")
