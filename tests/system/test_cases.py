"""One table of what people ask and what they must and must not read, on Slack, on Teams and on the console alike."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.conversation.recorded_plan import recorded_plan
from tests.doubles.anthropic_double import AnthropicDouble, Step, Stream, looks_up, says
from tests.system.conftest import write_checkout
from tests.system.seats import Seat, Who, console_seat, settled, slack_seat, teams_seat

pytestmark = pytest.mark.asyncio(loop_scope="module")


class How(Enum):
    MENTION = "a new mention where others read along"
    FOLLOW = "another mention in the same talk"
    DIRECT = "a direct message"
    COMMAND = "the slash command"
    STOP = "stopping what is being answered"


MENTION, FOLLOW, DIRECT, COMMAND, STOP = How


@dataclass(frozen=True, kw_only=True)
class Say:
    """One thing said, and what must and must not stand in all that is shown for it.

    `alone`: nobody else sees it. `keeps`: a pattern whose group later words call `{kept}`. Without `waits` the next
    thing is said at once.
    """

    words: str
    how: How = MENTION
    who: Who = Who.MEMBER
    shows: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    alone: bool = False
    keeps: str = ""
    waits: bool = True


@dataclass(frozen=True)
class Case:
    """`elsewhere` says of a seat why this can't be tried there."""

    name: str
    steps: tuple[Say, ...]
    elsewhere: Mapping[str, str] = field(default_factory=dict)


NO_GUESTS = {"console": "whoever can run the program may see everything, so the console has no guests"}
NO_THREADS = {"console": "a terminal is one conversation"}
FIGURES = ("50.0", "336")
INITIATIVE = "Move checkout to its own database"
NO_PLAN = "Explain gibberish to checkout"
ADDED = r"\b(s\d+) ?: I post"

CASES = (
    # --- conversation ---
    Case(
        "a follow-up knows what was said before",
        (
            Say(words="please remember: the codeword is heron", shows=("Noted",)),
            Say(words="what is the codeword?", how=FOLLOW, shows=("It is heron",)),
        ),
    ),
    Case(
        "another talk knows nothing of it",
        (
            Say(words="please remember: the codeword is heron", shows=("Noted",)),
            Say(words="what is the codeword?", shows=("I was told no codeword",), hides=("heron",)),
        ),
        NO_THREADS,
    ),
    Case(
        "a direct message is answered where it was said and remembered there",
        (
            Say(words="please remember: the codeword is kestrel", how=DIRECT, shows=("Noted",), alone=True),
            Say(words="what is the codeword?", how=DIRECT, shows=("It is kestrel",), alone=True),
        ),
    ),
    Case(
        "a figure comes from what was measured, not from the model",
        (Say(words="how is checkout doing?", shows=("Checkout has 50.0% left.",), hides=("{{", "No model spoke")),),
    ),
    Case(
        "a second question about figures is measured again",
        (
            Say(words="how is checkout doing?", shows=("Checkout has 50.0% left.",)),
            Say(words="and how is checkout doing now?", how=FOLLOW, shows=("Checkout has 50.0% left.",)),
        ),
    ),
    Case(
        "a figure that nobody measured is named as general knowledge",
        (Say(words="what do the books say about the number?", shows=("42", "General knowledge, not measured: 42")),),
    ),
    Case(
        "a placeholder that stands for nothing shows no figure",
        (Say(words="make up a figure", shows=("It is no figure",), hides=("{{", "f999")),),
    ),
    Case(
        "a long answer comes whole",
        (Say(words="tell me everything about timeouts", shows=("Timeouts come first", "This is the end.")),),
    ),
    Case(
        "when the model is away the figures are told, and that no model spoke",
        (Say(words="what happens to checkout in an outage of the model?", shows=("50.0%", "No model spoke")),),
    ),
    Case(
        "stopped in the middle, the answer says so",
        (
            Say(words="think about this for ever", waits=False),
            Say(words="", how=STOP, shows=("Stopped, as asked",)),
        ),
    ),
    Case(
        "after a stop the talk goes on",
        (
            Say(words="think about this for ever", waits=False),
            Say(words="", how=STOP, shows=("Stopped, as asked",)),
            Say(words="please remember: the codeword is merlin", how=FOLLOW, shows=("Noted",)),
        ),
    ),
    Case(
        "a follow-up knows the review that it stands beneath",
        (
            Say(words="review for checkout", shows=("reliability review", "672,000")),
            Say(words="and what of the others?", how=FOLLOW, shows=("Beside the review of checkout",)),
        ),
    ),
    # --- help and slips ---
    Case("help is shown to the one who asks", (Say(words="help", how=COMMAND, shows=("What I can do",), alone=True),)),
    Case("no words mean help", (Say(words="", how=COMMAND, shows=("What I can do",), alone=True),)),
    Case("help in a mention", (Say(words="help", shows=("What I can do", "schedule"), hides=("I don't know",)),)),
    Case(
        "a mention without words is helped",
        (Say(words="", shows=("You called me without words", "What I can do")),),
        {"console": "an empty line says nothing there"},
    ),
    Case("a phone's full stop is no word", (Say(words="Status checkout.", shows=("checkout", *FIGURES)),)),
    Case(
        "an unknown word is named, and what there is",
        (Say(words="frobnicate", how=COMMAND, shows=("I don't know", "frobnicate", "What I can do"), alone=True),),
    ),
    Case(
        "signs of a language come through as they were typed",
        (Say(words="fro<b> & *nicate*", how=COMMAND, shows=("fro<b> &", "What I can do"), alone=True),),
    ),
    # --- figures ---
    Case(
        "status is seen by the asker alone",
        (Say(words="status checkout", how=COMMAND, shows=("checkout", *FIGURES, "99.9"), alone=True),),
    ),
    Case("status in a mention stands there", (Say(words="status checkout", shows=("checkout", *FIGURES)),)),
    Case(
        "an unknown service is named with those there are",
        (Say(words="status nosuch", how=COMMAND, shows=("no service called 'nosuch'", "checkout"), alone=True),),
    ),
    Case(
        "a review is told with its figures, its objectives and its chart in words",
        (
            Say(
                words="review",
                how=COMMAND,
                shows=(
                    "reliability review",
                    "50.0%",
                    "Error budget left, last 28 days",
                    "672,000",
                    "Rolling window: 28d",
                ),
            ),
        ),
    ),
    Case("a review in a mention", (Say(words="review for checkout", shows=("reliability review", "672,000")),)),
    Case(
        "a review of nothing known says what is known",
        (Say(words="review for nosuch", shows=("no service called 'nosuch'", "checkout")),),
    ),
    Case("a digest", (Say(words="digest", how=COMMAND, shows=("Error-budget digest", "50.0%")),)),
    Case("“review my design” is a question", (Say(words="review my design", shows=("Show me the design first.",)),)),
    Case(
        "a guest gets no figures, neither asked nor commanded",
        (
            Say(
                words="status checkout", how=COMMAND, who=Who.GUEST, shows=("members of this workspace",), hides=FIGURES
            ),
            Say(words="review", who=Who.GUEST, shows=("members of this workspace",), hides=FIGURES),
            Say(words="how is checkout doing?", who=Who.GUEST, shows=("members",), hides=FIGURES),
        ),
        NO_GUESTS,
    ),
    Case(
        "a guest is helped, and gets advice",
        (
            Say(words="help", how=COMMAND, who=Who.GUEST, shows=("What I can do",), alone=True),
            Say(words="please remember: the codeword is lark", who=Who.GUEST, shows=("Noted",)),
        ),
        NO_GUESTS,
    ),
    Case(
        "people of another organisation get no figures",
        (Say(words="status checkout", who=Who.OUTSIDER, shows=("members of this workspace",), hides=FIGURES),),
        {**NO_GUESTS, "slack": "people of other workspaces can't write in this one's channels there"},
    ),
    # --- plans ---
    Case(
        "a plan is drafted, listed and shown again",
        (
            Say(
                words=f"plan {INITIATIVE}",
                how=COMMAND,
                shows=(INITIATIVE, "Timeouts, circuit breakers", "062", "Project plan"),
                keeps=r"Plan (p\d+), version 1",
            ),
            Say(words="plan list", how=COMMAND, shows=("{kept}", INITIATIVE), alone=True),
            Say(words="plan show {kept}", how=COMMAND, shows=("Plan {kept}, version 1", "Project plan"), alone=True),
        ),
    ),
    Case("a plan in a mention", (Say(words=f"plan {INITIATIVE}", shows=(INITIATIVE, "version 1", "Project plan")),)),
    Case(
        "what is no plan is kept word for word",
        (
            Say(words=f"plan {NO_PLAN}", shows=("Its words are kept", "gib gab"), keeps=r"kept as (p\d+)"),
            Say(words="plan show {kept}", how=COMMAND, shows=("gib gab",)),
        ),
    ),
    Case(
        "a plan needs an initiative",
        (Say(words="plan", how=COMMAND, shows=("A plan needs an initiative",), alone=True),),
        {"slack": "the bare word opens a form there"},
    ),
    Case(
        "an unknown plan is no error of mine",
        (Say(words="plan show p4711", how=COMMAND, shows=("There is no plan p4711 here",), alone=True),),
    ),
    Case(
        "a guest can't plan, and what they wrote is not lost",
        (Say(words=f"plan {INITIATIVE}", who=Who.GUEST, shows=("members of this workspace",), hides=("version 1",)),),
        NO_GUESTS,
    ),
    # --- schedules ---
    Case(
        "a schedule is added, listed, paused, resumed, tried and removed",
        (
            Say(
                words="schedule review every monday 09:00 Europe/Berlin for checkout",
                how=COMMAND,
                shows=("review every monday at 09:00 Europe/Berlin for checkout", "Next: Mon "),
                keeps=ADDED,
            ),
            Say(words="schedule list", how=COMMAND, shows=("{kept}", "monday 09:00 Europe/Berlin", "here"), alone=True),
            Say(words="schedule pause {kept}", how=COMMAND, shows=("{kept} is paused",)),
            Say(words="schedule list", how=COMMAND, shows=("{kept}", "paused"), alone=True),
            Say(words="schedule resume {kept}", how=COMMAND, shows=("{kept} goes on", "Next: Mon ")),
            Say(
                words="schedule test {kept}",
                how=COMMAND,
                shows=("reliability review", "A test of {kept}", "672,000"),
                alone=True,
            ),
            Say(words="schedule remove {kept}", how=COMMAND, shows=("{kept} is removed",)),
            Say(words="schedule pause {kept}", how=COMMAND, shows=("There is no schedule {kept} here",), alone=True),
        ),
    ),
    Case(
        "a schedule is made by the sentence that tells of it",
        (
            Say(
                words="schedule review every monday at 09:00 Europe/Berlin for checkout.",
                shows=("review every monday at 09:00 Europe/Berlin for checkout",),
                keeps=ADDED,
            ),
            Say(words="schedule remove {kept}", shows=("{kept} is removed",)),
        ),
    ),
    Case(
        "a schedule in a mention, and removed by an admin or its maker only",
        (
            Say(
                words="schedule digest every weekday 08:30 UTC",
                shows=("digest every weekday at 08:30 UTC",),
                keeps=ADDED,
            ),
            Say(words="schedule remove {kept}", how=FOLLOW, shows=("{kept} is removed",)),
        ),
    ),
    Case(
        "another member can't change what isn't theirs",
        (
            Say(
                words="schedule digest every weekday 08:30 UTC",
                who=Who.COLLEAGUE,
                shows=("digest every weekday",),
                keeps=ADDED,
            ),
            Say(words="schedule remove {kept}", shows=("can be changed by whoever made it",), hides=("is removed",)),
            Say(words="schedule remove {kept}", who=Who.COLLEAGUE, shows=("{kept} is removed",)),
        ),
        {"console": "one person sits there"},
    ),
    Case(
        "a slip in a day is named with the nearest word",
        (Say(words="schedule review every funday 09:00", shows=("“funday”", "Did you mean sunday?")),),
    ),
    Case(
        "blanks that don't break are blanks",
        (
            Say(words="schedule\N{NO-BREAK SPACE}review every monday 09:00 UTC", shows=("every monday",), keeps=ADDED),
            Say(words="schedule remove {kept}", shows=("{kept} is removed",)),
        ),
    ),
    Case(
        "a guest can neither add nor read schedules",
        (
            Say(words="schedule list", how=COMMAND, who=Who.GUEST, shows=("members of this workspace",), alone=True),
            Say(words="schedule review every monday 09:00 UTC", who=Who.GUEST, shows=("members",), hides=("Next:",)),
        ),
        NO_GUESTS,
    ),
)

LONG = "Timeouts come first, then bulkheads. " * 120
ALWAYS = {
    "the codeword is": "Noted.",
    "what do the books say": "Some say it is 42 of them.",
    "make up a figure": "It is {{f999}} today.",
}


def speak(body: dict[str, Any]) -> Step:
    """What the model says. It knows what stands in its messages and nothing else."""
    system, messages = str(body.get("system")), body["messages"]
    if "You turn an initiative into one project plan" in system:
        prompt = _text_of(messages[0]["content"])
        return says("gib gab, no JSON" if "gibberish" in prompt else json.dumps(recorded_plan(prompt)), chunk=400)
    asked = re.findall(r"<question [^>]*>\\n(.*?)\\n</question>", str(messages))[-1]
    results = [
        str(block["content"])
        for block in (messages[-1]["content"] if isinstance(messages[-1]["content"], list) else ())
        if block["type"] == "tool_result"
    ]
    return _answer(asked, results, str(messages))


def _text_of(content: Any) -> str:
    return content if isinstance(content, str) else "\n".join(str(block.get("text", "")) for block in content)


def _answer(asked: str, results: list[str], before: str) -> Step:
    known = next((answer for words, answer in ALWAYS.items() if words in asked), None)
    match asked:
        case _ if known is not None:
            return says(known)
        case _ if "what is the codeword" in asked:
            told = re.findall(r"the codeword is (\w+)", before)
            return says(f"It is {told[-1]}." if told else "I was told no codeword.")
        case _ if "what of the others" in asked:
            return says("Beside the review of checkout I see none." if "672,000" in before else "Which others?")
        case _ if "outage of the model" in asked:
            return Stream(events=2, end="rst")
        case _ if "how is checkout" in asked:
            if not results:
                return looks_up("error_budget_status", {"services": ["checkout"]})
            found = re.search(r"(\{\{f\d+\}\}) = [^(]*\(error budget left", results[-1])
            return says(f"Checkout has {found[1]} left." if found else "I may not see figures for non-members.")
        case _ if "everything about timeouts" in asked:
            return says(f"{LONG}\n\nThis is the end.", chunk=200, pause=0.01)
        case _ if "for ever" in asked:
            return Stream(blocks=({"type": "text", "text": LONG},), events=30, end="hang")
        case _:
            return says("Show me the design first.")


@dataclass(frozen=True)
class Table:
    seat: Seat
    model: AnthropicDouble


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["slack", "teams", "console"])
async def table(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Table]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    write_checkout(folder / "slos")
    seats = {"slack": slack_seat, "teams": teams_seat, "console": console_seat}
    async with AnthropicDouble(otherwise=speak) as model:
        env = {
            "DATABASE_URL": f"sqlite:///{folder}/director.db",
            "DIRECTOR_SLOS": str(folder / "slos"),
            "ANTHROPIC_API_KEY": "sk-ant-test",
            "ANTHROPIC_BASE_URL": model.url,
        }
        async with seats[request.param](folder, env) as one:
            yield Table(one, model)
        assert model.problems == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_it_is_answered_alike_everywhere(table: Table, case: Case) -> None:
    seat = table.seat
    if seat.name in case.elsewhere:
        pytest.skip(case.elsewhere[seat.name])
    talk, kept, mark, asked = "", "", seat.mark(), 0
    for step in case.steps:
        if step.how is STOP:
            await begun(table.model, asked)
        else:
            mark, asked = seat.mark(), len(table.model.requests)
        talk = await said(seat, step, step.words.replace("{kept}", kept), talk)
        if not step.waits:
            continue
        heard = await settled(seat, step.who, mark, tuple(word.replace("{kept}", kept) for word in step.shows))
        assert [word for word in step.hides if word in heard.text] == []
        assert heard.alone is not False or not step.alone, heard.text
        if step.keeps:
            found = re.search(step.keeps, heard.text)
            assert found, heard.text
            kept = found[1]


async def said(seat: Seat, step: Say, words: str, talk: str) -> str:
    """The talk that goes on."""
    match step.how:
        case How.MENTION:
            return await seat.mention(step.who, words, None)
        case How.FOLLOW:
            return await seat.mention(step.who, words, talk)
        case How.DIRECT:
            await seat.direct(step.who, words)
        case How.COMMAND:
            await seat.command(step.who, words)
        case How.STOP:
            await seat.stop(step.who, talk)
    return talk


async def begun(model: AnthropicDouble, asked: int) -> None:
    """Until the model is at work on it."""
    async with asyncio.timeout(15):
        while len(model.requests) <= asked:  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(0.05)
