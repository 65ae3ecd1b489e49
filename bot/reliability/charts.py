"""Charts as PNG pictures, drawn in a short-lived process: matplotlib's 45 MB go when it ends."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Literal

from bot.domain import Chart
from bot.errors import DirectorError

_DRAW = Path(__file__).with_name("draw.py")  # run by its path: `-m` would import all of this package first
_SECONDS = 60.0  # a first run builds matplotlib's font cache
_KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TEMP",
    "TMP",
    "MPLCONFIGDIR",
    "SYSTEMROOT",
    "PYTHONPATH",
    "VIRTUAL_ENV",
)


class ChartFailed(DirectorError):
    """The picture could not be drawn; the figures in the text stand without it."""


async def png(chart: Chart, *, theme: Literal["light", "dark"] = "light", timeout: float = _SECONDS) -> bytes:  # noqa: ASYNC109
    """The chart as a PNG file.

    Raises:
        ChartFailed: the drawing process failed or took too long.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        str(_DRAW),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={name: os.environ[name] for name in _KEPT if name in os.environ} | {"MPLBACKEND": "Agg"},
    )
    order = json.dumps({"theme": theme, "chart": chart.model_dump(mode="json")}).encode()
    try:
        async with asyncio.timeout(timeout):
            picture, complaint = await process.communicate(order)
    except TimeoutError as error:
        raise ChartFailed(f"The chart was not drawn within {timeout:g} s.") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0 or not picture.startswith(b"\x89PNG"):
        last = complaint.decode(errors="replace").strip().splitlines()[-1:]
        raise ChartFailed(f"The chart could not be drawn ({''.join(last)[:200] or f'exit code {process.returncode}'}).")
    return picture
