"""What is remembered between questions, of one workspace; where it can't be, questions are answered all the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from bot.errors import DirectorError
from bot.reliability.deploys import DeployLog
from bot.reliability.hours import Column, HourStore
from bot.reliability.issued import IssuedReviews

T = TypeVar("T")
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Remembered:
    """The rooms of a database that figures need."""

    hours: HourStore
    issued: IssuedReviews
    deploys: DeployLog


def forgiving(memory: Remembered, tell: Tell) -> Remembered:
    """The same, but a database that fails costs only what it remembers. `tell` hears of it once, in words.

    Deploys are not forgiven: who tells of one must hear that it was not kept, who asks that they are not known.
    """
    failing = _Failing(tell)
    return Remembered(
        hours=_Hours(memory.hours, failing),
        issued=_Issued(memory.issued, failing),
        deploys=memory.deploys,
    )


class _Failing:
    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._told = False

    async def or_else(self, work: Awaitable[T], otherwise: T) -> T:
        try:
            return await work
        except DirectorError as error:
            if not self._told:
                self._told = True
                self._tell(str(error))
            return otherwise


@dataclass(frozen=True)
class _Hours:
    inner: HourStore
    failing: _Failing

    async def load(self, series: Sequence[str], first: datetime, last: datetime) -> Mapping[str, Column]:
        return await self.failing.or_else(self.inner.load(series, first, last), {})

    async def keep(self, columns: Mapping[str, Column]) -> None:
        await self.failing.or_else(self.inner.keep(columns), None)

    async def registered(self, queries: Mapping[str, str], at: datetime) -> Mapping[str, datetime]:
        return await self.failing.or_else(self.inner.registered(queries, at), {})


@dataclass(frozen=True)
class _Issued:
    inner: IssuedReviews
    failing: _Failing

    async def get(self, at: datetime, keys: Sequence[str]) -> Mapping[str, str]:
        return await self.failing.or_else(self.inner.get(at, keys), {})

    async def put(self, at: datetime, facts: Mapping[str, str]) -> None:
        await self.failing.or_else(self.inner.put(at, facts), None)
