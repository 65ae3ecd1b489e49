"""The facade of this room: the promises, the sources that count events, and one assessment of them at one instant."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from types import TracebackType
from typing import Self
from weakref import WeakValueDictionary

import structlog

from bot.errors import UsageError
from bot.ports import Clock
from bot.reliability import budget
from bot.reliability.assessment import Assessment, Objective, State, whole_second
from bot.reliability.assessment_codec import UnreadableFacts, decode, encode
from bot.reliability.definitions import Definitions, ObjectiveDefinition, PrometheusQuery, Query
from bot.reliability.exclusions import Exclusion, excluded
from bot.reliability.formats import listing
from bot.reliability.hours import HourStore
from bot.reliability.issued import IssuedReviews, key_of
from bot.reliability.metrics import Ask, Failed, Identified, KnowsBuckets, Measured, Method, Metrics
from bot.reliability.state import judge
from bot.reliability.thresholds import check_thresholds
from bot.reliability.turns import Turns
from bot.reliability.windows import Span
from bot.yaml_source import Mistake

log = structlog.get_logger(__name__)

_WEEK = timedelta(days=7)
_NOT_CONFIGURED = {
    "prometheus": "No Prometheus is configured; set PROMETHEUS_URL.",
    "csv": "No source for CSV tables is configured.",
}
_NOT_KNOWN_YET = frozenset({"deploys_unknown", "burners_unknown"})  # remarks of what may be known when asked again
Attribute = Callable[[Assessment], Awaitable[Assessment]]


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
    """Assess objectives, and issue reviews of them. Use it as an async context, or close it."""

    def __init__(
        self,
        definitions: Definitions,
        sources: Mapping[str, Metrics],
        *,
        exclusions: Sequence[Exclusion] = (),
        issued: IssuedReviews | None = None,
        attribute: Attribute | None = None,
        hours: HourStore | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`sources` are keyed by kind: `prometheus`, `csv`. Without `issued` nothing that is said is remembered.

        `attribute` looks up what stood beside the burns of an assessment that is issued. With `hours` and a `clock` a
        query that changed is noticed.
        """
        self.definitions = definitions
        self._sources = dict(sources)
        self._exclusions = tuple(exclusions)
        self._issued = issued
        self._attribute = attribute
        self._hours, self._clock = hours, clock
        self._issuing: WeakValueDictionary[datetime, asyncio.Lock] = WeakValueDictionary()

    @property
    def services(self) -> tuple[str, ...]:
        return self.definitions.service_names

    async def assess(self, services: Sequence[str] | None, at: datetime) -> Assessment:
        """Judge the objectives of these services (all when None or empty), everything evaluated at the same instant.

        This answers questions: from the hours that are remembered and the open rest. The instant is taken to the whole
        second, so that the one shown can be asked for again.

        Raises:
            UnknownService: a name that no SLO file has, compared without regard to case.
        """
        asked, wanted = self._wanted(services)
        at = whole_second(at)
        return _assessment(at, await self._judged(wanted, at, "hours"), asked)

    async def issue(self, services: Sequence[str] | None, at: datetime) -> Assessment:
        """What a review or a digest says: as `assess`, but each window is one increase, and what is said is kept.

        Asked again for the same instant, what was said stays as it was; what could not be measured then is measured
        now. Raises `UnknownService`.
        """
        asked, wanted = self._wanted(services)
        at = whole_second(at)
        # Schedules of several channels come due at one instant: the first measures, and the others say the same.
        async with self._issuing.setdefault(at, asyncio.Lock()):
            return _assessment(at, await self._issued_items(wanted, at), asked)

    async def remember(self, now: datetime) -> tuple[str, ...]:
        """Have the sources store every hour that is closed by now, so that nobody waits for them later.

        The sentences of what failed, each once.
        """
        answers = await asyncio.gather(
            *(
                source.measure(list(dict.fromkeys(map(_plain, group))), whole_second(now), method="hours")
                for source, group in self._by_source(self.definitions.objectives)
                if source is not None
            )
        )
        return tuple(dict.fromkeys(each.sentence for group in answers for each in group if isinstance(each, Failed)))

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

    async def check_thresholds(self, at: datetime) -> list[Mistake]:
        """Every latency's threshold that is no bucket of its histogram at this time; none where no source can tell.

        Raises:
            ThresholdsUnchecked: some histograms could not be asked for.
        """
        source = self._sources.get("prometheus")
        return await check_thresholds(self.definitions, source, at) if isinstance(source, KnowsBuckets) else []

    async def close(self) -> None:
        for source in self._sources.values():
            await source.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # --- what is asked ---

    def _wanted(self, services: Sequence[str] | None) -> tuple[tuple[str, ...], tuple[ObjectiveDefinition, ...]]:
        asked = tuple(dict.fromkeys(self.resolve(name) for name in services or ()))
        return asked, self.definitions.of(asked) if asked else self.definitions.objectives

    def _by_source(
        self, wanted: Sequence[ObjectiveDefinition]
    ) -> list[tuple[Metrics | None, list[ObjectiveDefinition]]]:
        groups: dict[str, list[ObjectiveDefinition]] = {}
        for definition in wanted:
            groups.setdefault(definition.indicator.source, []).append(definition)
        return [(self._sources.get(kind), group) for kind, group in groups.items()]

    def _excluded_of(self, service: str) -> tuple[Exclusion, ...]:
        return tuple(exclusion for exclusion in self._exclusions if exclusion.concerns(service))

    # --- measuring and judging ---

    async def _judged(
        self, wanted: Sequence[ObjectiveDefinition], at: datetime, method: Method
    ) -> tuple[Objective, ...]:
        groups = self._by_source(wanted)
        answers = await asyncio.gather(*(self._judge(source, group, at, method) for source, group in groups))
        return tuple(item for group in answers for item in group)

    async def _judge(
        self, source: Metrics | None, group: Sequence[ObjectiveDefinition], at: datetime, method: Method
    ) -> list[Objective]:
        if source is None:
            missing = Failed(sentence=_NOT_CONFIGURED[group[0].indicator.source], source="")
            return [judge(definition, missing, at) for definition in group]
        asks = await asyncio.to_thread(self._asks, group, at)
        once = list(dict.fromkeys(asks))
        found = dict(zip(once, await source.measure(once, at, method=method), strict=True))
        changed = await self._changed(group)
        judged = []
        turns = Turns()
        for item, ask in zip(group, asks, strict=True):
            answer, since = found[ask], changed.get(_named(item))
            if isinstance(answer, Measured) and since is not None:
                answer = replace(answer, changed_at=since)
            judged.append(judge(item, answer, at, self._excluded_of(item.service)))
            await turns.give()
        return judged

    async def _changed(self, group: Sequence[ObjectiveDefinition]) -> Mapping[str, datetime]:
        """Since when objectives ask what they ask now, where they asked something else before."""
        if self._hours is None or self._clock is None:
            return {}
        return await self._hours.registered({_named(item): _question(item) for item in group}, self._clock.now())

    def _asks(self, group: Sequence[ObjectiveDefinition], at: datetime) -> list[Ask]:
        """One ask for each, in order. Rules that recur often take a while to compute."""
        spans: dict[tuple[tuple[Exclusion, ...], Span], tuple[Span, ...]] = {}
        asks = []
        for item in group:
            exclusions, window = self._excluded_of(item.service), item.window.span(at)
            whole = Span(min(window.start, at - _WEEK), at)
            if (exclusions, whole) not in spans:
                spans[exclusions, whole] = excluded(exclusions, whole)
            asks.append(_ask(item, spans[exclusions, whole]))
        return asks

    # --- what was said ---

    async def _issued_items(self, wanted: Sequence[ObjectiveDefinition], at: datetime) -> tuple[Objective, ...]:
        keys = {definition: self._key(definition) for definition in wanted}
        said = await self._said(keys, at)
        rest = [definition for definition in wanted if definition not in said]
        new = Assessment(at, await self._judged(rest, at, "increase"))
        if self._attribute is not None and new.items:
            new = await self._attribute(new)
        await self._keep({keys[item.definition]: item for item in new.items if _is_final(item)}, at)
        return (*said.values(), *new.items)

    def _key(self, definition: ObjectiveDefinition) -> str:
        source = self._sources.get(definition.indicator.source)
        identity = source.identity if isinstance(source, Identified) else definition.indicator.source
        return key_of(definition, self._excluded_of(definition.service), identity)

    async def _said(
        self, keys: Mapping[ObjectiveDefinition, str], at: datetime
    ) -> dict[ObjectiveDefinition, Objective]:
        """What was said of these objectives at this instant."""
        if self._issued is None or not keys:
            return {}
        texts = await self._issued.get(at, list(keys.values()))
        said = {}
        turns = Turns()
        for definition, key in keys.items():
            if key in texts:
                try:
                    said[definition] = decode(texts[key], definition)
                except UnreadableFacts as error:  # of another version: then it is measured again
                    log.warning("review.unreadable", service=definition.service, slo=definition.slo, error=str(error))
                await turns.give()
        return said

    async def _keep(self, items: Mapping[str, Objective], at: datetime) -> None:
        if self._issued is None or not items:
            return
        facts = {}
        turns = Turns()
        for key, item in items.items():
            facts[key] = encode(item)
            await turns.give()
        await self._issued.put(at, facts)


def _assessment(at: datetime, items: Sequence[Objective], asked: tuple[str, ...]) -> Assessment:
    return Assessment(at, tuple(sorted(items, key=lambda item: item.definition.key)), asked)


def _named(definition: ObjectiveDefinition) -> str:
    return " / ".join(definition.key)


def _question(definition: ObjectiveDefinition) -> str:
    """What is counted for it, as text that changes when the counting does."""
    indicator, slices = definition.indicator, definition.slices
    kind = "bad" if indicator.counts_bad else "good"
    how = "" if slices is None else f" in slices of {slices.length} below {slices.target}"
    return f"{kind} {_worded(indicator.part)} of {_worded(indicator.total)}{how}"


def _worded(query: Query) -> str:
    return query.selector if isinstance(query, PrometheusQuery) else f"{query.file.name}: {query.series}"


def _plain(definition: ObjectiveDefinition) -> Ask:
    """What is counted, with nothing left out."""
    return Ask(definition.indicator, definition.window, definition.slices)


def _ask(definition: ObjectiveDefinition, taken: tuple[Span, ...]) -> Ask:
    sparse_below = Fraction()
    if definition.slices is None and budget.is_possible(definition.target):
        sparse_below = budget.LOW_VOLUME_ALLOWED / budget.budget_share(definition.target)
    return Ask(definition.indicator, definition.window, definition.slices, taken, sparse_below)


def _is_final(item: Objective) -> bool:
    """Whether it may be kept as said: something was counted. A failure, or silence, may be mended by asking again."""
    failed = item.state is State.QUERY_FAILED or item.unreachable
    unknown = any(remark.code in _NOT_KNOWN_YET for remark in item.remarks)
    return not failed and not unknown and item.figures.total is not None
