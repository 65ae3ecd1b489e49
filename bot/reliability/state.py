"""From counted events to a judged objective: the contract's ten states in its order, notes, and a plain sentence."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from bot.reliability import budget, formats
from bot.reliability.assessment import Figures, Objective, Point, Remark, State
from bot.reliability.budget import Budget
from bot.reliability.definitions import ObjectiveDefinition
from bot.reliability.hours import HOUR, Hours
from bot.reliability.metrics import BURN_WINDOWS, Failed, Measured, Tally

_NO_BURN = dict.fromkeys(BURN_WINDOWS)
_MOST_POINTS = 15
_SHORT_GAP = timedelta(hours=3)
_UNITS = ((timedelta(days=1), "days"), (HOUR, "hours"), (timedelta(minutes=1), "minutes"))
_DISAGREEMENT = Fraction(5, 1000)  # half a point of budget


def judge(definition: ObjectiveDefinition, answer: Measured | Failed, at: datetime) -> Objective:
    """What this answer says of the promise. Pure: the same answer gives the same objective."""
    if isinstance(answer, Failed):
        return _failed(definition, answer, at)
    case = _Case(definition, answer, at)
    state, sentence = case.state()
    figures = case.figures(state)
    return Objective(
        definition=definition,
        state=state,
        sentence=sentence,
        figures=figures,
        remarks=case.remarks(state),
        method=answer.method,
        queries=answer.queries,
        source=answer.source,
        evaluated_at=at,
        points=case.points if figures.total else (),
    )


def _failed(definition: ObjectiveDefinition, answer: Failed, at: datetime) -> Objective:
    possible = budget.is_possible(definition.target)
    return Objective(
        definition=definition,
        state=State.QUERY_FAILED if possible else State.INVALID_TARGET,
        sentence=answer.sentence if possible else _impossible(definition),
        figures=Figures(burn=_NO_BURN),
        remarks=() if possible else (Remark("query_failed", answer.sentence),),
        method=None,
        queries=answer.queries,
        source=answer.source,
        evaluated_at=at,
        unreachable=answer.unreachable,
    )


@dataclass
class _Case:
    definition: ObjectiveDefinition
    answer: Measured
    at: datetime
    bad: Fraction | None = field(init=False)
    total: Fraction | None = field(init=False)
    covered: Fraction = field(init=False)
    budget: Budget | None = field(init=False)
    burn: dict[str, Fraction | None] = field(init=False)
    points: tuple[Point, ...] = field(init=False)

    def __post_init__(self) -> None:
        hours, target = self.answer.hours, self.definition.target
        self.bad, self.total = self._bad(self.answer.tally), self.answer.tally.total
        self.covered = hours.covered
        self.budget, self.burn = None, dict(_NO_BURN)
        self.points = points(hours, counts_bad=self.definition.indicator.counts_bad)
        if not budget.is_possible(target):
            return
        for window, tally in self.answer.burn.items():
            bad, total = self._bad(tally), tally.total
            if bad is not None and total is not None:
                self.burn[window] = budget.burn(bad, total, target)
        if self.bad is not None and self.total is not None and self.total > 0:
            self.budget = Budget(self.bad, self.total, target)

    def _bad(self, tally: Tally) -> Fraction | None:
        """Bad events. Where all events were counted and the bad series is not there, nothing went bad."""
        if tally.total is None:
            return None
        if self.definition.indicator.counts_bad:
            return tally.part if tally.part is not None else Fraction()
        return tally.total - (tally.part if tally.part is not None else Fraction())

    # --- states, the contract's order ---

    def state(self) -> tuple[State, str]:
        definition, window = self.definition, self.definition.window
        if not budget.is_possible(definition.target):
            return State.INVALID_TARGET, _impossible(definition)
        contradiction = self._contradiction()
        if contradiction:
            return State.QUERY_FAILED, contradiction
        if self.covered == 0 and self.total is None:
            queried = self.answer.queries.get("total", "total")
            text = (
                f"No series matched {queried} in the last {formats.duration(window.length)}; check the query's labels."
            )
            return State.NO_DATA, text
        if self._good_never_matched():
            text = (
                f"All {formats.count(self.total)} events were counted, but the good query matched no series; check its "
                "labels. If they are right, every event failed."
            )
            return State.NO_DATA, text
        if self.answer.silent_since is not None:
            since = formats.moment(self.answer.silent_since)
            return State.STALE, f"There have been no samples since {since}; check that the service is still scraped."
        if not self.total:
            return (
                State.NO_TRAFFIC,
                f"There was no event in the last {formats.duration(window.length)}; nothing to judge.",
            )
        assert self.budget is not None  # noqa: S101 - events and a possible target are there
        if self._low_volume():
            return State.LOW_VOLUME, self._low_volume_text()
        if self.covered < budget.FULL_COVERAGE:
            return State.PARTIAL, f"Only {self._coverage()} have samples; the budget can't be judged yet."
        return self._judged()

    def _judged(self) -> tuple[State, str]:
        assert self.budget is not None  # noqa: S101 - called for events and a possible target
        remaining = self.budget.remaining
        left = f"{formats.percent(remaining)} of the error budget is left"
        if remaining <= budget.NOISE:
            spent = formats.percent(self.budget.consumed)
            return State.EXHAUSTED, f"The error budget is spent: {spent} of it is used, {self._of_events()}."
        if remaining <= budget.AT_RISK_REMAINING:
            return State.AT_RISK, f"Only {left}: {self._of_events()}."
        gone_in = self._gone_in()
        if gone_in is not None and gone_in <= budget.AT_RISK_WITHIN:
            rate = formats.burn(self.burn["7d"])
            return (
                State.AT_RISK,
                f"{left}, but at the last 7 days' burn of {rate} it is gone in {formats.duration(gone_in)}.",
            )
        return State.OK, f"{left}: {self._of_events()}."

    def _gone_in(self) -> timedelta | None:
        if self.budget is None:
            return None
        return budget.time_to_exhaustion(self.budget.remaining, self.burn["7d"], self.definition.window.length)

    def _of_events(self) -> str:
        return f"{formats.count(self.bad)} of {formats.count(self.total)} events were bad"

    def _contradiction(self) -> str | None:
        """Part and total that can't belong together: more bad (or good) events than events."""
        part, total = self.answer.tally.part, self.answer.tally.total
        kind = "bad" if self.definition.indicator.counts_bad else "good"
        if part is not None and total is not None and part > total + 1 + total / 100:
            counted = f"more events ({formats.count(part)}) than the total ({formats.count(total)})"
            return f"The {kind} query counted {counted}; check that both count the same requests."
        return None

    def _good_never_matched(self) -> bool:
        return not self.definition.indicator.counts_bad and not self.answer.matched and bool(self.total)

    def _low_volume(self) -> bool:
        return self.budget is not None and self.budget.allowed < budget.LOW_VOLUME_ALLOWED

    def _low_volume_text(self) -> str:
        assert self.budget is not None  # noqa: S101 - low volume has events
        allowed = formats.count(self.budget.allowed)
        return f"{self._of_events()}; with only {allowed} allowed, one failure decides too much to judge the budget."

    def _coverage(self) -> str:
        length = self.definition.window.length
        unit, name = next((size, name) for size, name in _UNITS if length >= 2 * size)
        whole = length / unit
        covered = float(self.covered) * whole
        return f"{covered:.3g} of {whole:.3g} {name}"

    # --- figures ---

    def figures(self, state: State) -> Figures:
        if state in (State.QUERY_FAILED, State.NO_DATA):
            return Figures(burn=_NO_BURN)
        if self.budget is None:
            ratio = budget.sli(self.bad, self.total) if self.bad is not None and self.total is not None else None
            return Figures(bad=self.bad, total=self.total, sli=ratio, burn=self.burn)
        week = self.answer.burn.get("7d")
        bad_7d = self._bad(week) if week is not None else None
        return Figures(
            bad=self.bad,
            total=self.total,
            sli=budget.sli(self.budget.bad, self.budget.total),
            consumed=self.budget.consumed,
            remaining=self.budget.remaining,
            burn=self.burn,
            spent_7d=None if bad_7d is None else self.budget.spent_by(bad_7d),
        )

    # --- notes: what the reader must know, and what lower states would have said ---

    def remarks(self, state: State) -> tuple[Remark, ...]:
        if state in (State.QUERY_FAILED, State.NO_DATA):
            return ()
        found = [*self._about_samples(), *self._about_queries(), *self._lower(state)]
        return tuple(dict.fromkeys(found))

    def _about_samples(self) -> list[Remark]:
        found = []
        silent = self.answer.silent_since
        if silent is not None:
            found.append(Remark("stale_since", f"no samples since {formats.moment(silent)}"))
        sampled = [index for index in range(len(self.answer.hours)) if self.answer.hours.sampled(index)]
        if not sampled:
            return found
        hours, first, last = self.answer.hours, sampled[0], sampled[-1]
        tile = hours.step
        begun = hours.end_of(first) - tile
        if Fraction(first, len(hours)) > 1 - budget.FULL_COVERAGE:
            found.append(Remark("partial_history", f"no samples before {formats.moment(begun)}: {self._coverage()}"))
        gap = _longest_gap(hours, first, last)
        if gap is not None and len(gap) * tile >= _SHORT_GAP:
            start, end = hours.end_of(gap[0]) - tile, hours.end_of(gap[-1])
            text = f"no samples for {formats.duration(end - start)} from {formats.moment(start)}"
            found.append(Remark("gap", text))
        return found

    def _about_queries(self) -> list[Remark]:
        found = []
        if self.definition.indicator.counts_bad and not self.answer.matched and self.total:
            text = "the bad query matched no series in the window: either nothing went bad, or its labels are wrong"
            found.append(Remark("bad_never_matched", text))
        judged = self.covered >= budget.FULL_COVERAGE and not self._low_volume()
        if self.answer.method == "increase" and self.budget is not None and judged:
            bad = sum((point.bad for point in self.points), Fraction())
            apart = abs(self.budget.spent_by(bad) - self.budget.consumed)
            if apart > _DISAGREEMENT:
                text = f"hourly figures (chart) and the budget differ by {formats.points(apart)}"
                found.append(Remark("hours_disagree", text))
        return found

    def _lower(self, state: State) -> list[Remark]:
        if self.budget is None or state not in (State.STALE, State.LOW_VOLUME, State.PARTIAL):
            return []
        found = [Remark("low_volume", self._low_volume_text())] if self._low_volume() else []
        judged, sentence = self._judged()
        if judged is not State.OK:
            found.append(Remark(judged.value.lower(), f"judged all the same it would be {judged.value}: {sentence}"))
        return found


def points(hours: Hours, *, counts_bad: bool, most: int = _MOST_POINTS) -> tuple[Point, ...]:
    """The window in at most so many stretches of equal length; an hour without samples counts nothing."""
    if not len(hours):
        return ()
    stretches = min(most - 1, len(hours))
    bounds = [round(index * len(hours) / stretches) for index in range(stretches + 1)]
    return tuple(_point(hours, start, end, counts_bad=counts_bad) for start, end in pairwise(bounds))


def _point(hours: Hours, start: int, end: int, *, counts_bad: bool) -> Point:
    part, total = (Fraction(value) for value in hours.events(start, end))
    sampled = sum(hours.sampled(index) for index in range(start, end))
    return Point(hours.end_of(end - 1), part if counts_bad else total - part, total, Fraction(sampled, end - start))


def _longest_gap(hours: Hours, first: int, last: int) -> range | None:
    longest = range(0)
    start = first
    for index in range(first, last + 1):
        if hours.sampled(index):
            if index - start > len(longest):
                longest = range(start, index)
            start = index + 1
    return longest or None


def _impossible(definition: ObjectiveDefinition) -> str:
    what = "leaves no error budget" if definition.target >= 1 else "promises nothing"
    return f"A target of {formats.target(definition.target)} {what}; set one below 100% and above 0%."
