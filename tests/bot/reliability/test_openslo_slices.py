"""Budgets of time slices in SLO files."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.reliability import load_definitions
from bot.reliability.definitions import Slices
from tests.bot.reliability.slo_files import NOW, SLO, mistakes, written

TARGET = "target: 0.999"
SLICED = SLO.replace("Occurrences", "Timeslices").replace(
    TARGET, f"{TARGET}, timeSliceTarget: 0.95, timeSliceWindow: 1m"
)


@pytest.mark.parametrize(
    ("window", "length"),
    [("1m", 1), ("5m", 5), ("10m", 10), ("15m", 15), ("30m", 30), ("60m", 60), ("1h", 60), ("5", 5), ("'5'", 5)],
)
def test_slices_divide_an_hour_and_a_number_alone_means_minutes(tmp_path: Path, window: str, length: int) -> None:
    path = written(tmp_path, SLICED.replace("timeSliceWindow: 1m", f"timeSliceWindow: {window}"))
    assert load_definitions([path], now=NOW).objectives[0].slices == Slices(timedelta(minutes=length), Decimal("0.95"))


def test_events_are_counted_where_no_slices_are_asked_for(tmp_path: Path) -> None:
    assert load_definitions([written(tmp_path, SLO)], now=NOW).objectives[0].slices is None


def test_a_slice_may_have_to_be_all_good(tmp_path: Path) -> None:
    path = written(tmp_path, SLICED.replace("timeSliceTarget: 0.95", "timeSliceTarget: 1.0"))
    assert load_definitions([path], now=NOW).objectives[0].slices == Slices(timedelta(minutes=1), Decimal("1.0"))


def test_each_objective_has_slices_of_its_own(tmp_path: Path) -> None:
    more = "    - {displayName: strict, target: 0.99, timeSliceTarget: 0.999, timeSliceWindow: 5m}\n"
    found = load_definitions([written(tmp_path, SLICED + more)], now=NOW).objectives
    assert {item.name: item.slices for item in found} == {
        "availability": Slices(timedelta(minutes=1), Decimal("0.95")),
        "strict": Slices(timedelta(minutes=5), Decimal("0.999")),
    }


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            ", timeSliceTarget: 0.95",
            "",
            ": Timeslices needs timeSliceTarget: the share of good events that makes a slice good (0.95)",
        ),
        (", timeSliceWindow: 1m", "", ": Timeslices needs timeSliceWindow: how long a slice is (1m)"),
        *(
            (
                "timeSliceTarget: 0.95",
                f"timeSliceTarget: {value}",
                f".timeSliceTarget: {shown} is no share; write a number above 0 and at most 1, such as 0.95",
            )
            for value, shown in (("0", "0"), ("95", "95"), ("high", "'high'"), ("true", "True"), (".nan", "nan"))
        ),
        *(
            (
                "timeSliceWindow: 1m",
                f"timeSliceWindow: {value}",
                (
                    f".timeSliceWindow: {shown} doesn't divide an hour into whole minutes; "
                    "write 1m, 5m, 10m, 15m, 30m or 1h"
                ),
            )
            for value, shown in (
                ("7m", "'7m'"),
                ("2h", "'2h'"),
                ("1d", "'1d'"),
                ("30s", "'30s'"),
                ("0.5", "0.5"),
                ("1.0e-160", "1e-160"),
            )
        ),
        (
            "Timeslices",
            "Occurrences",
            ".timeSliceWindow: belongs to budgetingMethod: Timeslices; remove it, or use that method",
        ),
        (
            "duration: 28d",
            "duration: 90m",
            None,
        ),
    ],
)  # fmt: skip
def test_wrong_slices_are_told_with_their_place_and_remedy(
    tmp_path: Path, old: str, new: str, told: str | None
) -> None:
    found = mistakes(written(tmp_path, SLICED.replace(old, new)))
    assert found == [] if told is None else f"slo.yml:17: spec.objectives[0]{told}" in found


def test_slices_have_to_fill_the_window(tmp_path: Path) -> None:
    text = SLICED.replace("timeSliceWindow: 1m", "timeSliceWindow: 1h").replace("28d", "90m")
    assert mistakes(written(tmp_path, text)) == [
        (
            "slo.yml:17: spec.objectives[0].timeSliceWindow: slices of this length don't fill a window of 90m; "
            "choose a length that divides it"
        )
    ]


def test_a_table_of_hours_has_slices_of_an_hour(tmp_path: Path) -> None:
    text = SLICED.replace("type: Prometheus, spec: {query: http_total}", "type: CSV, spec: {file: e.csv, series: all}")
    text = text.replace(
        "type: Prometheus, spec: {query: 'http_total{code=~\"5..\"}'}", "type: CSV, spec: {file: e.csv, series: bad}"
    )
    assert mistakes(written(tmp_path, text)) == [
        "slo.yml:17: spec.objectives[0].timeSliceWindow: a CSV table counts whole hours; write timeSliceWindow: 1h"
    ]
    assert mistakes(written(tmp_path, text.replace("timeSliceWindow: 1m", "timeSliceWindow: 1h"))) == []
