"""Text in and out: what is taken off, what is escaped, what stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.plain import shortened, visible
from handlers.slack.text import escaped, mentions, mrkdwn, received, unescaped


@pytest.mark.parametrize(
    ("typed", "taken"),
    [
        ("<@UME> how are we?", "how are we?"),
        ("hey <@UME|director>, ask <@UOMAR>", "hey , ask <@UOMAR>"),
        ("<@UMELANIE> is someone else", "<@UMELANIE> is someone else"),
        ("a &amp; b &lt;c&gt; &amp;lt;", "a & b <c> &lt;"),
        ("see <https://x.example/a>", "see https://x.example/a"),
        ("see <https://x.example|x.example>", "see x.example (https://x.example)"),
        ("see <https://x.example|https://x.example>", "see https://x.example"),
        ("in <#C0GENERAL|general>", "in <#C0GENERAL|general>"),
        ("if x:\n    return", "if x:\n    return"),
        ("<@UME>  why?\na   | b\n1   | 2", "why?\na   | b\n1   | 2"),
        ("pay\u200bments\u202e \U000e0041now", "payments now"),
        ("می‌خواهم", "می‌خواهم"),
        ("a\u200cb", "ab"),
        ("<@UME>", ""),
    ],
)
def test_what_a_person_typed_is_what_they_meant(typed, taken):
    assert received(typed, me="UME") == taken


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("> quoted\n> > twice", "> quoted\n> > twice"),
        ("<!channel> <!here> <!subteam^S1>", "&lt;!channel&gt; &lt;!here&gt; &lt;!subteam^S1&gt;"),
        ("ask <@U0OMAR> in <#C0GENERAL>", "ask <@U0OMAR> in <#C0GENERAL>"),
        ("<https://good.example|bad>", "&lt;https://good.example|bad&gt;"),
        ("<https://good.example>", "https://good.example"),
        ("<@U0OMAR> > others", "<@U0OMAR> &gt; others"),
    ],
)
def test_only_mentions_of_people_and_channels_mean_something_to_slack(written, sent):
    assert escaped(written) == sent


def test_in_the_middle_of_a_line_nothing_is_a_quotation_mark():
    assert escaped("> 5 ms", line_start=False) == "&gt; 5 ms"


@given(st.text())
def test_nobody_is_called_by_what_is_written(text):
    sent = escaped(text)
    assert "<!" not in sent
    assert unescaped(sent).replace("<", "").replace(">", "") or not text.strip("<>")


@given(st.text())
def test_nothing_hidden_is_left(text):
    assert visible(visible(text)) == visible(text)
    assert not {"\u202e", "\u200b", "\x00", "\ufeff"} & set(visible(text))


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("**b** and *i* and ~~s~~", "*b* and _i_ and ~s~"),
        ("[runbook](https://x.example/a?b=1&c=2)", "<https://x.example/a?b=1&amp;c=2|runbook>"),
        ("- one\n- two", "• one\n• two"),
        ("`a*b*c` stays", "`a*b*c` stays"),
        ("# Title", "*Title*"),
        ("2*3*4", "2*3*4"),
        (r"**\*odd\* name** and \_this\_", "**odd* name* and _this_"),
        ("`a\\_b`", "`a\\_b`"),
        ("\U000f003c!channel\U000f003e \U000f002ab", "\U000f003c!channel\U000f003e b"),
    ],
)
def test_small_print_speaks_slacks_dialect(markdown, shown):
    assert mrkdwn(markdown) == shown


@given(st.text(min_size=1), st.integers(min_value=1, max_value=50))
def test_a_title_is_one_line_and_fits(text, limit):
    assert len(shortened(text, limit)) <= limit
    assert "\n" not in shortened(text, limit)


def test_a_mention_is_of_exactly_one_person():
    assert mentions("hey <@UME>", "UME")
    assert mentions("hey <@UME|director>", "UME")
    assert not mentions("hey <@UMELANIE>", "UME")


@pytest.mark.parametrize("piece", [" ", "\t", "\n", "<@UME", "[", "![", "**", "<https://a|"])
@pytest.mark.timeout(5)
def test_hostile_text_takes_no_longer_than_its_length(piece: str) -> None:
    text = piece * 100_000
    assert received(f"a{text}b", me="UME").startswith("a")
    assert mrkdwn(f"a{text}b").startswith("a")


def test_a_mention_is_taken_out_with_the_blanks_around_it() -> None:
    assert received("a  <@UME>  <@UME> b", me="UME") == "a  b"
