"""Rules for blocks made of figures: tables and charts."""

from __future__ import annotations

from typing import Any

from handlers.slack.standin.elements import check_rich_text
from handlers.slack.standin.messages import Json
from handlers.slack.standin.shapes import Checking, kind_of

TABLE_ROWS, TABLE_COLUMNS = 100, 20
DATA_TABLE_ROWS, DATA_TABLE_TEXT = 201, 20_000
CHART_TITLE, CHART_LABEL, AXIS_LABEL = 50, 20, 50
SERIES, CATEGORIES, SEGMENTS = 12, 20, 12


def check_table(check: Checking, block: Json, at: str) -> None:
    check.object(block, at, required=("rows",), optional=("block_id", "column_settings"))
    _rows(check, block.get("rows"), f"{at}/rows", least=1, most=TABLE_ROWS)
    settings = check.array(block.get("column_settings"), f"{at}/column_settings", least=0, most=TABLE_COLUMNS)
    for number, setting in enumerate(settings):
        if setting is None:
            continue
        here = f"{at}/column_settings/{number}"
        found = check.object(setting, here, required=(), optional=("align", "is_wrapped"))
        if found is not None:
            check.one_of(found.get("align"), f"{here}/align", ("left", "center", "right"))
            check.boolean(found.get("is_wrapped"), f"{here}/is_wrapped")


def check_data_table(check: Checking, block: Json, at: str) -> None:
    check.object(block, at, required=("rows", "caption"), optional=("block_id", "page_size", "row_header_column_index"))
    length = _rows(check, block.get("rows"), f"{at}/rows", least=2, most=DATA_TABLE_ROWS)
    if length > DATA_TABLE_TEXT:
        check.wrong(f"{at}/rows", f"must be less than {DATA_TABLE_TEXT + 1} characters in total")
    size = block.get("page_size", 5)
    if not isinstance(size, int) or not 1 <= size <= 100:
        check.wrong(f"{at}/page_size", "must be between 1 and 100")


def _rows(check: Checking, value: Any, at: str, *, least: int, most: int) -> int:
    """Checks the cells; returns how many characters they hold."""
    length = 0
    for number, row in enumerate(check.array(value, at, least=least, most=most)):
        for place, cell in enumerate(check.array(row, f"{at}/{number}", most=TABLE_COLUMNS)):
            length += _cell(check, cell, f"{at}/{number}/{place}")
    return length


def _cell(check: Checking, cell: Any, at: str) -> int:
    kind = kind_of(cell)
    if kind == "rich_text":
        check_rich_text(check, cell, at)
        return 0
    if kind == "raw_text":
        check.object(cell, at, required=("text",))
    elif kind == "raw_number":
        check.object(cell, at, required=("value", "text"))
        check.number(cell.get("value"), f"{at}/value")
    else:
        check.wrong(f"{at}/type", f"unsupported type: {kind}")
        return 0
    check.string(cell.get("text"), f"{at}/text", limit=3000)
    return len(str(cell.get("text", "")))


def check_chart(check: Checking, block: Json, at: str) -> None:
    check.object(block, at, required=("title", "chart"), optional=("block_id",))
    check.string(block.get("title"), f"{at}/title", limit=CHART_TITLE)
    chart, here = block.get("chart"), f"{at}/chart"
    kind = kind_of(chart)
    if not isinstance(chart, dict):
        return
    if kind == "pie":
        check.object(chart, here, required=("segments",))
        for number, segment in enumerate(check.array(chart.get("segments"), f"{here}/segments", most=SEGMENTS)):
            value = _point(check, segment, f"{here}/segments/{number}")
            if value is not None and value <= 0:
                check.wrong(f"{here}/segments/{number}/value", "must be more than 0")
    elif kind in ("bar", "area", "line"):
        _plot(check, chart, here)
    else:
        check.wrong(f"{here}/type", f"unsupported type: {kind}")


def _plot(check: Checking, chart: Json, at: str) -> None:
    check.object(chart, at, required=("series", "axis_config"))
    axis = check.object(
        chart.get("axis_config"), f"{at}/axis_config", required=("categories",), optional=("x_label", "y_label")
    )
    categories: list[Any] = []
    if axis is not None:
        categories = check.array(axis.get("categories"), f"{at}/axis_config/categories", most=CATEGORIES)
        for number, category in enumerate(categories):
            check.string(category, f"{at}/axis_config/categories/{number}", limit=CHART_LABEL)
        if len(set(map(str, categories))) != len(categories):
            check.wrong(f"{at}/axis_config/categories", "categories must be unique")
        for name in ("x_label", "y_label"):
            check.string(axis.get(name), f"{at}/axis_config/{name}", limit=AXIS_LABEL)
    names: set[str] = set()
    for number, series in enumerate(check.array(chart.get("series"), f"{at}/series", most=SERIES)):
        here = f"{at}/series/{number}"
        found = check.object(series, here, required=("name", "data"))
        if found is None:
            continue
        check.string(found.get("name"), f"{here}/name", limit=CHART_LABEL)
        if found.get("name") in names:
            check.wrong(f"{here}/name", "series names must be unique")
        names.add(str(found.get("name")))
        labels = []
        for place, point in enumerate(check.array(found.get("data"), f"{here}/data", most=CATEGORIES)):
            _point(check, point, f"{here}/data/{place}")
            labels.append(point.get("label") if isinstance(point, dict) else None)
        if sorted(map(str, labels)) != sorted(map(str, categories)):
            check.wrong(f"{here}/data", "must have one point for each category")


def _point(check: Checking, point: Any, at: str) -> float | None:
    found = check.object(point, at, required=("label", "value"))
    if found is None:
        return None
    check.string(found.get("label"), f"{at}/label", limit=CHART_LABEL)
    value = found.get("value")
    if value is None:
        return None
    check.number(value, f"{at}/value")
    return float(value) if isinstance(value, int | float) else None
