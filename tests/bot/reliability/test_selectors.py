"""Which queries an SLO may give, and what is said of the others."""

from __future__ import annotations

import pytest

from bot.reliability.selectors import canonical, problem_of, taken_apart


@pytest.mark.parametrize(
    "query",
    [
        "http_requests_total",
        'http_requests_total{code=~"5..", job!="x"}',
        '{__name__="http_requests_total"}',
        '{__name__=~"http_requests_total|grpc_requests_total",job="checkout"}',
        '{__name__="http_requests_total" or __name__="grpc_requests_total"}',
        'http_requests_total{path="/a#b"}',
    ],
)
def test_a_plain_selector_is_right(query: str) -> None:
    assert problem_of(query) is None


@pytest.mark.parametrize(
    ("query", "start", "remedy"),
    [
        ("x[5m]", "a range is not allowed here", "write only the counter's selector: x"),
        ('rate(x{a="b"}[5m])', "the function rate() is not", 'write only the counter\'s selector: x{a="b"}'),
        ("sum(increase(x[28d]))", "an aggregation is not", "write only the counter's selector: x"),
        ("x offset 5m", "an offset is not allowed", "write only the counter's selector: x"),
        ("x @ 12", "an @ time is not allowed", "write only the counter's selector: x"),
        ("(x)", "brackets are not allowed", "write only the counter's selector: x"),
        ("x[1h:5m]", "a subquery is not allowed", "write only the counter's selector: x"),
        ("x - y", "a calculation is not allowed", 'such as http_requests_total{code=~"5.."}'),
        (
            "histogram_count(sum(increase(x[28d])))",
            "native histograms are not supported",
            "use thresholdMetric with a classic histogram's buckets",
        ),
        ('{job="checkout"}', "this names no metric", 'such as http_requests_total{code=~"5.."}'),
        ('sum({job="checkout"})', "an aggregation is not", 'such as http_requests_total{code=~"5.."}'),
        ('{__name__="x" or job="y"}', "this names no metric", 'such as http_requests_total{code=~"5.."}'),
        ("42", "this is no selector", 'such as http_requests_total{code=~"5.."}'),
        ("x{", "this can't be read as PromQL", 'such as http_requests_total{code=~"5.."}'),
        ("x])) or vector(1", "this can't be read as PromQL", 'such as http_requests_total{code=~"5.."}'),
    ],
)
def test_everything_else_is_refused_with_what_to_write(query: str, start: str, remedy: str) -> None:
    problem = problem_of(query)
    assert problem is not None
    assert problem.startswith(start)
    assert problem.endswith(remedy)


def test_a_comment_can_not_swallow_what_stands_behind_the_selector() -> None:
    assert canonical('x{a="b"} # really\n') == 'x{a="b"}'


def test_lines_are_joined() -> None:
    assert canonical('x{\n  a="b",\n  c="d"\n}') == 'x{a="b",c="d"}'


def test_quotes_and_backslashes_survive_being_written_anew() -> None:
    assert canonical(r'x{a="say \"hi\" # \\d"}') == r'x{a="say \"hi\" # \\d"}'


def test_a_name_in_quotes_is_kept() -> None:
    assert canonical('{"my.metric", "my.label"="x"} # dots') == '{__name__="my.metric","my.label"="x"}'


@pytest.mark.parametrize(
    ("query", "apart"),
    [
        ("x", ("x", ())),
        ('x{a="b",c!~"d|e"}', ("x", (("a", "=", "b"), ("c", "!~", "d|e")))),
        ('{__name__="x",a=~"b"}', ("x", (("a", "=~", "b"),))),
        ('{__name__=~"x.*"}', None),
        ('{a="b"}', None),
    ],
)
def test_a_selector_is_taken_apart(query: str, apart: tuple[str, tuple[tuple[str, str, str], ...]] | None) -> None:
    assert taken_apart(query) == apart
