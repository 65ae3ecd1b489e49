"""What people read: the status, the daily digest and the weekly review, made from one assessment and nothing else."""

from __future__ import annotations

import math
from datetime import timedelta

from bot.domain import Heading, Note, Part, Reply, Table, Text
from bot.reliability import formats
from bot.reliability.assessment import Assessment, Objective, State
from bot.reliability.burndown import budget_chart
from bot.reliability.outlook import burned, left_out, outlook
from bot.reliability.review_words import (
    and_more,
    data_quality,
    decision,
    explanation,
    headline,
    one_reason,
    sentences,
    summary,
    within_budget,
)
from bot.reliability.wording import Labels, marked, measured_by

_STATUS_ROWS = 20
_DIGEST_ROWS = 8
_REVIEW_ROWS = 12
_TABLE_ROWS = 99  # and a header: what one message's table takes
_EXPLAINED = 25
_EXPLAINED_IN_STATUS = 5
_QUALITY_LINES = 12
_BURNS = 5
_FORECASTS = 5
_NOTHING = "No objectives are defined yet. Put OpenSLO files into a folder and set DIRECTOR_SLOS to it."


def status_reply(assessment: Assessment) -> Reply:
    """One screen: every objective asked for, worst first; a few of them with their sentence."""
    if not assessment.items:
        return _empty("Error budgets", assessment)
    labels = Labels(assessment)
    items = assessment.worst_first()
    rows = tuple(
        (labels.of(item), marked(item), _left(item), *_burns(item, "1h", "24h", "7d")) for item in items[:_STATUS_ROWS]
    )
    columns = ("Objective", "State", "Budget left", "Burn 1h", "24h", "7d")
    in_full = bool(assessment.asked) and len(items) <= _EXPLAINED_IN_STATUS
    in_sentences = len(items) == 1 or (len(items) <= 3 and not one_reason(assessment))
    parts: list[Part] = [Text(markdown=headline(assessment, labels, explained=in_full or in_sentences))]
    if len(items) == 1 or not one_reason(assessment):
        parts.append(Table(columns=columns, rows=rows, numeric=(2, 3, 4, 5)))
    if len(items) > _STATUS_ROWS and not one_reason(assessment):
        parts.append(Note(markdown=and_more(items[_STATUS_ROWS:], labels)))
    if in_full:
        parts += _explained(items, labels)
    elif in_sentences:
        parts += [Text(markdown=f"**{labels.said(item)}**: {sentences(item)}") for item in items]
    else:
        parts += data_quality(assessment, labels, most=5)
    parts.append(_small_print(assessment))
    return Reply(summary=summary("Error budgets", assessment, labels), parts=tuple(parts))


def digest_reply(assessment: Assessment, *, remark: str = "") -> Reply:
    """One screen on a phone: what is not in order, and one line for the rest. `remark` stands first (a late run)."""
    title = "Error-budget digest"
    if not assessment.items:
        return _empty(title, assessment)
    labels = Labels(assessment)
    bad, good = _split(assessment)
    parts: list[Part] = [Heading(text=f"{title} · {formats.day(assessment.at)}")]
    parts += [Note(markdown=remark)] if remark else []
    parts.append(Text(markdown=headline(assessment, labels)))
    if bad and not one_reason(assessment):
        rows = tuple((labels.of(item), marked(item), _left(item)) for item in bad[:_DIGEST_ROWS])
        parts.append(Table(columns=("Objective", "State", "Budget left"), rows=rows, numeric=(2,)))
    if len(bad) > _DIGEST_ROWS and not one_reason(assessment):
        parts.append(Note(markdown=and_more(bad[_DIGEST_ROWS:], labels)))
    if good:
        parts.append(Text(markdown=within_budget(good, labels)))
    parts += burned(assessment, labels, most=3, within=timedelta(days=1))
    parts += left_out(assessment, labels, most=2)
    parts += data_quality(assessment, labels, most=3)
    parts.append(_small_print(assessment))
    return Reply(summary=summary(title, assessment, labels), parts=tuple(parts), detail=_explained(bad, labels))


def review_reply(assessment: Assessment, *, remark: str = "") -> Reply:
    """The weekly review: headline and the decision asked for, what moved, a chart, the quality of the data."""
    title = "Weekly reliability review"
    if not assessment.items:
        return _empty(title, assessment)
    labels = Labels(assessment)
    shown, fine = _movers(assessment)
    parts: list[Part] = [Heading(text=f"{title} · {formats.day(assessment.at)} {assessment.at.year}")]
    parts += [Note(markdown=remark)] if remark else []
    parts.append(Text(markdown=f"{headline(assessment, labels)}\n\n{decision(assessment, labels)}"))
    if shown and not one_reason(assessment):
        rows = tuple(_review_row(item, labels) for item in shown[:_REVIEW_ROWS])
        columns = ("Objective", "State", "Budget left", "Used in 7d", "Burn 24h")
        parts.append(Table(columns=columns, rows=rows, numeric=(2, 3, 4)))
    if len(shown) > _REVIEW_ROWS and not one_reason(assessment):
        parts.append(Note(markdown=and_more(shown[_REVIEW_ROWS:], labels)))
    if fine:
        parts.append(Text(markdown=within_budget(fine, labels)))
    chart = budget_chart(assessment, labels)
    if chart is not None:
        parts.append(chart)
    parts += burned(assessment, labels, most=_BURNS)
    parts += outlook(assessment, labels, most=_FORECASTS)
    parts += left_out(assessment, labels, most=_FORECASTS)
    parts += data_quality(assessment, labels, most=_QUALITY_LINES)
    parts.append(_small_print(assessment))
    items = assessment.worst_first()
    detail = (*_whole_table(items, labels), *_explained(items, labels))
    return Reply(summary=summary(title, assessment, labels), parts=tuple(parts), detail=detail)


def _small_print(assessment: Assessment) -> Note:
    said = [measured_by(assessment)]
    for kind, is_one in (("Rolling", False), ("Calendar", True)):
        windows = {item.definition.window for item in assessment.items}
        alike = {
            (one.length, formats.briefly(one))
            for one in windows
            if (one.period_end(assessment.at) is not None) is is_one
        }
        if alike:
            name = f"{kind} window{'' if len(alike) == 1 else 's'}"
            said.append(f"{name}: {formats.listing([label for _, label in sorted(alike)], most=3)}")
    return Note(markdown=f"{'. '.join(said)}.")


def _empty(title: str, assessment: Assessment) -> Reply:
    text = f"No objective is defined for {formats.listing(assessment.asked)}." if assessment.asked else _NOTHING
    return Reply(summary=f"{title}: nothing to report", parts=(Text(markdown=text),))


# --- rows and detail ---


def _review_row(item: Objective, labels: Labels) -> tuple[str, ...]:
    return (
        labels.of(item),
        marked(item),
        _left(item),
        formats.percent(item.figures.spent_7d),
        *_burns(item, "24h"),
    )


def _burns(item: Objective, *windows: str) -> tuple[str, ...]:
    return tuple(formats.burn(item.figures.burn.get(window)) for window in windows)


def _left(item: Objective) -> str:
    """What remains; where too little was counted to judge, the count instead of a frightening percentage."""
    if item.state is State.LOW_VOLUME:
        return f"{formats.count(item.figures.bad)} of {formats.count(item.figures.total)} bad"
    return formats.percent(item.figures.remaining)


def _whole_table(items: tuple[Objective, ...], labels: Labels) -> tuple[Table, ...]:
    """Every objective's figures, in tables that a message takes."""
    columns = ("Objective", "State", "Target", "SLI", "Bad events", "All events", "Budget left", "Burn 7d")
    rows = [
        (
            labels.of(item),
            marked(item),
            f"{formats.target(item.target)} / {formats.briefly(item.definition.window)}",
            formats.sli(item.figures.sli),
            formats.count(item.figures.bad),
            formats.count(item.figures.total),
            formats.percent(item.figures.remaining),
            *_burns(item, "7d"),
        )
        for item in items
    ]
    size = math.ceil(len(rows) / math.ceil(len(rows) / _TABLE_ROWS))  # tables of like length
    return tuple(
        Table(
            columns=columns,
            rows=tuple(rows[start : start + size]),
            numeric=(2, 3, 4, 5, 6, 7),
            caption="All objectives",
        )
        for start in range(0, len(rows), size)
    )


def _explained(items: tuple[Objective, ...], labels: Labels) -> tuple[Part, ...]:
    """Each objective's sentence, notes and queries, worst first."""
    parts: list[Part] = [Text(markdown=explanation(item, labels)) for item in items[:_EXPLAINED]]
    if len(items) > _EXPLAINED:
        more = formats.number(len(items) - _EXPLAINED, "more objective")
        parts.append(Note(markdown=f"{more}: ask for the status of a service to see its queries."))
    return tuple(parts)


# --- order ---


def _split(assessment: Assessment) -> tuple[tuple[Objective, ...], tuple[Objective, ...]]:
    items = assessment.worst_first()
    return (
        tuple(item for item in items if item.state is not State.OK),
        tuple(item for item in items if item.state is State.OK),
    )


def _movers(assessment: Assessment) -> tuple[tuple[Objective, ...], tuple[Objective, ...]]:
    """What is not in order or burned faster than its budget allows this week; and the rest."""
    items = assessment.worst_first()
    return tuple(filter(_moves, items)), tuple(item for item in items if not _moves(item))


def _moves(item: Objective) -> bool:
    rate = item.figures.burn.get("7d")
    return item.state is not State.OK or (rate is not None and rate > 1)
