"""Workers hear of turns at once; edges' writes go first."""

from __future__ import annotations

import asyncio
import threading

import pytest

from storage import open_store
from storage.address import parse
from storage.lanes import Lane
from storage.wake import Wake
from tests.doubles.postgres import PostgresServer
from tests.storage.examples import ask


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_another_replica_hears_of_a_turn_also_after_its_connection_was_lost(
    url: str, postgres_server: PostgresServer
):
    bell = Wake(parse(url))
    async with open_store(url) as replica, asyncio.timeout(40):
        await bell.wait(30)  # rings once when it begins to listen
        for round_ in range(2):
            await replica.inbox.put(ask())
            await bell.wait(30)
            assert round_ == 1 or postgres_server.disconnect(url, application="director-listen") == 1
            if round_ == 0:
                await bell.wait(30)  # it listens again
    await bell.close()


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_a_listener_without_a_server_only_leaves_the_poll(url: str):
    bell = Wake(parse("postgresql://me@127.0.0.1:1/director"))
    async with asyncio.timeout(20):
        await bell.wait(0.01)
        await bell.close()


def test_urgent_jobs_go_before_those_that_wait():
    lane, gate, order = Lane("test", 1), threading.Event(), []
    running = lane.submit(lambda: gate.wait(30))
    for name, urgency in (("claim", 1), ("heartbeat", 1), ("put", 0)):
        lane.submit(lambda name=name: order.append(name), urgency=urgency)
    gate.set()
    lane.close(30)
    assert (running.result(), order) == (True, ["put", "claim", "heartbeat"])


def test_a_job_that_fails_harms_no_other():
    lane = Lane("test", 1)
    failed, fine = lane.submit(lambda: 1 / 0), lane.submit(lambda: "fine")
    with pytest.raises(ZeroDivisionError):
        failed.result(30)
    assert fine.result(30) == "fine"
    lane.close(30)
    with pytest.raises(RuntimeError, match="closed"):
        lane.submit(lambda: None)


def test_a_job_given_up_before_it_began_never_runs():
    lane, gate, ran = Lane("test", 1), threading.Event(), []
    lane.submit(lambda: gate.wait(30))
    given_up = lane.submit(lambda: ran.append("given up"))
    given_up.cancel()
    gate.set()
    lane.close(30)
    assert ran == []
