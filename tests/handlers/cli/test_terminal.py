"""A Reply as terminal text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import Button, Buttons, Chart, Heading, Note, Part, Reply, Series, Table, Text
from handlers.terminal import clean, render
from handlers.terminal_table import display_width


def shown(*parts: Part, width: int = 60, detail: tuple[Part, ...] = ()) -> str:
    return render(Reply(summary="s", parts=parts, detail=detail), width=width)


def test_a_whole_reply_reads_from_top_to_bottom() -> None:
    reply = Reply(
        summary="Review",
        parts=(
            Heading(text="Weekly review"),
            Text(
                markdown="**checkout** is _at risk_.\n\n- slow down `deploys`\n- see [the board](https://b.example/1)"
            ),
            Table(
                columns=("service", "remaining"),
                rows=(("checkout", "20 %"), ("search", "100 %")),
                numeric=(1,),
                caption="Budgets",
            ),
            Buttons(
                buttons=(Button(verb="stop", label="Stop", value="t1"), Button(verb="go", label="Go on", value="t1"))
            ),
            Note(markdown="Evaluated 08:00 UTC."),
        ),
        detail=(Text(markdown="More."),),
    )
    assert render(reply, width=60) == (
        "Weekly review\n"
        "═════════════\n"
        "\n"
        "checkout is _at risk_.\n"
        "\n"
        "• slow down `deploys`\n"
        "• see the board (https://b.example/1)\n"
        "\n"
        "Budgets\n"
        "service   remaining\n"
        "────────  ─────────\n"
        "checkout       20 %\n"
        "search        100 %\n"
        "\n"
        "[Stop] [Go on]\n"
        "\n"
        "  Evaluated 08:00 UTC.\n"
        "\n"
        "────────────────────────────────────────\n"
        "\n"
        "More."
    )


def test_a_reply_without_parts_is_its_summary() -> None:
    assert render(Reply(summary="Nothing to say", parts=()), width=80) == "Nothing to say"


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("# Title #", "Title"),
        ("a **b** __c__ *d* 2*3*4", "a b c d 2*3*4"),
        ("1. one\n2) two", "1. one\n2) two"),
        ("> quoted\n> twice", "│ quoted\n│ twice"),
        ("```py\nx  =  1\n```\nafter", "    x  =  1\nafter"),
        ("<https://x.example|the page>", "the page\n(https://x.example)"),
        ("https://x.example/a_b_c", "https://x.example/a_b_c"),
        ("| a | b |\n|---|--:|\n| 1 | **2** |", "a  b\n─  ─\n1  2"),
        ("one two three four five six", "one two three four\nfive six"),
        ("- one two three four five six", "• one two three four\n  five six"),
        ("  - deeper", "  • deeper"),
        ("", "s"),
    ],
)
def test_markdown_becomes_plain_text(markdown: str, text: str) -> None:
    assert shown(Text(markdown=markdown), width=22) == text


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        (r"- up{job=\~\"a.\*\|b.\*\"}\[28d\](x): \_batch\_", '• up{job=~"a.*|b.*"}[28d](x): _batch_'),
        (r"**1.4\*2** and \\ at C:\new", r"1.4*2 and \ at C:\new"),
        (r"`code=~\"5\..\"` and `a\_b`", r"`code=~\"5\..\"` and `a\_b`"),
    ],
    ids=range(3),
)
def test_escaped_signs_are_shown_as_themselves_and_mean_nothing(markdown: str, text: str) -> None:
    assert shown(Text(markdown=markdown)) == text


def test_a_table_too_wide_wraps_its_text_columns() -> None:
    table = Table(
        columns=("id", "what is to be done", "days"),
        rows=(("a", "move the orders to their own database", "12"), ("b", "short", "3")),
        numeric=(2,),
    )
    assert shown(table, width=30) == (
        "id  what is to be done    days\n"
        "──  ────────────────────  ────\n"
        "a   move the orders to      12\n"
        "    their own database\n"
        "b   short                    3"
    )


def test_a_table_breaks_words_only_when_nothing_else_helps() -> None:
    table = Table(columns=("name", "what"), rows=(("notifications", "low volume"),))
    assert shown(table, width=21) == (
        "name           what\n─────────────  ──────\nnotifications  low\n               volume"
    )
    assert shown(table, width=20) == "name          what\n───────────── ──────\nnotifications low\n              volume"
    table = Table(columns=("name", "what"), rows=(("notifications", "unavailable"),))
    assert shown(table, width=20) == "name       what\n─────────  ─────────\nnotificat  unavailab\nions       le"


def test_a_table_far_too_wide_becomes_records() -> None:
    columns = tuple(f"column {index}" for index in range(6))
    assert shown(Table(columns=columns[:6], rows=(tuple("abcdef"), ("g", "", "h", "", "", ""))), width=30) == (
        "column 0: a\ncolumn 1: b\ncolumn 2: c\ncolumn 3: d\ncolumn 4: e\ncolumn 5: f\n\ncolumn 0: g\ncolumn 2: h"
    )


def test_wide_characters_keep_columns_aligned() -> None:
    table = Table(columns=("name", "n"), rows=(("決済", "1"), ("é", "2"), ("🔥", "3")), numeric=(1,))
    assert shown(table) == "name  n\n────  ─\n決済  1\né     2\n🔥    3"


def bars(values: tuple[float | None, ...], *, width: int = 40) -> list[str]:
    chart = Chart(
        form="bar",
        title="Budget left",
        alt="In words.",
        categories=tuple(f"s{index}" for index in range(len(values))),
        series=(Series(name="left", values=values),),
        unit="%",
    )
    return shown(chart, width=width).splitlines()


def test_bars_are_drawn_to_both_sides_of_zero_and_gaps_are_no_zeros() -> None:
    assert bars((50.0, -25.0, None, 0.0)) == [
        "Budget left (%)",
        "  s0 " + " " * 10 + "│" + "█" * 20 + " 50",
        "  s1 " + "█" * 10 + "│ -25",
        "  s2 " + " " * 10 + "│ no figure",
        "  s3 " + " " * 10 + "│ 0",
        "In words.",
    ]


def test_lines_are_sparklines_with_their_ends() -> None:
    chart = Chart(
        form="line",
        title="Burn-down",
        alt="It falls.",
        categories=("Mon", "Tue", "Wed", "Thu"),
        series=(Series(name="checkout", values=(100.0, None, 50.0, 0.0)), Series(name="new", values=(None,) * 4)),
        unit="",
        threshold=0.0,
    )
    assert shown(chart).splitlines() == [
        "Burn-down",
        "  checkout █ ▅▁ 100 → 0",
        "  new           no figures",
        "  from Mon to Thu, scale 0 to 100",
        "It falls.",
    ]


@pytest.mark.parametrize("form", ["bar", "line"])
def test_a_chart_without_figures_says_so(form: str) -> None:
    chart = Chart(
        form=form,  # type: ignore[arg-type]
        title="T",
        alt="Nothing measured.",
        categories=("a",),
        series=(Series(name="x", values=(None,)),),
        unit="",
    )
    assert shown(chart) == "T\n  no figures\nNothing measured."


def test_escape_sequences_do_not_reach_the_terminal() -> None:
    hostile = "\x1b[2Jgone \x1b]0;title\x07 a\u202eb \x9b31m zero\u200bwidth\ttab"
    assert clean(hostile) == "[2Jgone ]0;title ab 31m zerowidth   tab"
    reply = Reply(
        summary=hostile,
        parts=(
            Heading(text=hostile),
            Text(markdown=hostile),
            Note(markdown=hostile),
            Table(columns=(hostile,), rows=((hostile,),), caption=hostile),
            Chart(
                form="bar",
                title=hostile,
                alt=hostile,
                categories=(hostile,),
                series=(Series(name=hostile, values=(1.0,)),),
                unit=hostile,
            ),
            Buttons(buttons=(Button(verb="v", label=hostile, value="x"),)),
        ),
    )
    assert {char for char in render(reply, width=80) if unicodedata.category(char) in ("Cc", "Cf")} == {"\n"}


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
CELLS = st.text(st.sampled_from("ab 決é🔥-%\n*|`"), max_size=20)
FIGURES = st.none() | st.floats(-1e6, 1e6)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    count = draw(st.integers(1, 6))
    rows = draw(st.lists(st.tuples(*[CELLS] * count), max_size=5))
    return Table(columns=tuple(draw(CELLS) for _ in range(count)), rows=tuple(rows), numeric=(count - 1,))


@st.composite
def charts(draw: st.DrawFn) -> Chart:
    count = draw(st.integers(0, 30))
    values = st.lists(FIGURES, min_size=count, max_size=count).map(tuple)
    series = draw(st.lists(st.builds(Series, name=WORDS, values=values), min_size=1, max_size=3))
    return Chart(
        form=draw(st.sampled_from(["line", "bar"])),
        title=draw(WORDS),
        alt=draw(WORDS),
        categories=tuple(f"c{index}" for index in range(count)),
        series=tuple(series),
        unit="%",
        threshold=draw(FIGURES),
    )


PARTS = st.one_of(
    tables(), charts(), st.builds(Heading, text=WORDS), st.builds(Text, markdown=WORDS), st.builds(Note, markdown=WORDS)
)


@settings(max_examples=300)
@given(st.lists(PARTS, max_size=4), st.integers(0, 200))
def test_any_reply_renders_without_control_characters(parts: list[Part], width: int) -> None:
    text = render(Reply(summary="s", parts=tuple(parts)), width=width)
    assert all(char == "\n" or unicodedata.category(char) not in ("Cc", "Cf") for char in text)


@given(tables(), st.integers(70, 200))
def test_no_table_is_wider_than_the_terminal(table: Table, width: int) -> None:
    assert all(display_width(line) <= width for line in shown(table, width=width).splitlines())


@given(
    st.lists(st.text(st.sampled_from("abc決é"), min_size=1, max_size=60), min_size=1, max_size=20), st.integers(20, 90)
)
def test_no_prose_is_wider_than_the_terminal_and_none_is_lost(words: list[str], width: int) -> None:
    text = shown(Text(markdown=" ".join(words)), width=width)
    assert all(display_width(line) <= width for line in text.splitlines())
    assert "".join(text.split()) == "".join(words)
