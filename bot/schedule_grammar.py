"""The sentence a schedule is made by: `review every monday 09:00 Europe/Berlin in #payments for checkout`."""

from __future__ import annotations

import difflib
import re
import zoneinfo
from collections.abc import Iterable
from functools import cache
from typing import Literal, NoReturn, get_args

from pydantic import Field

from bot.domain import Value
from bot.errors import UsageError

What = Literal["review", "digest"]

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
EXAMPLE = "review every monday 09:00 Europe/Berlin"

_DAY_WORDS = {
    **{name: (number,) for number, name in enumerate(DAYS)},
    "weekday": (0, 1, 2, 3, 4),
    "day": (0, 1, 2, 3, 4, 5, 6),
}
_NOT_ZONES = {"factory", "localtime", "posixrules", "leapseconds"}
_CHANNEL = re.compile(r"<#(?P<id>[A-Z0-9]+)(?:\|(?P<label>[^>]*))?>|#(?P<name>[^\s#<>,]+)")
_SERVICE = re.compile(r"[\w.-]+")
_COMMA = re.compile(r" ?, ?")
_QUOTES = str.maketrans("", "", '"“”„«»`')  # people copy sentences with the marks around them
_WITHOUT_COLON = re.compile(r"([01]?\d|2[0-3])[.h]?([0-5]\d)", re.ASCII)
_PLACE_NAME = re.compile(r"[a-z_/-]{5,}", re.IGNORECASE)
_TWELVE_HOURS = re.compile(r"(1[0-2]|0?[1-9])(?:[:.]([0-5]\d))?([ap])m")


class ScheduleError(UsageError):
    """A sentence that makes no schedule. `word` is the one that is wrong; empty when something is missing."""

    def __init__(self, message: str, *, word: str = "") -> None:
        super().__init__(f"{message} Example: `{EXAMPLE}`")
        self.word = word


class ChannelRef(Value):
    """A channel as a person wrote it: the platform's id where the platform put one in, else only the name."""

    id: str | None
    name: str

    def __str__(self) -> str:
        return f"<#{self.id}|{self.name}>" if self.id else f"#{self.name}"


class ScheduleSpec(Value):
    """What a schedule's sentence says. `channel` is None for the one it is said in; no services means all."""

    what: What
    days: tuple[int, ...] = Field(min_length=1)
    time: str
    zone: str
    channel: ChannelRef | None = None
    services: tuple[str, ...] = ()

    def __str__(self) -> str:
        sentence = f"{self.what} every {days_text(self.days)} {self.time} {self.zone}"
        if self.channel:
            sentence += f" in {self.channel}"
        if self.services:
            sentence += f" for {','.join(self.services)}"
        return sentence


def days_text(days: tuple[int, ...]) -> str:
    """`(0, 1, 2, 3, 4)` -> `weekday`, `(0, 3)` -> `monday,thursday`."""
    for word in ("weekday", "day"):
        if days == _DAY_WORDS[word]:
            return word
    return ",".join(DAYS[day] for day in days)


def parse_schedule(text: str, *, default_zone: str) -> ScheduleSpec:
    """Read `WHAT every DAY[,DAY…] [at] HH:MM [ZONE] [in #CHANNEL] [for SERVICE[,SERVICE…]]`, whatever its case.

    Raises:
        ScheduleError: names the word that is wrong, and what could have been meant.
    """
    words = _Words(text)
    what = _what(words)
    word = words.take("the word “every”", after=what)
    if word.lower() != "every":
        _wrong(word, f"After “{what}” comes “every”.")
    days = _days(words.take("a day", after="every"))
    if words.next.lower() == "at":  # as the Director itself says it
        words.take_any()
    time = _time(words.take("a time", after="the day"))
    zone = default_zone
    if words.next.lower() not in ("", "in", "for"):
        zone = _zone(words.take("", after=""))
    channel: ChannelRef | None = None
    services: tuple[str, ...] = ()
    while word := words.take_any():
        if word.lower() == "in" and channel is None:
            channel = _channel(words.take_channel())
        elif word.lower() == "for" and not services:
            services = _services(words.take("a service", after="for"))
        else:
            _wrong(word, "After the time zone come only `in #channel` and `for service,service`, each once.")
    return ScheduleSpec(what=what, days=days, time=time, zone=zone, channel=channel, services=services)


def unquoted(text: str) -> str:
    """The sentence without quotation marks, of which it needs none."""
    return text.translate(_QUOTES)


def canonical_zone(name: str) -> str | None:
    """The IANA name in its own spelling; None when there is no such zone."""
    return _zones().get(name.lower())


def near(word: str, names: Iterable[str]) -> str:
    """` Did you mean …?`, or nothing when no name comes near."""
    spelled = {name.lower(): name for name in names}
    return _meant([spelled[name] for name in _close(word.lower(), list(spelled))])


def _close(word: str, names: list[str]) -> list[str]:
    """The nearest name and those about as near."""
    likeness = {name: difflib.SequenceMatcher(None, word, name).ratio() for name in names}
    nearest = max(likeness.values(), default=0.0)
    found = [name for name in sorted(names) if likeness[name] >= max(0.65, nearest - 0.05)]
    return sorted(found, key=lambda name: -likeness[name])[:3]


def _meant(names: list[str]) -> str:
    return f" Did you mean {' or '.join(names)}?" if names else ""


class _Words:
    def __init__(self, text: str) -> None:
        self._words = _COMMA.sub(",", " ".join(unquoted(text).split())).split()

    @property
    def next(self) -> str:
        return self._words[0] if self._words else ""

    def take_any(self) -> str:
        return self._words.pop(0) if self._words else ""

    def take(self, expected: str, *, after: str) -> str:
        if not self._words:
            raise ScheduleError(f"The sentence ends after {_quoted(after)}; {expected} is missing.")
        return self._words.pop(0)

    def take_channel(self) -> str:
        """Blanks in a channel's name, as Teams allows them, stand as hyphens: `#On Call` is `#On-Call`."""
        name = self.take("a channel", after="in")
        while name.startswith("#") and self.next.lower() not in ("", "in", "for") and not canonical_zone(self.next):
            name += f"-{self.take_any()}"
        return name


def _quoted(after: str) -> str:
    return after if " " in after else f"“{after}”"


def _wrong(word: str, why: str) -> NoReturn:
    shown = word if len(word) <= 60 else f"{word[:59]}…"
    raise ScheduleError(f"I don't understand “{shown}” here. {why}", word=word)


def _what(words: _Words) -> What:
    if not words.next:
        raise ScheduleError("A schedule says what to post and when.")
    word = words.take_any()
    for what in get_args(What):
        if word.lower() == what:
            found: What = what
            return found
    _wrong(word, f"A schedule posts a review or a digest.{near(word, get_args(What))}")


def _days(word: str) -> tuple[int, ...]:
    days: set[int] = set()
    for name in word.split(","):
        if name.lower() not in _DAY_WORDS:
            said = "I know monday to sunday, weekday and day."
            if not name:
                said = "A day is missing beside the comma."
            elif name[0].isdigit():
                said = "Commas stand only between days; put a space before the time."
            _wrong(name or word, f"{said}{near(name, _DAY_WORDS)}")
        days.update(_DAY_WORDS[name.lower()])
    return tuple(sorted(days))


def _time(word: str) -> str:
    hours, colon, minutes = word.partition(":")
    if colon and re.fullmatch(r"[0-9]{1,2}", hours) and re.fullmatch(r"[0-5][0-9]", minutes) and int(hours) < 24:
        return f"{int(hours):02}:{minutes}"
    if word.lower() == "and":
        _wrong(word, "Put a comma between days: monday,thursday.")
    meant = ""
    if twelve := _TWELVE_HOURS.fullmatch(word.lower()):
        hour = int(twelve[1]) % 12 + (12 if twelve[3] == "p" else 0)
        meant = f" Did you mean {hour:02}:{twelve[2] or '00'}?"
    elif plain := _WITHOUT_COLON.fullmatch(word.lower()):
        meant = f" Did you mean {int(plain[1]):02}:{plain[2]}?"
    _wrong(word, f"The time of day is written with 24 hours as HH:MM, 00:00 to 23:59.{meant}")


def _zone(word: str) -> str:
    name = canonical_zone(word)
    if name is not None:
        return name
    if word.startswith(("#", "<#")):
        _wrong(word, f"Put “in” before a channel: in {word}.")
    if not _PLACE_NAME.fullmatch(word):  # a guess would be wrong by hours: Etc/GMT+1 is an hour behind UTC
        _wrong(word, "Abbreviations and offsets don't say which summer time holds; name a place, as in Europe/Berlin.")
    places: dict[str, list[str]] = {}
    for zone in _zones().values():
        for spelling in dict.fromkeys((zone.lower(), zone.lower().rpartition("/")[2])):
            places.setdefault(spelling, []).append(zone)
    meant = places.get(word.lower()) or [zone for name in _close(word.lower(), list(places)) for zone in places[name]]
    hint = _meant(list(dict.fromkeys(meant))[:3])
    _wrong(word, f"It is no time zone that I know; zones have IANA names such as Europe/Berlin.{hint}")


def _channel(word: str) -> ChannelRef:
    found = _CHANNEL.fullmatch(word)
    if not found:
        hint = f" Did you mean #{word}?" if _SERVICE.fullmatch(word) else ""
        _wrong(word, f"A channel is written as #name.{hint}")
    if found["id"]:
        return ChannelRef(id=found["id"], name=found["label"] or "")
    return ChannelRef(id=None, name=found["name"].lower())


def _services(word: str) -> tuple[str, ...]:
    names = word.split(",")
    for name in names:
        if not _SERVICE.fullmatch(name):
            _wrong(name or word, "Services are written by name with commas between them: for checkout,payments.")
    return tuple(dict.fromkeys(names))


@cache
def _zones() -> dict[str, str]:
    names = zoneinfo.available_timezones()
    return {name.lower(): name for name in sorted(names) if name.lower() not in _NOT_ZONES}
