"""What people type, as Slack stores it: mentions become ids, the three control characters are escaped."""

from __future__ import annotations

import re

from handlers.slack.standin.workspace import Workspace

_MARKED = re.compile(r"&lt;([@#][A-Z0-9]+(?:\|[^<>&]*)?|![a-z]+)&gt;")
_BARE = re.compile(r"&(?!(?:amp|lt|gt);)")  # the page sends text that is escaped already
_LINK = re.compile(r"(?<![<|\w])(https?://[^\s<>]+)")


def stored(workspace: Workspace, typed: str) -> str:
    text = _BARE.sub("&amp;", typed).replace("<", "&lt;").replace(">", "&gt;")
    text = _MARKED.sub(r"<\1>", text)
    names = {user.real_name.lower(): user.id for user in workspace.users.values()}
    names |= {user.name.lower(): user.id for user in workspace.users.values()}
    longest_first = sorted(names, key=len, reverse=True)
    mention = re.compile(r"(?<![\w<])@(" + "|".join(map(re.escape, longest_first)) + r")\b", re.IGNORECASE)
    text = mention.sub(lambda found: f"<@{names[found.group(1).lower()]}>", text)
    return _LINK.sub(r"<\1>", text)
