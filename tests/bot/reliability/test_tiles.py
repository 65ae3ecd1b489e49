"""How fine a window shorter than a day is cut into stretches, and how far apart its samples are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.reliability.promql import BESIDE_SCRAPES, scrape_of, tile_ends, tile_of

AT = datetime(2026, 4, 8, 9, 7, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "shortest", "tile"),
    [
        (timedelta(hours=24), timedelta(seconds=30), timedelta(hours=1)),
        (timedelta(hours=6), timedelta(seconds=30), timedelta(minutes=15)),
        (timedelta(hours=1), timedelta(seconds=30), timedelta(seconds=150)),
        (timedelta(hours=1), timedelta(minutes=10), timedelta(minutes=10)),
        (timedelta(hours=1), timedelta(minutes=80), timedelta(hours=1)),
        (timedelta(hours=11, minutes=7, seconds=23), timedelta(minutes=2), timedelta(milliseconds=1_668_458)),
    ],
)
def test_a_window_is_tiled_in_24_or_fewer_equal_stretches_none_finer_than_may_be(
    window: timedelta, shortest: timedelta, tile: timedelta
) -> None:
    assert tile_of(window, shortest) == tile
    ends = tile_ends(AT, window, tile)
    assert AT - window <= ends[0] - tile + BESIDE_SCRAPES <= AT - window + timedelta(milliseconds=25)
    assert ends[-1] == AT - BESIDE_SCRAPES


@pytest.mark.parametrize(
    ("samples", "densest", "seconds"),
    [
        (60, 15, 60),
        (61, 16, 60),  # before 3.0 a stretch has both of its ends
        (240, 60, 15),
        (12, 3, 300),
        (13, 4, 300),
        (4, 1, 900),
        (28, 15, 60),  # half of the hour is missing
        (100, 60, 15),
        (3, 1, 1200),
        (2, 1, 1800),
        (1, 1, 3600),
    ],
)
def test_the_distance_of_samples_is_told_by_where_they_are_densest(
    samples: float, densest: float, seconds: float
) -> None:
    assert scrape_of(samples, densest) == timedelta(seconds=seconds)


def test_a_few_samples_close_together_say_nothing_about_the_rest() -> None:
    assert (scrape_of(3, 3), scrape_of(0, 0)) == (None, None)
