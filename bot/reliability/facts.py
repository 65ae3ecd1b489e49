"""Figures as facts, formatted and traceable to query and instant: the only way a figure reaches the model's words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

from bot.domain import Fact
from bot.reliability import formats
from bot.reliability.assessment import Assessment, Objective
from bot.reliability.definitions import ObjectiveDefinition
from bot.reliability.outlook import largest
from bot.reliability.wording import Labels, state_word

_MOST_DEPLOYS = 3
_Row = tuple[str, Fraction | None, str, str, str]  # text, value, unit, meaning, query's key


def facts(assessment: Assessment, start: int = 1, *, brief: bool = False) -> tuple[Fact, ...]:
    """Every figure that stands in the assessment, numbered `f<start>` onwards; what has no figure has no fact.

    `brief`: only the state, what is left, and when that ends or begins anew.
    """
    labels = Labels(assessment)
    found: list[Fact] = []
    for item in assessment.items:
        for text, value, unit, meaning, query in _main_rows(item) if brief else _rows(item):
            found.append(
                Fact(
                    id=f"f{start + len(found)}",
                    text=text,
                    value=None if value is None else float(value),
                    unit=unit,
                    entity=labels.of(item),
                    meaning=meaning,
                    query=_query(item, query),
                    evaluated_at=item.evaluated_at,
                )
            )
    return tuple(found)


def _main_rows(item: Objective) -> Iterator[_Row]:
    yield _state_row(item)
    yield from _left_row(item)
    yield from _forecast_rows(item)


def _rows(item: Objective) -> Iterator[_Row]:
    figures, over, counted = item.figures, _over(item), formats.counted(item.definition.slices)
    yield _state_row(item)
    yield (formats.target(item.target), Fraction(item.target), "share", f"objective {over}", "")
    yield from ((*row, "") for row in what_is_good(item.definition))
    yield from _left_row(item)
    if figures.consumed is not None:
        yield (formats.percent(figures.consumed), figures.consumed, "share", f"error budget used {over}", "both")
    if figures.spent_7d is not None:
        meaning = f"share of the {formats.briefly(item.definition.window)} error budget used in the last 7 days"
        yield (formats.percent(figures.spent_7d), figures.spent_7d, "share", meaning, "both")
    if figures.sli is not None:
        yield (formats.sli(figures.sli), figures.sli, "share", f"share of good {counted} {over}", "both")
    if figures.bad is not None:
        yield (formats.count(figures.bad), figures.bad, counted, f"bad {counted} {over}", "part")
    if figures.total is not None:
        yield (formats.count(figures.total), figures.total, counted, f"all {counted} {over}", "total")
    for name, rate in figures.burn.items():
        if rate is not None:
            meaning = f"burn rate of the last {name} (1× spends exactly the budget)"
            yield (formats.burn(rate), rate, "burn rate", meaning, "both")
    yield from _forecast_rows(item)
    yield from _incident_rows(item, counted)
    yield from _excluded_rows(item, over, counted)


def what_is_good(definition: ObjectiveDefinition) -> Iterator[tuple[str, Fraction, str, str]]:
    """Text, value, unit and meaning of what the target alone doesn't say: a latency's threshold, and time slices."""
    limit, slices = definition.indicator.threshold, definition.slices
    if limit is not None:
        meaning = "threshold: a good event is at most this"
        yield (formats.threshold(limit), Fraction(limit.seconds), limit.unit or "number", meaning)
    if slices is not None:
        yield (formats.duration(slices.length), _seconds(slices.length), "s", "length of the time slices counted")
        meaning = "share of good events from which on a slice is good"
        yield (formats.target(slices.target), Fraction(slices.target), "share", meaning)


def _state_row(item: Objective) -> _Row:
    return (state_word(item), None, "state", f"state of the error budget {_over(item)}", "both")


def _left_row(item: Objective) -> Iterator[_Row]:
    remaining = item.figures.remaining
    if remaining is not None:
        yield (formats.percent(remaining), remaining, "share", f"error budget left {_over(item)}", "both")


def _over(item: Objective) -> str:
    """`over 28d`; of a calendar period also since when: `this month since Sun 1 Nov 2026 00:00 Europe/Berlin`."""
    window = item.definition.window
    if window.period_end(item.evaluated_at) is None:
        return f"over {item.window}"
    since = formats.moment(window.span(item.evaluated_at).start, formats.zone(window))
    return f"{formats.period(window)} since {since}"


def _forecast_rows(item: Objective) -> Iterator[_Row]:
    forecast, window = item.forecast, item.definition.window
    if forecast is None:
        return
    if forecast.exhausts_at is not None:
        meaning = "estimate: when the error budget is gone if the last 7 days' burn goes on"
        yield (formats.moment(forecast.exhausts_at), None, "time", meaning, "both")
    if forecast.recovers_at is not None:
        meaning = "estimate: when the error budget is above zero again if the last 7 days' burn goes on"
        if window.period_end(item.evaluated_at) is not None:
            meaning = "when the next period and its error budget begin"
        yield (formats.moment(forecast.recovers_at, formats.zone(window)), None, "time", meaning, "both")
    if forecast.relief is not None:
        meaning = "when an old burn has left the window, which is no improvement"
        yield (formats.moment(forecast.relief.at), None, "time", meaning, "both")
        meaning = "share of the error budget by which it looks better then"
        yield (formats.percent(forecast.relief.share), forecast.relief.share, "share", meaning, "both")


def _incident_rows(item: Objective, counted: str) -> Iterator[_Row]:
    for number, incident in enumerate(largest(item.incidents), 1):
        name = f"burn {number}, one of the largest {_over(item)}"
        yield (formats.stretch(incident.span), None, "time", f"{name}: when it was", "both")
        length = incident.span.length
        yield (formats.duration(length), _seconds(length), "s", f"{name}: how long it was", "both")
        yield (formats.percent(incident.share), incident.share, "share", f"{name}: error budget it cost", "both")
        yield (formats.count(incident.bad), incident.bad, counted, f"{name}: bad {counted}", "part")
        for deploy in incident.deploys[:_MOST_DEPLOYS]:
            meaning = f"{name}: a deploy of {deploy.service} that coincides with it"
            yield (formats.moment(deploy.at), None, "time", meaning, "")


def _excluded_rows(item: Objective, over: str, counted: str) -> Iterator[_Row]:
    taken = item.excluded
    if taken is None:
        return
    times, length = formats.number(taken.times, "time"), formats.duration(taken.length)
    yield (times, Fraction(taken.times), "times", f"left out by exclusions {over}: how often", "")
    yield (length, _seconds(taken.length), "s", f"left out by exclusions {over}: how long in all", "")
    if taken.total is not None:
        yield (formats.count(taken.total), taken.total, counted, f"left out by exclusions {over}: all {counted}", "")
    if taken.bad is not None:
        yield (formats.count(taken.bad), taken.bad, counted, f"left out by exclusions {over}: bad {counted}", "")


def _seconds(length: timedelta) -> Fraction:
    return Fraction(length // timedelta(seconds=1))


def _query(item: Objective, key: str) -> str:
    total = item.queries.get("total", "")
    part = next((text for name, text in item.queries.items() if name != "total"), "")
    return {"total": total, "part": part, "both": f"{part} / {total}" if part else total}.get(key, "")
