"""Hours packed by the week: how a column is cut into rows, and how rows become a column again."""

from __future__ import annotations

import hashlib
import math
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.reliability.hours import HOUR, UNKNOWN, Column

# 1,344 bytes: three weeks to a page of SQLite, and below the 2 kB that PostgreSQL keeps in the row itself.
WEEK = 168
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Week:
    """What of a column falls into one week; `number` counts them from the epoch, `hours` has all 168."""

    number: int
    hours: array[float]


def digest_of(words: str) -> str:
    """By what a long text is found and told apart (SHA-256, hex)."""
    return hashlib.sha256(words.encode()).hexdigest()


def first_hour(at: datetime) -> int:
    """The number, counted from the epoch, of the first full hour (UTC) at or after this instant."""
    return -(-_since_epoch(at) // HOUR)


def last_hour(at: datetime) -> int:
    """The number of the last full hour at or before this instant."""
    return _since_epoch(at) // HOUR


def week_of(hour: int) -> int:
    return hour // WEEK


def spanned(column: Column) -> int:
    """How many weeks the column touches.

    Raises:
        ValueError: the column doesn't begin at a full hour.
    """
    start = first_hour(column.first)
    if start != last_hour(column.first):
        raise ValueError(f"a column begins at a full hour, not at {column.first.isoformat()}")
    return week_of(start + len(column.values) - 1) - week_of(start) + 1 if column.values else 0


def cut(column: Column) -> Iterator[Week]:
    """The weeks in which the column knows anything, oldest first."""
    start = first_hour(column.first)
    end = start + len(column.values)
    for number in range(week_of(start), week_of(start) + spanned(column)):
        lower, upper = max(number * WEEK, start), min((number + 1) * WEEK, end)
        known = column.values[lower - start : upper - start]
        if all(map(math.isnan, known)):
            continue
        hours = unknown(WEEK)
        hours[lower - number * WEEK : upper - number * WEEK] = known
        yield Week(number, hours)


def filled(known: array[float], offered: array[float]) -> array[float] | None:
    """What is known, and where it isn't what is offered; None when that adds nothing."""
    added = [index for index, value in enumerate(offered) if not math.isnan(value) and math.isnan(known[index])]
    if not added:
        return None
    whole = known[:]
    for index in added:
        whole[index] = offered[index]
    return whole


def place(week: int, hours: array[float], column: array[float], start: int) -> None:
    """Write what the week holds into a column whose first value is the hour with the number `start`."""
    lower, upper = max(week * WEEK, start), min((week + 1) * WEEK, start + len(column))
    column[lower - start : upper - start] = hours[lower - week * WEEK : upper - week * WEEK]


def column_of(values: array[float], start: int) -> Column | None:
    """None when nothing is known."""
    if all(map(math.isnan, values)):
        return None
    return Column(_EPOCH + start * HOUR, values)


def unknown(length: int) -> array[float]:
    return array("d", [UNKNOWN]) * length


def packed(hours: array[float]) -> bytes:
    """Little-endian doubles (IEEE 754), whatever this machine's order is."""
    return _turned(hours[:]).tobytes()


def unpacked(stored: bytes) -> array[float]:
    hours = array("d")
    hours.frombytes(stored)
    return _turned(hours)


def _turned(hours: array[float]) -> array[float]:
    if sys.byteorder == "big":
        hours.byteswap()
    return hours


def _since_epoch(at: datetime) -> timedelta:
    if at.tzinfo is None:
        raise ValueError(f"naive time {at.isoformat()}: say which zone it is in")
    return at - _EPOCH
