"""What of an unfinished text may be shown already."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import Reply, Text
from handlers.teams.partial import settled
from handlers.teams.render import posts


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("", ""),
        ("Hello wor", "Hello"),
        ("Hello world.\n", "Hello world."),
        ("Hello **wor", "Hello"),
        ("Hello **big wor", "Hello"),
        ("Hello **world** and ", "Hello **world** and"),
        ("five * six is ", "five * six is"),
        ("a name_with_lines is ", "a name_with_lines is"),
        ("see [the ", "see"),
        ("see [the page](http://a ", "see"),
        ("see [the page](http://a.example) or ", "see [the page](http://a.example) or"),
        ("see [1] ", "see [1]"),
        ("run `direc tor ", "run"),
        ("run `director demo` now", "run `director demo`"),
        ("# Head", ""),
        ("# Head\n", "# Head"),
        ("# A long head", ""),
        ("- one\n- two th", "- one\n- two"),
        ("1", ""),
        ("Before.\n\n| a | b |\n", "Before."),
        (
            "Before.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nAfter that ",
            "Before.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nAfter that",
        ),
        ("Before.\n\n```\ncode\n\nmore\n", "Before."),
        ("Before.\n\n```\ncode\n```\n", "Before.\n\n```\ncode\n```"),
        ("if a < b then ", "if a < b then"),
        ("see <https://a", "see"),
        ("a \\", "a"),
    ],
)
def test_what_may_still_change_waits(markdown, shown):
    assert settled(markdown) == shown


def shown(markdown):
    return posts(Reply(summary="…", parts=(Text(markdown=markdown),), generated=True))[0].text


ANSWER = """\
## Checkout

It has **62 %** of its *budget* left, see [the page](https://metrics.example/q?a=1) and `sum(x_y)`.
That is less than last week; 3 * 4 is 12.

1. Stop the **canary** release
2. Watch `checkout_errors_total` for one hour, which
   takes a while

> Budgets are for spending.

```promql
sum(rate(http_requests_total{code=~"5.."}[5m]))

# and more
```

- one_two_three
- __four__ and [5]

The end, really.
"""


def test_each_step_of_a_real_answer_continues_the_one_before_word_by_word():
    before, steps = "", 0
    for end in range(1, len(ANSWER) + 1):
        markdown = settled(ANSWER[:end])
        now = shown(markdown) if markdown.strip() else ""
        assert now.startswith(before), (before[-40:], now[-60:])
        steps += now != before
        before = now
    assert shown(ANSWER) == before
    assert steps > 40


@given(st.text(alphabet="ab1 \n*_`[]()<>|#-\\~&!", max_size=60))
def test_it_is_always_a_beginning_and_never_fails(markdown):
    assert markdown.startswith(settled(markdown))
