"""Events over HTTP: signatures that Bolt accepts, retries with their headers, forms for commands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

from handlers.slack.standin import Standin
from tests.doubles.slack import GENERAL, MAYA, bolt_app, client_of, listening, running

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def served(app: AsyncApp) -> Handler:
    """Bolt behind aiohttp."""

    async def handle(request: web.Request) -> web.StreamResponse:
        made = AsyncBoltRequest(body=await request.text(), headers=dict(request.headers))
        answer = await app.async_dispatch(made)
        kind = answer.headers.get("content-type", ["text/plain"])[0]
        return web.Response(status=answer.status, text=answer.body, headers={"Content-Type": kind})

    return handle


def http(**changes: Any) -> Any:
    return running(**{"delivery": "http", "ack_seconds": 1.0, "time_scale": 0.0001, **changes})


async def test_bolt_accepts_our_signature_and_answers_in_the_thread() -> None:
    async with http() as standin, client_of(standin) as slack:
        app = bolt_app(standin, slack, process_before_response=True)

        @app.event("app_mention")
        async def mention(event: dict[str, Any], client: Any) -> None:
            await client.chat_postMessage(channel=event["channel"], thread_ts=event["ts"], text="Here.")

        @app.event("message")
        async def message() -> None: ...

        async with listening(served(app)) as url:
            standin.signed_http.events_url = url
            assert await standin.signed_http.verify() is True
            asked = await standin.say(MAYA, GENERAL, "@Director hello")
            await standin.wait_for(lambda ledger: [one.text for one in ledger.by_bot(GENERAL, asked)] == ["Here."])
            await standin.wait_for(lambda ledger: all(one.acknowledged for one in ledger.handed))


async def test_a_wrong_secret_is_refused_by_the_app() -> None:
    async with http(retry_delays=()) as standin, client_of(standin) as slack:
        app = bolt_app(standin, slack)
        async with listening(served(app)) as url:
            standin.signed_http.events_url = url
            standin.signed_http.secret = "wrong"
            assert await standin.signed_http.verify() is False
            await standin.say(MAYA, GENERAL, "@Director hello")
            await standin.wait_for(lambda ledger: all(one.given_up for one in ledger.handed))
    assert [one.attempts for one in standin.ledger.handed] == [["http_error"], ["http_error"]]


async def test_an_old_signature_is_refused_by_the_app() -> None:
    async with (
        http(retry_delays=()) as standin,
        client_of(standin) as slack,
        listening(served(bolt_app(standin, slack))) as url,
    ):
        standin.signed_http.events_url = url
        standin.signed_http.age = 299
        assert await standin.signed_http.verify() is True
        standin.signed_http.age = 301
        assert await standin.signed_http.verify() is False


async def test_a_command_comes_as_a_form_and_its_answer_is_shown() -> None:
    async with http() as standin, client_of(standin) as slack:
        app = bolt_app(standin, slack)

        @app.command("/director")
        async def director(ack: Any, command: dict[str, str]) -> None:
            await ack({"response_type": "in_channel", "text": f"Heard {command['text']}"})

        async with listening(served(app)) as url:
            standin.signed_http.events_url = url
            result = await standin.command(MAYA, GENERAL, "/director", "status & more")
    assert (result.text, result.response_type) == ("Heard status & more", "in_channel")
    assert [one.text for one in standin.ledger.messages(GENERAL)] == ["Heard status & more"]


async def received(
    standin: Standin, statuses: list[int], headers: dict[str, str] | None = None
) -> list[tuple[Any, ...]]:
    """Say something, answer with these statuses in turn, and return the retry headers of each attempt."""
    seen: list[tuple[Any, ...]] = []
    verifier = SignatureVerifier(standin.signing_secret)

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        assert verifier.is_valid_request(body, dict(request.headers))
        seen.append(tuple(request.headers.get(f"X-Slack-Retry-{name}") for name in ("Num", "Reason")))
        return web.Response(status=statuses[len(seen) - 1], headers=headers)

    async with listening(handle) as url:
        standin.signed_http.events_url = url
        await standin.say(MAYA, GENERAL, "hello")
        await standin.wait_for(lambda ledger: ledger.handed[0].acknowledged or ledger.handed[0].given_up)
    return seen


async def test_a_failed_event_comes_again_with_its_number_and_reason() -> None:
    async with http() as standin:
        seen = await received(standin, [500, 503, 200])
    assert seen == [(None, None), ("1", "http_error"), ("2", "http_error")]


async def test_an_app_can_refuse_retries() -> None:
    async with http() as standin:
        seen = await received(standin, [500, 500], headers={"X-Slack-No-Retry": "1"})
        assert standin.ledger.handed[0].attempts == ["http_error"]
    assert seen == [(None, None)]


async def test_an_app_that_is_down_or_slow_is_named_as_such() -> None:
    async with http(ack_seconds=0.05, retry_delays=(), events_url="http://127.0.0.1:9/slack/events") as standin:
        await standin.say(MAYA, GENERAL, "hello")
        await standin.wait_for(lambda ledger: ledger.handed[0].given_up)
        assert standin.ledger.handed[0].attempts == ["connection_failed"]

        async def silent(request: web.Request) -> web.StreamResponse:
            await request.read()
            await standin.wait_for(lambda ledger: ledger.handed[1].given_up)
            return web.Response()

        async with listening(silent) as url:
            standin.signed_http.events_url = url
            await standin.say(MAYA, GENERAL, "hello again")
            await standin.wait_for(lambda ledger: ledger.handed[1].given_up)
        assert standin.ledger.handed[1].attempts == ["http_timeout"]
