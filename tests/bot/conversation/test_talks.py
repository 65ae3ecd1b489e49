"""Questions answered with the model, and with plain facts where no model speaks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.conversation import Fallback, Fault, ModelRefused, ModelUnavailable, Question, Talks
from bot.domain import Note, Person, Reply, Standing, Table, Text, Thread
from bot.errors import Unreachable
from bot.turn import Turn
from tests.doubles.talk import DANA, GUS, Heard, Measured, ScriptedModel, ask, conversation

BUSY = ModelUnavailable("it is overloaded just now", fault=Fault.BUSY, retryable=True)


async def schedules(question: Question) -> Reply:
    return Reply(summary="Schedules", parts=(Text(markdown=f"s7 for {question.person.name}"),))


def talks(*steps: str | Exception, measured: Measured | None = None) -> tuple[Talks, ScriptedModel]:
    model = ScriptedModel(*steps)
    measured = measured or Measured()
    fallback = Fallback(measured, services=("checkout", "payments", "payments-db", "search"), schedules=schedules)
    return Talks(conversation(model), fallback, instructions={"#payments": "Be brief."}), model


def turn(text: str, *, person: Person | None = DANA, thread: Thread | None = None, number: int = 1) -> Turn:
    heard, question = Heard(), ask(text, number=number)
    incoming = question.incoming.model_copy(update={"channel_name": "payments"})
    return Turn(
        id=f"t{number}",
        incoming=incoming,
        person=person,
        thread=thread or Thread(),
        before=(),
        root=None,
        now=question.now,
        write=heard.write,
        status=heard.status,
    )


async def test_the_model_answers_and_knows_the_channels_instructions() -> None:
    talk, model = talks("Hello.")
    answer = await talk.answer(turn("Hi"))
    assert answer.reply.parts == (Text(markdown="Hello."),)
    assert "channel: Be brief." in str(model.requests[0].messages[1].content)


@pytest.mark.parametrize(
    ("text", "services"),
    [
        ("How is checkout?", ("checkout",)),
        ("Compare Payments-DB with search!", ("payments-db", "search")),
        ("Anything burning?", None),
        ("checkouts and my-search", None),
    ],
)
async def test_with_the_model_down_the_facts_that_the_question_names_stand_in(
    text: str, services: tuple[str, ...] | None
) -> None:
    measured = Measured(items=(*Measured().items, replace(Measured().items[0], definition=_renamed("payments-db"))))
    talk, _ = talks(BUSY, measured=measured)
    answer = await talk.answer(turn(text))
    assert measured.asked == [services]
    assert answer.reply.parts[-1] == Note(markdown="No model spoke: it is overloaded just now.")
    assert any(isinstance(part, Table) for part in answer.reply.parts)
    assert [message.role for message in answer.messages] == ["user", "system", "assistant"]
    assert answer.usage == ()


def _renamed(service: str) -> object:
    definition = Measured().items[0].definition
    return replace(definition, service=service, slo=f"{service}-availability")


async def test_with_the_model_down_a_question_about_schedules_gets_the_list() -> None:
    talk, _ = talks(BUSY)
    answer = await talk.answer(turn("Which schedules do we have?"))
    assert answer.reply.parts == (
        Text(markdown="s7 for Dana"),
        Note(markdown="No model spoke: it is overloaded just now."),
    )


async def test_with_model_and_metrics_down_it_says_both() -> None:
    error = Unreachable("Prometheus did not answer; check PROMETHEUS_URL.")
    talk, _ = talks(BUSY, measured=Measured(error=error))
    answer = await talk.answer(turn("How is checkout?"))
    assert answer.reply.parts == (
        Text(markdown="Prometheus did not answer; check PROMETHEUS_URL."),
        Note(markdown="No model spoke: it is overloaded just now."),
    )


@pytest.mark.parametrize("person", [GUS, None])
async def test_with_the_model_down_a_guest_gets_no_figures(person: Person | None) -> None:
    measured = Measured()
    talk, _ = talks(BUSY, measured=measured)
    answer = await talk.answer(turn("How is checkout? Which schedules?", person=person))
    assert measured.asked == []
    assert len(answer.reply.parts) == 2


async def test_who_could_not_be_looked_up_is_asked_to_try_again() -> None:
    talk, model = talks(BUSY, "Please ask again.")
    someone = Person(id="U7", name="U7", standing=Standing.UNKNOWN)
    answer = await talk.answer(turn("How is checkout?", person=someone))
    assert answer.reply.summary == "I could not look up who you are just now, so I show no figures"
    await talk.answer(turn("How is checkout?", person=someone))
    assert "Who this is could not be looked up just now" in str(model.requests[1].messages[1].content)


async def test_a_thread_goes_on_when_the_model_is_back() -> None:
    talk, model = talks(BUSY, "As the table said.")
    first = await talk.answer(turn("How is checkout?"))
    thread = Thread(messages=first.messages, facts=first.facts)
    second = await talk.answer(turn("And now?", thread=thread, number=2))
    assert second.reply.parts == (Text(markdown="As the table said."),)
    assert [message.role for message in model.requests[1].messages] == [
        "user",
        "system",
        "assistant",
        "user",
        "system",
    ]
    assert "18.7%" in str(model.requests[1].messages[2].content)


async def test_a_refusal_is_told_and_leaves_nothing_behind() -> None:
    talk, _ = talks(ModelRefused())
    answer = await talk.answer(turn("Something bad"))
    assert answer.messages == ()
    assert answer.reply.summary == str(ModelRefused())
