"""Answers that can't all be whole: a server or what stands before it that gives only a part of its series is found out.

One answer can't be told from a truth of its own, but several about the same counters contradict each other when a part
of them is missing. Then no figure is better than a wrong one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.reliability.hours import Hours
from bot.reliability.metrics import Signs, Tally

_ENOUGH_SAMPLES = 4  # in an hour: then an increase must exist
_ENOUGH_EVENTS = 10
_MANY_HOURS = 20  # one in so many hours may be odd where a service begins or ends


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was answered about one ask. `open_rest` is the total since the last full hour, None where none is asked.

    `busiest` is how many samples a series of the total has in the last hour, `fresh` whether it has any lately, and
    `unanswered` says that the first samples of new series were asked for and not told.
    """

    fresh: bool
    busiest: float
    stale_after: timedelta
    hours: Hours
    open_rest: Tally | None
    rest_length: timedelta
    increase: Tally | None
    by_hours: Tally
    signs: Signs
    unanswered: bool


def contradiction(found: Evidence) -> str | None:
    """What can't be, in words that continue "it gave only a part of its series"; None when all may be true."""
    return _now(found) or _then(found) or _counted(found)


def _now(found: Evidence) -> str | None:
    """Samples of the last hour, told by their number and by their events."""
    rest = found.open_rest.total if found.open_rest is not None else None
    if not found.fresh and rest is not None and rest > 0 and found.rest_length <= found.stale_after:
        return "events but no samples in the last hour"
    if found.busiest < _ENOUGH_SAMPLES:
        return None
    if found.increase is not None and found.increase.total is None:
        return "samples in the last hour but no events in the window"
    if found.increase is not None and found.by_hours.total is None:
        return "events in the window but in none of its hours"
    last = len(found.hours) - (2 if found.open_rest is not None else 1)
    part = found.open_rest.part if found.open_rest is not None else None
    alive = part is not None or (last >= 0 and found.hours.part[last] >= 0)
    if found.unanswered and alive:
        return "new series and not their first samples"
    if rest is None and last >= 0 and not found.hours.sampled(last):
        return "samples in the last hour but no events in it"
    return None


def _then(found: Evidence) -> str | None:
    """Hours in which events went bad (or well) and none were counted in all."""
    hours = found.hours
    if min(hours.total, default=0.0) >= 0:
        return None
    counted = [index for index in range(len(hours)) if hours.part[index] > 0]
    odd = sum(not hours.sampled(index) for index in counted)
    return "bad or good events in hours without any" if odd * _MANY_HOURS > len(counted) else None


def _counted(found: Evidence) -> str | None:
    """What the index names, one increase counts and the hours add up to."""
    signs, increase, hours = found.signs, found.increase, found.by_hours
    once = (None, None) if increase is None else (increase.part, increase.total)
    for seen, whole, hourly in zip((signs.part_seen, signs.series_seen), once, (hours.part, hours.total), strict=True):
        if seen == 0 and (whole is not None or hourly is not None):
            return "events of series that its index doesn't name"
        if increase is not None and whole is None and hourly is not None and hourly > 0:
            return "events by the hour and none in the window"
        if whole is not None and whole >= 1 and hourly is None:
            return "events in the window and none by the hour"
    return None if increase is None else _left_out(found, increase)


def _left_out(found: Evidence, increase: Tally) -> str | None:
    """Series or hours that other answers speak of."""
    signs, hours = found.signs, found.by_hours
    unseen = signs.part_seen and signs.hidden is None and increase.part is None and hours.part is None
    if unseen or (signs.series_seen and increase.total is None and hours.total is None):
        return "series in its index and no events of them"
    if increase.total is None or hours.total is None or _has_full_hour(found):
        return None
    # A service that began in the open hour has about as many events in it as in the window.
    more = increase.total > 2 * hours.total + _ENOUGH_EVENTS
    return "events in the window and none in its full hours" if more else None


def _has_full_hour(found: Evidence) -> bool:
    last = len(found.hours) - (1 if found.open_rest is not None else 0)
    return any(found.hours.sampled(index) for index in range(1, last))
