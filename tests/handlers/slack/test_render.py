"""Replies as messages: always within Slack's limits, never a word lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain import Chart, Reply, Series, Table, Text
from handlers.markdown import as_markdown, split
from handlers.slack.blocks import Level, blocks, native
from handlers.slack.render import MARKDOWN, Post, posts
from handlers.slack.standin import StandinConfig
from handlers.slack.standin.blocks import message_mistakes
from handlers.slack.standin.workspace import Workspace
from tests.doubles.parts import REPLIES

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
