"""How fine a window is cut into stretches."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.reliability.promql import tile_of


@pytest.mark.parametrize(
    ("window", "scrape", "tile"),
    [
        (timedelta(days=28), timedelta(seconds=15), timedelta(hours=1)),
        (timedelta(days=1), timedelta(seconds=15), timedelta(hours=1)),
        (timedelta(hours=6), timedelta(seconds=15), timedelta(minutes=15)),
        (timedelta(hours=1), timedelta(seconds=15), timedelta(seconds=150)),
        (timedelta(hours=1), timedelta(minutes=5), timedelta(minutes=10)),
        (timedelta(hours=1), timedelta(minutes=40), timedelta(hours=1)),
    ],
)
def test_a_window_is_tiled_by_hours_or_finer_but_never_finer_than_its_samples(
    window: timedelta, scrape: timedelta, tile: timedelta
) -> None:
    assert tile_of(window, scrape) == tile
