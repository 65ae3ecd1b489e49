"""One promise and what was counted for it: the numbers and words that states and remarks are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cached_property
from itertools import compress

from bot.reliability import budget, formats
from bot.reliability.assessment import TakenOut
from bot.reliability.budget import Budget
from bot.reliability.definitions import ObjectiveDefinition
from bot.reliability.exclusions import Exclusion
from bot.reliability.hours import HOUR
from bot.reliability.metrics import BURN_WINDOWS, Measured, Tally
from bot.reliability.windows import Span, merged, within

_UNITS = ((timedelta(days=1), "days"), (HOUR, "hours"), (timedelta(minutes=1), "minutes"))
NO_BURN: Mapping[str, Fraction | None] = dict.fromkeys(BURN_WINDOWS)


@dataclass(frozen=True)
class Case:
    """A measured objective at T. `exclusions` are those of its service."""

    definition: ObjectiveDefinition
    answer: Measured
    at: datetime
    exclusions: Sequence[Exclusion] = ()

    # --- events ---

    @property
    def counts_bad(self) -> bool:
        return self.definition.slices is not None or self.definition.indicator.counts_bad

    def bad_of(self, tally: Tally) -> Fraction | None:
        """Bad events, 0 or more. Where all events were counted and the bad series is not there, nothing went bad."""
        if tally.total is None:
            return None
        part = tally.part if tally.part is not None else Fraction()
        return part if self.counts_bad else max(tally.total - part, Fraction())

    @cached_property
    def bad(self) -> Fraction | None:
        return self.bad_of(self.answer.tally)

    @property
    def total(self) -> Fraction | None:
        return self.answer.tally.total

    @cached_property
    def budget(self) -> Budget | None:
        """None without events, and where the target leaves no budget."""
        if not budget.is_possible(self.definition.target) or self.bad is None or not self.total:
            return None
        return Budget(self.bad, self.total, self.definition.target)

    @cached_property
    def burn(self) -> Mapping[str, Fraction | None]:
        if not budget.is_possible(self.definition.target):
            return NO_BURN
        return {**NO_BURN, **{name: self._burn(tally) for name, tally in self.answer.burn.items()}}

    def _burn(self, tally: Tally) -> Fraction | None:
        bad = self.bad_of(tally)
        return None if bad is None or tally.total is None else budget.burn(bad, tally.total, self.definition.target)

    @property
    def low_volume(self) -> bool:
        return self.budget is not None and self.is_low(self.budget)

    def is_low(self, spent: Budget) -> bool:
        """Whether so little is allowed that one failure decides. Slices of time are no samples: they can't be few."""
        return self.definition.slices is None and spent.allowed < budget.LOW_VOLUME_ALLOWED

    # --- time ---

    @cached_property
    def span(self) -> Span:
        return self.definition.window.span(self.at)

    @cached_property
    def period_end(self) -> datetime | None:
        return self.definition.window.period_end(self.at)

    @cached_property
    def excluded(self) -> tuple[Span, ...]:
        """What of the window is left out."""
        return merged(within(self.span, (span for spans in self._excluding.values() for span in spans)))

    @cached_property
    def _excluding(self) -> Mapping[Exclusion, tuple[Span, ...]]:
        return {one: one.spans(self.span) for one in self.exclusions}

    @cached_property
    def taken_out(self) -> TakenOut | None:
        if not self.excluded:
            return None
        tally = self.answer.taken_out if self.answer.taken_out is not None else Tally(None, None)
        return TakenOut(
            times=len(self.excluded),
            length=sum((span.length for span in self.excluded), timedelta()),
            bad=self.bad_of(tally),
            total=tally.total,
            announced=tuple(dict.fromkeys((one.reason, one.owner) for one, spans in self._excluding.items() if spans)),
        )

    @cached_property
    def counting(self) -> tuple[bool, ...]:
        """Which stretches of the window are not excluded as a whole."""
        counting = [True] * len(self.answer.hours)
        for span in self.excluded:
            for index in self._within(span):
                counting[index] = False
        return tuple(counting)

    def _within(self, span: Span) -> range:
        """The stretches that lie in this span; the first and the last one may be cut short by the window."""
        hours = self.answer.hours
        begins = hours.first - hours.step
        first = 0 if span.start <= self.span.start else -((begins - span.start) // hours.step)
        last = len(hours) if span.end >= self.span.end else (span.end - begins) // hours.step
        return range(max(0, first), min(len(hours), last))

    @cached_property
    def sampled(self) -> list[bool]:
        """Which stretches of the window have samples."""
        return [value >= 0 for value in self.answer.hours.total]

    @cached_property
    def covered(self) -> Fraction:
        """The share of the window that has samples, of what isn't excluded."""
        amount = sum(self.counting)
        if not amount:
            return Fraction()
        return Fraction(sum(compress(self.sampled, self.counting)), amount)

    @cached_property
    def begun(self) -> datetime | None:
        """When samples begin, where too much of the window lies before that; None where it doesn't."""
        hours = self.answer.hours
        if not any(self.sampled):
            return None
        first = self.sampled.index(True)
        if Fraction(sum(self.counting[:first]), len(hours)) <= 1 - budget.FULL_COVERAGE:
            return None
        return hours.end_of(first) - hours.step

    # --- words ---

    @property
    def when(self) -> str:
        """`in the last 28 days`, `this month since Sun 1 Nov 2026 00:00 UTC`."""
        if self.period_end is None:
            return f"in the last {formats.duration(self.definition.window.length)}"
        return f"{formats.period(self.definition.window)} {self.since}"

    @property
    def since(self) -> str:
        """On the clock by which the period began: a month in Berlin begins at midnight there."""
        return f"since {formats.moment(self.span.start, formats.zone(self.definition.window))}"

    @property
    def error_budget(self) -> str:
        """`the error budget`, `this month's error budget`."""
        return (
            "the error budget"
            if self.period_end is None
            else f"{formats.period(self.definition.window)}'s error budget"
        )

    @property
    def counted(self) -> str:
        """What the budget is counted in: `events`, `minutes`, `slices of 5 min`."""
        return formats.counted(self.definition.slices)

    @property
    def of_events(self) -> str:
        since = "" if self.period_end is None else f" {self.since}"
        bad = formats.count(self.bad)
        return f"{bad} of {formats.count(self.total)} {self.counted} {'was' if bad == '1' else 'were'} bad{since}"

    @property
    def low_volume_text(self) -> str:
        allowed = self.budget.allowed if self.budget is not None else Fraction()
        few = f"only {formats.count(allowed)}" if allowed >= 1 else "less than one"
        return f"{self.of_events}; with {few} allowed, a single failure weighs too much to judge the budget."

    @property
    def coverage(self) -> str:
        """How much of the window has samples: `7 of 28 days`, `2 h of 28 days`."""
        length = self.span.length
        unit, name = next(((size, name) for size, name in _UNITS if length >= 2 * size), _UNITS[-1])
        covered = float(self.covered) * length
        had = formats.duration(covered) if covered < unit else f"{covered / unit:.3g}"
        return f"{had} of {length / unit:.3g} {name}"
