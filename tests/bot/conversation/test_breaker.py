"""The circuit breaker: what fails again and again is left alone for a while."""

from __future__ import annotations

import pytest

from bot.conversation import Circuit, Fault, Guarded, ModelRefused, ModelRequest, ModelUnavailable
from bot.conversation.model import whole
from bot.domain import Message
from tests.doubles.talk import ScriptedModel

REQUEST = ModelRequest(system="s", messages=(Message(role="user", content="Well?"),))


def down(fault: Fault = Fault.UNREACHABLE) -> ModelUnavailable:
    return ModelUnavailable("it is down", fault=fault, retryable=True)


class Hands:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


async def outcome(model: Guarded) -> str:
    try:
        return (await whole(model, REQUEST)).text
    except ModelUnavailable as error:
        return error.fault.value
    except ModelRefused:
        return "refused"


async def test_after_three_failures_in_a_row_it_fails_at_once_and_later_tries_again() -> None:
    inner, clock = ScriptedModel(down(), down(), down(), "Back."), Hands()
    model = Guarded(inner, failures=3, pause=30, clock=clock)
    assert [await outcome(model) for _ in range(5)] == ["unreachable"] * 3 + ["paused"] * 2
    assert (model.state, len(inner.requests)) == (Circuit.OPEN, 3)
    clock.time += 30
    assert model.state is Circuit.HALF_OPEN
    assert await outcome(model) == "Back."
    assert model.state is Circuit.CLOSED


async def test_a_failed_try_opens_it_again_at_once() -> None:
    inner, clock = ScriptedModel(down(), down(), down(), "Back."), Hands()
    model = Guarded(inner, failures=2, pause=30, clock=clock)
    assert [await outcome(model) for _ in range(2)] == ["unreachable"] * 2
    clock.time += 31
    assert [await outcome(model) for _ in range(2)] == ["unreachable", "paused"]
    clock.time += 31
    assert await outcome(model) == "Back."


async def test_only_one_request_tries() -> None:
    inner, clock = ScriptedModel(down(), "Back."), Hands()
    model = Guarded(inner, failures=1, pause=30, clock=clock)
    await outcome(model)
    clock.time += 31
    trying = model.stream(REQUEST)
    await anext(trying)
    assert await outcome(model) == "paused"
    await trying.aclose()
    assert model.state is Circuit.HALF_OPEN


@pytest.mark.parametrize("between", ["An answer.", ModelRefused()])
async def test_any_answer_in_between_starts_the_count_anew(between: str | Exception) -> None:
    model = Guarded(ScriptedModel(down(), between, down(), "Fine."), failures=2, clock=Hands())
    await outcome(model)
    await outcome(model)
    await outcome(model)
    assert await outcome(model) == "Fine."


@pytest.mark.parametrize("fault", [Fault.REJECTED, Fault.TOO_LONG])
async def test_one_threads_own_trouble_does_not_stop_the_others(fault: Fault) -> None:
    model = Guarded(ScriptedModel(down(fault), down(fault), "Fine."), failures=1, clock=Hands())
    assert [await outcome(model) for _ in range(3)] == [fault.value, fault.value, "Fine."]
