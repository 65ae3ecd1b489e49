"""What is known of every objective at one instant: state, figures, notes, and the query behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, Literal

from bot.reliability.definitions import ObjectiveDefinition
from bot.reliability.forecast import Forecast
from bot.reliability.incidents import Incident


class State(StrEnum):
    """The first that holds, in this order. Only the last three judge the budget."""

    INVALID_TARGET = "INVALID_TARGET"
    QUERY_FAILED = "QUERY_FAILED"
    NO_DATA = "NO_DATA"
    STALE = "STALE"
    NO_TRAFFIC = "NO_TRAFFIC"
    LOW_VOLUME = "LOW_VOLUME"
    PARTIAL = "PARTIAL"
    EXHAUSTED = "EXHAUSTED"
    AT_RISK = "AT_RISK"
    OK = "OK"


MISSING = frozenset({State.INVALID_TARGET, State.QUERY_FAILED, State.NO_DATA, State.STALE})
JUDGED = frozenset({State.EXHAUSTED, State.AT_RISK, State.OK})
WORST_FIRST = (
    State.EXHAUSTED,
    State.AT_RISK,
    State.QUERY_FAILED,
    State.NO_DATA,
    State.STALE,
    State.INVALID_TARGET,
    State.PARTIAL,
    State.LOW_VOLUME,
    State.NO_TRAFFIC,
    State.OK,
)


@dataclass(frozen=True)
class Remark:
    """Something a reader of the figures must know; `code` is for machines."""

    code: str
    text: str


@dataclass(frozen=True)
class Point:
    """Bad and total events of one stretch of the window, up to `end`; `covered` is the share of it that had samples."""

    end: datetime
    bad: Fraction
    total: Fraction
    covered: Fraction


@dataclass(frozen=True)
class Figures:
    """The numbers of an objective; each is None where its state has none."""

    bad: Fraction | None = None
    total: Fraction | None = None
    sli: Fraction | None = None
    consumed: Fraction | None = None
    remaining: Fraction | None = None
    burn: Mapping[str, Fraction | None] = field(default_factory=dict)
    spent_7d: Fraction | None = None  # share of the window's budget that the last seven days cost

    @property
    def good(self) -> Fraction | None:
        return None if self.bad is None or self.total is None else self.total - self.bad


@dataclass(frozen=True, kw_only=True)
class TakenOut:
    """What exclusions left out of the window: how often, how long in all, what was counted in it, and who announced it.

    `bad` and `total` are None where nothing was counted then. `announced` are reasons with their owners.
    """

    times: int
    length: timedelta
    bad: Fraction | None
    total: Fraction | None
    announced: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Objective:
    """One promise, judged at one instant. `points` lead through the window, oldest first, for a burn-down.

    `forecast` is None where the budget isn't judged. `in_doubt`: a remark says why even a good state may be wrong.
    """

    definition: ObjectiveDefinition
    state: State
    sentence: str
    figures: Figures
    remarks: tuple[Remark, ...]
    method: Literal["increase", "hours"] | None
    queries: Mapping[str, str]
    source: str
    evaluated_at: datetime
    points: tuple[Point, ...] = ()
    unreachable: bool = False
    forecast: Forecast | None = None
    incidents: tuple[Incident, ...] = ()
    excluded: TakenOut | None = None
    in_doubt: bool = False

    @property
    def service(self) -> str:
        return self.definition.service

    @property
    def slo(self) -> str:
        return self.definition.slo

    @property
    def target(self) -> Decimal:
        return self.definition.target

    @property
    def window(self) -> str:
        return self.definition.window.label

    def contract(self) -> dict[str, Any]:
        """The objective as `director review --json` prints it: fractions, never clamped, null where there is none."""
        figures = self.figures
        return {
            "service": self.service,
            "slo": self.slo,
            "objective_name": self.definition.name,
            "objective": float(self.target),
            "window": self.window,
            "state": self.state.value,
            "method": self.method,
            "events": {"good": _number(figures.good), "bad": _number(figures.bad), "total": _number(figures.total)},
            "sli": _number(figures.sli),
            "budget": {"consumed": _number(figures.consumed), "remaining": _number(figures.remaining)},
            "burn": {window: _number(rate) for window, rate in figures.burn.items()},
            "policy": None,
            "forecast": _forecast(self.forecast),
            "notes": [{"code": remark.code, "text": remark.text} for remark in self.remarks],
            "query": dict(self.queries),
            "evaluated_at": rfc3339(self.evaluated_at),
            "sentence": self.sentence,
            "source": self.source,
            "incidents": [_incident(incident) for incident in self.incidents],
            "excluded": _excluded(self.excluded),
        }


@dataclass(frozen=True)
class Assessment:
    """Every objective asked for, at one instant, sorted by service, slo and objective name.

    `asked` are the services it was narrowed to; empty for all.
    """

    at: datetime
    items: tuple[Objective, ...]
    asked: tuple[str, ...] = ()

    @property
    def unreachable(self) -> bool:
        """Whether a source did not answer at all."""
        return any(item.unreachable for item in self.items)

    @property
    def exit_code(self) -> int:
        """The contract's: 3 when a source can't be reached, 1 when a query failed or data is missing, else 0."""
        if self.unreachable:
            return 3
        return 1 if any(item.state in MISSING for item in self.items) else 0

    @property
    def sources(self) -> tuple[str, ...]:
        """What the figures are from; where nothing was measured, what was asked."""
        measured = [item.source for item in self.items if item.source and item.method is not None]
        return tuple(dict.fromkeys(measured or (item.source for item in self.items if item.source)))

    def in_state(self, *states: State) -> tuple[Objective, ...]:
        return tuple(item for item in self.items if item.state in states)

    def worst_first(self) -> tuple[Objective, ...]:
        """By state, then by what remains of the budget."""
        return tuple(sorted(self.items, key=_severity))

    def contract(self) -> list[dict[str, Any]]:
        return [item.contract() for item in self.items]


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def whole_second(moment: datetime) -> datetime:
    """The instant as it is shown and asked for again."""
    return moment.astimezone(UTC) - timedelta(microseconds=moment.microsecond)


def _number(value: Fraction | None) -> float | None:
    return None if value is None else float(value)


def _time(value: datetime | None) -> str | None:
    return None if value is None else rfc3339(value)


def _forecast(found: Forecast | None) -> dict[str, Any] | None:
    if found is None:
        return None
    relief = found.relief
    return {
        "exhausts_at": _time(found.exhausts_at),
        "recovers_at": _time(found.recovers_at),
        "relief": None if relief is None else {"at": rfc3339(relief.at), "share": float(relief.share)},
    }


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "start": rfc3339(incident.span.start),
        "end": rfc3339(incident.span.end),
        "bad": float(incident.bad),
        "share": float(incident.share),
        "deploys": [
            {"service": deploy.service, "version": deploy.version, "at": rfc3339(deploy.at), "link": deploy.link}
            for deploy in incident.deploys
        ],
        "burners": [
            {"label": burner.label, "value": burner.value, "bad": float(burner.bad)} for burner in incident.burners
        ],
    }


def _excluded(taken: TakenOut | None) -> dict[str, Any] | None:
    if taken is None:
        return None
    return {
        "times": taken.times,
        "seconds": taken.length.total_seconds(),
        "bad": _number(taken.bad),
        "total": _number(taken.total),
        "reasons": [{"reason": reason, "owner": owner} for reason, owner in taken.announced],
    }


def _severity(item: Objective) -> tuple[int, bool, Fraction, tuple[str, str, str]]:
    remaining = item.figures.remaining
    return (WORST_FIRST.index(item.state), remaining is None, remaining or Fraction(), item.definition.key)
