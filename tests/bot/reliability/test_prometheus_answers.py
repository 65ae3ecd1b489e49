"""Reading answers piece by piece: the same as reading them whole, without keeping anybody waiting."""

from __future__ import annotations

import asyncio
import json
import time
from array import array
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.reliability.prometheus_answers import Range, Samples, Unexpected, read
from tests.doubles.loop import longest_hold

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)
ITEMS = st.lists(VALUES, max_size=5)
DATA = ITEMS | VALUES | st.fixed_dictionaries({"result": ITEMS}, optional={"resultType": VALUES, "other": VALUES})


def same(item: Any) -> Any:
    return item


@settings(deadline=None)
@given(
    before=st.dictionaries(st.text(max_size=4), VALUES, max_size=3),
    data=DATA,
    after=st.dictionaries(st.text(max_size=4), VALUES, max_size=3),
    indent=st.sampled_from([None, 1]),
)
def test_an_answer_read_in_pieces_is_the_answer_read_whole(
    before: dict[str, Any], data: Any, after: dict[str, Any], indent: int | None
) -> None:
    whole = {**before, "data": data, **{name: value for name, value in after.items() if name not in before}}
    found = asyncio.run(read(json.dumps(whole, indent=indent).encode(), same))
    whole = json.loads(json.dumps(whole))
    expected, items = whole["data"], None
    if isinstance(expected, list):
        items, whole["data"] = expected, None
    elif isinstance(expected, dict) and isinstance(expected.get("result"), list):
        items = expected.pop("result")
    assert (found.fields, found.items, found.listed, found.problem) == (whole, items or [], items is not None, None)


@settings(deadline=None)
@given(st.binary(max_size=30) | st.text(alphabet='{}[]":,\\ u0a1-', max_size=30).map(str.encode))
def test_whatever_is_no_object_of_json_is_refused_and_nothing_else(body: bytes) -> None:
    try:
        whole = json.loads(body.decode())
    except ValueError:
        whole = None
    if isinstance(whole, dict):
        asyncio.run(read(body, same))
    else:
        with pytest.raises(ValueError):  # noqa: PT011 - any of them
            asyncio.run(read(body, same))


@pytest.mark.parametrize("cut", range(1, 60, 3))
async def test_half_an_answer_is_none(cut: int) -> None:
    body = b'{"status": "success", "data": {"resultType": "vector", "result": [{"a": [1, "2"]}]}}'
    with pytest.raises(ValueError):  # noqa: PT011 - any of them
        await read(body[:-cut], same)


async def test_what_is_wrong_with_the_first_odd_item_is_said_and_the_rest_is_still_looked_through() -> None:
    def even(item: Any) -> Any:
        if item % 2:
            raise Unexpected(f"{item} is odd")
        return item

    found = await read(b'{"data": {"result": [2, 3, 4, 5]}, "warnings": ["half"]}', even)
    assert (found.items, found.problem, found.fields["warnings"]) == ([2], "3 is odd", ["half"])


async def test_a_large_answer_keeps_nobody_waiting() -> None:
    points, many = 672, 1_000
    times = array("d", [1.7e9 + 3600 * index for index in range(points)])
    values = ",".join(f'[{at:.3f},"{at / 7:.9f}"]' for at in times)
    series = ",".join(f'{{"metric":{{"service":"s{number}"}},"values":[{values}]}}' for number in range(many))
    body = f'{{"status":"success","data":{{"resultType":"matrix","result":[{series}]}}}}'.encode()
    found: list[Any] = []

    async def reading() -> None:
        found.extend((await read(body, Range(times))).items)

    assert len(body) > 20_000_000
    began = time.monotonic()
    held = await longest_hold(reading())
    assert held < (time.monotonic() - began) / 3  # in turns, however busy the machine is
    assert [len(item.values) for item in found] == [points] * many


def test_samples_are_a_sequence_of_pairs() -> None:
    samples = Samples(array("d", [1.0, 2.0, 3.0]), array("d", [4.0, 5.0, 6.0]))
    pairs = [(1.0, 4.0), (2.0, 5.0), (3.0, 6.0)]
    assert (list(samples), len(samples), samples[0], samples[-1]) == (pairs, 3, pairs[0], pairs[-1])
    assert samples[1:] == pairs[1:]
    assert (samples == pairs, samples == pairs[:2], samples != [*pairs[:2], (3.0, 7.0)]) == (True, False, True)
    assert repr(samples) == f"Samples({pairs})"
