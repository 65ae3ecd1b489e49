"""Schedules belong to a channel, are made once per request, and their ids are never used again."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.domain import Place
from bot.schedules import Schedule
from storage import Store
from tests.storage.examples import AT

LATER = AT + timedelta(hours=3)


async def _add(store: Store, key: str = "r1", channel: str = "C1", workspace: str = "T1") -> Schedule:
    return await store.schedules.add(
        request_key=key,
        place=Place(platform="slack", workspace=workspace, channel=channel),
        channel_name="backend",
        what="digest",
        days=(0, 4),
        time="08:30",
        zone="Europe/Berlin",
        services=("checkout", "payments"),
        created_by="U1",
        at=AT,
    )


MADE = Schedule(
    id="s1",
    place=Place(platform="slack", workspace="T1", channel="C1"),
    channel_name="backend",
    what="digest",
    days=(0, 4),
    time="08:30",
    zone="Europe/Berlin",
    services=("checkout", "payments"),
    created_by="U1",
    created_at=AT,
    active_since=AT,
    paused=False,
)


async def test_a_schedule_is_kept_whole(store: Store):
    assert await _add(store) == MADE
    assert await store.schedules.get("s1", workspace="T1") == MADE


async def test_the_same_request_makes_one_schedule(store: Store):
    made = await asyncio.gather(*(_add(store) for _ in range(6)))
    assert set(made) == {made[0]}
    assert await store.schedules.active() == (made[0],)


async def test_schedules_are_listed_by_workspace_and_channel(store: Store):
    for key, channel, workspace in (("a", "C1", "T1"), ("b", "C2", "T1"), ("c", "C1", "T2")):
        await _add(store, key, channel, workspace)

    async def ids(workspace: str | None, channel: str | None) -> list[str]:
        return [one.id for one in await store.schedules.schedules(workspace=workspace, channel=channel)]

    assert await ids("T1", None) == ["s1", "s2"]
    assert await ids("T1", "C1") == ["s1"]
    assert await ids(None, None) == ["s1", "s2", "s3"]
    assert [one.id for one in await store.schedules.active()] == ["s1", "s2", "s3"]


async def test_a_paused_schedule_sleeps_until_it_is_resumed(store: Store):
    await _add(store)
    paused = await store.schedules.set_paused("s1", workspace="T1", paused=True, at=LATER)
    assert paused == MADE.model_copy(update={"paused": True})
    assert await store.schedules.active() == ()
    resumed = await store.schedules.set_paused("s1", workspace="T1", paused=False, at=LATER)
    assert resumed == MADE.model_copy(update={"active_since": LATER})
    assert await store.schedules.active() == (resumed,)


async def test_resuming_what_runs_skips_no_slot(store: Store):
    await _add(store)
    assert await store.schedules.set_paused("s1", workspace="T1", paused=False, at=LATER) == MADE


async def test_a_removed_schedule_is_gone_and_its_id_with_it(store: Store):
    await _add(store)
    assert await store.schedules.remove("s1", workspace="T1")
    assert not await store.schedules.remove("s1", workspace="T1")
    assert await store.schedules.get("s1", workspace=None) is None
    assert await store.schedules.set_paused("s1", workspace=None, paused=True, at=LATER) is None
    assert await store.schedules.schedules(workspace=None, channel=None) == ()
    assert await store.schedules.active() == ()
    assert (await _add(store, "r2")).id == "s2"


async def test_a_repeated_request_does_not_bring_a_removed_schedule_back(store: Store):
    await _add(store)
    await store.schedules.remove("s1", workspace="T1")
    await _add(store)
    assert await store.schedules.active() == ()


async def test_a_schedule_cannot_be_touched_from_another_workspace(store: Store):
    await _add(store)
    assert await store.schedules.get("s1", workspace="T2") is None
    assert await store.schedules.set_paused("s1", workspace="T2", paused=True, at=LATER) is None
    assert not await store.schedules.remove("s1", workspace="T2")
    assert await store.schedules.get("s1", workspace=None) == MADE


@pytest.mark.parametrize("unknown", ["s2", "p1", "1", "s1 ", "s٣"])
async def test_an_unknown_id_is_no_schedule(store: Store, unknown: str):
    await _add(store)
    assert await store.schedules.get(unknown, workspace=None) is None
    assert not await store.schedules.remove(unknown, workspace=None)
