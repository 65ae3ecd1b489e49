"""Deploys that were told of are found again beside a time, once each, however often they were told."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import timedelta, timezone

import pytest

from bot.reliability.deploys import Deploy
from bot.reliability.windows import Span
from storage import Store, open_store
from storage.schema import deploys
from tests.storage.examples import AT

MINUTE = timedelta(minutes=1)
DAY = Span(AT - timedelta(days=1), AT)


def deploy(service: str = "checkout", *, minutes: float = -10, version: str = "1.42.0", link: str = "") -> Deploy:
    return Deploy(service=service, at=AT + minutes * MINUTE, version=version, link=link)


async def test_deploys_come_back_whole_and_oldest_first(store: Store):
    log = store.deploys("T1")
    told = [deploy(minutes=-5), deploy(minutes=-50, link="https://ci.example/1?a=b&c"), deploy("search", minutes=-20)]
    assert [await log.note(one) for one in told] == [True, True, True]
    assert await log.between(["checkout", "search"], DAY) == (told[1], told[2], told[0])
    assert await log.between(["search", "search"], DAY) == (told[2],)
    assert await log.between(["pay"], DAY) == ()
    assert await log.between([], DAY) == ()


async def test_a_deploy_told_again_is_known_and_stays_as_it_was(store: Store):
    log = store.deploys("T1")
    first = deploy(link="https://ci.example/1")
    assert await log.note(first) is True
    assert await log.note(first) is False
    nepal = timezone(timedelta(hours=5, minutes=45))
    again = Deploy(service=first.service, at=first.at.astimezone(nepal), version=first.version, link="")
    assert await log.note(again) is False
    assert await log.note(deploy(version="1.42.1")) is True
    assert await log.note(deploy(version="")) is True
    assert await log.between(["checkout"], DAY) == (deploy(version=""), first, deploy(version="1.42.1"))


async def test_both_ends_of_the_time_belong_to_it(store: Store):
    log = store.deploys("T1")
    told = [deploy(minutes=minutes) for minutes in (-3, -2, -1, 0)]
    for one in told:
        await log.note(one)
    await log.note(Deploy("checkout", AT + timedelta(microseconds=1)))
    assert await log.between(["checkout"], Span(AT - 2 * MINUTE, AT)) == tuple(told[1:])
    assert await log.between(["checkout"], Span(AT, AT)) == (told[3],)


async def test_no_workspace_sees_another_ones_deploys(store: Store):
    assert await store.deploys("T1").note(deploy()) is True
    assert await store.deploys("T2").note(deploy()) is True
    assert await store.deploys("T3").between(["checkout"], DAY) == ()
    assert await store.deploys("T2").between(["checkout"], DAY) == (deploy(),)


async def test_of_very_many_the_newest_thousand_are_given(store: Store):
    told = [deploy(f"service-{number % 700}", minutes=-number / 10) for number in range(1_010)]
    rows = [{"workspace": "T1", **asdict(one)} for one in told]
    await store._db.write(lambda c: c.execute(deploys.insert(), rows) and None)
    log = store.deploys("T1")
    found = await log.between([f"service-{number}" for number in range(700)], DAY)
    assert list(found) == sorted(told, key=lambda one: one.at)[-1_000:]


async def test_words_of_senders_are_kept_as_data(store: Store):
    log = store.deploys("T1")
    odd = deploy(version="'; DROP TABLE deploys; -- <!channel> 🧾", link="https://ci.example/%s?x=1#y")
    assert await log.note(odd) is True
    assert await log.note(deploy(minutes=-9, version="nul \0")) is True
    assert await log.note(deploy(minutes=-9, version="nul \0")) is False
    assert await log.between(["checkout"], DAY) == (odd, deploy(minutes=-9, version="nul \ufffd"))


async def test_a_naive_time_is_refused(store: Store):
    with pytest.raises(Exception, match="naive time"):
        await store.deploys("T1").note(Deploy("checkout", AT.replace(tzinfo=None)))


async def test_replicas_that_hear_of_a_deploy_at_once_note_it_once(url: str):
    async with open_store(url) as one, open_store(url) as two:
        noted = await asyncio.gather(*(store.deploys("T1").note(deploy()) for store in [one, two] * 5))
        assert sorted(noted) == [False] * 9 + [True]
        assert await two.deploys("T1").between(["checkout"], DAY) == (deploy(),)
