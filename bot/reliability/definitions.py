"""What was promised: services and their objectives, as the SLO files define them, in no file format's vocabulary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from bot.errors import UsageError
from bot.reliability.windows import Window
from bot.yaml_source import Mistake

__all__ = [
    "DefinitionError",
    "Definitions",
    "Indicator",
    "ObjectiveDefinition",
    "PrometheusQuery",
    "Query",
    "ServiceDefinition",
    "Slices",
    "TableQuery",
    "Threshold",
    "Window",
]

_UNITS = {"_milliseconds": "ms", "_seconds": "s", "_bytes": "bytes"}  # how Prometheus' metrics end


@dataclass(frozen=True)
class PrometheusQuery:
    """An instant vector selector of a counter: no range, no function, no offset."""

    selector: str


@dataclass(frozen=True)
class TableQuery:
    """One series of a CSV table of hourly events."""

    file: Path
    series: str


Query = PrometheusQuery | TableQuery


@dataclass(frozen=True)
class Threshold:
    """A latency's: good events are those in the classic histogram's bucket that ends at `seconds`.

    `seconds` is the number as it was written, in whatever unit the buckets have. `buckets` selects all buckets of that
    histogram; `where` (file and line) and `key` (field) are for who has to change it, and make no other threshold.
    """

    seconds: Decimal
    buckets: str
    where: str = field(default="", compare=False)
    key: str = field(default="", compare=False)

    @property
    def unit(self) -> str:
        """As far as the histogram's name tells it, else empty."""
        name = self.buckets.partition("{")[0].removesuffix("_bucket")
        return next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")


@dataclass(frozen=True)
class Indicator:
    """What is counted: all events, and either the bad or the good ones among them. Both queries ask one source."""

    name: str
    total: Query
    bad: Query | None = None
    good: Query | None = None
    threshold: Threshold | None = None

    def __post_init__(self) -> None:
        if (self.bad is None) == (self.good is None):
            raise ValueError("an indicator counts either bad or good events")

    @property
    def counts_bad(self) -> bool:
        return self.bad is not None

    @property
    def part(self) -> Query:
        """The query that stands beside `total`."""
        query = self.bad if self.bad is not None else self.good
        assert query is not None  # noqa: S101 - held by __post_init__
        return query

    @property
    def source(self) -> str:
        """Which kind of source answers: the key under which `Reliability` knows it."""
        return "prometheus" if isinstance(self.total, PrometheusQuery) else "csv"


@dataclass(frozen=True)
class Slices:
    """Budgeting by slices of time: a slice is bad when less than `target` of its events were good."""

    length: timedelta
    target: Decimal


@dataclass(frozen=True)
class ServiceDefinition:
    name: str
    title: str = ""
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class ObjectiveDefinition:
    """One promise. `target` is exact and may be impossible (1 or more, 0 or less): that is shown, not hidden.

    Without `slices` the budget is one of events (Occurrences), with them one of time (Timeslices).
    """

    service: str
    slo: str
    name: str
    target: Decimal
    window: Window
    indicator: Indicator
    slices: Slices | None = None
    title: str = ""
    description: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.service, self.slo, self.name)


@dataclass(frozen=True)
class Definitions:
    """Everything that the files define, sorted.

    `remarks`: what is accepted and yet hardly meant, for who wrote it.
    """

    services: tuple[ServiceDefinition, ...] = ()
    objectives: tuple[ObjectiveDefinition, ...] = ()
    remarks: tuple[Mistake, ...] = field(default=(), compare=False)

    @property
    def service_names(self) -> tuple[str, ...]:
        return tuple(service.name for service in self.services)

    def of(self, services: Iterable[str]) -> tuple[ObjectiveDefinition, ...]:
        wanted = set(services)
        return tuple(item for item in self.objectives if item.service in wanted)


class DefinitionError(UsageError):
    """The SLO files have mistakes; the message lists all of them, each with file, line, field and remedy."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        count = f"{len(self.mistakes)} mistakes" if len(self.mistakes) != 1 else "a mistake"
        lines = "\n".join(f"  {mistake}" for mistake in self.mistakes)
        super().__init__(f"The SLO files have {count}:\n{lines}")
