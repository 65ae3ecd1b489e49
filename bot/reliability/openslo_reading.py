"""One OpenSLO document at a time: read against its shape, its mistakes told with file, line, field and remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bot import yaml_source
from bot.reliability import openslo_schema as schema
from bot.yaml_source import Key, Mistake

_EXPECTED = {
    "string_type": "must be text; put it in quotes",
    "bool_type": "must be true or false, without quotes",
    "list_type": "must be a list: begin each item with '- '",
    "dict_type": "must be a mapping of fields",
    "model_type": "must be a mapping of fields",
    "model_attributes_type": "must be a mapping of fields",
    "string_too_short": "must not be empty",
    "too_short": "must have at least one item",
    "string_pattern_mismatch": "may hold only letters, digits and - _ . / between a first and last letter or digit",
}
_EXAMPLES = {
    "service": " checkout",
    "objectives": " [{displayName: availability, target: 0.999}]",
    "timeWindow": " [{duration: 28d, isRolling: true}]",
    "duration": " 28d",
    "startTime": " 2026-01-01 00:00:00",
    "timeZone": " UTC",
    "budgetingMethod": " Occurrences",
}
_QUERY_EXAMPLE = " {query: 'http_requests_total{job=\"checkout\"}'}"
_IN_QUERIES = {"query": ["spec"], "file": ["spec"], "series": ["spec"]}  # each source's own, so no model knows them
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Parsed:
    source: yaml_source.Document
    document: schema.Document


@dataclass
class Found:
    """What was read so far; names are unique within a kind."""

    mistakes: list[Mistake] = field(default_factory=list)
    remarks: list[Mistake] = field(default_factory=list)
    documents: dict[tuple[str, str], Parsed] = field(default_factory=dict)

    def named(self, kind: str) -> list[str]:
        return sorted(name for of, name in self.documents if of == kind)

    def all(self, kind: str) -> Iterator[Parsed]:
        return (parsed for (of, _), parsed in sorted(self.documents.items()) if of == kind)


def validated(model: type[M], data: Any, at: Key, source: yaml_source.Document, mistakes: list[Mistake]) -> M | None:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        for item in error.errors():
            key = (*at, *(part for part in item["loc"] if part not in {"int", "float", "str"}))
            mistake = source.mistake(key, _remedy(item["type"], item["msg"], key, model))
            if mistake not in mistakes:
                mistakes.append(mistake)
        return None


def _remedy(kind: str, message: str, key: Key, model: type[BaseModel]) -> str:
    name = str(key[-1]) if key else ""
    if kind == "missing":
        of_query = name == "spec" and "metricSource" in key
        return f"is missing; add {name}:{_QUERY_EXAMPLE if of_query else _EXAMPLES.get(name, '')}"
    if kind == "extra_forbidden":
        return _unknown_field(name, key, model)
    if name in {"target", "targetPercent"}:
        return "must be a number, such as 0.999 (target) or 99.9 (targetPercent)"
    return _EXPECTED.get(kind, message[:1].lower() + message[1:])


def _unknown_field(name: str, key: Key, model: type[BaseModel]) -> str:
    fields: dict[str, list[str]] = {}
    for known, within in _fields(model, ""):
        fields.setdefault(known, []).append(within)
    if "metricSource" in key:
        fields |= _IN_QUERIES
    homes = list(dict.fromkeys(within for within in fields.get(name, ()) if within))
    if homes:
        return f"stands in the wrong place; move it into {' or '.join(homes)}"
    near = difflib.get_close_matches(name, fields, n=1)
    return f"is no field of OpenSLO v1 here; did you mean {near[0]}?" if near else "is no field known here; remove it"


def _fields(model: type[BaseModel], within: str) -> Iterator[tuple[str, str]]:
    """Every field's name, and the name of the field that it stands in."""
    for name, info in model.model_fields.items():
        alias = info.alias or name
        yield alias, within
        for candidate in (info.annotation, *getattr(info.annotation, "__args__", ())):
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                yield from _fields(candidate, alias)


def near_names(name: str, known: Iterable[str], what: str) -> str:
    names = list(known)
    close = difflib.get_close_matches(name, names, n=3)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"known are {', '.join(names[:10])}" if names else f"no {what} is defined in these files"
