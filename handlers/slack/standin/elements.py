"""Rules for the elements inside blocks: buttons, selects, inputs, pictures and rich text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from handlers.slack.standin.messages import Json
from handlers.slack.standin.shapes import Checking, kind_of

_SELECTS = ("static", "external", "users", "conversations", "channels")
_INPUT_FIELDS = ("placeholder", "focus_on_load", "initial_value", "dispatch_action_config", "action_id")
_PICKERS = {"datepicker": "initial_date", "timepicker": "initial_time", "datetimepicker": "initial_date_time"}
_SELECT_FIELDS = (
    "action_id",
    "confirm",
    "default_to_current_conversation",
    "filter",
    "focus_on_load",
    "initial_channel",
    "initial_channels",
    "initial_conversation",
    "initial_conversations",
    "initial_option",
    "initial_options",
    "initial_user",
    "initial_users",
    "max_selected_items",
    "min_query_length",
    "option_groups",
    "options",
    "placeholder",
    "response_url_enabled",
)

Rule = Callable[[Checking, Json, str], None]


def _button(check: Checking, element: Json, at: str) -> None:
    check.object(
        element,
        at,
        required=("text",),
        optional=(
            "accessibility_label",
            "action_id",
            "agent_prompt",
            "agent_prompt_display",
            "confirm",
            "style",
            "url",
            "value",
            "visible_to_user_ids",
        ),
    )
    check.plain(element.get("text"), f"{at}/text", limit=75)
    check.string(element.get("url"), f"{at}/url", limit=3000)
    check.string(element.get("value"), f"{at}/value", limit=2000, least=0)
    check.string(element.get("accessibility_label"), f"{at}/accessibility_label", limit=75)
    check.one_of(element.get("style"), f"{at}/style", ("primary", "danger"))
    _confirm(check, element.get("confirm"), f"{at}/confirm")


def _confirm(check: Checking, value: Any, at: str) -> None:
    if value is None:
        return
    found = check.object(value, at, required=("title", "text", "confirm", "deny"), optional=("style",))
    if found is None:
        return
    check.plain(found.get("title"), f"{at}/title", limit=100)
    check.text(found.get("text"), f"{at}/text", limit=300)
    check.plain(found.get("confirm"), f"{at}/confirm", limit=30)
    check.plain(found.get("deny"), f"{at}/deny", limit=30)
    check.one_of(found.get("style"), f"{at}/style", ("primary", "danger"))


def _options(check: Checking, value: Any, at: str, *, most: int) -> None:
    for number, option in enumerate(check.array(value, at, most=most)):
        here = f"{at}/{number}"
        found = check.object(option, here, required=("text", "value"), optional=("description", "url"))
        if found is not None:
            check.text(found.get("text"), f"{here}/text", limit=75)
            check.string(found.get("value"), f"{here}/value", limit=150)
            check.text(found.get("description"), f"{here}/description", limit=75)


def _select(check: Checking, element: Json, at: str) -> None:
    check.object(element, at, required=(), optional=_SELECT_FIELDS)
    check.plain(element.get("placeholder"), f"{at}/placeholder", limit=150)
    _confirm(check, element.get("confirm"), f"{at}/confirm")
    _options(check, element.get("options"), f"{at}/options", most=100)
    for number, group in enumerate(check.array(element.get("option_groups"), f"{at}/option_groups", most=100)):
        here = f"{at}/option_groups/{number}"
        found = check.object(group, here, required=("label", "options"))
        if found is not None:
            check.plain(found.get("label"), f"{here}/label", limit=75)
            _options(check, found.get("options"), f"{here}/options", most=100)
    if str(element.get("type")).endswith("static_select") and not (
        bool(element.get("options")) ^ bool(element.get("option_groups"))
    ):
        check.wrong(at, "must have either options or option_groups")


def _choices(check: Checking, element: Json, at: str) -> None:
    check.object(
        element,
        at,
        required=("options",),
        optional=("action_id", "confirm", "focus_on_load", "initial_option", "initial_options"),
    )
    _options(check, element.get("options"), f"{at}/options", most=5 if element.get("type") == "overflow" else 10)


def _input(check: Checking, element: Json, at: str) -> None:
    extra: tuple[str, ...] = ()
    if element.get("type") == "plain_text_input":
        extra = ("multiline", "min_length", "max_length")
    elif element.get("type") == "number_input":
        extra = ("is_decimal_allowed", "min_value", "max_value")
    elif element.get("type") == "rich_text_input":
        extra = ("min_lines", "max_lines")
    check.object(
        element,
        at,
        required=("is_decimal_allowed",) if element.get("type") == "number_input" else (),
        optional=(*_INPUT_FIELDS, *extra),
    )
    check.plain(element.get("placeholder"), f"{at}/placeholder", limit=150)
    check.boolean(element.get("multiline"), f"{at}/multiline")
    for name in ("min_length", "max_length"):
        if name in element:
            check.number(element[name], f"{at}/{name}")
            if isinstance(element[name], int) and not 0 <= element[name] <= 3000:
                check.wrong(f"{at}/{name}", "must be between 0 and 3000")
    if element.get("type") != "rich_text_input":
        check.string(element.get("initial_value"), f"{at}/initial_value", limit=3000, least=0)


def _picker(check: Checking, element: Json, at: str) -> None:
    initial = _PICKERS[str(element.get("type"))]
    check.object(
        element,
        at,
        required=(),
        optional=("action_id", "confirm", "focus_on_load", "placeholder", "timezone", initial),
    )
    check.plain(element.get("placeholder"), f"{at}/placeholder", limit=150)


def _feedback(check: Checking, element: Json, at: str) -> None:
    check.object(element, at, required=("positive_button", "negative_button"), optional=("action_id",))
    for name in ("positive_button", "negative_button"):
        here = f"{at}/{name}"
        found = check.object(element.get(name), here, required=("text", "value"), optional=("accessibility_label",))
        if found is not None:
            check.plain(found.get("text"), f"{here}/text", limit=75)
            check.string(found.get("value"), f"{here}/value", limit=2000)


def _icon_button(check: Checking, element: Json, at: str) -> None:
    check.object(
        element,
        at,
        required=("icon", "text"),
        optional=("accessibility_label", "action_id", "confirm", "value", "visible_to_user_ids"),
    )
    check.plain(element.get("text"), f"{at}/text", limit=75)


def _workflow_button(check: Checking, element: Json, at: str) -> None:
    check.object(element, at, required=("text", "workflow"), optional=("accessibility_label", "action_id", "style"))


def _file_input(check: Checking, element: Json, at: str) -> None:
    check.object(element, at, required=(), optional=("action_id", "filetypes", "max_files"))


_SELECT_TYPES = [f"{prefix}{kind}_select" for prefix in ("", "multi_") for kind in _SELECTS]
_RULES: dict[str, Rule] = {
    "button": _button,
    "feedback_buttons": _feedback,
    "icon_button": _icon_button,
    "workflow_button": _workflow_button,
    "file_input": _file_input,
    **dict.fromkeys(_SELECT_TYPES, _select),
    **dict.fromkeys(("checkboxes", "radio_buttons", "overflow"), _choices),
    **dict.fromkeys(_PICKERS, _picker),
    **dict.fromkeys(
        ("plain_text_input", "number_input", "email_text_input", "url_text_input", "rich_text_input"), _input
    ),
}
_NOT_IN_ACTIONS = {
    "plain_text_input",
    "number_input",
    "email_text_input",
    "url_text_input",
    "rich_text_input",
    "file_input",
    "feedback_buttons",
    "icon_button",
}
ACTIONS = frozenset(_RULES) - _NOT_IN_ACTIONS
INPUTS = frozenset(_RULES) - {"button", "overflow", "feedback_buttons", "icon_button", "workflow_button"}
CONTEXT_ACTIONS = frozenset({"feedback_buttons", "icon_button"})
ACCESSORIES = ACTIONS | {"image"}


def check_element(check: Checking, element: Any, at: str, *, block: str, allowed: frozenset[str]) -> None:
    """One interactive element (or the picture beside a section); `block` names the block it is unique in."""
    kind = kind_of(element)
    if kind == "image" and "image" in allowed:
        check_picture(check, element, at)
        return
    if kind not in allowed:
        check.wrong(f"{at}/type", f"unsupported type: {kind}")
        return
    _RULES[kind](check, element, at)
    check.action_id(element.get("action_id"), f"{at}/action_id", block)


def check_picture(check: Checking, element: Any, at: str, *, titled: bool = False) -> None:
    """A picture by address or by uploaded file, never both."""
    optional = ("image_url", "slack_file", *(("title", "block_id") if titled else ()))
    found = check.object(element, at, required=("alt_text",), optional=optional)
    if found is None:
        return
    check.string(found.get("alt_text"), f"{at}/alt_text", limit=2000)
    check.string(found.get("image_url"), f"{at}/image_url", limit=3000)
    if (found.get("image_url") is None) == (found.get("slack_file") is None):
        check.wrong(at, "must have either image_url or slack_file")
    if titled:
        check.plain(found.get("title"), f"{at}/title", limit=2000)


_RICH_CONTAINERS = ("rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted")
_RICH_PARTS = (
    "broadcast",
    "channel",
    "color",
    "date",
    "emoji",
    "link",
    "team",
    "text",
    "user",
    "usergroup",
)


def check_rich_text(check: Checking, block: Json, at: str) -> None:
    for number, element in enumerate(check.array(block.get("elements"), f"{at}/elements", most=1000)):
        here = f"{at}/elements/{number}"
        kind = kind_of(element)
        if kind not in _RICH_CONTAINERS:
            check.wrong(f"{here}/type", f"unsupported type: {kind}")
            continue
        allowed = ("rich_text_section",) if kind == "rich_text_list" else _RICH_PARTS
        for place, part in enumerate(check.array(element.get("elements"), f"{here}/elements", least=0, most=1000)):
            if kind_of(part) not in allowed:
                check.wrong(f"{here}/elements/{place}/type", f"unsupported type: {kind_of(part)}")
        if kind == "rich_text_list":
            check.one_of(element.get("style"), f"{here}/style", ("bullet", "ordered"))
