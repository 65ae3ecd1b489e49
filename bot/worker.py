"""Takes turns from the inbox, one per thread at a time: claim, heartbeat, answer, deliver, recover."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from bot.domain import (
    Address,
    Answer,
    Audience,
    Incoming,
    IncomingKind,
    Place,
    Reply,
    Said,
    Text,
    Thread,
)
from bot.errors import DirectorError, StoreFailed
from bot.lease import Lease, Stopped
from bot.ports import CannotPost, Chat, Claim, Clock, Delivery, DeliveryFailed, Inbox, LeaseLost, Memory
from bot.turn import Answers, NothingToSay, Turn

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long things may take, in seconds, and how many turns run at once.

    `lease` must be longer than any single call to a chat platform may take. `turn` bounds the making of one answer;
    the conversation's own limit ends earlier. `pulse` is how often a running turn renews its lease and looks for Stop.
    `attempts` let a platform be away for about a day; `breaks` and `deaths` bound what is wrong with the turn itself.
    """

    turns_at_once: int = 8
    lease: float = 15.0
    pulse: float = 1.0
    turn: float = 300.0
    idle: float = 1.0
    earlier_messages: int = 20
    first_retry: float = 2.0
    longest_retry: float = 300.0
    attempts: int = 300
    breaks: int = 12
    deaths: int = 10  # fewer than the inbox allows, so that the asker still hears of it


class Worker:
    """Runs until its task is cancelled or `drain` ends it; may run beside other workers on the same inbox."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        memory: Memory,
        director: Answers,
        chats: Mapping[str, Chat],
        clock: Clock,
        pace: Pace | None = None,
    ) -> None:
        self._inbox = inbox
        self._memory = memory
        self._director = director
        self._chats = chats
        self._clock = clock
        self._pace = pace or Pace()
        self._name = uuid.uuid4().hex[:12]
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    @property
    def busy(self) -> int:
        """How many turns are being worked on."""
        return len(self._running)

    async def run(self) -> None:
        """Work until `drain`. A database that can't be reached is waited for, never fatal."""
        room = asyncio.Semaphore(self._pace.turns_at_once)
        while True:
            await room.acquire()
            if self._stopping.is_set():
                return
            claim = await self._claim()
            if claim is None:
                room.release()
                continue
            if self._stopping.is_set():  # while it was claimed
                with contextlib.suppress(DirectorError):
                    await self._inbox.later(claim, reason="the process stopped", after=0)
                return
            task = asyncio.create_task(self._work(claim), name=f"turn {claim.turn_id}")
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            task.add_done_callback(lambda _: room.release())

    async def drain(self, seconds: float) -> None:
        """Take no more turns; let running ones finish for so long, then give them back for another worker."""
        self._stopping.set()
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)
        for task in self._running:
            task.cancel("drain")
        if self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _claim(self) -> Claim | None:
        try:
            claim = await self._inbox.claim(worker=self._name, lease=self._pace.lease, platforms=frozenset(self._chats))
            if claim is None and not self._stopping.is_set():
                await self._inbox.wait(self._pace.idle)
        except DirectorError as error:
            log.warning("inbox_unavailable", error=str(error))
            await asyncio.sleep(self._pace.idle)
            return None
        return claim

    async def _work(self, claim: Claim) -> None:
        """The outermost edge of a turn: nothing that goes wrong in one turn may reach another."""
        bound = log.bind(turn=claim.turn_id, kind=claim.incoming.kind.value)
        try:
            chat = self._chats[claim.incoming.place.platform]
            delivery = chat.delivery(_address(claim), self._inbox.journal(claim))
            try:
                await self._turn(claim, chat, delivery)
            except asyncio.CancelledError:
                await delivery.abandon()
                with contextlib.suppress(DirectorError):
                    await self._inbox.later(claim, reason="the process stopped", after=0)
                raise
        except LeaseLost:
            bound.info("turn_taken_over")
        except DirectorError as error:
            # The store failed us. When it is still away, the lease runs out and the turn is taken up again.
            bound.warning("turn_interrupted", error=str(error))
            with contextlib.suppress(DirectorError):
                await self._put_back(claim, str(error), None)
        except Exception:  # noqa: BLE001  # logged with its traceback
            bound.exception("turn_broke")
            with contextlib.suppress(DirectorError):
                await self._put_back(claim, "an unexpected error while delivering", None, self._pace.breaks)

    async def _turn(self, claim: Claim, chat: Chat, delivery: Delivery) -> None:
        try:
            async with Lease(self._inbox, claim, seconds=self._pace.lease, pulse=self._pace.pulse) as lease:
                answer = claim.answer
                if answer is None:
                    hopeless = claim.deaths >= self._pace.deaths
                    answer = _hopeless(claim) if hopeless else await self._answer(claim, chat, delivery, lease)
                    await self._inbox.answered(claim, answer)
                # A process that was frozen past its lease must post nothing when it wakes.
                await lease.renew()
                await delivery.finish(answer.reply)
                await self._inbox.done(claim)
        except NothingToSay as nothing:
            log.info("turn_without_answer", turn=claim.turn_id, reason=str(nothing))
            await self._inbox.done(claim)
        except DeliveryFailed as failure:
            await delivery.abandon()
            await self._put_back(claim, str(failure), failure.retry_after)
        except CannotPost as refusal:
            log.warning("answer_refused_by_platform", turn=claim.turn_id, error=str(refusal))
            await self._tell_asker(claim, refusal)
            await self._inbox.park(claim, reason=str(refusal))

    async def _answer(self, claim: Claim, chat: Chat, delivery: Delivery, lease: Lease) -> Answer:
        """An answer in any case: what goes wrong is said, with what was asked kept."""
        incoming = claim.incoming
        try:
            with lease.stoppable():
                async with asyncio.timeout(self._pace.turn):
                    turn = await self._prepare(claim, chat, delivery)
                    return await self._director.answer(turn)
        except (NothingToSay, LeaseLost, StoreFailed):
            raise
        except Stopped:
            return Answer(reply=_plain("Stopped, as asked. Nothing of this answer was kept.", incoming))
        except DirectorError as error:
            return Answer(reply=_plain(str(error), incoming))
        except TimeoutError:
            log.warning("turn_out_of_time", turn=claim.turn_id)
            return Answer(
                reply=_plain(
                    f"This took longer than {self._pace.turn:.0f} seconds and I stopped. "
                    "Nothing was changed; please ask again, perhaps for less at once.",
                    incoming,
                )
            )
        except Exception:
            reference = uuid.uuid4().hex[:8]
            log.exception("answer_broke", turn=claim.turn_id, reference=reference)
            return Answer(
                reply=_plain(
                    f"Something went wrong on my side (reference {reference}). Your request is kept; "
                    "please ask again, and give the reference to whoever runs me if it happens twice.",
                    incoming,
                )
            )

    async def _prepare(self, claim: Claim, chat: Chat, delivery: Delivery) -> Turn:
        incoming = claim.incoming
        place = incoming.place
        person = None
        thread, root = Thread(), None
        before: tuple[Said, ...] = ()
        if incoming.speaker_id is not None and incoming.kind in (IncomingKind.ASK, IncomingKind.COMMAND):
            person = await chat.person(place, incoming.speaker_id)
        if incoming.kind is IncomingKind.ASK:
            thread = await self._memory.thread(place)
            if place.thread:
                root = await self._inbox.posted(place)
                before = await chat.before(place, question=incoming.question, limit=self._pace.earlier_messages)
        return Turn(
            id=claim.turn_id,
            incoming=incoming,
            person=person,
            thread=thread,
            before=before,
            root=root,
            now=self._clock.now(),
            write=delivery.write,
            status=delivery.status,
        )

    async def _put_back(
        self, claim: Claim, reason: str, retry_after: float | None, attempts: int | None = None
    ) -> None:
        if claim.attempts >= (self._pace.attempts if attempts is None else attempts):
            log.error("turn_parked", turn=claim.turn_id, reason=reason, attempts=claim.attempts)
            await self._inbox.park(claim, reason=reason)
            return
        after = retry_after
        if after is None:
            doublings = min(claim.attempts - 1, 20)
            after = min(self._pace.first_retry * 2.0**doublings, self._pace.longest_retry)
        log.info("turn_put_back", turn=claim.turn_id, reason=reason, after=after)
        await self._inbox.later(claim, reason=reason, after=after)

    async def _tell_asker(self, claim: Claim, refusal: CannotPost) -> None:
        incoming = claim.incoming
        if incoming.kind is IncomingKind.NOTICE or incoming.speaker_id is None:
            return
        place = incoming.place
        what, slot = "my answer", incoming.slot
        if slot is not None:
            where = f" in #{incoming.channel_name}" if incoming.channel_name else ""
            what = f"the {incoming.text} of schedule {slot.schedule_id}{where}"
        kept = f"It is kept; whoever runs me can post it with `director inbox retry {claim.turn_id}`."
        if slot is not None:
            kept += f" `schedule pause {slot.schedule_id}` stops the schedule, `remove {slot.schedule_id}` ends it."
        await self._inbox.put(
            Incoming(
                kind=IncomingKind.NOTICE,
                dedupe_key=f"notice:{claim.turn_id}",
                place=Place(platform=place.platform, workspace=place.workspace, channel=incoming.speaker_id),
                text=f"I could not post {what}: {refusal} {kept}",
                received_at=self._clock.now(),
                speaker_id=incoming.speaker_id,
            )
        )


def _address(claim: Claim) -> Address:
    incoming = claim.incoming
    return Address(
        turn_id=claim.turn_id,
        place=incoming.place,
        asker=incoming.speaker_id,
        asker_home=incoming.speaker_home,
        question=incoming.question,
        asked_at=incoming.received_at,
    )


def _hopeless(claim: Claim) -> Answer:
    log.error("turn_hopeless", turn=claim.turn_id, deaths=claim.deaths)
    text = (
        f"I began to answer this {claim.deaths} times, and each time my process ended before I was done, so I stopped "
        f"trying. Please ask again; whoever runs me finds it as turn {claim.turn_id}."
    )
    return Answer(reply=_plain(text, claim.incoming))


def _plain(text: str, incoming: Incoming) -> Reply:
    private = incoming.kind is IncomingKind.COMMAND
    return Reply(
        summary=text,
        parts=(Text(markdown=text),),
        audience=Audience.ASKER if private else Audience.ALL,
    )
