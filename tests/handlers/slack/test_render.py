"""Replies as messages: always within Slack's limits, never a word lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain import Button, Buttons, Chart, Heading, Note, Reply, Series, Table, Text
from handlers.markdown import as_markdown, split
from handlers.slack.blocks import Level, blocks, native
from handlers.slack.render import MARKDOWN, Post, posts
from handlers.slack.standin import StandinConfig
from handlers.slack.standin.blocks import message_mistakes
from handlers.slack.standin.workspace import Workspace

LINES = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=120)
WORDS = st.lists(LINES, max_size=40).map("\n".join)
CELLS = st.text(alphabet="abc|<&> \n0", max_size=60)


@st.composite
def tables(draw):
    columns = draw(st.integers(min_value=1, max_value=24))
    rows = draw(st.integers(min_value=0, max_value=130))
    row = draw(st.tuples(*[CELLS] * columns))
    return Table(columns=tuple(f"c{n}" for n in range(columns)), rows=(row,) * rows, numeric=(0,), caption=draw(LINES))


@st.composite
def charts(draw):
    categories = tuple(draw(st.lists(st.text("ab c", min_size=0, max_size=30), max_size=25)))
    values = st.lists(
        st.none() | st.floats(allow_nan=False, allow_infinity=False, width=32),
        min_size=len(categories),
        max_size=len(categories),
    ).map(tuple)
    series = draw(st.lists(st.builds(Series, name=st.text("xy", max_size=25), values=values), max_size=14))
    return Chart(
        form=draw(st.sampled_from(["line", "bar"])),
        title=draw(LINES),
        alt=draw(LINES),
        categories=categories,
        series=tuple(series),
        unit=draw(st.sampled_from(["", "%", "a very long unit that says much more than a unit has to say"])),
        threshold=draw(st.none() | st.just(25.0)),
    )


BUTTON = st.builds(
    Button,
    verb=st.just("stop"),
    label=LINES,
    value=LINES.filter(bool),
    style=st.sampled_from(["default", "primary", "danger"]),
)
PARTS = st.one_of(
    st.builds(Heading, text=LINES),
    st.builds(Text, markdown=WORDS | st.just("word " * 4_000)),
    st.builds(Note, markdown=WORDS),
    tables(),
    charts(),
    st.builds(Buttons, buttons=st.lists(BUTTON, min_size=1, max_size=60).map(tuple)),
)
REPLIES = st.builds(
    Reply, summary=LINES, parts=st.lists(PARTS, max_size=12).map(tuple), detail=st.lists(PARTS, max_size=3).map(tuple)
)
WORKSPACE = Workspace(StandinConfig())


@given(REPLIES, st.sampled_from([Level.NATIVE, Level.WORDS]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_every_message_is_one_that_slack_takes(reply, level):
    messages = posts(reply)

    assert messages
    for message in messages:
        assert message.summary
        assert [str(mistake) for mistake in message_mistakes(blocks(message.parts, level), WORKSPACE)] == []


@given(st.lists(st.text("abcdefg \n", min_size=1, max_size=300), min_size=1, max_size=60), st.integers(40, 500))
@settings(deadline=None)
def test_split_text_fits_and_loses_no_word(paragraphs, limit):
    markdown = "\n\n".join(paragraphs)

    pieces = split(markdown, limit)

    assert all(len(piece) <= limit for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(markdown.split())


def test_text_that_fits_is_left_as_it_is():
    assert split("a\n\n\n\nb ", 100) == ("a\n\n\n\nb ",)


def test_text_is_split_between_paragraphs_then_sentences_then_words():
    assert split("one two\n\nthree four", 12) == ("one two", "three four")
    assert split("First sentence. Second sentence. Third.", 34) == ("First sentence. Second sentence.", "Third.")
    assert split("alpha beta gamma", 11) == ("alpha beta", "gamma")


def test_a_divided_code_block_is_closed_and_opened_again():
    code = "```py\n" + "\n".join(f"line({n})" for n in range(10)) + "\n```"

    pieces = split(code, 60)

    assert all(piece.startswith("```py\n") and piece.endswith("\n```") for piece in pieces)
    assert re.findall(r"line\(\d\)", "".join(pieces)) == [f"line({n})" for n in range(10)]


def test_a_divided_markdown_table_repeats_its_head():
    head = "| a | b |\n| --- | --- |\n"
    pieces = split(head + "\n".join(f"| {n} | x |" for n in range(20)), 80)

    assert len(pieces) > 1
    assert all(piece.startswith(head) for piece in pieces)


@pytest.mark.parametrize("rows", [1, 99, 100, 250])
def test_a_table_of_any_length_keeps_every_row_under_its_columns(rows):
    table = Table(columns=("service", "left"), rows=tuple((f"s{n}", f"{n} %") for n in range(rows)), numeric=(1,))

    told = [block for message in posts(Reply(summary="x", parts=(table,))) for block in blocks(message.parts)]

    first = told[0]
    assert first["column_settings"] == [
        {"align": "left", "is_wrapped": True},
        {"align": "right", "is_wrapped": False},
    ]
    assert [cell["text"] for cell in first["rows"][0]] == ["service", "left"]
    assert all(f"s{n}'" in str(told) or f"| s{n} |" in str(told) for n in range(rows))


def test_a_second_table_of_a_message_stands_as_text():
    table = Table(columns=("a",), rows=(("1",),))

    (message,) = posts(Reply(summary="x", parts=(table, table)))

    assert [block["type"] for block in blocks(message.parts)] == ["table", "markdown"]
    assert as_markdown(table) == "| a |\n| --- |\n| 1 |"


def test_a_chart_is_what_slack_draws():
    chart = Chart(
        form="line",
        title="Error budget left",
        alt="…",
        categories=("W45", "W46"),
        series=(Series(name="checkout", values=(80.0, 62.0)),),
        unit="%",
        threshold=25.0,
    )

    assert native(chart) == {
        "type": "data_visualization",
        "title": "Error budget left",
        "chart": {
            "type": "line",
            "series": [
                {"name": "checkout", "data": [{"label": "W45", "value": 80.0}, {"label": "W46", "value": 62.0}]},
                {"name": "limit 25", "data": [{"label": "W45", "value": 25.0}, {"label": "W46", "value": 25.0}]},
            ],
            "axis_config": {"categories": ["W45", "W46"], "y_label": "%"},
        },
    }


def test_a_chart_with_a_gap_is_not_drawn_by_slack_which_knows_no_gaps():
    series = Series(name="checkout", values=(80.0, None))
    chart = Chart(form="line", title="t", alt="It fell.", categories=("a", "b"), series=(series,), unit="%")

    assert native(chart) is None
    assert "It fell." in str(blocks((chart,)))
    assert blocks((chart,), Level.NATIVE, {0: "F1"})[0]["slack_file"] == {"id": "F1"}


def test_an_empty_reply_still_says_its_summary():
    assert posts(Reply(summary="Nothing is due.", parts=())) == (
        Post(summary="Nothing is due.", parts=(Text(markdown="Nothing is due."),)),
    )


def test_detail_stands_in_messages_of_its_own():
    reply = Reply(summary="x", parts=(Text(markdown="a"),), detail=(Text(markdown="b"),))

    assert [(post.parts[0], post.detail) for post in posts(reply)] == [
        (Text(markdown="a"), False),
        (Text(markdown="b"), True),
    ]


def test_the_limit_counts_what_is_sent_not_what_is_written():
    markdown = "a < b " * 1_900  # 11,400 characters, more when escaped

    messages = posts(Reply(summary="x", parts=(Text(markdown=markdown),)))

    sent = [block["text"] for message in messages for block in blocks(message.parts)]
    assert all(len(text) <= MARKDOWN for text in sent)
    assert len(messages) == 2
