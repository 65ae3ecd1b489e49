"""Charts become PNG pictures in a process of their own."""

from __future__ import annotations

import struct
import subprocess
import sys

import pytest

from bot.domain import Chart, Series
from bot.reliability import charts
from bot.reliability.charts import ChartFailed, png

LINE = Chart(
    form="line",
    title="Error budget left, last 28 days",
    alt="falls",
    categories=("1 Nov", "8 Nov", "15 Nov"),
    series=(Series(name="checkout", values=(100.0, None, -20.0)), Series(name="mail", values=(100.0, 90.0, None))),
    unit="%",
    threshold=0.0,
)
BARS = LINE.model_copy(update={"form": "bar", "categories": tuple("abcdefghijkl")[:3]})
LYING = Chart(
    form="bar",
    title="Error budget left",
    alt="bars",
    categories=tuple(f"service-{number}" for number in range(12)),
    series=(Series(name="left", values=(None, *(float(number * 9 - 20) for number in range(11)))),),
    unit="%",
    threshold=0.0,
)


@pytest.mark.parametrize("chart", [LINE, BARS, LYING], ids=["lines", "bars", "lying bars"])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_every_chart_is_drawn_wide_enough_for_a_sharp_phone(chart: Chart, theme: str) -> None:
    picture = await png(chart, theme="dark" if theme == "dark" else "light")
    width, height = struct.unpack(">II", picture[16:24])
    assert width == 1200
    assert 600 <= height <= 1000


async def test_light_and_dark_are_different_pictures() -> None:
    assert await png(LINE, theme="light") != await png(LINE, theme="dark")


async def test_the_same_chart_is_the_same_picture() -> None:
    assert await png(LINE) == await png(LINE)


async def test_a_chart_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(ChartFailed, match="was not drawn within"):
        await png(LINE, timeout=0.001)


async def test_a_chart_that_can_not_be_drawn_says_why() -> None:
    with pytest.raises(ChartFailed, match="no chart has the form 'pie'"):
        await png(LINE.model_copy(update={"form": "pie"}))


def test_drawing_leaves_matplotlib_out_of_this_process() -> None:
    code = f"import sys, {charts.__name__}; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=50).returncode == 0
