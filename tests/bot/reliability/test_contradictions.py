"""Answers that contradict each other are found out, honest ones are left alone."""

from __future__ import annotations

from array import array
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from bot.reliability.contradictions import Evidence, contradiction
from bot.reliability.hours import ABSENT, HOUR, Hours
from bot.reliability.metrics import Signs, Tally

START = datetime(2026, 11, 15, 8, tzinfo=UTC)


def hours(part: float = 1.0, total: float = 1000.0) -> Hours:
    return Hours(START, HOUR, array("d", [part] * 25), array("d", [total] * 25))


def tally(part: float | None, total: float | None) -> Tally:
    return Tally(None if part is None else Fraction(part), None if total is None else Fraction(total))


WHOLE = Evidence(
    fresh=True,
    busiest=60.0,
    stale_after=timedelta(hours=1),
    hours=hours(),
    open_rest=tally(0.5, 500.0),
    rest_length=timedelta(minutes=30),
    increase=tally(24.0, 24_000.0),
    by_hours=tally(24.0, 24_000.0),
    signs=Signs(hidden=Fraction(0), part_seen=2, series_seen=6, series_now=6),
    unanswered=False,
)
FAULTLESS = replace(
    WHOLE,
    hours=hours(ABSENT),
    open_rest=tally(None, 500.0),
    increase=tally(None, 24_000.0),
    by_hours=tally(None, 24_000.0),
    signs=Signs(part_seen=0, series_seen=6),
)
BORN_IN_THE_OPEN_HOUR = replace(
    WHOLE,
    hours=Hours(START, HOUR, array("d", [ABSENT] * 24 + [0.5]), array("d", [ABSENT] * 24 + [500.0])),
    increase=tally(0.5, 520.0),
    by_hours=tally(0.5, 500.0),
)
DEAD = replace(WHOLE, fresh=False, busiest=0.0, open_rest=tally(None, None))
BY_HOURS_ALONE = replace(WHOLE, increase=None)


@pytest.mark.parametrize(
    "found",
    [WHOLE, FAULTLESS, BORN_IN_THE_OPEN_HOUR, DEAD, BY_HOURS_ALONE],
    ids=["whole", "never an error", "born in the open hour", "dead", "asked by hours"],
)
def test_what_may_be_true_is_believed(found: Evidence) -> None:
    assert contradiction(found) is None


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (replace(WHOLE, fresh=False), "events but no samples in the last hour"),
        (replace(WHOLE, increase=tally(24.0, None)), "samples in the last hour but no events in the window"),
        (replace(WHOLE, increase=tally(None, 24_000.0)), "events by the hour and none in the window"),
        (replace(WHOLE, by_hours=tally(None, 24_000.0)), "events in the window and none by the hour"),
        (
            replace(WHOLE, hours=Hours(START, HOUR, array("d", [1.0] * 25), array("d", [ABSENT] * 24 + [500.0]))),
            "bad or good events in hours without any",
        ),
        (
            replace(
                BORN_IN_THE_OPEN_HOUR,
                increase=tally(24.0, 24_000.0),
            ),
            "events in the window and none in its full hours",
        ),
        (replace(WHOLE, signs=Signs(part_seen=0)), "events of series that its index doesn't name"),
        (replace(FAULTLESS, signs=Signs(part_seen=2, series_seen=6)), "series in its index and no events of them"),
        (replace(WHOLE, unanswered=True), "new series and not their first samples"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_can_not_all_be_true_is_said(found: Evidence, said: str) -> None:
    assert contradiction(found) == said
