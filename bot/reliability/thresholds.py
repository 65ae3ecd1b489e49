"""Whether the thresholds that SLO files set are buckets of their histograms: only the metrics know."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from bot.errors import Unreachable
from bot.reliability.buckets import no_bucket
from bot.reliability.definitions import Definitions, Threshold
from bot.reliability.metrics import KnowsBuckets
from bot.reliability.prometheus_failures import QueryFailed
from bot.yaml_source import Mistake


class ThresholdsUnchecked(Unreachable):
    """The metrics did not say which buckets there are. `mistakes` are those that were found all the same."""

    def __init__(self, failures: Sequence[str], asked: int, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        what = "the histogram's buckets" if asked == 1 else f"the buckets of {len(failures):,} of {asked:,} histograms"
        super().__init__(f"Thresholds were not checked against {what}: {failures[0]}")


async def check_thresholds(definitions: Definitions, source: KnowsBuckets, at: datetime) -> list[Mistake]:
    """Every threshold that is no bucket at this time, in the files' order of services and SLOs.

    Raises:
        ThresholdsUnchecked: some histograms could not be asked for.
    """
    found = [item.indicator.threshold for item in definitions.objectives if item.indicator.threshold is not None]
    selectors = list(dict.fromkeys(threshold.buckets for threshold in found))
    answers = dict(zip(selectors, await asyncio.gather(*(_asked(source, text, at) for text in selectors)), strict=True))
    mistakes = []
    for threshold in found:
        known = answers[threshold.buckets]
        wrong = None if isinstance(known, str) else _wrong(threshold, known)
        if wrong is not None:
            mistakes.append(Mistake(threshold.where, threshold.key, wrong))
    failures = [answer for answer in answers.values() if isinstance(answer, str)]
    if failures:
        raise ThresholdsUnchecked(failures, len(selectors), mistakes)
    return mistakes


async def _asked(source: KnowsBuckets, selector: str, at: datetime) -> tuple[Decimal, ...] | str:
    """The buckets, or the sentence why they are not known."""
    try:
        return await source.buckets(selector, at)
    except QueryFailed as failure:
        return str(failure)


def _wrong(threshold: Threshold, known: Sequence[Decimal]) -> str | None:
    if not known:
        return (
            f"{threshold.buckets} has no series with buckets in the last day, so this can't be checked or counted; "
            "correct its name and labels (native histograms have no such series and are not supported)"
        )
    return None if threshold.seconds in known else no_bucket(threshold.seconds, known)
