"""A message and what happened to it: the one record that the Web API, the page and the ledger read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]


@dataclass(kw_only=True)
class Message:
    """A message as it stands now. `blocks` are exactly those sent; Slack's own additions come in `as_json`."""

    channel: str
    ts: str
    user: str
    text: str = ""
    thread_ts: str | None = None
    blocks: list[Json] | None = None
    attachments: list[Json] | None = None
    metadata: Json | None = None
    files: list[Json] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    edited: Json | None = None
    streaming: bool = False
    ephemeral_to: str | None = None
    by_bot: bool = False
    subtype: str | None = None
    broadcast: bool = False
    deleted: bool = False
    username: str | None = None
    options: Json = field(default_factory=dict)  # unfurl_links and the like, as posted
    changes: list[Change] = field(default_factory=list)

    @property
    def turn(self) -> tuple[str, int] | None:
        """Turn and part that the message's metadata names."""
        payload = (self.metadata or {}).get("event_payload", {})
        return (payload["turn"], payload.get("part", 0)) if "turn" in payload else None

    @property
    def root(self) -> str:
        return self.thread_ts or self.ts

    def as_json(self, *, metadata: bool = False) -> Json:
        """As Slack returns it; metadata only where the caller asked for it."""
        made: Json = {"type": "message", "user": self.user, "ts": self.ts, "text": self.text}
        optional: Json = {
            "subtype": self.subtype,
            "thread_ts": self.thread_ts,
            "blocks": with_block_ids(self.blocks, self.ts) if self.blocks else None,
            "attachments": self.attachments,
            "files": self.files or None,
            "edited": self.edited,
            "username": self.username,
            "metadata": self.metadata if metadata else None,
            "reactions": [
                {"name": name, "users": list(users), "count": len(users)} for name, users in self.reactions.items()
            ]
            or None,
        }
        made.update({key: value for key, value in optional.items() if value is not None})
        return made


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that happened to a message. `by` is a user id, `method` the API method or "person".

    `quiet` changes are shown on the page but are no events (appending to a stream).
    """

    kind: Literal["created", "changed", "deleted"]
    message: Message
    snapshot: Json
    before: Json | None
    by: str
    method: str
    at: float
    quiet: bool = False


def with_block_ids(blocks: list[Json], seed: str) -> list[Json]:
    """The blocks with the ids that Slack gives to blocks and elements sent without one."""
    made = []
    for number, block in enumerate(blocks):
        block_id = block.get("block_id") or _made_up(seed, number)
        copy = {**block, "block_id": block_id}
        if block.get("type") == "actions":
            copy["elements"] = [
                {**element, "action_id": element.get("action_id") or _made_up(block_id, place)}
                for place, element in enumerate(block.get("elements", []))
            ]
        made.append(copy)
    return made


def _made_up(seed: str, number: int) -> str:
    return hashlib.sha256(f"{seed}/{number}".encode()).hexdigest()[:5]
