"""The facts of a thread: what `{{f3}}` stands for, and which of them an answer used."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC

from bot.domain import Citation, Fact

PLACEHOLDER = re.compile(r"\{\{[ \t]{0,8}([A-Za-z0-9_.-]{1,40})[ \t]{0,8}\}\}")
NO_FIGURE = "no figure"
_NUMBERED = re.compile(r"f(\d+)")


def cited(facts: Iterable[Fact]) -> tuple[Citation, ...]:
    """Where these figures come from, in their order; what was measured twice with the same outcome is said once."""
    return tuple(dict.fromkeys(_citation(fact) for fact in facts))


def _citation(fact: Fact) -> Citation:
    query = f" Query: {fact.query}" if fact.query else ""
    at = f"{fact.evaluated_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return Citation(title=f"{fact.entity}: {fact.meaning}", text=f"{fact.text} as of {at}.{query}")


class FactBook:
    """Facts by id, in the order in which they were measured; ids count on through the whole thread."""

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self._facts: dict[str, Fact] = {}
        self._last = 0
        self.new: list[Fact] = []
        self.used: dict[str, Fact] = {}
        self._keep(facts)

    @property
    def next_number(self) -> int:
        """The number that the next fact gets: one more than any in the thread."""
        return self._last + 1

    def add(self, facts: Iterable[Fact]) -> None:
        """Take up facts that were measured in this turn. Raises ValueError when an id is taken."""
        fresh = tuple(facts)
        for fact in fresh:
            if fact.id in self._facts:
                raise ValueError(f"the fact {fact.id} stands in this thread already")
        self._keep(fresh)
        self.new.extend(fresh)

    def resolve(self, fact_id: str) -> str | None:
        """The formatted value, noting that it was used; None when there is no such fact."""
        fact = self._facts.get(fact_id)
        if fact is None:
            return None
        self.used[fact_id] = fact
        return fact.text

    def texts(self) -> tuple[str, ...]:
        return tuple(fact.text for fact in self._facts.values())

    def _keep(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self._facts[fact.id] = fact
            if match := _NUMBERED.fullmatch(fact.id):
                self._last = max(self._last, int(match[1]))
