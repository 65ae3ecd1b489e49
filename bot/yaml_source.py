"""YAML that remembers where each value stood, so that a mistake is told with file, line and key."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Key = tuple[str | int, ...]

_MOST = 100_000  # values in one document; a few aliases of aliases make billions


@dataclass(frozen=True)
class Mistake:
    """One thing wrong in a file or in the environment. `where` is `file:line` or a variable's name."""

    where: str
    key: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.key}: {self.text}" if self.key else f"{self.where}: {self.text}"


@dataclass(frozen=True)
class Document:
    """One YAML document with the line (from 1) of every key in it."""

    path: Path
    data: Any
    lines: dict[Key, int] = field(repr=False)

    def where(self, key: Key) -> str:
        """`file:line` of this key, or of the nearest one above it that stands in the file."""
        while key and key not in self.lines:
            key = key[:-1]
        return f"{self.path}:{self.lines.get(key, 1)}"

    def mistake(self, key: Key, text: str) -> Mistake:
        return Mistake(self.where(key), dotted(key), text)

    def items(self) -> list[Document]:
        """The items of a list, each as a document of its own; none where it is no list."""
        if not isinstance(self.data, list):
            return []
        lines: list[dict[Key, int]] = [{} for _ in self.data]
        for key, line in self.lines.items():
            if key:
                lines[int(key[0])][key[1:]] = line
        return [Document(self.path, item, found) for item, found in zip(self.data, lines, strict=True)]


class YamlProblem(ValueError):
    """The file can't be read as YAML; `mistake` says where and why."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(str(mistake))
        self.mistake = mistake


def dotted(key: Key) -> str:
    """`('services', 'checkout', 'depends_on', 0)` -> `services.checkout.depends_on[0]`."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read(path: Path) -> list[Document]:
    """All documents of a YAML file (empty ones left out).

    Raises:
        YamlProblem: unreadable file, broken YAML, nesting without end, or one key given twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text; save it as UTF-8"
        raise YamlProblem(Mistake(str(path), "", f"can't be read: {reason}")) from error
    try:
        nodes = _composed(text)
        documents = [_document(path, node) for node in nodes if node is not None]
        return [document for document in documents if document.data is not None]
    except RecursionError as error:
        text = "an alias contains itself, or the file is nested too deeply; write it out flat"
        raise YamlProblem(Mistake(str(path), "", text)) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        problem = getattr(error, "problem", None) or str(error)
        remedy = "indent with spaces, not with tabs" if r"'\t'" in problem else "check indentation and quotes around it"
        raise YamlProblem(Mistake(where, "", f"this is not valid YAML: {problem}; {remedy}")) from error


def _composed(text: str) -> list[Node | None]:
    """With libyaml's events where it is there: a thousand files take half the time. Its words for mistakes say less."""
    if _Quick is not None:
        with contextlib.suppress(yaml.YAMLError):
            return list(yaml.compose_all(text, Loader=_Quick))
    return list(yaml.compose_all(text, Loader=yaml.SafeLoader))


def _quick() -> type[yaml.SafeLoader] | None:
    """Events from libyaml, nodes from Python: libyaml's own nodes end the process where they nest without end."""
    parser = getattr(yaml, "CSafeLoader", None)
    if parser is None:
        return None

    def begin(self: Any, stream: str) -> None:
        parser.__init__(self, stream)
        Composer.__init__(self)

    return type("Quick", (Composer, parser), {"__init__": begin})


_Quick = _quick()


class _Loader(yaml.SafeLoader):
    """What looks like a number or a time and is none (30 February) stays text, for whoever reads the field to tell."""


def _lenient(kind: str) -> Callable[[yaml.SafeLoader, Node], Any]:
    construct = yaml.SafeLoader.yaml_constructors[f"tag:yaml.org,2002:{kind}"]

    def constructed(loader: yaml.SafeLoader, node: Node) -> Any:
        try:
            value = construct(loader, node)
            str(value)  # fails for integers of thousands of digits, also hexadecimal ones
        except (ValueError, AttributeError, LookupError, OverflowError):
            return str(node.value)
        return value

    return constructed


for _kind in ("bool", "int", "float", "timestamp"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _lenient(_kind))


def _document(path: Path, root: Node) -> Document:
    lines: dict[Key, int] = {}
    _collect(path, root, (), lines)
    loader = _Loader("")
    try:
        return Document(path, loader.construct_document(root), lines)
    finally:
        loader.dispose()


def _collect(path: Path, node: Node, at: Key, lines: dict[Key, int]) -> None:
    lines.setdefault(at, node.start_mark.line + 1)
    if len(lines) > _MOST:
        text = f"holds more than {_MOST:,} values, aliases written out; divide the file, or use fewer aliases"
        raise YamlProblem(Mistake(f"{path}:{node.start_mark.line + 1}", "", text))
    if isinstance(node, MappingNode):
        for name, value in node.value:
            key = (*at, str(name.value) if isinstance(name, ScalarNode) else "?")
            if key in lines and name.value != "<<":
                where = f"{path}:{name.start_mark.line + 1}"
                raise YamlProblem(Mistake(where, dotted(key), f"given twice; first in line {lines[key]}. Remove one"))
            lines[key] = name.start_mark.line + 1
            _collect(path, value, key, lines)
    elif isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            _collect(path, item, (*at, index), lines)
