"""Whatever the workers do, the inbox behaves like a few lines of plain Python over a list."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from bot.domain import IncomingKind
from bot.ports import Claim, LeaseLost, TurnState
from storage import open_store
from storage.inbox import MOST_DEATHS
from tests.doubles.postgres import PostgresServer
from tests.storage.examples import EXPIRED, answer, ask, place

FUTURE = 3600.0
OPEN = (TurnState.NEW, TurnState.RUNNING, TurnState.ANSWERED)


@dataclass(kw_only=True)
class Turn:
    name: str
    queue: str
    state: TurnState = TurnState.NEW
    token: str | None = None
    expired: bool = False
    waits: bool = False
    answered: bool = False
    attempts: int = 0
    deaths: int = 0

    @property
    def waiting_state(self) -> TurnState:
        return TurnState.ANSWERED if self.answered else TurnState.NEW

    def leave(self, state: TurnState, *, waits: bool = False) -> None:
        self.state, self.token, self.expired, self.waits = state, None, False, waits


class InboxMachine(RuleBasedStateMachine):
    url: str

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._store = open_store(self.fresh_url())
        self._inbox = self._store.inbox
        self._turns: list[Turn] = []
        self._claims: list[Claim] = []  # all that were ever made, so that late writes are tried too
        self._ids: dict[str, str] = {}

    def fresh_url(self) -> str:
        raise NotImplementedError

    def _run(self, work):
        return self._loop.run_until_complete(work)

    # --- the model

    def _by_id(self, claim: Claim) -> Turn:
        return next(turn for turn in self._turns if turn.name == claim.incoming.text)

    def _expected(self) -> Turn | None:
        for turn in self._turns:
            if turn.state not in OPEN:
                continue
            if turn.token is not None:
                if not turn.expired:
                    continue
                turn.deaths += 1
                if turn.deaths >= MOST_DEATHS:
                    turn.leave(TurnState.PARKED)
                    continue
                return turn
            others = [other for other in self._turns if other.queue == turn.queue and other is not turn]
            earlier = self._turns[: self._turns.index(turn)]
            if any(other.token is not None for other in others):
                continue
            if turn.waits or any(other.state in OPEN and other.queue == turn.queue for other in earlier):
                continue
            return turn
        return None

    # --- what people and workers do

    @rule(thread=st.sampled_from(["1.0", "2.0", ""]), kind=st.sampled_from([IncomingKind.ASK, IncomingKind.COMMAND]))
    def put(self, thread: str, kind: IncomingKind) -> None:
        name = f"turn {len(self._turns)}"
        assert self._run(self._inbox.put(ask(name, where=place(thread), key=name, kind=kind)))
        alone = thread == "" and kind is IncomingKind.COMMAND
        self._turns.append(Turn(name=name, queue=name if alone else thread))

    @precondition(lambda self: self._turns)
    @rule(data=st.data())
    def put_again(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self._turns)).name
        assert not self._run(self._inbox.put(ask(name, key=name)))

    @rule(lease=st.sampled_from([EXPIRED, FUTURE]))
    def claim(self, lease: float) -> None:
        expected = self._expected()
        claim = self._run(self._inbox.claim(worker="w", lease=lease))
        assert (claim and claim.incoming.text) == (expected and expected.name)
        if claim is None or expected is None:
            return
        expected.token, expected.expired, expected.waits = claim.token, lease == EXPIRED, False
        expected.state = TurnState.ANSWERED if expected.answered else TurnState.RUNNING
        expected.attempts += 1
        assert (claim.attempts, claim.deaths) == (expected.attempts, expected.deaths)
        assert (claim.answer is not None) == expected.answered
        self._claims.append(claim)
        self._ids[expected.name] = claim.turn_id

    @precondition(lambda self: self._claims)
    @rule(
        data=st.data(), what=st.sampled_from(["answered", "done", "park", "later", "later today", "beat", "last beat"])
    )
    def write(self, data: st.DataObject, what: str) -> None:
        claim = data.draw(st.sampled_from(self._claims[-6:]))
        turn = self._by_id(claim)
        ours = turn.token == claim.token
        try:
            self._run(self._written(claim, turn, what, ours=ours))
        except LeaseLost:
            assert not ours
        else:
            assert ours

    async def _written(self, claim: Claim, turn: Turn, what: str, *, ours: bool) -> None:
        match what:
            case "answered":
                await self._inbox.answered(claim, answer(claim.incoming.text))
                if ours:
                    turn.answered, turn.state = True, TurnState.ANSWERED
            case "done":
                await self._inbox.done(claim)
                turn.leave(TurnState.DONE)
            case "park":
                await self._inbox.park(claim, reason="refused")
                turn.leave(TurnState.PARKED)
            case "later" | "later today":
                waits = what == "later today"
                await self._inbox.later(claim, reason="busy", after=FUTURE if waits else 0)
                turn.leave(turn.waiting_state, waits=waits)
            case _:
                lease = EXPIRED if what == "last beat" else FUTURE
                await self._inbox.heartbeat(claim, lease=lease)
                turn.expired = lease == EXPIRED

    @precondition(lambda self: self._ids)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self._ids)))
        turn = next(turn for turn in self._turns if turn.name == name)
        assert self._run(self._inbox.retry(self._ids[name])) == (turn.state is TurnState.PARKED)
        if turn.state is TurnState.PARKED:
            turn.leave(turn.waiting_state)
            turn.attempts = turn.deaths = 0

    @invariant()
    def holds_what_the_list_holds(self) -> None:
        kept = self._run(self._inbox.turns(state=None, limit=1000))
        assert [(one.incoming.text, one.state, one.attempts, one.deaths, one.answer is not None) for one in kept] == [
            (one.name, one.state, one.attempts, one.deaths, one.answered) for one in reversed(self._turns)
        ]

    def teardown(self) -> None:
        self._run(self._store.close())
        self._run(self._loop.shutdown_default_executor())
        self._loop.close()


def _try(machine: type[InboxMachine], examples: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_inbox_on_sqlite_behaves_like_a_list(sqlite_template: Path):
    with tempfile.TemporaryDirectory() as folder:

        class OnSqlite(InboxMachine):
            made = 0

            def fresh_url(self) -> str:
                type(self).made += 1
                file = Path(folder) / f"{self.made}.db"
                shutil.copy(sqlite_template, file)
                return f"sqlite:///{file}"

        _try(OnSqlite, 150)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_inbox_on_postgresql_behaves_like_a_list(postgres_server: PostgresServer, postgres_template: str):
    class OnPostgres(InboxMachine):
        def fresh_url(self) -> str:
            self.url = postgres_server.database(template=postgres_template)
            return self.url

        def teardown(self) -> None:
            super().teardown()
            postgres_server.drop(self.url)

    _try(OnPostgres, 60)
