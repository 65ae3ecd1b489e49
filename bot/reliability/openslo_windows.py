"""The time windows of OpenSLO: rolling ones, and calendar periods in a zone."""

from __future__ import annotations

import difflib
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import cast
from zoneinfo import ZoneInfo, available_timezones

from bot.reliability import openslo_schema as schema
from bot.reliability.windows import CalendarWindow, Period, Window
from bot.yaml_source import Document, Key, Mistake

DURATION = re.compile(r"([1-9][0-9]{0,5})([mhdwMQY])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_SHORTEST, _LONGEST = timedelta(hours=1), timedelta(days=366)
_LOCAL_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d")
_FIRST_YEAR = 1970
_CALENDAR = "isRolling: false and calendar: {startTime: 2026-01-01 00:00:00, timeZone: UTC}"


def read_window(spec: schema.SloSpec, source: Document, mistakes: list[Mistake], now: datetime) -> Window | None:
    """The SLO's window, or None when it has mistakes (they are added)."""
    if len(spec.time_window) != 1:
        text = "must have exactly one window; write one SLO per window"
        mistakes.append(source.mistake(("spec", "timeWindow"), text))
        return None
    window, key = spec.time_window[0], ("spec", "timeWindow", 0)
    if window.calendar is not None:
        return _calendar(window, key, source, mistakes, now)
    if window.is_rolling is False:
        text = f"a window that doesn't roll needs {_CALENDAR}"
        mistakes.append(source.mistake((*key, "isRolling"), text))
        return None
    return _rolling(window.duration, key, source, mistakes)


def _rolling(duration: str, key: Key, source: Document, mistakes: list[Mistake]) -> Window | None:
    match = DURATION.fullmatch(duration)
    if match is not None and match[2] in _UNITS:
        length = int(match[1]) * _UNITS[match[2]]
        if _SHORTEST <= length <= _LONGEST:
            return Window(duration, length)
    text = f"{duration!r} is no rolling window; write hours, days or weeks such as 28d, from 1h to 366d"
    if match is not None and match[2] not in _UNITS:
        text += f", or add {_CALENDAR}"
    mistakes.append(source.mistake((*key, "duration"), text))
    return None


def _calendar(
    window: schema.TimeWindow, key: Key, source: Document, mistakes: list[Mistake], now: datetime
) -> Window | None:
    calendar, before = window.calendar, len(mistakes)
    assert calendar is not None  # noqa: S101 - asked for before
    if window.is_rolling:
        text = "a window with a calendar doesn't roll; write isRolling: false, or remove calendar"
        mistakes.append(source.mistake((*key, "isRolling"), text))
    at = (*key, "calendar")
    wrong = _zone_problem(calendar.time_zone)
    if wrong is not None:
        mistakes.append(source.mistake((*at, "timeZone"), wrong))
    start = _local_time(calendar.start_time)
    if start is None:
        text = (
            f"{str(calendar.start_time)!r} is no local time; write it like 2026-01-01 00:00:00, without a zone "
            "(timeZone says it), from 1970 on"
        )
        mistakes.append(source.mistake((*at, "startTime"), text))
    elif wrong is None and start.replace(tzinfo=ZoneInfo(calendar.time_zone)).astimezone(UTC) > now:
        text = f"{start} lies in the future; write when a period began, such as the first one that should count"
        mistakes.append(source.mistake((*at, "startTime"), text))
    match = DURATION.fullmatch(window.duration)
    problem = _duration_problem(window.duration, match)
    if problem is not None:
        mistakes.append(source.mistake((*key, "duration"), problem))
    if match is None or start is None or len(mistakes) > before:
        return None
    found = CalendarWindow.of(int(match[1]), cast("Period", match[2]), start, calendar.time_zone)
    if found.length > _LONGEST:
        text = f"{window.duration!r} is too long; write at most a year (1Y, 4Q, 12M, 52w, 366d)"
        mistakes.append(source.mistake((*key, "duration"), text))
        return None
    return found


def _duration_problem(duration: str, match: re.Match[str] | None) -> str | None:
    if match is None:
        return f"{duration!r} is no calendar period; write days, weeks, months, quarters or years such as 1M"
    if match[2] == "m":
        return f"{duration!r} is in minutes; write {match[1]}M for months"
    if match[2] == "h":
        return f"{duration!r} is no calendar period; write days (1d), weeks, months (1M), quarters or years"
    return None


@cache
def _zone_problem(name: str) -> str | None:
    known = _zones()
    if name in known.values():
        return None
    near = difflib.get_close_matches(name.casefold().replace(" ", "_"), known, n=1)
    hint = f"; did you mean {known[near[0]]}?" if near else "; write one such as Europe/Berlin"
    return f"{name!r} is no IANA time zone{hint}"


@cache
def _zones() -> dict[str, str]:
    """Every zone by its folded name. Looked up once: it reads the whole folder of zones."""
    return {zone.casefold(): zone for zone in sorted(available_timezones())}


def _local_time(given: object) -> datetime | None:
    """What YAML made of the time: a naive datetime, or text where it was in quotes."""
    found = given if isinstance(given, datetime) else None
    if isinstance(given, str) and _LOCAL_TIME.fullmatch(given):
        try:
            found = datetime.fromisoformat(given)
        except ValueError:  # a 30th of February
            return None
    if found is None or found.tzinfo is not None or found.microsecond or found.year < _FIRST_YEAR:
        return None
    return found
