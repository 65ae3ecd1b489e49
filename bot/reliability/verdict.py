"""What a budget's figures say by themselves: low volume, partial, exhausted, at risk or in order."""

from __future__ import annotations

from datetime import timedelta

from bot.reliability import budget, formats
from bot.reliability.assessment import State
from bot.reliability.budget import Budget
from bot.reliability.case import Case


def judged(case: Case, spent: Budget) -> tuple[State, str]:
    """What this much of the budget being spent means, the case's samples and burn being what they are."""
    if case.is_low(spent):
        return State.LOW_VOLUME, case.low_volume_text
    if case.covered < budget.FULL_COVERAGE:
        begun = "" if case.begun is None else f", none before {formats.moment(case.begun)}"
        return State.PARTIAL, f"Only {case.coverage} have samples{begun}; the budget can't be judged yet."
    return by_budget(case, spent)


def by_budget(case: Case, spent: Budget) -> tuple[State, str]:
    """The state by the budget alone, whatever its figures are worth."""
    so_far = "" if case.period_end is None else " so far"
    left = f"{formats.percent(spent.remaining)} of {case.error_budget} is left{so_far}"
    if spent.remaining <= budget.NOISE:
        used = formats.percent(spent.consumed)
        subject = f"{case.error_budget[:1].upper()}{case.error_budget[1:]}"
        return State.EXHAUSTED, f"{subject} is spent: {used} of it is used, {case.of_events}."
    if spent.remaining <= budget.AT_RISK_REMAINING:
        return State.AT_RISK, f"Only {left}: {case.of_events}."
    gone_in = _gone_in(case, spent)
    if gone_in is not None and gone_in <= budget.AT_RISK_WITHIN:
        rate = formats.burn(case.burn["7d"])
        alone = " alone" if case.period_end is None else ""  # in a rolling window old errors leave meanwhile
        said = f"{left}, but the last 7 days' burn of {rate}{alone} would spend it in {formats.duration(gone_in)}."
        return State.AT_RISK, said
    return State.OK, f"{left}: {case.of_events}."


def _gone_in(case: Case, spent: Budget) -> timedelta | None:
    """When the budget is gone at the last seven days' burn; in a calendar period only if that is before its end."""
    rate = case.burn["7d"]
    if case.period_end is None:
        return budget.time_to_exhaustion(spent.remaining, rate, case.definition.window.length)
    left = budget.time_to_exhaustion_in_period(spent.remaining, rate, case.span.length)
    return left if left is not None and case.span.end + left < case.period_end else None
