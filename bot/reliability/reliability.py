"""The facade of this room: the promises, the sources that count events, and one assessment of them at one instant."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from bot.errors import UsageError
from bot.reliability.assessment import Assessment, Objective, whole_second
from bot.reliability.definitions import Definitions, ObjectiveDefinition
from bot.reliability.formats import listing
from bot.reliability.metrics import Ask, Failed, Metrics
from bot.reliability.state import judge

_NOT_CONFIGURED = {
    "prometheus": "No Prometheus is configured; set PROMETHEUS_URL.",
    "csv": "No source for CSV tables is configured.",
}


class UnknownService(UsageError):
    """No SLO file names this service; the message lists near names."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        self.name = name
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        if near:
            hint = f"Did you mean {' or '.join(near)}?"
        elif known:
            hint = f"Known are {listing(tuple(known), most=10)}."
        else:
            hint = "No SLO files are loaded; set DIRECTOR_SLOS to a folder with OpenSLO files."
        super().__init__(f"There is no service called {name!r}. {hint}")


class Reliability:
    """Assess objectives. `sources` are keyed by kind: `prometheus`, `csv`. Use it as an async context, or close it."""

    def __init__(self, definitions: Definitions, sources: Mapping[str, Metrics]) -> None:
        self.definitions = definitions
        self._sources = dict(sources)

    @property
    def services(self) -> tuple[str, ...]:
        return self.definitions.service_names

    async def assess(self, services: Sequence[str] | None, at: datetime) -> Assessment:
        """Judge the objectives of these services (all when None or empty), everything evaluated at the same instant.

        The instant is taken to the whole second, so that the one shown can be asked for again.

        Raises:
            UnknownService: a name that no SLO file has, compared without regard to case.
        """
        at = whole_second(at)
        asked = tuple(dict.fromkeys(self.resolve(name) for name in services or ()))
        wanted = self.definitions.of(asked) if asked else self.definitions.objectives
        by_source: dict[str, list[ObjectiveDefinition]] = {}
        for definition in wanted:
            by_source.setdefault(definition.indicator.source, []).append(definition)
        answers = await asyncio.gather(*(self._judge(kind, group, at) for kind, group in by_source.items()))
        items = sorted((item for group in answers for item in group), key=lambda item: item.definition.key)
        return Assessment(at, tuple(items), asked)

    def resolve(self, name: str) -> str:
        """The service meant by a name. Raises `UnknownService`."""
        by_folded = {known.casefold(): known for known in self.services}
        found = by_folded.get(name.strip().casefold())
        if found is None:
            raise UnknownService(name.strip(), self.services)
        return found

    async def check(self) -> Mapping[str, str]:
        """Source -> what it says of itself, for `director doctor`. Raises `Unreachable`."""
        return {kind: await source.check() for kind, source in self._sources.items()}

    async def close(self) -> None:
        for source in self._sources.values():
            await source.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _judge(self, kind: str, group: Sequence[ObjectiveDefinition], at: datetime) -> list[Objective]:
        source = self._sources.get(kind)
        if source is None:
            missing = Failed(sentence=_NOT_CONFIGURED[kind], source="")
            return [judge(definition, missing, at) for definition in group]
        asks = list(dict.fromkeys(Ask(definition.indicator, definition.window) for definition in group))
        found = dict(zip(asks, await source.measure(asks, at, method="increase"), strict=True))
        judged = []
        for item in group:
            judged.append(judge(item, found[Ask(item.indicator, item.window)], at))
            await asyncio.sleep(0)  # a few milliseconds each: others run in between
        return judged
