"""Replies as messages: always within Teams' limits, in the order of reading, never a word or a figure lost."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain import Button, Buttons, Chart, Citation, Heading, Note, Reply, Series, Table, Text
from handlers.teams.activity import message
from handlers.teams.drawing import Drawing
from handlers.teams.render import CITATIONS, PICTURE, Post, posts, words
from tests.doubles.parts import REPLIES

LIMIT = 24_000  # bytes of an activity's JSON

CHART = Chart(
    form="line",
    title="Error budget left",
    alt="checkout fell to 18.4 %.",
    categories=("W45", "W46"),
    series=(Series(name="checkout", values=(80.0, 18.4)),),
    unit="%",
)
TABLE = Table(columns=("service", "left"), rows=(("checkout", "18.4 %"),), numeric=(1,))


def card(post: Post) -> dict | None:
    return asyncio.run(Drawing(None).card(post))


def size(post: Post) -> int:
    made = message(post, card(post)).model_dump_json(by_alias=True, exclude_none=True)
    pictures = sum(isinstance(part, Chart) for part in post.parts) * PICTURE
    return len(made.encode()) + pictures


def shown(value: object) -> list[str]:
    """Every text that a card shows, in order."""
    if isinstance(value, dict):
        own = [value[name] for name in ("text", "title") if isinstance(value.get(name), str)]
        return own + [text for inner in value.values() for text in shown(inner)]
    return [text for inner in value for text in shown(inner)] if isinstance(value, list) else []


@given(REPLIES, st.booleans(), st.integers(0, 25))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_every_message_is_one_that_teams_takes(reply, generated, cited):
    citations = tuple(Citation(title=f"Fact {n} " + "t" * 90, text="x" * 200) for n in range(cited))

    messages = posts(reply.model_copy(update={"generated": generated, "citations": citations}))

    assert messages
    assert not messages[0].detail
    assert [one.detail for one in messages] == sorted(one.detail for one in messages)
    for one in messages:
        assert one.summary
        assert one.text or one.parts
        assert size(one) <= LIMIT
        for piece in words(one):
            assert size(Post(summary="x", text=piece, parts=())) <= LIMIT


def test_prose_is_a_message_of_text():
    reply = Reply(
        summary="*All* well", parts=(Text(markdown="All is **well**."), Note(markdown="As of 08:00.")), generated=True
    )

    assert posts(reply) == (
        Post(summary="*All* well", text="All is **well**.\n\n*As of 08:00.*", parts=(), generated=True),
    )


def test_a_report_is_a_card():
    parts = (Heading(text="Review"), Text(markdown="Two are at risk."), TABLE, CHART, Note(markdown="As of 08:00."))

    assert posts(Reply(summary="Review", parts=parts, detail=(Text(markdown="why"),))) == (
        Post(summary="Review", text="", parts=parts),
        Post(summary="Review", text="why", parts=(), detail=True),
    )


def test_words_before_a_table_of_a_report_stand_on_its_card():
    parts = (Text(markdown="Two are at risk."), TABLE)

    assert posts(Reply(summary="Status", parts=parts)) == (Post(summary="Status", text="", parts=parts),)


def test_an_answer_with_a_table_in_it_goes_on_as_a_card_and_keeps_its_sources():
    markdown = "**checkout** is short.\n\n| service | left |\n| --- | ---: |\n| checkout | 18.4 % |\n\nHold it."
    citation = Citation(title="Budget", text="18.4 %")
    reply = Reply(
        summary="Short",
        parts=(Text(markdown=markdown), Note(markdown="As of 08:00.")),
        generated=True,
        citations=(citation,),
    )

    assert posts(reply) == (
        Post(
            summary="Short",
            text="**checkout** is short.",
            parts=(TABLE, Text(markdown="\nHold it."), Note(markdown="As of 08:00.")),
            generated=True,
            citations=(citation,),
        ),
    )


def test_sources_stand_with_the_last_text_of_a_long_answer():
    citation = Citation(title="Budget", text="18.4 %")
    reply = Reply(summary="Long", parts=(Text(markdown="word " * 5_000),), generated=True, citations=(citation,))

    messages = posts(reply)

    assert len(messages) > 2
    assert [one.citations for one in messages] == [()] * (len(messages) - 1) + [(citation,)]


def test_an_answer_with_a_button_is_text_with_a_card_beneath():
    buttons = Buttons(buttons=(Button(verb="stop", label="Stop", value="t1"),))
    reply = Reply(summary="So far", parts=(Text(markdown="So far"), buttons), generated=True)

    assert posts(reply) == (Post(summary="So far", text="So far", parts=(buttons,), generated=True),)


def test_a_reply_of_nothing_says_its_summary():
    assert posts(Reply(summary="*Nothing*", parts=())) == (Post(summary="*Nothing*", text=r"\*Nothing\*", parts=()),)


@pytest.mark.parametrize("rows", [0, 1, 30, 100, 1_000])
@pytest.mark.parametrize("columns", [2, 8])
def test_a_table_of_any_length_keeps_every_row_in_order_under_its_columns(rows, columns):
    head = ("service", *(f"figure {n}" for n in range(1, columns)))
    table = Table(
        columns=head,
        rows=tuple((f"s{row}!", *(f"{row}.{n}" for n in range(1, columns))) for row in range(rows)),
        numeric=tuple(range(1, columns)),
        caption="All",
    )

    messages = posts(Reply(summary="x", parts=(Text(markdown="Before."), table, Text(markdown="After."))))

    told = [text for one in messages for text in shown(card(one))]
    at = [next(n for n, text in enumerate(told) if text == f"s{row}!") for row in range(rows)]
    assert at == sorted(at)
    assert told[0] == "Before."
    assert told[-1] == "After."
    assert told.count("All") == 1
    everything = "\n".join(told)
    assert all(f"{row}.{n}" in everything for row in range(rows) for n in range(1, columns))
    for one in messages[1:]:
        assert [part.columns for part in one.parts if isinstance(part, Table)] in ([head], [])


def test_a_row_too_long_for_a_card_is_told_in_text():
    cell = " ".join(f"w{n}" for n in range(6_000))

    messages = posts(Reply(summary="x", parts=(Table(columns=("a", "b"), rows=((cell, "end"),)),)))

    everything = " ".join(text for one in messages for text in shown(card(one)))
    assert [word for word in everything.split() if word.startswith("w")] == cell.split()
    assert "end" in everything
    assert all(size(one) <= LIMIT for one in messages)


@given(st.lists(st.text(alphabet="abc 123\n", min_size=1, max_size=400), min_size=1, max_size=80))
@settings(deadline=None, max_examples=30)
def test_long_words_lose_nothing_on_cards_and_in_text(paragraphs):
    markdown = "\n\n".join(paragraphs)
    reply = Reply(summary="x", parts=(Heading(text="h"), Text(markdown=markdown)))

    messages = posts(reply)

    on_cards = " ".join(text for one in messages for text in shown(card(one)))
    in_text = " ".join(piece for one in messages for piece in words(one))
    assert on_cards.split()[1:] == markdown.split()
    assert in_text.split()[1:] == markdown.split()


def test_a_card_told_in_words_keeps_its_figures_in_order():
    parts = (Heading(text="Review *x*"), Text(markdown="Two."), TABLE, CHART, Note(markdown="As of 08:00."))

    (told,) = words(Post(summary="x", text="", parts=parts))

    assert told.split("\n\n") == [
        r"**Review \*x\***",
        "Two.",
        "```\nservice     left\ncheckout  18.4 %\n```",
        "**Error budget left**  \ncheckout fell to 18.4 %.",
        "*As of 08:00.*",
    ]


def test_a_message_holds_one_chart():
    messages = posts(Reply(summary="x", parts=(CHART, CHART, CHART)))

    assert [len(one.parts) for one in messages] == [1, 1, 1]


def test_a_table_goes_on_in_the_room_that_a_message_has_left():
    table = Table(columns=("service", "left"), rows=tuple((f"s{n}", "1 %") for n in range(200)), numeric=(1,))

    messages = posts(Reply(summary="x", parts=(Heading(text="Review"), table)))

    sizes = [size(one) for one in messages]
    assert [type(part) for part in messages[0].parts] == [Heading, Table]
    assert all(left > 0.8 * right for left, right in pairwise(sizes[:-1]))


def test_text_in_scripts_of_three_bytes_fits():
    messages = posts(Reply(summary="x", parts=(Text(markdown="予算は残り少ない。" * 3_000),), generated=True))

    assert all(size(one) <= LIMIT for one in messages)
    assert "".join(one.text for one in messages).count("予算") == 3_000


def test_no_more_sources_are_reckoned_with_than_are_shown():
    many = tuple(Citation(title=f"F{n}", text="t") for n in range(CITATIONS * 10))

    (message,) = posts(Reply(summary="x", parts=(Text(markdown="a"),), generated=True, citations=many))

    assert len(json.dumps(message.text)) < 10
    assert message.citations == many
