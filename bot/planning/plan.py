"""The plan of an initiative: one typed, frozen, versioned value, and the JSON Schema to write it by."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from bot.domain import Fact, Value

Line = Annotated[str, Field(min_length=1)]


def _fraction(text: str) -> str:
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise ValueError("write the objective as a decimal fraction, e.g. 0.999") from error
    if not value.is_finite() or not 0 < value < 1:
        raise ValueError("the objective must lie between 0 and 1, e.g. 0.999")
    return text


def _window(text: str) -> str:
    if not (text.endswith("d") and text[:-1].isascii() and text[:-1].isdigit() and int(text[:-1]) > 0):
        raise ValueError("write the window in days, e.g. 28d")
    return text


class Estimate(Value):
    """Days of work for one person: optimistic, likely, pessimistic."""

    optimistic: float = Field(ge=0, allow_inf_nan=False)
    likely: float = Field(ge=0, allow_inf_nan=False)
    pessimistic: float = Field(ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.optimistic <= self.likely <= self.pessimistic:
            raise ValueError("an estimate must have optimistic <= likely <= pessimistic")
        return self


WorkKind = Literal[
    "design", "interface", "data", "service", "security", "observability", "infrastructure", "test", "rollout", "other"
]


class WorkItem(Value):
    """One piece of work. `depends_on` holds ids of items that must be done first; `estimate` is None when unknown."""

    id: Line
    title: Line
    description: str = ""
    kind: WorkKind = "other"
    services: tuple[str, ...] = ()
    team: str | None = None
    people: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    estimate: Estimate | None = None
    skills: tuple[str, ...] = ()
    need: Literal["must", "should", "could"] = "must"


class Staffing(Value):
    """One person's part in the work. `joins` is the date of joining when that is after the start."""

    person: Line
    role: str = ""
    share: float | None = Field(default=None, gt=0, le=1)
    joins: date | None = None


class TeamPart(Value):
    """What one team answers for."""

    team: Line
    responsibility: str = ""
    people: tuple[Staffing, ...] = ()


class Assignment(Value):
    """Who does it. `integrity_owner` is the one mind that keeps the design whole (Brooks)."""

    teams: tuple[TeamPart, ...] = ()
    lead: str | None = None
    integrity_owner: str | None = None


class SloProposal(Value):
    """A service level objective to be agreed: a proposal, never a measurement."""

    service: Line
    name: Line
    sli_good: Line
    sli_total: Line
    objective: Annotated[str, AfterValidator(_fraction), Field(description="a decimal fraction, e.g. 0.999")]
    window: Annotated[str, AfterValidator(_window), Field(description="in days, e.g. 28d")]
    rationale: str = ""


class Call(Value):
    """A call between services that the work adds or changes, and what keeps a failure from spreading."""

    caller: Line
    callee: Line
    timeout: str = ""
    isolation: str = ""


class Capacity(Value):
    service: Line
    expectation: str = ""
    measure: str = ""


class DataChange(Value):
    """A change to stored data: what readers may rely on meanwhile, and how it is brought back."""

    store: Line
    change: Line
    consistency: str = ""
    backup: str = ""


class Operations(Value):
    """How it is run; an empty text means that the plan doesn't say."""

    observability: str = ""
    infrastructure_as_code: str = ""
    rollback: str = ""
    on_call: str = ""


class Risk(Value):
    text: Line
    likelihood: Literal["low", "medium", "high"]
    impact: Literal["low", "medium", "high"]
    mitigation: str = ""
    owner: str | None = None


class Phase(Value):
    """One stretch of the merged project plan; `milestone` says what is true when it is over."""

    name: Line
    milestone: str = ""
    items: tuple[str, ...] = ()


class Delegation(Value):
    """Who implements it: an agent's number, with the brief."""

    to: Line
    brief: str = ""


class Escalation(Value):
    """What someone above has to decide: 043 budget, hiring, other departments; 044 architecture."""

    to: Line
    reason: Line


class Consultation(Value):
    """A department whose interface the work touches."""

    department: Line
    reason: Line


class Plan(Value):
    """A project plan. Its figures are proposals and estimates, but for those that `measured` gives the source of."""

    schema_version: Literal[1] = 1
    source: Literal["model", "template", "person"] = "person"
    title: Line
    initiative: Line
    summary: Line
    assumptions: tuple[str, ...] = ()
    goals: tuple[str, ...] = ()
    non_goals: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    replaces: str | None = None
    start: date | None = None
    deadline: date | None = None
    budget_usd: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    hires: int | None = Field(default=None, ge=0)
    items: tuple[WorkItem, ...] = Field(description="at least one")
    assignment: Assignment = Assignment()
    slos: tuple[SloProposal, ...] = ()
    calls: tuple[Call, ...] = ()
    capacity: tuple[Capacity, ...] = ()
    data: tuple[DataChange, ...] = ()
    operations: Operations = Operations()
    risks: tuple[Risk, ...] = ()
    phases: tuple[Phase, ...] = ()
    delegation: Delegation = Delegation(to="062")
    escalations: tuple[Escalation, ...] = ()
    consultations: tuple[Consultation, ...] = ()
    approvers: tuple[str, ...] = ()
    open_questions: tuple[str, ...] = ()
    measured: tuple[Fact, ...] = ()

    @model_validator(mode="after")
    def _one_id_per_item(self) -> Self:
        if not self.items:
            raise ValueError("a plan has at least one work item")
        seen: set[str] = set()
        for item in self.items:
            if item.id in seen:
                raise ValueError(f"two work items have the id {item.id}")
            seen.add(item.id)
        return self


def pert_mean(optimistic: float, likely: float, pessimistic: float) -> float:
    """Mean of the Beta-PERT distribution on (a, m, b): (a + 4m + b) / 6."""
    return (optimistic + 4 * likely + pessimistic) / 6


def pert_variance(optimistic: float, likely: float, pessimistic: float) -> float:
    """Variance of the Beta-PERT distribution on (a, m, b): (mean - a)(b - mean) / 7."""
    mean = pert_mean(optimistic, likely, pessimistic)
    return (mean - optimistic) * (pessimistic - mean) / 7


def plan_schema() -> dict[str, Any]:
    """The JSON Schema of a plan, in the subset that models' structured output takes.

    Every property is required and no object takes others (what is unknown is null, "" or []), and bounds stand in
    descriptions: `Plan` itself checks them, and fills in what a person leaves out.
    """
    schema: dict[str, Any] = _strict(Plan.model_json_schema())
    return schema


def draft_schema() -> dict[str, Any]:
    """The same without the properties that code fills in when a model drafts a plan."""
    schema = plan_schema()
    for name in ("schema_version", "source", "initiative", "measured"):
        del schema["properties"][name]
        schema["required"].remove(name)
    del schema["$defs"]["Fact"]
    return schema


_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
    "minLength": "characters, at least",
}


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    bounds = ", ".join(f"{words} {node[key]}" for key, words in _BOUNDS.items() if key in node)
    said = " ".join(text for text in (node.get("description", ""), f"({bounds})" if bounds else "") if text)
    kept = {key: value for key, value in node.items() if key not in {*_BOUNDS, "default", "title", "description"}}
    strict = {key: _named(value) if key in ("properties", "$defs") else _strict(value) for key, value in kept.items()}
    if "$ref" in strict:  # nothing may stand beside a reference
        return {"$ref": strict["$ref"]}
    if said:
        strict["description"] = said
    if strict.get("type") == "object":
        strict["required"] = list(strict["properties"])
        strict["additionalProperties"] = False
    return strict


def _named(entries: dict[str, Any]) -> dict[str, Any]:
    return {name: _strict(entry) for name, entry in entries.items()}
