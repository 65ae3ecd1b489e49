"""Parts of a message as Block Kit, at three levels: natively, with charts as pictures, in words alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import Any

from bot.domain import Buttons, Chart, Heading, Note, Part, Table, Text
from handlers.markdown import as_lines, as_markdown, filled, split
from handlers.plain import shortened
from handlers.slack.render import SECTION, button_id
from handlers.slack.text import escaped, mrkdwn

Block = dict[str, Any]

CATEGORIES = 20
SERIES = 12
LABEL = 20
TITLE = 50


class Level(IntEnum):
    """What is drawn natively. A level is left for the next when Slack refuses the blocks."""

    NATIVE = 0
    PICTURES = 1
    WORDS = 2


def blocks(
    parts: tuple[Part, ...], level: Level = Level.NATIVE, pictures: Mapping[int, str] | None = None
) -> list[Block]:
    """The message's blocks. `pictures` holds the file ids of charts by their position among the parts."""
    ids = iter(range(1_000))
    return [
        block for number, part in enumerate(parts) for block in _part(part, level, (pictures or {}).get(number), ids)
    ]


def native(chart: Chart) -> Block | None:
    """The chart as Slack draws it; None when it doesn't fit into what Slack draws."""
    labels = [shortened(category, LABEL) for category in chart.categories]
    names = [shortened(series.name, LABEL) for series in chart.series]
    fits = 1 <= len(labels) <= CATEGORIES and 1 <= len(names) <= SERIES
    if not fits or len({*labels}) < len(labels) or len({*names}) < len(names) or "" in (*labels, *names):
        return None
    points = [dict(zip(labels, series.values, strict=False)) for series in chart.series]
    if any(series.get(label) is None for series in points for label in labels):
        return None  # Slack wants a value for every category, and absence has none
    drawn = [
        (name, [{"label": label, "value": series[label]} for label in labels])
        for name, series in zip(names, points, strict=True)
    ]
    if chart.threshold is not None and chart.form == "line" and len(drawn) < SERIES:
        limit = shortened(f"limit {chart.threshold:g}", LABEL)
        drawn.append((limit, [{"label": label, "value": chart.threshold} for label in labels]))
    axis: dict[str, Any] = {"categories": labels}
    if chart.unit:
        axis["y_label"] = shortened(chart.unit, TITLE)
    return {
        "type": "data_visualization",
        "title": shortened(chart.title, TITLE) or "Chart",
        "chart": {
            "type": chart.form,
            "series": [{"name": name, "data": data} for name, data in drawn],
            "axis_config": axis,
        },
    }


def wants_picture(part: Part, level: Level) -> bool:
    """Whether the part needs a picture uploaded before this level can show it."""
    return isinstance(part, Chart) and (level is Level.PICTURES or (level is Level.NATIVE and native(part) is None))


def _part(part: Part, level: Level, picture: str | None, ids: Iterator[int]) -> list[Block]:
    match part:
        case Heading(text=text):
            return [{"type": "header", "text": {"type": "plain_text", "text": " ".join(text.split()), "emoji": False}}]
        case Text(markdown=markdown):
            return [_markdown(markdown)] if level < Level.WORDS else _sections(markdown)
        case Note(markdown=markdown):
            return [{"type": "context", "elements": [{"type": "mrkdwn", "text": mrkdwn(markdown)}]}]
        case Table():
            return _table(part, level)
        case Chart():
            return _chart(part, level, picture)
        case Buttons():
            return [_actions(part, ids)]


def _markdown(markdown: str) -> Block:
    return {"type": "markdown", "text": escaped(markdown)}


def _sections(markdown: str) -> list[Block]:
    pieces = split(markdown, SECTION - 200, size=lambda text: len(mrkdwn(text)))
    return [{"type": "section", "text": {"type": "mrkdwn", "text": mrkdwn(piece)}} for piece in pieces if piece.strip()]


def _table(table: Table, level: Level) -> list[Block]:
    if level is Level.WORDS:
        caption = [f"**{table.caption}**"] if table.caption else []
        return _sections("\n\n".join([*caption, "```\n" + "\n".join(as_lines(table)) + "\n```"]))
    if not table.columns:
        return [_markdown(as_markdown(table))]
    rows = [
        [{"type": "raw_text", "text": cell or "–"} for cell in filled(row, len(table.columns))]
        for row in (table.columns, *table.rows)
    ]
    settings = [
        {"align": "right" if n in table.numeric else "left", "is_wrapped": n not in table.numeric}
        for n in range(len(table.columns))
    ]
    title = [_markdown(f"**{table.caption}**")] if table.caption else []
    return [*title, {"type": "table", "rows": rows, "column_settings": settings}]


def _chart(chart: Chart, level: Level, picture: str | None) -> list[Block]:
    drawn = native(chart) if level is Level.NATIVE else None
    if drawn is not None:
        return [drawn]
    if picture is not None and level is not Level.WORDS:
        title = {"type": "plain_text", "text": shortened(chart.title, 2_000) or "Chart"}
        return [
            {
                "type": "image",
                "title": title,
                "alt_text": shortened(chart.alt, 2_000) or "Chart",
                "slack_file": {"id": picture},
            }
        ]
    return _sections(f"**{chart.title}**\n{chart.alt}")


def _actions(part: Buttons, ids: Iterator[int]) -> Block:
    elements: list[Block] = []
    for button in part.buttons:
        element: Block = {
            "type": "button",
            "action_id": button_id(button, next(ids)),
            "text": {"type": "plain_text", "text": shortened(button.label, 75) or "…", "emoji": False},
            "value": button.value[:2_000],
        }
        if button.style != "default":
            element["style"] = button.style
        elements.append(element)
    return {"type": "actions", "elements": elements}
