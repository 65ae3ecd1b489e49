"""OpenSLO v1 files and folders, read into definitions; every mistake at once, each with file, line and remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path

from bot import yaml_source
from bot.reliability import openslo_schema as schema
from bot.reliability.definitions import (
    DefinitionError,
    Definitions,
    Indicator,
    ObjectiveDefinition,
    ServiceDefinition,
    Window,
)
from bot.reliability.openslo_indicators import indicator_spec, read_indicator
from bot.reliability.openslo_reading import Found, Parsed, near_names, validated
from bot.yaml_source import Key, Mistake

_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_LONGEST = timedelta(days=366)


def load_definitions(paths: Sequence[Path]) -> Definitions:
    """Read OpenSLO files and folders (searched for *.yml and *.yaml).

    Raises:
        DefinitionError: lists every mistake in every file.
    """
    definitions, mistakes = _read(paths)
    if mistakes:
        raise DefinitionError(mistakes)
    return definitions


def check(paths: Sequence[Path]) -> list[Mistake]:
    """Every mistake in these files and folders; empty when there is none."""
    return _read(paths)[1]


def _read(paths: Sequence[Path]) -> tuple[Definitions, list[Mistake]]:
    found = Found()
    for path in _files(paths, found.mistakes):
        try:
            sources = yaml_source.read(path)
        except yaml_source.YamlProblem as problem:
            found.mistakes.append(problem.mistake)
            continue
        for source in sources:
            _take(source, found)
    objectives: list[ObjectiveDefinition] = []
    for parsed in found.all("SLI"):
        read_indicator(parsed, ("spec",), indicator_spec(parsed), parsed.document.metadata.name, found)
    for parsed in found.all("SLO"):
        objectives += _slo(parsed, found)
    titled = {item.document.metadata.name: item for item in found.all("Service")}
    services = {name: _service(parsed) for name, parsed in titled.items()}
    for objective in objectives:
        services.setdefault(objective.service, ServiceDefinition(objective.service))
    definitions = Definitions(
        services=tuple(services[name] for name in sorted(services)),
        objectives=tuple(sorted(objectives, key=lambda item: item.key)),
    )
    return definitions, list(dict.fromkeys(found.mistakes))


def _files(paths: Sequence[Path], mistakes: list[Mistake]) -> Iterator[Path]:
    seen: set[Path] = set()
    for path in paths:
        if path.is_dir():
            candidates = sorted(file for file in path.rglob("*") if _is_source(file, path))
        elif path.exists():
            candidates = [path]
        else:
            mistakes.append(Mistake(str(path), "", "there is no such file or folder; check DIRECTOR_SLOS"))
            continue
        for file in candidates:
            if file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def _is_source(file: Path, folder: Path) -> bool:
    """YAML outside of hidden folders: `.git`, and the copies that Kubernetes keeps beside a mounted ConfigMap."""
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    return file.suffix in {".yml", ".yaml"} and not hidden and file.is_file()


def _take(source: yaml_source.Document, found: Found) -> None:
    """One document into the collection, or its mistakes."""
    data = source.data
    if not isinstance(data, dict) or "apiVersion" not in data or "kind" not in data:
        text = "this is no OpenSLO document; it needs apiVersion: openslo/v1 and kind"
        found.mistakes.append(source.mistake((), text))
        return
    version, kind = data["apiVersion"], data["kind"]
    if version != "openslo/v1":
        found.mistakes.append(source.mistake(("apiVersion",), f"{version!r} is not supported; write openslo/v1"))
        return
    if kind in schema.IGNORED:
        return
    if not isinstance(kind, str) or kind not in schema.READ:
        known = ", ".join((*schema.READ, *schema.IGNORED))
        found.mistakes.append(source.mistake(("kind",), f"{kind!r} is not supported; use one of {known}"))
        return
    document = validated(schema.READ[kind], data, (), source, found.mistakes)
    if document is None:
        return
    name = document.metadata.name
    first = found.documents.setdefault((kind, name), Parsed(source, document))
    if first.source is not source:
        text = f"{kind} {name!r} is defined twice; first in {first.source.where(('metadata', 'name'))}. Rename one"
        found.mistakes.append(source.mistake(("metadata", "name"), text))


def _service(parsed: Parsed) -> ServiceDefinition:
    document = parsed.document
    assert isinstance(document, schema.ServiceDocument)  # noqa: S101 - stored under its kind
    title = document.metadata.display_name
    return ServiceDefinition(document.metadata.name, title=title, description=document.spec.description.strip())


def _slo(parsed: Parsed, found: Found) -> list[ObjectiveDefinition]:
    document, source = parsed.document, parsed.source
    assert isinstance(document, schema.SloDocument)  # noqa: S101 - stored under its kind
    spec, name = document.spec, document.metadata.name
    if spec.budgeting_method != "Occurrences":
        text = f"{spec.budgeting_method!r} is not supported yet; use Occurrences"
        found.mistakes.append(source.mistake(("spec", "budgetingMethod"), text))
    window = _window(spec, source, found.mistakes)
    indicator = _indicator_of(parsed, spec, name, found)
    objectives = []
    for number, item in enumerate(spec.objectives):
        key: Key = ("spec", "objectives", number)
        _refuse_objective_fields(item, key, source, found.mistakes)
        target = _target(item, key, source, found.mistakes)
        if target is None or window is None or indicator is None:
            continue
        objectives.append(
            ObjectiveDefinition(
                service=spec.service,
                slo=name,
                name=item.display_name or f"objective-{number + 1}",
                target=target,
                window=window,
                indicator=indicator,
                title=document.metadata.display_name,
                description=spec.description.strip(),
            )
        )
    names = [item.name for item in objectives]
    for double in sorted({item for item in names if names.count(item) > 1}):
        text = f"two objectives are called {double!r}; give each its own displayName"
        found.mistakes.append(source.mistake(("spec", "objectives"), text))
    return objectives


def _refuse_objective_fields(
    item: schema.Target, key: Key, source: yaml_source.Document, mistakes: list[Mistake]
) -> None:
    for given, name, why in (
        (
            item.op,
            "op",
            "belongs to thresholdMetric, which is not supported yet; remove it and count good or bad events",
        ),
        (
            item.value,
            "value",
            "belongs to thresholdMetric, which is not supported yet; remove it and count good or bad events",
        ),
        (item.time_slice_target, "timeSliceTarget", "time slices are not supported yet; remove it and use Occurrences"),
        (item.time_slice_window, "timeSliceWindow", "time slices are not supported yet; remove it and use Occurrences"),
        (item.indicator, "indicator", "composite SLOs are not supported yet; write one SLO per indicator"),
        (item.indicator_ref, "indicatorRef", "composite SLOs are not supported yet; write one SLO per indicator"),
        (item.composite_weight, "compositeWeight", "composite SLOs are not supported yet; write one SLO per indicator"),
    ):
        if given is not None:
            mistakes.append(source.mistake((*key, name), why))


def _target(item: schema.Target, key: Key, source: yaml_source.Document, mistakes: list[Mistake]) -> Decimal | None:
    """The exact target: YAML's shortest decimal form of the number is what the person wrote."""
    if (item.target is None) == (item.target_percent is None):
        mistakes.append(source.mistake(key, "needs either target (0.999) or targetPercent (99.9)"))
        return None
    name, given = ("target", item.target) if item.target is not None else ("targetPercent", item.target_percent)
    try:
        number = Decimal(str(given))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        mistakes.append(
            source.mistake((*key, name), f"{given!r} is not a number; write 0.999 (target) or 99.9 (targetPercent)")
        )
        return None
    return number if item.target is not None else number / 100


def _window(spec: schema.SloSpec, source: yaml_source.Document, mistakes: list[Mistake]) -> Window | None:
    key: Key = ("spec", "timeWindow", 0)
    if len(spec.time_window) != 1:
        mistakes.append(
            source.mistake(("spec", "timeWindow"), "must have exactly one window; write one SLO per window")
        )
        return None
    window = spec.time_window[0]
    if window.calendar is not None or window.is_rolling is False:
        text = "calendar windows are not supported yet; use a rolling one: duration: 28d, isRolling: true"
        mistakes.append(source.mistake((*key, "calendar" if window.calendar is not None else "isRolling"), text))
        return None
    match = re.fullmatch(r"([1-9][0-9]{0,5})([mhdw])", window.duration)
    length = int(match[1]) * _UNITS[match[2]] if match else timedelta()
    if match is None or not timedelta(hours=1) <= length <= _LONGEST:
        text = f"{window.duration!r} is no rolling window; write hours, days or weeks such as 28d, from 1h to 366d"
        mistakes.append(source.mistake((*key, "duration"), text))
        return None
    return Window(window.duration, length)


def _indicator_of(parsed: Parsed, spec: schema.SloSpec, slo: str, found: Found) -> Indicator | None:
    source = parsed.source
    if (spec.indicator is None) == (spec.indicator_ref is None):
        found.mistakes.append(
            source.mistake(("spec",), "needs either indicator (inline) or indicatorRef (an SLI's name)")
        )
        return None
    if spec.indicator is not None:
        name = spec.indicator.metadata.name or slo
        return read_indicator(parsed, ("spec", "indicator", "spec"), spec.indicator.spec, name, found)
    reference = spec.indicator_ref or ""
    referred = found.documents.get(("SLI", reference))
    if referred is None:
        text = f"there is no SLI {reference!r}; {near_names(reference, found.named('SLI'), 'SLI')}"
        found.mistakes.append(source.mistake(("spec", "indicatorRef"), text))
        return None
    return read_indicator(referred, ("spec",), indicator_spec(referred), reference, found)
