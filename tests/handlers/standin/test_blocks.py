"""Block Kit's limits: what fits exactly is taken, one more is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.standin import Standin, StandinConfig
from handlers.slack.standin.blocks import message_mistakes, view_mistakes
from handlers.slack.standin.workspace import Workspace
from tests.doubles.slack import GENERAL

WORKSPACE = Workspace(StandinConfig())
DIVIDER = {"type": "divider"}


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def button(number: int | str, **more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": f"b{number}", "text": plain("Go"), **more}


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def table(rows: int, columns: int) -> dict[str, Any]:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * columns] * rows}


def options(count: int) -> list[dict[str, Any]]:
    return [{"text": plain(f"o{number}"), "value": f"{number}"} for number in range(count)]


def chart(categories: int = 2, series: int = 1, **more: Any) -> dict[str, Any]:
    labels = [f"W{number}" for number in range(categories)]
    return {
        "type": "data_visualization",
        "title": "Budget left",
        "chart": {
            "type": "line",
            "series": [
                {"name": f"s{number}", "data": [{"label": label, "value": -1.5} for label in labels]}
                for number in range(series)
            ],
            "axis_config": {"categories": labels, "x_label": "Week", "y_label": "%"},
        },
        **more,
    }


def changed(block: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with one place in it changed; a value of `...` takes the place out."""
    made = copy.deepcopy(block)
    *before, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    at: Any = made
    for part in before:
        at = at[part]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return made


FITS = [
    [DIVIDER] * 50,
    [{"type": "header", "text": plain("x" * 150)}],
    [section("x" * 3000)],
    [{"type": "section", "fields": [plain("x" * 2000)] * 10}],
    [{"type": "markdown", "text": "x" * 6000}, {"type": "markdown", "text": "x" * 6000}],
    [{"type": "context", "elements": [plain("x")] * 10}],
    [{"type": "actions", "elements": [button(number) for number in range(25)]}],
    [{"type": "actions", "elements": [button(1)]}, {"type": "actions", "elements": [button(1)]}],
    [table(100, 20)],
    [chart(20, 12), chart(1, 1)],
    [changed(chart(), "chart", {"type": "pie", "segments": [{"label": "a", "value": 1}]})],
    [{"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"}],
    [
        {
            "type": "section",
            "text": plain("x"),
            "accessory": {"type": "overflow", "action_id": "o", "options": options(5)},
        }
    ],
    [{"type": "task_card", "task_id": "1", "title": "t", "status": "complete"}],
    [
        {
            "type": "rich_text",
            "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]},
                {
                    "type": "rich_text_list",
                    "style": "bullet",
                    "elements": [{"type": "rich_text_section", "elements": [{"type": "user", "user_id": "U0MAYA"}]}],
                },
            ],
        }
    ],
    [
        {
            "type": "context_actions",
            "elements": [
                {
                    "type": "feedback_buttons",
                    "action_id": "f",
                    "positive_button": {"text": plain("Good"), "value": "1"},
                    "negative_button": {"text": plain("Bad"), "value": "0"},
                }
            ],
        }
    ],
]
CONFIRM = {"title": plain("Sure?"), "text": plain("Really"), "confirm": plain("Yes"), "deny": plain("No")}
REFUSED = [
    ([DIVIDER] * 51, "no more than 50 items allowed"),
    ([{"type": "hologram"}], "unsupported type: hologram"),
    ([{"type": "input", "label": plain("x"), "element": {"type": "plain_text_input"}}], "unsupported type: input"),
    ([{"type": "divider", "colour": "red"}], "unknown field: colour"),
    ([{"type": "header", "text": plain("x" * 151)}], "must be less than 151 characters"),
    ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "unsupported type: mrkdwn"),
    ([section("x" * 3001)], "must be less than 3001 characters"),
    ([section("")], "must be more than 0 characters"),
    ([{"type": "section"}], "must have text or fields"),
    ([{"type": "section", "fields": [plain("x")] * 11}], "no more than 10 items allowed"),
    ([{"type": "section", "fields": [plain("x" * 2001)]}], "must be less than 2001 characters"),
    ([{"type": "markdown", "text": "x" * 12_001}], "must be less than 12001 characters"),
    ([{"type": "markdown", "text": "x" * 6001}] * 2, "must be less than 12001 characters together"),
    ([{"type": "context", "elements": [plain("x")] * 11}], "no more than 10 items allowed"),
    ([{"type": "actions", "elements": [button(n) for n in range(26)]}], "no more than 25 items allowed"),
    ([{"type": "actions", "elements": [button(1), button(1)]}], "`action_id` b1 already exists"),
    ([{"type": "divider", "block_id": "a"}, {"type": "divider", "block_id": "a"}], "`block_id` a already exists"),
    ([{"type": "actions", "elements": [button(1, text=plain("x" * 76))]}], "must be less than 76 characters"),
    ([{"type": "actions", "elements": [button(1, value="x" * 2001)]}], "must be less than 2001 characters"),
    ([{"type": "actions", "elements": [button(1, style="loud")]}], "must be one of: danger, primary"),
    ([{"type": "actions", "elements": [button(1, colour="red")]}], "unknown field: colour"),
    ([{"type": "actions", "elements": [button(1, confirm={**CONFIRM, "deny": "No"})]}], "must be an object"),
    ([{"type": "actions", "elements": [button(1, confirm={"title": plain("x")})]}], "missing required field: text"),
    ([{"type": "actions", "elements": [{"type": "plain_text_input", "action_id": "x"}]}], "unsupported type"),
    ([{"type": "actions", "elements": [{"type": "static_select", "options": options(101)}]}], "no more than 100 items"),
    ([{"type": "actions", "elements": [{"type": "overflow", "options": options(6)}]}], "no more than 5 items allowed"),
    ([table(101, 1)], "no more than 100 items allowed"),
    ([table(1, 21)], "no more than 20 items allowed"),
    ([table(1, 1), table(1, 1)], "only one table is allowed"),
    ([{"type": "table", "rows": [[{"type": "raw_text", "text": ""}]]}], "must be more than 0 characters"),
    ([{"type": "table", "rows": [["x"]]}], "unsupported type: None"),
    ([{**table(1, 1), "column_settings": [{"align": "middle"}]}], "must be one of: center, left, right"),
    ([chart()] * 3, "no more than 2 data_visualization blocks"),
    ([chart(21)], "no more than 20 items allowed"),
    ([chart(2, 13)], "no more than 12 items allowed"),
    ([chart(title="x" * 51)], "must be less than 51 characters"),
    ([changed(chart(), "chart/axis_config/y_label", "x" * 51)], "must be less than 51 characters"),
    ([changed(chart(), "chart/axis_config/categories/0", "x" * 21)], "must be less than 21 characters"),
    ([changed(chart(), "chart/series/0/data/0", ...)], "one point for each category"),
    ([changed(chart(), "chart/series/0/data/0/value", None)], "missing required field: value"),
    ([changed(chart(), "chart/series/0/data/0/value", "1")], "must be a number"),
    ([changed(chart(2, 2), "chart/series/1/name", "s0")], "series names must be unique"),
    ([changed(chart(), "chart", {"type": "radar"})], "unsupported type: radar"),
    ([changed(chart(), "chart", {"type": "pie", "segments": [{"label": "a", "value": 0}]})], "must be more than 0"),
    ([{"type": "image", "alt_text": "a"}], "must have either image_url or slack_file"),
    ([{"type": "image", "image_url": "https://example.com/a.png"}], "missing required field: alt_text"),
    ([{"type": "image", "slack_file": {"id": "F0NONE"}, "alt_text": "a"}], "invalid slack file"),
    ([{"type": "task_card", "task_id": "1", "title": "t", "status": "pending"}], "must be one of"),
    ([{"type": "rich_text", "elements": [{"type": "text", "text": "x"}]}], "unsupported type: text"),
    (["divider"], "unsupported type: None"),
    ("divider", "must be an array of blocks"),
]


@pytest.mark.parametrize("blocks", FITS)
def test_what_fits_the_limits_is_taken(blocks: Any) -> None:
    assert message_mistakes(blocks, WORKSPACE) == []


@pytest.mark.parametrize(("blocks", "message"), REFUSED)
def test_what_breaks_a_rule_is_refused_with_the_reason(blocks: Any, message: str) -> None:
    assert any(message in str(mistake) for mistake in message_mistakes(blocks, WORKSPACE)), message


def modal(**more: Any) -> dict[str, Any]:
    return {"type": "modal", "title": plain("Plan"), "blocks": [DIVIDER], **more}


INPUT = {
    "type": "input",
    "block_id": "i",
    "label": plain("Initiative"),
    "element": {"type": "plain_text_input", "action_id": "text", "multiline": True, "max_length": 3000},
}


@pytest.mark.parametrize(
    "view",
    [
        modal(),
        modal(blocks=[INPUT], submit=plain("Plan it"), private_metadata="x" * 3000),
        modal(blocks=[DIVIDER] * 100),
        {"type": "home", "blocks": [section("Hello"), chart()]},
    ],
)
def test_a_right_view_is_taken(view: Any) -> None:
    assert view_mistakes(view, WORKSPACE) == []


@pytest.mark.parametrize(
    ("view", "message"),
    [
        (modal(title=plain("x" * 25)), "must be less than 25 characters"),
        (modal(blocks=[INPUT]), "missing required field: submit"),
        (modal(blocks=[DIVIDER] * 101), "no more than 100 items allowed"),
        (modal(blocks=[]), "no fewer than 1 items allowed"),
        (modal(private_metadata="x" * 3001), "must be less than 3001 characters"),
        (modal(blocks=[{"type": "markdown", "text": "x"}]), "unsupported type: markdown"),
        (modal(blocks=[chart()]), "unsupported type: data_visualization"),
        (modal(colour="red"), "unknown field: colour"),
        ({"type": "modal", "blocks": [DIVIDER]}, "missing required field: title"),
        ({"type": "home", "title": plain("x"), "blocks": [DIVIDER]}, "a home view has none"),
        ({"type": "wall", "blocks": [DIVIDER]}, "unsupported type: wall"),
        (
            modal(blocks=[{**INPUT, "element": {"type": "plain_text_input", "max_length": 3001}}], submit=plain("x")),
            "must be between 0 and 3000",
        ),
    ],
)
def test_a_wrong_view_is_refused_with_the_reason(view: Any, message: str) -> None:
    assert any(message in str(mistake) for mistake in view_mistakes(view, WORKSPACE)), message


async def test_the_reason_and_its_place_are_in_the_answer(slack: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError) as caught:
        await slack.chat_postMessage(channel=GENERAL, text="x", blocks=[DIVIDER, section("x" * 3001)])
    assert caught.value.response["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/1/text/text]"
    ]


def test_a_workspace_without_charts_does_not_know_the_block() -> None:
    mistakes = message_mistakes([chart()], Workspace(StandinConfig(data_visualization=False)))
    assert [str(mistake) for mistake in mistakes] == ["unsupported type: data_visualization [json-pointer:/0/type]"]


async def test_blocks_validate_tells_every_mistake_and_needs_no_token(standin: Standin) -> None:
    tokenless = AsyncWebClient(base_url=standin.api_url)
    assert (await tokenless.blocks_validate(blocks=[DIVIDER]))["ok"] is True
    with pytest.raises(SlackApiError) as caught:
        await tokenless.blocks_validate(
            message={"blocks": [{"type": "header", "text": plain("x" * 151)}, {"type": "odd"}]}
        )
    assert caught.value.response["error"] == "invalid_message"
    assert [one["pointer"] for one in caught.value.response["errors"]] == ["/0/text/text", "/1/type"]


KINDS = [
    "actions",
    "context",
    "data_table",
    "data_visualization",
    "image",
    "input",
    "plan",
    "rich_text",
    "section",
    "table",
]
WORDS = st.sampled_from([*KINDS, "button", "line", "pie", "plain_text", "raw_text", "static_select", "x"])
NAMES = st.sampled_from(
    [
        "accessory",
        "axis_config",
        "categories",
        "chart",
        "data",
        "element",
        "elements",
        "fields",
        "options",
        "rows",
        "series",
        "slack_file",
        "tasks",
        "text",
        "title",
        "value",
    ]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.builds(lambda kind, rest: {**rest, "type": kind}, WORDS, st.dictionaries(NAMES, inner, max_size=4))
    ),
    max_leaves=20,
)


@given(ANYTHING)
def test_whatever_is_sent_as_blocks_or_view_gets_an_answer(sent: Any) -> None:
    told = [*message_mistakes([sent], WORKSPACE), *view_mistakes(sent, WORKSPACE)]
    assert all(mistake.message for mistake in told)
