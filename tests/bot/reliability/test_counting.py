"""What is asked, remembered and added up: against a real Prometheus whose past is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from aiohttp import ClientSession

from bot.reliability import Prometheus
from bot.reliability.definitions import Indicator, PrometheusQuery, Slices
from bot.reliability.hours import HOUR
from bot.reliability.metrics import Ask, Failed, Measured, Method, Tally
from bot.reliability.windows import CalendarWindow, Span, Window
from tests.doubles.prometheus import AT, END, Fleet
from tests.doubles.prometheus_proxy import half, proxy
from tests.doubles.remembered import MemoryHours

FOUR_WEEKS = Window("28d", timedelta(days=28))
NAMES = ("fine", "spent", "risky", "restarts", "faultless", "few", "dead", "born", "holed", "nobody")


def indicator(service: str) -> Indicator:
    return Indicator(
        service,
        total=PrometheusQuery(f'events_total{{service="{service}"}}'),
        bad=PrometheusQuery(f'events_total{{service="{service}",code=~"5.."}}'),
    )


def ask(service: str, window: Window = FOUR_WEEKS, **more: object) -> Ask:
    return replace(Ask(indicator(service), window), **more)  # type: ignore[arg-type]


async def measure(
    url: str,
    *asks: Ask,
    at: datetime = AT,
    method: Method = "hours",
    hours: MemoryHours | None = None,
    now: datetime = AT + timedelta(days=1),
) -> Sequence[Measured | Failed]:
    prometheus = Prometheus(url, hours=hours, clock=lambda: now)
    try:
        return await prometheus.measure(asks, at, method=method)
    finally:
        await prometheus.close()


def counted(answer: Measured | Failed) -> Measured:
    assert isinstance(answer, Measured), answer
    return answer


def bad(tally: Tally) -> float:
    assert tally.part is not None
    return float(tally.part)


def total(tally: Tally) -> float:
    assert tally.total is not None
    return float(tally.total)


async def pasted_into(url: str, query: str) -> float:
    """What Prometheus itself answers to a query that was shown."""
    asked = {"query": query, "time": str(AT.timestamp())}
    async with ClientSession() as session, session.post(f"{url}/api/v1/query", data=asked) as answer:
        (sample,) = (await answer.json())["data"]["result"]
    return float(sample["value"][1])


@pytest.mark.parametrize("method", ["increase", "hours"])
async def test_an_answer_is_the_same_from_an_empty_and_from_a_warm_memory(
    prometheus_fleet: Fleet, method: Method
) -> None:
    asks = [ask(name) for name in NAMES]
    memory = MemoryHours()
    cold = await measure(prometheus_fleet.url, *asks, method=method)
    await measure(prometheus_fleet.url, *asks, at=AT - timedelta(days=3, minutes=17), hours=memory)
    warming = await measure(prometheus_fleet.url, *asks, method=method, hours=memory)
    warm = await measure(prometheus_fleet.url, *asks, method=method, hours=memory)
    assert warming == cold
    assert warm == cold


async def test_closed_hours_are_never_asked_for_again(prometheus_fleet: Fleet) -> None:
    memory = MemoryHours()
    names = ("fine", "spent", "dead", "holed")
    await measure(prometheus_fleet.url, *map(ask, names), hours=memory)
    async with proxy(prometheus_fleet.url) as between:
        await measure(between.url, *map(ask, names), hours=_moved(memory, prometheus_fleet.url, between.url))
    assert [query.form["query"] for query in between.queries if query.endpoint == "query_range"] == []


def _moved(memory: MemoryHours, source: str, to: str) -> MemoryHours:
    """The same hours as if they had come from another address."""
    return MemoryHours({name.replace(source, to): values for name, values in memory.values.items()})


async def test_a_series_that_was_left_out_of_an_answer_is_not_remembered_as_absent(prometheus_fleet: Fleet) -> None:
    memory = MemoryHours()
    for keep in (0, 1):
        async with proxy(prometheus_fleet.url, change=half(keep)) as between:
            names = ("fine", "spent", "risky", "restarts")
            cut = _moved(memory, prometheus_fleet.url, between.url)
            await measure(between.url, *map(ask, names), hours=cut)
            memory = _moved(cut, between.url, prometheus_fleet.url)
    asks = [ask(name) for name in NAMES]
    assert await measure(prometheus_fleet.url, *asks, hours=memory) == await measure(prometheus_fleet.url, *asks)


async def test_an_hour_is_remembered_once_its_samples_have_arrived(prometheus_fleet: Fleet) -> None:
    memory = MemoryHours()
    await measure(prometheus_fleet.url, ask("fine"), hours=memory, now=END + timedelta(minutes=9))
    last = {max(values) for name, values in memory.values.items() if "resets" not in name}
    assert last == {END - HOUR}


async def test_an_empty_hour_is_asked_for_again_as_long_as_an_agent_may_still_deliver_it(
    prometheus_fleet: Fleet,
) -> None:
    memory = MemoryHours()
    await measure(prometheus_fleet.url, ask("dead"), hours=memory, now=AT)
    last = {max(values) for name, values in memory.values.items() if "resets" not in name}
    assert last == {END - timedelta(hours=24)}


async def test_an_hour_in_which_samples_break_off_is_asked_for_again_as_long_as_the_rest_may_still_come(
    prometheus_fleet: Fleet,
) -> None:
    """`holed` breaks off 200 hours before the end, `fine` doesn't."""
    broken_off = END - timedelta(hours=200)
    for later, last in ((timedelta(minutes=15), broken_off - HOUR), (timedelta(hours=24, minutes=15), broken_off)):
        memory = MemoryHours()
        at = broken_off + later
        await measure(prometheus_fleet.url, ask("holed"), ask("fine"), at=at, hours=memory, now=at)
        known = {name: max(values) for name, values in memory.values.items() if "resets" not in name}
        assert {end for name, end in known.items() if "holed" in name} == {last}
        assert {end for name, end in known.items() if "fine" in name} == {at.replace(minute=0)}


async def test_another_query_starts_a_series_of_its_own(prometheus_fleet: Fleet) -> None:
    memory = MemoryHours()
    await measure(prometheus_fleet.url, ask("fine"), hours=memory)
    before = set(memory.values)
    other = Indicator(
        "fine", total=indicator("fine").total, bad=PrometheusQuery('events_total{service="fine",code="500"}')
    )
    await measure(prometheus_fleet.url, Ask(other, FOUR_WEEKS), hours=memory)
    added = set(memory.values) - before
    assert [name.split("\n")[1] for name in added] == ['events events_total{service="fine",code="500"}']


@pytest.mark.parametrize("unknown", [timedelta(), timedelta(hours=20)])
async def test_remembered_hours_stand_in_for_what_the_source_has_lost(
    prometheus_fleet: Fleet, unknown: timedelta
) -> None:
    """`born` has samples of three days only; memory knows the weeks before, as after a retention of three days.

    Maybe not all of them: it was filled for a window that was a little shorter.
    """
    memory = MemoryHours()
    await measure(prometheus_fleet.url, ask("born"), hours=memory)
    for name, values in memory.values.items():
        if name.split("\n")[1].startswith("events"):
            share = 0.1 if "code" in name else 1000.0
            values.update({end: share for end in values if end <= END - timedelta(hours=73)})
            for end in [end for end in values if end <= END - FOUR_WEEKS.length + unknown]:
                del values[end]
    asks = ask("born"), ask("born", Window("2d", timedelta(days=2)))
    found, later = map(counted, await measure(prometheus_fleet.url, *asks, method="increase", hours=memory))
    assert (later.method, later.remembered_until) == ("increase", None)  # nothing of its window is lost
    assert found.method == "hours"
    assert found.remembered_until is not None
    assert END - timedelta(days=4) < found.remembered_until < END - timedelta(days=1)
    assert sum(value < 0 for value in found.hours.total) <= unknown / HOUR + 1
    assert found.signs.hidden is None  # the source begins with the samples of series that are older
    fresh = counted((await measure(prometheus_fleet.url, ask("born")))[0])
    weeks = total(found.tally) - total(fresh.tally)
    assert weeks == pytest.approx(1000 * (28 * 24 - 73 - unknown / HOUR), rel=0.0005)


async def test_slices_whose_bad_events_begin_within_the_window_have_lost_nothing(prometheus_fleet: Fleet) -> None:
    """All that `born` has is of the last three days."""
    late = Indicator("fine", total=indicator("fine").total, bad=indicator("born").bad)
    asked = Ask(late, FOUR_WEEKS, slices=Slices(timedelta(minutes=10), Decimal("0.9")))
    memory = MemoryHours()
    cold = await measure(prometheus_fleet.url, asked, hours=memory)
    (warm,) = await measure(prometheus_fleet.url, asked, at=AT + timedelta(seconds=30), hours=memory)
    assert counted(warm).remembered_until is None
    assert counted(warm).tally == counted(cold[0]).tally


async def test_excluded_times_are_taken_out_of_bad_and_total_alike(prometheus_fleet: Fleet) -> None:
    """`spent` failed by 35 % from 100 to 97 hours before the end."""
    incident = Span(END - timedelta(hours=100, minutes=10), END - timedelta(hours=96, minutes=50))
    (whole, cut) = map(
        counted,
        await measure(prometheus_fleet.url, ask("spent"), ask("spent", excluded=(incident,)), method="increase"),
    )
    assert cut.taken_out is not None
    assert bad(cut.taken_out) == pytest.approx(0.35 * 700 * 36, rel=0.01)
    assert bad(cut.tally) == pytest.approx(bad(whole.tally) - bad(cut.taken_out))
    assert total(cut.tally) == pytest.approx(total(whole.tally) - total(cut.taken_out))
    assert bad(cut.by_hours or cut.tally) == pytest.approx(bad(cut.tally), rel=0.02)
    assert max(cut.hours.part) < 10 < max(whole.hours.part)
    assert min(cut.hours.total) >= 0


@pytest.mark.parametrize("minutes", [20, 80])
@pytest.mark.parametrize("method", ["increase", "hours"])
async def test_an_excluded_time_that_ends_within_hours_is_taken_out_to_the_minute(
    prometheus_fleet: Fleet, method: Method, minutes: int
) -> None:
    """`spent` has 140 events a minute, of which 35 % failed from 100 to 97 hours before the end."""
    start = END - timedelta(hours=99, minutes=50)
    excluded = (Span(start, start + timedelta(minutes=minutes)),)
    whole, cut = map(
        counted,
        await measure(prometheus_fleet.url, ask("spent"), ask("spent", excluded=excluded), method=method),
    )
    assert cut.taken_out is not None
    assert total(cut.taken_out) == pytest.approx(140 * minutes, rel=0.001)
    assert bad(cut.taken_out) == pytest.approx(0.35 * 140 * minutes, rel=0.001)
    for kept, all_of_it in ((cut.tally, whole.tally), (cut.by_hours, whole.by_hours)):
        assert kept is not None
        assert all_of_it is not None
        assert total(all_of_it) - total(kept) == pytest.approx(140 * minutes, rel=0.001)
        assert bad(all_of_it) - bad(kept) == pytest.approx(0.35 * 140 * minutes, rel=0.001)


async def test_samples_that_come_back_within_an_excluded_time_contradict_nothing(prometheus_fleet: Fleet) -> None:
    """`holed` has no samples until 128 hours before the end."""
    back = END - timedelta(hours=128)
    excluded = (Span(back, back + HOUR),)
    (found,) = await measure(prometheus_fleet.url, ask("holed", excluded=excluded), at=back + timedelta(minutes=30))
    assert counted(found).silent_since is None


async def test_slices_of_time_are_bad_when_too_few_of_their_events_were_good(prometheus_fleet: Fleet) -> None:
    slices = Slices(timedelta(minutes=10), Decimal("0.9"))
    good = Indicator(
        "spent",
        total=indicator("spent").total,
        good=PrometheusQuery('events_total{service="spent",code!~"5.."}'),
    )
    for counted_by in (indicator("spent"), good):
        (found,) = map(
            counted,
            await measure(prometheus_fleet.url, Ask(counted_by, FOUR_WEEKS, slices=slices), method="increase"),
        )
        assert found.method == "hours"
        assert bad(found.tally) == pytest.approx(18, abs=1)
        assert total(found.tally) == pytest.approx(28 * 144, abs=2)
        pasted = [await pasted_into(prometheus_fleet.url, query) for query in found.queries.values()]
        assert pasted == [bad(found.tally), total(found.tally)]


async def test_a_window_shorter_than_a_day_is_tiled_finely_and_not_remembered(prometheus_fleet: Fleet) -> None:
    memory = MemoryHours()
    window = Window("6h", timedelta(hours=6))
    (found,) = map(counted, await measure(prometheus_fleet.url, ask("fine", window), method="increase", hours=memory))
    assert (found.hours.step, len(found.hours)) == (timedelta(minutes=15), 24)
    assert found.by_hours is not None
    assert total(found.by_hours) == pytest.approx(total(found.tally), rel=0.01)


@pytest.mark.parametrize("method", ["increase", "hours"])
async def test_a_window_shorter_than_a_day_counts_neither_what_is_excluded_nor_what_came_before(
    prometheus_fleet: Fleet, method: Method
) -> None:
    """`spent` has 140 events a minute, of which 35 % failed from 100 to 97 hours before the end.

    Samples are five minutes apart: each border is known to the nearest one.
    """
    at, window = END - timedelta(hours=96, minutes=15), Window("135m", timedelta(minutes=135))
    excluded = (Span(END - timedelta(hours=98), END - timedelta(hours=97, minutes=30)),)
    asks = ask("spent", window), ask("spent", window, excluded=excluded)
    whole, cut = map(counted, await measure(prometheus_fleet.url, *asks, at=at, method=method))
    for found, minutes in ((whole, 90), (cut, 60)):
        assert bad(found.tally) == pytest.approx(0.35 * 140 * minutes, rel=0.1)
        assert found.by_hours is not None
        assert bad(found.by_hours) == pytest.approx(0.35 * 140 * minutes, rel=0.1)
        assert math.fsum(found.hours.part) == pytest.approx(0.35 * 140 * minutes, rel=0.1)


async def test_short_windows_are_asked_together_too(prometheus_fleet: Fleet) -> None:
    """The first day of a month is one for a whole fleet."""
    six_hours, queries = Window("6h", timedelta(hours=6)), []
    for names in (("fine",), ("fine", "spent", "risky", "restarts")):
        async with proxy(prometheus_fleet.url) as between:
            found = await measure(between.url, *(ask(name, six_hours) for name in names))
            queries.append(len([query for query in between.queries if query.endpoint == "query_range"]))
        alone = [(await measure(prometheus_fleet.url, ask(name, six_hours)))[0] for name in names]
        assert [counted(one).hours for one in found] == [counted(one).hours for one in alone]
    assert queries[0] == queries[1]


@pytest.mark.parametrize("method", ["increase", "hours"])
async def test_a_broken_part_of_a_day_is_counted_from_where_the_day_begins(
    prometheus_fleet: Fleet, method: Method
) -> None:
    """Where `spent` stops failing a day begins in Phoenix."""
    start = END - timedelta(hours=97)
    day = CalendarWindow.of(1, "d", datetime(2026, 1, 1), "America/Phoenix")  # noqa: DTZ001 - local by its nature
    at = start + timedelta(hours=11, minutes=7, seconds=23)
    (found,) = map(counted, await measure(prometheus_fleet.url, ask("spent", day), at=at, method=method))
    (same,) = map(
        counted, await measure(prometheus_fleet.url, ask("spent", Window("day", at - start)), at=at, method="increase")
    )
    assert found.hours.end_of(len(found.hours) - 1) - len(found.hours) * found.hours.step == pytest.approx(
        start, abs=timedelta(seconds=1)
    )
    assert total(found.tally) == pytest.approx(total(same.tally), rel=0.002)
    assert bad(found.tally) == pytest.approx(0.0003 * total(found.tally), rel=0.1)


@pytest.mark.parametrize("method", ["increase", "hours"])
async def test_the_first_minutes_of_a_period_are_counted_from_the_samples_around_its_start(
    prometheus_fleet: Fleet, method: Method
) -> None:
    """Samples are five minutes apart."""
    day = CalendarWindow.of(1, "d", datetime(2026, 1, 1), "UTC")  # noqa: DTZ001 - local by its nature
    at = END - timedelta(hours=8) + timedelta(minutes=4)
    sparse = ask("fine", day, sparse_below=Fraction(10_000))
    (found,) = map(counted, await measure(prometheus_fleet.url, sparse, at=at, method=method))
    assert found.method == "hours"
    assert total(found.tally) == pytest.approx(4 * 140, rel=0.01)


@pytest.mark.parametrize("method", ["increase", "hours"])
async def test_a_slice_belongs_to_where_it_ends(prometheus_fleet: Fleet, method: Method) -> None:
    """`spent` failed from 100 to 97 hours before the end; each slice reaches one sample further back."""
    slices, window = Slices(timedelta(minutes=10), Decimal("0.8")), Window("3h", timedelta(hours=3))
    at = END - timedelta(hours=97)
    excluded = (Span(at - timedelta(minutes=140), at - timedelta(minutes=120)),)
    asks = ask("spent", window, slices=slices), ask("spent", window, slices=slices, excluded=excluded)
    whole, cut = map(counted, await measure(prometheus_fleet.url, *asks, at=at, method=method))
    assert whole.tally == Tally(Fraction(18), Fraction(18))
    assert (cut.tally, cut.taken_out) == (Tally(Fraction(16), Fraction(16)), Tally(Fraction(2), Fraction(2)))


async def test_a_calendar_window_begins_with_its_period(prometheus_fleet: Fleet) -> None:
    month = CalendarWindow.of(1, "M", datetime(2026, 1, 1), "Asia/Kolkata")  # noqa: DTZ001 - local by its nature
    (found,) = map(counted, await measure(prometheus_fleet.url, ask("fine", month), method="increase"))
    start = datetime(2026, 10, 31, 18, 30, tzinfo=UTC)
    since = Window("since", AT - start)
    (same,) = map(counted, await measure(prometheus_fleet.url, ask("fine", since), method="increase"))
    assert found.tally == same.tally
    assert found.hours.end_of(0) == datetime(2026, 10, 31, 19, tzinfo=UTC)
    assert found.by_hours is not None
    assert total(found.by_hours) == pytest.approx(total(found.tally), rel=0.001)


async def test_no_query_reads_more_than_its_limit_and_one_that_would_is_answered_by_hours(
    prometheus_fleet: Fleet,
) -> None:
    most = 10_000  # 28 days of one service are 4 series x 8,064 samples
    async with proxy(prometheus_fleet.url, stats=True) as between:
        prometheus = Prometheus(between.url, max_samples=most, clock=lambda: AT)
        found = await prometheus.measure([ask("fine"), ask("spent")], AT, method="increase")
        await prometheus.close()
    assert [counted(item).method for item in found] == ["hours", "hours"]
    assert max(query.samples for query in between.queries) <= most * 1.2
    whole = await measure(prometheus_fleet.url, ask("fine"), ask("spent"))
    assert [counted(item).tally for item in found] == [counted(item).tally for item in whole]


async def test_few_events_are_counted_by_one_increase_also_where_hours_are_asked(prometheus_fleet: Fleet) -> None:
    sparse = ask("few", sparse_below=Fraction(10_000))
    (by_hours, by_increase) = map(
        counted,
        [
            (await measure(prometheus_fleet.url, sparse))[0],
            (await measure(prometheus_fleet.url, sparse, method="increase"))[0],
        ],
    )
    assert (by_hours.method, by_hours.tally) == ("increase", by_increase.tally)


async def test_errors_in_a_new_series_first_sample_are_found(prometheus_fleet: Fleet) -> None:
    found = {
        name: counted(answer).signs
        for name, answer in zip(
            ("fine", "born", "faultless"),
            await measure(prometheus_fleet.url, ask("fine"), ask("born"), ask("faultless"), method="increase"),
            strict=True,
        )
    }
    assert found["fine"].hidden is None
    assert (found["fine"].series_seen, found["fine"].series_now, found["fine"].part_seen) == (4, 4, 2)
    assert found["faultless"].part_seen == 0
    hidden = found["born"].hidden
    assert hidden is not None
    assert float(hidden) == pytest.approx(0.04)  # of both pods, from the step in which they began
