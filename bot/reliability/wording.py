"""Words for objectives and states, the same in every reply."""

from __future__ import annotations

import re
from collections import Counter

from bot.reliability import formats
from bot.reliability.assessment import WORST_FIRST, Assessment, Objective, State

STATES = {
    State.EXHAUSTED: "exhausted",
    State.AT_RISK: "at risk",
    State.OK: "OK",
    State.QUERY_FAILED: "query failed",
    State.NO_DATA: "no data",
    State.STALE: "stale",
    State.INVALID_TARGET: "invalid target",
    State.PARTIAL: "partial history",
    State.LOW_VOLUME: "low volume",
    State.NO_TRAFFIC: "no traffic",
}
_COUNTED = {
    State.QUERY_FAILED: "with a failed query",
    State.NO_DATA: "without data",
    State.INVALID_TARGET: "with an invalid target",
    State.PARTIAL: "with partial history",
    State.LOW_VOLUME: "with low volume",
    State.NO_TRAFFIC: "without traffic",
}
_MARKS = {
    State.EXHAUSTED: "🔴",
    State.AT_RISK: "🟠",
    State.OK: "🟢",
    State.QUERY_FAILED: "⚫",
    State.INVALID_TARGET: "⚫",
}


_SIGNS = re.compile(r"[\\`*\[\]~|]|(?<![^\W_])_|_(?![^\W_])")  # an underscore within a word is harmless


def in_markdown(name: str) -> str:
    """Markdown that shows the name in one line, whatever signs are in it."""
    return _SIGNS.sub(r"\\\g<0>", " ".join(name.split()))


def state_word(item: Objective) -> str:
    """`at risk`; what is good by its figures only says so: `OK, in doubt`."""
    return f"{STATES[item.state]}, in doubt" if item.in_doubt else STATES[item.state]


def marked(item: Objective) -> str:
    """The state for a table's cell: a mark to find it by, and the word, since colour alone tells nothing to some."""
    word, mark = state_word(item), "🟡" if item.in_doubt else _MARKS.get(item.state, "⚪")
    return f"{mark} {word[0].upper()}{word[1:]}"


class Labels:
    """The shortest name of each objective that is unique among those assessed: service, else SLO, else all."""

    def __init__(self, assessment: Assessment) -> None:
        self._services = Counter(item.service for item in assessment.items)
        self._slos = Counter((item.service, item.slo) for item in assessment.items)

    def of(self, item: Objective) -> str:
        if self._services[item.service] == 1:
            return item.service
        own = item.slo if item.slo.startswith(item.service) else f"{item.service} {item.slo}"
        return own if self._slos[item.service, item.slo] == 1 else f"{own} {item.definition.name}"

    def said(self, item: Objective) -> str:
        """The name in Markdown."""
        return in_markdown(self.of(item))

    def listed(self, items: tuple[Objective, ...], *, most: int = 5) -> str:
        """In Markdown."""
        return formats.listing([self.said(item) for item in items], most=most)


def counts(assessment: Assessment) -> str:
    """`1 exhausted, 2 at risk and 9 OK`: never an average of objectives that don't compare."""
    found = Counter(item.state for item in assessment.items)
    doubted = sum(item.in_doubt for item in assessment.items)
    said = [f"{found[state]:,} {_COUNTED.get(state, STATES[state])}" for state in WORST_FIRST if found[state]]
    return formats.listing(said, most=10) + (f" ({doubted:,} of them in doubt)" if doubted else "")


def measured_by(assessment: Assessment) -> str:
    """When and from what the figures are, for the small print."""
    parts = [f"Evaluated {formats.moment(assessment.at)}"]
    if assessment.sources:
        parts.append(f"from {formats.listing(assessment.sources, most=3)}")
    return " ".join(parts)
