"""Arguments of Web API calls, read from any encoding that Slack takes and held against Slack's API reference."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from handlers.slack.standin.messages import Json
from handlers.slack.standin.refusal import Refused

_REFERENCE = Path(__file__).parent / "reference" / "methods.json"
_TIMESTAMP = re.compile(r"\d{1,10}\.\d{1,6}|\d{1,10}")

# Newer than the reference: read from slack_sdk 3.47 and its release notes.
_ADDITIONS: dict[str, Json] = {
    "chat.stopStream": {"session_status": {"type": "string"}},
    "chat.appendStream": {"markdown_text": {"type": "string"}},  # chunks may stand in its place
}

_ALWAYS = {
    "token",
    "team_id",
}  # Bolt's clients send the team with every call, and Slack ignores it where it means nothing


@cache
def reference() -> dict[str, Json]:
    """Method -> its arguments and the errors that Slack documents for it."""
    methods: dict[str, Json] = json.loads(_REFERENCE.read_text(encoding="utf-8"))
    for method, arguments in _ADDITIONS.items():
        methods[method]["args"].update(arguments)
    return methods


def checked(method: str, raw: Json, *, encoded: bool) -> Json:
    """The arguments with their real types.

    `encoded` says that they came as a form or a query, where everything is text.

    Raises:
        Refused: an argument that the method doesn't have, one of the wrong type, or one that is missing.
    """
    known: Json = reference()[method]["args"]
    unknown = sorted(set(raw) - set(known) - _ALWAYS)
    if unknown:
        raise Refused("invalid_arg_name", *(f"{method} has no argument {name!r}" for name in unknown))
    given = {name: value for name, value in raw.items() if value is not None and name in known}
    missing = [name for name, rule in known.items() if rule.get("required") and given.get(name) in (None, "")]
    # an empty status clears it, an empty title does the same
    missing = [name for name in missing if not (name in ("status", "title") and given.get(name) == "")]
    if missing:
        raise Refused("invalid_arguments", *(f"missing required field: {name}" for name in missing))
    return {name: _typed(name, value, known[name], encoded=encoded) for name, value in given.items()}


def _typed(name: str, value: Any, rule: Json, *, encoded: bool) -> Any:
    kinds = rule.get("type", "any")
    if rule.get("format") == "json" or kinds == "array" or name in ("blocks", "chunks", "prompts"):
        return _structure(name, value, kinds)
    if isinstance(kinds, list):
        kinds = "boolean" if "boolean" in kinds else kinds[0]
    if kinds == "boolean":
        return _boolean(name, value, encoded=encoded)
    if kinds in ("number", "integer"):
        return _number(name, value, encoded=encoded)
    if not isinstance(value, str):
        raise Refused("invalid_arguments", f"must be a string [json-pointer:/{name}]")
    if kinds == "timestamp" and value and not _TIMESTAMP.fullmatch(value):
        raise Refused("invalid_arguments", f"must be a timestamp [json-pointer:/{name}]")
    return value


def _structure(name: str, value: Any, kinds: Any) -> Any:
    if not isinstance(value, str):
        if isinstance(value, list | dict):
            return value
        raise Refused("invalid_arguments", f"must be JSON [json-pointer:/{name}]")
    try:
        found = json.loads(value)
    except ValueError:
        if kinds == "array":
            return [part.strip() for part in value.split(",")]
        error = "invalid_blocks_format" if name == "blocks" else "invalid_arguments"
        raise Refused(error, f"must be valid JSON [json-pointer:/{name}]") from None
    if not isinstance(found, list | dict):
        raise Refused("invalid_arguments", f"must be JSON [json-pointer:/{name}]")
    return found


def _boolean(name: str, value: Any, *, encoded: bool) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "1"):
        return True
    if isinstance(value, str) and value.lower() in ("false", "0"):
        return False
    if not encoded and value in (0, 1):
        return bool(value)
    raise Refused("invalid_arguments", f"must be a boolean [json-pointer:/{name}]")


def _number(name: str, value: Any, *, encoded: bool) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.isdigit() and (encoded or value):
        return int(value)
    raise Refused("invalid_arguments", f"must be a number [json-pointer:/{name}]")
