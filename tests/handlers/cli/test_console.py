"""`director chat`: the Director in the terminal."""

from __future__ import annotations

import asyncio
import io
import os
import signal
from collections.abc import AsyncIterator

from bot.domain import Address, IncomingKind, Note, Person, Place, Reply, SignalKind, Standing, Text
from bot.ports import Delivery
from handlers.console import Console, lines_of
from tests.doubles.wiring import NOW, Echo, KnownJournal

PLACE = Place(platform="console", workspace="acme", channel="terminal")


def console(*, patience: float = 30) -> tuple[Console, io.StringIO, io.StringIO]:
    out, notes = io.StringIO(), io.StringIO()
    return Console(place=PLACE, out=out, notes=notes, now=lambda: NOW, patience=patience), out, notes


async def lines(*said: str) -> AsyncIterator[str]:
    for line in said:
        yield line


def delivery(chat: Console, journal: KnownJournal | None = None) -> Delivery:
    address = Address(turn_id="t1", place=PLACE, asker="terminal", asker_home=None, question="q1", asked_at=NOW)
    return chat.delivery(address, journal or KnownJournal())


async def test_each_line_is_asked_and_answered_in_order() -> None:
    chat, out, notes = console()
    intake = Echo(chat)
    assert await chat.converse(intake, lines("how is checkout?", "", "  and search? "), interactive=False) == 0
    assert out.getvalue() == "You (admin) said: how is checkout?\n\nYou (admin) said: and search?\n\n"
    assert notes.getvalue() == ""
    first, second = intake.taken
    assert (first.kind, first.place, first.text, first.speaker_id, first.received_at) == (
        IncomingKind.ASK,
        PLACE,
        "how is checkout?",
        "terminal",
        NOW,
    )
    assert first.dedupe_key != second.dedupe_key


async def test_a_line_that_starts_with_a_slash_is_a_command() -> None:
    chat, out, _ = console()
    intake = Echo(chat)
    said = ("/director status checkout", "/review", "/director", "/director  plan Move it ")
    await chat.converse(intake, lines(*said), interactive=False)
    assert [(incoming.kind, incoming.text) for incoming in intake.taken] == [
        (IncomingKind.COMMAND, "status checkout"),
        (IncomingKind.COMMAND, "review"),
        (IncomingKind.COMMAND, ""),
        (IncomingKind.COMMAND, "plan Move it"),
    ]
    assert out.getvalue().count("You (admin) said:") == 4


async def test_nothing_is_asked_after_leaving() -> None:
    chat, _, _ = console()
    intake = Echo(chat)
    assert await chat.converse(intake, lines("hello", "/quit", "never asked"), interactive=False) == 0
    assert [incoming.text for incoming in intake.taken] == ["hello"]


async def test_a_person_is_greeted_and_prompted_beside_the_answers() -> None:
    chat, out, notes = console()
    await chat.converse(Echo(chat), lines("hello"), interactive=True)
    assert notes.getvalue() == (
        "Ask the Director. /help shows the commands, Ctrl-C stops an answer, Ctrl-D leaves.\nyou> you> \n"
    )
    assert out.getvalue() == "You (admin) said: hello\n\n"


async def test_an_answer_that_does_not_come_is_said_and_gives_exit_code_1() -> None:
    chat, out, notes = console(patience=0.05)
    assert await chat.converse(Echo(chat), lines("never mind", "hello"), interactive=False) == 1
    assert notes.getvalue() == "No answer came within 0.05 s. The question is kept: `director inbox list`.\n"
    assert out.getvalue() == "You (admin) said: hello\n\n"


async def test_control_c_stops_the_answer_that_is_being_made() -> None:
    chat, out, notes = console()
    intake = Echo(chat)
    talking = asyncio.create_task(chat.converse(intake, lines("never ends", "hello"), interactive=False))
    await intake.arrived.wait()
    os.kill(os.getpid(), signal.SIGINT)
    assert await talking == 0
    assert [(sent.kind, sent.place, sent.person_id) for sent in intake.signals] == [
        (SignalKind.STOP, PLACE, "terminal")
    ]
    assert notes.getvalue() == "stopping …\n"
    assert out.getvalue() == "Stopped, as asked.\n\nYou (admin) said: hello\n\n"


async def test_control_c_at_the_prompt_leaves() -> None:
    chat, out, _ = console()
    intake = Echo(chat)
    waiting = asyncio.Event()

    async def silence() -> AsyncIterator[str]:
        waiting.set()
        await asyncio.Event().wait()
        yield "never"

    talking = asyncio.create_task(chat.converse(intake, silence(), interactive=False))
    await waiting.wait()
    os.kill(os.getpid(), signal.SIGINT)
    assert await talking == 130
    assert (intake.taken, out.getvalue()) == ([], "")


async def test_what_was_streamed_is_not_printed_again() -> None:
    chat, out, _ = console()
    answer = delivery(chat)
    await answer.write("Checkout is ")
    await answer.write("**fine**.\n")
    await answer.finish(
        Reply(
            summary="s", parts=(Text(markdown="Checkout is **fine**.\n\nSearch too."), Note(markdown="No model spoke."))
        )
    )
    assert out.getvalue() == "Checkout is **fine**.\n\n\nSearch too.\n\n  No model spoke.\n\n"


async def test_an_answer_that_became_another_is_printed_whole() -> None:
    chat, out, _ = console()
    answer = delivery(chat)
    await answer.write("Checkout is")
    await answer.finish(Reply(summary="s", parts=(Text(markdown="Stopped, as asked."),)))
    assert out.getvalue() == "Checkout is\n\nStopped, as asked.\n\n"


async def test_an_answer_that_stands_already_is_not_printed_again() -> None:
    chat, out, _ = console()
    journal = KnownJournal()
    reply = Reply(summary="s", parts=(Text(markdown="Fine."),))
    await delivery(chat, journal).finish(reply)
    await delivery(chat, journal).finish(reply)
    assert out.getvalue() == "Fine.\n\n"
    assert journal.messages == {0: ("post", "terminal:t1")}


async def test_streamed_words_cannot_steer_the_terminal() -> None:
    chat, out, _ = console()
    await delivery(chat).write("\x1b[2Jgone\x07")
    assert out.getvalue() == "[2Jgone"


async def test_whoever_sits_at_the_terminal_is_an_admin() -> None:
    chat, _, _ = console()
    person = await chat.person(PLACE, "terminal")
    assert person == Person(id="terminal", name=person.name, standing=Standing.ADMIN, zone=person.zone)
    assert person.name


async def test_lines_come_from_a_pipe_as_they_are_written() -> None:
    reading, writing = os.pipe()
    found = lines_of(reading)
    os.write(writing, "schönen Tag\r\nhalf".encode())
    assert await anext(found) == "schönen Tag"
    os.write(writing, b" a line\n\xff\nlast")
    assert await anext(found) == "half a line"
    assert await anext(found) == "\ufffd"
    os.close(writing)
    assert await anext(found) == "last"
    assert await anext(found, None) is None
    os.close(reading)
