"""The gate that every word of a model passes on its way out, also while it streams.

It puts facts in place of `{{f3}}`, takes the power from mentions, links and pictures, and drops hidden characters. Text
is held back from where such a thing may begin until it is clear what it is, so that no half of one ever gets out.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.conversation.clean import SCHEME, Links, visible
from bot.conversation.facts import NO_FIGURE, PLACEHOLDER

_TAGS = (
    "a|abbr|audio|b|base|body|br|button|code|dd|details|div|dl|dt|em|embed|form|h[1-6]|head|hr|html|i|iframe|img|input|"
    "kbd|li|link|meta|object|ol|p|picture|pre|s|script|source|span|strong|style|sub|summary|sup|svg|table|tbody|td|th|"
    "thead|tr|u|ul|video"
)
_TAG = re.compile(rf"/?(?:(?:{_TAGS})\s*/?|[a-z][a-z0-9-]*\s.*)", re.IGNORECASE)
_ANGLE = re.compile(r"<([^<>\n]{0,800})>")
_MAY_OPEN_ANGLE = re.compile(r"<[!@#/a-zA-Z]")
_BRACKET = re.compile(r"\[([^\[\]\n]{0,400})\]")
_TARGET = re.compile(r"\(([^()\n]*(?:\([^()\n]*\)[^()\n]*)*)\)")
_WORD = re.compile(r"[^\s\[\]<>{}`\\!|()\"]+")
_RUN = re.compile(r"`+")
_LONGEST = {"{": 64, "<": 800, "[": 1600, "word": 2000}

Taken = tuple[int, str] | None  # characters consumed and what goes out for them; None: wait for more


class Gate:
    """Feed it text as it comes and pass on what it returns; `close` returns the rest.

    `resolve` gives the text of a fact, or None. `own` is what went out without the facts: the model's own words.
    """

    def __init__(self, resolve: Callable[[str], str | None], links: Links | None = None) -> None:
        self._resolve = resolve
        self._links = links or Links()
        self._pending = ""
        self._code = 0  # length of the backtick run that opened the code we are in
        self._after_return = False
        self._line = ""  # what went out since the last line break, for definitions at its start
        self.own = ""

    def feed(self, text: str) -> str:
        if self._after_return and text.startswith("\n"):
            text = text[1:]  # the other half of one line break
        self._after_return = text.endswith("\r") or (self._after_return and not text)
        self._pending += visible(text.replace("\r\n", "\n").replace("\r", "\n"))
        return self._drain(final=False)

    def close(self) -> str:
        rest = self._drain(final=True)
        self._code = 0
        return rest

    def _drain(self, *, final: bool) -> str:
        out: list[str] = []
        while self._pending and (taken := self._next(final=final)) is not None:
            length, piece = taken
            if self._line.endswith("<") and piece.startswith(("@", "#", "!")):
                piece = f" {piece}"  # together they would be a mention
            is_fact = PLACEHOLDER.match(self._pending[:length]) is not None
            self._pending = self._pending[length:]
            self.own += " " if is_fact else piece
            self._line = (self._line + piece).rpartition("\n")[2]
            out.append(piece)
        return "".join(out)

    def _next(self, *, final: bool) -> Taken:
        match self._pending[0]:
            case "`":
                return self._backticks(final=final)
            case "\\":
                return self._backslash(final=final)
            case "{":
                return self._placeholder(final=final)
            case "<":
                return self._angle(final=final)
            case "[":
                return self._bracket(0, final=final)
            case "!" if len(self._pending) == 1 and not final:
                return None
            case "!" if self._pending.startswith("!["):
                return self._bracket(1, final=final)
            case "\n":
                return self._line_break(final=final)
        return self._word(final=final)

    def _backticks(self, *, final: bool) -> Taken:
        run = _RUN.match(self._pending)
        length = run.end() if run else 1
        if length == len(self._pending) and not final:
            return None
        if not self._code:
            self._code = length
        elif self._code == length:
            self._code = 0
        return length, self._pending[:length]

    def _backslash(self, *, final: bool) -> Taken:
        if len(self._pending) == 1 and not final:
            return None
        escapes = self._pending[1:2] in ("`", "\\") and not self._code
        return (2, self._pending[:2]) if escapes else (1, "\\")

    def _line_break(self, *, final: bool) -> Taken:
        if len(self._pending) == 1 and not final and self._code in (1, 2):
            return None
        if self._pending.startswith("\n\n") and self._code in (1, 2):
            self._code = 0  # inline code does not reach over a paragraph
        return 1, "\n"

    def _placeholder(self, *, final: bool) -> Taken:
        if match := PLACEHOLDER.match(self._pending):
            return match.end(), self._resolve(match[1]) or NO_FIGURE
        end = self._pending.find("}}")
        if self._pending.startswith("{{") and 0 <= end <= _LONGEST["{"] and "\n" not in self._pending[:end]:
            return end + 2, NO_FIGURE
        return self._wait_or_take(1, "{", "{{", final=final)

    def _angle(self, *, final: bool) -> Taken:
        if final or len(self._pending) > 1:
            if not _MAY_OPEN_ANGLE.match(self._pending):
                return 1, "<"
            if match := _ANGLE.match(self._pending):
                inert = self._inert(match[1])
                return (1, "<") if inert is None else (match.end(), inert)
        return self._wait_or_take(1, "<", "<", final=final)

    def _inert(self, inside: str) -> str | None:
        """What stands for `<inside>`: mentions lose their power, comments and markup vanish, links are judged.

        None when the brackets mean nothing, as in `Map<String>`.
        """
        if inside.startswith("!--"):
            return ""
        target, _, label = inside.partition("|")
        label = _plain(label)
        if inside.startswith(("!", "@", "#")):
            sign = "@" if inside[0] == "!" else inside[0]
            name = label or _plain(target[1:].split("^")[0])
            return sign + name.lstrip("@#!")
        if SCHEME.match(target):
            return self._links.render(label, target, code=bool(self._code))
        if _TAG.fullmatch(inside) and not self._code:
            return " " if inside.lower().startswith("br") else ""  # keeps the words apart
        return None

    def _bracket(self, start: int, *, final: bool) -> Taken:
        """`[label](target)`, `![alt](target)`, `[label][reference]`; anything else is just a bracket."""
        if self._code:
            return 1, self._pending[0]
        label = _BRACKET.match(self._pending, start)
        if label is None:
            return self._wait_or_take(1, self._pending[0], "[", final=final, closed="]")
        if label.end() == len(self._pending) and not final:
            return None
        after = self._pending[label.end() : label.end() + 1]
        text = _plain(self._facts_in(label[1]))
        if after == "(":
            target = _TARGET.match(self._pending, label.end())
            if target is not None:
                url = target[1].strip().split(" ")[0].strip("<>")
                shown = text if start else self._links.render(text, url, code=bool(self._code))
                return target.end(), shown
            return self._wait_or_take(1, self._pending[0], "[", final=final, closed="\n")
        if after == "[":
            reference = _BRACKET.match(self._pending, label.end())
            if reference is not None:
                return reference.end(), text
            return self._wait_or_take(1, self._pending[0], "[", final=final, closed="\n")
        if after == ":" and not self._line.strip():
            return label.end() + 1, f"{text} -"  # a definition: no later reference may use it
        return 1, self._pending[0]

    def _facts_in(self, label: str) -> str:
        return PLACEHOLDER.sub(lambda match: self._resolve(match[1]) or NO_FIGURE, label)

    def _word(self, *, final: bool) -> Taken:
        match = _WORD.match(self._pending)
        if match is None:
            return 1, self._pending[0]
        word = match[0]
        if match.end() == len(self._pending) and not final and len(word) < _LONGEST["word"]:
            return None
        begin = SCHEME.search(word)
        if begin is None:
            return match.end(), word
        address = self._address(begin.start())
        bare = address.rstrip(".,;:!?*_~'’")
        if begin.start() + len(address) == len(self._pending) and not final and len(address) < _LONGEST["word"]:
            return None
        if not bare or bare.lower().rstrip(":") in ("data", "file", "tel", "slack", "javascript", "vbscript", "mailto"):
            return match.end(), word  # "data: …" in a sentence
        shown = self._links.render("", bare, code=bool(self._code))
        return begin.start() + len(bare), word[: begin.start()] + shown

    def _address(self, start: int) -> str:
        """A bare URL may hold characters that end a word, braces and brackets among them."""
        match = re.match(r"[^\s<>`\"|)\]]+", self._pending[start:])
        return match[0] if match else ""

    def _wait_or_take(self, length: int, piece: str, opening: str, *, final: bool, closed: str = "") -> Taken:
        """Wait while this may still become what `opening` begins; else the characters mean just themselves."""
        begins = self._pending.startswith(opening) or opening.startswith(self._pending) or self._pending[0] == "!"
        ended = "\n" in self._pending or (closed not in ("", "\n") and closed in self._pending)
        if final or ended or not begins or len(self._pending) > _LONGEST[opening[0]]:
            return length, piece
        return None


def _plain(text: str) -> str:
    """A label without anything that means something to a chat platform."""
    return re.sub(r"[<>\[\]`|]", "", SCHEME.sub("", text)).strip()
