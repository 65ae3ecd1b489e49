"""What a part looks like on an Adaptive Card."""

from __future__ import annotations

import pytest

from bot.domain import Button, Buttons, Chart, Heading, Note, Series, Table, Text
from handlers.teams.cards import card, elements


def run(text: str, **look: object) -> dict:
    return {"type": "TextRun", "text": text, **look}


def rich(*runs: dict, **settings: object) -> dict:
    return {"type": "RichTextBlock", "inlines": list(runs), **settings}


def cell(*runs: dict) -> dict:
    return {"type": "TableCell", "items": [rich(*runs)]}


def test_a_card_says_its_version_and_takes_the_width_there_is():
    assert card((Heading(text="Review"),), "Review: all well") == {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "msteams": {"width": "Full"},
        "fallbackText": "Review: all well",
        "body": [
            {
                "type": "TextBlock",
                "text": "Review",
                "style": "heading",
                "wrap": True,
                "size": "Large",
                "weight": "Bolder",
            }
        ],
    }


@pytest.mark.parametrize("text", ["*x*_y", "1. first", "- dash", "<at>Omar</at>", "[a](http://b)"])
def test_a_heading_with_signs_of_markdown_shows_them(text):
    assert elements(Heading(text=text)) == [rich(run(text, size="Large", weight="Bolder"))]


def test_text_stands_in_runs_of_its_looks():
    assert elements(Text(markdown="**a** *b* `c` ~~d~~ \\*e\n<at>f</at>")) == [
        rich(
            run("a", weight="Bolder"),
            run(" "),
            run("b", italic=True),
            run(" "),
            run("c", fontType="Monospace"),
            run(" "),
            run("d", strikethrough=True),
            run(" *e"),
            spacing="Default",
        ),
        rich(run("<at>f</at>"), spacing="None"),
    ]


def test_a_line_with_a_link_is_markdown_since_runs_lose_links():
    assert elements(Text(markdown="See [the _book_](https://example.com/a_b) and `c*d`.")) == [
        {
            "type": "TextBlock",
            "text": "See [the](https://example.com/a_b) *[book](https://example.com/a_b)* and c\\*d.",
            "wrap": True,
            "spacing": "Default",
        }
    ]


def test_a_list_hangs_from_its_marks():
    def item(mark: str, text: str) -> dict:
        return {
            "type": "ColumnSet",
            "spacing": "Small",
            "columns": [
                {"type": "Column", "width": "auto", "items": [rich(run(mark))]},
                {"type": "Column", "width": "stretch", "spacing": "Small", "items": [rich(run(text))]},
            ],
        }

    assert elements(Text(markdown="- one\n  2. two")) == [item("•", "one"), item("\xa0\xa0\xa0\xa02.", "two")]


def test_code_is_set_off_and_keeps_its_indentation():
    assert elements(Text(markdown="```\nif x:\n    y\n```")) == [
        {
            "type": "Container",
            "style": "emphasis",
            "items": [
                rich(run("if x:", fontType="Monospace"), spacing="None"),
                rich(run("\xa0\xa0\xa0\xa0y", fontType="Monospace"), spacing="None"),
            ],
        }
    ]


def test_a_note_is_small_print():
    assert elements(Note(markdown="Evaluated at `08:00`")) == [
        rich(
            run("Evaluated at ", size="Small", isSubtle=True),
            run("08:00", size="Small", isSubtle=True, fontType="Monospace"),
            spacing="Medium",
        )
    ]


def test_a_narrow_table_is_a_grid_with_its_figures_to_the_right():
    table = Table(columns=("Service", "Left"), rows=(("*x*_y", "18.4 %"), ("search",)), numeric=(1,), caption="Now")

    assert elements(table) == [
        rich(run("Now", weight="Bolder"), spacing="Medium"),
        {
            "type": "Table",
            "firstRowAsHeader": True,
            "showGridLines": False,
            "columns": [
                {"width": 9.3, "horizontalCellContentAlignment": "Left"},
                {"width": 8.3, "horizontalCellContentAlignment": "Right"},
            ],
            "rows": [
                {
                    "type": "TableRow",
                    "cells": [cell(run("Service", weight="Bolder")), cell(run("Left", weight="Bolder"))],
                },
                {"type": "TableRow", "cells": [cell(run("*x*_y")), cell(run("18.4 %"))]},
                {"type": "TableRow", "cells": [cell(run("search")), cell(run("\xa0"))]},
            ],
        },
    ]


def test_a_table_too_wide_for_a_phone_is_one_entry_after_the_other():
    table = Table(
        columns=("Objective", "State", "Left", "Burn 1h", "24h", "7d"),
        rows=(("checkout", "At risk", "18.4 %", "0.2×", "1.4×", "1.1×"),),
        numeric=(2, 3, 4, 5),
    )
    small = {"size": "Small", "isSubtle": True}

    assert elements(table) == [
        rich(run("Objective · State", **small), spacing="Medium"),
        {
            "type": "ColumnSet",
            "separator": True,
            "spacing": "Small",
            "columns": [
                {
                    "type": "Column",
                    "width": "stretch",
                    "items": [
                        rich(run("checkout", weight="Bolder")),
                        rich(run("At risk · Burn 1h 0.2× · 24h 1.4× · 7d 1.1×", **small), spacing="None"),
                    ],
                },
                {
                    "type": "Column",
                    "width": "auto",
                    "items": [
                        rich(run("18.4 %", weight="Bolder"), horizontalAlignment="Right"),
                        rich(run("Left", **small), horizontalAlignment="Right", spacing="None"),
                    ],
                },
            ],
        },
    ]


CHART = Chart(
    form="bar",
    title="Error budget left",
    alt="checkout has 18.4 %.",
    categories=("checkout",),
    series=(Series(name="left", values=(18.4,)),),
    unit="%",
)


def test_a_chart_is_a_picture_told_in_words_to_who_does_not_see_it():
    assert elements(CHART, "data:image/png;base64,AA==") == [
        {
            "type": "Image",
            "url": "data:image/png;base64,AA==",
            "altText": "Error budget left. checkout has 18.4 %.",
            "size": "Stretch",
            "spacing": "Medium",
            "msteams": {"allowExpand": True},
        }
    ]


def test_without_a_picture_a_chart_is_told_in_words():
    assert elements(CHART) == [
        rich(run("Error budget left", weight="Bolder"), spacing="Medium"),
        rich(run("checkout has 18.4 %."), spacing="None"),
    ]


def test_buttons_carry_their_verb_and_value_and_no_row_has_more_than_teams_shows():
    def button(n: int, style: str = "default") -> Button:
        return Button.model_validate({"verb": "stop", "label": f"Stop {n}", "value": f"t{n}", "style": style})

    buttons = (button(0, "primary"), button(1, "danger"), *(button(n) for n in range(2, 8)))

    first, second = elements(Buttons(buttons=buttons))

    assert first["actions"][:3] == [
        {"type": "Action.Execute", "title": "Stop 0", "verb": "stop", "data": {"value": "t0"}, "style": "positive"},
        {"type": "Action.Execute", "title": "Stop 1", "verb": "stop", "data": {"value": "t1"}, "style": "destructive"},
        {"type": "Action.Execute", "title": "Stop 2", "verb": "stop", "data": {"value": "t2"}},
    ]
    assert [len(first["actions"]), len(second["actions"])] == [6, 2]
