"""The whole road, driven by slack_sdk and Bolt: a mention comes in, an answer goes out, everyone sees it."""

from __future__ import annotations

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.standin import Standin
from tests.doubles.slack import GENERAL, MAYA, bolt_app, connected


async def test_a_mention_is_answered_in_its_thread_over_socket_mode(standin: Standin, slack: AsyncWebClient) -> None:
    app = bolt_app(standin, slack)

    @app.event("app_mention")
    async def answer(event: dict[str, Any], client: AsyncWebClient) -> None:
        await client.chat_postMessage(channel=event["channel"], thread_ts=event["ts"], text=f"Heard: {event['text']}")

    @app.event("message")
    async def message() -> None: ...

    async with connected(standin, app):
        asked = await standin.say(MAYA, "#general", "@Director how is checkout?")
        thread = await standin.wait_for(
            lambda ledger: len(ledger.messages(GENERAL, asked)) == 2 and ledger.messages(GENERAL, asked)
        )
    assert [(one.user, one.text) for one in thread] == [
        (MAYA, f"<@{standin.bot_user_id}> how is checkout?"),
        (standin.bot_user_id, f"Heard: <@{standin.bot_user_id}> how is checkout?"),
    ]


async def test_a_command_is_acknowledged_only_to_the_person_who_typed_it(
    standin: Standin, slack: AsyncWebClient
) -> None:
    app = bolt_app(standin, slack)

    @app.command("/director")
    async def director(ack: Any, command: dict[str, Any]) -> None:
        await ack(f"You said {command['text']}")

    async with connected(standin, app):
        result = await standin.command(MAYA, "#general", "/director", "help")
    assert (result.text, result.response_type, result.error) == ("You said help", "ephemeral", None)
    assert [one.text for one in standin.ledger.ephemeral(MAYA)] == ["You said help"]
    assert standin.ledger.messages(GENERAL) == []
