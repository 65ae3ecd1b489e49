"""Plans are kept as versions that are added and never rewritten."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone

import pytest

from bot.errors import UsageError
from bot.planning.plan import Estimate, Plan, WorkItem
from bot.planning.store import StoredPlan
from storage import Store
from tests.storage.examples import AT, place

INITIATIVE = "Split payments from checkout"


def _plan(title: str = "Payments") -> Plan:
    work = WorkItem(id="w1", title="Interface", estimate=Estimate(optimistic=1, likely=2.5, pessimistic=8))
    return Plan(title=title, initiative=INITIATIVE, summary="Two services with one interface.", items=(work,))


async def _add(
    store: Store, key: str, plan: Plan | None = None, workspace: str = "T1", raw: str | None = None
) -> StoredPlan:
    return await store.plans.add(
        request_key=key,
        place=place(workspace=workspace),
        author_id="U1",
        initiative=INITIATIVE,
        plan=plan,
        raw=raw,
        at=AT,
    )


async def _revise(store: Store, plan_id: str, key: str, plan: Plan, workspace: str = "T1") -> StoredPlan:
    return await store.plans.revise(
        plan_id=plan_id,
        workspace=workspace,
        request_key=key,
        author_id="U2",
        plan=plan,
        raw=None,
        at=AT + timedelta(days=1),
    )


async def test_a_new_plan_is_kept_whole_as_version_one(store: Store):
    kept = await _add(store, "r1", _plan())
    expected = StoredPlan(
        id="p1",
        version=1,
        place=place(),
        author_id="U1",
        initiative=INITIATIVE,
        plan=_plan(),
        raw=None,
        created_at=AT,
    )
    assert (kept, await store.plans.get("p1", workspace="T1")) == (expected, expected)


async def test_the_same_request_gives_the_plan_stored_before(store: Store):
    first = await _add(store, "r1", _plan("First draft"))
    again = await _add(store, "r1", _plan("Another draft of the same request"))
    elsewhere = await _add(store, "r1", _plan(), workspace="T2")
    assert (again, elsewhere.id) == (first, "p2")


async def test_one_request_repeated_at_once_is_one_plan(store: Store):
    kept = await asyncio.gather(*(_add(store, "r1", _plan()) for _ in range(6)))
    assert len({plan.id for plan in kept}) == 1
    assert len(await store.plans.plans(workspace=None, limit=10)) == 1


async def test_words_that_are_no_plan_are_kept_as_they_are(store: Store):
    kept = await _add(store, "r1", None, raw='{"title": "half a pl')
    assert (kept.plan, kept.raw) == (None, '{"title": "half a pl')


async def test_revising_adds_a_version_and_leaves_the_earlier_one(store: Store):
    first = await _add(store, "r1", _plan())
    second = await _revise(store, "p1", "r2", _plan("Payments, smaller"))
    assert (second.version, second.author_id, second.created_at) == (2, "U2", AT + timedelta(days=1))
    assert await store.plans.get("p1", workspace="T1") == second
    assert await store.plans.get("p1", workspace="T1", version=1) == first
    assert await store.plans.get("p1", workspace="T1", version=3) is None
    assert await _revise(store, "p1", "r2", _plan("The same request again")) == second


async def test_revisions_made_at_once_all_get_a_number(store: Store):
    await _add(store, "r0", _plan())
    kept = await asyncio.gather(*(_revise(store, "p1", f"r{n}", _plan(f"No. {n}")) for n in range(1, 7)))
    assert sorted(plan.version for plan in kept) == [2, 3, 4, 5, 6, 7]


async def test_a_plan_is_seen_only_in_its_workspace_and_by_the_operator(store: Store):
    kept = await _add(store, "r1", _plan())
    assert await store.plans.get("p1", workspace="T2") is None
    assert await store.plans.get("p1", workspace=None) == kept
    with pytest.raises(UsageError, match="There is no plan p1"):
        await _revise(store, "p1", "r2", _plan(), workspace="T2")


@pytest.mark.parametrize("unknown", ["p2", "s1", "p", "p01", "p-1", "p1; --", "p99999999999999999999", ""])
async def test_an_unknown_id_is_no_plan(store: Store, unknown: str):
    await _add(store, "r1", _plan())
    assert await store.plans.get(unknown, workspace=None) is None
    with pytest.raises(UsageError, match="There is no plan"):
        await _revise(store, unknown, "r2", _plan())


async def test_plans_are_listed_newest_first_with_their_latest_version(store: Store):
    for number in range(1, 4):
        await _add(store, f"r{number}", _plan())
    await _add(store, "r1", _plan(), workspace="T2")
    await _revise(store, "p1", "r9", _plan("Newer"))
    listed = await store.plans.plans(workspace="T1", limit=10)
    assert [(plan.id, plan.version) for plan in listed] == [("p3", 1), ("p2", 1), ("p1", 2)]
    assert [plan.id for plan in await store.plans.plans(workspace=None, limit=2)] == ["p4", "p3"]


async def test_an_instant_keeps_its_meaning_in_any_zone(store: Store):
    berlin = datetime(2026, 11, 23, 9, 0, tzinfo=timezone(timedelta(hours=1)))
    kept = await store.plans.add(
        request_key="r1", place=place(), author_id=None, initiative="x", plan=_plan(), raw=None, at=berlin
    )
    assert (kept.created_at, kept.created_at.utcoffset()) == (AT, timedelta(0))
