"""Which PromQL an SLO may give: the selector of a counter. The Director itself adds window, increase and sum."""

from __future__ import annotations

import promql_parser as promql

_EXAMPLE = 'write one counter\'s selector, such as http_requests_total{code=~"5.."}'


def problem_of(query: str) -> str | None:
    """Why this is no instant vector selector, and what to write instead; None when it is one."""
    try:
        expression = promql.parse(query)
    except ValueError as error:
        return f"this can't be read as PromQL ({error}); {_EXAMPLE}"
    if isinstance(expression, promql.VectorSelector):
        if expression.offset is not None:
            return f"an offset is not allowed, the Director chooses the window; {_instead(expression)}"
        if expression.at is not None:
            return f"an @ time is not allowed, the Director chooses the window; {_instead(expression)}"
        return None
    return f"{_named(expression)}; {_instead(expression)}"


def canonical(query: str) -> str:
    """The selector as it goes into queries: as written, unless a comment or line break could spill out of it."""
    text = query.strip()
    if "\n" in text or "#" in text:
        return str(promql.parse(text).prettify()).strip()
    return text


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


def _instead(expression: promql.Expr) -> str:
    found: list[str] = []

    def see(node: promql.Expr) -> bool:
        if isinstance(node, promql.VectorSelector):
            found.append(_bare(str(node.prettify())))
        elif isinstance(node, promql.MatrixSelector):
            found.append(_bare(str(node.vector_selector.prettify())))
        return True

    promql.walk(expression, see)
    if len(set(found)) == 1:
        return f"write only the counter's selector: {found[0]}"
    return _EXAMPLE


def _bare(text: str) -> str:
    """The selector without offset and @ behind it."""
    end = text.rfind("}") + 1
    return text[:end] if end else text.split(maxsplit=1)[0]
