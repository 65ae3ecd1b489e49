"""The demo's recorded model: real look-ups, real placeholders, plans that are plans."""

from __future__ import annotations

import json

import pytest

from bot.conversation import ModelRequest, TextDelta, ToolStarted
from bot.conversation.lookups import told
from bot.conversation.model import whole
from bot.conversation.recorded import RecordedModel
from bot.conversation.recorded_words import about_services
from bot.domain import Fact, Message, Text, Thread
from bot.planning.context import KnownSlo, Surroundings, described
from bot.planning.plan import Plan, draft_schema
from bot.reliability import Assessment, facts
from bot.settings_file import Roster, ServiceEntry
from tests.bot.reliability.samples import AT, judged, measured
from tests.bot.reliability.test_outlook import burning
from tests.doubles.talk import NOW, Heard, after, answered, ask, conversation

MODEL = RecordedModel(delay=0)


async def said(*questions: str) -> list[str]:
    """Answers of one thread."""
    talk, thread, answers = conversation(MODEL), Thread(), []
    for number, question in enumerate(questions, start=1):
        answer = await answered(talk, ask(question, thread=thread, number=number))
        thread = after(thread, answer)
        part = answer.reply.parts[0]
        assert isinstance(part, Text)
        answers.append(part.markdown)
    return answers


def test_it_says_what_it_is() -> None:
    assert MODEL.name == "recorded"
    assert MODEL.notice is not None
    assert "recorded" in MODEL.notice


async def test_a_question_about_a_service_is_answered_with_measured_figures() -> None:
    (answer,) = await said("How is checkout doing?")
    assert answer == (
        "**checkout** is at risk: 18.7% of its error budget is left. In the last day it burned at 1.1× "
        "the rate that the budget allows. I would hold risky releases and look at what burns it first."
    )


async def test_a_question_about_all_names_what_is_bad_and_what_is_in_order() -> None:
    (answer,) = await said("Is anything at risk?")
    assert "**payments** has spent its error budget: 103.5% of it is used." in answer
    assert "18.7% of its error budget is left" in answer
    assert "In order: search." in answer


async def test_what_to_work_on_follows_from_the_budgets() -> None:
    (answer,) = await said("What should we work on this week?")
    assert answer.startswith(
        "My order: repair what is spent, then calm what is at risk, then features.\n\n**payments**"
    )


def test_a_guest_reads_a_sentence_and_no_error() -> None:
    refused = "NotPermitted: not permitted: this person may not see figures about our services"
    assert about_services(("How is checkout?",), refused).startswith("Figures of our services are for members")


async def test_a_cause_is_not_made_up() -> None:
    _, why = await said("How is checkout?", "Why is it burning?")
    assert "Why it burns I can't tell from a budget alone." in why


async def test_a_second_question_knows_the_first() -> None:
    first, second, third = await said("Can we ship search?", "And how is it burning now?", "What did I ask first?")
    assert "You can ship" in first
    assert second.startswith("You asked about search; this is how it stands now. **search")
    assert third == "The first thing that you asked me in this thread was: “Can we ship search?”"


@pytest.mark.parametrize(
    ("question", "beginning"),
    [
        (
            "What is the target of payments?",
            "This is what we promise:\n\n- **payments**: 99.73% over 28 d",
        ),
        ("hello", "Hello! Ask me"),
        ("thanks!", "You're welcome."),
        ("Who are you?", "I'm the Director of Backend Engineering, agent **061**"),
        ("help", "Ask me how a service is doing"),
        ("Let's migrate to events", "Gladly. Describe the initiative with `/director plan …`"),
        ("Should we add two people to the late project?", "Brooks's law says no"),
        ("Do you remember me?", "This is the first thing you ask me in this thread"),
        ("Zebras?", "You ask: “Zebras?” My words are recorded in this demo"),
    ],
)
async def test_small_talk_and_advice(question: str, beginning: str) -> None:
    (answer,) = await said(question)
    assert answer.startswith(beginning)


async def test_it_streams_in_small_pieces_and_says_when_it_looks_up() -> None:
    heard = Heard()
    await answered(conversation(MODEL), ask("How is checkout?"), heard)
    assert len(heard.written) > 10
    assert heard.status_lines == ["looks up error budgets …"]


async def test_without_tools_it_asks_for_none() -> None:
    request = ModelRequest(system="s", messages=(Message(role="user", content="How is checkout?"),))
    events = [event async for event in MODEL.stream(request)]
    assert not any(isinstance(event, ToolStarted) for event in events)
    assert any(isinstance(event, TextDelta) for event in events)


SURROUNDINGS = Surroundings(
    roster=Roster.model_validate(
        {"teams": {"shop": {"lead": "dana", "people": [{"name": "dana"}, {"name": "eli"}]}, "core": {}}}
    ),
    services={"checkout": ServiceEntry(team="shop", depends_on=("payments",)), "payments": ServiceEntry(team="core")},
    slos=(KnownSlo(service="checkout", name="checkout-availability", objective="0.9973", window="28d"),),
)
LEFT = Fact(
    id="f3",
    text="18.7%",
    value=0.187,
    unit="share",
    entity="checkout-availability",
    meaning="error budget left over 28d",
    query="q",
    evaluated_at=NOW,
)


async def plan_for(initiative: str, surroundings: Surroundings) -> dict[str, object]:
    prompt = (
        f"Today is 2026-11-23.\n\n<surroundings>\n{described(surroundings, (LEFT,))}\n</surroundings>\n\n"
        f"<initiative>\n{initiative}\n</initiative>"
    )
    request = ModelRequest(system="s", messages=(Message(role="user", content=prompt),), schema=draft_schema())
    drafted: dict[str, object] = json.loads((await whole(MODEL, request)).text)
    assert set(drafted) == set(draft_schema()["required"])
    return drafted


async def test_a_plan_is_valid_and_about_the_initiative() -> None:
    drafted = await plan_for("Move checkout to its own database. It has to be done.", SURROUNDINGS)
    plan = Plan.model_validate({**drafted, "initiative": "x"})
    assert (plan.title, plan.services, plan.assignment.lead) == (
        "Move checkout to its own database",
        ("checkout",),
        "dana",
    )
    assert [slo.objective for slo in plan.slos] == ["0.9973"]
    assert [escalation.to for escalation in plan.escalations] == ["044"]
    assert plan.summary.endswith("The error budget of checkout-availability stands at {{f3}}: that sets the pace.")
    items = {item.id for item in plan.items}
    assert all(set(item.depends_on) <= items for item in plan.items)
    assert sorted(name for phase in plan.phases for name in phase.items) == sorted(items)


async def test_a_plan_about_nothing_known_is_still_valid() -> None:
    drafted = await plan_for("Something new", Surroundings())
    plan = Plan.model_validate({**drafted, "initiative": "x"})
    assert plan.services == ()
    assert plan.assignment.lead is None
    assert "Which services does it touch?" in plan.open_questions


def test_why_it_burns_is_answered_with_the_burns_and_no_cause() -> None:
    item = judged(burning({600: 501.0, 50: 40.0, 49: 40.0}))
    found = told(Assessment(AT, (item,)), 1).text
    said = about_services(["Why is checkout burning?"], found)
    placed = {f"{{{{{fact.id}}}}}": fact.text for fact in facts(Assessment(AT, (item,)))}
    for mark, text in placed.items():
        said = said.replace(mark, text)
    assert said.startswith(
        "**checkout** has spent its error budget: 136.2% of it is used. In the last day it burned at 0× the rate that "
        "the budget allows. By our rule that means repair before features, until the budget is back: by "
    )
    assert (
        "\n\nIt went here:\n\n- Thu 22 Oct 2026 08:00–09:00 UTC: 74.6% of the budget\n"
        "- Sat 14 Nov 2026 06:00–08:00 UTC: 11.9% of the budget\n\nWhy it burns I can't tell"
    ) in said


def test_what_is_in_doubt_is_not_called_in_order() -> None:
    found = told(Assessment(AT, (judged(measured(part=None, matched=False)),)), 1).text
    assert "(service checkout): OK (in doubt)\n" in found
    assert "in order" not in about_services(["How is checkout?"], found)
    assert "Not to be judged at the moment: checkout." in about_services(["How are our services?"], found)
