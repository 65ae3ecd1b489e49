"""What an alert on a burning budget says to someone woken at 3 a.m.; Go templates, filled in by Prometheus."""

from __future__ import annotations

import shlex

from bot.reliability import formats
from bot.reliability.burn_alerts import BurnAlert
from bot.reliability.definitions import ObjectiveDefinition

_BURN = '{{ printf "%.1f" $value }}'  # the alert's value is the long window's burn rate


def summary(objective: ObjectiveDefinition) -> str:
    what = verbatim(f"{objective.service}: {objective.title or objective.slo} ({objective.name})")
    return f"{what} burns its error budget {_BURN} times too fast"


def description(objective: ObjectiveDefinition, alert: BurnAlert) -> str:
    """What burns, how fast, when the budget would be gone, and what to do first."""
    target, window = formats.target(objective.target), formats.duration(objective.window.length)
    threshold, share = formats.burn_limit(alert.threshold(objective)), formats.percent(alert.share, digits=0)
    long, short = formats.duration(alert.long), formats.duration(alert.short)
    command = verbatim(f"director status {shlex.quote(objective.service)}")
    return " ".join(
        (
            f"In the last {long} events went bad {_BURN} times as fast as a target of {target} over {window} allows.",
            f"It goes on: the last {short}, too, are above {threshold}, enough to take {share} of it in {long}.",
            f"At this rate a full budget is gone in {_gone_in(objective)}.",
            _FIRST[alert.severity],
            f"What is left: `{command}`.",
        )
    )


_FIRST = {
    "page": (
        "First: find what changed just before it began (a deploy, a setting, a dependency) and undo it; "
        "look for the cause when users are served again."
    ),
    "ticket": (
        "It can wait for the morning, not for next week. First: find which endpoint or dependency the bad events "
        "come from, and since when."
    ),
}


def verbatim(text: str) -> str:
    """A Go template that gives this text, whatever braces are in it."""
    return text.replace("{", '{{ "{" }}')


def _gone_in(objective: ObjectiveDefinition) -> str:
    """Templates can't divide; a query can."""
    seconds = round(objective.window.length.total_seconds())
    query = f'{{{{ with query (printf "{seconds} / %f" $value) }}}}'
    return query + "{{ . | first | value | humanizeDuration }}{{ end }}"
