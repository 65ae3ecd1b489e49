"""Text on its way out to Teams."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands import HELP
from handlers.teams.text import escaped, outgoing, small


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("*x*_y", r"\*x\*\_y"),
        ("snake_case_name and 3 * 4", "snake_case_name and 3 * 4"),
        ("**b** `c` ~~d~~", r"\*\*b\*\* \`c\` \~\~d\~\~"),
        ("[a](http://b)", r"[a]\(http://b)"),
        ("<at>Omar</at> &lt; R&D", "&lt;at>Omar&lt;/at> &amp;lt; R&D"),
        ("1. one\n- two\n# three\n> four", "1\\. one\n\\- two\n\\# three\n\\> four"),
        (r"C:\dir \*", r"C:\dir \\\*"),
    ],
)
def test_escaped_text_means_nothing_to_markdown(text, markdown):
    assert escaped(text) == markdown


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("one\ntwo", "one  \ntwo"),
        ("**Risks**\n- a\n- b\nafter", "**Risks**\n\n- a\n- b\n\nafter"),
        ("# Title *here* #", "**Title** ***here***"),
        ("- a\n  - b\n    more\n3) c", "- a\n   - b\n      more\n3) c"),
        ("- [ ] open\n- [x] done", "- ☐ open\n- ☑ done"),
        ("> said\n> so", "> said  \n> so"),
        ("above\n\n---\n\nbelow", "above\n\n———\n\nbelow"),
        ("| a | b |\n|---|--:|\n| long | 1 |", "```\na     b\nlong  1\n```"),
        ("```py\nx = '<at>'\n\ny\n```", "```\nx = '<at>'\n\ny\n```"),
        ("~~~\n```\n~~~", "````\n```\n````"),
        ("`a*b` and ``c`d``", "`a*b` and ``c`d``"),
        ("_it_ __bo__ ***both***", "*it* **bo** ***both***"),
        ("see [this](https://a.b/c_(d)) or [that](javascript:alert)", "see [this](https://a.b/c_(d)) or that"),
        ("![chart](https://a.b/c.png)", "[chart](https://a.b/c.png)"),
        ("<https://a.b/c_d>", "https://a.b/c_d"),
        ("<at>Everyone</at> <b>x</b>", "&lt;at>Everyone&lt;/at> &lt;b>x&lt;/b>"),
        ("no *end and 2 * 3 * 4", r"no \*end and 2 * 3 * 4"),
        ("", ""),
    ],
)
def test_markdown_goes_out_as_teams_reads_it(markdown, shown):
    assert outgoing(markdown) == shown


def test_the_help_is_a_list_whose_lines_stay_apart():
    lines = outgoing(HELP).splitlines()

    assert lines[:3] == ["What I can do:", "", HELP.splitlines()[1].replace("• ", "- ")]
    assert sum(line.startswith("- ") for line in lines) == HELP.count("• ")


def test_small_print_is_in_italics():
    assert small("Evaluated at `08:00` **UTC**\nfrom a_b") == "*Evaluated at* `08:00` ***UTC***  \n*from a_b*"


@given(st.text(alphabet="ab*_[]()<>/#-+.1&;!\\ \n", max_size=200))
def test_no_markup_of_teams_gets_through(text):
    assert "<" not in escaped(text)
    assert "<" not in outgoing(text)


@given(st.lists(st.text(alphabet="abc123", min_size=1, max_size=8), max_size=60), st.randoms())
def test_no_word_is_lost_on_the_way_out(tokens, random):
    joints = [" ", "\n", "\n\n", "\n- ", "\n> ", " **", "** ", "\n# ", " `", "` ", "\n1. ", " | "]
    text = "".join(f"{token}{random.choice(joints)}" for token in tokens)

    shown = outgoing(text)

    at = 0
    for token in tokens:
        at = shown.index(token, at) + len(token)
