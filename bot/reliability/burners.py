"""Top burners: which values of a label carried the bad events of a burn."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

import promql_parser

from bot.reliability.asking import Source
from bot.reliability.definitions import Indicator, PrometheusQuery
from bot.reliability.incidents import Burner
from bot.reliability.promql import FIGURE, Stretch, named, promql_duration
from bot.reliability.windows import Span

# Labels that people know their service by, the most telling first; labels of no list stand between the two.
_KNOWN = (
    *("route", "http_route", "endpoint", "handler", "path", "uri", "url", "operation", "rpc_method", "grpc_method"),
    *("method", "http_method", "topic", "queue", "code", "status", "status_code", "http_status", "grpc_code", "reason"),
    *("error", "exception", "upstream", "version", "region", "zone", "availability_zone"),
)
_MACHINES = ("cluster", "namespace", "node", "host", "hostname", "pod", "container", "instance")
_NEVER = frozenset(("le", "quantile", "prometheus", "prometheus_replica", "replica", "uid", "container_id"))
_BLIND = ("route", "endpoint", "handler", "method", "code", "status", "pod", "instance")  # where labels can't be told
_MOST_LABELS = 6
_ASKED = 4  # values of each label; one more than is shown, so that a label with few is known to have few
_SHOWN = 3
_LEAST = Fraction(1, 20)  # of the bad events: what carried less is no burner
_ONE_QUERY = timedelta(days=1)  # in longer burns each label is a query of its own: each reads all samples
_MOST_PIECES = 8
_LONGEST_VALUE = 200
_DIGITS = 3  # of an event: no server adds in the same order every time


@dataclass(frozen=True)
class _Split:
    """Bad events by the values of one label. `kinds`: how many values it has among the service's series, at least."""

    label: str
    values: tuple[Burner, ...]
    kinds: int

    def tier(self, whole: Fraction) -> int | None:
        """0: one value carried most. 1: one carried twice its even share. 2: better than nothing. None: is nothing."""
        if self.kinds < 2 or not self.values:
            return None
        share = self.values[0].bad / whole
        if share > Fraction(1, 2) and share * self.kinds >= Fraction(3, 2):
            return 0
        if share * self.kinds >= 2:
            return 1
        stands_out = share * self.kinds >= Fraction(11, 10)
        return 2 if stands_out and self.label not in _MACHINES else None

    def same_as(self, other: _Split) -> bool:
        """Whether both split the events alike, as `pod` and `instance` do."""
        if len(self.values) != len(other.values):
            return False
        pairs = zip(self.values, other.values, strict=True)
        return all(abs(mine.bad - yours.bad) <= mine.bad / 1000 for mine, yours in pairs)


async def top_burners(source: Source, indicator: Indicator, pieces: Sequence[Span]) -> tuple[Burner, ...]:
    """Up to three values of the one or two most telling labels, over these stretches of a burn.

    A label tells most when one value carried more than half of the bad events, and nothing when it has one value only.
    Empty where nothing tells. Raises `QueryFailed`, and TypeError for an indicator that isn't counted by PromQL.
    """
    if not pieces:
        return ()
    part, total = _selectors(indicator)
    if len(pieces) > _MOST_PIECES:
        pieces = [Span(pieces[0].start, pieces[-1].end)]
    whole_span = Span(pieces[0].start, pieces[-1].end)
    labels = await _labels(source, part, total, whole_span, counts_bad=indicator.counts_bad)
    if not labels:
        return ()
    bad = await _counted(source, indicator, tuple(labels), pieces)
    whole = sum(bad.pop("", {}).values(), Fraction())
    if whole <= 0:
        return ()
    splits = [_split(label, bad.get(label, {}), kinds) for label, kinds in labels.items()]
    return tuple(burner for split in _chosen(splits, whole) for burner in _shown(split, whole))


def _split(label: str, bad: Mapping[str, Fraction], kinds: int | None) -> _Split:
    """Where values beyond those asked for may carry as much as the last of them, chance says which came: none stays."""
    least = min(bad.values(), default=Fraction()) if len(bad) >= _ASKED and (kinds is None or kinds > _ASKED) else 0
    values = [Burner(label, value, events) for value, events in bad.items() if value and events > least]
    values.sort(key=lambda burner: (-burner.bad, burner.value))
    return _Split(label, tuple(values), len(bad) if kinds is None else kinds)


def _chosen(splits: Iterable[_Split], whole: Fraction) -> list[_Split]:
    ranked = [(tier, _rank(split.label), split) for split in splits if (tier := split.tier(whole)) is not None]
    ranked.sort(key=lambda item: item[:2])
    if not ranked:
        return []
    first = ranked[0][2]
    second = next((split for tier, _, split in ranked[1:] if tier < 2 and not split.same_as(first)), None)
    return [first] if second is None else [first, second]


def _shown(split: _Split, whole: Fraction) -> list[Burner]:
    named_values = [burner for burner in split.values[:_SHOWN] if burner.bad >= _LEAST * whole]
    return [Burner(burner.label, _printable(burner.value), burner.bad) for burner in named_values]


def _printable(value: str) -> str:
    text = "".join(sign if sign.isprintable() else "�" for sign in value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


# --- which labels --------------------------------------------------------------------------------------------------


async def _labels(source: Source, part: str, total: str, span: Span, *, counts_bad: bool) -> Mapping[str, int | None]:
    """Labels that may tell something, the most telling by name first, and how many values each has (None: unknown)."""
    asked = ([part], [total])
    parts, totals = await asyncio.gather(*(source.series(selectors, span) for selectors in asked))
    fixed, narrowed = _matched(part)
    if parts is None or totals is None:
        return {label: None for label in _BLIND if label not in fixed}
    partial, whole = _values(parts), _values(totals)
    found: dict[str, int] = {}
    for label in partial.keys() & whole.keys() if not counts_bad else partial.keys():
        # What the bad events' own selector speaks of (code=~"5..") has its values there; for the rest the traffic says
        # how many values there are: errors of one pod out of twenty have one value, and tell most.
        values = partial[label] if counts_bad and label in narrowed else partial[label] | whole.get(label, set())
        if len(values) > 1 and _usable(label) and not (counts_bad and label in fixed):
            found[label] = len(values)
    ranked = sorted(found, key=_rank)
    machine = next((label for label in reversed(_MACHINES) if label in ranked[_MOST_LABELS:]), None)
    kept = ranked[:_MOST_LABELS] if machine is None else [*ranked[: _MOST_LABELS - 1], machine]
    return {label: found[label] for label in kept}


def _matched(selector: str) -> tuple[frozenset[str], frozenset[str]]:
    """The labels that a selector sets to one value, and all that it speaks of."""
    try:
        parsed = promql_parser.parse(selector)
    except ValueError:
        return frozenset(), frozenset()
    if not isinstance(parsed, promql_parser.VectorSelector):
        return frozenset(), frozenset()
    matchers = [(matcher.name, str(matcher.op)) for matcher in parsed.matchers.matchers]
    return frozenset(name for name, sign in matchers if sign == "MatchOp.Equal"), frozenset(
        name for name, _ in matchers
    )


def _values(series: Iterable[Mapping[str, str]]) -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for labels in series:
        for label, value in labels.items():
            found[label].add(value)
    return dict(found)


def _usable(label: str) -> bool:
    return (
        not label.startswith("__")
        and label not in _NEVER
        and re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", label) is not None
    )


def _rank(label: str) -> tuple[int, int, str]:
    if label in _KNOWN:
        return (0, _KNOWN.index(label), label)
    if label in _MACHINES:
        return (2, _MACHINES.index(label), label)
    return (1, 0, label)


# --- how many events -----------------------------------------------------------------------------------------------


async def _counted(
    source: Source, indicator: Indicator, labels: Sequence[str], pieces: Sequence[Span]
) -> dict[str, dict[str, Fraction]]:
    """Label -> value -> bad events in all pieces; under "" those of the whole."""
    stretches = [Stretch.of(piece) for piece in pieces]
    short = sum((stretch.length for stretch in stretches), timedelta()) <= _ONE_QUERY
    groups = [("", *labels)] if short else [("",), *((label,) for label in labels)]
    answers = await asyncio.gather(
        *(
            source.instant(_query(indicator, group, stretch.length), stretch.at)
            for stretch in stretches
            for group in groups
        )
    )
    found: dict[str, dict[str, Fraction]] = {}
    for series in (series for answer in answers for series in answer):
        label = series.labels.get(FIGURE, "")
        values = found.setdefault(label, defaultdict(Fraction))
        values[series.labels.get(label, "")] += Fraction(round(series.values[-1][1], _DIGITS))
    return found


def _query(indicator: Indicator, labels: Sequence[str], length: timedelta) -> str:
    return named(
        {label: _largest(indicator, label, length) if label else _bad(indicator, "", length) for label in labels}
    )


def _largest(indicator: Indicator, label: str, length: timedelta) -> str:
    return f"topk({_ASKED}, {_bad(indicator, f' by ({label}) ', length)})"


def _bad(indicator: Indicator, by: str, length: timedelta) -> str:
    part, total = (f"sum{by}(increase({selector}[{promql_duration(length)}]))" for selector in _selectors(indicator))
    return part if indicator.counts_bad else f"{total} - ({part} or 0 * {total})"


def _selectors(indicator: Indicator) -> tuple[str, str]:
    part, total = indicator.part, indicator.total
    if not isinstance(part, PrometheusQuery) or not isinstance(total, PrometheusQuery):
        raise TypeError("only PromQL has labels")
    return part.selector, total.selector
