"""The thresholds that a classic histogram has, and the words for one that it hasn't."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation


def finite_buckets(bounds: Iterable[str]) -> tuple[Decimal, ...]:
    """The `le` labels' values, lowest first; what is no number and the last, infinite one are left out."""
    found = set()
    for text in bounds:
        try:
            value = Decimal(text)
        except InvalidOperation:
            continue
        if value.is_finite():
            found.add(value)
    return tuple(sorted(found))


def no_bucket(threshold: Decimal, known: Sequence[Decimal]) -> str:
    """A sentence that names the nearest buckets on both sides of a threshold that is none of them."""
    below = max((value for value in known if value < threshold), default=None)
    above = min((value for value in known if value > threshold), default=None)
    near = [_plain(value) for value in (below, above) if value is not None]
    if len(near) == 1:
        said = f"the nearest is {near[0]}. Set value to it."
    else:
        said = f"the nearest are {' and '.join(near)}. Set value to one of them."
    return f"{_plain(threshold)} is no bucket of this histogram; {said}"


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
