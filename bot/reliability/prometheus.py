"""Prometheus and everything that speaks its HTTP API (Thanos, Mimir, VictoriaMetrics) as a source of events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from bot.reliability.answers import Answers
from bot.reliability.asking import Asking
from bot.reliability.buckets import finite_buckets, no_bucket
from bot.reliability.counting import Counting
from bot.reliability.definitions import Threshold
from bot.reliability.hours import HOUR, Forgetful, HourStore
from bot.reliability.metrics import Ask, Failed, Measured, Method
from bot.reliability.prometheus_client import PrometheusClient, QueryFailed, Round
from bot.reliability.recall import Recall
from bot.reliability.turns import Turns

MOST_SAMPLES = 50_000_000


def _system_time() -> datetime:
    return datetime.now(UTC)


class Prometheus:
    """One server. `timeout` bounds each query, `max_samples` what it reads; eight run at a time. Close it when done.

    `hours` remembers closed hours; `clock` says which hours are closed.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        tenant: str | None = None,
        ca: Path | None = None,
        timeout: float = 20.0,
        stale_after: timedelta = HOUR,
        max_samples: int = MOST_SAMPLES,
        hours: HourStore | None = None,
        clock: Callable[[], datetime] = _system_time,
    ) -> None:
        self.client = PrometheusClient(url, token=token, tenant=tenant, ca=ca, timeout=timeout)
        self._stale_after, self._max_samples = stale_after, max_samples
        self._hours: HourStore = hours if hours is not None else Forgetful()
        self._clock = clock

    @property
    def identity(self) -> str:
        """Address and tenant, without credentials: what is remembered belongs to it."""
        return self.client.identity

    async def measure(self, asks: Sequence[Ask], at: datetime, *, method: Method) -> Sequence[Measured | Failed]:
        if not asks:
            return []
        await self.client.version()
        questions = Round(self.client)
        asking = Asking(questions, self._max_samples)
        counting = Counting(
            asks,
            at,
            asking=asking,
            recall=Recall(self._hours, self.client.identity, self._clock()),
            stale_after=self._stale_after,
        )
        answers = Answers(counting, source=self.client.source, server=self.client.server)
        await answers.count(method)
        found: list[Measured | Failed] = []
        sound: list[Ask] = []
        turns = Turns()
        for ask in asks:
            answer = _gone(answers.of(ask), questions)
            if isinstance(answer, Measured) and not answer.matched and ask.indicator.threshold is not None:
                answer = await _without_bucket(ask.indicator.threshold, answer, questions, at)
            else:
                sound += [ask] if isinstance(answer, Measured) else []
            found.append(answer)
            await turns.give()
        await counting.keep(sound)
        return found

    async def buckets(self, selector: str, at: datetime) -> tuple[Decimal, ...]:
        """The finite `le` values of these buckets at this time, lowest first. Raises `QueryFailed`."""
        return await _buckets(Round(self.client), selector, at)

    async def check(self) -> str:
        return await self.client.check()

    async def close(self) -> None:
        await self.client.close()


def _gone(answer: Measured | Failed, questions: Round) -> Measured | Failed:
    """Who fell silent for good can't be reached, even where something was answered before."""
    silence = questions.failure
    if isinstance(answer, Failed) and silence is not None and silence.unreachable and answer.sentence == str(silence):
        return replace(answer, unreachable=True)
    return answer


async def _buckets(questions: Round, selector: str, at: datetime) -> tuple[Decimal, ...]:
    series = await questions.instant(f"group by (le) (last_over_time({selector}[1d]))", at)
    return finite_buckets(item.labels.get("le", "") for item in series)


async def _without_bucket(threshold: Threshold, answer: Measured, questions: Round, at: datetime) -> Measured | Failed:
    """What to say of a latency whose bucket was not found: which ones there are, if there are any."""
    sentence, unreachable = None, False
    try:
        known = await _buckets(questions, threshold.buckets, at)
        if known and threshold.seconds not in known:
            sentence = no_bucket(threshold.seconds, known)
    except QueryFailed as failure:
        sentence, unreachable = str(failure), failure.unreachable and not failure.timed_out
    if sentence is None:
        return answer
    return Failed(sentence=sentence, queries=answer.queries, source=answer.source, unreachable=unreachable)
