"""Whatever call to Slack goes wrong, and however: in the end one whole answer stands."""

from __future__ import annotations

from functools import partial

import pytest

from bot.domain import Audience
from bot.ports import DeliveryFailed
from tests.handlers.slack.test_delivery import answers, texts
from tests.handlers.slack.worlds import MemoryJournal, reply

PIECES = ("Checkout has 62 % of its budget left.", "\n\nIt burned 38 %", " in the last 28 days.")
METHODS = [
    "chat.startStream",
    "chat.appendStream",
    "chat.stopStream",
    "chat.postMessage",
    "chat.update",
    "conversations.replies",
    "assistant.threads.setStatus",
]
FAULTS = {
    "cut before": {"drop_before": True},
    "cut after": {"drop_after": True},
    "503": {"status": 503},
    "asked to wait": {"status": 429, "retry_after": 40},
    "fatal": {"error": "fatal_error"},
}


def shown(pieces, ledger):
    """Whether so many pieces went out, or one of them failed (what follows is held back then)."""
    calls = [call for call in ledger.calls if call.method in METHODS[:5] and "setStatus" not in call.method]
    return len(calls) >= pieces or any(call.error or call.lost for call in calls)


async def delivered(world, address, journal, answer):
    """What the worker does: try, and try again with the same journal."""
    world.edge.wire.pace = world.edge.wire.edit_pace = 0.01
    for attempt in range(5):
        delivery = world.edge.delivery(address, journal)
        await delivery.status("is thinking …")
        for number, piece in enumerate(PIECES if attempt == 0 else (), start=1):
            await delivery.write(piece)
            await world.standin.wait_for(partial(shown, number))
        try:
            await delivery.finish(answer)
        except DeliveryFailed:
            continue
        return
    raise AssertionError(f"not delivered: {world.standin.ledger.told()}")


@pytest.mark.parametrize("streaming", [True, False], ids=["streaming", "editing"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", METHODS)
async def test_one_fault_anywhere_leaves_one_whole_answer(connect, method, fault, streaming):
    world = await connect(streaming=streaming)
    ts, address = await world.asked()
    world.standin.faults.fail(method, **FAULTS[fault])

    await delivered(world, address, MemoryJournal(), reply("".join(PIECES)))

    (answer,) = answers(world, thread=ts)
    assert texts([answer]) == ["".join(PIECES)]
    assert not answer.streaming
    calls = world.standin.ledger.called(method)
    assert not calls or calls[0].error or calls[0].lost  # the fault was met


@pytest.mark.parametrize("fault", FAULTS)
async def test_when_every_call_fails_once_the_answer_still_stands_once(connect, fault):
    world = await connect()
    ts, address = await world.asked()
    for method in METHODS:
        world.standin.faults.fail(method, **FAULTS[fault])

    await delivered(world, address, MemoryJournal(), reply("".join(PIECES)))

    assert texts(answers(world, thread=ts)) == ["".join(PIECES)]


async def test_a_private_answer_that_failed_is_said_again(connect):
    world = await connect()
    world.standin.faults.fail("chat.postEphemeral", drop_before=True)
    journal, private = MemoryJournal(), reply("62 %", audience=Audience.ASKER)

    with pytest.raises(DeliveryFailed):
        await world.edge.delivery(world.address("C0GENERAL"), journal).finish(private)
    await world.edge.delivery(world.address("C0GENERAL"), journal).finish(private)

    assert texts(world.standin.ledger.ephemeral("U0MAYA")) == ["62 %"]
