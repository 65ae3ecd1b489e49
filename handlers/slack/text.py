"""Text on its way in from Slack and out to it: cleaning, escaping, and CommonMark as Slack's own markup."""

from __future__ import annotations

import re

from handlers.plain import visible

# Mentions of people and channels may pass in either direction; `<!channel>` and links with a false face may not.
_MENTION = re.compile(r"<(?:@[UWB][A-Z0-9]+|#[CG][A-Z0-9]+)(?:\|[^<>|]*)?>")
_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^<>|\s]+)>")
_LABELLED = re.compile(r"<((?:https?://|mailto:)[^<>|\s]+)\|([^<>]*)>")
_BACKSLASHED = re.compile(r"\\([\\`*_\[\]~|])")
_ASIDE = 0xF0000  # where no letter is, and no person writes
_SET_ASIDE = re.compile("[" + "".join(f"\\U{_ASIDE + ord(sign):08x}" for sign in "\\`*_[]~|") + "]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def received(text: str, *, me: str) -> str:
    """What a person typed: without the Director's own mention and hidden characters, links and entities as written."""
    text = re.sub(rf"(?:(?<![ \t])[ \t]+)?<@{re.escape(me)}(?:\|[^<>]*)?>[ \t]*", " ", text)
    text = _LABELLED.sub(lambda link: link[1] if link[2] in ("", link[1]) else f"{link[2]} ({link[1]})", text)
    return visible(unescaped(_AUTOLINK.sub(r"\1", text))).strip()


def mentions(text: str, person: str) -> bool:
    return re.search(rf"<@{re.escape(person)}[>|]", text) is not None


def escaped(text: str, *, line_start: bool = True) -> str:
    """Markdown that Slack reads as nothing but Markdown: mentions of people and channels pass, `<!channel>` does not.

    `line_start` says whether the text begins a line, where `>` is a quotation mark and stays.
    """
    text = _AUTOLINK.sub(r"\1", text)
    pieces: list[str] = []
    end = 0
    for mention in _MENTION.finditer(text):
        pieces += (_escaped_plain(text[end : mention.start()], line_start=line_start), mention[0])
        end, line_start = mention.end(), False
    pieces.append(_escaped_plain(text[end:], line_start=line_start))
    return "".join(pieces)


def _escaped_plain(text: str, *, line_start: bool) -> str:
    out: list[str] = []
    for number, line in enumerate(text.split("\n")):
        quote = re.match(r"[ ]{0,3}(?:>[ ]?)+", line) if number or line_start else None
        mark = quote[0] if quote else ""
        out.append(mark + "".join(_ESCAPES.get(c, c) for c in line[len(mark) :]))
    return "\n".join(out)


def mrkdwn(markdown: str) -> str:
    """Small print in CommonMark as Slack's mrkdwn, for the blocks that know no Markdown."""
    text = _SET_ASIDE.sub("", escaped(markdown))
    text = _BACKSLASHED.sub(lambda sign: chr(_ASIDE + ord(sign[1])), text)  # mrkdwn knows no backslashes
    code = re.split(r"(`[^`\n]+`)", text)
    return "".join(_put_back(part, "\\") if n % 2 else _put_back(_mrkdwn_plain(part)) for n, part in enumerate(code))


def _put_back(text: str, before: str = "") -> str:
    return _SET_ASIDE.sub(lambda sign: before + chr(ord(sign[0]) - _ASIDE), text)


def _mrkdwn_plain(text: str) -> str:
    text = re.sub(r"\[([^\[\]\n]+)\]\((https?://[^)\s]+)\)", r"<\2|\1>", text)
    text = re.sub(r"^([ \t]*)[-*+] ", r"\1• ", text, flags=re.MULTILINE)
    text = re.sub(r"(?<![*\w])\*(?!\s|\*)([^*\n]+?)(?<!\s)\*(?![*\w])", r"_\1_", text)
    text = re.sub(r"\*\*(?!\s)(.+?)(?<!\s)\*\*", r"*\1*", text)
    text = re.sub(r"~~(?!\s)(.+?)(?<!\s)~~", r"~\1~", text)
    return re.sub(r"^#{1,6} +(.+)$", r"*\1*", text, flags=re.MULTILINE)
