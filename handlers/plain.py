"""Text without markup: what of it a person can see, and one line of it."""

from __future__ import annotations

import re
import unicodedata

# Joiners shape words in scripts that aren't ASCII; anywhere else they only hide something.
_JOINER = re.compile("(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])")
_KEPT = "\n\t\u200c\u200d"


def visible(text: str) -> str:
    """`text` without the characters that a person can't see: controls, tags, direction marks, stray joiners."""
    text = text.replace("\r\n", "\n")
    shown = "".join(c for c in text if c in _KEPT or not (unicodedata.category(c) in ("Cc", "Cf") or _is_selector(c)))
    return _JOINER.sub("", shown)


def _is_selector(character: str) -> bool:
    return "\U000e0100" <= character <= "\U000e01ef"


def shortened(text: str, limit: int) -> str:
    """One line of at most `limit` characters, for titles and notifications."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
