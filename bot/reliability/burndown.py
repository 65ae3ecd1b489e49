"""The budget as a picture: burn-down of the worst objectives, or what each has left where all is well."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction

from bot.domain import Chart, Series
from bot.reliability import formats
from bot.reliability.assessment import Assessment, Objective, State
from bot.reliability.wording import Labels

_MOST_LINES = 4
_MOST_BARS = 12
_LABEL = 20  # characters of a category or series that every platform shows
_CLOSE = Fraction(5, 1000)  # of the budget: what hours and one increase over the window may differ by
_DRAWN = (State.EXHAUSTED, State.AT_RISK, State.OK)


def budget_chart(assessment: Assessment, labels: Labels) -> Chart | None:
    """None when nothing can be drawn without making figures up."""
    items = tuple(item for item in assessment.worst_first() if item.state in _DRAWN)
    pressing = tuple(item for item in items if item.state is not State.OK)
    if pressing or len(items) == 1:
        fine = tuple(item for item in items if item.state is State.OK)
        return _lines((*pressing, *fine)[:_MOST_LINES], labels)
    return _bars(items, labels) if items else None


def remaining_over_time(item: Objective) -> tuple[Fraction, ...]:
    """What is left after each point of the window: it begins whole and ends at the budget that remains.

    Where the hours behind the points say something else (`hours_disagree`), it ends where they do.
    """
    total = item.figures.total
    assert total is not None  # noqa: S101 - only measured objectives are drawn
    allowed = (1 - Fraction(item.target)) * total
    left, course = Fraction(1), []
    for point in item.points:
        left -= point.bad / allowed
        course.append(left)
    remaining = item.figures.remaining
    if course and remaining is not None and abs(course[-1] - remaining) <= _CLOSE:
        course[-1] = remaining  # hours are floats: the picture ends at the very figure that is said
    return tuple(course)


def _lines(items: tuple[Objective, ...], labels: Labels) -> Chart | None:
    window = items[0].definition.window
    items = tuple(item for item in items if item.definition.window == window and len(item.points) > 1)
    if not items:
        return None
    series = tuple(
        Series(
            name=_short(labels.of(item)),
            values=(100.0, *(round(float(left) * 100, 1) for left in remaining_over_time(item))),
        )
        for item in items
    )
    said = "; ".join(f"{labels.of(item)} ends at {formats.percent(item.figures.remaining)}" for item in items)
    at = items[0].evaluated_at
    calendar = window.period_end(at) is not None
    zone = formats.zone(window)
    last = (
        f"since {formats.day(window.span(at).start, zone)}" if calendar else f"last {formats.duration(window.length)}"
    )
    return Chart(
        form="line",
        title=f"Error budget left, {last}",
        alt=f"Burn-down of the error budget {'' if calendar else 'over the '}{last}, from 100%: {said}.",
        categories=_stamps((window.span(at).start, *(point.end for point in items[0].points)), zone),
        series=series,
        unit="%",
        threshold=0.0,
    )


def _bars(items: tuple[Objective, ...], labels: Labels) -> Chart:
    shown = items[:_MOST_BARS]
    left = [item.figures.remaining for item in shown]
    least = f"the least is {labels.of(shown[0])} with {formats.percent(left[0])}"
    return Chart(
        form="bar",
        title="Error budget left" if len(shown) == len(items) else f"Error budget left, lowest {len(shown)}",
        alt=f"What is left of each error budget; {least}.",
        categories=tuple(_short(labels.of(item)) for item in shown),
        series=(
            Series(
                name="left", values=tuple(None if share is None else round(float(share) * 100, 1) for share in left)
            ),
        ),
        unit="%",
        threshold=0.0,
    )


def _short(name: str) -> str:
    """Cut in the middle: names of one family differ at their end."""
    half = _LABEL // 2
    return name if len(name) <= _LABEL else f"{name[: half - 1]}…{name[-half:]}"


def _stamps(times: Sequence[datetime], zone: str) -> tuple[str, ...]:
    """As short as they can be and still differ: two points of one name would be one."""
    at = [time + timedelta(seconds=1) for time in times]  # hours end a moment before the full hour
    stamps = ([form(time, zone) for time in at] for form in (formats.day, formats.date, formats.hour))
    return tuple(
        next((found for found in stamps if len({*found}) == len(found)), [formats.moment(time) for time in at])
    )
