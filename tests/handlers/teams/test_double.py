"""The Teams of the tests keeps Microsoft's rules: its tokens, streams, limits, reply chains and redeliveries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from handlers.teams.sdk import PUBLIC, TokenValidator, with_overrides
from tests.doubles.teams import CLIENT_ID, SECRET, Fault, TeamsConfig, TeamsDouble, running
from tests.doubles.teams_people import GENERAL, GROUP, MAYA, ON_CALL, PAYMENTS, TEAM, TENANT, chat_with

MAYA_CHAT = chat_with(MAYA)


class Bot:
    """Calls the connector as a bot would."""

    def __init__(self, double: TeamsDouble, session: aiohttp.ClientSession) -> None:
        self.double, self._session = double, session
        self._token = double.bot_token()

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, object]:
        known = {"Authorization": f"Bearer {self._token}", **headers}
        url = f"{self.double.service_url}v3/{path}"
        async with self._session.request(method, url, json=body, headers=known) as answer:
            return answer.status, await answer.json()

    async def post(self, conversation: str, **body: object) -> tuple[int, object]:
        return await self.call("POST", f"conversations/{conversation}/activities", {"type": "message", **body})

    async def stream(self, text: str, **info: object) -> tuple[int, object]:
        kind = "message" if info.get("streamType") == "final" else "typing"
        entity = {"type": "streaminfo", **info}
        return await self.post(MAYA_CHAT.id, type=kind, text=text, entities=[entity])


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    async with running() as double, aiohttp.ClientSession() as session:
        double.rules.stream_seconds = 0.0
        yield Bot(double, session)


def refused(code: str, message: str) -> dict[str, object]:
    return {"error": {"code": code, "message": message}}


async def test_the_sdks_validator_takes_its_tokens_and_refuses_each_wrong_one() -> None:
    async with running() as double:
        cloud = with_overrides(PUBLIC, openid_metadata_url=double.openid_url)
        validator = TokenValidator.for_service(CLIENT_ID, cloud=cloud)

        async def taken(**how: object) -> bool:
            def check() -> bool:
                try:
                    asyncio.run(validator.validate_token(double.token(**how), double.service_url))
                except Exception:  # noqa: BLE001 - whatever it says, it is a no
                    return False
                return True

            return await asyncio.to_thread(check)

        assert await taken()
        wrong = [{"forged": how} for how in ("none", "HS256", "stranger", "kid")]
        wrong += [
            {"aud": "another"},
            {"iss": "https://evil.example"},
            {"exp": 1},
            {"serviceurl": "https://evil.example"},
        ]
        wrong += [{"serviceurl": None}]
        assert [await taken(**how) for how in wrong] == [False] * len(wrong)


async def test_tokens_are_for_the_right_secret_and_needed_for_every_call() -> None:
    async with running() as double, aiohttp.ClientSession() as session:
        form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": SECRET}
        form["scope"] = "https://api.botframework.com/.default"
        login = f"{double.url}/{TENANT}/oauth2/v2.0/token"
        async with session.post(login, data={**form, "client_secret": "wrong"}) as answer:
            assert (answer.status, (await answer.json())["error"]) == (401, "invalid_client")
        async with session.post(login, data=form) as answer:
            token = (await answer.json())["access_token"]
        url = f"{double.service_url}v3/conversations/{GROUP.id}/activities"
        for header, expected in ((f"Bearer {token}", 201), ("Bearer other", 401), ("", 401)):
            known = {"Authorization": header} if header else {}
            async with session.post(url, json={"type": "message", "text": "hi"}, headers=known) as answer:
                assert answer.status == expected


async def test_a_stream_grows_and_ends_once(bot: Bot) -> None:
    status, started = await bot.stream("Looking …", streamType="informative", streamSequence=1)
    assert status == 201
    stream = started["id"]
    [shown] = bot.double.ledger.in_(MAYA_CHAT.id)
    assert (shown.informative, shown.text, shown.made) == ("Looking …", "", True)
    assert await bot.stream("A", streamId=stream, streamType="streaming", streamSequence=2) == (202, {})
    assert await bot.stream("late", streamId=stream, streamType="streaming", streamSequence=2) == (202, {})
    assert shown.text == "A"
    lost = "Request streamed content should contain the previously streamed content."
    answered = await bot.stream("B", streamId=stream, streamType="streaming", streamSequence=3)
    assert answered == (403, refused("ContentStreamNotAllowed", lost))
    assert await bot.stream("A B", streamId=stream, streamType="final") == (202, {})
    assert (shown.text, shown.made) == ("A B", False)
    over = "Content stream is not allowed on an already completed streamed message"
    answered = await bot.stream("A B C", streamId=stream, streamType="streaming", streamSequence=4)
    assert answered == (403, refused("ContentStreamNotAllowed", over))


async def test_streams_are_for_one_to_one_chats_two_minutes_and_one_call_a_second(bot: Bot) -> None:
    entity = {"type": "streaminfo", "streamType": "streaming", "streamSequence": 1}
    answered = await bot.post(GROUP.id, type="typing", text="A", entities=[entity])
    assert answered == (403, refused("ContentStreamNotAllowed", "Content stream is not allowed"))
    bot.double.rules.stream_limit = 0.0
    _, started = await bot.stream("A", streamType="streaming", streamSequence=1)
    answered = await bot.stream("AB", streamId=started["id"], streamType="final")
    over = "Content stream finished due to exceeded streaming time."
    assert answered == (403, refused("ContentStreamNotAllowed", over))
    edited = await bot.call(
        "PUT", f"conversations/{MAYA_CHAT.id}/activities/{started['id']}", {"type": "message", "text": "ABC"}
    )
    assert edited == (200, {"id": started["id"]})
    assert [one.text for one in bot.double.ledger.in_(MAYA_CHAT.id)] == ["ABC"]
    bot.double.rules.stream_seconds = 1.0
    assert (await bot.stream("A", streamType="streaming", streamSequence=1))[0] == 429


async def test_a_person_can_cancel_a_stream(bot: Bot) -> None:
    _, started = await bot.stream("A", streamType="streaming", streamSequence=1)
    bot.double.connector.cancel(started["id"])
    answered = await bot.stream("AB", streamId=started["id"], streamType="streaming", streamSequence=2)
    assert answered == (403, refused("ContentStreamNotAllowed", "Content stream was canceled by user."))


async def test_reply_chains_hang_on_their_roots(bot: Bot) -> None:
    _, posted = await bot.post(PAYMENTS.id, text="root")
    status, replied = await bot.post(f"{PAYMENTS.id};messageid={posted['id']}", text="beneath")
    assert status == 201
    found = bot.double.ledger.in_(PAYMENTS.id, posted["id"])
    assert [(one.id, one.root) for one in found] == [(posted["id"], ""), (replied["id"], posted["id"])]
    assert (await bot.post(f"{PAYMENTS.id};messageid=1", text="nowhere"))[0] == 404


async def test_more_than_seven_messages_a_second_are_refused(bot: Bot) -> None:
    statuses = [(await bot.post(GROUP.id, text="hi"))[0] for _ in range(8)]
    assert statuses == [201] * 7 + [429]
    assert (await bot.post(PAYMENTS.id, text="hi"))[0] == 201


async def test_targeted_messages_are_seen_by_one_person(bot: Bot) -> None:
    path = f"conversations/{GROUP.id}/activities?isTargetedActivity=true"
    body = {"type": "message", "text": "psst", "recipient": {"id": MAYA.id}}
    assert (await bot.call("POST", path, body))[0] == 201
    assert [(one.text, one.only) for one in bot.double.ledger.in_(GROUP.id)] == [("psst", MAYA.id)]
    assert (await bot.call("POST", path, {**body, "recipient": {"id": "29:stranger"}}))[0] == 400


async def test_people_chats_and_channels_are_found(bot: Bot) -> None:
    status, member = await bot.call("GET", f"conversations/{PAYMENTS.id}/members/{MAYA.object_id}")
    assert (status, member) == (200, MAYA.member())
    assert (await bot.call("GET", f"conversations/{PAYMENTS.id}/members/29:nobody"))[0] == 404
    opened = await bot.call("POST", "conversations", {"members": [{"id": MAYA.object_id}], "tenantId": TENANT})
    assert opened == (201, {"id": MAYA_CHAT.id})
    _, channels = await bot.call("GET", f"teams/{TEAM}/conversations")
    named = [{"id": room.id, "name": room.name} for room in (PAYMENTS, ON_CALL)]
    assert channels == {"conversations": [{"id": GENERAL.id}, *named]}


async def test_where_the_bot_was_removed_it_is_refused(bot: Bot) -> None:
    bot.double.connector.away.add(TEAM)
    status, said = await bot.post(PAYMENTS.id, text="hi")
    assert (status, said["error"]["code"]) == (403, "BotNotInConversationRoster")


@pytest.mark.parametrize("taken", [True, False])
async def test_faults_spoil_the_answer_before_or_after_the_call_is_taken(bot: Bot, *, taken: bool) -> None:
    bot.double.connector.spoil("send", Fault(status=502, html=False, taken=taken))
    bot.double.connector.spoil("send", Fault(cut=True, taken=taken))
    assert (await bot.post(GROUP.id, text="one"))[0] == 502
    with pytest.raises(aiohttp.ClientError):
        await bot.post(GROUP.id, text="two")
    assert (await bot.post(GROUP.id, text="three"))[0] == 201
    assert [one.text for one in bot.double.ledger.in_(GROUP.id)] == ([*("one", "two")] if taken else []) + ["three"]


async def test_an_activity_that_nobody_takes_is_delivered_again() -> None:
    statuses = [503, 200]
    seen: list[object] = []

    async def handle(request: web.Request) -> web.Response:
        seen.append((await request.json())["id"])
        return web.Response(status=statuses.pop(0))

    app = web.Application()
    app.router.add_post("/api/messages", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        config = TeamsConfig(retry_delays=(0.0, 0.0, 0.0))
        async with running(config, bot=f"http://127.0.0.1:{runner.addresses[0][1]}/api/messages") as double:
            said = await double.say(MAYA, PAYMENTS, "hello")
            await double.until(lambda ledger: said.delivered.over)
            assert (said.delivered.attempts, seen) == ([503, 200], [said.id, said.id])
    finally:
        await runner.cleanup()
