"""The queries that count one indicator's events, and the reading of their results; no network here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from bot.reliability.definitions import Indicator, PrometheusQuery, Window
from bot.reliability.hours import ABSENT, HOUR, Hours
from bot.reliability.metrics import BURN_WINDOWS, Tally

MOST_POINTS = 11_000  # Prometheus refuses a range query with more points per series
BESIDE_SCRAPES = timedelta(milliseconds=123)  # tiles that meet on a scrape would count its sample twice before 3.0
_LABEL = "director_figure"


class UnexpectedResult(ValueError):
    """The server answered in a form that this query can't have."""


@dataclass(frozen=True)
class Queries:
    """All questions about one indicator and window."""

    part: str
    total: str
    window: Window

    @classmethod
    def of(cls, indicator: Indicator, window: Window) -> Queries:
        part, total = indicator.part, indicator.total
        if not isinstance(part, PrometheusQuery) or not isinstance(total, PrometheusQuery):
            raise TypeError("Prometheus answers only PromQL")
        return cls(part.selector, total.selector, window)

    def shown(self, kind: str) -> dict[str, str]:
        """What stands behind the headline figures, ready to paste into Prometheus."""
        window = self.window.length
        return {kind: _increase(self.part, window), "total": _increase(self.total, window)}

    def instant(self, stale_after: timedelta) -> str:
        """Every window's events, and how many samples the total had lately, in one evaluation."""
        wanted = {"window": self.window.length, **BURN_WINDOWS}
        figures = [
            _named(f"{of}/{name}", _increase(selector, length))
            for name, length in wanted.items()
            for of, selector in (("part", self.part), ("total", self.total))
        ]
        recent = f"count_over_time({self.total}[{promql_duration(stale_after)}])"
        figures += [_named("samples", f"sum({recent})"), _named("series", f"count({recent})")]
        return " or ".join(figures)

    def tiled(self, tile: timedelta, scrape: timedelta | None) -> str:
        """Events of the tile (an hour, mostly) before each step.

        Each reaches one scrape further back and is scaled, so that the increase between two tiles isn't lost.
        """
        reach, scale = tile, ""
        if scrape is not None and timedelta() < scrape < tile / 2:
            reach = tile + scrape
            scale = f" * {tile / reach!r}"
        length = promql_duration(reach)
        return " or ".join(
            (
                _named("part", f"sum(increase({self.part}[{length}])){scale}"),
                _named("total", f"sum(increase({self.total}[{length}])){scale}"),
                _named("samples", f"sum(count_over_time({self.total}[{promql_duration(tile)}]))"),
            )
        )

    def matched(self) -> str:
        """Whether the part's selector matches any sample in the window."""
        return f"count(count_over_time({self.part}[{promql_duration(self.window.length)}]))"

    def last_sample(self) -> str:
        """The time of the last sample in the two hours before the evaluation."""
        return f"max(max_over_time(timestamp({self.total})[2h:1m]))"


@dataclass(frozen=True)
class Instant:
    """The instant query's answer. `scrape` is the distance of samples, None when there were too few to say."""

    tally: Tally
    burn: Mapping[str, Tally]
    fresh: bool
    scrape: timedelta | None


def promql_duration(length: timedelta) -> str:
    """`28d`, `1h`, `3660s`: the largest single unit that divides it."""
    seconds = round(length.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def read_instant(result: Sequence[Mapping[str, Any]], stale_after: timedelta) -> Instant:
    """Raises `UnexpectedResult`."""
    values: dict[str, Fraction] = {}
    for item in result:
        name = _name(item)
        if name in values:
            raise UnexpectedResult("one figure twice")
        values[name] = _value(_pair(item.get("value"))[1])

    def tally(name: str) -> Tally:
        return Tally(values.get(f"part/{name}"), values.get(f"total/{name}"))

    samples, series = values.get("samples"), values.get("series")
    scrape = None
    if samples and series and samples / series >= 4:
        scrape = timedelta(seconds=round(stale_after.total_seconds() * series / samples))
    return Instant(tally("window"), {name: tally(name) for name in BURN_WINDOWS}, fresh=bool(samples), scrape=scrape)


def tile_of(window: timedelta, scrape: timedelta | None) -> timedelta:
    """An hour; in a window shorter than a day its 24th part, so that coverage shows, but two scrapes at least."""
    if scrape is None:
        return HOUR
    shortest = timedelta(seconds=round(window.total_seconds() / 24))
    return min(HOUR, max(shortest, 2 * scrape))


def tile_ends(at: datetime, window: timedelta, tile: timedelta = HOUR) -> tuple[datetime, ...]:
    """Ends of the tiles that fill the window up to `at`, oldest first; the oldest may reach out of a broken window."""
    amount = max(1, -(-window // tile))
    last = at - BESIDE_SCRAPES
    return tuple(last - index * tile for index in reversed(range(amount)))


def read_hours(result: Sequence[Mapping[str, Any]], ends: Sequence[datetime], tile: timedelta) -> Hours:
    """Raises `UnexpectedResult`."""
    asked = {round(end.timestamp()) for end in ends}
    found: dict[str, dict[int, Fraction]] = {}
    for item in result:
        series = found.setdefault(_name(item), {})
        values = item.get("values")
        if not isinstance(values, list):
            raise UnexpectedResult("a range without values")
        for pair in values:
            at, text = _pair(pair)
            if round(at) not in asked:
                raise UnexpectedResult("other hours than asked for (does it align steps?)")
            series[round(at)] = _value(text)
    part, total, samples = (found.get(name, {}) for name in ("part", "total", "samples"))
    hours = Hours(ends[0], tile)
    for end in ends:
        key = round(end.timestamp())
        counted = bool(samples.get(key))
        hours.part.append(float(part[key]) if counted and key in part else ABSENT)
        hours.total.append(float(total.get(key, 0)) if counted else ABSENT)
    return hours


def read_single(result: Sequence[Mapping[str, Any]]) -> Fraction | None:
    """The one value of a query, None for an empty result. Raises `UnexpectedResult`."""
    if not result:
        return None
    if len(result) > 1:
        raise UnexpectedResult(f"{len(result)} series instead of one")
    return _value(_pair(result[0].get("value"))[1])


def read_time(result: Sequence[Mapping[str, Any]]) -> datetime | None:
    """Raises `UnexpectedResult`."""
    seconds = read_single(result)
    return None if seconds is None else datetime.fromtimestamp(float(seconds), UTC)


def _increase(selector: str, window: timedelta) -> str:
    return f"sum(increase({selector}[{promql_duration(window)}]))"


def _named(name: str, query: str) -> str:
    return f'label_replace({query}, "{_LABEL}", "{name}", "", "")'


def _name(item: Mapping[str, Any]) -> str:
    metric = item.get("metric")
    name = metric.get(_LABEL) if isinstance(metric, dict) else None
    if not isinstance(name, str):
        raise UnexpectedResult("a series that was not asked for")
    return name


def _pair(value: Any) -> tuple[float, str]:
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[0], int | float):
        raise UnexpectedResult("a sample that is not a pair of time and value")
    return float(value[0]), str(value[1])


def _value(text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise UnexpectedResult(f"{text[:40]!r} where a number of events was expected") from error
