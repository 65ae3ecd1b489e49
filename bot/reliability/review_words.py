"""What the replies say of an assessment in words: headline, decision, the quality of the data."""

from __future__ import annotations

from bot.domain import Part, Text
from bot.reliability import formats
from bot.reliability.assessment import JUDGED, MISSING, Assessment, Objective, State
from bot.reliability.outlook import forecast_sentence, incident_words, largest
from bot.reliability.wording import Labels, counts, in_markdown, marked, state_word

_NAMED = 12
_UNJUDGED = frozenset(State) - JUDGED - MISSING
_MISMEASURED = frozenset({"hours_disagree", "hidden_first_sample"})
_OWN_REMARK = {
    State.LOW_VOLUME: "low_volume",
    State.STALE: "stale_since",
    State.PARTIAL: "partial_history",
}  # the sentence says it already


def headline(assessment: Assessment, labels: Labels, *, explained: bool = False) -> str:
    """Counts by state in one sentence, the worst named. `explained`: each objective's own sentence follows anyway."""
    total = len(assessment.items)
    spent, risky = assessment.in_state(State.EXHAUSTED), assessment.in_state(State.AT_RISK)
    unknown = assessment.in_state(*MISSING)
    if len(unknown) == total:
        reason = f" {in_markdown(unknown[0].sentence)}" if one_reason(assessment) and not explained else ""
        if total == 1:
            return f"**{labels.said(unknown[0])}**: {state_word(unknown[0])}.{reason}"
        return f"**Nothing could be judged**: {counts(assessment)}.{reason}"
    if len(assessment.in_state(State.OK)) == total:
        return _all_within(assessment, labels)
    pieces = []
    if spent:
        verb = "has" if len(spent) == 1 else "have"
        pieces.append(f"**{labels.listed(by_remaining(spent), most=3)}** {verb} no error budget left")
    if risky:
        verb = "is" if len(risky) == 1 else "are"
        pieces.append(f"**{labels.listed(by_remaining(risky), most=3)}** {verb} at risk")
    said = f"{'; '.join(pieces)}. " if pieces else ""
    if total == 1:
        item = assessment.items[0]
        return said.strip() or f"**{labels.said(item)}**: {state_word(item)}."
    return f"{said}{formats.number(total, 'objective')}: {counts(assessment)}."


def _all_within(assessment: Assessment, labels: Labels) -> str:
    total, doubted = len(assessment.items), tuple(item for item in assessment.items if item.in_doubt)
    if total == 1:
        return f"**The objective is within its error budget{', but in doubt' if doubted else ''}.**"
    if doubted:
        verb = "is" if len(doubted) == 1 else "are"
        named = f"**{labels.listed(doubted, most=3)}** {verb} in doubt"
        return f"All {total:,} objectives are within their error budgets by their figures; {named}."
    return f"**All {total:,} objectives are within their error budgets.**"


def decision(assessment: Assessment, labels: Labels) -> str:
    spent, risky = (
        by_remaining(assessment.in_state(State.EXHAUSTED)),
        by_remaining(assessment.in_state(State.AT_RISK)),
    )
    unknown = tuple(item for item in assessment.items if item.state in MISSING or _is_mismeasured(item))
    if spent:
        held = labels.listed(spent)
        asked = f"hold feature releases of {held} until the budget recovers, or record an exception with an owner."
    elif risky:
        asked = f"put reliability work before features for {labels.listed(risky)} until the burn slows."
    elif unknown:
        whose = "" if one_reason(assessment) else f" of {labels.listed(unknown)}"
        asked = f"who repairs the measurement{whose}?"
    else:
        return "*No decision is needed this week.*"
    return f"*Decision asked for:* {asked}"


def _is_mismeasured(item: Objective) -> bool:
    """In doubt for more than a bad query that never matched, which is what a faultless service looks like, too."""
    return item.in_doubt and any(remark.code in _MISMEASURED for remark in item.remarks)


def within_budget(items: tuple[Objective, ...], labels: Labels) -> str:
    """One line for what is in order. What only seems so stands apart, with its reasons under the data's quality."""
    doubted = tuple(item for item in items if item.in_doubt)
    sure = tuple(item for item in items if not item.in_doubt)
    said = [_within(sure, labels)] if sure else []
    if doubted:
        said.append(f"Within budget by the figures, but in doubt: {labels.listed(doubted, most=_NAMED)}.")
    return " ".join(said)


def _within(items: tuple[Objective, ...], labels: Labels) -> str:
    lowest = min((item.figures.remaining for item in items if item.figures.remaining is not None), default=None)
    least = "with" if len(items) == 1 else "each with at least"
    left = "" if lowest is None else f", {least} {formats.percent(lowest)} left"
    return f"Within budget{left}: {labels.listed(items, most=_NAMED)}."


def and_more(items: tuple[Objective, ...], labels: Labels) -> str:
    return f"And {formats.number(len(items), 'more objective')}: {labels.listed(items, most=_NAMED)}."


def data_quality(assessment: Assessment, labels: Labels, *, most: int) -> tuple[Part, ...]:
    """What the figures can't say, in so many lines: failed queries, missing samples, small numbers."""
    if one_reason(assessment):
        return ()
    items = [item for item in assessment.worst_first() if item.state in MISSING | _UNJUDGED]
    by_sentence: dict[tuple[State, str], list[Objective]] = {}
    for item in items:
        by_sentence.setdefault((item.state, item.sentence), []).append(item)
    told = [
        (tuple(group), f"{labels.listed(tuple(group), most=3)}: {in_markdown(sentence)}")
        for (_, sentence), group in by_sentence.items()
    ]
    by_remarks: dict[tuple[str, ...], list[Objective]] = {}
    for item in sorted(assessment.items, key=lambda item: not item.in_doubt):
        remarks = tuple(remark.text for remark in item.remarks if remark.code != "excluded_windows")
        if item.state in JUDGED and remarks:
            by_remarks.setdefault(remarks, []).append(item)
    told += [
        (tuple(group), f"{labels.listed(tuple(group), most=3)}: {in_markdown('; '.join(remarks))}.")
        for remarks, group in by_remarks.items()
    ]
    lines = [f"- {line}" for _, line in told[:most]]
    untold = tuple(item for group, _ in told[most:] for item in group)
    if untold:
        lines.append(f"- {formats.number(len(untold), 'more objective')}: {labels.listed(untold)}.")
    return (Text(markdown="\n".join(("**Data quality**", *lines))),) if lines else ()


def one_reason(assessment: Assessment) -> bool:
    """Whether nothing could be judged, for one and the same reason: then the headline says it all."""
    missing = all(item.state in MISSING for item in assessment.items)
    return missing and len({item.sentence for item in assessment.items}) == 1


def sentences(item: Objective) -> str:
    own = _OWN_REMARK.get(item.state)
    told = (remark.text.rstrip(".") for remark in item.remarks if remark.code != own)
    notes = "".join(f" {in_markdown(f'{text[:1].upper()}{text[1:]}')}." for text in told)
    forecast = forecast_sentence(item)
    return f"{in_markdown(item.sentence)}{f' {forecast}' if forecast else ''}{notes}"


def summary(title: str, assessment: Assessment, labels: Labels) -> str:
    spent = assessment.in_state(State.EXHAUSTED)
    named = f" ({formats.listing(list(map(labels.of, by_remaining(spent))), most=3)} exhausted)" if spent else ""
    return f"{title}: {counts(assessment)}{named}"


def by_remaining(items: tuple[Objective, ...]) -> tuple[Objective, ...]:
    return tuple(sorted(items, key=lambda item: (item.figures.remaining or 0, item.definition.key)))


def explanation(item: Objective, labels: Labels) -> str:
    label = labels.of(item)
    burns = " · ".join(f"{name} {formats.burn(rate)}" for name, rate in item.figures.burn.items() if rate is not None)
    lines = [
        f"**{labels.said(item)}** {marked(item)}" + ("" if item.slo in label else f" · {in_markdown(item.slo)}"),
        sentences(item),
        f"Target {formats.promise(item.definition)} over {formats.written(item.definition.window)}"
        + (f" · burn {burns}" if burns else ""),
    ]
    lines += [f"Burned {incident_words(incident, item)}" for incident in largest(item.incidents)]
    queries = "\n".join(f"{name}: {query}" for name, query in item.queries.items())
    code = f"\n```\n{queries}\n```" if queries else ""
    return "\n".join(f"{line}  " for line in lines).rstrip() + code
