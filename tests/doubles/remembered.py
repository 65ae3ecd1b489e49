"""What a database remembers of figures, in memory; and one that fails."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.errors import StoreFailed
from bot.reliability.deploys import Deploy
from bot.reliability.hours import HOUR, Column
from bot.reliability.windows import Span


@dataclass
class MemoryHours:
    """Hours by series and end; what is known stays."""

    values: dict[str, dict[datetime, float]] = field(default_factory=dict)
    questions: dict[str, tuple[str, datetime | None]] = field(default_factory=dict)

    async def load(self, series: Sequence[str], first: datetime, last: datetime) -> Mapping[str, Column]:
        amount = (last - first) // HOUR + 1
        return {
            name: Column(
                first, array("d", [self.values[name].get(first + index * HOUR, math.nan) for index in range(amount)])
            )
            for name in series
            if name in self.values
        }

    async def keep(self, columns: Mapping[str, Column]) -> None:
        for name, column in columns.items():
            known = self.values.setdefault(name, {})
            for index, value in enumerate(column.values):
                if not math.isnan(value):
                    known.setdefault(column.first + index * HOUR, value)

    async def registered(self, queries: Mapping[str, str], at: datetime) -> Mapping[str, datetime]:
        for name, question in queries.items():
            before = self.questions.get(name)
            if before is None or before[0] != question:
                self.questions[name] = (question, None if before is None else at)
        known = {name: self.questions[name][1] for name in queries}
        return {name: since for name, since in known.items() if since is not None}


@dataclass
class MemoryIssued:
    """Facts by instant and key; what was said first stays."""

    facts: dict[tuple[datetime, str], str] = field(default_factory=dict)

    async def get(self, at: datetime, keys: Sequence[str]) -> Mapping[str, str]:
        return {key: self.facts[at, key] for key in keys if (at, key) in self.facts}

    async def put(self, at: datetime, facts: Mapping[str, str]) -> None:
        for key, text in facts.items():
            self.facts.setdefault((at, key), text)


@dataclass
class MemoryDeploys:
    known: list[Deploy] = field(default_factory=list)

    async def note(self, deploy: Deploy) -> bool:
        if deploy in self.known:
            return False
        self.known.append(deploy)
        return True

    async def between(self, services: Sequence[str], span: Span) -> Sequence[Deploy]:
        found = [item for item in self.known if item.service in services and span.start <= item.at <= span.end]
        return sorted(found, key=lambda item: item.at)


class FullDisk:
    """Every room of a database whose disk is full."""

    message = "The database can't be written: the disk is full; free some space, the work then goes on."

    async def _refuse(self) -> None:
        raise StoreFailed(self.message)

    async def load(self, series: Sequence[str], first: datetime, last: datetime) -> Mapping[str, Column]:
        _ = (series, first, last)
        await self._refuse()
        return {}

    async def keep(self, columns: Mapping[str, Column]) -> None:
        _ = columns
        await self._refuse()

    async def registered(self, queries: Mapping[str, str], at: datetime) -> Mapping[str, datetime]:
        _ = (queries, at)
        await self._refuse()
        return {}

    async def get(self, at: datetime, keys: Sequence[str]) -> Mapping[str, str]:
        _ = (at, keys)
        await self._refuse()
        return {}

    async def put(self, at: datetime, facts: Mapping[str, str]) -> None:
        _ = (at, facts)
        await self._refuse()

    async def note(self, deploy: Deploy) -> bool:
        _ = deploy
        await self._refuse()
        return False

    async def between(self, services: Sequence[str], span: Span) -> Sequence[Deploy]:
        _ = (services, span)
        await self._refuse()
        return ()
