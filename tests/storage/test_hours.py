"""Closed hours are remembered as they were first known, by workspace and by what was asked."""

from __future__ import annotations

import asyncio
import math
import random
import threading
from array import array
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from bot.reliability.hours import ABSENT, HOUR, UNKNOWN, Column
from storage import Store, open_store
from storage.hours import SqlHours
from tests.storage.examples import ask

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
BAD = 'http://prometheus:9090 sum by (service) (increase(errors_total{service="checkout"}[1h]))'
TOTAL = 'http://prometheus:9090 sum by (service) (increase(requests_total{service="checkout"}[1h]))'
LONGEST = 2_000  # hours: more than a quarter of a year


def column(first: datetime, *values: float) -> Column:
    return Column(first, array("d", values))


def shown(columns: Mapping[str, Column]) -> dict[str, tuple[datetime, list[float | None]]]:
    """Comparable: NaN isn't itself."""
    return {
        series: (found.first, [None if math.isnan(value) else value for value in found.values])
        for series, found in columns.items()
    }


async def test_hours_come_back_as_they_were_kept_and_none_beside_them(store: Store):
    hours = store.hours("T1")
    await hours.keep({BAD: column(NOON, 0.0, 1.5, ABSENT), TOTAL: column(NOON + HOUR, 1 / 3)})
    found = await hours.load([BAD, TOTAL, "never asked"], NOON - HOUR, NOON + 3 * HOUR)
    first = NOON - HOUR
    assert shown(found) == {
        BAD: (first, [None, 0.0, 1.5, ABSENT, None]),
        TOTAL: (first, [None, None, 1 / 3, None, None]),
    }
    assert all(one.first.tzinfo is UTC for one in found.values())


async def test_a_series_with_nothing_known_in_that_time_is_left_out(store: Store):
    hours = store.hours("T1")
    await hours.keep({BAD: column(NOON, 1.0), TOTAL: column(NOON, UNKNOWN)})
    assert await hours.load([BAD], NOON + HOUR, NOON + 3 * HOUR) == {}  # of the same week
    assert await hours.load([BAD], NOON + 500 * HOUR, NOON + 900 * HOUR) == {}
    assert await hours.load([TOTAL], NOON, NOON) == {}
    assert await hours.load([], NOON, NOON) == {}
    assert await hours.load([BAD], NOON, NOON - HOUR) == {}
    await hours.keep({})


async def test_only_full_hours_within_the_time_are_loaded(store: Store):
    hours = store.hours("T1")
    await hours.keep({BAD: column(NOON, 1.0, 2.0, 3.0, 4.0)})
    minute = timedelta(minutes=1)
    found = await hours.load([BAD], NOON + minute, NOON + 3 * HOUR - minute)
    assert shown(found) == {BAD: (NOON + HOUR, [2.0, 3.0])}
    assert await hours.load([BAD], NOON + minute, NOON + 2 * minute) == {}


async def test_hours_are_the_same_instants_in_whatever_zone_they_are_asked_for(store: Store):
    hours = store.hours("T1")
    berlin = timezone(timedelta(hours=1))
    await hours.keep({BAD: column(NOON.astimezone(berlin), 7.0)})
    found = await hours.load([BAD], NOON.astimezone(berlin), NOON)
    assert shown(found) == {BAD: (NOON, [7.0])}


async def test_a_column_that_begins_within_an_hour_or_nowhere_is_refused(store: Store):
    hours = store.hours("T1")
    with pytest.raises(ValueError, match="a column begins at a full hour, not at 2026-11-23T12:30:00"):
        await hours.keep({BAD: column(NOON, 1.0), TOTAL: column(NOON + HOUR / 2, 1.0)})
    with pytest.raises(ValueError, match="naive time"):
        await hours.keep({BAD: column(NOON.replace(tzinfo=None), 1.0)})
    with pytest.raises(ValueError, match="naive time"):
        await hours.load([BAD], NOON.replace(tzinfo=None), NOON)
    assert await hours.load([BAD], NOON, NOON) == {}


async def test_what_is_known_stays_and_only_what_is_unknown_is_filled(store: Store):
    hours = store.hours("T1")
    await hours.keep({BAD: column(NOON, 1.0, UNKNOWN, ABSENT, 0.0)})
    await hours.keep({BAD: column(NOON - HOUR, 5.0, 9.0, 2.0, 9.0, 9.0, UNKNOWN)})
    await hours.keep({BAD: column(NOON - HOUR, *[UNKNOWN] * 6)})
    found = await hours.load([BAD], NOON - HOUR, NOON + 4 * HOUR)
    assert shown(found) == {BAD: (NOON - HOUR, [5.0, 1.0, 2.0, ABSENT, 0.0, None])}


async def test_months_of_hours_come_back_whole_over_every_border(store: Store):
    hours = store.hours("T1")
    first = NOON - LONGEST * HOUR
    values = [float(number) for number in range(LONGEST)]
    await hours.keep({BAD: column(first, *values)})
    assert shown(await hours.load([BAD], first, NOON - HOUR)) == {BAD: (first, values)}
    for start in range(0, 400, 7):
        end = start + 3 * start % 500
        found = await hours.load([BAD], first + start * HOUR, first + end * HOUR)
        assert shown(found) == {BAD: (first + start * HOUR, values[start : end + 1])}


async def test_hours_before_the_epoch_are_hours_too(store: Store):
    hours = store.hours("T1")
    first = datetime(1969, 12, 31, 22, tzinfo=UTC)
    await hours.keep({BAD: column(first, 1.0, 2.0, 3.0, 4.0)})
    assert shown(await hours.load([BAD], first, first + 3 * HOUR)) == {BAD: (first, [1.0, 2.0, 3.0, 4.0])}


async def test_a_number_of_events_comes_back_to_the_last_bit(store: Store):
    hours = store.hours("T1")
    exact = [0.1 + 0.2, 1e-300, 2.0**53 + 2, math.nextafter(60.0, 61.0), math.inf, 0.0]
    await hours.keep({BAD: column(NOON, *exact)})
    assert shown(await hours.load([BAD], NOON, NOON + 5 * HOUR)) == {BAD: (NOON, exact)}


async def test_each_workspace_remembers_for_itself(store: Store):
    await store.hours("T1").keep({BAD: column(NOON, 1.0)})
    await store.hours("T2").keep({BAD: column(NOON, 2.0)})
    assert shown(await store.hours("T1").load([BAD], NOON, NOON)) == {BAD: (NOON, [1.0])}
    assert shown(await store.hours("T2").load([BAD], NOON, NOON)) == {BAD: (NOON, [2.0])}
    assert await store.hours("T3").load([BAD], NOON, NOON) == {}


async def test_a_series_is_known_by_its_whole_text(store: Store):
    hours = store.hours("T1")
    long = "x" * 20_000
    odd = [
        long,
        f"{long} ",
        "%s '; DROP TABLE hour_series; --",
        "nul \0",
        "nul \ufffd",
        "é",
        "e\u0301",
        "E\u0301",
        "",
        " ",
    ]
    kept = {series: column(NOON, float(number)) for number, series in enumerate(odd)}
    await hours.keep(kept)
    assert shown(await hours.load([*odd, *odd, "nul"], NOON, NOON)) == shown(kept)


async def test_more_series_than_fit_into_one_question_are_told_apart(store: Store):
    hours = store.hours("T1")
    many = {f"series {number}": column(NOON, float(number)) for number in range(1_234)}
    await hours.keep(many)
    assert shown(await hours.load(list(many), NOON, NOON)) == shown(many)


async def test_a_request_is_stored_in_between_however_many_hours_are_kept(store: Store):
    many = {f"series {number}": column(NOON, float(number)) for number in range(5_000)}
    keeping = asyncio.create_task(store.hours("T1").keep(many))
    await asyncio.sleep(0)
    assert await store.inbox.put(ask()) is True
    assert not keeping.done()
    await keeping


async def test_what_one_process_kept_another_one_knows(url: str):
    async with open_store(url) as before:
        await before.hours("T1").keep({BAD: column(NOON, 1.0)})
    async with open_store(url) as after:
        assert shown(await after.hours("T1").load([BAD], NOON, NOON)) == {BAD: (NOON, [1.0])}


async def test_replicas_that_keep_at_once_lose_no_hour_and_never_meet_an_error(url: str):
    """Each knows other hours of the same weeks, in another order; some hours they all know."""
    series = [f"series {number}" for number in range(12)]
    length, first = 400, NOON - 400 * HOUR
    chance = random.Random(4)  # noqa: S311  the same order on every run

    def part(replica: int, number: int) -> dict[str, Column]:
        own = [float(hour) if (hour + number) % 4 == replica or hour % 50 == 0 else UNKNOWN for hour in range(length)]
        shuffled = chance.sample(series, len(series))
        return {name: column(first, *own) for name in shuffled}

    async with open_store(url) as one, open_store(url) as two, open_store(url) as three, open_store(url) as four:
        stores = [one, two, three, four]
        await asyncio.gather(
            *(
                store.hours("T1").keep(part(replica, number))
                for number in range(4)
                for replica, store in enumerate(stores)
            )
        )
        found = await one.hours("T1").load(series, first, first + (length - 1) * HOUR)
    assert shown(found) == {name: (first, [float(hour) for hour in range(length)]) for name in series}


async def test_of_two_that_know_an_hour_differently_one_stands_for_good(url: str):
    async with open_store(url) as one, open_store(url) as two:
        series = [f"series {number}" for number in range(300)]
        for first in (NOON, NOON + 200 * HOUR):  # at first the series are new, then only the week is
            await asyncio.gather(
                one.hours("T1").keep({name: column(first, 1.0, 1.0) for name in series}),
                two.hours("T1").keep({name: column(first, 2.0, 2.0) for name in reversed(series)}),
            )
            kept = await one.hours("T1").load(series, first, first + HOUR)
            assert {tuple(kept[name].values) for name in series} <= {(1.0, 1.0), (2.0, 2.0)}
            await two.hours("T1").keep({name: column(first, 3.0, 3.0) for name in series})
            assert shown(await two.hours("T1").load(series, first, first + HOUR)) == shown(kept)


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_a_replica_that_is_slow_to_commit_is_waited_for_and_its_hours_stand(url: str):
    async with open_store(url) as slow, open_store(url) as fast:
        written, go_on = threading.Event(), threading.Event()

        def keep_slowly(connection):
            SqlHours(slow._db, "T1")._keep(connection, [(BAD, column(NOON, 1.0)), (TOTAL, column(NOON, 2.0, 3.0))])
            written.set()
            assert go_on.wait(30)

        slowly = asyncio.create_task(slow._db.write(keep_slowly))
        assert await asyncio.to_thread(written.wait, 30)
        late = {TOTAL: column(NOON - HOUR, 8.0, 8.0), BAD: column(NOON, 9.0, 9.0)}
        waiting = asyncio.create_task(fast.hours("T1").keep(late))
        while not await slow._db.read(lambda c: c.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))):
            await slow.inbox.wait(0.01)
        assert await slow.hours("T1").load([BAD, TOTAL], NOON, NOON) == {}
        go_on.set()
        await asyncio.gather(slowly, waiting)
        found = await slow.hours("T1").load([BAD, TOTAL], NOON - HOUR, NOON + HOUR)
    assert shown(found) == {
        BAD: (NOON - HOUR, [None, 1.0, 9.0]),
        TOTAL: (NOON - HOUR, [8.0, 2.0, 3.0]),
    }


_hours = st.lists(st.sampled_from([UNKNOWN, ABSENT, 0.0, 1.0, 2.5]), min_size=1, max_size=8)
_starts = st.integers(160, 175)  # about where one week ends
_offers = st.lists(
    st.dictionaries(st.sampled_from(["a", "b"]), st.tuples(_starts, _hours), max_size=2), min_size=1, max_size=5
)
_numbers = iter(range(1_000_000))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(offers=_offers)
async def test_any_history_leaves_the_first_that_was_known_of_each_hour(
    store: Store, offers: Sequence[dict[str, tuple[int, list[float]]]]
):
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    hours = store.hours(f"T{next(_numbers)}")
    expected: dict[str, dict[int, float]] = {}
    for offer in offers:
        await hours.keep({name: column(epoch + start * HOUR, *values) for name, (start, values) in offer.items()})
        for name, (start, values) in offer.items():
            for hour, value in enumerate(values, start):
                if not math.isnan(value):
                    expected.setdefault(name, {}).setdefault(hour, value)
    found = await hours.load(["a", "b"], epoch + 160 * HOUR, epoch + 182 * HOUR)
    assert shown(found) == {
        name: (epoch + 160 * HOUR, [known.get(hour) for hour in range(160, 183)]) for name, known in expected.items()
    }


async def test_a_name_says_since_when_it_asks_another_question(store: Store):
    hours = store.hours("T1")
    later, latest = NOON + HOUR, NOON + timedelta(days=9)
    assert await hours.registered({"checkout/availability": "a", "search/latency": "x"}, NOON) == {}
    assert await hours.registered({"checkout/availability": "a"}, later) == {}
    assert await hours.registered({"checkout/availability": "b", "search/latency": "x"}, later) == {
        "checkout/availability": later
    }
    assert await hours.registered({"checkout/availability": "b"}, latest) == {"checkout/availability": later}
    assert await hours.registered({"checkout/availability": "a"}, latest) == {"checkout/availability": latest}
    assert await hours.registered({"search/latency": "x"}, latest) == {}
    assert await hours.registered({}, latest) == {}
    assert await store.hours("T2").registered({"checkout/availability": "c"}, latest) == {}


async def test_many_names_are_registered_at_once(store: Store):
    hours = store.hours("T1")
    before = {f"name {number}": f"question {number}" for number in range(1_100)}
    after = {name: f"{question}!" if name.endswith("7") else question for name, question in before.items()}
    assert await hours.registered(before, NOON) == {}
    changed = {name: NOON + HOUR for name in before if name.endswith("7")}
    assert await hours.registered(after, NOON + HOUR) == changed
    assert await hours.registered(after, NOON + 2 * HOUR) == changed


async def test_replicas_that_see_a_change_at_once_agree_since_when(url: str):
    names = [f"name {number}" for number in range(40)]
    async with open_store(url) as one, open_store(url) as two:
        stores = [one, two] * 3
        firsts = await asyncio.gather(
            *(store.hours("T1").registered(dict.fromkeys(names, "a"), NOON) for store in stores)
        )
        said = await asyncio.gather(
            *(
                store.hours("T1").registered(dict.fromkeys(names[:: (-1) ** number], "b"), NOON + number * HOUR)
                for number, store in enumerate(stores)
            )
        )
        known = await one.hours("T1").registered(dict.fromkeys(names, "b"), NOON + timedelta(days=1))
    assert firsts == [{}] * 6
    assert said == [known] * 6
    assert set(known) == set(names)
