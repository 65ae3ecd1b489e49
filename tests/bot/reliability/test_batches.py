"""Selectors that differ only in label values are asked together, and told apart again."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reliability.batches import Batch, Counter, batched
from bot.reliability.definitions import Slices


def counters(*selectors: str) -> list[Counter]:
    return [Counter((selector,)) for selector in selectors]


def test_selectors_that_differ_in_one_label_are_one_query() -> None:
    (batch,) = batched(counters('http_total{service="a",code=~"5.."}', 'http_total{service="b",code=~"5.."}'), 100)
    assert (batch.texts, batch.by) == (('http_total{code=~"5..", service=~"a|b"}',), ("service",))
    assert batch.grouping == " by (service) "
    assert batch.member({"service": "b"}) == Counter(('http_total{service="b",code=~"5.."}',))
    assert batch.member({"service": "c"}) is None


def test_labels_with_the_same_value_stay_as_they_are_and_several_may_differ() -> None:
    (batch,) = batched(counters('t{job="api",service="a",zone="x"}', 't{zone="y",service="b",job="api"}'), 100)
    assert batch.texts == ('t{job="api", service=~"a|b", zone=~"x|y"}',)
    assert batch.member({"service": "a", "zone": "y"}) is None
    assert batch.member({"service": "a", "zone": "x"}) == Counter(('t{job="api",service="a",zone="x"}',))


@pytest.mark.parametrize(
    "other",
    [
        'other_total{service="b"}',
        't{service="b",code="5"}',
        't{service=~"b"}',
        't{service!="b"}',
        't{service=""}',
        't{service="b",code!="5"}',
    ],
    ids=["name", "further label", "pattern", "negation", "absent label", "further negation"],
)
def test_whatever_differs_in_more_than_values_is_asked_alone(other: str) -> None:
    found = batched(counters('t{service="a"}', other), 100)
    assert sorted(batch.texts[0] for batch in found) == sorted(['t{service="a"}', other])
    assert {batch.by for batch in found} == {()}


def test_a_batch_has_a_limit_and_the_same_counters_always_make_the_same_batches() -> None:
    many = counters(*(f't{{service="s{index:03d}"}}' for index in range(250)))
    found = batched(many, 100)
    assert [len(batch.members) for batch in found] == [100, 100, 50]
    assert batched(reversed(many), 100) == found


def test_names_that_are_no_words_are_asked_together_in_quotes() -> None:
    """As OpenTelemetry names them and Prometheus 3 takes them."""
    (batch,) = batched(
        counters('{"http.total","service.name"="a",code="5"}', '{"http.total","service.name"="b",code="5"}'), 9
    )
    assert batch.texts == ('{__name__="http.total", code="5", "service.name"=~"a|b"}',)
    assert batch.grouping == ' by ("service.name") '


def test_one_label_that_is_asserted_and_denied_keeps_both_matchers() -> None:
    (batch,) = batched(counters('t{code="5",code!="5",s="a"}', 't{code="5",code!="5",s="b"}'), 100)
    assert batch.texts == ('t{code!="5", code="5", s=~"a|b"}',)


def test_slices_are_together_when_part_and_total_differ_alike() -> None:
    slices = Slices(timedelta(minutes=1), Decimal("0.95"))

    def counter(part: str, total: str) -> Counter:
        return Counter((f't{{s="{part}",code="5"}}', f't{{s="{total}"}}'), "bad_slices", slices)

    (together,) = batched([counter("a", "a"), counter("b", "b")], 100)
    assert (together.texts, together.by) == (('t{code="5", s=~"a|b"}', 't{s=~"a|b"}'), ("s",))
    apart = batched([counter("a", "b"), counter("b", "a")], 100)
    assert [batch.by for batch in apart] == [(), ()]


LABELS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(st.lists(LABELS, min_size=2, max_size=5, unique=True))
def test_any_label_value_finds_its_own_counter_again(values: list[str]) -> None:
    escaped = [value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for value in values]
    asked = counters(*(f't{{s="{value}"}}' for value in escaped))
    found: list[Batch] = batched(asked, 100)
    answers = {batch.member({"s": value}) for batch in found if batch.by for value in values}
    assert answers == set(asked) or all(not batch.by for batch in found)
