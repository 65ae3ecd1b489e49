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
    "timeWindow": " [{duration: 28d, isRolling: true}]",
    "duration": " 28d",
    "startTime": " 2026-01-01 00:00:00",
    "timeZone": " UTC",
    "budgetingMethod": " Occurrences",
}
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Parsed:
    source: yaml_source.Document
    document: schema.Document


@dataclass
class Found:
    """What was read so far; names are unique within a kind."""

    mistakes: list[Mistake] = field(default_factory=list)
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
        return f"is missing; add {name}:{_EXAMPLES.get(name, '')}"
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(name, _field_names(model), n=1)
        return (
            f"is no field of OpenSLO v1 here; did you mean {near[0]}?" if near else "is no field known here; remove it"
        )
    if name in {"target", "targetPercent"}:
        return "must be a number, such as 0.999 (target) or 99.9 (targetPercent)"
    return _EXPECTED.get(kind, message[:1].lower() + message[1:])


def _field_names(model: type[BaseModel]) -> set[str]:
    names: set[str] = set()
    for part in (model, *_parts(model)):
        names |= {info.alias or name for name, info in part.model_fields.items()}
    return names


def _parts(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for info in model.model_fields.values():
        annotation = info.annotation
        for candidate in (annotation, *getattr(annotation, "__args__", ())):
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                yield candidate
                yield from _parts(candidate)


def near_names(name: str, known: Iterable[str], what: str) -> str:
    names = list(known)
    close = difflib.get_close_matches(name, names, n=3)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"known are {', '.join(names[:10])}" if names else f"no {what} is defined in these files"
