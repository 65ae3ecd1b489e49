"""The workspace held against what others wrote down: Slack's API reference and slack_sdk's models."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from slack_sdk.models.blocks import block_elements, blocks
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.standin import Standin, StandinConfig
from handlers.slack.standin.arguments import reference
from handlers.slack.standin.blocks import message_mistakes, view_mistakes
from handlers.slack.standin.workspace import Workspace

WORKSPACE = Workspace(StandinConfig())
# Blocks of the SDK that no app like ours can send.
NOT_OURS = {"call", "auth_provider"}
BLOCKS = {
    made.type: made
    for _, made in inspect.getmembers(blocks, inspect.isclass)
    if issubclass(made, blocks.Block) and isinstance(getattr(made, "type", None), str) and made.type not in NOT_OURS
}
ELEMENTS = {
    made.type: made
    for _, made in inspect.getmembers(block_elements, inspect.isclass)
    if issubclass(made, block_elements.InteractiveElement) and isinstance(getattr(made, "type", None), str)
}

# Fields that the SDK's base classes give to every element, whether Slack knows them there or not.
TOO_MANY = {"alt_text", "confirm", "focus_on_load", "placeholder"}


def fields(model: Any) -> set[str]:
    """The fields that slack_sdk gives a model, without building one."""
    found = model.attributes
    return set(found.fget(model.__new__(model)) if isinstance(found, property) else found)


def test_every_method_is_in_slacks_reference_and_the_other_way_round(standin: Standin) -> None:
    assert set(standin.web_api._methods) == set(reference())


def test_every_method_is_one_of_the_sdks_own(standin: Standin) -> None:
    for method in standin.web_api._methods:
        assert hasattr(AsyncWebClient, method.replace(".", "_")), method


@pytest.mark.parametrize("kind", sorted(BLOCKS))
def test_no_field_that_the_sdk_sends_is_unknown(kind: str) -> None:
    sent = {"type": kind, **dict.fromkeys(fields(BLOCKS[kind]) - {"type"}, "x")}
    told = [str(mistake) for mistake in message_mistakes([sent], WORKSPACE)]
    told += [str(one) for one in view_mistakes({"type": "modal", "blocks": [sent]}, WORKSPACE)]
    assert not [line for line in told if "unknown field" in line]
    both = [line for line in told if f"unsupported type: {kind}" in line]
    assert len(both) < 2, "neither messages nor modals know this block"


@pytest.mark.parametrize("kind", sorted(ELEMENTS))
def test_no_field_of_an_element_that_the_sdk_sends_is_unknown(kind: str) -> None:
    element = {"type": kind, **dict.fromkeys(fields(ELEMENTS[kind]) - {"type"} - TOO_MANY, "x")}
    label = {"type": "plain_text", "text": "x"}
    places = [
        {"type": "actions", "elements": [element]},
        {"type": "context_actions", "elements": [element]},
        {"type": "section", "text": label, "accessory": element},
    ]
    told = [str(mistake) for place in places for mistake in message_mistakes([place], WORKSPACE)]
    view = {
        "type": "modal",
        "title": label,
        "submit": label,
        "blocks": [{"type": "input", "label": label, "element": element}],
    }
    told += [str(mistake) for mistake in view_mistakes(view, WORKSPACE)]
    assert not [line for line in told if "unknown field" in line]
    assert len([line for line in told if f"unsupported type: {kind}" in line]) < 4, "no place takes this element"


# Parameters that the SDK has and Slack's reference doesn't: legacy or newer than it. A call with them is refused here.
SDK_ONLY: dict[str, set[str]] = {
    "apps.connections.open": {"app_token"},  # goes into the header
    "chat.postMessage": {"container_id"},
    "files.info": {"count", "page"},
    "team.info": {"include_slackbot_availability"},
}


@pytest.mark.parametrize("method", sorted(reference()))
def test_the_sdks_own_call_sends_no_argument_that_is_unknown(method: str) -> None:
    call = getattr(AsyncWebClient, method.replace(".", "_"))
    named = set(inspect.signature(call).parameters) - {"self", "kwargs"}
    assert named - set(reference()[method]["args"]) <= SDK_ONLY.get(method, set())
