"""What becomes of a budget if it burns on as it does: exhaustion, recovery, and relief that is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import accumulate

from bot.reliability.budget import NOISE, Budget, budget_share, burn, time_to_exhaustion_in_period
from bot.reliability.hours import HOUR, Hours
from bot.reliability.incidents import Incident, bad_events
from bot.reliability.windows import Span, Window

RELIEF_WORTH = Fraction(20, 100)  # of the budget: the Workbook's bound for an incident that needs a postmortem
RELIEF_WITHIN = timedelta(days=7)


@dataclass(frozen=True)
class Relief:
    """A burn that leaves a rolling window at `at`: the budget then looks better by `share` though nothing changed."""

    at: datetime
    share: Fraction


@dataclass(frozen=True)
class Forecast:
    """Estimates at the last seven days' burn. None: not within one window's length from now."""

    exhausts_at: datetime | None = None
    recovers_at: datetime | None = None
    relief: Relief | None = None


@dataclass(frozen=True)
class Recent:
    """What went on lately: bad and total events of a stretch of time, which the forecast takes to go on."""

    bad: Fraction
    total: Fraction
    length: timedelta


@dataclass(frozen=True)
class Course:
    """What a forecast starts from: the budget now, the window's hours behind it, and the recent burn.

    `recent` is None where nothing is known of it; then only relief can be told.
    """

    budget: Budget
    hours: Hours
    counts_bad: bool
    recent: Recent | None
    incidents: Sequence[Incident] = ()


def forecast(course: Course, window: Window, at: datetime) -> Forecast:
    """When the budget is gone, or when it is above zero again, and whether relief is only old errors leaving.

    Rolling windows are stepped hour by hour: the hour that leaves is subtracted, the recent hourly mean is added; the
    first change of sign counts. A period of a calendar is gone when the burn says so before it ends, and recovers
    when the next one begins.
    """
    at, end = at.astimezone(UTC), window.period_end(at)
    if end is not None:
        return _in_period(course, window.span(at), end)
    crossing = _rolling(course, window.length, at)
    relief = _relief(course.incidents, window.length, at)
    if course.budget.remaining <= NOISE:
        return Forecast(recovers_at=crossing, relief=relief)
    return Forecast(exhausts_at=crossing, relief=relief)


def _in_period(course: Course, span: Span, end: datetime) -> Forecast:
    if course.budget.remaining <= NOISE:
        return Forecast(recovers_at=end)
    if course.recent is None:
        return Forecast()
    rate = burn(course.recent.bad, course.recent.total, course.budget.target)
    left = time_to_exhaustion_in_period(course.budget.remaining, rate, span.length)
    return Forecast(exhausts_at=_second(span.end + left) if left is not None and left < end - span.end else None)


def _rolling(course: Course, length: timedelta, at: datetime) -> datetime | None:
    """When what is left changes its sign.

    What is left, counted in events, is EB * total - bad; the same of each hour that leaves is subtracted.
    """
    recent, hours = course.recent, course.hours
    if recent is None or not len(hours):
        return None
    share = budget_share(course.budget.target)
    now = float(share * course.budget.total - course.budget.bad)
    an_hour = float(share * recent.total - recent.bad) * (HOUR / recent.length)
    nothing = float(NOISE * course.budget.allowed)
    bad = bad_events(hours, counts_bad=course.counts_bad)
    allowed = float(share)
    weights = (allowed * total - wrong if total >= 0 else -wrong for total, wrong in zip(hours.total, bad, strict=True))
    since, each = an_hour * ((hours.first + length - at) / HOUR), an_hour * (hours.step / HOUR)
    left = [now + since + index * each - gone for index, gone in enumerate(accumulate(weights))]
    if now <= nothing:
        crossing = next((index for index, events in enumerate(left) if events > nothing), None)
    else:
        crossing = next((index for index, events in enumerate(left) if events <= nothing), None)
    return None if crossing is None else _second(hours.end_of(crossing) + length)


def _relief(incidents: Sequence[Incident], length: timedelta, at: datetime) -> Relief | None:
    """The largest burn of a fifth of the budget or more that leaves a rolling window within seven days."""
    leaving = [
        Relief(incident.span.end + length, incident.share)
        for incident in incidents
        if incident.share >= RELIEF_WORTH and at < incident.span.end + length <= at + RELIEF_WITHIN
    ]
    return min(leaving, key=lambda relief: (-relief.share, relief.at), default=None)


def _second(at: datetime) -> datetime:
    """To the nearest second: stretches of a short window end beside the samples' own instants."""
    rounded = at + timedelta(milliseconds=500)
    return rounded.replace(microsecond=0)
