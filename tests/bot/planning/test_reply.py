"""A plan as people read it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain import Audience, Citation, Fact, Heading, Note, Place, Reply, Table, Text
from bot.planning import Finding, Plan, StoredPlan, overview_reply, plan_reply
from bot.planning.reply import percent
from bot.planning.words import title_of

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def stored(plan: Plan | None, *, raw: str | None = None, **fields: Any) -> StoredPlan:
    return StoredPlan.model_validate(
        {
            "id": "p7",
            "version": 1,
            "place": Place(platform="slack", workspace="T1", channel="C1"),
            "author_id": "U1",
            "initiative": plan.initiative if plan else "Split checkout",
            "plan": plan,
            "raw": raw,
            "created_at": AT,
            **fields,
        }
    )


def small(**fields: Any) -> Plan:
    return Plan.model_validate(
        {
            "source": "model",
            "title": "Split checkout",
            "initiative": "Split checkout off",
            "summary": "Checkout gets its own service.",
            "items": [{"id": "design", "title": "Design"}],
            **fields,
        }
    )


def test_a_plan_shows_its_work_objectives_risks_and_what_comes_next() -> None:
    plan = small(
        items=[
            {
                "id": "design",
                "title": "Design",
                "description": "Boundaries",
                "people": ["dana", "eli"],
                "estimate": {"optimistic": 2, "likely": 5, "pessimistic": 14},
            },
            {"id": "build", "title": "Build", "team": "payments", "depends_on": ["design"]},
        ],
        slos=[
            {
                "service": "checkout",
                "name": "availability",
                "sli_good": "answered",
                "sli_total": "all",
                "objective": "0.9995",
                "window": "28d",
                "rationale": "As today",
            }
        ],
        risks=[{"text": "Slow migration", "likelihood": "low", "impact": "high", "mitigation": "Small steps"}],
        delegation={"to": "062", "brief": "Lead it"},
        escalations=[{"to": "044", "reason": "a new boundary"}],
        consultations=[{"department": "mobile", "reason": "its API changes"}],
        approvers=["@vera", "@ken"],
        open_questions=["By when?"],
        phases=[{"name": "Build", "items": ["design", "build"], "milestone": "It runs"}],
        assignment={"lead": "dana", "teams": [{"team": "payments", "responsibility": "owns checkout"}]},
        operations={"rollback": "a switch"},
        measured=[
            Fact(
                id="f1",
                text="37 %",
                value=0.37,
                unit="ratio",
                entity="checkout",
                meaning="budget left",
                query="sum(x)",
                evaluated_at=AT,
            )
        ],
    )
    finding = Finding(rule="graph.cycle", severity="block", where="items.a", text="A knot.", source="CPM")
    assert plan_reply(stored(plan), [finding]) == Reply(
        summary="Plan p7: Split checkout (2 work items, 1 blocking finding)",
        parts=(
            Heading(text="Split checkout"),
            Text(markdown="Checkout gets its own service."),
            Table(
                columns=("id", "work", "who", "after", "days"),
                rows=(
                    ("design", "Design", "dana, eli", "–", "2 / 5 / 14"),
                    ("build", "Build", "payments", "design", "open"),
                ),
                numeric=(4,),
                caption="Work",
            ),
            Note(
                markdown="Days of one person: optimistic / likely / pessimistic. Expected in all: 6.0 (Beta-PERT); "
                "1 not estimated."
            ),
            Table(
                columns=("service", "SLO", "objective"),
                rows=(("checkout", "availability", "99.95% over 28d"),),
                caption="Objectives, proposed",
            ),
            Text(markdown="**Risks**\n- Slow migration. Small steps"),
            Text(
                markdown="**Next**\n- To be delegated to 062 (backend senior engineer): Lead it\n"
                "- To be decided by 044 (principal architect): a new boundary\n"
                "- To be consulted: mobile: its API changes\n- Approval: @vera, @ken"
            ),
            Text(markdown="**Findings**\n- **Blocks** A knot. `graph.cycle`"),
            Text(markdown="**Open questions**\n- By when?"),
            Note(
                markdown="Plan p7, version 1. Its numbers are proposals; what was measured stands under Measured. "
                "Show it: `plan show p7`"
            ),
        ),
        detail=(
            Text(markdown="**Work**\n- **design** Design: Boundaries\n- **build** Build"),
            Text(markdown="**Team**\n- **payments**: owns checkout\n- Lead: dana\n- Keeps the design whole: open"),
            Text(markdown="**Project plan**\n- **Build**: design, build. Done when: It runs"),
            Text(markdown="**Indicators, proposed**\n- **checkout, availability**: answered / all: As today"),
            Text(
                markdown="**Operations**\n- Observability: open\n- Infrastructure as code: open\n"
                "- Way back: a switch\n- On call: open"
            ),
            Text(markdown="**Measured**\n- 37 %: budget left, checkout, 2026-11-20 12:00 UTC, from `sum(x)`"),
        ),
        generated=True,
        citations=(Citation(title="checkout: budget left", text="37 % as of 2026-11-20 12:00 UTC. Query: sum(x)"),),
    )


def test_nothing_of_a_large_plan_is_left_out() -> None:
    items = [{"id": f"w{number}", "title": f"Work {number}"} for number in range(60)]
    plan = small(
        items=items,
        risks=[{"text": f"Risk {number}", "likelihood": "low", "impact": "low"} for number in range(9)],
        open_questions=[f"Question {number}?" for number in range(12)],
    )
    findings = [
        Finding(rule="graph.orphan", severity="warn", where="x", text=f"Finding {number}.", source="CPM")
        for number in range(20)
    ]
    reply = plan_reply(stored(plan), findings)
    tables = [part for part in (*reply.parts, *reply.detail) if isinstance(part, Table)]
    assert [row[0] for table in tables for row in table.rows] == [f"w{number}" for number in range(60)]
    assert max(len(table.rows) for table in tables) == 25
    text = "\n".join(part.markdown for part in (*reply.parts, *reply.detail) if isinstance(part, Text))
    expected = [f"- Risk {n}\n" for n in range(9)] + [f"Question {n}?" for n in range(12)]
    expected += [f"Finding {n}." for n in range(20)]
    assert [line for line in expected if line not in f"{text}\n"] == []


def test_a_line_break_inside_a_text_breaks_no_list() -> None:
    reply = plan_reply(stored(small(open_questions=["one\n\n# two\n- three"])))
    assert Text(markdown="**Open questions**\n- one # two - three") in reply.parts


def test_what_is_no_plan_is_shown_with_what_is_wrong_and_what_to_do() -> None:
    reply = plan_reply(stored(None, raw="Sure! ``` <!channel> {{f1}} here"), problems=["it is not JSON"])
    assert reply == Reply(
        summary="No valid plan; kept as p7",
        parts=(
            Text(
                markdown="I could not make a plan of “Split checkout”: what the model wrote is no valid plan, "
                "also after I asked it to correct it.\n\n- it is not JSON\n\nIts words are kept as p7; "
                "nothing is lost. Ask again, best in other words or a smaller step: `plan …`."
            ),
        ),
        detail=(
            Text(
                markdown="What the model wrote, unchecked, with nothing in it measured:\n\n"
                "````\nSure! ``` @channel no figure here\n````"
            ),
        ),
        generated=True,
    )


def test_plans_are_listed_for_the_asker() -> None:
    long = "Rewrite everything " * 20
    rows = [stored(small(), version=3), stored(None, id="p6", initiative=long)]
    assert overview_reply(rows) == Reply(
        summary="2 plans",
        parts=(
            Table(
                columns=("id", "plan", "version", "made"),
                rows=(
                    ("p7", "Split checkout", "3", "2026-11-20"),
                    ("p6", f"(not a plan) {long[:79]}…", "1", "2026-11-20"),
                ),
                numeric=(2,),
            ),
            Note(markdown="`plan show p7`"),
        ),
        audience=Audience.ASKER,
        generated=True,
    )


@pytest.mark.parametrize("source", ["template", "person"])
def test_only_what_a_model_wrote_is_said_to_be_generated(source: str) -> None:
    plan = stored(small(source=source))
    assert (plan_reply(plan).generated, overview_reply([plan]).generated) == (False, False)
    assert plan_reply(stored(None, raw="")).generated is False


def test_without_plans_the_list_says_how_to_begin() -> None:
    said = "There are no plans yet. Try `plan Move checkout to its own database`."
    assert overview_reply([]) == Reply(summary="No plans yet", parts=(Text(markdown=said),), audience=Audience.ASKER)


def test_an_objective_is_shown_exactly() -> None:
    shown = {fraction: percent(fraction) for fraction in ("0.999", "0.9995", "0.5", "0.99999", "0.9")}
    assert shown == {"0.999": "99.9%", "0.9995": "99.95%", "0.5": "50%", "0.99999": "99.999%", "0.9": "90%"}


def test_a_title_is_the_first_sentence_or_a_shortened_one() -> None:
    assert [title_of(text) for text in ("Do it. Then rest.", "Do it\nnow", " x. ", "word " * 40)] == [
        "Do it",
        "Do it",
        "x",
        "word " * 15 + "word …",
    ]
