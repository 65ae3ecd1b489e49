"""Ids that people type: a letter and a number, like p7 or s7."""

from __future__ import annotations

import re

_LARGEST = 2**63 - 1


def short_id(letter: str, number: int) -> str:
    return f"{letter}{number}"


def parse_id(letter: str, text: str) -> int | None:
    """The number in an id; None when it is no id of this kind."""
    found = re.fullmatch(rf"{letter}([1-9][0-9]{{0,18}})", text, re.ASCII)
    if found is None or int(found[1]) > _LARGEST:
        return None
    return int(found[1])
