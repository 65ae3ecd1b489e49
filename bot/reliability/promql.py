"""The PromQL that counts a batch's events, and the reading of what comes back; no network here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.reliability.batches import Batch, Counter
from bot.reliability.definitions import PrometheusQuery, Slices
from bot.reliability.hours import HOUR, hour_floor
from bot.reliability.metrics import Ask
from bot.reliability.windows import Span

BESIDE_SCRAPES = timedelta(milliseconds=123)  # tiles that meet on a scrape would count its sample twice before 3.0
USUAL_SCRAPE = timedelta(seconds=60)
FIGURE = "director_figure"
_SCRAPES = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600)  # seconds that people configure


def counters_of(ask: Ask) -> tuple[Counter, Counter]:
    """What stands for the ask's part and total."""
    if ask.slices is None:
        return plain_counters_of(ask)
    both, counts_bad = selectors_of(ask), ask.indicator.counts_bad
    return Counter(both, "bad_slices", ask.slices, counts_bad), Counter(both, "slices", ask.slices, counts_bad)


def plain_counters_of(ask: Ask) -> tuple[Counter, Counter]:
    """The selectors behind part and total, of slices, too: they tell which series and samples there are."""
    part, total = selectors_of(ask)
    return Counter((part,)), Counter((total,))


def selectors_of(ask: Ask) -> tuple[str, str]:
    """Part and total. Raises TypeError for an indicator of another kind of source."""
    part, total = ask.indicator.part, ask.indicator.total
    if not isinstance(part, PrometheusQuery) or not isinstance(total, PrometheusQuery):
        raise TypeError("Prometheus answers only PromQL")
    return part.selector, total.selector


def shown(ask: Ask, at: datetime, scrape: timedelta) -> dict[str, str]:
    """What stands behind the headline figures, ready to paste into Prometheus. Slices reach one scrape further back."""
    length = ask.window.span(at).length
    part, total = counters_of(ask)
    kind, back = "bad" if ask.counts_bad else "good", scrape if ask.slices is not None else None
    return {kind: counted(alone(part), length, back), "total": counted(alone(total), length, back)}


def alone(counter: Counter) -> Batch:
    return Batch((counter,), counter.selectors, ())


def promql_duration(length: timedelta) -> str:
    """`28d`, `1h`, `3660s`, `2447123ms`: the largest single unit that divides it."""
    milliseconds = round(length / timedelta(milliseconds=1))
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


# --- what is asked -------------------------------------------------------------------------------------------------


def counted(batch: Batch, length: timedelta, scrape: timedelta | None = None, back: timedelta = timedelta()) -> str:
    """Events of each member in the stretch of this length that ends at the evaluation, or so much before it (`back`).

    With `scrape` it reaches one scrape further back and is scaled, so that stretches that lie side by side lose no
    increase between them (measured against known truth: at most 0.25 points of budget over four weeks).
    """
    counter = batch.members[0]
    offset = f" offset {promql_duration(back)}" if back else ""
    if counter.role == "resets":
        return resets(batch, length, back)
    if counter.slices is not None:
        return _sliced(batch, counter.slices, length, scrape, offset)
    if scrape is None:
        return f"sum{batch.grouping}(increase({batch.texts[0]}[{promql_duration(length)}]{offset}))"
    reach = length + scrape
    scale = f" * {length / reach!r}"
    return f"sum{batch.grouping}(increase({batch.texts[0]}[{promql_duration(reach)}]{offset})){scale}"


def _sliced(batch: Batch, slices: Slices, length: timedelta, scrape: timedelta | None, offset: str) -> str:
    counter = batch.members[0]
    reach = promql_duration(slices.length + (scrape if scrape is not None else USUAL_SCRAPE))
    part, total = (f"sum{batch.grouping}(increase({text}[{reach}]))" for text in batch.texts)
    stretch = f"[{promql_duration(length)}:{promql_duration(slices.length)}]{offset}"
    if counter.role == "slices":
        return f"count_over_time(({total}){stretch})"
    if counter.counts_bad:
        wrong = f"({part}) / ({total}) > bool {1 - slices.target}"
    else:
        wrong = f"(({part}) or 0 * ({total})) / ({total}) < bool {slices.target}"
    return f"sum_over_time(({wrong}){stretch})"


def pulse(batch: Batch, stale_after: timedelta) -> str:
    """How many samples the busiest series had in the last hour and in the quarter of an hour with most of them.

    And how many series had any, and whether there are any lately (which "series" tells where that is an hour, too).
    """
    lately = f"count_over_time({batch.texts[0]}[1h])"
    figures = {
        "samples": f"max{batch.grouping}({lately})",
        "densest": f"max{batch.grouping}(max_over_time(count_over_time({batch.texts[0]}[15m])[1h:15m]))",
        "series": f"count{batch.grouping}({lately})",
    }
    if stale_after != HOUR:
        figures["fresh"] = f"max{batch.grouping}(count_over_time({batch.texts[0]}[{promql_duration(stale_after)}]))"
    return named(figures)


def last_sample(batch: Batch) -> str:
    """The time of the last sample in the two hours before the evaluation."""
    return f"max{batch.grouping}(max_over_time(timestamp({batch.texts[0]})[2h:1m]))"


def present(batch: Batch, back: timedelta = timedelta()) -> str:
    """How many series have a sample in the hour before the evaluation, or so much before it (`back`)."""
    offset = f" offset {promql_duration(back)}" if back else ""
    return f"count{batch.grouping}(last_over_time({batch.texts[0]}[1h]{offset}))"


def hidden(batch: Batch, window: timedelta) -> str:
    """Events in the first samples of series that began within the window: no increase sees them.

    A series is new when it had no sample in the day before the window. Its least value is that of its first sample,
    or less where the counter began again: a lower bound.
    """
    text, length = batch.texts[0], promql_duration(window)
    known = f"last_over_time({text}[1d] offset {length})"
    # Whoever lives has an answer, so that one that is missing is noticed.
    return f"sum{batch.grouping}(min_over_time({text}[{length}]) unless {known}) or 0 * {present(batch)}"


def resets(batch: Batch, length: timedelta, back: timedelta = timedelta()) -> str:
    """How often the counter that did so most began again: a restart shows in every counter of its process."""
    offset = f" offset {promql_duration(back)}" if back else ""
    return f"max{batch.grouping}(resets({batch.texts[0]}[{promql_duration(length)}]{offset}))"


def named(figures: Mapping[str, str]) -> str:
    """Several figures in one evaluation, told apart by a label of ours."""
    return " or ".join(f'label_replace({query}, "{FIGURE}", "{name}", "", "")' for name, query in figures.items())


# --- when it is asked ----------------------------------------------------------------------------------------------


def scrape_of(samples: float, densest: float = 0.0) -> timedelta | None:
    """The distance of samples, from how many a series has in an hour; None when there are too few to say.

    `densest` is how many of them a quarter of the hour has at most: an hour with a gap in it must not look like other
    samples than before, or nothing that is remembered would fit it. Few samples that stand alone are far apart.
    """
    if samples < 4 and (samples < 1 or densest > 1):
        return None
    apart = 900 / densest if densest >= 3 else 3600 / samples
    return timedelta(seconds=min(_SCRAPES, key=lambda usual: abs(usual - apart) / usual))


def moment_of(end: datetime, *, sliced: bool = False) -> datetime:
    """When a stretch that ends there is asked for: a full hour a little early, beside the scrapes.

    Slices a little late: the one that ends there belongs to the stretch, and the one that ends with it before doesn't.
    """
    if sliced:
        return end + BESIDE_SCRAPES
    return end - BESIDE_SCRAPES if hour_floor(end) == end else end


@dataclass(frozen=True)
class Stretch:
    """Where an evaluation ends and how far back it counts."""

    at: datetime
    length: timedelta

    @classmethod
    def of(cls, span: Span, *, sliced: bool = False) -> Stretch:
        at = moment_of(span.end, sliced=sliced)
        return cls(at, at - moment_of(span.start, sliced=sliced))


def tile_of(window: timedelta, shortest: timedelta) -> timedelta:
    """The 24th part of a window shorter than a day, so that coverage shows; or less parts, each at least `shortest`."""
    amount = max(1, min(24, window // shortest))
    return timedelta(milliseconds=window // timedelta(milliseconds=amount))


def tile_ends(at: datetime, window: timedelta, tile: timedelta) -> tuple[datetime, ...]:
    """Ends of the tiles that fill the window up to `at`, oldest first."""
    last = at.astimezone(UTC) - BESIDE_SCRAPES
    return tuple(last - index * tile for index in reversed(range(window // tile)))
