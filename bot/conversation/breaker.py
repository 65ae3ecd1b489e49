"""A circuit breaker around a model (Nygard, Release It!): what keeps failing is left alone for a while."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from enum import StrEnum

import structlog

from bot.conversation.model import Fault, Model, ModelEvent, ModelRefused, ModelRequest, ModelUnavailable, Whole

log = structlog.get_logger(__name__)

# What says nothing about the model's health: the next request may well succeed.
_NOT_ITS_FAULT = frozenset({Fault.REJECTED, Fault.TOO_LONG, Fault.LIMIT})


class Circuit(StrEnum):
    CLOSED = "closed"  # requests go through
    OPEN = "open"  # requests fail at once
    HALF_OPEN = "half_open"  # one request may try


class Guarded:
    """A model that fails fast for `pause` seconds after `failures` failures in a row; then one request tries again."""

    def __init__(
        self, model: Model, *, failures: int = 3, pause: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._model = model
        self._limit = failures
        self._pause = pause
        self._clock = clock
        self._failures = 0
        self._opened_at: float | None = None
        self._trying = False

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def notice(self) -> str | None:
        return self._model.notice

    @property
    def state(self) -> Circuit:
        if self._opened_at is None:
            return Circuit.CLOSED
        return Circuit.HALF_OPEN if self._clock() >= self._opened_at + self._pause else Circuit.OPEN

    async def warm_up(self) -> None:
        await self._model.warm_up()

    async def close(self) -> None:
        await self._model.close()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        state = self.state
        if state is Circuit.OPEN or (state is Circuit.HALF_OPEN and self._trying):
            raise ModelUnavailable(
                "it failed several times in a row and is given a short rest", fault=Fault.PAUSED, retryable=True
            )
        self._trying = state is Circuit.HALF_OPEN
        try:
            async with aclosing(self._model.stream(request)) as events:
                async for event in events:
                    if isinstance(event, Whole):
                        self._answered()  # here: whoever has the whole message stops listening
                    yield event
        except ModelUnavailable as error:
            if error.fault not in _NOT_ITS_FAULT:
                self._failed(error)
            raise
        except ModelRefused:
            self._answered()
            raise
        finally:
            self._trying = False

    def _failed(self, error: ModelUnavailable) -> None:
        self._failures += 1
        if self._failures >= self._limit or self._opened_at is not None:
            self._opened_at = self._clock()
            log.warning("model.circuit_opened", failures=self._failures, fault=error.fault.value, seconds=self._pause)

    def _answered(self) -> None:
        if self._opened_at is not None:
            log.info("model.circuit_closed")
        self._failures = 0
        self._opened_at = None
