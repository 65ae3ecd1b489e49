"""Multiwindow multi-burn-rate alerts (Site Reliability Workbook, chapter 5) for each SLO's own window and target."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Literal

from bot.reliability import budget, formats
from bot.reliability.definitions import ObjectiveDefinition
from bot.reliability.promql import promql_duration

Severity = Literal["page", "ticket"]


@dataclass(frozen=True)
class BurnAlert:
    """Fires when `share` of the budget is spent within `long`, while the last twelfth of it still burns as fast."""

    share: Fraction
    long: timedelta
    severity: Severity

    @property
    def short(self) -> timedelta:
        """The control window, by which the alert ends soon after the failure does."""
        return self.long / 12

    @property
    def name(self) -> str:
        return f"ErrorBudgetBurn{promql_duration(self.long)}"

    def threshold(self, objective: ObjectiveDefinition) -> Fraction:
        """The burn rate above which it fires: share * window / long."""
        return budget.burn_threshold(self.share, self.long, objective.window.length)

    def error_ratio(self, objective: ObjectiveDefinition) -> Fraction:
        """The share of bad events above which it fires. Raises `ImpossibleTarget`."""
        return self.threshold(objective) * budget.budget_share(objective.target)

    def unusable(self, objective: ObjectiveDefinition) -> str | None:
        """Why this alert makes no sense for this objective; None when it does. Raises `ImpossibleTarget`."""
        threshold = self.threshold(objective)
        name, rate = f"{promql_duration(self.long)} {self.severity}", formats.burn_limit(threshold)
        if threshold < 1:
            return (
                f"no {name}: over {objective.window.label} it would fire at a burn of {rate}, at which the budget lasts"
            )
        if self.error_ratio(objective) >= 1:
            most = formats.burn_limit(1 / budget.budget_share(objective.target))
            target = formats.target(objective.target)
            return f"no {name}: it would need a burn above {rate}, and a target of {target} burns {most} at most"
        return None


BURN_ALERTS = (
    BurnAlert(Fraction(2, 100), timedelta(hours=1), "page"),
    BurnAlert(Fraction(5, 100), timedelta(hours=6), "page"),
    BurnAlert(Fraction(10, 100), timedelta(days=1), "ticket"),
    BurnAlert(Fraction(10, 100), timedelta(days=3), "ticket"),
)
