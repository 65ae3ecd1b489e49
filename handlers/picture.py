"""Charts as pictures, for platforms that don't draw them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.domain import Chart

Picture = Callable[[Chart], Awaitable[bytes]]


async def draw(chart: Chart) -> bytes:
    """The chart as PNG. Imported late: most answers need no picture."""
    from bot.reliability.charts import png  # noqa: PLC0415

    image: bytes = await png(chart)
    return image
