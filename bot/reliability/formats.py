"""How figures are written for people: the only place where a number of a service becomes text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from zoneinfo import ZoneInfo

from bot.reliability.definitions import ObjectiveDefinition, Slices, Threshold
from bot.reliability.windows import CalendarWindow, Span, Window

_SLICES = {timedelta(minutes=1): "minutes", timedelta(hours=1): "hours"}
_PERIODS = {"d": "day", "w": "week", "M": "month", "Q": "quarter", "Y": "year"}

NOTHING = "–"  # where a state has no figure


def percent(share: Fraction | None, *, digits: int = 1) -> str:
    """`24.4%`, `-188.6%`. What is not zero never looks like zero: `0.04%`; smaller still is `<0.001%`."""
    if share is None:
        return NOTHING
    return _signed(share * 100, digits, 3, "%")


def points(share: Fraction | None) -> str:
    """A difference of two percentages: `12.5 points`."""
    return NOTHING if share is None else _signed(share * 100, 1, 3, " points")


def sli(share: Fraction | None) -> str:
    """Rounded down, so that it never looks better than it is; with as many digits as its distance from 100% needs."""
    if share is None:
        return NOTHING
    if share >= 1:
        return "100%" if share == 1 else percent(share, digits=3)
    digits = 3
    while digits < 9 and (1 - share) * 100 < Fraction(1, 10 ** (digits - 1)):
        digits += 1
    return f"{_rounded(share * 100, digits, ROUND_FLOOR)}%"


def target(share: Decimal) -> str:
    """Exactly as promised: `99.95%`."""
    with localcontext() as context:
        context.prec = 50
        text = format((share * 100).normalize(), "f")
    return f"{text}%"


def threshold(limit: Threshold) -> str:
    """`0.25 s`; the number alone where the histogram's name tells no unit."""
    return f"{limit.seconds.normalize():f} {limit.unit}".rstrip()


def promise(objective: ObjectiveDefinition) -> str:
    """The target with what it is of: `99.9%`, `99% at most 0.25 s`, `99.9% of minutes with 95% good`."""
    limit, slices = objective.indicator.threshold, objective.slices
    of = "" if slices is None else f" of {counted(slices)} with {target(slices.target)}"
    good = f" at most {threshold(limit)}" if limit is not None else " good" if slices is not None else ""
    return f"{target(objective.target)}{of}{good}"


def burn(rate: Fraction | None) -> str:
    """How many times faster than the budget allows: `1.4×`."""
    return NOTHING if rate is None else _signed(rate, 1, 2, "×")


def burn_limit(rate: Fraction) -> str:
    """A burn rate to be held against, never rounded up: `14.4×`, `13.44×`, `0.98×`."""
    rounded = _rounded(rate, 2, ROUND_FLOOR)
    return f"{rounded.normalize():f}×" if rounded else burn(rate)


def count(events: Fraction | None) -> str:
    """Events in thousands groups; counters' increases are estimates, so fractions show only where there are few."""
    if events is None:
        return NOTHING
    if abs(events) >= 100 or events.denominator == 1:
        return f"{round(events):,}"
    return f"{_rounded(events, 1, ROUND_HALF_EVEN).normalize():f}"


def counted(slices: Slices | None) -> str:
    """What a budget is counted in: `events`, `minutes`, `slices of 5 min`."""
    if slices is None:
        return "events"
    return _SLICES.get(slices.length, f"slices of {duration(slices.length)}")


def duration(length: timedelta) -> str:
    """`28 days`, `3 days 2 h`, `5 h`, `40 min`, `20 s`: the two largest units that count."""
    seconds = round(length.total_seconds())
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, seconds = divmod(rest, 60)
    if days:
        text = f"{days} day{'s' if days != 1 else ''}"
        return f"{text} {hours} h" if hours else text
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"


def window(length: Window) -> str:
    """`28 days`; a calendar period by its name: `1 month (calendar, Europe/Berlin)`."""
    if isinstance(length, CalendarWindow):
        return f"{number(length.amount, _PERIODS[length.unit])} (calendar, {length.zone})"
    return duration(length.length)


def briefly(length: Window) -> str:
    """`28d`; a calendar period by its name alone: `month`, `2 weeks`."""
    if not isinstance(length, CalendarWindow):
        return length.label
    return _PERIODS[length.unit] if length.amount == 1 else number(length.amount, _PERIODS[length.unit])


def written(length: Window) -> str:
    """As its file wrote a rolling window, `28d`; a calendar period, whose signs few people know, in words."""
    return window(length) if isinstance(length, CalendarWindow) else length.label


def period(length: Window) -> str:
    """What the budget is of, in a sentence: `28d`, `this month`, `this period`."""
    if not isinstance(length, CalendarWindow):
        return length.label
    return f"this {_PERIODS[length.unit]}" if length.amount == 1 else "this period"


def zone(length: Window) -> str:
    """Whose clock says when the window begins and ends."""
    return length.zone if isinstance(length, CalendarWindow) else "UTC"


def moment(at: datetime, zone: str = "UTC") -> str:
    """`Mon 16 Nov 2026 08:00 UTC`."""
    return at.astimezone(ZoneInfo(zone)).strftime(f"%a %-d %b %Y %H:%M {zone}")


def clock(at: datetime, beside: datetime) -> str:
    """`at 08:00 UTC` on the same day as the time that stands beside it, else `on Mon 16 Nov 2026 08:00 UTC`."""
    at, beside = at.astimezone(UTC), beside.astimezone(UTC)
    return f"at {at.strftime('%H:%M')} UTC" if at.date() == beside.date() else f"on {moment(at)}"


def stretch(span: Span) -> str:
    """`Thu 22 Oct 2026 08:00–09:00 UTC`; over midnight both days are named."""
    start, end = span.start.astimezone(UTC), span.end.astimezone(UTC)
    if start.date() == end.date():
        return f"{start.strftime('%a %-d %b %Y %H:%M')}–{end.strftime('%H:%M')} UTC"
    return f"{start.strftime('%a %-d %b %H:%M')} to {moment(end)}"


def day(at: datetime, zone: str = "UTC") -> str:
    """`16 Nov`."""
    return at.astimezone(ZoneInfo(zone)).strftime("%-d %b")


def date(at: datetime, zone: str = "UTC") -> str:
    """`16 Nov 2026`."""
    return at.astimezone(ZoneInfo(zone)).strftime("%-d %b %Y")


def hour(at: datetime, zone: str = "UTC") -> str:
    """`16 Nov 08:00`."""
    return at.astimezone(ZoneInfo(zone)).strftime("%-d %b %H:%M")


def number(amount: int, singular: str, plural: str = "") -> str:
    """`1 objective`, `3 objectives`."""
    return f"{amount:,} {singular if amount == 1 else plural or singular + 's'}"


def listing(names: list[str] | tuple[str, ...], *, most: int = 5) -> str:
    """`a, b and c`; beyond `most`: `a, b and 7 more`."""
    shown = list(names[:most])
    if len(names) > most:
        return f"{', '.join(shown)} and {len(names) - most:,} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else ""


def _signed(value: Fraction, digits: int, most: int, unit: str) -> str:
    if value == 0:
        return f"0{unit}"
    for places in range(digits, most + 1):
        rounded = _rounded(value, places, ROUND_HALF_EVEN)
        if rounded:
            return f"{rounded:,f}{unit}"
    smallest = Decimal(1).scaleb(-most)
    return f"<{smallest:f}{unit}" if value > 0 else f"-<{smallest:f}{unit}"


def _rounded(value: Fraction, places: int, rounding: str) -> Decimal:
    with localcontext() as context:
        context.prec = 60
        exact = Decimal(value.numerator) / Decimal(value.denominator)
        return exact.quantize(Decimal(1).scaleb(-places), rounding=rounding)
