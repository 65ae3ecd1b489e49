"""Figures as facts, formatted and traceable to query and instant: the only way a figure reaches the model's words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

from bot.domain import Fact
from bot.reliability import formats
from bot.reliability.assessment import Assessment, Objective
from bot.reliability.outlook import largest
from bot.reliability.wording import Labels, state_word

_MOST_DEPLOYS = 3
_Row = tuple[str, Fraction | None, str, str, str]  # text, value, unit, meaning, query's key


def facts(assessment: Assessment, start: int = 1) -> tuple[Fact, ...]:
    """Every figure that stands in the assessment, numbered `f<start>` onwards; what has no figure has no fact."""
    labels = Labels(assessment)
    found: list[Fact] = []
    for item in assessment.items:
        for text, value, unit, meaning, query in _rows(item):
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


def _rows(item: Objective) -> Iterator[_Row]:
    figures, window = item.figures, item.window
    yield (state_word(item), None, "state", f"state of the error budget over {window}", "both")
    yield (formats.target(item.target), Fraction(item.target), "share", f"objective over {window}", "")
    if figures.remaining is not None:
        yield (
            formats.percent(figures.remaining),
            figures.remaining,
            "share",
            f"error budget left over {window}",
            "both",
        )
    if figures.consumed is not None:
        yield (formats.percent(figures.consumed), figures.consumed, "share", f"error budget used over {window}", "both")
    if figures.spent_7d is not None:
        meaning = f"share of the {window} error budget used in the last 7 days"
        yield (formats.percent(figures.spent_7d), figures.spent_7d, "share", meaning, "both")
    if figures.sli is not None:
        yield (formats.sli(figures.sli), figures.sli, "share", f"share of good events over {window}", "both")
    if figures.bad is not None:
        yield (formats.count(figures.bad), figures.bad, "events", f"bad events over {window}", "part")
    if figures.total is not None:
        yield (formats.count(figures.total), figures.total, "events", f"all events over {window}", "total")
    for name, rate in figures.burn.items():
        if rate is not None:
            yield (
                formats.burn(rate),
                rate,
                "burn rate",
                f"burn rate of the last {name} (1× spends exactly the budget)",
                "both",
            )

    yield from _forecast_rows(item)
    yield from _incident_rows(item)
    if item.excluded is not None:
        times, length = formats.number(item.excluded.times, "time"), formats.duration(item.excluded.length)
        yield (times, Fraction(item.excluded.times), "times", f"left out of {window} by exclusions: how often", "")
        yield (length, _seconds(item.excluded.length), "s", f"left out of {window} by exclusions: how long in all", "")


def _forecast_rows(item: Objective) -> Iterator[_Row]:
    forecast = item.forecast
    if forecast is None:
        return
    if forecast.exhausts_at is not None:
        meaning = "estimate: when the error budget is gone at the last 7 days' burn"
        yield (formats.moment(forecast.exhausts_at), None, "time", meaning, "both")
    if forecast.recovers_at is not None:
        meaning = "estimate: when the error budget is above zero again at the last 7 days' burn"
        yield (formats.moment(forecast.recovers_at), None, "time", meaning, "both")
    if forecast.relief is not None:
        meaning = "when an old burn has left the window, which is no improvement"
        yield (formats.moment(forecast.relief.at), None, "time", meaning, "both")
        meaning = "share of the error budget by which it looks better then"
        yield (formats.percent(forecast.relief.share), forecast.relief.share, "share", meaning, "both")


def _incident_rows(item: Objective) -> Iterator[_Row]:
    for number, incident in enumerate(largest(item.incidents), 1):
        name = f"burn {number}, one of the largest of {item.window}"
        yield (formats.stretch(incident.span), None, "time", f"{name}: when it was", "both")
        yield (formats.percent(incident.share), incident.share, "share", f"{name}: error budget it cost", "both")
        yield (formats.count(incident.bad), incident.bad, "events", f"{name}: bad events", "part")
        for deploy in incident.deploys[:_MOST_DEPLOYS]:
            meaning = f"{name}: a deploy of {deploy.service} that coincides with it"
            yield (formats.moment(deploy.at), None, "time", meaning, "")


def _seconds(length: timedelta) -> Fraction:
    return Fraction(length // timedelta(seconds=1))


def _query(item: Objective, key: str) -> str:
    total = item.queries.get("total", "")
    part = next((text for name, text in item.queries.items() if name != "total"), "")
    return {"total": total, "part": part, "both": f"{part} / {total}" if part else total}.get(key, "")
