"""Thresholds of classic histograms: which `le` each is, and what is said of selectors that select no buckets."""

from __future__ import annotations

import re
from decimal import Decimal

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reliability.histograms import histogram_of, problem_of, spellings


def le_of(selector: str) -> re.Pattern[str]:
    """What the selector's `le` matches, as Prometheus would (whole values)."""
    parsed = promql_parser.parse(selector)
    [matcher] = [item for item in parsed.matchers.matchers if item.name == "le"]
    pattern = matcher.value if str(matcher.op) == "MatchOp.Re" else re.escape(matcher.value)
    return re.compile(f"(?:{pattern})\\Z")


def bucket(value: str) -> re.Pattern[str]:
    return le_of(histogram_of('x_bucket{job="a"}').up_to(Decimal(value)))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("1", ["1", "1.0"]),
        ("1.0", ["1", "1.0"]),
        ("100", ["100", "100.0"]),
        ("0.25", ["0.25"]),
        ("2.50", ["2.5"]),
        ("0.0005", ["0.0005", "5e-04", "5.0E-4"]),
        ("0.00001", ["0.00001", "1e-05", "1.0E-5", "1e-5", "1E-05"]),
        ("1e-05", ["0.00001", "1e-05", "1.0E-5", "1e-5", "1E-05"]),
        ("0.00025", ["0.00025", "2.5e-04", "2.5E-4"]),
        ("1000000", ["1000000", "1000000.0", "1e+06", "1.0E6", "1e6"]),
        ("1234567", ["1234567", "1234567.0", "1.234567e+06", "1.234567E6"]),
        ("1e10", ["10000000000.0", "1e+10", "1.0E10", "1e+010"]),
        ("30000000", ["30000000", "3e+07", "3.0E7"]),
    ],
)
def test_a_bucket_is_found_however_its_bound_is_spelled(value: str, written: list[str]) -> None:
    pattern = bucket(value)
    assert [text for text in written if not pattern.match(text)] == []


@given(
    value=st.decimals(Decimal("1e-9"), Decimal("1e12"), allow_nan=False, allow_infinity=False),
    other=st.floats(1e-9, 1e12),
)
def test_every_client_s_spelling_of_a_number_is_matched_and_no_other_number_s(value: Decimal, other: float) -> None:
    number = float(value)
    if not number:
        return
    pattern = bucket(repr(number))
    clients = {repr(number), f"{number!r}".replace("e", "E"), f"{Decimal(repr(number)):f}"}
    assert all(pattern.match(text) for text in clients if Decimal(text) == Decimal(repr(number)))
    assert all(Decimal(text) == Decimal(repr(number)) for text in spellings(Decimal(repr(number))))
    if other != number:
        assert not pattern.match(repr(other))


@pytest.mark.parametrize(("value", "near"), [("1", ["1x0", "10", "11", "1.00001"]), ("1e6", ["1e06", "1ee06", "11e6"])])
def test_signs_in_a_number_match_nothing_else(value: str, near: list[str]) -> None:
    assert [text for text in near if bucket(value).match(text)] == []


def test_a_histogram_s_selectors_keep_its_labels() -> None:
    histogram = histogram_of('http_seconds_bucket{job="a",path!~"/health|\\\\d+",name="quo\\"te"}')
    labels = 'job="a",path!~"/health|\\\\d+",name="quo\\"te"'
    assert (histogram.up_to(Decimal("0.25")), histogram.up_to(Decimal(1)), histogram.count, histogram.buckets) == (
        f'http_seconds_bucket{{{labels},le="0.25"}}',
        f'http_seconds_bucket{{{labels},le=~"1|1[.]0"}}',
        f"http_seconds_count{{{labels}}}",
        f"http_seconds_bucket{{{labels}}}",
    )


def test_a_histogram_without_labels_needs_no_braces() -> None:
    histogram = histogram_of("http_seconds_bucket")
    assert (histogram.count, histogram.up_to(Decimal("0.5"))) == (
        "http_seconds_count",
        'http_seconds_bucket{le="0.5"}',
    )


def test_a_name_that_needs_quotes_keeps_them() -> None:
    assert histogram_of('{"http.seconds_bucket",job="a"}').count == '{__name__="http.seconds_count",job="a"}'


@pytest.mark.parametrize("query", ["x_bucket", 'x_bucket{job="a"}', '{__name__="x_bucket"}'])
def test_buckets_are_right(query: str) -> None:
    assert problem_of(query) is None


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (
            'x{job="a"}',
            (
                'x is no classic histogram\'s buckets; write x_bucket{job="a"}. Native histograms, summaries and '
                "gauges are not supported: let the service expose a classic histogram with the threshold among its "
                "buckets"
            ),
        ),
        ("x_count", "x_count holds no buckets; write x_bucket"),
        ('x_sum{a="b"}', 'x_sum holds no buckets; write x_bucket{a="b"}'),
        (
            'x_bucket{le="0.5",a="b"}',
            "le is chosen by the objective's value; write only the buckets' selector: x_bucket{a=\"b\"}",
        ),
        (
            'histogram_quantile(0.99, sum by (le) (rate(x_bucket{a="b"}[5m])))',
            (
                "the function histogram_quantile() is not allowed here, the Director computes the increase itself; "
                'write only the buckets\' selector: x_bucket{a="b"}'
            ),
        ),
        (
            "rate(x_sum[5m]) / rate(x_count[5m])",
            (
                "a calculation is not allowed here, good or bad and total are each one selector; "
                "write a classic histogram's buckets, such as http_request_duration_seconds_bucket"
            ),
        ),
        (
            "avg_over_time(lag[5m])",
            (
                "the function avg_over_time() is not allowed here, the Director computes the increase itself; "
                "write a classic histogram's buckets, such as http_request_duration_seconds_bucket"
            ),
        ),
        (
            "histogram_fraction(0, 0.25, sum(rate(x[5m])))",
            (
                "native histograms are not supported; "
                "write a classic histogram's buckets, such as http_request_duration_seconds_bucket"
            ),
        ),
        (
            '{job="a"}',
            (
                "this names no metric, so it would count all that have these labels; "
                "write a classic histogram's buckets, such as http_request_duration_seconds_bucket"
            ),
        ),
    ],
)  # fmt: skip
def test_what_selects_no_buckets_is_told_with_what_to_write(query: str, told: str) -> None:
    assert problem_of(query) == told
    with pytest.raises(ValueError, match=re.escape(told)):
        histogram_of(query)
