"""The body of the deploy hook: one deploy or a list of them, read strictly, with every mistake named by its field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from bot.reliability.deploys import Deploy

MOST = 100  # deploys in one request
_LONGEST = {"service": 200, "version": 100, "link": 1_000}  # characters
_NAMED = 20  # mistakes that are told
_EARLIEST = 2000  # a year before it is a slip of the pen
_FORM = 'write it like "2026-11-16T07:12:00Z"'


class Mistakes(ValueError):
    """Nothing of it is usable. Each mistake begins with its field: `at: …`, in a list `[3].at: …`."""

    def __init__(self, found: Sequence[str]) -> None:
        super().__init__("; ".join(found))
        more = len(found) - _NAMED
        self.found = (*found[:_NAMED], *((f"and {more:,} more",) if more > 0 else ()))


def read_deploys(told: Any, *, unless_said: datetime, latest: datetime) -> tuple[Deploy, ...]:
    """What a sender says. `unless_said` is the time of a deploy without one; later than `latest` none can be.

    Unknown fields are left alone. What is `null` was not said. Raises `Mistakes`.
    """
    if isinstance(told, list):
        if not told:
            raise Mistakes(["the list is empty; send a deploy"])
        if len(told) > MOST:
            raise Mistakes([f"the list has {len(told):,} deploys; send at most {MOST} at once"])
        entries = [_Entry(item, f"[{index}].", unless_said, latest) for index, item in enumerate(told)]
    else:
        entries = [_Entry(told, "", unless_said, latest)]
    read = [entry.read() for entry in entries]
    mistakes = [mistake for entry in entries for mistake in entry.mistakes]
    if mistakes:
        raise Mistakes(mistakes)
    return tuple(deploy for deploy in read if deploy is not None)


class _Entry:
    """One deploy while it is read; what is wrong with it gathers in `mistakes`."""

    def __init__(self, told: Any, where: str, unless_said: datetime, latest: datetime) -> None:
        self._told, self._where, self._unless_said, self._latest = told, where, unless_said, latest
        self.mistakes: list[str] = []

    def read(self) -> Deploy | None:
        if not isinstance(self._told, dict):
            place = self._where.rstrip(".") or "the body"
            self.mistakes.append(f"{place}: is no object; write " + '{"service": "checkout", "version": "1.42.0"}')
            return None
        service = self._text("service")
        if not service and not self.mistakes:
            self._wrong("service", "is missing; name the service that was deployed")
        version, link, at = self._text("version"), self._link(), self._at()
        return None if self.mistakes else Deploy(service=service, at=at, version=version, link=link)

    def _wrong(self, field: str, text: str) -> None:
        self.mistakes.append(f"{self._where}{field}: {text}")

    def _text(self, field: str) -> str:
        """A short line of printable characters; "" where nothing was said or it is wrong."""
        value = self._told.get(field)
        if value is None:
            return ""
        for problem in _problems(value, _LONGEST[field]):
            self._wrong(field, problem)
            return ""
        return str(value).strip()

    def _link(self) -> str:
        link = self._text("link")
        if link and not _is_address(link):
            self._wrong("link", "is no address; write one that begins with https:// or http://, without a password")
            return ""
        return link

    def _at(self) -> datetime:
        value = self._told.get("at")
        if value is None:
            return self._unless_said
        try:
            at = datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            at = None
        if at is None:
            self._wrong("at", f"is no time; {_FORM}, or leave it out")
        elif at.tzinfo is None:
            self._wrong("at", f"has no zone; {_FORM}")
        elif at.year < _EARLIEST:
            self._wrong("at", f"lies before {_EARLIEST}; {_FORM}")
        elif at > self._latest:
            self._wrong("at", "lies ahead; tell a deploy when it begins, not before")
        else:
            return at.astimezone(UTC)
        return self._unless_said


def _problems(value: object, longest: int) -> Iterator[str]:
    if not isinstance(value, str):
        yield "is no text; put it in quotes"
    elif len(value) > longest:
        yield f"is longer than {longest:,} characters"
    elif not value.isprintable():  # also line breaks, characters that turn the direction of text, halves of others
        yield "holds control characters; leave them out"


def _is_address(link: str) -> bool:
    try:
        parts = urlsplit(link)
        _ = parts.port  # raises for one that is none
    except ValueError:
        return False
    web = parts.scheme in {"http", "https"} and bool(parts.hostname)
    return web and "@" not in parts.netloc and not any(sign in link for sign in ' <>"\\')
