"""Whatever stands in an SLO file, it is read or refused with mistakes; nothing else comes out."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.reliability import DefinitionError, load_definitions

WHOLE: list[dict[str, Any]] = [
    {"apiVersion": "openslo/v1", "kind": "Service", "metadata": {"name": "shop"}, "spec": {"description": "x"}},
    {
        "apiVersion": "openslo/v1",
        "kind": "SLI",
        "metadata": {"name": "ratio"},
        "spec": {
            "ratioMetric": {
                "counter": True,
                "good": {"metricSource": {"type": "Prometheus", "spec": {"query": "good"}}},
                "total": {"metricSource": {"type": "Prometheus", "spec": {"query": "total"}}},
            }
        },
    },
    {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": "shop-slo"},
        "spec": {
            "service": "shop",
            "indicatorRef": "ratio",
            "timeWindow": [{"duration": "28d", "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [{"displayName": "a", "target": 0.99}],
        },
    },
    {
        "apiVersion": "openslo/v1",
        "kind": "DataSource",
        "metadata": {"name": "main", "labels": {"env": ["prod"]}},
        "spec": {"type": "Prometheus", "connectionDetails": [{"url": "http://prometheus"}]},
    },
    {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": "shop-latency"},
        "spec": {
            "service": "shop",
            "indicator": {
                "spec": {
                    "thresholdMetric": {
                        "metricSource": {"metricSourceRef": "main", "spec": {"query": 'x_bucket{job="shop"}'}}
                    }
                }
            },
            "timeWindow": [
                {
                    "duration": "1M",
                    "isRolling": False,
                    "calendar": {"startTime": "2026-01-01 00:00:00", "timeZone": "Europe/Berlin"},
                }
            ],
            "budgetingMethod": "Timeslices",
            "objectives": [
                {"op": "lte", "value": 0.25, "target": 0.99, "timeSliceTarget": 0.9, "timeSliceWindow": "5m"}
            ],
            "alertPolicies": [{"alertPolicyRef": "page"}],
        },
    },
]
odd: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6) | st.integers(), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [at] if at else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*at, key))
    return found


PLACES = places(WHOLE)
TRICKS = [
    "&a [*a]\n",
    "a: &a {b: *a}\n",
    "? [x]\n: y\n",
    "\x00",
    "- - - -\n",
    "!!python/object:os.system {}\n",
    "[]\n",
    "- []\n- 1\n",
    "[" * 50_000,
    "- " * 50_000,
    "{a: " * 50_000,
    "\n".join(f"{' ' * depth}a:" for depth in range(2_000)),
    "a: !!int x\nb: !!timestamp never\nc: 0b_\n",
    f"a: {'9' * 5000}\n",
]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(changes=st.lists(st.tuples(st.sampled_from(PLACES), odd), min_size=1, max_size=3))
def test_a_spoiled_file_is_read_or_refused_with_mistakes(tmp_path: Path, changes: list[tuple[Any, Any]]) -> None:
    documents: Any = copy.deepcopy(WHOLE)
    for place, value in changes:
        target = documents
        try:
            for key in place[:-1]:
                target = target[key]
            target[place[-1]] = value
        except (TypeError, KeyError, IndexError):
            continue  # an earlier change has taken this place away
    path = tmp_path / "slo.yml"
    path.write_text(yaml.safe_dump_all(documents, allow_unicode=True))
    try:
        load_definitions([path])
        mistakes = None
    except DefinitionError as error:
        mistakes = error.mistakes
    assert mistakes is None or (mistakes and all(one.where.startswith(str(path)) and one.text for one in mistakes))


def test_the_whole_file_is_right_before_it_is_spoiled(tmp_path: Path) -> None:
    path = tmp_path / "slo.yml"
    path.write_text(yaml.safe_dump_all(WHOLE))
    assert [item.slo for item in load_definitions([path]).objectives] == ["shop-latency", "shop-slo"]


@pytest.mark.parametrize("text", TRICKS, ids=range(len(TRICKS)))
def test_yaml_that_plays_tricks_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "slo.yml"
    path.write_text(text)
    with pytest.raises(DefinitionError):
        load_definitions([path])
