"""Classic histograms: the selector of the bucket that a threshold is, and of all events beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.reliability import selectors
from bot.reliability.selectors import Matcher

_BUCKET = "_bucket"
_EXAMPLE = "write a classic histogram's buckets, such as http_request_duration_seconds_bucket"
_OTHER_PARTS = ("_count", "_sum")
_PLAIN_FROM, _PLAIN_BELOW = Decimal("0.001"), Decimal(1_000_000)  # every client writes these without an exponent


@dataclass(frozen=True)
class Histogram:
    """`base` is the metric's name without `_bucket`; `matchers` are those that its selector has."""

    base: str
    matchers: tuple[Matcher, ...]

    @property
    def buckets(self) -> str:
        """Selects all buckets."""
        return selectors.written(self.base + _BUCKET, self.matchers)

    @property
    def count(self) -> str:
        """Selects the counter of all events."""
        return selectors.written(f"{self.base}_count", self.matchers)

    def up_to(self, threshold: Decimal) -> str:
        """Selects the bucket that ends at this threshold, however its `le` is spelled."""
        spelled = spellings(threshold)
        if len(spelled) == 1:
            return selectors.written(self.base + _BUCKET, (*self.matchers, ("le", "=", spelled[0])))
        pattern = "|".join(text.replace("+", "[+]").replace(".", "[.]") for text in spelled)
        return selectors.written(self.base + _BUCKET, (*self.matchers, ("le", "=~", pattern)))


def problem_of(query: str) -> str | None:
    """Why this selects no classic histogram's buckets, and what to write instead; None when it does."""
    fault = selectors.fault_of(query)
    if fault is not None:
        inner = selectors.within(query)
        apart = selectors.taken_apart(inner) if inner is not None else None
        return f"{fault}; {_instead(*apart) if apart is not None and apart[0].endswith(_BUCKET) else _EXAMPLE}"
    apart = selectors.taken_apart(query)
    if apart is None:
        return f"this names no single metric; {_EXAMPLE}"
    metric, matchers = apart
    if any(label == "le" for label, _, _ in matchers):
        return f"le is chosen by the objective's value; {_instead(metric, matchers)}"
    if metric.endswith(_BUCKET) and metric != _BUCKET:
        return None
    base = next((metric.removesuffix(part) for part in _OTHER_PARTS if metric.endswith(part)), metric)
    instead = selectors.written(base + _BUCKET, matchers)
    if base != metric:
        return f"{metric} holds no buckets; write {instead}"
    return (
        f"{metric} is no classic histogram's buckets; write {instead}. Native histograms, summaries and gauges are not "
        "supported: let the service expose a classic histogram with the threshold among its buckets"
    )


def _instead(metric: str, matchers: Sequence[Matcher]) -> str:
    bare = selectors.written(metric, [matcher for matcher in matchers if matcher[0] != "le"])
    return f"write only the buckets' selector: {bare}"


def histogram_of(query: str) -> Histogram:
    """Raises ValueError for what `problem_of` names."""
    problem = problem_of(query)
    if problem is not None:
        raise ValueError(problem)
    apart = selectors.taken_apart(query)
    assert apart is not None  # noqa: S101 - held by `problem_of`
    return Histogram(apart[0].removesuffix(_BUCKET), apart[1])


def spellings(threshold: Decimal) -> tuple[str, ...]:
    """How `le` may be written for a number above 0, simplest first.

    Prometheus 3 adds `.0` to whole numbers, older ones store what the client wrote: Go and Python `1e-05` and `1e+06`,
    Java `1.0E-5`, JavaScript and Rust `1e-5`, .NET `1E-05`, Python beyond 10^9 `1e+010`; some no exponent at all.
    """
    plain = f"{threshold.normalize():f}"
    whole = threshold == threshold.to_integral_value()
    found = [plain, f"{plain}.0"] if whole else [plain]
    if not _PLAIN_FROM <= threshold < _PLAIN_BELOW:
        digits = "".join(str(digit) for digit in threshold.normalize().as_tuple().digits)
        exponent = threshold.adjusted()
        sign, power = ("-" if exponent < 0 else "+"), abs(exponent)
        rest = f".{digits[1:]}" if len(digits) > 1 else ""
        short, long = f"{digits[0]}{rest}", f"{digits[0]}{rest or '.0'}"
        bare_sign = "-" if exponent < 0 else ""
        found += [f"{short}e{sign}{power:02d}", f"{short}e{bare_sign}{power}", f"{short}E{sign}{power:02d}"]
        found += [f"{long}E{bare_sign}{power}", f"{long}e{sign}{power:02d}", f"{long}e{bare_sign}{power}"]
        found += [f"{short}e+0{power}"] if power > 9 and sign == "+" else []
    return tuple(dict.fromkeys(found))
