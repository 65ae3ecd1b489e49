"""Recurring times by RFC 5545 rules, in a zone's own clock: what exclusions are made of."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

ANCHOR = datetime(2024, 1, 1)  # noqa: DTZ001 - a Monday's midnight on the wall clock of every zone
MOST_A_YEAR = 1_000
_EXAMPLE = "FREQ=WEEKLY;BYDAY=SU;BYHOUR=3;BYMINUTE=0"
_TOO_FINE = ("SECONDLY", "MINUTELY")
_LEAP_YEAR = 2024
_LONGEST = {"BYMONTH": 12, "BYMONTHDAY": 31, "BYYEARDAY": 366, "BYWEEKNO": 53}
_YEAR = timedelta(days=366)


class NoRecurrence(ValueError):
    """The rule can't be used; the message says why and what to write."""


class Recurrence:
    """A rule without DTSTART. It counts from Monday 2024-01-01 00:00 local time, and gives nothing before that.

    INTERVAL and COUNT count from there, and it gives what the rule leaves open: minute and second 0, and, where the
    rule names none, hour 0, Mondays, the first of the month, the first of January. A time that the clocks skip in
    spring comes as much later as they skip; of one that comes twice in autumn the first is meant (RFC 5545, 3.3.5).
    """

    def __init__(self, rule: str, zone: str = "UTC") -> None:
        """Raises `NoRecurrence` when it is none, or one that could not be computed in reasonable time."""
        self.rule = rule
        self._zone = ZoneInfo(zone)
        self._parts = _parts(rule)
        self._count = _whole(self._parts, "COUNT")
        self._until = _until(self._parts.get("UNTIL"), self._zone)
        _whole(self._parts, "INTERVAL")
        if self._parts.get("FREQ") in _TOO_FINE:
            raise NoRecurrence("may recur every hour at most; use FREQ=HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY")
        _ = self._rule
        _in_range(self._parts)
        if _no_such_day(self._parts) or next(iter(self._rule), None) is None:
            raise NoRecurrence("never recurs: no day fits all of it (it counts from Monday 2024-01-01)")
        if self.in_first_year > MOST_A_YEAR:
            raise NoRecurrence(
                f"gives more than {MOST_A_YEAR:,} times a year; name fewer hours (BYHOUR), or one longer duration"
            )

    @cached_property
    def in_first_year(self) -> int:
        """How often it recurs in the 366 days from its anchor; one more than may be when it is more."""
        return len(self._local(ANCHOR + _YEAR, most=MOST_A_YEAR + 1))

    def fills(self, duration: timedelta) -> bool:
        """Whether times of this length leave nothing between them: then all of the time is meant, surely by mistake."""
        if self._count is not None or self._until is not None:
            return False
        starts = (ANCHOR, *self._local(ANCHOR + _YEAR), ANCHOR + _YEAR)
        return all(later - earlier <= duration for earlier, later in pairwise(starts))

    def between(self, first: datetime, last: datetime) -> tuple[datetime, ...]:
        """The instants (UTC) from `first` to `last`, both included, oldest first."""
        horizon = last.astimezone(self._zone).replace(tzinfo=None) + timedelta(days=1)
        starts = (local.replace(tzinfo=self._zone).astimezone(UTC) for local in self._until_year(horizon.year))
        return tuple(start for start in starts if first <= start <= last)

    def _until_year(self, year: int) -> tuple[datetime, ...]:
        return _starts(self.rule, self._zone.key, year)

    def _local(self, horizon: datetime, *, most: int | None = None) -> tuple[datetime, ...]:
        """Wall-clock times before `horizon`."""
        limit = self._count if most is None or self._count is None else min(self._count, most)
        ends = horizon if self._until is None else min(horizon, self._until)
        found = self._rule.replace(until=ends)
        return tuple(start for start in islice(found, most if limit is None else limit) if start < horizon)

    @cached_property
    def _rule(self) -> rrule:
        kept = ";".join(f"{name}={value}" for name, value in self._parts.items() if name not in ("COUNT", "UNTIL"))
        try:
            found = rrulestr(kept, dtstart=ANCHOR)
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise NoRecurrence(f'is no recurrence rule (RFC 5545), e.g. "{_EXAMPLE}": {error}') from error
        assert isinstance(found, rrule)  # noqa: S101 - one rule without dates of its own
        return found


@lru_cache(maxsize=512)
def _starts(rule: str, zone: str, year: int) -> tuple[datetime, ...]:
    return Recurrence(rule, zone)._local(datetime(year + 1, 1, 1))  # noqa: DTZ001, SLF001 - wall clock


def _parts(rule: str) -> dict[str, str]:
    text = rule.strip().upper().removeprefix("RRULE:")
    if "DTSTART" in text:
        raise NoRecurrence("is counted from Monday 2024-01-01; leave DTSTART out")
    if len(text.split()) > 1:
        raise NoRecurrence(f'must be one rule without blanks, e.g. "{_EXAMPLE}"')
    pairs = [part.partition("=") for part in text.split(";") if part]
    names = [name for name, _, _ in pairs]
    if len(set(names)) < len(names):
        raise NoRecurrence(f"names {next(name for name in names if names.count(name) > 1)} twice; keep one")
    if {"COUNT", "UNTIL"} <= set(names):
        raise NoRecurrence("has both COUNT and UNTIL; keep one")
    return {name: value for name, _, value in pairs}


def _in_range(parts: dict[str, str]) -> None:
    for name, longest in _LONGEST.items():
        numbers = [int(number) for number in parts.get(name, "1").split(",")]
        if not all(1 <= abs(number) <= longest for number in numbers):
            raise NoRecurrence(f"{name} must lie between 1 and {longest}")


def _no_such_day(parts: dict[str, str]) -> bool:
    """Whether it names only days such as 30 February: dateutil would look for one until the year 9999."""
    if "BYMONTH" not in parts or "BYMONTHDAY" not in parts:
        return False
    longest = max(monthrange(_LEAP_YEAR, int(month))[1] for month in parts["BYMONTH"].split(","))
    return all(abs(int(day)) > longest for day in parts["BYMONTHDAY"].split(","))


def _whole(parts: dict[str, str], name: str) -> int | None:
    text = parts.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1_000_000:
        raise NoRecurrence(f"{name} must be a whole number of 1 or more")
    return int(text)


def _until(text: str | None, zone: ZoneInfo) -> datetime | None:
    """The last wall-clock time at which it may recur; a day counts as a whole."""
    if text is None:
        return None
    try:
        if "T" not in text:
            return datetime.combine(date.fromisoformat(text), time.max)
        given = datetime.fromisoformat(text)
        return given if given.tzinfo is None else given.astimezone(zone).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise NoRecurrence("UNTIL must be a day (20261231) or a time (20261231T235959Z)") from None
