"""Counters that are asked together: their selectors differ only in the values of `=` matchers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

import promql_parser

from bot.reliability.definitions import Slices
from bot.reliability.selectors import labelled, literal, matchers_of, quoted

Role = Literal["events", "resets", "bad_slices", "slices"]


@dataclass(frozen=True)
class Counter:
    """One thing to count by the hour: a selector's events, its resets, or an indicator's slices of time.

    Slices have two selectors, part and total; `counts_bad` says which of them the part is.
    """

    selectors: tuple[str, ...]
    role: Role = "events"
    slices: Slices | None = None
    counts_bad: bool = True

    def __hash__(self) -> int:
        """Counters are looked up by the thousand."""
        return hash(self.key)

    @cached_property
    def key(self) -> str:
        """What remembered hours are found by, besides the source and the distance of its samples."""
        if self.slices is None:
            return f"{self.role} {self.selectors[0]}"
        kind = "bad" if self.counts_bad else "good"
        how = f"{self.slices.length.total_seconds():g}s {self.slices.target}"
        return f"{self.role} {how} {kind} {' / '.join(self.selectors)}"


@dataclass(frozen=True)
class _Pattern:
    """A selector taken apart: what must be the same in a batch, and the labels whose values may differ."""

    shape: tuple[str, tuple[str, ...], tuple[str, ...]]
    values: tuple[str, ...]

    @property
    def labels(self) -> dict[str, str]:
        return dict(zip(self.shape[2], self.values, strict=True))


@dataclass(frozen=True)
class Batch:
    """Counters in one query. `texts` select all of them, `by` are the labels that tell them apart."""

    members: tuple[Counter, ...]
    texts: tuple[str, ...]
    by: tuple[str, ...]

    @property
    def grouping(self) -> str:
        """What follows an aggregation: ` by (service) `, or nothing for a single counter."""
        return f" by ({', '.join(map(labelled, self.by))}) " if self.by else ""

    def member(self, labels: Mapping[str, str]) -> Counter | None:
        """The counter that a series with these labels belongs to; None for one that nobody asked for."""
        return self._members.get(tuple(labels.get(name, "") for name in self.by))

    @cached_property
    def _members(self) -> Mapping[tuple[str, ...], Counter]:
        if not self.by:
            return {(): self.members[0]}
        labels = ((_pattern(member.selectors[0]).labels, member) for member in self.members)
        return {tuple(found[name] for name in self.by): member for found, member in labels}


def batched(counters: Iterable[Counter], most: int) -> list[Batch]:
    """All of them in batches of at most so many; the same counters always make the same batches."""
    groups: dict[tuple[object, ...], list[Counter]] = {}
    for counter in sorted(dict.fromkeys(counters), key=lambda item: item.key):
        groups.setdefault(_likeness(counter), []).append(counter)
    found = []
    for group in groups.values():
        for start in range(0, len(group), most):
            found += of(group[start : start + most])
    return found


def of(members: Sequence[Counter]) -> list[Batch]:
    """These like counters as one batch, or one by one where their labels don't tell them apart."""
    if len(members) == 1:
        return [Batch(tuple(members), members[0].selectors, ())]
    places = [[_pattern(member.selectors[place]) for member in members] for place in range(len(members[0].selectors))]
    differing = [_differing(patterns) for patterns in places]
    by = differing[0]
    together = all(names == by for names in differing) and all(
        [pattern.labels[name] for name in by] == [places[0][index].labels[name] for name in by]
        for patterns in places
        for index, pattern in enumerate(patterns)
    )
    if not by or not together:
        return [batch for member in members for batch in of([member])]
    return [Batch(tuple(members), tuple(_text(patterns, by) for patterns in places), by)]


@lru_cache(maxsize=16384)
def _likeness(counter: Counter) -> tuple[object, ...]:
    shapes = tuple(_pattern(selector).shape for selector in counter.selectors)
    return (counter.role, counter.slices, counter.counts_bad, shapes)


def _differing(patterns: Sequence[_Pattern]) -> tuple[str, ...]:
    names = patterns[0].shape[2]
    return tuple(name for index, name in enumerate(names) if len({pattern.values[index] for pattern in patterns}) > 1)


def _text(patterns: Sequence[_Pattern], by: Sequence[str]) -> str:
    name, fixed, _ = patterns[0].shape
    matchers = list(fixed)
    for label, value in patterns[0].labels.items():
        if label in by:
            values = sorted({pattern.labels[label] for pattern in patterns})
            matchers.append(f"{labelled(label)}=~{quoted('|'.join(map(literal, values)))}")
        else:
            matchers.append(f"{labelled(label)}={quoted(value)}")
    return f"{name}{{{', '.join(matchers)}}}"


@lru_cache(maxsize=16384)
def _pattern(selector: str) -> _Pattern:
    """What can't be taken apart is like nothing else, and is asked alone."""
    try:
        parsed = promql_parser.parse(selector)
    except ValueError:
        return _Pattern((selector, (), ()), ())
    if not isinstance(parsed, promql_parser.VectorSelector) or parsed.matchers.or_matchers:
        return _Pattern((selector, (), ()), ())
    matchers = matchers_of(parsed.matchers.matchers)
    names = [name for name, sign, _ in matchers if sign == "="]
    free = {
        name: value
        for name, sign, value in matchers
        if sign == "=" and value and name != "__name__" and names.count(name) == 1
    }
    fixed = sorted(
        f"{labelled(name)}{sign}{quoted(value)}" for name, sign, value in matchers if sign != "=" or name not in free
    )
    labels = tuple(sorted(free))
    return _Pattern((parsed.name or "", tuple(fixed), labels), tuple(free[name] for name in labels))
