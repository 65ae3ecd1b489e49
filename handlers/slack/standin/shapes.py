"""Checking JSON of a known shape: every mistake is collected with a pointer to where it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from handlers.slack.standin.messages import Json


@dataclass(frozen=True, kw_only=True)
class Mistake:
    message: str
    pointer: str

    def __str__(self) -> str:
        return f"{self.message} [json-pointer:{self.pointer}]"


@dataclass
class Checking:
    """The mistakes found so far and what must be unique or counted over a whole payload."""

    mistakes: list[Mistake] = field(default_factory=list)
    action_ids: dict[str, set[str]] = field(default_factory=dict)

    def wrong(self, pointer: str, message: str) -> None:
        self.mistakes.append(Mistake(message=message, pointer=pointer))

    def object(
        self, value: Any, pointer: str, *, required: Collection[str], optional: Collection[str] = ()
    ) -> Json | None:
        """The value when it is an object; its missing and unknown fields are noted."""
        if not isinstance(value, dict):
            self.wrong(pointer, "must be an object")
            return None
        for name in required:
            if value.get(name) is None:
                self.wrong(pointer, f"missing required field: {name}")
        for name in value:
            if name != "type" and name not in required and name not in optional:
                self.wrong(f"{pointer}/{name}", f"unknown field: {name}")
        return value

    def string(self, value: Any, pointer: str, *, limit: int, least: int = 1) -> None:
        if value is None:
            return
        if not isinstance(value, str):
            self.wrong(pointer, "must be a string")
        elif len(value) < least:
            self.wrong(pointer, f"must be more than {least - 1} characters")
        elif len(value) > limit:
            self.wrong(pointer, f"must be less than {limit + 1} characters")

    def boolean(self, value: Any, pointer: str) -> None:
        if value is not None and not isinstance(value, bool):
            self.wrong(pointer, "must be a boolean")

    def number(self, value: Any, pointer: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong(pointer, "must be a number")

    def one_of(self, value: Any, pointer: str, allowed: Collection[str]) -> None:
        if value is not None and value not in allowed:
            self.wrong(pointer, f"must be one of: {', '.join(sorted(allowed))}")

    def array(self, value: Any, pointer: str, *, least: int = 1, most: int) -> list[Any]:
        """The items; empty when there is no array."""
        if value is None:
            return []
        if not isinstance(value, list):
            self.wrong(pointer, "must be an array")
            return []
        if len(value) < least:
            self.wrong(pointer, f"no fewer than {least} items allowed")
        if len(value) > most:
            self.wrong(pointer, f"no more than {most} items allowed")
        return value

    def text(
        self, value: Any, pointer: str, *, limit: int, kinds: Collection[str] = ("plain_text", "mrkdwn"), least: int = 1
    ) -> None:
        """A text object."""
        if value is None:
            return
        found = self.object(value, pointer, required=("text",), optional=("emoji", "verbatim"))
        if found is None:
            return
        if found.get("type") not in kinds:
            self.wrong(f"{pointer}/type", f"unsupported type: {found.get('type')}")
        if found.get("type") == "mrkdwn" and "emoji" in found:
            self.wrong(f"{pointer}/emoji", "unknown field: emoji")
        if found.get("type") == "plain_text" and "verbatim" in found:
            self.wrong(f"{pointer}/verbatim", "unknown field: verbatim")
        self.string(found.get("text"), f"{pointer}/text", limit=limit, least=least)

    def plain(self, value: Any, pointer: str, *, limit: int) -> None:
        self.text(value, pointer, limit=limit, kinds=("plain_text",))

    def action_id(self, value: Any, pointer: str, block: str) -> None:
        """An action id: unique within its block."""
        if value is None:
            return
        self.string(value, pointer, limit=255)
        taken = self.action_ids.setdefault(block, set())
        if str(value) in taken:
            self.wrong(pointer, f"`action_id` {value} already exists")
        taken.add(str(value))


def kind_of(value: Mapping[str, Any] | Any) -> str | None:
    found = value.get("type") if isinstance(value, dict) else None
    return found if isinstance(found, str) else None
