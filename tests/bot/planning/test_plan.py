"""The schema of plans, and the arithmetic of estimates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from anthropic.lib._parse._transform import transform_schema
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.planning.plan import Plan, draft_schema, pert_mean, pert_variance, plan_schema

SMALLEST: dict[str, Any] = {
    "title": "Split checkout",
    "initiative": "Split checkout off the monolith",
    "summary": "Checkout gets its own service.",
    "items": [{"id": "design", "title": "Design"}],
}


def whole(**fields: Any) -> dict[str, Any]:
    """The smallest plan with every field spelled out."""
    return Plan.model_validate({**SMALLEST, **fields}).model_dump(mode="json")


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from nodes(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from nodes(value)


def test_a_plan_that_is_spelled_out_fits_the_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(plan_schema())
    jsonschema.validate(whole(), plan_schema())


@pytest.mark.parametrize(
    "wrong", [{"colour": "red"}, {"items": [{"id": "a", "title": "A"}]}, {"risks": [{"text": "x"}]}]
)
def test_what_does_not_fit_the_schema_is_refused_by_it(wrong: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**whole(), **wrong}, plan_schema())


def test_a_plan_survives_being_stored_as_text() -> None:
    plan = Plan.model_validate({**SMALLEST, "deadline": "2027-01-31", "slos": [slo("0.9995")]})
    assert Plan.model_validate_json(plan.model_dump_json()) == plan


def test_the_schema_stays_within_what_structured_output_takes() -> None:
    """Closed objects, nothing optional, at most 16 unions, no keyword that the API refuses or that goes unchecked."""
    allowed = {"$defs", "$ref", "type", "properties", "required", "additionalProperties", "items", "anyOf", "enum"}
    allowed |= {"const", "description", "format"}
    schema = draft_schema()
    # names of properties and definitions are no keywords
    named = {id(node[key]) for node in nodes(schema) for key in ("properties", "$defs") if key in node}
    keywords = {key for node in nodes(schema) if id(node) not in named for key in node}
    objects = [node for node in nodes(schema) if node.get("type") == "object"]
    assert keywords <= allowed
    assert all(node["additionalProperties"] is False for node in objects)
    assert all(node["required"] == list(node["properties"]) for node in objects)
    assert json.dumps(schema).count('"anyOf"') <= 16


def test_the_sdk_has_nothing_to_change_about_the_schema() -> None:
    assert transform_schema(draft_schema()) == without_types_beside_literals(draft_schema())


def without_types_beside_literals(node: Any) -> Any:
    if isinstance(node, list):
        return [without_types_beside_literals(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    dropped = "type" if "enum" in node or "const" in node else ""
    return {key: without_types_beside_literals(value) for key, value in node.items() if key != dropped}


def test_a_model_is_not_asked_for_what_code_fills_in() -> None:
    assert set(plan_schema()["properties"]) - set(draft_schema()["properties"]) == {
        "schema_version",
        "source",
        "initiative",
        "measured",
    }


def slo(objective: str, window: str = "28d") -> dict[str, str]:
    fields = {"service": "checkout", "name": "availability", "sli_good": "answered", "sli_total": "all"}
    return {**fields, "objective": objective, "window": window}


def estimate(optimistic: float, likely: float, pessimistic: float) -> dict[str, Any]:
    days = {"optimistic": optimistic, "likely": likely, "pessimistic": pessimistic}
    return {"items": [{"id": "a", "title": "A", "estimate": days}]}


@pytest.mark.parametrize(
    ("fields", "where", "message"),
    [
        ({"slos": [slo("99.9")]}, "slos.0.objective", "the objective must lie between 0 and 1, e.g. 0.999"),
        ({"slos": [slo("1")]}, "slos.0.objective", "the objective must lie between 0 and 1, e.g. 0.999"),
        ({"slos": [slo("NaN")]}, "slos.0.objective", "the objective must lie between 0 and 1, e.g. 0.999"),
        ({"slos": [slo("high")]}, "slos.0.objective", "write the objective as a decimal fraction, e.g. 0.999"),
        ({"slos": [slo("0.99", "4w")]}, "slos.0.window", "write the window in days, e.g. 28d"),
        ({"slos": [slo("0.99", "0d")]}, "slos.0.window", "write the window in days, e.g. 28d"),
        (estimate(3, 2, 4), "items.0.estimate", "an estimate must have optimistic <= likely <= pessimistic"),
        ({"items": []}, "", "a plan has at least one work item"),
        ({"items": [{"id": "a", "title": "A"}] * 2}, "", "two work items have the id a"),
    ],
)
def test_an_invalid_plan_cannot_be_built(fields: dict[str, Any], where: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Plan.model_validate({**SMALLEST, **fields})
    [error] = caught.value.errors()
    assert (".".join(map(str, error["loc"])), error["msg"]) == (where, f"Value error, {message}")


@pytest.mark.parametrize("wrong", [{"schema_version": 2}, {"hires": -1}, {"colour": "red"}, {"title": ""}])
def test_neither_can_these(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Plan.model_validate({**SMALLEST, **wrong})


def test_an_unknown_estimate_is_none_and_not_zero() -> None:
    assert Plan.model_validate(SMALLEST).items[0].estimate is None


@pytest.mark.parametrize(
    ("a", "m", "b", "mean", "variance"),
    [
        (0.0, 0.0, 0.0, 0.0, 0.0),
        (1.0, 1.0, 1.0, 1.0, 0.0),
        (2.0, 5.0, 14.0, 6.0, 32 / 7),  # (6-2)(14-6)/7
        (1.0, 2.0, 9.0, 3.0, 12 / 7),  # skewed to the right: (3-1)(9-3)/7
        (1.0, 8.0, 9.0, 7.0, 12 / 7),  # its mirror image
        (0.0, 3.0, 6.0, 3.0, 9 / 7),  # symmetric: (b-a)²/28
    ],
)
def test_beta_pert_by_hand(a: float, m: float, b: float, mean: float, variance: float) -> None:
    assert (pert_mean(a, m, b), pert_variance(a, m, b)) == pytest.approx((mean, variance))


points = st.floats(0, 1e6)


@given(st.tuples(points, points, points).map(sorted))
def test_beta_pert_agrees_with_the_beta_distribution(days: list[float]) -> None:
    """The same from that distribution's own parameters, scaled to [a, b]."""
    a, m, b = days
    if b - a < 1e-3:
        return
    alpha, beta = 1 + 4 * (m - a) / (b - a), 1 + 4 * (b - m) / (b - a)
    mean = a + (b - a) * alpha / (alpha + beta)
    variance = (b - a) ** 2 * alpha * beta / ((alpha + beta) ** 2 * (alpha + beta + 1))
    assert pert_mean(a, m, b) == pytest.approx(mean, rel=1e-9)
    assert pert_variance(a, m, b) == pytest.approx(variance, rel=1e-6, abs=1e-9 * (b - a) ** 2)
