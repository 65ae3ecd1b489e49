"""From counted events to a judged objective: the contract's ten states in its order, and a plain sentence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from bot.reliability import budget, formats
from bot.reliability.assessment import JUDGED, Figures, Objective, Point, Remark, State
from bot.reliability.case import NO_BURN, Case
from bot.reliability.definitions import ObjectiveDefinition
from bot.reliability.exclusions import Exclusion, excluded
from bot.reliability.forecast import Course, Forecast, Recent, forecast
from bot.reliability.incidents import Incident, incidents
from bot.reliability.metrics import BURN_WINDOWS, Failed, Measured, Tally
from bot.reliability.remarks import is_doubted, remarks
from bot.reliability.verdict import judged
from bot.reliability.windows import Span, without

_MOST_POINTS = 15
_WITH_INCIDENTS = JUDGED | {State.PARTIAL, State.STALE}
_WEEK = BURN_WINDOWS["7d"]


def judge(
    definition: ObjectiveDefinition, answer: Measured | Failed, at: datetime, exclusions: Sequence[Exclusion] = ()
) -> Objective:
    """What this answer says of the promise. Pure: the same answer gives the same objective.

    `exclusions` are those of the promise's service, which the answer has taken out already.
    """
    if isinstance(answer, Failed):
        return _failed(definition, answer, at)
    case = Case(definition, answer, at, exclusions)
    state, sentence = state_of(case)
    figures = _figures(case, state)
    burns = _incidents(case, state)
    noted = remarks(case, state)
    return Objective(
        definition=definition,
        state=state,
        sentence=sentence,
        figures=figures,
        remarks=noted,
        method=answer.method,
        queries=answer.queries,
        source=answer.source,
        evaluated_at=at,
        points=points(case) if figures.total else (),
        forecast=_forecast(case, burns) if state in JUDGED else None,
        incidents=burns,
        excluded=case.taken_out,
        in_doubt=state is State.OK and is_doubted(case),
    )


def _failed(definition: ObjectiveDefinition, answer: Failed, at: datetime) -> Objective:
    possible = budget.is_possible(definition.target)
    return Objective(
        definition=definition,
        state=State.QUERY_FAILED if possible else State.INVALID_TARGET,
        sentence=answer.sentence if possible else _impossible(definition),
        figures=Figures(burn=NO_BURN),
        remarks=() if possible else (Remark("query_failed", answer.sentence),),
        method=None,
        queries=answer.queries,
        source=answer.source,
        evaluated_at=at,
        unreachable=answer.unreachable,
    )


# --- states, the contract's order ---


def state_of(case: Case) -> tuple[State, str]:
    """The first state that holds, and its sentence."""
    if not budget.is_possible(case.definition.target):
        return State.INVALID_TARGET, _impossible(case.definition)
    contradiction = _contradiction(case)
    if contradiction is not None:
        return State.QUERY_FAILED, contradiction
    missing = _missing(case)
    if missing is not None:
        return State.NO_DATA, missing
    if case.answer.silent_since is not None:
        since = formats.moment(case.answer.silent_since)
        return State.STALE, f"There have been no samples since {since}; check that the service is still scraped."
    if case.budget is None:
        return State.NO_TRAFFIC, f"There was no event {case.when}; nothing to judge."
    return judged(case, case.budget)


def _contradiction(case: Case) -> str | None:
    """Counts that can't belong together: a part larger than the whole, or an answer without what the other one has."""
    answer, total = case.answer, case.answer.tally.total
    part, hours = answer.tally.part, answer.by_hours
    kind = "bad" if case.counts_bad else "good"
    if part is not None and total is not None and part > total + 1 + _tolerated(case, total):
        counted = f"more {case.counted} ({formats.count(part)}) than the total ({formats.count(total)})"
        return f"The {kind} query counted {counted}; check that both count the same requests."
    if hours is None or answer.method == "hours" or answer.remembered_until is not None:
        return None
    return _half_answered(case, hours, kind)


def _tolerated(case: Case, total: Fraction) -> Fraction:
    """How far a part may exceed the whole: estimates do, a little. Missing from the bad events it is budget."""
    return total / 100 if case.counts_bad else total * budget.budget_share(case.definition.target) / 10


def _half_answered(case: Case, hours: Tally, kind: str) -> str | None:
    """What one way of counting has and the other has not. The first hour may reach out of the window."""
    answer, total = case.answer, case.total
    remedy = "ask again, and check that it answers with all of its series"
    if total is None:
        sampled = sum(case.sampled[1:])
        if sampled:
            found = f"{formats.number(sampled, 'hour')} with samples and none over the whole window"
            return f"The source has {found}; {remedy}."
    elif answer.tally.part is None and hours.part is not None:
        later = Fraction(answer.hours.events(1, len(answer.hours))[0])
        if later > 0:
            found = f"{formats.count(later)} {kind} {case.counted} hour by hour and none over the whole window"
            return f"The source counted {found}; {remedy}."
    if total and case.covered == 0:
        found = f"{formats.count(total)} {case.counted} over the whole window and had no sample in any hour of it"
        return f"The source counted {found}; {remedy}."
    return None


def _missing(case: Case) -> str | None:
    """Why there is nothing to judge by, if so."""
    queried = case.answer.queries.get("total", "total")
    if case.period_end is not None and not len(case.answer.hours):
        return f"There are no full hours {case.when} yet."
    if case.covered == 0 and case.total is None:
        if case.period_end is not None and case.answer.signs.series_now:
            return f"There are too few samples {case.when} yet."
        return f"No series matched {queried} {case.when}; check the query's labels."
    if case.definition.slices is not None and not case.total:
        return f"None of the {case.counted} {case.when} had data in {queried}; check that the service is scraped."
    if not case.definition.indicator.counts_bad and not case.answer.matched and case.total:
        return (
            f"All {formats.count(case.total)} {case.counted} were counted, but the good query matched no series; check "
            "its labels. If they are right, every event failed."
        )
    return None


def _impossible(definition: ObjectiveDefinition) -> str:
    what = "leaves no error budget" if definition.target >= 1 else "promises nothing"
    return f"A target of {formats.target(definition.target)} {what}; set one below 100% and above 0%."


# --- figures ---


def _figures(case: Case, state: State) -> Figures:
    if state in (State.QUERY_FAILED, State.NO_DATA):
        return Figures(burn=NO_BURN)
    bad, total, spent = case.bad, case.total, case.budget
    ratio = budget.sli(bad, total) if bad is not None and total is not None else None
    if spent is None:
        return Figures(bad=bad, total=total, sli=ratio, burn=case.burn)
    recent = case.bad_of(case.answer.burn["7d"]) if case.span.length >= _WEEK else None
    return Figures(
        bad=bad,
        total=total,
        sli=ratio,
        consumed=spent.consumed,
        remaining=spent.remaining,
        burn=case.burn,
        spent_7d=None if recent is None else spent.spent_by(recent),
    )


def _incidents(case: Case, state: State) -> tuple[Incident, ...]:
    if case.budget is None or state not in _WITH_INCIDENTS:
        return ()
    return incidents(case.budget, case.answer.hours, case.span, counts_bad=case.counts_bad)


def _forecast(case: Case, burns: Sequence[Incident]) -> Forecast | None:
    if case.budget is None:
        return None
    week = case.answer.burn["7d"]
    bad = case.bad_of(week)
    last_days = Span(case.at - _WEEK, case.at)
    left_out = excluded(case.exclusions, last_days)  # the window may be shorter
    counted = sum((span.length for span in without(last_days, left_out)), timedelta())
    recent = None if bad is None or week.total is None or not counted else Recent(bad, week.total, counted)
    course = Course(case.budget, case.answer.hours, case.counts_bad, recent, burns)
    return forecast(course, case.definition.window, case.at)


def points(case: Case) -> tuple[Point, ...]:
    """The window in at most 14 stretches of equal length; an hour without samples counts nothing."""
    amount = len(case.answer.hours)
    if not amount:
        return ()
    stretches = min(_MOST_POINTS - 1, amount)
    bounds = [round(index * amount / stretches) for index in range(stretches + 1)]
    return tuple(_point(case, start, end) for start, end in pairwise(bounds))


def _point(case: Case, start: int, end: int) -> Point:
    hours = case.answer.hours
    part, total = (Fraction(value) for value in hours.events(start, end))
    until = min(hours.end_of(end - 1), case.span.end)
    covered = Fraction(sum(case.sampled[start:end]), end - start)
    bad = part if case.counts_bad else max(total - part, Fraction())
    return Point(until, bad, total, covered)
