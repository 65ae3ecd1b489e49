"""What pydantic found wrong in director.yml, in words that say where and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from bot.settings_values import nearest
from bot.yaml_source import Document, Key, Mistake


def file_mistake(document: Document, problem: Any, model: type[BaseModel]) -> Mistake:
    """One of pydantic's error details, told with the line it stands in; `model` is the whole file's."""
    location: tuple[str | int, ...] = problem["loc"]
    of_key = bool(location) and location[-1] == "[key]"
    key: Key = ()
    for part in location[:-1] if of_key else location:
        named = (*key, str(part)) in document.lines  # a key that YAML reads as a number is no position in a list
        key = (*key, str(part) if named else part)
    return document.mistake(key, _sentence(problem, key, model, of_key=of_key))


def in_order(mistakes: Iterable[Mistake]) -> tuple[Mistake, ...]:
    """As they stand in the file."""
    return tuple(sorted(mistakes, key=lambda mistake: int(mistake.where.rpartition(":")[2])))


def _sentence(problem: Any, key: Key, model: type[BaseModel], *, of_key: bool) -> str:
    context: dict[str, Any] = problem.get("ctx") or {}
    kind: str = problem["type"]
    if kind == "extra_forbidden":
        known = _known_keys(key[:-1], model)
        near = nearest(str(key[-1]), known)
        return f"unknown key; did you mean {near!r}?" if near else f"unknown key; known are {', '.join(known)}"
    fixed = {
        "missing": "is missing",
        "string_type": "the name must be text; put it in quotes" if of_key else "must be text; put it in quotes",
        "tuple_type": "must be a list, e.g. [one, two]",
        "dict_type": "must hold keys and values",
        "model_type": "must hold keys and values",
        "path_type": "must be a path",
        "string_too_short": "must not be empty",
        "finite_number": "must be a finite number",
        "too_short": "must not be an empty list; leave the key out for the default",
    }
    if kind in fixed:
        return fixed[kind]
    if kind == "value_error":
        return str(context.get("error", "is not valid"))
    bounds = {"greater_than_equal": ("ge", "at least"), "greater_than": ("gt", "above")}
    bounds |= {"less_than_equal": ("le", "at most"), "less_than": ("lt", "below")}
    if kind in bounds:
        name, words = bounds[kind]
        return f"must be {words} {context[name]:g}"
    if kind == "literal_error":
        return f"must be {context['expected']}"
    if kind == "string_too_long":
        return f"must be at most {context['max_length']} characters"
    return str(problem["msg"])


def _known_keys(parents: Key, root: type[BaseModel]) -> tuple[str, ...]:
    """The keys that may stand at this place of the file."""
    place: Any = root
    for part in parents:
        place = _within(place, part)
    model = _inner(place)
    return tuple(model.model_fields) if model is not None else ()


def _within(annotation: Any, part: str | int) -> Any:
    """What stands under this key or index of a model, `dict[str, …]`, `tuple[…, ...]` or a union of them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(part))
        return None if field is None else field.annotation
    inside, container = get_args(annotation), get_origin(annotation)
    if container in (dict, tuple):
        return inside[1] if container is dict else inside[0]
    return next((found for one in inside if (found := _within(one, part)) is not None), None)


def _inner(annotation: Any) -> Any:
    """The model inside `Model | None`, `dict[str, Model]` or `tuple[Model, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _inner(part)) is not None), None)
