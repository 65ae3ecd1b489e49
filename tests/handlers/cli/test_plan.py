"""`director plan`."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import jsonschema
import pytest

from bot.domain import Place
from bot.planning import Plan, plan_reply
from handlers.terminal import render
from tests.doubles.wiring import NOW, FakeWiring
from tests.handlers.cli.conftest import Command

INITIATIVE = "Move checkout to its own database"


def test_a_new_plan_is_kept_and_printed(director: Command, wiring: FakeWiring) -> None:
    result = director("plan", "new", INITIATIVE)
    (stored,) = wiring.the_store.plans.versions
    assert result.code == 0
    assert result.err == "… drafts a plan …\nKept as p1, version 1.\n"
    assert result.out.startswith(f"{INITIATIVE}\n═══")
    assert (stored.initiative, stored.created_at, stored.author_id) == (INITIATIVE, NOW, None)
    assert stored.place == Place(platform="console", workspace="local", channel="terminal")


def test_json_is_the_plan_that_the_schema_describes(director: Command, wiring: FakeWiring) -> None:
    made = director("plan", "new", INITIATIVE, "--json").data
    schema = director("plan", "schema").data
    jsonschema.validate(made, schema)
    stored = wiring.the_store.plans.versions[0].plan
    assert Plan.model_validate_json(json.dumps(made)) == stored
    assert director("plan", "show", "P1 ", "--json").data == made


def test_two_new_plans_for_one_initiative_are_two(director: Command) -> None:
    director("plan", "new", INITIATIVE)
    director("plan", "new", INITIATIVE)
    assert [row["id"] for row in director("plan", "list", "--json").data] == ["p2", "p1"]


def test_a_plan_is_shown_again(director: Command, wiring: FakeWiring) -> None:
    director("plan", "new", INITIATIVE)
    (stored,) = wiring.the_store.plans.versions
    result = director("plan", "show", "p1")
    assert (result.code, result.err) == (0, "")
    assert stored.plan is not None
    assert result.out.startswith(render(plan_reply(stored), width=100).split("\n\n")[0])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["p9"], "There is no plan 'p9'; `director plan list` shows them.\n"),
        (["p1", "--version", "4"], "There is no version 4 of a plan 'p1'; `director plan list` shows them.\n"),
    ],
)
def test_a_plan_that_is_not_there_is_said(director: Command, words: list[str], said: str) -> None:
    director("plan", "new", INITIATIVE)
    result = director("plan", "show", *words)
    assert (result.code, result.out, result.err) == (2, "", said)


def test_an_empty_initiative_is_asked_for(director: Command, wiring: FakeWiring) -> None:
    result = director("plan", "new", "  ")
    assert (result.code, result.err) == (
        2,
        'What is to be planned? For example: director plan new "Move checkout to its own database".\n',
    )
    assert wiring.the_store.plans.versions == []


async def test_words_that_are_no_plan_are_shown_with_exit_code_1(director: Command, wiring: FakeWiring) -> None:
    await wiring.the_store.plans.add(
        request_key="k",
        place=Place(platform="slack", workspace="T1", channel="C1"),
        author_id="U1",
        initiative=INITIATIVE,
        plan=None,
        raw="I would rather not.",
        at=datetime(2026, 11, 15, tzinfo=UTC),
    )
    # The command runs its own event loop, so it gets its own thread.
    result = await asyncio.to_thread(director, "plan", "show", "p1")
    assert result.code == 1
    assert "I would rather not." in result.out
    as_json = await asyncio.to_thread(director, "plan", "show", "p1", "--json")
    assert (as_json.code, as_json.data) == (1, {"plan": None, "raw": "I would rather not."})
    listed = await asyncio.to_thread(director, "plan", "list", "--json")
    assert listed.data == [
        {
            "id": "p1",
            "version": 1,
            "title": "(not a plan yet)",
            "place": "slack/T1/C1/",
            "created_at": "2026-11-15T00:00:00Z",
        }
    ]


def test_no_plans_say_how_to_make_one(director: Command) -> None:
    assert director("plan", "list").out == (
        'There are no plans yet. Make one: director plan new "Move checkout to its own database"\n'
    )
    assert director("plan", "list", "--json").data == []


def test_a_plan_in_a_file_is_checked_by_rules(director: Command, wiring: FakeWiring) -> None:
    plan = director("plan", "new", INITIATIVE, "--json").data
    first, second = plan["items"][:2]
    first["depends_on"], second["depends_on"] = [second["id"]], [first["id"]]
    path = wiring.folder / "plan.json"
    path.write_text(json.dumps(plan))
    result = director("plan", "check", str(path), "--json")
    assert result.code == 1
    cycle = next(finding for finding in result.data if finding["rule"] == "graph.cycle")
    assert set(cycle) == {"rule", "severity", "where", "text", "source"}
    assert cycle["severity"] == "block"
    text = director("plan", "check", str(path))
    assert text.code == 1
    assert f"block: graph.cycle: {cycle['where']}: {cycle['text']}\n" in text.out


def test_a_file_that_is_no_plan_says_where(director: Command, wiring: FakeWiring) -> None:
    path = wiring.folder / "plan.json"
    path.write_text('{"title": 3}')
    result = director("plan", "check", str(path))
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"{path} is no plan as `director plan schema` describes it:\n")
    assert "\n  title: " in result.err
    missing = director("plan", "check", str(wiring.folder / "nowhere.json"))
    assert (missing.code, missing.err) == (
        2,
        f"{wiring.folder}/nowhere.json can't be read: No such file or directory.\n",
    )
