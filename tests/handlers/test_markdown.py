"""Long Markdown in pieces: nothing lost, none too long, and in a time that grows with the text alone."""

from __future__ import annotations

import pytest

from handlers.markdown import split

LIMIT = 1_000
SHAPES = {
    "short lines": "ab\n" * 10_000,
    "short paragraphs": "ab\n\n" * 7_500,
    "one line of signs": "*" * 30_000,
    "words": "word " * 6_000,
    "a block of code": "```\n" + "x\n" * 15_000 + "```",
    "a table": "|a|b|\n|-|-|\n" + "|c|d|\n" * 5_000,
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("weight", [1, 7], ids=["light", "heavy"])
def test_however_a_text_is_shaped_each_piece_of_it_is_measured_a_few_times_and_none_is_too_long(name, weight):
    markdown, measured = SHAPES[name], []

    def size(text: str) -> int:
        measured.append(len(text))
        return len(text) * weight

    pieces = split(markdown, LIMIT * weight, size=size)

    assert max(map(len, pieces)) <= LIMIT
    assert _letters("".join(pieces)) >= _letters(markdown)
    assert sum(measured) < 20 * len(markdown)


def _letters(text: str) -> int:
    return sum(not character.isspace() for character in text)
