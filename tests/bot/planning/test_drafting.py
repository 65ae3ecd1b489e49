"""Drafting: what a model is asked, what becomes of its answer, and what happens without one."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.conversation.model import Fault, ModelEvent, ModelRefused, ModelRequest, ModelUnavailable, TextDelta, Whole
from bot.conversation.recorded import RecordedModel
from bot.domain import Fact, Message, Note, Place, Usage
from bot.errors import DirectorError, Unreachable, UsageError
from bot.planning import KnownSlo, PlanChat, Planning, Surroundings, UnknownPlan
from bot.planning.drafting import LONGEST_INITIATIVE
from bot.planning.plan import Escalation, draft_schema
from bot.planning.skeleton import skeleton
from bot.settings_file import Escalation as Limits
from bot.settings_file import Roster, ServiceEntry
from tests.doubles.stores import MemoryPlans

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PLACE = Place(platform="slack", workspace="T1", channel="C1", thread="1.1")
INITIATIVE = "Split checkout off the monolith. It must survive the sale."
USAGE = Usage(model="m", input_tokens=1, output_tokens=2, cache_read_tokens=3, cache_write_tokens=4)
LEFT = Fact(
    id="f1",
    text="37.1 %",
    value=0.371,
    unit="ratio",
    entity="checkout",
    meaning="error budget left",
    query="sum(x)",
    evaluated_at=NOW,
)


async def measured(at: datetime) -> tuple[Fact, ...]:
    return (LEFT,)


SURROUNDINGS = Surroundings(
    roster=Roster.model_validate({"teams": {"payments": {"lead": "dana", "people": [{"name": "dana"}]}}}),
    services={
        "checkout": ServiceEntry(team="payments", depends_on=("fraud",)),
        "fraud": ServiceEntry(team="payments"),
        "checkout-web": ServiceEntry(),
    },
    slos=(KnownSlo(service="fraud", name="fraud-latency", objective="0.99", window="7d"),),
    facts=measured,
)
WRITTEN: dict[str, Any] = {
    "title": "Split checkout",
    "summary": "Checkout has {{f1}} of its budget left and {{f9}} to spare.",
    "services": ["checkout"],
    "items": [{"id": "design", "title": "Design"}, {"id": "build", "title": "Build", "depends_on": ["design"]}],
    "assignment": {"integrity_owner": "dana"},
    "slos": [
        {
            "service": "checkout",
            "name": "availability",
            "sli_good": 'sum(rate(http_total{code!~"5.."}[5m]))',
            "sli_total": "sum(rate(http_total[5m]))",
            "objective": "0.999",
            "window": "28d",
        }
    ],
}


class Scripted:
    """A model that says what it is told to, or fails as it is told to."""

    name = "scripted"
    notice: str | None = None

    def __init__(self, *answers: object) -> None:
        self._answers = [
            answer if isinstance(answer, str | DirectorError) else json.dumps(answer) for answer in answers
        ]
        self.requests: list[ModelRequest] = []

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, DirectorError):
            raise answer
        yield TextDelta(text=answer)
        message = Message(role="assistant", content=[{"type": "text", "text": answer}])
        yield Whole(message=message, stop_reason="end_turn", usage=USAGE)

    async def warm_up(self) -> None: ...

    async def close(self) -> None: ...


def down() -> ModelUnavailable:
    return ModelUnavailable("the model is overloaded", fault=Fault.BUSY, retryable=True)


def desk(model: Scripted | RecordedModel | None, surroundings: Surroundings = SURROUNDINGS) -> Planning:
    return Planning(model=model, store=MemoryPlans(), surroundings=surroundings, persona="You are the Director.")


async def draft(planning: Planning, initiative: str = INITIATIVE, key: str = "r1") -> Any:
    return await planning.draft(initiative, request_key=key, place=PLACE, author_id="U1", now=NOW)


async def test_a_model_is_asked_with_the_schema_and_what_is_known() -> None:
    model = Scripted(WRITTEN)
    await draft(desk(model))
    [request] = model.requests
    [message] = request.messages
    assert request.schema == draft_schema()
    assert request.system.startswith("You are the Director.\n\nYou turn an initiative into one project plan")
    assert isinstance(message.content, str)
    known = json.loads(message.content.partition("<surroundings>\n")[2].partition("\n</surroundings>")[0])
    assert (known["teams"][0]["lead"], known["services"][0], known["objectives_defined"], known["measured_now"]) == (
        "dana",
        {"service": "checkout", "team": "payments", "depends_on": ["fraud"], "tier": None},
        [{"service": "fraud", "name": "fraud-latency", "objective": "0.99", "window": "7d"}],
        [{"id": "f1", "what": "error budget left", "about": "checkout", "value": "37.1 %"}],
    )
    assert message.content.endswith(f"<initiative>\n{INITIATIVE}\n</initiative>")


async def test_measured_figures_get_in_only_as_facts_and_keep_their_source() -> None:
    made = await draft(desk(Scripted(WRITTEN)))
    plan = made.stored.plan
    assert (plan.summary, plan.measured) == (
        "Checkout has 37.1 % of its budget left and no figure to spare.",
        (LEFT,),
    )
    assert (plan.source, plan.initiative, made.note, made.usage, made.findings) == (
        "model",
        INITIATIVE,
        None,
        (USAGE,),
        (),
    )
    assert plan.slos[0].sli_good == 'sum(rate(http_total{code!~"5.."}[5m]))'


async def test_a_model_cannot_say_who_wrote_the_plan_or_what_was_measured() -> None:
    forged = {"source": "person", "initiative": "Buy a boat", "measured": [{"id": "f7"}], "schema_version": 7}
    made = await draft(desk(Scripted({**WRITTEN, **forged})))
    plan = made.stored.plan
    assert (plan.source, plan.initiative, plan.measured, plan.schema_version) == ("model", INITIATIVE, (LEFT,), 1)


async def test_mentions_links_and_hidden_characters_of_a_model_lose_their_power() -> None:
    evil = {
        "summary": "Ask <!channel> and see [the plan](https://evil.example/?q=secret)\u200b.",
        "open_questions": ["![x](https://evil.example/p.png)"],
    }
    made = await draft(desk(Scripted({**WRITTEN, **evil})))
    shown = f"{made.stored.plan.summary} {made.stored.plan.open_questions[0]}"
    assert [word for word in ("<!channel>", "](https://", "secret", "\u200b", "https://") if word in shown] == []


async def test_an_answer_that_is_no_plan_is_repaired_once_with_what_was_wrong() -> None:
    wrong = {
        **WRITTEN,
        "items": [{"id": "a", "title": "A", "estimate": {"optimistic": 3, "likely": 2}}],
        "colour": "red",
    }
    model = Scripted(wrong, WRITTEN)
    said: list[str] = []

    async def status(line: str) -> None:
        said.append(line)

    planning = desk(model)
    made = await planning.draft(INITIATIVE, request_key="r1", place=PLACE, author_id="U1", now=NOW, status=status)
    first, second = model.requests
    assert second.messages == (
        *first.messages,
        Message(role="assistant", content=[{"type": "text", "text": json.dumps(wrong)}]),
        Message(
            role="user",
            content="That is no valid plan:\n"
            "- items.0.estimate.pessimistic: Field required\n"
            "- colour: Extra inputs are not permitted\n"
            "Write the whole plan again.",
        ),
    )
    assert (made.stored.plan.title, made.usage, said) == (
        "Split checkout",
        (USAGE, USAGE),
        ["drafts a plan …", "repairs the plan …"],
    )


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("Sure! Here is", "it is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ("[1]", "it is not a JSON object"),
        ("{}", "title: Field required"),
    ],
)
async def test_what_is_no_plan_even_after_the_repair_is_kept_word_for_word(answer: str, problem: str) -> None:
    planning = desk(Scripted("first", answer))
    made = await draft(planning)
    assert (made.stored.id, made.stored.plan, made.stored.raw, made.problems[0]) == ("p1", None, answer, problem)


@pytest.mark.parametrize("form", ["```json\n{}\n```", "Here is the plan:\n{}", "```\n{}\n```\nI hope it helps."])
async def test_a_plan_with_a_fence_or_words_around_it_is_read_without_a_repair(form: str) -> None:
    model = Scripted(form.replace("{}", json.dumps(WRITTEN)))
    made = await draft(desk(model))
    assert made.stored.plan is not None
    assert (made.stored.plan.title, made.problems, len(model.requests)) == ("Split checkout", (), 1)


async def test_nesting_without_end_is_no_plan_either() -> None:
    made = await draft(desk(Scripted("[" * 100_000, "[" * 100_000)))
    assert (made.stored.plan, len(made.stored.raw)) == (None, 100_000)


async def test_a_model_that_goes_down_before_the_repair_leaves_what_it_wrote() -> None:
    made = await draft(desk(Scripted("no plan", down())))
    assert (made.stored.plan, made.stored.raw, made.usage) == (None, "no plan", (USAGE,))


@pytest.mark.parametrize(
    ("model", "note"),
    [
        (None, "No model spoke: none is configured."),
        (Scripted(down()), "No model spoke: the model is overloaded."),
    ],
)
async def test_without_a_model_there_is_the_standard_frame_and_it_says_so(model: Scripted | None, note: str) -> None:
    planning = desk(model)
    made = await draft(planning)
    assert (made.note, made.stored.plan, made.usage) == (note, skeleton(INITIATIVE, SURROUNDINGS), ())
    shown = await PlanChat(planning).show("p1", workspace="T1")
    assert Note(markdown="No model spoke: this is the standard frame of a backend change.") in shown.parts


async def test_a_refusal_is_told_and_nothing_is_kept() -> None:
    planning = desk(Scripted(ModelRefused()))
    with pytest.raises(ModelRefused):
        await draft(planning)
    assert await planning.store.plans(workspace=None, limit=9) == []


async def test_a_turn_done_twice_gives_the_plan_that_was_kept_first() -> None:
    planning = desk(Scripted(WRITTEN, down()))
    first = await draft(planning)
    again = await draft(planning)
    assert (again.stored, again.note) == (first.stored, None)


async def test_without_figures_there_is_a_plan_without_figures() -> None:
    async def unreachable(at: datetime) -> tuple[Fact, ...]:
        raise Unreachable("Prometheus does not answer.")

    made = await draft(desk(Scripted(WRITTEN), Surroundings(facts=unreachable)))
    assert made.stored.plan.summary == "Checkout has no figure of its budget left and no figure to spare."


LIMITED = Surroundings(escalation=Limits(budget_above=50_000, hires_above=0))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"budget_usd": 50_000, "hires": 0}, ()),
        ({"budget_usd": None, "hires": None}, ()),
        (
            {"budget_usd": 60_000.0},
            (Escalation(to="043", reason="a budget of 60,000 USD is above 50,000 USD (escalation in director.yml)"),),
        ),
        ({"hires": 2}, (Escalation(to="043", reason="hiring 2 is above 0 (escalation in director.yml)"),)),
        (
            {"hires": 2, "escalations": [{"to": "043", "reason": "two hires"}]},
            (Escalation(to="043", reason="two hires"),),
        ),
    ],
)
async def test_what_is_above_the_limits_goes_to_the_vp(
    fields: dict[str, Any], expected: tuple[Escalation, ...]
) -> None:
    made = await draft(desk(Scripted({**WRITTEN, **fields}), LIMITED))
    assert made.stored.plan.escalations == expected


TOO_LONG = (
    "The initiative has 8,001 characters; a plan takes at most 8,000. "
    "Say its gist, and put the detail into a document that it names."
)


@pytest.mark.parametrize(
    ("initiative", "message"),
    [
        (" \n ", "A plan needs an initiative. Example: `plan Move checkout to its own database`"),
        (
            "x" * (LONGEST_INITIATIVE + 1),
            TOO_LONG,
        ),
    ],
)
async def test_an_initiative_that_cannot_be_planned_is_refused(initiative: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        await draft(desk(None), initiative)
    assert str(caught.value) == message


async def test_the_longest_initiative_is_kept_whole() -> None:
    made = await draft(desk(None), "x" * LONGEST_INITIATIVE)
    assert made.stored.plan.initiative == "x" * LONGEST_INITIATIVE


def test_the_standard_frame_knows_services_people_and_objectives_and_invents_nothing() -> None:
    plan = skeleton("Merge Checkout and FRAUD, but not checkout-api", SURROUNDINGS)
    assert plan.services == ("checkout", "fraud")
    assert [(item.id, item.team, item.depends_on) for item in plan.items] == [
        ("design", "payments", ()),
        ("data", "payments", ("design",)),
        ("service-checkout", "payments", ("data",)),
        ("service-fraud", "payments", ("data",)),
        ("observability", "payments", ("design",)),
        ("rollout", "payments", ("service-checkout", "service-fraud", "observability")),
    ]
    assert {item.estimate for item in plan.items} == {None}
    assert [(slo.service, slo.name, slo.objective, slo.window) for slo in plan.slos] == [
        ("checkout", "availability", "0.999", "28d"),
        ("fraud", "fraud-latency", "0.99", "7d"),
    ]
    assert (plan.assignment.lead, plan.assignment.integrity_owner, plan.delegation.to) == ("dana", "dana", "062")
    assert [(call.caller, call.callee, call.timeout) for call in plan.calls] == [("checkout", "fraud", "")]


async def test_the_standard_frame_of_known_services_has_no_findings() -> None:
    made = await draft(desk(None))
    assert made.findings == ()


async def test_the_standard_frame_of_unknown_work_asks_what_it_touches() -> None:
    made = await draft(desk(None), "Make it faster")
    assert [finding.rule for finding in made.findings] == ["brooks.no_integrity_owner"]
    assert [(slo.service, slo.name) for slo in made.stored.plan.slos] == [("to be named", "availability")]
    assert "Which services does it touch, and which objectives do they have?" in made.stored.plan.open_questions


@pytest.mark.parametrize("surroundings", [SURROUNDINGS, Surroundings()])
async def test_the_recorded_model_writes_a_valid_plan_and_is_named(surroundings: Surroundings) -> None:
    model = RecordedModel(delay=0)
    made = await draft(desk(model, surroundings))
    assert made.stored.plan.source == "model"
    assert (made.note, made.problems) == (model.notice, ())


async def test_plans_of_other_workspaces_are_out_of_sight() -> None:
    planning = desk(None)
    await draft(planning)
    chat = PlanChat(planning)
    with pytest.raises(UnknownPlan) as caught:
        await chat.show("p1", workspace="T2")
    assert str(caught.value) == "There is no plan p1 here. `plan list` shows those there are."
    assert ((await chat.overview(workspace="T2")).summary, (await chat.overview(workspace="T1")).summary) == (
        "No plans yet",
        "1 plan",
    )
    assert (await chat.show(" P1 ", workspace=None)).summary.startswith("Plan p1: ")
