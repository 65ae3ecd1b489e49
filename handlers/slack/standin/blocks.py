"""Block Kit's rules: which blocks may stand where, and what each may hold."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal

from handlers.slack.standin.charts import check_chart, check_data_table, check_table
from handlers.slack.standin.elements import (
    ACCESSORIES,
    ACTIONS,
    CONTEXT_ACTIONS,
    INPUTS,
    check_element,
    check_picture,
    check_rich_text,
)
from handlers.slack.standin.messages import Json
from handlers.slack.standin.refusal import Refused
from handlers.slack.standin.shapes import Checking, Mistake, kind_of
from handlers.slack.standin.workspace import Workspace

Surface = Literal["message", "modal", "home"]

MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100
MARKDOWN, SECTION, FIELD, HEADER = 12_000, 3_000, 2_000, 150
VIEW_BYTES, PRIVATE_METADATA = 250_000, 3_000
_COMMON = {"actions", "card", "context", "divider", "header", "image", "input", "rich_text", "section", "video"}
_SURFACES: dict[Surface, frozenset[str]] = {
    "message": frozenset(
        _COMMON
        | {"carousel", "container", "context_actions", "data_table", "data_visualization", "file", "markdown"}
        | {"plan", "table", "task_card"}
    )
    - {"input"},
    "modal": frozenset(_COMMON | {"alert"}),
    "home": frozenset(_COMMON | {"carousel", "container", "data_table", "data_visualization", "table"}),
}


def message_mistakes(blocks: Any, workspace: Workspace) -> list[Mistake]:
    """Everything that Slack would refuse in a message's blocks."""
    check = Checking()
    _check_all(check, blocks, "", "message", workspace, most=MESSAGE_BLOCKS)
    return check.mistakes


def view_mistakes(view: Any, workspace: Workspace) -> list[Mistake]:
    """Everything that Slack would refuse in a modal or a Home view."""
    check = Checking()
    found = check.object(
        view,
        "",
        required=("blocks",),
        optional=(
            "callback_id",
            "clear_on_close",
            "close",
            "external_id",
            "notify_on_close",
            "private_metadata",
            "submit",
            "submit_disabled",
            "title",
        ),
    )
    if found is None:
        return check.mistakes
    kind = found.get("type")
    if kind not in ("modal", "home"):
        check.wrong("/type", f"unsupported type: {kind}")
        return check.mistakes
    for name in ("title", "submit", "close"):
        check.plain(found.get(name), f"/{name}", limit=24)
        if kind == "home" and name in found:
            check.wrong(f"/{name}", "a home view has none")
    if kind == "modal" and found.get("title") is None:
        check.wrong("", "missing required field: title")
    check.string(found.get("private_metadata"), "/private_metadata", limit=PRIVATE_METADATA, least=0)
    check.string(found.get("callback_id"), "/callback_id", limit=255, least=0)
    _check_all(check, found.get("blocks"), "/blocks", kind, workspace, most=VIEW_BLOCKS)
    blocks = found.get("blocks")
    has_input = isinstance(blocks, list) and any(kind_of(block) == "input" for block in blocks)
    if kind == "modal" and has_input and found.get("submit") is None:
        check.wrong("/submit", "missing required field: submit (the view has an input)")
    return check.mistakes


def demand_message(blocks: Any, workspace: Workspace) -> None:
    """Raise Refused("invalid_blocks") as Slack does, naming every mistake."""
    mistakes = message_mistakes(blocks, workspace)
    if mistakes:
        raise Refused("invalid_blocks", *map(str, mistakes))


def demand_view(view: Any, workspace: Workspace) -> None:
    if len(json.dumps(view).encode()) > VIEW_BYTES:
        raise Refused("view_too_large")
    mistakes = view_mistakes(view, workspace)
    if mistakes:
        raise Refused("invalid_arguments", *map(str, mistakes))


def _check_all(check: Checking, blocks: Any, at: str, surface: Surface, workspace: Workspace, *, most: int) -> None:
    if not isinstance(blocks, list):
        check.wrong(at, "must be an array of blocks")
        return
    check.array(blocks, at, least=0 if surface == "message" else 1, most=most)
    taken: set[str] = set()
    for number, block in enumerate(blocks):
        here = f"{at}/{number}"
        block_id = block.get("block_id") if isinstance(block, dict) else None
        check.string(block_id, f"{here}/block_id", limit=255)
        if block_id is not None and block_id in taken:
            check.wrong(f"{here}/block_id", f"`block_id` {block_id} already exists")
        taken.add(str(block_id))
        _check_block(check, block, here, surface, workspace)
    kinds = Counter(kind_of(block) for block in blocks)
    if kinds["table"] > 1:
        check.wrong(at, "only one table is allowed in a message")
    if kinds["data_visualization"] > 2:
        check.wrong(at, "no more than 2 data_visualization blocks allowed")
    spoken = sum(len(str(block.get("text", ""))) for block in blocks if kind_of(block) == "markdown")
    if spoken > MARKDOWN:
        check.wrong(at, f"markdown blocks must be less than {MARKDOWN + 1} characters together")


def _check_block(check: Checking, block: Any, at: str, surface: Surface, workspace: Workspace) -> None:
    kind = kind_of(block)
    offered = kind in _SURFACES[surface] and (kind != "data_visualization" or workspace.config.data_visualization)
    if kind is None or not offered:
        check.wrong(f"{at}/type", f"unsupported type: {kind}")
        return
    _RULES[kind](check, block, at)
    if kind == "image":
        _check_file(check, block.get("slack_file"), f"{at}/slack_file", workspace)
    if kind == "container":
        for number, child in enumerate(check.array(block.get("child_blocks"), f"{at}/child_blocks", most=10)):
            _check_block(check, child, f"{at}/child_blocks/{number}", surface, workspace)


def _check_file(check: Checking, value: Any, at: str, workspace: Workspace) -> None:
    if value is None:
        return
    found = check.object(value, at, required=(), optional=("id", "url"))
    if found is None:
        return
    stored = workspace.files.get(str(found.get("id")))
    if found.get("url") is None and (stored is None or not stored.completed):
        check.wrong(at, "invalid slack file")


def _section(check: Checking, block: Json, at: str) -> None:
    check.object(block, at, required=(), optional=("block_id", "text", "fields", "accessory", "expand"))
    if block.get("text") is None and not block.get("fields"):
        check.wrong(at, "must have text or fields")
    check.text(block.get("text"), f"{at}/text", limit=SECTION)
    for number, field in enumerate(check.array(block.get("fields"), f"{at}/fields", most=10)):
        check.text(field, f"{at}/fields/{number}", limit=FIELD)
    if block.get("accessory") is not None:
        check_element(check, block["accessory"], f"{at}/accessory", block=at, allowed=ACCESSORIES)


def _header(check: Checking, block: Json, at: str) -> None:
    check.object(block, at, required=("text",), optional=("block_id",))
    check.plain(block.get("text"), f"{at}/text", limit=HEADER)


def _divider(check: Checking, block: Json, at: str) -> None:
    check.object(block, at, required=(), optional=("block_id",))


def _image(check: Checking, block: Json, at: str) -> None:
    check_picture(check, block, at, titled=True)


def _context(check: Checking, block: Json, at: str) -> None:
    check.object(block, at, required=("elements",), optional=("block_id",))
    for number, element in enumerate(check.array(block.get("elements"), f"{at}/elements", most=10)):
        here = f"{at}/elements/{number}"
        if kind_of(element) == "image":
            check_picture(check, element, here)
        else:
            check.text(element, here, limit=3000)


def _elements(allowed: frozenset[str], most: int) -> Callable[[Checking, Json, str], None]:
    def rule(check: Checking, block: Json, at: str) -> None:
        check.object(block, at, required=("elements",), optional=("block_id",))
        for number, element in enumerate(check.array(block.get("elements"), f"{at}/elements", most=most)):
            check_element(check, element, f"{at}/elements/{number}", block=at, allowed=allowed)

    return rule


def _markdown(check: Checking, block: Json, at: str) -> None:
    check.object(block, at, required=("text",), optional=("block_id",))
    check.string(block.get("text"), f"{at}/text", limit=MARKDOWN)


def _rich_text(check: Checking, block: Json, at: str) -> None:
    check.object(block, at, required=("elements",), optional=("block_id",))
    check_rich_text(check, block, at)


def _input(check: Checking, block: Json, at: str) -> None:
    check.object(block, at, required=("label", "element"), optional=("block_id", "hint", "optional", "dispatch_action"))
    check.plain(block.get("label"), f"{at}/label", limit=2000)
    check.plain(block.get("hint"), f"{at}/hint", limit=2000)
    check.boolean(block.get("optional"), f"{at}/optional")
    if block.get("element") is not None:
        check_element(check, block["element"], f"{at}/element", block=at, allowed=INPUTS)


def _task_card(check: Checking, block: Json, at: str) -> None:
    check.object(
        block, at, required=("task_id", "title", "status"), optional=("block_id", "details", "output", "sources")
    )
    check.one_of(block.get("status"), f"{at}/status", ("in_progress", "complete", "error"))


def _plan(check: Checking, block: Json, at: str) -> None:
    check.object(block, at, required=("title",), optional=("block_id", "tasks"))
    for number, task in enumerate(check.array(block.get("tasks"), f"{at}/tasks", most=50)):
        check.object(
            task,
            f"{at}/tasks/{number}",
            required=("task_id", "title"),
            optional=("details", "output", "sources", "status"),
        )


def _alert(check: Checking, block: Json, at: str) -> None:
    check.object(block, at, required=("text",), optional=("block_id", "level"))
    check.text(block.get("text"), f"{at}/text", limit=200)


def _known_fields(*names: str) -> Callable[[Checking, Json, str], None]:
    """A block whose fields are known and whose contents the Director never uses."""

    def rule(check: Checking, block: Json, at: str) -> None:
        check.object(block, at, required=(), optional=("block_id", *names))

    return rule


_RULES: dict[str, Callable[[Checking, Json, str], None]] = {
    "section": _section,
    "header": _header,
    "divider": _divider,
    "image": _image,
    "context": _context,
    "actions": _elements(ACTIONS, 25),
    "context_actions": _elements(CONTEXT_ACTIONS, 5),
    "markdown": _markdown,
    "rich_text": _rich_text,
    "input": _input,
    "table": check_table,
    "data_table": check_data_table,
    "data_visualization": check_chart,
    "task_card": _task_card,
    "plan": _plan,
    "alert": _alert,
    "card": _known_fields("actions", "body", "hero_image", "icon", "subtext", "subtitle", "title", "slack_icon"),
    "carousel": _known_fields("elements"),
    "container": _known_fields(
        "child_blocks",
        "default_collapsed",
        "has_header_divider",
        "icon",
        "is_collapsible",
        "rich_text_title",
        "subtitle",
        "title",
        "width",
    ),
    "file": _known_fields("external_id", "source", "file_id"),
    "video": _known_fields(
        "alt_text",
        "author_name",
        "description",
        "provider_icon_url",
        "provider_name",
        "thumbnail_url",
        "title",
        "title_url",
        "video_url",
    ),
}
