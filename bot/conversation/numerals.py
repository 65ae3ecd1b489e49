"""Numbers that a model wrote on its own account: found, so that readers learn they were not measured."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# A word that begins with a digit (of any script); p99, k8s and OAuth2 are names.
_UNITS = "percent|per cent|ms|s|min|h|seconds|minutes|hours|days|weeks|months|requests|errors|users|USD|EUR"
_NUMERAL = re.compile(rf"(?<![^\W_])(?<![\d][.,])(\d[\d.,:/’'-]*)(\s?[%‰]|\s(?:{_UNITS})\b|[^\W\d_]{{1,12}})?")
_LIST_MARKER = re.compile(r"^[ \t>]*\d{1,3}[.)](?=\s)", re.MULTILINE)
_THOUSANDS = re.compile(r"(?<=\d)[,’' ](?=\d{3}(?!\d))")
_WORDS = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion half"
).replace(" ", "|")
_SPELLED = re.compile(
    rf"\b((?:(?:{_WORDS})(?:[\s-]{{1,3}}(?:and\s|point\s)?)){{1,8}})"
    rf"({_UNITS}|percentage points|milliseconds|dollars)\b",
    re.IGNORECASE,
)


def numerals(text: str) -> tuple[str, ...]:
    """Every number in the text with its unit, as written, each once, in order; list markers are not numbers."""
    found = [(match.start(), _shown(match)) for match in _numbers(text)]
    found += [(match.start(), " ".join(match[0].split())) for match in _SPELLED.finditer(text)]
    return tuple(dict.fromkeys(shown for _, shown in sorted(found)))


def unsupported(text: str, known: Iterable[str]) -> tuple[str, ...]:
    """Those numbers of the text that stand in none of the known texts."""
    backed: set[str] = set()
    for one in known:
        backed.update(_value(match[1]) for match in _numbers(one))
        backed.update(" ".join(match[0].lower().split()) for match in _SPELLED.finditer(one))
    return tuple(shown for shown in numerals(text) if not _backed(shown, backed))


def _numbers(text: str) -> list[re.Match[str]]:
    plain = _THOUSANDS.sub("", unicodedata.normalize("NFKC", text))
    return list(_NUMERAL.finditer(_LIST_MARKER.sub("", plain)))


def _shown(match: re.Match[str]) -> str:
    return match[1].rstrip(".,:/’'-") + (match[2] or "" if match[1][-1].isdigit() else "")


def _value(number: str) -> str:
    digits = "".join(str(unicodedata.digit(char)) if char.isdigit() else char for char in number)
    return digits.rstrip(".,:/’'-")


def _backed(shown: str, backed: set[str]) -> bool:
    match = _NUMERAL.match(shown)
    return (_value(match[1]) if match else shown.lower()) in backed
