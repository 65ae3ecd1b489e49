"""Replies made at random: every kind of part, empty and huge, with signs that mean something elsewhere."""

from __future__ import annotations

from hypothesis import strategies as st

from bot.domain import Button, Buttons, Chart, Heading, Note, Reply, Series, Table, Text

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
