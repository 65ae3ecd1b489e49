"""Charts in text: bars to both sides of zero, lines as sparklines. A missing value stays a gap, never a zero."""

from __future__ import annotations

from bot.domain import Chart, Series
from handlers.terminal_table import display_width

_SPARKS = "▁▂▃▄▅▆▇█"
_EIGHTHS = " ▏▎▍▌▋▊▉"
_LABEL = 24


def chart_lines(chart: Chart, width: int) -> list[str]:
    """The title and the picture; `chart.alt` says in words what it shows."""
    drawn = _bars(chart, width) if chart.form == "bar" else _lines(chart, width)
    unit = f" ({chart.unit})" if chart.unit else ""
    return [f"{chart.title}{unit}", *drawn]


def _bars(chart: Chart, width: int) -> list[str]:
    values = [value for series in chart.series for value in series.values if value is not None]
    if not values:
        return ["  no figures"]
    highest, lowest = max(*values, 0.0), min(*values, 0.0)
    span = highest - lowest or 1.0
    labels = [_short(name) for name in _labels(chart)]
    label_width = max(map(display_width, labels))
    figure_width = max(len(_figure(value)) for value in values)
    room = max(min(width - label_width - figure_width - 5, 60), 8)
    left = round(room * -lowest / span)
    lines = []
    rows = zip(labels, _interleaved(chart), strict=True)
    for label, value in rows:
        name = label + " " * (label_width - display_width(label))
        if value is None:
            lines.append(f"  {name} {' ' * left}│ no figure")
            continue
        size = abs(value) / span * room
        if value < 0:
            cells = max(round(size), 1)
            bar = " " * (left - cells) + "█" * min(cells, left) + "│"
        else:
            bar = " " * left + "│" + _bar(size)
        lines.append(f"  {name} {bar} {_figure(value)}")
    return lines


def _labels(chart: Chart) -> list[str]:
    if len(chart.series) == 1:
        return list(chart.categories)
    return [f"{category} {series.name}" for category in chart.categories for series in chart.series]


def _interleaved(chart: Chart) -> list[float | None]:
    count = len(chart.categories)
    return [
        series.values[index] if index < len(series.values) else None
        for index in range(count)
        for series in chart.series
    ]


def _bar(size: float) -> str:
    whole, rest = divmod(round(size * 8), 8)
    return "█" * whole + (_EIGHTHS[rest] if rest else "")


def _lines(chart: Chart, width: int) -> list[str]:
    values = [value for series in chart.series for value in series.values if value is not None]
    if not values:
        return ["  no figures"]
    known = [*values, *([] if chart.threshold is None else [chart.threshold])]
    lowest, highest = min(known), max(known)
    names = [_short(series.name) for series in chart.series]
    name_width = max(map(display_width, names))
    room = max(min(width - name_width - 24, 80), 8)
    lines = []
    for name, series in zip(names, chart.series, strict=True):
        there = [value for value in series.values if value is not None]
        ends = f"{_figure(there[0])} → {_figure(there[-1])}" if there else "no figures"
        label = name + " " * (name_width - display_width(name))
        lines.append(f"  {label} {_spark(series, lowest, highest, room)} {ends}")
    if chart.categories:
        lines.append(
            f"  from {chart.categories[0]} to {chart.categories[-1]}, scale {_figure(lowest)} to {_figure(highest)}"
        )
    return lines


def _spark(series: Series, lowest: float, highest: float, room: int) -> str:
    """One character per value; with more values than room, each character is the lowest of its share."""
    values = list(series.values)
    count = min(room, len(values))
    drawn = ""
    for index in range(count):
        share = values[index * len(values) // count : (index + 1) * len(values) // count]
        there = [value for value in share if value is not None]
        if not there:
            drawn += " "
            continue
        height = (min(there) - lowest) / (highest - lowest) if highest > lowest else 0.5
        drawn += _SPARKS[min(int(height * len(_SPARKS)), len(_SPARKS) - 1)]
    return drawn


def _figure(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def _short(name: str) -> str:
    return name if len(name) <= _LABEL else f"{name[: _LABEL - 1]}…"
