"""director.yml as one frozen value. Every key is optional; every mistake is told with its line and key."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, Field, ValidationError, ValidationInfo, field_validator, model_validator

from bot.domain import Value
from bot.settings_values import (
    ChannelName,
    DateRange,
    Duration,
    Flag,
    Host,
    Integer,
    Mention,
    Name,
    Number,
    RecurrenceRule,
    Seconds,
    Zone,
    nearest,
)
from bot.yaml_source import Document, Key, Mistake

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
    """`capacity` is the share of full time that is free for planned work, above 0 and at most 1."""

    name: Name
    slack: Name | None = None
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
    deploys: Name | None = None


class Exclusion(Value):
    """A recurring time that does not count against a service's budget. Shown and counted in every review."""

    service: Name
    rrule: RecurrenceRule
    duration: Duration
    reason: Name
    owner: Name


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
    people: tuple[Mention, ...] = ()
    needed: Annotated[Integer, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _enough_people(self) -> Self:
        groups = any(mention.startswith("S") for mention in self.people)
        if self.people and not groups and self.needed > len(set(self.people)):
            raise ValueError(f"needs {self.needed} approvals but names only {len(set(self.people))} who may give one")
        return self


class Rights(Value):
    """None means the contract's default right; an empty list would mean nobody."""

    schedule: tuple[Mention, ...] | None = None
    approve_plans: Approval | None = None
    exceptions: tuple[Mention, ...] | None = None
    admin: tuple[Mention, ...] | None = None


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
        return None, (document.mistake((), "must hold keys and values (a mapping), see director.example.yml"),)
    empty = [name for name, value in data.items() if value is None]
    data = {name: value for name, value in data.items() if name not in empty}
    try:
        parsed = DirectorFile.model_validate(data, context={"folder": document.path.parent})
    except ValidationError as error:
        found = [_mistake(document, problem) for problem in error.errors(include_url=False, include_input=False)]
        return None, tuple(found)
    wrong = _cross_checks(document, parsed)
    return (None if wrong else parsed), wrong


def _cross_checks(document: Document, parsed: DirectorFile) -> tuple[Mistake, ...]:
    teams = tuple(parsed.roster.teams)
    found: list[Mistake] = []
    for name, service in parsed.services.items():
        if teams and service.team is not None and service.team not in teams:
            text = f"there is no team {service.team!r} in roster.teams{_meant(service.team, teams)}"
            found.append(document.mistake(("services", name, "team"), text))
        if name in service.depends_on:
            index = service.depends_on.index(name)
            found.append(document.mistake(("services", name, "depends_on", index), "a service can't depend on itself"))
    names = [source.name for source in parsed.documents]
    for index, name in enumerate(names):
        if name in names[:index]:
            found.append(document.mistake(("documents", index, "name"), f"{name!r} is given twice"))
    return tuple(found)


def _folder(info: ValidationInfo) -> Path:
    context = info.context
    folder = context.get("folder") if isinstance(context, dict) else None
    return folder if isinstance(folder, Path) else Path.cwd()


def _meant(word: str, known: Sequence[str]) -> str:
    near = nearest(word, tuple(known))
    return f"; did you mean {near!r}?" if near else f"; there is {', '.join(known)}"


def _mistake(document: Document, problem: Any) -> Mistake:
    location: tuple[str | int, ...] = problem["loc"]
    of_key = bool(location) and location[-1] == "[key]"
    key: Key = tuple(part for part in location if part != "[key]")
    return document.mistake(key, _sentence(problem, key, of_key=of_key))


def _sentence(problem: Any, key: Key, *, of_key: bool) -> str:
    context: dict[str, Any] = problem.get("ctx") or {}
    kind: str = problem["type"]
    if kind == "extra_forbidden":
        known = _known_keys(key[:-1])
        near = nearest(str(key[-1]), known)
        return f"unknown key; did you mean {near!r}?" if near else f"unknown key; known are {', '.join(known)}"
    fixed = {
        "missing": "is missing",
        "string_type": "the name must be text; put it in quotes" if of_key else "must be text; put it in quotes",
        "tuple_type": "must be a list, e.g. [one, two]",
        "dict_type": "must hold keys and values",
        "model_type": "must hold keys and values",
        "path_type": "must be a path",
        "string_too_short": "must not be empty",
        "finite_number": "must be a finite number",
    }
    if kind in fixed:
        return fixed[kind]
    if kind == "value_error":
        return str(context.get("error", "is not valid"))
    bounds = {"greater_than_equal": ("ge", "at least"), "greater_than": ("gt", "above")}
    bounds |= {"less_than_equal": ("le", "at most"), "less_than": ("lt", "below")}
    if kind in bounds:
        name, words = bounds[kind]
        return f"must be {words} {context[name]:g}"
    if kind == "literal_error":
        return f"must be {context['expected']}"
    if kind == "string_too_long":
        return f"must be at most {context['max_length']} characters"
    return str(problem["msg"])


def _known_keys(parents: Key) -> tuple[str, ...]:
    """The keys that may stand at this place of the file."""
    model: Any = DirectorFile
    for part in parents:
        if isinstance(model, type) and issubclass(model, BaseModel):
            model = _inner(model.model_fields[str(part)].annotation) if str(part) in model.model_fields else None
    return tuple(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else ()


def _inner(annotation: Any) -> Any:
    """The model inside `Model | None`, `dict[str, Model]` or `tuple[Model, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _inner(part)) is not None), None)
