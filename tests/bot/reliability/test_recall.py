"""Which hours may be remembered for good."""

from __future__ import annotations

from datetime import timedelta

from bot.reliability.hours import HOUR
from bot.reliability.ledger import Ledger
from bot.reliability.recall import Recall
from bot.reliability.windows import Span
from tests.bot.reliability.samples import AT
from tests.doubles.remembered import MemoryHours


def test_single_hours_are_settled_a_day_later_as_nobody_saw_what_follows_them() -> None:
    early, late = (Span(AT - back - HOUR, AT - back) for back in (timedelta(days=1), 2 * HOUR))
    ledger = Ledger.empty(AT, 0)
    ledger.beside = {early: 3.0, late: 1.0}
    found = Recall(MemoryHours(), "here", AT).sparse(ledger, {early, late})
    assert found is not None
    assert (found.first, list(found.values)) == (early.end, [3.0])
    assert Recall(MemoryHours(), "here", AT).sparse(ledger, {late}) is None
