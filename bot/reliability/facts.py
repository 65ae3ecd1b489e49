"""Figures as facts, formatted and traceable to query and instant: the only way a figure reaches the model's words."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from bot.domain import Fact
from bot.reliability import formats
from bot.reliability.assessment import Assessment, Objective
from bot.reliability.wording import Labels, state_word

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


def _query(item: Objective, key: str) -> str:
    total = item.queries.get("total", "")
    part = next((text for name, text in item.queries.items() if name != "total"), "")
    return {"total": total, "part": part, "both": f"{part} / {total}" if part else total}.get(key, "")
