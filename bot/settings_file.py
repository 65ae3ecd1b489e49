"""director.yml as one frozen value. Every key is optional; every mistake is told with its line and key."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from bot.domain import Value
from bot.recurrence import Recurrence
from bot.settings_mistakes import file_mistake, in_order
from bot.settings_values import (
    ChannelName,
    DateRange,
    Duration,
    EntraId,
    Flag,
    Host,
    Integer,
    Mention,
    Name,
    Number,
    RecurrenceRule,
    Seconds,
    Selector,
    Zone,
    nearest,
)
from bot.yaml_source import Document, Mistake

Share = Annotated[Number, Field(ge=-1, le=1)]
NotNegative = Annotated[Number, Field(ge=0)]


class Personas(Value):
    """Paths of agent cards, absolute; None means the built-in card."""

    director: Path | None = None
    senior_engineer: Path | None = None
    vp_engineering: Path | None = None
    principal_architect: Path | None = None

    @field_validator("*", mode="after")
    @classmethod
    def _beside_the_file(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        if path is None:
            return None
        absolute = _folder(info) / path
        if not absolute.is_file():
            raise ValueError(f"there is no file {path} beside director.yml; leave the key out to use the built-in card")
        return absolute


class Contact(Value):
    """Who stands behind a role: people or user groups to tell, a channel to work in."""

    notify: tuple[Mention, ...] = ()
    channel: ChannelName | None = None
    accept_within: Duration | None = None


class Relationships(Value):
    senior_engineer: Contact | None = None
    vp_engineering: Contact | None = None
    principal_architect: Contact | None = None
    consult: dict[Name, tuple[Mention, ...]] = Field(default_factory=dict)


class RosterPerson(Value):
    """`capacity` is the share of full time that is free for planned work, above 0 and at most 1.

    `slack` and `teams` are the person's ids there: a member id, an Entra object id.
    """

    name: Name
    slack: Name | None = None
    teams: EntraId | None = None
    skills: tuple[Name, ...] = ()
    capacity: Annotated[Number, Field(gt=0, le=1)] = 1.0
    zone: Zone | None = None
    on_call: tuple[DateRange, ...] = ()
    away: tuple[DateRange, ...] = ()


class Team(Value):
    lead: Name | None = None
    people: tuple[RosterPerson, ...] = ()

    @model_validator(mode="after")
    def _names(self) -> Self:
        names = [person.name for person in self.people]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stands more than once among its people")
        if self.lead is not None and names and self.lead not in names:
            raise ValueError(f"its lead {self.lead!r} is not among its people ({', '.join(names)})")
        return self


class Roster(Value):
    teams: dict[Name, Team] = Field(default_factory=dict)


class ServiceEntry(Value):
    team: Name | None = None
    depends_on: tuple[Name, ...] = ()
    tier: Annotated[Integer, Field(ge=1)] | None = None


class Metrics(Value):
    """Durations in seconds. `deploys` is a series whose changes are deploys."""

    timeout: Seconds = 20.0
    max_samples_per_query: Annotated[Integer, Field(ge=1)] = 50_000_000
    stale_after: Seconds = 3600.0
    deploys: Selector | None = None


class Exclusion(Value):
    """A recurring time, by the clocks of `zone`, that does not count against a service's budget.

    Shown and counted in every review.
    """

    service: Name
    rrule: RecurrenceRule
    duration: Duration
    reason: Name
    owner: Name
    zone: Zone = "UTC"

    @model_validator(mode="after")
    def _leaves_time(self) -> Self:
        if Recurrence(self.rrule, self.zone).fills(self.duration):
            raise ValueError("leaves no time that counts: the next one begins before this one ends; shorten duration")
        return self


class Ship(Value):
    remaining_above: Share = 0.25
    burn_7d_at_most: NotNegative = 1.0


class Slow(Value):
    remaining_at_most: Share = 0.25
    exhausts_within: Duration = Field(default="7d", validate_default=True)
    burn_7d_above: NotNegative = 1.0


class Freeze(Value):
    remaining_at_most: Share = 0.0


class Policy(Value):
    ship: Ship = Ship()
    slow: Slow = Slow()
    freeze: Freeze = Freeze()
    postmortem_above: Annotated[Number, Field(gt=0, le=1)] = 0.20

    @model_validator(mode="after")
    def _levels_in_order(self) -> Self:
        if self.freeze.remaining_at_most >= self.ship.remaining_above:
            raise ValueError("freeze.remaining_at_most must be below ship.remaining_above, or a service is in both")
        return self


class ChannelEntry(Value):
    """What holds in one channel. `digest` chooses today's Block Kit or the classic one with pictures."""

    services: tuple[Name, ...] = ()
    follow_threads: Flag = False
    instructions: str = Field(default="", max_length=4000)
    digest: Literal["agent", "classic"] = "agent"


class Approval(Value):
    people: tuple[Mention, ...] = Field(min_length=1)
    needed: Annotated[Integer, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _enough_people(self) -> Self:
        groups = any(mention.startswith("S") for mention in self.people)
        if not groups and self.needed > len(set(self.people)):
            raise ValueError(f"needs {self.needed} approvals but names only {len(set(self.people))} who may give one")
        return self


SomeMentions = Annotated[tuple[Mention, ...], Field(min_length=1)]


class Rights(Value):
    """Who may do what instead of the contract's default; None keeps the default."""

    schedule: SomeMentions | None = None
    approve_plans: Approval | None = None
    exceptions: SomeMentions | None = None
    admin: SomeMentions | None = None


class Escalation(Value):
    """USD and people above which a plan goes to the VP of Engineering; None: no such limit."""

    budget_above: NotNegative | None = None
    hires_above: Annotated[Integer, Field(ge=0)] | None = None


class DocumentSource(Value):
    """A folder (`path`) or a folder `under` a git repository on this machine; paths absolute."""

    name: Name
    path: Path | None = None
    git: Path | None = None
    under: str = ""

    @field_validator("path", "git", mode="after")
    @classmethod
    def _beside_the_file(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        return None if path is None else _folder(info) / path

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.path is None) == (self.git is None):
            raise ValueError("give either path (a folder) or git (a repository on this machine)")
        if self.under and self.git is None:
            raise ValueError("under belongs to git; put the whole folder into path")
        return self


class Links(Value):
    allowed_hosts: tuple[Host, ...] = ()


class Spend(Value):
    usd: NotNegative


class TurnLimit(Value):
    steps: Annotated[Integer, Field(ge=1, le=100)] = 12
    seconds: Annotated[Number, Field(gt=0, le=3600)] = 180.0


class Limits(Value):
    per_person_day: Spend | None = None
    per_channel_day: Spend | None = None
    turn: TurnLimit = TurnLimit()


class Price(Value):
    """USD per million tokens."""

    input: NotNegative
    output: NotNegative
    cache_write_5m: NotNegative | None = None
    cache_write_1h: NotNegative | None = None
    cache_read: NotNegative | None = None


class Retention(Value):
    """How long things are kept; None: for good."""

    threads: Duration | None = None
    audit: Duration | None = None


class DirectorFile(Value):
    """All of director.yml."""

    workspace: Name | None = None
    personas: Personas = Personas()
    relationships: Relationships = Relationships()
    roster: Roster = Roster()
    services: dict[Name, ServiceEntry] = Field(default_factory=dict)
    metrics: Metrics = Metrics()
    exclusions: tuple[Exclusion, ...] = ()
    policy: Policy = Policy()
    channels: dict[ChannelName, ChannelEntry] = Field(default_factory=dict)
    rights: Rights = Rights()
    escalation: Escalation = Escalation()
    documents: tuple[DocumentSource, ...] = ()
    links: Links = Links()
    limits: Limits = Limits()
    prices: dict[Name, Price] = Field(default_factory=dict)
    retention: Retention = Retention()


def parse_file(document: Document) -> tuple[DirectorFile | None, tuple[Mistake, ...]]:
    """The file's value, or None with everything that is wrong in it. `document.path` must be absolute."""
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        return None, (document.mistake((), "must hold keys and values (a mapping), see docs/director.example.yml"),)
    empty = [name for name, value in data.items() if value is None]
    data = {name: value for name, value in data.items() if name not in empty}
    wrong = _cross_checks(document, data)
    try:
        parsed = DirectorFile.model_validate(data, context={"folder": document.path.parent})
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        wrong += [file_mistake(document, problem, DirectorFile) for problem in details]
        return None, in_order(wrong)
    return (None if wrong else parsed), in_order(wrong)


def _cross_checks(document: Document, data: dict[Any, Any]) -> list[Mistake]:
    """What refers to something else in the file; parts of the wrong shape are left to the models."""
    teams = tuple(name for name in _mapping(_mapping(data.get("roster")).get("teams")) if isinstance(name, str))
    found: list[Mistake] = []
    for name, service in _mapping(data.get("services")).items():
        team, needs = _mapping(service).get("team"), _mapping(service).get("depends_on")
        if teams and isinstance(team, str) and team not in teams:
            text = f"there is no team {team!r} in roster.teams{_meant(team, teams)}"
            found.append(document.mistake(("services", str(name), "team"), text))
        if isinstance(needs, list) and name in needs:
            key = ("services", str(name), "depends_on", needs.index(name))
            found.append(document.mistake(key, "a service can't depend on itself"))
    documents = data.get("documents")
    names = [_mapping(source).get("name") for source in documents] if isinstance(documents, list) else []
    for index, name in enumerate(names):
        if isinstance(name, str) and name in names[:index]:
            found.append(document.mistake(("documents", index, "name"), f"{name!r} is given twice"))
    return found


def _mapping(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _folder(info: ValidationInfo) -> Path:
    context = info.context
    folder = context.get("folder") if isinstance(context, dict) else None
    return folder if isinstance(folder, Path) else Path.cwd()


def _meant(word: str, known: Sequence[str]) -> str:
    near = nearest(word, tuple(known))
    return f"; did you mean {near!r}?" if near else f"; there is {', '.join(known)}"
