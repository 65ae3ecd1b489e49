"""What a token may do: the scopes that each method needs."""

from __future__ import annotations

from handlers.slack.standin.refusal import Refused
from handlers.slack.standin.workspace import Conversation

# Any one of the scopes named is enough. Methods that depend on the kind of conversation stand in `_BY_KIND`.
_NEEDED: dict[str, tuple[str, ...]] = {
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "chat.delete": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.startStream": ("chat:write",),
    "chat.appendStream": ("chat:write",),
    "chat.stopStream": ("chat:write",),
    "assistant.threads.setStatus": ("assistant:write", "chat:write"),
    "assistant.threads.setSuggestedPrompts": ("assistant:write",),
    "assistant.threads.setTitle": ("assistant:write",),
    "users.info": ("users:read",),
    "users.list": ("users:read",),
    "usergroups.users.list": ("usergroups:read",),
    "bots.info": ("users:read",),
    "team.info": ("team:read",),
    "reactions.add": ("reactions:write",),
    "files.getUploadURLExternal": ("files:write",),
    "files.completeUploadExternal": ("files:write",),
    "files.info": ("files:read",),
}
_BY_KIND = {
    "conversations.info": "read",
    "conversations.members": "read",
    "conversations.history": "history",
    "conversations.replies": "history",
    "conversations.open": "write",
}
_KINDS = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}
READ_SCOPES = {
    "public_channel": "channels:read",
    "private_channel": "groups:read",
    "im": "im:read",
    "mpim": "mpim:read",
}


def demand(granted: frozenset[str] | None, method: str, conversation: Conversation | None = None) -> None:
    """Raise Refused("missing_scope") when the token lacks what the method needs here."""
    if granted is None:
        return
    if method in _BY_KIND and conversation is not None:
        needed: tuple[str, ...] = (f"{_KINDS[conversation.kind]}:{_BY_KIND[method]}",)
    else:
        needed = _NEEDED.get(method, ())
    if needed and granted.isdisjoint(needed):
        raise Refused("missing_scope", needed=needed[0], provided=",".join(sorted(granted)))
