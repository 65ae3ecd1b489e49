"""The instant that `--at` names."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from bot.errors import UsageError

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)?")
_EXAMPLE = "for example 2026-11-16T08:00:00Z"


def parse_at(text: str | None, now: datetime) -> datetime:
    """The instant in UTC; `now` when none is given. Raises UsageError for one that is naive, unreadable or to come."""
    if text is None:
        return now
    written = text.strip()
    if not _RFC3339.fullmatch(written):
        raise UsageError(f"--at {text!r} is no RFC 3339 time; write date, time and offset, {_EXAMPLE}.")
    try:
        moment = datetime.fromisoformat(written.upper())
    except ValueError as error:
        raise UsageError(f"--at {text!r} is no time that exists ({error}); {_EXAMPLE}.") from None
    if moment.tzinfo is None:
        raise UsageError(f"--at {text!r} names no offset from UTC; add Z or one such as +01:00, {_EXAMPLE}.")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise UsageError(f"--at {text!r} lies outside of the calendar; {_EXAMPLE}.") from None
    if moment > now:
        raise UsageError(f"--at {text!r} is still to come (it is {now:%Y-%m-%dT%H:%M:%SZ}); give a past time.")
    return moment
