"""A real Prometheus with a past whose truth is known."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.doubles.prometheus_process import needs_prometheus, serving

STEP = 300  # seconds between samples
DAYS = 29
END = datetime(2026, 11, 16, 8, 0, 0, tzinfo=UTC)  # the last sample; a Monday
AT = END + timedelta(seconds=47)  # the instant of evaluation, not on a scrape


@dataclass(frozen=True)
class Truth:
    """Bad and total events that really happened in the window before AT."""

    bad: float
    total: float


@dataclass(frozen=True)
class Fleet:
    url: str
    truth: dict[str, Truth]


@dataclass
class _Service:
    """Events per step as functions of the step's number (0 = oldest); None: no sample is taken."""

    name: str
    total: Callable[[int], float | None]
    bad: Callable[[int], float] | None = None
    resets: frozenset[int] = frozenset()
    pods: int = 2


_STEPS = DAYS * 86_400 // STEP
_WINDOW = 28 * 86_400 // STEP
_HOUR = 3_600 // STEP


def _services() -> Iterator[_Service]:
    def daily(step: int) -> float:
        return 400 + 300 * ((step // _HOUR) % 24 > 8)

    def last(hours: float) -> int:
        return _STEPS - int(hours * _HOUR)

    yield _Service("fine", daily, lambda step: 0.0002 * daily(step))
    yield _Service("spent", daily, lambda step: daily(step) * (0.35 if last(100) <= step < last(97) else 0.0003))
    yield _Service("risky", daily, lambda step: daily(step) * (0.165 if last(60) <= step < last(57) else 0.00011))
    yield _Service("restarts", daily, lambda step: 0.0004 * daily(step), resets=frozenset({900, 3000, 7000}))
    yield _Service("faultless", daily)
    yield _Service("silent", lambda step: 0.0, lambda step: 0.0)
    yield _Service("few", lambda step: float(step % (5 * _HOUR) == 0), lambda step: float(step == 133 * 5 * _HOUR))
    yield _Service("dead", lambda step: daily(step) if step < last(240) else None, lambda step: 0.0001 * daily(step))
    yield _Service("born", lambda step: daily(step) if step >= last(72) else None, lambda step: 0.0001 * daily(step))
    yield _Service(
        "holed",
        lambda step: None if last(200) <= step < last(128) else daily(step),
        lambda step: 0.0001 * daily(step),
    )


def _openmetrics(service: _Service) -> Iterator[tuple[str, float, int]]:
    """Samples as (series, value, seconds); every pod carries its share of the events."""
    start = int(END.timestamp()) - _STEPS * STEP
    for pod in range(service.pods):
        good = bad = 0.0
        for step in range(_STEPS + 1):
            total = service.total(step)
            if total is None:
                continue
            if step in service.resets and pod == 0:
                good = bad = 0.0
            failed = (service.bad(step) if service.bad else 0.0) / service.pods
            good += total / service.pods - failed
            bad += failed
            labels = f'service="{service.name}",pod="p{pod}"'
            at = start + step * STEP
            yield f'events_total{{{labels},code="200"}}', good, at
            if service.bad is not None:
                yield f'events_total{{{labels},code="500"}}', bad, at


def _truth(service: _Service) -> Truth:
    """Counted from the events themselves: those of the steps whose end lies in the window before AT.

    The first and last part of a step are spread as `increase` spreads them; with an even flow inside a step that is
    what happened.
    """
    first = _STEPS - _WINDOW
    bad = total = 0.0
    for step in range(first + 1, _STEPS + 1):
        events = service.total(step)
        if events is None:
            continue
        total += events
        bad += service.bad(step) if service.bad else 0.0
    return Truth(bad, total)


def _backfill(folder: Path) -> dict[str, Truth]:
    services = list(_services())
    samples: dict[str, list[tuple[float, int]]] = {}
    for service in services:
        for series, value, at in _openmetrics(service):
            samples.setdefault(series, []).append((value, at))
    data = folder / "data"
    data.mkdir()
    chunk = 54 * 3_600
    start = int(END.timestamp()) - _STEPS * STEP
    for begin in range(start - start % chunk, int(END.timestamp()) + 1, chunk):
        text = folder / f"{begin}.om"
        with text.open("w") as file:
            file.write("# TYPE events counter\n")
            for series, values in samples.items():
                inside = [(value, at) for value, at in values if begin <= at < begin + chunk]
                file.writelines(f"{series} {value!r} {at}\n" for value, at in inside)
            file.write("# EOF\n")
        if text.stat().st_size > 100:
            command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=54h"]
            subprocess.run([*command, str(text), str(data)], check=True, capture_output=True, timeout=120)
        text.unlink()
    return {service.name: _truth(service) for service in services}


@pytest.fixture(scope="session")
def prometheus_fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A real Prometheus holding the fleet's past. Without the program the test is skipped, in CI it fails."""
    needs_prometheus()
    folder = tmp_path_factory.mktemp("prometheus")
    truth = _backfill(folder)
    with serving(folder) as url:
        yield Fleet(url, truth)
