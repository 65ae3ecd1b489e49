"""OpenSLO v1 files and folders, read into definitions; every mistake at once, each with file, line and remedy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot import yaml_source
from bot.reliability import openslo_schema as schema
from bot.reliability.definitions import (
    DefinitionError,
    Definitions,
    ObjectiveDefinition,
    ServiceDefinition,
)
from bot.reliability.openslo_indicators import indicator_spec, read_indicator
from bot.reliability.openslo_objectives import read_slo
from bot.reliability.openslo_reading import Found, Parsed, validated
from bot.yaml_source import Mistake


def load_definitions(paths: Sequence[Path], *, now: datetime | None = None) -> Definitions:
    """Read OpenSLO files and folders (searched for *.yml and *.yaml).

    `now` tells a calendar's start that lies in the future; the machine's clock when left out.

    Raises:
        DefinitionError: lists every mistake in every file.
    """
    definitions, mistakes = _read(paths, now)
    if mistakes:
        raise DefinitionError(mistakes)
    return definitions


def check(paths: Sequence[Path], *, now: datetime | None = None) -> list[Mistake]:
    """Every mistake in these files and folders; empty when there is none."""
    return _read(paths, now)[1]


def _read(paths: Sequence[Path], now: datetime | None) -> tuple[Definitions, list[Mistake]]:
    found, now = Found(), now if now is not None else datetime.now(UTC)
    for path in _files(paths, found.mistakes):
        try:
            sources = yaml_source.read(path)
        except yaml_source.YamlProblem as problem:
            found.mistakes.append(problem.mistake)
            continue
        for source in sources:
            for single in source.items() or (source,):
                _take(single, found)
    objectives: list[ObjectiveDefinition] = []
    for parsed in found.all("SLI"):
        read_indicator(parsed, ("spec",), indicator_spec(parsed), parsed.document.metadata.name, found)
    for parsed in found.all("SLO"):
        objectives += read_slo(parsed, found, now)
    titled = {item.document.metadata.name: item for item in found.all("Service")}
    services = {name: _service(parsed) for name, parsed in titled.items()}
    for objective in objectives:
        services.setdefault(objective.service, ServiceDefinition(objective.service))
    definitions = Definitions(
        services=tuple(services[name] for name in sorted(services)),
        objectives=tuple(sorted(objectives, key=lambda item: item.key)),
        remarks=tuple(found.remarks),
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
