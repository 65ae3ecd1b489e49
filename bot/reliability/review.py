"""What people read: the status, the daily digest and the weekly review, made from one assessment and nothing else."""

from __future__ import annotations

import math

from bot.domain import Heading, Note, Part, Reply, Table, Text
from bot.reliability import formats
from bot.reliability.assessment import JUDGED, MISSING, Assessment, Objective, State
from bot.reliability.burndown import budget_chart
from bot.reliability.wording import Labels, counts, marked, measured_by

_STATUS_ROWS = 20
_DIGEST_ROWS = 8
_REVIEW_ROWS = 12
_TABLE_ROWS = 99  # and a header: what one message's table takes
_EXPLAINED = 25
_NAMED = 12
_UNJUDGED = frozenset(State) - JUDGED - MISSING
_NOTHING = "No objectives are defined yet. Put OpenSLO files into a folder and set DIRECTOR_SLOS to it."


def status_reply(assessment: Assessment) -> Reply:
    """One screen: every objective asked for, worst first; a few of them with their sentence."""
    if not assessment.items:
        return _empty("Error budgets", assessment)
    labels = Labels(assessment)
    items = assessment.worst_first()
    rows = tuple(
        (labels.of(item), marked(item.state), formats.percent(item.figures.remaining), *_burns(item, "1h", "24h", "7d"))
        for item in items[:_STATUS_ROWS]
    )
    columns = ("Objective", "State", "Budget left", "Burn 1h", "24h", "7d")
    parts: list[Part] = [
        Text(markdown=_headline(assessment, labels)),
        Table(columns=columns, rows=rows, numeric=(2, 3, 4, 5)),
    ]
    if len(items) > _STATUS_ROWS:
        parts.append(Note(markdown=_rest(items[_STATUS_ROWS:], labels)))
    if len(items) <= 3:  # few enough to say each in a sentence
        parts += [Text(markdown=f"**{labels.of(item)}**: {_said(item)}") for item in items]
    else:
        parts += _quality(assessment, labels, most=5)
    parts.append(_small_print(assessment))
    explained = _explained(items, labels) if assessment.asked else ()
    return Reply(summary=_summary("Error budgets", assessment, labels), parts=tuple(parts), detail=explained)


def digest_reply(assessment: Assessment, *, remark: str = "") -> Reply:
    """One screen on a phone: what is not in order, and one line for the rest. `remark` stands first (a late run)."""
    title = "Error-budget digest"
    if not assessment.items:
        return _empty(title, assessment)
    labels = Labels(assessment)
    bad, good = _split(assessment)
    parts: list[Part] = [Heading(text=f"{title} · {formats.day(assessment.at)}")]
    parts += [Note(markdown=remark)] if remark else []
    parts.append(Text(markdown=_headline(assessment, labels)))
    if bad and not _one_reason(assessment):
        rows = tuple((labels.of(item), marked(item.state), _left(item)) for item in bad[:_DIGEST_ROWS])
        parts.append(Table(columns=("Objective", "State", "Budget left"), rows=rows, numeric=(2,)))
    if len(bad) > _DIGEST_ROWS:
        parts.append(Note(markdown=_rest(bad[_DIGEST_ROWS:], labels)))
    if good:
        parts.append(Text(markdown=_fine(good, labels)))
    parts += _quality(assessment, labels, most=3)
    parts.append(_small_print(assessment))
    return Reply(summary=_summary(title, assessment, labels), parts=tuple(parts), detail=_explained(bad, labels))


def review_reply(assessment: Assessment, *, remark: str = "") -> Reply:
    """The weekly review: headline and the decision asked for, what moved, a chart, the quality of the data."""
    title = "Weekly reliability review"
    if not assessment.items:
        return _empty(title, assessment)
    labels = Labels(assessment)
    shown, fine = _movers(assessment)
    parts: list[Part] = [Heading(text=f"{title} · {formats.day(assessment.at)} {assessment.at.year}")]
    parts += [Note(markdown=remark)] if remark else []
    parts.append(Text(markdown=f"{_headline(assessment, labels)}\n\n{_decision(assessment, labels)}"))
    if shown and not _one_reason(assessment):
        rows = tuple(_review_row(item, labels) for item in shown[:_REVIEW_ROWS])
        columns = ("Objective", "State", "Budget left", "Used in 7d", "Burn 24h")
        parts.append(Table(columns=columns, rows=rows, numeric=(2, 3, 4)))
    if len(shown) > _REVIEW_ROWS:
        parts.append(Note(markdown=_rest(shown[_REVIEW_ROWS:], labels)))
    if fine:
        parts.append(Text(markdown=_fine(fine, labels)))
    chart = budget_chart(assessment, labels)
    if chart is not None:
        parts.append(chart)
    parts += _quality(assessment, labels, most=_NAMED)
    parts.append(_small_print(assessment))
    items = assessment.worst_first()
    detail = (*_whole_table(items, labels), *_explained(items, labels))
    return Reply(summary=_summary(title, assessment, labels), parts=tuple(parts), detail=detail)


# --- what is said ---


def _headline(assessment: Assessment, labels: Labels) -> str:
    """Counts by state in one sentence, the worst named."""
    total = len(assessment.items)
    spent, risky = assessment.in_state(State.EXHAUSTED), assessment.in_state(State.AT_RISK)
    unknown = assessment.in_state(*MISSING)
    if len(unknown) == total:
        reason = f" {unknown[0].sentence}" if _one_reason(assessment) else ""
        return f"**Nothing could be judged**: {counts(assessment)}.{reason}"
    if len(assessment.in_state(State.OK)) == total:
        return (
            "**The objective is within its error budget.**"
            if total == 1
            else f"**All {total:,} objectives are within their error budgets.**"
        )
    pieces = []
    if spent:
        verb = "has" if len(spent) == 1 else "have"
        pieces.append(f"**{labels.listed(_by_remaining(spent), most=3)}** {verb} no error budget left")
    if risky:
        verb = "is" if len(risky) == 1 else "are"
        pieces.append(f"**{labels.listed(_by_remaining(risky), most=3)}** {verb} at risk")
    said = "; ".join(pieces)
    return (
        f"{said}. {formats.number(total, 'objective')}: {counts(assessment)}."
        if said
        else f"{formats.number(total, 'objective')}: {counts(assessment)}."
    )


def _decision(assessment: Assessment, labels: Labels) -> str:
    spent, risky = (
        _by_remaining(assessment.in_state(State.EXHAUSTED)),
        _by_remaining(assessment.in_state(State.AT_RISK)),
    )
    unknown = assessment.in_state(*MISSING)
    if spent:
        held = labels.listed(spent)
        asked = f"hold feature releases of {held} until the budget recovers, or record an exception with an owner."
    elif risky:
        asked = f"put reliability work before features for {labels.listed(risky)} until the burn slows."
    elif unknown:
        asked = f"who repairs the measurement of {labels.listed(unknown)}?"
    else:
        return "*No decision is needed this week.*"
    return f"*Decision asked for:* {asked}"


def _fine(items: tuple[Objective, ...], labels: Labels) -> str:
    lowest = min((item.figures.remaining for item in items if item.figures.remaining is not None), default=None)
    least = "with" if len(items) == 1 else "each with at least"
    left = "" if lowest is None else f", {least} {formats.percent(lowest)} left"
    return f"Within budget{left}: {labels.listed(items, most=_NAMED)}."


def _rest(items: tuple[Objective, ...], labels: Labels) -> str:
    return f"And {formats.number(len(items), 'more objective')}: {labels.listed(items, most=_NAMED)}."


def _quality(assessment: Assessment, labels: Labels, *, most: int) -> tuple[Part, ...]:
    """What the figures can't say, in so many lines: failed queries, missing samples, small numbers."""
    if _one_reason(assessment):
        return ()
    items = [item for item in assessment.worst_first() if item.state in MISSING | _UNJUDGED]
    by_sentence: dict[tuple[State, str], list[Objective]] = {}
    for item in items:
        by_sentence.setdefault((item.state, item.sentence), []).append(item)
    lines = [f"- {labels.listed(tuple(group), most=3)}: {sentence}" for (_, sentence), group in by_sentence.items()]
    lines += [
        f"- {labels.of(item)}: {'; '.join(remark.text for remark in item.remarks)}."
        for item in assessment.items
        if item.state in JUDGED and item.remarks
    ]
    if len(lines) > most:
        lines[most:] = [f"- {len(lines) - most:,} more in the thread."]
    return (Text(markdown="\n".join(("**Data quality**", *lines))),) if lines else ()


def _one_reason(assessment: Assessment) -> bool:
    """Whether nothing could be judged, for one and the same reason: then the headline says it all."""
    missing = all(item.state in MISSING for item in assessment.items)
    return missing and len({item.sentence for item in assessment.items}) == 1


def _said(item: Objective) -> str:
    notes = "".join(f" {remark.text[:1].upper()}{remark.text[1:].rstrip('.')}." for remark in item.remarks)
    return f"{item.sentence}{notes}"


def _summary(title: str, assessment: Assessment, labels: Labels) -> str:
    spent = assessment.in_state(State.EXHAUSTED)
    named = f" ({labels.listed(_by_remaining(spent), most=3)} exhausted)" if spent else ""
    return f"{title}: {counts(assessment)}{named}"


def _small_print(assessment: Assessment) -> Note:
    windows = dict(sorted({(item.definition.window.length, item.window) for item in assessment.items}))
    name = "Rolling window" if len(windows) == 1 else "Rolling windows"
    return Note(markdown=f"{measured_by(assessment)}. {name}: {formats.listing(tuple(windows.values()), most=3)}.")


def _empty(title: str, assessment: Assessment) -> Reply:
    text = f"No objective is defined for {formats.listing(assessment.asked)}." if assessment.asked else _NOTHING
    return Reply(summary=f"{title}: nothing to report", parts=(Text(markdown=text),))


# --- rows and detail ---


def _review_row(item: Objective, labels: Labels) -> tuple[str, ...]:
    return (
        labels.of(item),
        marked(item.state),
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
            marked(item.state),
            f"{formats.target(item.target)} / {item.window}",
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
    parts: list[Part] = [Text(markdown=_explanation(item, labels)) for item in items[:_EXPLAINED]]
    if len(items) > _EXPLAINED:
        more = formats.number(len(items) - _EXPLAINED, "more objective")
        parts.append(Note(markdown=f"{more}: ask for the status of a service to see its queries."))
    return tuple(parts)


def _explanation(item: Objective, labels: Labels) -> str:
    burns = " · ".join(f"{name} {formats.burn(rate)}" for name, rate in item.figures.burn.items() if rate is not None)
    lines = [
        f"**{labels.of(item)}** {marked(item.state)} · {item.entity}",
        _said(item),
        f"Target {formats.target(item.target)} over {item.window}" + (f" · burn {burns}" if burns else ""),
    ]
    queries = "\n".join(f"{name}: {query}" for name, query in item.queries.items())
    code = f"\n```\n{queries}\n```" if queries else ""
    return "\n".join(f"{line}  " for line in lines).rstrip() + code


# --- order ---


def _by_remaining(items: tuple[Objective, ...]) -> tuple[Objective, ...]:
    return tuple(sorted(items, key=lambda item: (item.figures.remaining or 0, item.definition.key)))


def _split(assessment: Assessment) -> tuple[tuple[Objective, ...], tuple[Objective, ...]]:
    items = assessment.worst_first()
    return (
        tuple(item for item in items if item.state is not State.OK),
        tuple(item for item in items if item.state is State.OK),
    )


def _movers(assessment: Assessment) -> tuple[tuple[Objective, ...], tuple[Objective, ...]]:
    """What is not in order or burned faster than its budget allows this week; and the rest."""
    items = assessment.worst_first()
    moving = tuple(item for item in items if item.state is not State.OK or (item.figures.burn.get("7d") or 0) > 1)
    return moving, tuple(item for item in items if item not in moving)
