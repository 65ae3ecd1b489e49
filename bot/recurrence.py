"""Recurring times by RFC 5545 rules, in a zone's own clock: what exclusions are made of."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

ANCHOR = datetime(2024, 1, 1)  # noqa: DTZ001 - a Monday's midnight on the wall clock of every zone
MOST_A_YEAR = 1_000
_EXAMPLE = "FREQ=WEEKLY;BYDAY=SU;BYHOUR=3;BYMINUTE=0"
_TOO_FINE = ("SECONDLY", "MINUTELY")
_LAST_YEARS = 9960
_UNITS = {"HOURLY": timedelta(hours=1), "DAILY": timedelta(days=1), "WEEKLY": timedelta(weeks=1)}
_RANGES = {
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (1, 31),
    "BYYEARDAY": (1, 366),
    "BYWEEKNO": (1, 53),
    "BYSETPOS": (1, 366),
    "BYHOUR": (0, 23),
    "BYMINUTE": (0, 59),
    "BYSECOND": (0, 59),
}
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
        if self._parts.get("FREQ") in _TOO_FINE:
            raise NoRecurrence("may recur every hour at most; use FREQ=HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY")
        _in_range(self._parts)
        self._from = _parsed(self._parts, ANCHOR)
        if not _recurs(self._parts):
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
        found = self._from.replace(until=ends)
        return tuple(start for start in islice(found, most if limit is None else limit) if start < horizon)


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
    """What dateutil doesn't check, or not always."""
    for name, (least, most) in _RANGES.items():
        for number in parts.get(name, str(most)).split(","):
            signed = number.removeprefix("-") if least > 0 else number  # days and weeks may count from the end
            if not (signed.isascii() and signed.isdigit() and least <= int(signed) <= most):
                raise NoRecurrence(f"{name} must lie between {least} and {most}")


def _parsed(parts: dict[str, str], start: datetime) -> rrule:
    kept = ";".join(f"{name}={value}" for name, value in parts.items() if name not in ("COUNT", "UNTIL"))
    try:
        found = rrulestr(kept, dtstart=start)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise NoRecurrence(f'is no recurrence rule (RFC 5545), e.g. "{_EXAMPLE}": {error}') from error
    assert isinstance(found, rrule)  # noqa: S101 - one rule without dates of its own
    return found


def _recurs(parts: dict[str, str]) -> bool:
    try:
        return next(iter(_parsed(parts, _late_anchor(parts))), None) is not None
    except IndexError:  # dateutil's way of saying that no month has 53 Mondays
        return False


def _late_anchor(parts: dict[str, str]) -> datetime:
    """The last turn of its INTERVAL before the calendar's last forty years, for looking whether it recurs at all.

    dateutil searches to the calendar's end, which from the anchor on takes minutes. Forty years hold every weekday of
    every day. Whole turns leave what the anchor gives, such as Mondays, as it is.
    """
    interval, late = _whole(parts, "INTERVAL") or 1, datetime(_LAST_YEARS, 1, 1)  # noqa: DTZ001 - wall clock
    unit = _UNITS.get(parts.get("FREQ", ""))
    if unit is not None:
        return ANCHOR + (late - ANCHOR) // (interval * unit) * interval * unit
    months = interval * (12 if parts.get("FREQ") == "YEARLY" else 1)
    years, month = divmod(((late.year - ANCHOR.year) * 12 // months) * months, 12)
    return ANCHOR.replace(year=ANCHOR.year + years, month=month + 1)


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
