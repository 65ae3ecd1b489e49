"""Turns on their way from stored to answered once: a table with leases, fenced by the claim's token."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, RowMapping, and_, case, exists, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from bot.domain import Answer, Place, Reply
from bot.errors import DirectorError
from bot.ports import Claim, Journal, TurnRecord, TurnState
from storage import memory, schema
from storage import turns as values
from storage.errors import StorageError
from storage.fence import ours, require
from storage.intake import SqlIntake, columns, posted
from storage.journal import SqlJournal

log = structlog.get_logger(__name__)

T = TypeVar("T")

MOST_DEATHS = 20  # a bad day of the machine kills innocent turns several times
POLL = 1.0  # seconds; behind the notifications, which may get lost
_MOST_CONFLICTS = 5

_turns = schema.turns


class SqlInbox(SqlIntake):
    """`bot.ports.Inbox` on SQLite or PostgreSQL."""

    async def claim(self, *, worker: str, lease: float, platforms: Collection[str] | None = None) -> Claim | None:
        claiming = asyncio.ensure_future(
            self._db.write(lambda c: self._claim(c, worker, lease, platforms), conflicts=_MOST_CONFLICTS)
        )
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            # The turn may be ours already, and nobody would work on it until the lease ran out.
            with suppress(DirectorError):
                await self._give_back(await claiming)
            raise

    def _claim(
        self, connection: Connection, worker: str, lease: float, platforms: Collection[str] | None
    ) -> Claim | None:
        now = self._db.now(connection)
        while (row := connection.execute(self._next(now, platforms)).mappings().first()) is not None:
            deaths = row["deaths"] + (row["token"] is not None)
            if deaths >= MOST_DEATHS:
                self._close(connection, row, now, deaths, f"The process working on it ended {deaths} times.")
                continue
            try:
                incoming = values.incoming(row)
            except StorageError as error:
                self._close(connection, row, now, deaths, str(error))
                continue
            token = secrets.token_hex(16)
            answered = row["reply"] is not None
            connection.execute(
                update(_turns)
                .where(_turns.c.seq == row["seq"])
                .values(
                    state=(TurnState.ANSWERED if answered else TurnState.RUNNING).value,
                    worker=worker,
                    token=token,
                    lease_until=now + timedelta(seconds=lease),
                    attempts=row["attempts"] + 1,
                    deaths=deaths,
                    not_before=None,
                    updated_at=now,
                )
            )
            return Claim(
                turn_id=row["turn_id"],
                token=token,
                incoming=incoming,
                answer=values.answers(connection, [row]).get(row["turn_id"]),
                attempts=row["attempts"] + 1,
                deaths=deaths,
            )
        return None

    def _next(self, now: datetime, platforms: Collection[str] | None) -> Any:
        """An expired turn can always be retaken; a free one waits for its thread's holder and for earlier ones.

        One predicate for both either deadlocks or lets a dead turn block the head of the line.
        """
        holder, earlier = _turns.alias("holder"), _turns.alias("earlier")
        expired = and_(_turns.c.token.is_not(None), _turns.c.lease_until <= now)
        free = and_(
            _turns.c.token.is_(None),
            or_(_turns.c.not_before.is_(None), _turns.c.not_before <= now),
            ~exists().where(holder.c.queue_key == _turns.c.queue_key, holder.c.token.is_not(None)),
            ~exists().where(
                earlier.c.queue_key == _turns.c.queue_key,
                earlier.c.seq < _turns.c.seq,
                earlier.c.finished_at.is_(None),
            ),
        )
        query = select(_turns).where(_turns.c.finished_at.is_(None), or_(expired, free)).order_by(_turns.c.seq).limit(1)
        if platforms is not None:
            query = query.where(_turns.c.platform.in_(list(platforms)))
        return query if self._db.is_sqlite else query.with_for_update(of=_turns, skip_locked=True)

    def _close(self, connection: Connection, row: RowMapping, now: datetime, deaths: int, reason: str) -> None:
        log.warning("turn_parked", turn_id=row["turn_id"], deaths=deaths)
        parked = _finished(TurnState.PARKED, now) | {"deaths": deaths, "reason": reason}
        connection.execute(update(_turns).where(_turns.c.seq == row["seq"]).values(parked))

    async def _give_back(self, claim: Claim | None) -> None:
        if claim is None:
            return
        untouched = {"state": _waiting_state(), "attempts": claim.attempts - 1}
        await self._fenced(claim, lambda c, now: _set(c, claim, _released(now) | untouched))

    async def heartbeat(self, claim: Claim, *, lease: float) -> bool:
        def renew(connection: Connection, now: datetime) -> bool:
            held = _turns.update().where(ours(claim)).values(lease_until=now + timedelta(seconds=lease))
            return bool(connection.scalar(held.returning(_turns.c.cancel_requested)))

        return await self._fenced(claim, renew)

    async def answered(self, claim: Claim, answer: Answer) -> None:
        def store(connection: Connection, now: datetime) -> None:
            state = connection.scalar(select(_turns.c.state).where(ours(claim)))
            if state == TurnState.ANSWERED.value:
                return  # stored before, and only the word of it got lost
            connection.execute(
                update(_turns)
                .where(ours(claim))
                .values(state=TurnState.ANSWERED.value, reply=answer.reply.model_dump_json(), updated_at=now)
            )
            place = claim.incoming.place
            memory.append(self._db, connection, claim, answer)
            if answer.usage:
                person = claim.incoming.speaker_id
                shared = columns(place) | {"turn_id": claim.turn_id, "person_id": person, "at": now}
                shared.pop("thread")
                connection.execute(
                    schema.usage.insert(), [shared | used.model_dump(mode="json") for used in answer.usage]
                )

        await self._fenced(claim, store)

    async def done(self, claim: Claim) -> None:
        await self._fenced(claim, lambda c, now: _set(c, claim, _finished(TurnState.DONE, now) | {"reason": None}))
        self._wake.ring()

    async def later(self, claim: Claim, *, reason: str, after: float) -> None:
        def give_back(connection: Connection, now: datetime) -> None:
            waiting = {"state": _waiting_state(), "reason": reason, "not_before": now + timedelta(seconds=after)}
            _set(connection, claim, _released(now) | waiting)

        await self._fenced(claim, give_back)
        self._wake.ring()

    async def park(self, claim: Claim, *, reason: str) -> None:
        await self._fenced(claim, lambda c, now: _set(c, claim, _finished(TurnState.PARKED, now) | {"reason": reason}))
        self._wake.ring()

    def journal(self, claim: Claim) -> Journal:
        return SqlJournal(self._db, claim)

    async def wait(self, seconds: float) -> None:
        await self._wake.wait(min(seconds, POLL))

    async def _fenced(self, claim: Claim, work: Callable[[Connection, datetime], T]) -> T:
        def fenced(connection: Connection) -> T:
            require(self._db, connection, claim)
            return work(connection, self._db.now(connection))

        return await self._db.write(fenced, conflicts=_MOST_CONFLICTS)

    async def posted(self, place: Place) -> Reply | None:
        def look(connection: Connection) -> Reply | None:
            found = posted(connection, place)
            return None if found is None or found.reply is None else Reply.model_validate_json(found.reply)

        return await self._db.read(look)

    async def turns(self, *, state: TurnState | None, limit: int) -> Sequence[TurnRecord]:
        query = select(_turns).order_by(_turns.c.seq.desc()).limit(limit)
        if state is not None:
            query = query.where(_turns.c.state == state.value)
        return await self._db.read(lambda c: values.records(c, c.execute(query).mappings().all()))

    async def turn(self, turn_id: str) -> TurnRecord | None:
        query = select(_turns).where(_turns.c.turn_id == turn_id)
        found = await self._db.read(lambda c: values.records(c, c.execute(query).mappings().all()))
        return found[0] if found else None

    async def retry(self, turn_id: str) -> bool:
        def reopen(connection: Connection) -> bool:
            fresh = _released(self._db.now(connection)) | {
                "state": _waiting_state(),
                "finished_at": None,
                "attempts": 0,
                "deaths": 0,
                "reason": None,
                "cancel_requested": False,
            }
            parked = and_(_turns.c.turn_id == turn_id, _turns.c.state == TurnState.PARKED.value)
            return connection.scalar(update(_turns).where(parked).values(fresh).returning(_turns.c.seq)) is not None

        taken_up = await self._db.write(reopen)
        if taken_up:
            self._wake.ring()
        return taken_up

    async def close(self) -> None:
        await self._wake.close()


def _set(connection: Connection, claim: Claim, changed: dict[str, Any]) -> None:
    connection.execute(update(_turns).where(ours(claim)).values(changed))


def _released(now: datetime) -> dict[str, Any]:
    return {"token": None, "lease_until": None, "worker": None, "not_before": None, "updated_at": now}


def _finished(state: TurnState, now: datetime) -> dict[str, Any]:
    return _released(now) | {"state": state.value, "finished_at": now}


def _waiting_state() -> ColumnElement[str]:
    """What a turn is called that nobody holds: only delivery remains once its answer is stored."""
    return case((_turns.c.reply.is_(None), TurnState.NEW.value), else_=TurnState.ANSWERED.value)
