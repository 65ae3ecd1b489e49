"""What a server of Prometheus' API answered, read series by series so that nobody else has to wait for a large one."""

from __future__ import annotations

import asyncio
import json
import math
import time
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Generic, TypeVar, overload

_LONGEST_HOLD = 0.005  # seconds of reading after which others get their turn
_SPACES = " \t\n\r"
_decode = json.JSONDecoder().raw_decode
Item = TypeVar("Item")


class Unexpected(ValueError):
    """The answer has a form that the question can't have; the text says which."""


class Samples(Sequence[tuple[float, float]]):
    """Pairs of time (Unix seconds) and value, held in 16 bytes each."""

    def __init__(self, times: array[float], numbers: array[float]) -> None:
        self._times, self._numbers = times, numbers

    def __len__(self) -> int:
        return len(self._times)

    def __iter__(self) -> Iterator[tuple[float, float]]:
        return zip(self._times, self._numbers, strict=True)

    @overload
    def __getitem__(self, index: int) -> tuple[float, float]: ...
    @overload
    def __getitem__(self, index: slice) -> Samples: ...
    def __getitem__(self, index: int | slice) -> tuple[float, float] | Samples:
        if isinstance(index, slice):
            return Samples(self._times[index], self._numbers[index])
        return self._times[index], self._numbers[index]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Samples({list(self)})"


@dataclass(frozen=True)
class Series:
    """One series of an answer; an instant query gives it one pair, a range query one or more, oldest first."""

    labels: Mapping[str, str]
    values: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Envelope(Generic[Item]):
    """An answer: its `items`, and what stands around them. `problem` says what is wrong with the first odd item."""

    fields: Mapping[str, Any]  # of the outermost object, without the items
    kind: Any  # resultType, None where there is none
    items: list[Item]
    listed: bool  # whether there was a list of items at all
    problem: str | None


async def read(body: bytes | bytearray, item: Callable[[Any], Item]) -> Envelope[Item]:
    """The items of `data.result`, or of `data` where that is a list. Raises ValueError for what is no object of JSON.

    Where `item` raises `Unexpected`, the rest is only looked through.
    """
    return await _Reading(body.decode(), item).envelope()


class _Reading(Generic[Item]):
    """Reads one object of JSON from left to right, and lets others go first every few milliseconds."""

    def __init__(self, text: str, item: Callable[[Any], Item]) -> None:
        self._text, self._item = text, item
        self._index = 0
        self._items: list[Item] = []
        self._listed = False
        self._problem: str | None = None
        self._since = time.monotonic()

    async def envelope(self) -> Envelope[Item]:
        fields: dict[str, Any] = {}
        for name in self._names():
            fields[name] = await self._data() if name == "data" else self._value()
        if self._peek():
            raise ValueError("something follows the answer")
        data = fields.get("data")
        kind = data.get("resultType") if isinstance(data, dict) else None
        return Envelope(fields, kind, self._items, self._listed, self._problem)

    async def _data(self) -> Any:
        if self._peek() == "[":
            await self._list()
            return None
        if self._peek() != "{":
            return self._value()
        fields: dict[str, Any] = {}
        for name in self._names():
            if name == "result" and self._peek() == "[":
                await self._list()
            else:
                fields[name] = self._value()
        return fields

    def _names(self) -> Iterator[str]:
        """Of the object that begins here; the caller reads each value."""
        self._expect("{")
        if self._peek() == "}":
            self._index += 1
            return
        while True:
            if self._peek() != '"':
                raise ValueError("a name is expected")
            name: str = self._value()
            self._expect(":")
            yield name
            if self._expect(",}") == "}":
                return

    async def _list(self) -> None:
        self._expect("[")
        self._listed = True
        if self._peek() == "]":
            self._index += 1
            return
        while True:
            self._add(self._value())
            if time.monotonic() - self._since > _LONGEST_HOLD:
                await asyncio.sleep(0)
                self._since = time.monotonic()
            if self._expect(",]") == "]":
                return

    def _add(self, value: Any) -> None:
        if self._problem is not None:
            return
        try:
            self._items.append(self._item(value))
        except Unexpected as error:
            self._problem = str(error)

    def _value(self) -> Any:
        self._peek()
        try:
            value, self._index = _decode(self._text, self._index)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        return value

    def _peek(self) -> str:
        while (character := self._text[self._index : self._index + 1]) and character in _SPACES:
            self._index += 1
        return character

    def _expect(self, characters: str) -> str:
        found = self._peek()
        if not found or found not in characters:
            raise ValueError(f"{' or '.join(characters)} is expected")
        self._index += 1
        return found


class Labels:
    """Reads the labels of at most so many series; their texts are shared, as most of them stand in many series."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._read = 0
        self._texts: dict[str, str] = {}

    def __call__(self, value: Any) -> Mapping[str, str]:
        if self._read >= self._most:
            raise Unexpected(f"more than {self._most} series")
        self._read += 1
        share = self._texts.setdefault
        return {share(name, name): share(text, text) for name, text in _labels(value).items()}


class Instant:
    """Reads the series of an instant query evaluated at `at` (Unix seconds, full milliseconds)."""

    kind = "vector"

    def __init__(self, at: float) -> None:
        self._at = at
        self._series = _Distinct()

    def __call__(self, item: Any) -> Series:
        labels = self._series.labels(item)
        times, numbers = _columns([item.get("value")])
        if round(times[0], 3) != self._at:
            raise Unexpected("another time than asked for")
        return Series(labels, Samples(times, numbers))


class Range:
    """Reads the series of a range query evaluated at these times (Unix seconds, full milliseconds)."""

    kind = "matrix"

    def __init__(self, times: array[float]) -> None:
        self._times = times
        self._known = frozenset(times)
        self._series = _Distinct()

    def __call__(self, item: Any) -> Series:
        labels = self._series.labels(item)
        pairs = item.get("values")
        if not isinstance(pairs, list):
            raise Unexpected("a range without values")
        times, numbers = _columns(pairs)
        if times == self._times:
            return Series(labels, Samples(self._times, numbers))
        times = array("d", [round(at, 3) for at in times])
        if not self._known.issuperset(times):
            raise Unexpected("other hours than asked for (does it align steps?)")
        if any(earlier >= later for earlier, later in pairwise(times)):
            raise Unexpected("times out of order")
        return Series(labels, Samples(times, numbers))


class _Distinct:
    """Labels of the series of one answer, each of which it may hold once."""

    def __init__(self) -> None:
        self._seen: set[frozenset[tuple[str, str]]] = set()

    def labels(self, item: Any) -> Mapping[str, str]:
        if not isinstance(item, dict):
            raise Unexpected("series in a form it doesn't have")
        if "histogram" in item or "histograms" in item:
            raise Unexpected("a native histogram where a number of events was expected")
        labels = _labels(item.get("metric"))
        key = frozenset(labels.items())
        if key in self._seen:
            raise Unexpected("the same series twice")
        self._seen.add(key)
        return labels


def _labels(value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise Unexpected("series in a form it doesn't have")
    return value


def _columns(pairs: Sequence[Any]) -> tuple[array[float], array[float]]:
    try:
        times = array("d", [at for at, _ in pairs])
    except (TypeError, ValueError, OverflowError) as error:
        raise Unexpected("a sample that is not a pair of time and value") from error
    try:
        numbers = array("d", [float(text) for _, text in pairs])
    except (TypeError, ValueError, OverflowError):
        numbers = array("d")
    if len(numbers) != len(pairs) or not all(map(math.isfinite, numbers)):
        odd = next(text for _, text in pairs if not _is_number(text))
        raise Unexpected(f"{str(odd)[:40]!r} where a number of events was expected")
    return times, numbers


def _is_number(text: Any) -> bool:
    try:
        return math.isfinite(float(text))
    except (TypeError, ValueError, OverflowError):
        return False
