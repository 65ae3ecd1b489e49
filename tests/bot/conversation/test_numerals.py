"""Numbers in a model's words, found in every guise."""

from __future__ import annotations

import pytest

from bot.conversation.numerals import numerals, unsupported


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("p99, k8s, OAuth2 and f3 are names", ()),
        ("it took 530 ms, then 530 ms again", ("530 ms",)),
        ("99.95% of 12,000 requests", ("99.95%", "12000 requests")),
        ("between 3-5 days, on 2026-11-22 at 09:00", ("3-5 days", "2026-11-22", "09:00")),
        ("1. first\n2. second\n  10) tenth", ()),
        ("version 1.2.3 and 28d", ("1.2.3", "28d")),
        ("ninety-nine percent and twenty two minutes", ("ninety-nine percent", "twenty two minutes")),
        ("one of the two teams", ()),
        ("\uff15\uff10\uff05 of \u0663 and \u00b2", ("50%", "\u0663", "2")),
        ("about 42.", ("42",)),
        ("no numbers here", ()),
    ],
)
def test_numbers_are_found(text: str, found: tuple[str, ...]) -> None:
    assert numerals(text) == found


@pytest.mark.parametrize(
    ("text", "known", "left"),
    [
        ("17 % and 18 %", ("it is 17 %",), ("18 %",)),
        ("12000 and 12,001", ("12,000",), ("12001",)),
        ("in 28 days", ("window 28d",), ()),
        ("ninety percent", ("Ninety percent, they said",), ()),
        ("5", ("50 and 0.5",), ("5",)),
        ("at 09:00", ("Time: Monday 2026-11-23 09:00 UTC",), ()),
    ],
)
def test_numbers_that_stand_in_what_is_known_are_left_out(
    text: str, known: tuple[str, ...], left: tuple[str, ...]
) -> None:
    assert unsupported(text, known) == left
