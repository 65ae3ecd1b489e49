"""What may leave: visible characters and links that the settings allow. What is not allowed becomes plain text."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import urlsplit

_SHAPELESS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800")  # look like nothing, are letters to Unicode
_HOST_LIKE = re.compile(r"\b(?:[a-z0-9-]+\.)+[a-z]{2,}\b", re.IGNORECASE)
SCHEME = re.compile(
    r"(?:[a-z][a-z0-9+.-]{0,40}://|www\.|(?:javascript|data|mailto|file|vbscript|slack|tel):)", re.IGNORECASE
)


def visible(text: str) -> str:
    """The text without characters that nobody sees: zero width, bidi and tag characters, variation selectors."""
    return "".join(char for char in text if _is_visible(char))


def _is_visible(char: str) -> bool:
    if char in "\n\t" or " " <= char <= "~":
        return True
    if char in _SHAPELESS or "\ufe00" <= char <= "\ufe0f" or "\U000e0000" <= char <= "\U000e01ff":
        return False
    return unicodedata.category(char) not in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")


@dataclass(frozen=True)
class Links:
    """Which links may stand: https on one of these hosts without query and fragment, or one of these exact URLs."""

    hosts: frozenset[str] = frozenset()
    urls: frozenset[str] = frozenset()

    def allows(self, url: str) -> bool:
        if url in self.urls:
            return True
        try:
            parts = urlsplit(url)
            plain = parts.port is None and parts.username is None and parts.password is None
        except ValueError:
            return False
        bare = not parts.query and not parts.fragment and "?" not in url and "#" not in url
        return parts.scheme == "https" and plain and bare and (parts.hostname or "") in self.hosts

    def render(self, label: str, url: str, *, code: bool) -> str:
        """A link as it may be shown: itself, or its label and where it would have led, not to be clicked."""
        if self.allows(url) and not code:
            return f"[{label}]({url})" if label and not _HOST_LIKE.search(label) else url
        target = _unlinked(url)
        shown = target if code else f"`{target}`" if target else ""
        return f"{label} ({shown})" if label and shown and label != url else shown or label


def _unlinked(url: str) -> str:
    """Host and path without scheme, query and fragment; what carried data away is cut off."""
    rest = re.sub(r"^[a-z][a-z0-9+.-]*:(?://)?", "", url, flags=re.IGNORECASE)
    rest = re.split(r"[?#]", rest, maxsplit=1)[0].rsplit("@", 1)[-1]
    return re.sub(r"[`<>|\s]", "", rest).replace("://", ":")[:120]
