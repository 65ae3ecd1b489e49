"""How far a source reaches: what it has lost of a window that memory still knows, and since when it is silent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from bot.reliability import promql
from bot.reliability.batches import Batch, Counter
from bot.reliability.counting import Counting
from bot.reliability.hours import HOUR, Hours
from bot.reliability.metrics import Ask

_DAY = timedelta(days=1)


@dataclass
class Reach:
    """Of one assessment's totals. Both are found from what was counted, and asked for only where it makes sense."""

    counting: Counting
    _lost: dict[Counter, datetime] = field(default_factory=dict)
    _silent: dict[Counter, datetime] = field(default_factory=dict)

    async def find_lost(self, asks: Sequence[Ask]) -> None:
        """Where memory knows hours from before the source's first sample: until when they stand in for it."""
        counting, asking = self.counting, self.counting.asking
        first: dict[Counter, datetime] = {}
        for ask in asks:
            known, total = self._first_remembered(ask), promql.plain_counters_of(ask)[1]
            if known is not None:
                first[total] = min(known, first.get(total, known))
        by_end: dict[datetime, list[Counter]] = {}
        for counter, end in first.items():
            by_end.setdefault(end, []).append(counter)
        for end, counters in by_end.items():
            there = await asking.instants(counters, promql.present, promql.moment_of(end), length=HOUR)
            lost = [counter for counter in counters if counter not in there]
            days = (counting.at - end) // _DAY + 1
            query = partial(_each_day, days=days)
            for counter, figures in (await asking.instants(lost, query, counting.at, length=days * HOUR)).items():
                self._lost[counter] = counting.at - max(map(int, figures)) * _DAY
        for ask in asks:
            until = self.lost_until(ask)
            if until is not None:
                for counter in promql.counters_of(ask):
                    counting.ledgers[counter].lost_before = until

    async def find_silence(self, asks: Sequence[Ask], hours_of: Callable[[Ask], Hours]) -> None:
        """The last sample's time of totals that have none lately, found from their last hour with samples."""
        by_end: dict[datetime, set[Counter]] = {}
        for ask in asks:
            pulse = self.counting.pulses.get(promql.counters_of(ask)[1])
            if pulse is None or pulse.fresh:
                continue
            hours = hours_of(ask)
            sampled = [index for index in range(len(hours)) if hours.sampled(index)]
            if sampled:
                by_end.setdefault(hours.end_of(sampled[-1]), set()).add(promql.plain_counters_of(ask)[1])
        for end, totals in by_end.items():
            self._silent.update(dict.fromkeys(totals, end))
            query, asking = promql.last_sample, self.counting.asking
            found = await asking.instants(totals, query, end, length=2 * HOUR, fatal=False)
            for counter, figures in found.items():
                self._silent[counter] = datetime.fromtimestamp(figures[""], UTC)

    def lost_until(self, ask: Ask) -> datetime | None:
        """Until when remembered hours stand in for what the source has lost of this window; None where nothing is."""
        until = self._lost.get(promql.plain_counters_of(ask)[1])
        if until is None:
            return None
        known = self._first_remembered(ask)
        return until if known is not None and known < until else None

    def silent_since(self, ask: Ask) -> datetime | None:
        return self._silent.get(promql.plain_counters_of(ask)[1])

    def _first_remembered(self, ask: Ask) -> datetime | None:
        return self.counting.first_remembered(promql.counters_of(ask)[1], ask.window.span(self.counting.at))


def _each_day(batch: Batch, days: int) -> str:
    return promql.named({str(index): promql.present(batch, index * _DAY) for index in range(days)})
