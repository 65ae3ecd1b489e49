"""Look-ups: what the model is told when they fail, and that their facts keep apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bot.conversation.lookups import SloDefinitions
from bot.conversation.tools import LONGEST_RESULT, Look
from bot.domain import Text
from bot.errors import Unreachable
from bot.reliability import Definitions, State
from bot.reliability.assessment import Remark
from bot.reliability.definitions import Indicator, PrometheusQuery, Slices, Threshold
from tests.doubles.talk import (
    DANA,
    Measured,
    ScriptedModel,
    answered,
    ask,
    conversation,
    definition,
    objective,
)

LOOK: tuple[str, dict[str, Any]] = ("error_budget_status", {"services": ["checkout"]})


async def result_of(call: tuple[str, Any], measured: Measured | None = None) -> str:
    model = ScriptedModel(call, "I could not look it up.")
    answer = await answered(conversation(model, measured=measured), ask("How is it?"))
    content = answer.messages[3].content
    assert isinstance(content, list)
    assert content[0]["is_error"] is True
    return str(content[0]["content"])


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (("no_such_tool", {}), "UnknownTool: there is no tool 'no_such_tool'; there are error_budget_status, "),
        (("error_budget_status", {"services": ["chekout"]}), "UnknownService: There is no service called 'chekout'. "),
        (("error_budget_status", {"channel": "C2"}), "WrongArguments: unknown argument channel; "),
        (("error_budget_status", {"services": [7]}), "WrongArguments: 'services' is a list of service names"),
        (("error_budget_status", {"services": "[oops"}), "WrongArguments: 'services' is a list of service names"),
        (("error_budget_status", "checkout"), "WrongArguments: the arguments must be a JSON object"),
        (("slo_definitions", {"service": "nope"}), "WrongArguments: no service nope is defined; there are: checkout, "),
    ],
)
async def test_the_model_is_told_in_a_sentence_what_was_wrong(call: tuple[str, Any], told: str) -> None:
    assert (await result_of(call)).startswith(told)


async def test_an_unreachable_source_is_told_in_its_own_words() -> None:
    error = Unreachable("Prometheus did not answer within 20 s; check PROMETHEUS_URL.")
    assert await result_of(LOOK, Measured(error=error)) == f"Unreachable: {error}"


async def test_a_broken_tool_tells_its_kind_and_no_secret() -> None:
    told = await result_of(LOOK, Measured(error=KeyError("password=hunter2")))
    assert told == "KeyError: the look-up failed for a reason of its own; say that it could not be done"


async def test_of_a_large_fleet_the_worst_are_listed_and_the_others_counted() -> None:
    items = tuple(objective(f"service-{number:03}", State.OK, "0.9127") for number in range(999))
    worst = replace(objective("zebra", State.EXHAUSTED, "-0.2"), in_doubt=False)
    model = ScriptedModel(("error_budget_status", {}), "{{f1999}} it is.")
    answer = await answered(conversation(model, measured=Measured(items=(*items, worst))), ask("How is all?"))
    content = answer.messages[3].content
    assert isinstance(content, list)
    told = str(content[0]["content"])
    assert "In all 1,000 objectives: 1 exhausted and 999 OK." in told
    assert told.index("zebra (service zebra): EXHAUSTED") < told.index("service-000 (service service-000): OK")
    listed = {fact.entity for fact in answer.facts}
    assert f"\nNot listed, since there are too many: {1000 - len(listed)} OK: service-" in told
    assert len(told) <= LONGEST_RESULT
    assert answer.reply.parts[0] == Text(markdown="exhausted it is.")


async def test_figures_that_find_no_room_give_way_to_the_main_ones() -> None:
    note = Remark("gap", "no samples for 5 h " * 100)
    few = tuple(replace(objective(f"s{number}", State.OK, "0.9127"), remarks=(note,)) for number in range(9))
    model = ScriptedModel(("error_budget_status", {}), "All is well.")
    answer = await answered(conversation(model, measured=Measured(items=few)), ask("How is all?"))
    assert len(answer.facts) == 18


async def test_many_objectives_come_with_their_main_figures_only() -> None:
    many = tuple(objective(f"service-{number}", State.OK, "0.9127") for number in range(60))
    model = ScriptedModel(("error_budget_status", {}), "All is well.")
    answer = await answered(conversation(model, measured=Measured(items=many)), ask("How is all?"))
    assert {fact.meaning for fact in answer.facts} == {
        "state of the error budget over 28d",
        "error budget left over 28d",
    }
    assert len({fact.id for fact in answer.facts}) == len(answer.facts) == 120


async def test_definitions_are_facts_too() -> None:
    model = ScriptedModel(("slo_definitions", {"service": "search"}), "We promise {{f1}} over {{f2}}.")
    answer = await answered(conversation(model), ask("What do we promise for search?"))
    assert answer.reply.parts[0] == Text(markdown="We promise 99.73% over 28 days.")
    assert [(fact.entity, fact.meaning) for fact in answer.facts] == [
        ("search search-availability", "target"),
        ("search search-availability", "window"),
    ]


async def test_definitions_say_what_is_good_of_latencies_and_time_slices() -> None:
    indicator = Indicator(
        "latency",
        total=PrometheusQuery("http_seconds_count"),
        good=PrometheusQuery('http_seconds_bucket{le="0.25"}'),
        threshold=Threshold(Decimal("0.25"), "http_seconds_bucket"),
    )
    slices = Slices(timedelta(minutes=5), Decimal("0.95"))
    promised = replace(definition("search"), indicator=indicator, slices=slices)
    look = Look(person=DANA, at=datetime(2026, 11, 16, 8, tzinfo=UTC), next_fact=1)
    found = await SloDefinitions(Definitions(objectives=(promised,))).run({}, look)
    assert [(fact.text, fact.meaning) for fact in found.facts] == [
        ("99.73%", "target"),
        ("28 days", "window"),
        ("0.25 s", "threshold: a good event is at most this"),
        ("5 min", "length of the time slices counted"),
        ("95%", "share of good events from which on a slice is good"),
    ]
    assert "counts good events against all events, in slices of 5 min, from prometheus" in found.text


async def test_two_look_ups_in_one_turn_never_share_an_id() -> None:
    model = ScriptedModel(LOOK, LOOK, "{{f3}} and {{f8}}.")
    answer = await answered(conversation(model), ask("How is checkout, twice?"))
    assert len({fact.id for fact in answer.facts}) == len(answer.facts) == 10
    assert answer.reply.parts[0] == Text(markdown="18.7% and 18.7%.")
