"""What a reader of the figures must know beside the state: the contract's notes, each with its code."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from bot.reliability import budget, formats
from bot.reliability.assessment import Remark, State
from bot.reliability.budget import Budget
from bot.reliability.case import Case
from bot.reliability.hours import HOUR
from bot.reliability.verdict import by_budget, judged
from bot.reliability.wording import STATES

_SHORT_GAP = 3 * HOUR
_DISAGREEMENT = Fraction(5, 1000)  # half a point of budget
_MANY_RESTARTS = 20
_HIDDEN_WORTH = Fraction(1, 100)  # of the allowed events
_MISSING_SLICES = Fraction(1, 100)
_CHURN = 3  # times more series in the window than now, and
_CHURNED = 20  # so many more


def remarks(case: Case, state: State) -> tuple[Remark, ...]:
    """What must be said beside this state, and what lower states would have said."""
    if state in (State.QUERY_FAILED, State.NO_DATA):
        return ()
    found = (
        *_about_samples(case),
        *_about_source(case),
        *_about_queries(case),
        *_about_counters(case),
        *_about_exclusions(case),
        *_lower(case, state),
    )
    return tuple(dict.fromkeys(found))


def is_doubted(case: Case) -> bool:
    """Whether a remark says that the state by the figures may be wrong."""
    return _never_matched(case) or _apart(case) is not None or _turned_by_hidden(case) is not None


# --- samples ---


def _about_samples(case: Case) -> Iterator[Remark]:
    hours, silent = case.answer.hours, case.answer.silent_since
    if silent is not None:
        yield Remark("stale_since", f"no samples since {formats.moment(silent)}")
    if not any(case.sampled):
        return
    first = case.sampled.index(True)
    if case.begun is not None:
        yield Remark("partial_history", f"no samples before {formats.moment(case.begun)}: {case.coverage}")
    gap = _longest_gap(case, first)
    if len(gap) * hours.step >= _SHORT_GAP:
        start, end = hours.end_of(gap[0]) - hours.step, hours.end_of(gap[-1])
        yield Remark("gap", f"no samples for {formats.duration(end - start)} from {formats.moment(start)}")
    yield from _about_slices(case)


def _longest_gap(case: Case, first: int) -> range:
    """The longest run of stretches that should have samples and have none, between the first and the last that do."""
    longest, start = range(0), first
    if all(case.sampled[first:]):
        return longest
    for index, (sampled, counts) in enumerate(zip(case.sampled, case.counting, strict=True)):
        if index >= first and (sampled or not counts):
            if index - start > len(longest):
                longest = range(start, index)
            start = index + 1
    return longest


def _about_slices(case: Case) -> Iterator[Remark]:
    slices = case.definition.slices
    if slices is None or case.total is None:
        return
    left_out = case.taken_out.length if case.taken_out is not None else 0 * HOUR
    expected = (case.span.length - left_out) // slices.length
    missing = expected - case.total
    if missing >= _MISSING_SLICES * expected:
        text = f"{formats.count(missing)} of {formats.count(Fraction(expected))} {case.counted} had no data"
        yield Remark("slices_without_data", f"{text} and are left out, neither good nor bad")


# --- the source and what it remembers ---


def _about_source(case: Case) -> Iterator[Remark]:
    answer = case.answer
    if answer.remembered_until is not None:
        until = formats.moment(answer.remembered_until)
        text = f"the source keeps less than the window: up to {until} the figures come from remembered hours"
        yield Remark("short_retention", text)
    if answer.changed_at is not None and answer.changed_at > case.span.start:
        since = formats.moment(answer.changed_at)
        yield Remark("query_changed", f"the query changed (noticed {since}); all figures are counted by the new one")


# --- queries ---


def _about_queries(case: Case) -> Iterator[Remark]:
    if _never_matched(case):
        text = "the bad query matched no series in the window: either nothing went bad, or its labels are wrong"
        yield Remark("bad_never_matched", text)
    apart = _apart(case)
    if apart is not None:
        yield Remark(
            "hours_disagree", f"the budget counted hour by hour, as the chart shows it, is {formats.points(apart)} off"
        )


def _never_matched(case: Case) -> bool:
    return case.definition.indicator.counts_bad and not case.answer.matched and bool(case.total)


def _apart(case: Case) -> Fraction | None:
    """How far the budget by hours is from the budget by one increase, where that is too far.

    With few events or half a window neither is worth comparing.
    """
    hours, spent = case.answer.by_hours, case.budget
    if hours is None or spent is None or case.answer.method != "increase":
        return None
    bad = case.bad_of(hours)
    if bad is None or not hours.total or case.low_volume or case.covered < budget.FULL_COVERAGE:
        return None
    apart = abs(Budget(bad, hours.total, spent.target).consumed - spent.consumed)
    return apart if apart > _DISAGREEMENT else None


# --- what counters don't tell ---


def _about_counters(case: Case) -> Iterator[Remark]:
    signs = case.answer.signs
    if signs.resets is not None and signs.resets > _MANY_RESTARTS:
        text = f"counters restarted up to {formats.count(Fraction(signs.resets))} times each"
        yield Remark("resets_lose_events", f"{text}: what they counted after a last scrape is lost")
    yield from _about_hidden(case)
    seen, now = signs.series_seen, signs.series_now
    if seen is not None and now is not None and seen > _CHURN * now and seen - now > _CHURNED:
        text = f"{formats.count(Fraction(seen))} series were counted in the window, {formats.count(Fraction(now))} now"
        yield Remark("pod_churn", f"{text}: what each counted before its first and after its last scrape is lost")


def _about_hidden(case: Case) -> Iterator[Remark]:
    hidden = case.answer.signs.hidden
    if not hidden or not budget.is_possible(case.definition.target):
        return
    worth = case.budget is None or hidden >= _HIDDEN_WORTH * case.budget.allowed
    kind = "bad" if case.counts_bad else "good"
    events = f"{kind} event" if hidden == 1 else f"{kind} events"
    stood = f"at least {formats.count(hidden)} {events} stood in the first samples of new series, which no"
    if not case.counts_bad:
        if worth:
            yield Remark("hidden_first_sample", f"{stood} increase sees: the figures may be darker than what happened")
        return
    turned = _turned_by_hidden(case)
    if not worth and turned is None:
        return
    spent = _with_hidden(case, hidden)
    state = "" if turned is None else f", and the state would be {STATES[turned]}"
    text = f"{stood} increase sees: with them {formats.percent(spent.remaining)} of the budget would be left{state}"
    yield Remark("hidden_first_sample", text)


def _turned_by_hidden(case: Case) -> State | None:
    """The state with the events that no increase sees, where that is another one."""
    hidden = case.answer.signs.hidden
    if not hidden or not case.counts_bad or not budget.is_possible(case.definition.target):
        return None
    without = State.NO_TRAFFIC if case.budget is None else judged(case, case.budget)[0]
    turned = judged(case, _with_hidden(case, hidden))[0]
    return turned if turned is not without else None


def _with_hidden(case: Case, hidden: Fraction) -> Budget:
    """A series of bad events is among those of the total, so its first sample is missing there, too."""
    return Budget((case.bad or Fraction()) + hidden, (case.total or Fraction()) + hidden, case.definition.target)


# --- exclusions, and lower states ---


def _about_exclusions(case: Case) -> Iterator[Remark]:
    taken = case.taken_out
    if taken is None:
        return
    reasons = formats.listing([f"{reason} ({owner})" if owner else reason for reason, owner in taken.announced])
    held = ""
    if taken.total is not None:
        bad = f", {formats.count(taken.bad)} of them bad" if taken.bad is not None else ""
        held = f" with {formats.count(taken.total)} {case.counted}{bad}"
    times = formats.number(taken.times, "time")
    text = f"left out {times}, {formats.duration(taken.length)} in all{held}: {reasons}"
    yield Remark("excluded_windows", text)


def _lower(case: Case, state: State) -> Iterator[Remark]:
    spent = case.budget
    if spent is None or state not in (State.STALE, State.LOW_VOLUME, State.PARTIAL):
        return
    if case.low_volume:
        yield Remark("low_volume", case.low_volume_text)
    alone, _ = by_budget(case, spent)
    if alone is not State.OK:
        left = f"{formats.percent(spent.remaining)} of {case.error_budget} left"
        yield Remark(alone.value.lower(), f"judged all the same it would be {STATES[alone]}, with {left}")
