"""Conversations that a platform told of are found again as they were last heard of, until the Director is removed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.references import ConversationReference, References
from storage import Store, open_store
from tests.doubles.stores import MemoryReferences
from tests.storage.examples import AT

TENANT = "11111111-2222-4333-8444-555555555555"
ELSEWHERE = "99999999-2222-4333-8444-555555555555"
CHANNEL = "19:pay-ments_1@thread.tacv2"
TEAM = "19:team@thread.tacv2"
DANA = "aaaaaaaa-0000-4000-8000-000000000001"


def channel(conversation: str = CHANNEL, **changes: Any) -> ConversationReference:
    return ConversationReference.model_validate(
        {
            "platform": "teams",
            "workspace": TENANT,
            "conversation": conversation,
            "kind": "channel",
            "service_url": "https://smba.trafficmanager.net/emea/",
            "name": "payments",
            "team_id": TEAM,
            "known_at": AT,
        }
        | changes
    )


def personal(conversation: str = "a:dana", person_id: str = DANA, **changes: Any) -> ConversationReference:
    kept = {"kind": "personal", "name": "", "team_id": None, "person_id": person_id}
    return channel(conversation, **(kept | changes))


async def _find(references: References, conversation: str, workspace: str = TENANT) -> ConversationReference | None:
    return await references.find(platform="teams", workspace=workspace, conversation=conversation)


async def test_a_conversation_is_found_whole_by_its_own_id_in_its_own_tenant(store: Store):
    for reference in (channel(), personal(), channel("19:group@thread.v2", kind="group", name="", team_id=None)):
        await store.references.remember(reference)
        assert await _find(store.references, reference.conversation) == reference
    assert await _find(store.references, CHANNEL, ELSEWHERE) is None
    assert await store.references.find(platform="slack", workspace=TENANT, conversation=CHANNEL) is None
    assert await _find(store.references, CHANNEL.upper()) is None


async def test_what_is_heard_later_stands_and_what_is_not_said_is_not_forgotten(store: Store):
    later = AT + timedelta(days=3)
    await store.references.remember(channel())
    await store.references.remember(channel(service_url="https://eu.example/", name="", team_id=None, known_at=later))
    assert await _find(store.references, CHANNEL) == channel(service_url="https://eu.example/", known_at=later)
    await store.references.remember(channel(name="billing", team_id="19:other", known_at=later))
    assert await _find(store.references, CHANNEL) == channel(name="billing", team_id="19:other", known_at=later)
    await store.references.remember(personal())
    await store.references.remember(personal().model_copy(update={"person_id": None, "known_at": later}))
    assert await _find(store.references, "a:dana") == personal(known_at=later)


async def test_a_forgotten_conversation_is_gone_and_may_come_back_without_its_past(store: Store):
    await store.references.remember(channel())
    await store.references.remember(personal())
    await store.references.forget(platform="teams", workspace=TENANT, conversation=CHANNEL)
    assert await store.references.all(platform="teams") == (personal(),)
    await store.references.forget(platform="teams", workspace=TENANT, conversation=CHANNEL)
    fresh = channel(name="", team_id=None)
    await store.references.remember(fresh)
    assert await _find(store.references, CHANNEL) == fresh


async def test_forgetting_a_team_forgets_its_channels_and_nobody_elses(store: Store):
    general = channel(TEAM, name="general")
    other, far = channel("19:other@thread.tacv2", team_id="19:other"), channel(workspace=ELSEWHERE)
    for reference in (channel(), general, other, far, personal()):
        await store.references.remember(reference)
    await store.references.forget(platform="teams", workspace=TENANT, conversation=TEAM)
    assert set(await store.references.all(platform="teams")) == {other, far, personal()}


async def test_the_newest_personal_conversation_with_someone_is_found(store: Store):
    newest = personal("a:new", known_at=AT + timedelta(hours=2))
    for reference in (personal("a:old"), newest, personal("a:between", known_at=AT + timedelta(hours=1))):
        await store.references.remember(reference)
    # Neither a channel that names the person, nor another tenant's conversation is personal.
    late = AT + timedelta(days=1)
    await store.references.remember(channel(person_id=DANA, known_at=late))
    await store.references.remember(personal("a:far", workspace=ELSEWHERE, known_at=late))
    found = await store.references.personal(platform="teams", workspace=TENANT, person_id=DANA)
    assert found == newest
    assert await store.references.personal(platform="teams", workspace=TENANT, person_id="nobody") is None
    assert await store.references.personal(platform="slack", workspace=TENANT, person_id=DANA) is None


async def test_all_of_a_platform_come_newest_first(store: Store):
    references = [channel(f"19:{number}", known_at=AT + timedelta(minutes=number % 7)) for number in range(20)]
    for reference in references:
        await store.references.remember(reference)
    await store.references.remember(channel("C1", platform="slack"))
    expected = sorted(references, key=lambda one: one.conversation)
    expected = sorted(expected, key=lambda one: one.known_at, reverse=True)
    assert await store.references.all(platform="teams") == tuple(expected)


async def test_times_keep_their_instant_whatever_zone_they_were_heard_in(store: Store):
    heard = datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    await store.references.remember(channel(known_at=heard))
    found = await _find(store.references, CHANNEL)
    assert found is not None
    assert (found.known_at, found.known_at.tzinfo) == (heard, UTC)


@pytest.mark.parametrize(
    "odd",
    [
        "19:abc@thread.tacv2;messageid=1700000000001",
        "a:1/../../etc/passwd",
        "a:%2F%00?x=1&y=2#z",
        "'; DROP TABLE conversations; --",
        "a:100% _like_",
        "чат-支払い-🧾-e\u0301",
        " lead and trail ",
        "x" * 2_000,
    ],
)
async def test_odd_ids_are_ids_like_any_other(store: Store, odd: str):
    strange = channel(odd, team_id=f"team {odd}", name=odd, person_id=odd)
    await store.references.remember(channel("plain"))
    await store.references.remember(strange)
    assert await _find(store.references, odd) == strange
    await store.references.forget(platform="teams", workspace=TENANT, conversation=odd)
    assert await store.references.all(platform="teams") == (channel("plain"),)


async def test_a_name_with_nul_is_kept_readable_on_every_database(store: Store):
    await store.references.remember(channel(name="pay\0ments"))
    assert await _find(store.references, CHANNEL) == channel(name="pay\ufffdments")


async def test_two_replicas_that_hear_of_a_conversation_at_once_keep_one(url: str):
    async with open_store(url) as one, open_store(url) as two:
        heard = [
            channel(f"19:{number % 5}", name=f"name-{number}", known_at=AT + timedelta(seconds=number))
            for number in range(60)
        ]
        await asyncio.gather(
            *((one if number % 2 else two).references.remember(reference) for number, reference in enumerate(heard))
        )
        kept = await one.references.all(platform="teams")
        assert [reference.conversation for reference in sorted(kept, key=lambda r: r.conversation)] == [
            f"19:{number}" for number in range(5)
        ]
        assert set(kept) <= set(heard)
        assert await two.references.all(platform="teams") == kept


async def test_remembering_and_forgetting_at_once_leaves_all_of_it_or_nothing(url: str):
    async with open_store(url) as one, open_store(url) as two:
        for _ in range(10):
            await asyncio.gather(
                one.references.remember(channel()),
                two.references.forget(platform="teams", workspace=TENANT, conversation=TEAM),
                two.references.remember(personal()),
                one.references.forget(platform="teams", workspace=TENANT, conversation=CHANNEL),
            )
            assert await _find(one.references, CHANNEL) in (channel(), None)
            assert await _find(one.references, "a:dana") == personal()


async def test_two_replicas_may_forget_a_team_at_once(url: str):
    async with open_store(url) as one, open_store(url) as two:
        channels = [channel(f"19:{number}") for number in range(100)]
        for _ in range(3):
            await asyncio.gather(*(one.references.remember(reference) for reference in channels))
            team = {"platform": "teams", "workspace": TENANT, "conversation": TEAM}
            stores = [one, two] * 4
            await asyncio.gather(*(store.references.forget(**team) for store in stores))  # type: ignore[arg-type]
            assert await two.references.all(platform="teams") == ()


async def test_a_thousand_conversations_are_told_apart(store: Store):
    many = [personal(f"a:{number}", f"person-{number}") for number in range(1_000)]
    await asyncio.gather(*(store.references.remember(reference) for reference in many))
    assert len(await store.references.all(platform="teams")) == 1_000
    found = await asyncio.gather(
        *(
            store.references.personal(platform="teams", workspace=TENANT, person_id=f"person-{number}")
            for number in (0, 500, 999)
        )
    )
    assert found == [many[0], many[500], many[999]]


_SMALL = st.sampled_from(["", "19:a", "19:b", TEAM])
_steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("remember"),
            st.builds(
                channel,
                st.sampled_from(["19:a", "19:b", TEAM]),
                workspace=st.sampled_from([TENANT, ELSEWHERE]),
                kind=st.sampled_from(["personal", "group", "channel"]),
                name=st.sampled_from(["", "payments"]),
                person_id=st.sampled_from([None, DANA, ""]),
                team_id=st.sampled_from([None, TEAM, "19:a"]),
                known_at=st.integers(0, 5).map(lambda minutes: AT + timedelta(minutes=minutes)),
            ),
        ),
        st.tuples(st.just("forget"), st.tuples(st.sampled_from([TENANT, ELSEWHERE]), _SMALL)),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_steps)
async def test_any_history_leaves_what_the_same_history_leaves_in_memory(store: Store, steps: list[tuple[str, Any]]):
    for known in await store.references.all(platform="teams"):
        await store.references.forget(platform="teams", workspace=known.workspace, conversation=known.conversation)
    model = MemoryReferences()
    for step, said in steps:
        for references in (store.references, model):
            if step == "remember":
                await references.remember(said)
            else:
                await references.forget(platform="teams", workspace=said[0], conversation=said[1])
    assert await store.references.all(platform="teams") == await model.all(platform="teams")
    for workspace in (TENANT, ELSEWHERE):
        for person_id in (DANA, ""):
            asked = {"platform": "teams", "workspace": workspace, "person_id": person_id}
            assert await store.references.personal(**asked) == await model.personal(**asked)
