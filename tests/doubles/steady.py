"""Answers as a Prometheus would whose services all have the same steady traffic, for tests that break it elsewhere."""

from __future__ import annotations

import re

from aiohttp import web

from tests.doubles.prometheus_hostile import success

TOTAL, BAD = 1000.0, 0.1  # events an hour
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_FIGURE = re.compile(r'label_replace\((.*?), "director_figure", "(\w+)", "", ""\)')


def steady(form: dict[str, str]) -> web.Response:
    """What this question's answer is, whichever of the Director's it is."""
    if "query" not in form:
        return web.json_response({"status": "success", "data": [{"job": name} for name in _jobs(form["match[]"])]})
    query = form["query"]
    figures = [(text, {"director_figure": name}) for text, name in _FIGURE.findall(query)] or [(query, {})]
    if "start" not in form:
        at = float(form["time"])
        return success(
            [{"metric": labels | own, "value": [at, _value(text)]} for text, own in figures for labels in _series(text)]
        )
    start, end, step = (float(form[name].rstrip("s")) for name in ("start", "end", "step"))
    times = [start + step * index for index in range(round((end - start) / step) + 1)]
    return success(
        [
            {"metric": labels | own, "values": [[at, _value(text)] for at in times]}
            for text, own in figures
            for labels in _series(text)
        ],
        "matrix",
    )


def _series(query: str) -> list[dict[str, str]]:
    return [{"job": name} for name in _jobs(query)] if "by (job)" in query else [{}]


def _jobs(query: str) -> list[str]:
    found = re.search(r'job=~?"([^"]*)"', query)
    return found[1].split("|") if found else [""]


def _value(query: str) -> str:
    found = re.search(r"\[(\d+)(ms|s|m|h|d)\]", query)
    assert found is not None, query
    hours = int(found[1]) * _UNITS[found[2]] / 3600
    if "count_over_time" in query:
        return str(round(hours * 60)) if query.startswith("max") else "1"
    if not query.startswith("sum"):
        return "1"  # a number of series
    if "resets" in query or "min_over_time" in query:
        return "0"
    scale = re.search(r"\* ([0-9.e-]+)", query)
    return repr((BAD if "code" in query else TOTAL) * hours * (float(scale[1]) if scale else 1.0))
