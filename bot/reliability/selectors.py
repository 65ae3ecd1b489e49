"""Which PromQL an SLO may give: the selector of a counter. The Director itself adds window, increase and sum."""

from __future__ import annotations

import re
from collections.abc import Sequence

import promql_parser as promql

Matcher = tuple[str, str, str]  # label, sign, value

_SIGNS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}
_META = re.compile(r"[\\.+*?()|\[\]{}^$]")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NATIVE = re.compile(r"\bhistogram_(?:count|sum|avg|fraction|stddev|stdvar)\s*\(")
_EXAMPLE = 'write one counter\'s selector, such as http_requests_total{code=~"5.."}'


def problem_of(query: str) -> str | None:
    """Why this is no instant vector selector, and what to write instead; None when it is one."""
    fault = fault_of(query)
    if fault is None:
        return None
    bare = within(query)
    if _reads_native(query):
        return f"{fault}; use thresholdMetric with a classic histogram's buckets"
    instead = _EXAMPLE if bare is None or fault_of(bare) is not None else f"write only the counter's selector: {bare}"
    return f"{fault}; {instead}"


def fault_of(query: str) -> str | None:
    """Why this is no instant vector selector; None when it is one."""
    try:
        expression = promql.parse(query)
    except ValueError as error:
        return f"this can't be read as PromQL ({error})"
    if not isinstance(expression, promql.VectorSelector):
        return _named(expression) if not _reads_native(query) else "native histograms are not supported"
    if expression.offset is not None:
        return "an offset is not allowed, the Director chooses the window"
    if expression.at is not None:
        return "an @ time is not allowed, the Director chooses the window"
    if not expression.name and not all(map(_names_a_metric, _groups(expression))):
        return "this names no metric, so it would count all that have these labels"
    return None


def _names_a_metric(matchers: Sequence[Matcher]) -> bool:
    return any(label == "__name__" and sign in ("=", "=~") for label, sign, _ in matchers)


def _groups(parsed: promql.VectorSelector) -> list[tuple[Matcher, ...]]:
    """The matchers; several groups where `or` stands between them."""
    return [matchers_of(group) for group in parsed.matchers.or_matchers] or [matchers_of(parsed.matchers.matchers)]


def _reads_native(query: str) -> bool:
    """Whether a function is in it that only native histograms have."""
    return bool(_NATIVE.search(query))


def within(query: str) -> str | None:
    """The one selector that this expression is made of, without window and functions; None where there are others."""
    try:
        expression = promql.parse(query)
    except ValueError:
        return None
    found: set[str] = set()

    def see(node: promql.Expr) -> bool:
        if isinstance(node, promql.VectorSelector):
            found.add(_written_anew(node))
        elif isinstance(node, promql.MatrixSelector):
            found.add(_written_anew(node.vector_selector))
        return True

    promql.walk(expression, see)
    return found.pop() if len(found) == 1 else None


def canonical(query: str) -> str:
    """The selector as it goes into queries: as written, unless a comment or line break could spill out of it."""
    text = query.strip()
    if "\n" in text or "#" in text:
        return _written_anew(promql.parse(text))
    return text


def taken_apart(query: str) -> tuple[str, tuple[Matcher, ...]] | None:
    """A selector's metric and its other matchers; None where no single name says which metric it is.

    Raises ValueError for what is no selector (`problem_of`).
    """
    parsed = promql.parse(query)
    if not isinstance(parsed, promql.VectorSelector):
        raise ValueError(f"{query!r} is no selector")  # noqa: TRY004  # as the parser itself
    matchers = matchers_of(parsed.matchers.matchers)
    names = [value for label, sign, value in matchers if label == "__name__" and sign == "="]
    if parsed.matchers.or_matchers:
        return None
    if parsed.name:
        return parsed.name, matchers
    if len(names) != 1:
        return None
    return names[0], tuple(matcher for matcher in matchers if matcher != ("__name__", "=", names[0]))


def written(metric: str, matchers: Sequence[Matcher]) -> str:
    """The selector of a metric, with a blank nowhere and every sign escaped that would end it."""
    plain = bool(re.fullmatch(r"[A-Za-z_:][A-Za-z0-9_:]*", metric))
    inside = [*([] if plain else [("__name__", "=", metric)]), *matchers]
    return f"{metric if plain else ''}{_braced([inside]) if inside else ''}"


def _written_anew(parsed: promql.Expr) -> str:
    assert isinstance(parsed, promql.VectorSelector)  # noqa: S101 - held by `problem_of`
    groups = _groups(parsed)
    return f"{parsed.name or ''}{_braced(groups) if any(groups) else ''}"


def matchers_of(found: Sequence[promql.Matcher]) -> tuple[Matcher, ...]:
    return tuple((item.name, _SIGNS[str(item.op)], item.value) for item in found)


def _braced(groups: Sequence[Sequence[Matcher]]) -> str:
    written = (",".join(f"{labelled(label)}{sign}{quoted(value)}" for label, sign, value in group) for group in groups)
    return f"{{{' or '.join(written)}}}"


def labelled(name: str) -> str:
    """A label's name as PromQL takes it: in quotes, where it isn't one word (Prometheus 3)."""
    return name if _WORD.fullmatch(name) else quoted(name)


def literal(text: str) -> str:
    """The regular expression (RE2) that matches just this text."""
    return _META.sub(r"\\\g<0>", text)


def quoted(text: str) -> str:
    """A PromQL string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _named(expression: promql.Expr) -> str:
    match expression:
        case promql.MatrixSelector():
            return "a range is not allowed here, the Director chooses the window"
        case promql.Call():
            return (
                f"the function {expression.func.name}() is not allowed here, the Director computes the increase itself"
            )
        case promql.AggregateExpr():
            return "an aggregation is not allowed here, the Director sums by itself"
        case promql.SubqueryExpr():
            return "a subquery is not allowed here, the Director chooses the window"
        case promql.BinaryExpr():
            return "a calculation is not allowed here, good or bad and total are each one selector"
        case promql.ParenExpr():
            return "brackets are not allowed here"
        case _:
            return "this is no selector"
