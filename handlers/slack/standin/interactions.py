"""Payloads of clicks and modals, in Slack's form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from handlers.slack.standin.messages import Json
from handlers.slack.standin.workspace import Conversation, Workspace

_VALUE_OF = {
    "static_select": "selected_option",
    "radio_buttons": "selected_option",
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "checkboxes": "selected_options",
    "multi_static_select": "selected_options",
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
}
_OWN = ("action_id", "block_id", "type", "text", "value", "style", "url", "confirm")


def person(workspace: Workspace, user: str) -> Json:
    known = workspace.users[user]
    return {
        "id": known.id,
        "username": known.name,
        "name": known.name,
        "team_id": known.team_id or workspace.config.team_id,
    }


def common(workspace: Workspace, user: str, kind: str) -> Json:
    """What every interaction carries."""
    config = workspace.config
    return {
        "type": kind,
        "user": person(workspace, user),
        "api_app_id": config.app_id,
        "token": "standin",
        "team": {"id": config.team_id, "domain": config.team_name.lower()},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def elements(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Every element that can be acted on, with its block."""
    for block in blocks:
        held = [*(block.get("elements") or []), block.get("accessory"), block.get("element")]
        for element in held:
            if isinstance(element, dict) and element.get("action_id"):
                yield block, element


def action(block: Json, element: Json, given: Mapping[str, Any], at: str) -> Json:
    """What is sent for one element: its own fields, and what the person chose."""
    own = {name: element[name] for name in _OWN if name in element and name != "confirm"}
    chosen = {name: value for name, value in given.items() if name not in ("action_id", "block_id", "type")}
    return {**own, **chosen, "action_id": element["action_id"], "block_id": block["block_id"], "action_ts": at}


def block_actions(
    workspace: Workspace, user: str, conversation: Conversation, message: Json, made: Json, **urls: str
) -> Json:
    ephemeral = bool(message.get("is_ephemeral"))
    container: Json = {
        "type": "message",
        "message_ts": message["ts"],
        "channel_id": conversation.id,
        "is_ephemeral": ephemeral,
    }
    if message.get("thread_ts"):
        container["thread_ts"] = message["thread_ts"]
    return {
        **common(workspace, user, "block_actions"),
        "container": container,
        "channel": {"id": conversation.id, "name": "directmessage" if conversation.kind == "im" else conversation.name},
        "message": message,
        "state": {"values": {}},
        "actions": [made],
        **urls,
    }


def state(view: Json, values: Mapping[str, Mapping[str, Any]]) -> Json:
    """The values of a view as Slack sends them: every input has its place, also an empty one.

    `values` is block id -> action id -> what was entered: a plain value or Slack's own form with its type.
    """
    made: dict[str, dict[str, Json]] = {}
    for block, element in elements(view["blocks"]):
        if block["type"] != "input" and element["type"] == "button":
            continue
        given = values.get(block["block_id"], {}).get(element["action_id"])
        made.setdefault(block["block_id"], {})[element["action_id"]] = _entered(element, given)
    return {"values": made}


def _entered(element: Json, given: Any) -> Json:
    kind = element["type"]
    if isinstance(given, dict) and given.get("type") == kind:
        return given
    name = _VALUE_OF.get(kind, "value")
    if given is None and name == "value":
        given = element.get("initial_value")
    if given is None:
        given = element.get(name.replace("selected", "initial", 1))
    if name == "selected_option" and isinstance(given, str):
        given = next((one for one in element.get("options", []) if one["value"] == given), None)
    if name == "value" and given == "":
        given = None
    return {"type": kind, name: given}


def missing(view: Json, entered: Json) -> dict[str, str]:
    """What Slack's own client refuses before it asks the app: empty required inputs, text too short or too long."""
    errors: dict[str, str] = {}
    for block, element in elements(view["blocks"]):
        if block["type"] != "input":
            continue
        held = entered["values"][block["block_id"]][element["action_id"]]
        value = held.get(_VALUE_OF.get(element["type"], "value"))
        if value in (None, "", []):
            if not block.get("optional"):
                errors[block["block_id"]] = "Please complete this required field."
            continue
        if isinstance(value, str) and len(value) < element.get("min_length", 0):
            errors[block["block_id"]] = f"Please enter at least {element['min_length']} characters."
        if isinstance(value, str) and len(value) > element.get("max_length", 3000):
            errors[block["block_id"]] = f"Please enter no more than {element.get('max_length', 3000)} characters."
    return errors
