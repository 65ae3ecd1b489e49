"""Failing on purpose: faults that are switched on, and Slack's rate limits."""

from __future__ import annotations

import time

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.standin import Standin
from tests.doubles.slack import GENERAL, PAYMENTS, Clock, client_of, running


async def test_an_error_answer_comes_as_often_as_asked(standin: Standin, slack: AsyncWebClient) -> None:
    standin.faults.fail("chat.postMessage", 2, error="fatal_error")
    for _ in range(2):
        with pytest.raises(SlackApiError, match="fatal_error"):
            await slack.chat_postMessage(channel=GENERAL, text="x")
    await slack.chat_postMessage(channel=GENERAL, text="x")
    assert [call.error for call in standin.ledger.called("chat.postMessage")] == ["fatal_error", "fatal_error", None]
    assert len(standin.ledger.messages(GENERAL)) == 1


async def test_other_methods_are_untouched_and_a_fault_can_wait_and_be_cleared(
    standin: Standin, slack: AsyncWebClient
) -> None:
    fault = standin.faults.fail("chat.postMessage", -1, after=1, error="fatal_error")
    await slack.auth_test()
    await slack.chat_postMessage(channel=GENERAL, text="first")
    with pytest.raises(SlackApiError):
        await slack.chat_postMessage(channel=GENERAL, text="second")
    standin.faults.clear()
    await slack.chat_postMessage(channel=GENERAL, text="third")
    assert fault.hits == 1
    assert [one.text for one in standin.ledger.messages(GENERAL)] == ["first", "third"]


async def test_a_server_error_has_no_effect(standin: Standin, slack: AsyncWebClient) -> None:
    standin.faults.fail("chat.postMessage", status=503)
    with pytest.raises(SlackApiError) as caught:
        await slack.chat_postMessage(channel=GENERAL, text="x")
    assert caught.value.response.status_code == 503
    assert standin.ledger.messages(GENERAL) == []


async def test_dropped_before_means_that_nothing_happened(standin: Standin, slack: AsyncWebClient) -> None:
    standin.faults.fail("chat.postMessage", drop_before=True)
    with pytest.raises(aiohttp.ClientError):
        await slack.chat_postMessage(channel=GENERAL, text="x")
    assert standin.ledger.messages(GENERAL) == []
    assert [call.lost for call in standin.ledger.calls] == [True]


async def test_dropped_after_means_that_it_happened_and_nobody_was_told(
    standin: Standin, slack: AsyncWebClient
) -> None:
    standin.faults.fail("chat.postMessage", drop_after=True)
    with pytest.raises(aiohttp.ClientError):
        await slack.chat_postMessage(channel=GENERAL, text="x")
    assert [one.text for one in standin.ledger.messages(GENERAL)] == ["x"]


async def test_the_sdks_own_retry_after_a_cut_connection_posts_twice(standin: Standin) -> None:
    standin.faults.fail("chat.postMessage", drop_after=True)
    async with client_of(standin, retry_handlers=[AsyncConnectionErrorRetryHandler()]) as slack:
        await slack.chat_postMessage(channel=GENERAL, text="x")
    assert [one.text for one in standin.ledger.messages(GENERAL)] == ["x", "x"]


async def test_a_delayed_answer_comes_late(standin: Standin, slack: AsyncWebClient) -> None:
    standin.faults.fail("auth.test", delay=0.05)
    begun = time.monotonic()
    await slack.auth_test()
    assert time.monotonic() - begun >= 0.05


async def test_a_429_says_how_long_to_wait_and_the_sdk_waits(standin: Standin) -> None:
    standin.faults.fail("chat.postMessage", status=429, retry_after=0)
    async with client_of(standin, retry_handlers=[AsyncRateLimitErrorRetryHandler(max_retry_count=1)]) as slack:
        await slack.chat_postMessage(channel=GENERAL, text="x")
    assert [call.status for call in standin.ledger.calls] == [429, 200]


async def test_calls_are_not_limited_unless_asked_for(standin: Standin, slack: AsyncWebClient) -> None:
    for _ in range(25):
        await slack.users_list()
    assert {call.status for call in standin.ledger.calls} == {200}


async def test_a_tier_has_its_calls_a_minute_and_then_a_429_with_the_seconds_left() -> None:
    clock = Clock()
    async with running(rate_limits=True, clock=clock) as standin, client_of(standin) as slack:
        for _ in range(20):
            await slack.users_list()
            clock.pass_by(1)
        with pytest.raises(SlackApiError) as caught:
            await slack.users_list()
        assert (caught.value.response.status_code, caught.value.response["error"]) == (429, "ratelimited")
        assert caught.value.response.headers["Retry-After"] == "40"
        clock.pass_by(40)
        await slack.users_list()


async def test_a_channel_takes_about_one_message_a_second() -> None:
    clock = Clock()
    async with running(rate_limits=True, clock=clock) as standin, client_of(standin) as slack:
        for _ in range(3):
            await slack.chat_postMessage(channel=GENERAL, text="x")
        with pytest.raises(SlackApiError) as caught:
            await slack.chat_postMessage(channel=GENERAL, text="x")
        assert caught.value.response.status_code == 429
        await slack.chat_postMessage(channel=PAYMENTS, text="elsewhere")
        clock.pass_by(float(caught.value.response.headers["Retry-After"]))
        await slack.chat_postMessage(channel=GENERAL, text="x")
