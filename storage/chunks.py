"""Much of something, a bounded number at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

KEYS = 500  # looked up at once
ROWS = 1_000  # written at once


def chunks(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """All of them, in their order."""
    left = iter(items)
    while some := tuple(islice(left, size)):
        yield some
