"""The words that people type behind /director, or in a mention: what they ask for, before anything is done."""

from __future__ import annotations

import re
from dataclasses import dataclass

HELP = """\
What I can do:
• Mention me or write to me directly: ask about reliability, error budgets, a design, a plan. I remember each thread.
• `status [service]` – error budgets now
• `review` – the reliability review, posted where you ask for it. `review for checkout,payments`
• `digest` – the error-budget digest, one screen. `digest for payments`
• `plan Move checkout to its own database` – a project plan: work, people, SLOs. `plan list`, `plan show p7`
• `schedule review every monday 09:00 Europe/Berlin` – post it every week. \
`schedule list`, `schedule pause s1`, `resume`, `remove`, `test`
• `stop` in a thread or chat – I stop working on it

In a channel mention me before these words, or type `/director` before them: what `/director status` answers only you \
see. In our own chat the words are enough."""


@dataclass(frozen=True)
class Help:
    pass


@dataclass(frozen=True)
class Unknown:
    """Words that name no command; `text` is kept so that nothing is lost."""

    text: str


@dataclass(frozen=True)
class Status:
    service: str | None


@dataclass(frozen=True)
class Review:
    services: tuple[str, ...]


@dataclass(frozen=True)
class Digest:
    services: tuple[str, ...]


@dataclass(frozen=True)
class MakePlan:
    """`initiative` is empty when the person gave none."""

    initiative: str


@dataclass(frozen=True)
class ShowPlan:
    plan_id: str


@dataclass(frozen=True)
class ListPlans:
    pass


@dataclass(frozen=True)
class Schedule:
    """`rest` is everything behind the word "schedule", for the grammar in schedules.py."""

    rest: str


Command = Help | Unknown | Status | Review | Digest | MakePlan | ShowPlan | ListPlans | Schedule

# Verbs of `schedule`; in a mention anything else behind the word is a question, not a command.
SCHEDULE_VERBS = ("review", "digest", "add", "list", "pause", "resume", "remove", "test")

_CLOSING = ".!… \N{NO-BREAK SPACE}\n"  # phones end what is typed as a sentence
_QUOTES = "\"“”„'’«»"
_SERVICES = re.compile(r"^(?:for\s+)?([\w.-]+(?:\s*,\s*[\w.-]+)*)$")


def parse(text: str) -> Command:
    """What the words behind /director ask for."""
    word, rest = _first_word(text)
    if word != "plan":  # an initiative is kept as it was typed
        word, rest = _first_word(text.rstrip(_CLOSING))
    match word:
        case "" | "help" | "?":
            return Help()
        case "status":
            return Status(rest) if re.fullmatch(r"[\w.-]+", rest) else Unknown(text) if rest else Status(None)
        case "review" | "digest":
            services = _services(rest)
            if services is None:
                return Unknown(text)
            return Review(services) if word == "review" else Digest(services)
        case "plan":
            return _plan(rest)
        case "schedule":
            return Schedule(rest)
        case _:
            return Unknown(text)


def parse_mention(text: str) -> Command | None:
    """The command that a mention or direct message spells out in full; None when it is a question to be answered."""
    word, rest = _first_word(text.rstrip(_CLOSING))
    command = parse(text)
    match command:
        case Unknown():
            return None
        case Help():
            return command if word == "help" and not rest else None
        case Review(services) | Digest(services) if services and not rest.lower().startswith("for "):
            return None  # "review my design" is a question
        case Schedule():
            return command if not rest or _first_word(rest)[0] in SCHEDULE_VERBS else None
        case MakePlan(initiative):
            return command if initiative else None
        case _:
            return command


def asks_to_stop(text: str) -> bool:
    """Whether these words are no question but end the answer that is being made."""
    return text.strip(_CLOSING).lower() == "stop"


def _plan(rest: str) -> Command:
    closed = rest.rstrip(_CLOSING)
    word, argument = _first_word(closed)
    if word == "list" and not argument:
        return ListPlans()
    if word == "show" and re.fullmatch(r"p\d+", argument.lower()):
        return ShowPlan(argument.lower())
    if word == "new":
        return MakePlan(_unquoted(_first_word(rest)[1]))
    if re.fullmatch(r"(?:show|list)(?:\s+\S+)?|\w+\s+p\d+", closed, re.IGNORECASE):
        return Unknown(f"plan {rest}")  # a slip or a verb that isn't there, nothing to be planned
    return MakePlan(_unquoted(rest))


def _unquoted(text: str) -> str:
    """What stands in quotation marks that are around the whole of it."""
    return text.strip(_QUOTES) if text[:1] in _QUOTES and text[-1:] in _QUOTES else text


def _services(rest: str) -> tuple[str, ...] | None:
    if not rest:
        return ()
    found = _SERVICES.match(rest)
    return tuple(name.strip() for name in found[1].split(",")) if found else None


def _first_word(text: str) -> tuple[str, str]:
    """Whatever blank stands behind the word: a line's end, or the hard space that chats put in."""
    word, *rest = text.split(maxsplit=1) if text.strip() else ("",)
    return word.lower(), rest[0].strip() if rest else ""
