"""Draws one chart: JSON on standard input, PNG on standard output. Run as its own process, imports nothing of ours."""

from __future__ import annotations

import io
import json
import math
import sys
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

WIDTH, HEIGHT, DPI = 8.0, 4.5, 150  # 1200 x 675: sharp on a phone, whose width halves twice
LONG_BARS = 5  # more bars than these lie down, so that their names stay level

# Okabe and Ito's colours, which people with any colour vision tell apart; per theme those with contrast on its ground.
THEMES: dict[str, dict[str, Any]] = {
    "light": {
        "ground": "#ffffff",
        "ink": "#1d1c1d",
        "soft": "#616061",
        "grid": "#e6e6e6",
        "alarm": "#b3261e",
        "lines": ["#0072b2", "#d55e00", "#007a5a", "#a8478a", "#8a6d00", "#3b3b3b"],
    },
    "dark": {
        "ground": "#1a1d21",
        "ink": "#f2f2f3",
        "soft": "#b9babd",
        "grid": "#35373b",
        "alarm": "#ff8a80",
        "lines": ["#56b4e9", "#ff9f45", "#3ecf9f", "#e39ac8", "#f0e442", "#d1d2d3"],
    },
}
STYLES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P")


def draw(chart: dict[str, Any], theme: str) -> bytes:
    look = THEMES[theme]
    lying = chart["form"] == "bar" and len(chart["categories"]) > LONG_BARS and len(chart["series"]) == 1
    height = max(HEIGHT, 1.6 + 0.36 * len(chart["categories"])) if lying else HEIGHT
    figure = Figure(
        figsize=(WIDTH, height),
        dpi=DPI,
        facecolor=look["ground"],
        layout=ConstrainedLayoutEngine(w_pad=0.18, h_pad=0.14),
    )
    axes = figure.add_subplot()
    _prepare(axes, look, chart["title"])
    if lying:
        _lying_bars(axes, chart, look)
    elif chart["form"] == "bar":
        _bars(axes, chart, look)
    elif chart["form"] == "line":
        _lines(axes, chart, look)
    else:
        raise ValueError(f"no chart has the form {chart['form']!r}")
    picture = io.BytesIO()
    figure.savefig(picture, format="png", facecolor=look["ground"])
    return picture.getvalue()


def _prepare(axes: Axes, look: dict[str, Any], title: str) -> None:
    axes.set_facecolor(look["ground"])
    axes.set_title(title, loc="left", color=look["ink"], fontsize=17, fontweight="bold", pad=16)
    axes.tick_params(colors=look["soft"], labelsize=13, length=0, pad=7)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.set_axisbelow(True)


def _lines(axes: Axes, chart: dict[str, Any], look: dict[str, Any]) -> None:
    categories = chart["categories"]
    axes.grid(axis="y", color=look["grid"], linewidth=1)
    ends: list[tuple[float, str, str]] = []
    for index, series in enumerate(chart["series"]):
        colour = look["lines"][index % len(look["lines"])]
        values = [math.nan if value is None else value for value in series["values"]]
        axes.plot(
            range(len(values)),
            values,
            color=colour,
            linewidth=2.8,
            linestyle=STYLES[index % len(STYLES)],
            solid_capstyle="round",
            label=series["name"],
            clip_on=False,
            zorder=3,
        )
        known = [(at, value) for at, value in enumerate(values) if not math.isnan(value)]
        if known:
            axes.plot(
                *known[-1], color=colour, marker=MARKERS[index % len(MARKERS)], markersize=9, clip_on=False, zorder=4
            )
            if known[-1][0] == len(categories) - 1:
                ends.append((known[-1][1], f"{series['name']}  {_said(known[-1][1], chart['unit'])}", colour))
    _threshold(axes, chart, look)
    every = max(1, math.ceil((len(categories) - 1) / 5))
    ticks = list(range(len(categories) - 1, -1, -every))
    axes.set_xticks(ticks, [categories[at] for at in ticks])
    axes.set_xlim(-0.2, max(1, len(categories) - 1) + 0.2)
    _unit(axes.yaxis, chart["unit"])
    _end_labels(axes, ends, len(categories) - 1)


def _end_labels(axes: Axes, ends: list[tuple[float, str, str]], at: int) -> None:
    """Names at the lines' ends instead of a legend, pushed apart where lines end close together."""
    low, high = axes.get_ylim()
    apart = (high - low) * 0.075
    placed: list[float] = []
    for value, _, _ in sorted(ends):
        placed.append(max(value, placed[-1] + apart) if placed else value)
    over = placed[-1] - high if placed else 0.0
    for (_, text, colour), height in zip(sorted(ends), placed, strict=True):
        axes.annotate(
            text,
            (at, height - max(0.0, over)),
            xytext=(14, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontsize=13.5,
            fontweight="bold",
            annotation_clip=False,
        )


def _bars(axes: Axes, chart: dict[str, Any], look: dict[str, Any]) -> None:
    axes.grid(axis="y", color=look["grid"], linewidth=1)
    count = len(chart["series"])
    width = 0.62 / count
    for index, series in enumerate(chart["series"]):
        colour = look["lines"][index % len(look["lines"])]
        for at, value in enumerate(series["values"]):
            if value is None:
                continue
            below = chart["threshold"] is not None and value <= chart["threshold"] and count == 1
            place = at + (index - (count - 1) / 2) * width
            axes.bar(place, value, width=width * 0.92, color=look["alarm"] if below else colour, zorder=3)
            if count == 1:
                axes.annotate(
                    _said(value, chart["unit"]),
                    (place, value),
                    xytext=(0, 6 if value >= 0 else -6),
                    textcoords="offset points",
                    ha="center",
                    va="bottom" if value >= 0 else "top",
                    color=look["ink"],
                    fontsize=13,
                    fontweight="bold",
                )
        if count > 1:
            axes.bar(0, 0, color=colour, label=series["name"])
    axes.margins(y=0.16)
    _threshold(axes, chart, look)
    axes.set_xticks(range(len(chart["categories"])), chart["categories"])
    _unit(axes.yaxis, chart["unit"])
    if count > 1:
        axes.legend(frameon=False, labelcolor=look["ink"], fontsize=12.5, loc="upper left", ncols=min(count, 4))


def _lying_bars(axes: Axes, chart: dict[str, Any], look: dict[str, Any]) -> None:
    """One bar a line, the first on top."""
    axes.grid(axis="x", color=look["grid"], linewidth=1)
    values = chart["series"][0]["values"]
    for at, value in enumerate(values):
        if value is None:
            axes.annotate(
                "no figure",
                (0, at),
                xytext=(7, 0),
                textcoords="offset points",
                va="center",
                color=look["soft"],
                fontsize=13,
            )
            continue
        below = chart["threshold"] is not None and value <= chart["threshold"]
        axes.barh(at, value, height=0.62, color=look["alarm"] if below else look["lines"][0], zorder=3)
        axes.annotate(
            _said(value, chart["unit"]),
            (max(value, 0), at),
            xytext=(7, 0),
            textcoords="offset points",
            ha="left",
            va="center",
            color=look["ink"],
            fontsize=13,
            fontweight="bold",
        )
    if chart["threshold"] is not None:
        axes.axvline(chart["threshold"], color=look["soft"], linewidth=1.6, zorder=2)
    axes.set_yticks(range(len(values)), chart["categories"])
    axes.invert_yaxis()
    axes.margins(x=0.13)
    _unit(axes.xaxis, chart["unit"])


def _threshold(axes: Axes, chart: dict[str, Any], look: dict[str, Any]) -> None:
    """The line, and below it a shade: what is there has run out."""
    line = chart["threshold"]
    if line is None:
        return
    low, high = axes.get_ylim()
    if low > line:
        low = line - (high - line) * 0.04
    axes.axhline(line, color=look["alarm"] if chart["form"] == "line" else look["soft"], linewidth=1.8, zorder=2)
    if low < line - (high - line) * 0.05 and chart["form"] == "line":
        axes.axhspan(low, line, color=look["alarm"], alpha=0.09, zorder=1, linewidth=0)
    axes.set_ylim(low, high)


def _unit(axis: Any, unit: str) -> None:
    axis.set_major_formatter(lambda value, _: _said(value, unit))


def _said(value: float, unit: str) -> str:
    text = f"{value:,.1f}".removesuffix(".0")
    return f"{'0' if text == '-0' else text}{unit}"


if __name__ == "__main__":
    order = json.load(sys.stdin)
    sys.stdout.buffer.write(draw(order["chart"], order["theme"]))
