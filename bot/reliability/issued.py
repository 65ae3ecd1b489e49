"""Reviews that were issued: their facts as they were said, so that the same question gives the same answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Protocol

from bot.reliability.definitions import ObjectiveDefinition, PrometheusQuery, Query
from bot.reliability.exclusions import Exclusion

_FORM = 1  # of what is kept; another number, and nothing that was kept in the old form is found


class IssuedReviews(Protocol):
    """Facts of issued reviews, of one workspace: by instant and by `key` (definition, source and what is left out)."""

    async def get(self, at: datetime, keys: Sequence[str]) -> Mapping[str, str]:
        """What was said at that instant for these keys; a key that nothing was said of is left out."""
        ...

    async def put(self, at: datetime, facts: Mapping[str, str]) -> None:
        """Keep them; what was said first stays."""
        ...


def key_of(definition: ObjectiveDefinition, exclusions: Sequence[Exclusion], source: str) -> str:
    """What an objective's facts are found by: a digest of all that decides them besides the instant.

    Titles, descriptions and the place of a file's lines decide nothing. `source` says who answers.
    """
    indicator, slices = definition.indicator, definition.slices
    whole: dict[str, Any] = {
        "form": _FORM,
        "objective": [*definition.key, str(definition.target.normalize())],
        "window": [type(definition.window).__name__, asdict(definition.window)],
        "slices": None if slices is None else asdict(slices),
        "total": _query(indicator.total),
        "bad" if indicator.counts_bad else "good": _query(indicator.part),
        "threshold": None if indicator.threshold is None else str(indicator.threshold.seconds),
        "exclusions": [asdict(exclusion) for exclusion in exclusions],
        "source": source,
    }
    text = json.dumps(whole, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _query(query: Query) -> list[str]:
    return [query.selector] if isinstance(query, PrometheusQuery) else [str(query.file), query.series]
