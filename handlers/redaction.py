"""Blots secrets out of text that people or machines will read: tokens, keys, passwords in addresses."""

from __future__ import annotations

import re

_BLOT = "[secret]"
_PATTERNS = (
    re.compile(r"\bxox[a-z]?(?:\.xox[a-z])?-[\w.%-]+", re.IGNORECASE),
    re.compile(r"\bxapp-[\w.%-]+", re.IGNORECASE),
    re.compile(r"\bsk-[\w-]{8,}"),
    re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"),  # JSON web tokens
    re.compile(r"(?<=hooks\.slack\.com/)[\w/.-]+"),  # addresses that are secrets themselves
)
# "Basic Information" is the page of Slack's app settings that our own words lead to.
_BEARER = re.compile(r"(?i)\b(bearer|basic)(\s+|%20)(?!information\b)[\w.~+/=-]{6,}")
# Quotes may be escaped, where the text is JSON already; a backslash is never swallowed, so that it stays JSON.
_HEADER = re.compile(
    r"(?i)((?:x-api-key|authorization)\\*[\"']?\s*[:=]\s*b?\\*[\"']?)"
    r"(?!bearer|basic|authorization|x-api-key|\[secret\])[^\s\"',}\\]+"
)
_NAMED = re.compile(
    r"(?i)((?:password|passwd|client_secret|signing_secret|hook_secret|api_key|bot_token|app_token)"
    r"(?:\s*=\s*\\*[\"']?|\\*[\"']\s*:\s*\\*[\"']))(?!\[secret\]|SecretStr|None|null)[^\s\"'&,;}\)\\]+"
)
_IN_ADDRESS = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@\"'\\]*:)[^\s\"'\\]+@", re.IGNORECASE)


def redact(text: str) -> str:
    """The text with everything that looks like a secret blotted out."""
    for pattern in _PATTERNS:
        text = pattern.sub(_BLOT, text)
    text = _BEARER.sub(rf"\1\2{_BLOT}", text)
    text = _HEADER.sub(rf"\1{_BLOT}", text)
    text = _NAMED.sub(rf"\1{_BLOT}", text)
    return _IN_ADDRESS.sub(rf"\1{_BLOT}@", text)
