"""The Teams edge as a whole: its credentials, its channels, what it posts, and the playground's edge."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from bot.domain import Address, Place, Reply, SignalKind, Standing, Text
from bot.errors import Unreachable, UsageError
from bot.ports import CannotPost
from bot.schedule_grammar import ChannelRef
from bot.settings import HttpAddress
from handlers.once import Once
from handlers.teams.app import TeamsEdge, build, playground
from handlers.teams.endpoint import same_machine
from handlers.teams.tokens import Refused
from handlers.web import WebEdge
from storage import Store, open_store
from tests.doubles.process import free_port
from tests.doubles.teams import CLIENT_ID, Fault, TeamsDouble, running
from tests.doubles.teams_people import (
    EVE,
    GENERAL,
    GROUP,
    GUS,
    MAYA,
    NOBODY,
    OMAR,
    PAYMENTS,
    SECOND_TENANT,
    STRANGER,
    TENANT,
    chat_with,
)
from tests.handlers.teams.edge_world import NOW, Watched, settings

MAYA_CHAT = chat_with(MAYA)


def place(channel: str, thread: str = "") -> Place:
    return Place(platform="teams", workspace=TENANT, channel=channel, thread=thread)


def reply(text: str) -> Reply:
    return Reply(summary=text, parts=(Text(markdown=text),))


# --- credentials -----------------------------------------------------------------------------------------------------


async def test_a_refused_secret_stops_the_start_and_names_the_variable():
    async with running() as teams:
        edge = build(settings(teams, secret="another"), None, None)

        with pytest.raises(UsageError, match=r"Microsoft refuses the bot's credentials .*TEAMS_CLIENT_SECRET"):
            await edge.open()
        with pytest.raises(UsageError, match="TEAMS_CLIENT_SECRET"):
            await edge.check()
        assert not await edge.connected()
        await edge.close()


async def test_a_login_that_does_not_answer_is_waited_for():
    async with running() as teams:
        edge = build(settings(teams), None, None)
        teams.token_fault = Fault(status=503)

        await edge.open()
        assert not await edge.connected()
        with pytest.raises(Unreachable, match="Microsoft's login"):
            await edge.check()

        teams.token_fault = None
        assert await edge.connected()
        await edge.close()


async def test_the_doctor_hears_whose_bot_it_is_and_whom_it_hears():
    async with running() as teams:
        edge = build(settings(teams, SECOND_TENANT, TENANT.upper()), None, None)

        said = await edge.check()

        tenants = f"{TENANT}, {SECOND_TENANT}"
        assert said == f"Microsoft gives a token for {CLIENT_ID}; people of {tenants} are heard at /api/messages"
        await edge.close()


@pytest.mark.parametrize("name", ["example.onmicrosoft.com", "*", "common"])
async def test_the_doctor_hears_of_tenants_that_no_message_will_name(name):
    async with running() as teams:
        edge = build(settings(teams, TENANT, name), None, None)

        with pytest.raises(UsageError, match=f"Nobody of {re.escape(name)} is heard.*TEAMS_ALLOWED_TENANTS"):
            await edge.check()
        await edge.close()


async def test_the_doctor_hears_that_nobodys_token_could_be_checked():
    async with running() as teams:
        away = f"http://127.0.0.1:{free_port()}/v1/.well-known"
        edge = build(settings(teams).model_copy(update={"openid_url": f"{away}/openidconfiguration"}), None, None)

        with pytest.raises(Unreachable, match=f"No message from Teams can be let in: .*{away}/keys.*TEAMS_OPENID_URL"):
            await edge.check()
        await edge.close()


async def test_readiness_is_not_held_up_by_a_slow_login():
    async with running() as teams:
        teams.token_seconds = 30.0
        edge = build(settings(teams), None, None)
        begun = asyncio.get_running_loop().time()

        assert not await edge.connected()
        assert asyncio.get_running_loop().time() - begun < 5.0
        await edge.close()


async def test_without_an_inbox_there_is_nothing_to_listen_with():
    async with running() as teams:
        edge = build(settings(teams), None, None)

        with pytest.raises(UsageError, match="it has no inbox"):
            edge.http_routes()
        await edge.close()


# --- people and channels ---------------------------------------------------------------------------------------------


async def test_people_are_told_apart_by_the_roster(listen):
    here = await listen()
    await here.teams.install(MAYA, PAYMENTS)
    await here.teams.say(MAYA, PAYMENTS, "hi")
    await here.intake.until(lambda intake: bool(intake.turns))
    spot = here.intake.turns[0].place

    found = {one.name: (await here.edge.person(spot, one.key)).standing for one in (MAYA, OMAR, GUS, EVE, NOBODY)}
    stranger = await here.edge.person(spot, STRANGER.key)

    assert found == {
        "Maya Okafor": Standing.MEMBER,
        "Omar Haddad": Standing.MEMBER,
        "Gus Guest": Standing.GUEST,
        "Eve External": Standing.EXTERNAL,
        "Someone": Standing.EXTERNAL,
    }
    assert (stranger.standing, stranger.name) == (Standing.UNKNOWN, STRANGER.key)
    assert await here.edge.before(spot, question="1", limit=20) == ()
    assert list(await here.edge.groups_of(stranger)) == []


async def test_a_team_that_never_spoke_is_found_by_its_channels_names(listen):
    here = await listen()
    await here.teams.install(MAYA, GENERAL)
    spot = place(GENERAL.id)

    found = [await here.edge.find(spot, ChannelRef(id=None, name=name)) for name in ("payments", "on-call", "general")]

    assert found[0] == ChannelRef(id=PAYMENTS.id, name="payments")
    assert [one.name for one in found if one is not None] == ["payments", "on-call", "general"]
    assert [await here.edge.joined(spot, one) for one in found if one is not None] == [True] * 3
    assert await here.edge.find(spot, ChannelRef(id=None, name="nowhere")) is None
    assert await here.edge.channel("#Payments") == (place(PAYMENTS.id), "#payments")
    with pytest.raises(UsageError, match="There is no channel #nowhere"):
        await here.edge.channel("#nowhere")


async def test_the_channels_name_comes_along_with_a_question_once_it_is_known(listen):
    here = await listen()
    await here.teams.install(MAYA, GENERAL)
    await here.edge.channel("payments")

    await here.teams.say(MAYA, PAYMENTS, "hi")
    await here.intake.until(lambda intake: bool(intake.turns))

    assert [turn.channel_name for turn in here.intake.turns] == ["payments"]


# --- what is posted --------------------------------------------------------------------------------------------------


async def test_a_post_stands_in_the_channel_and_its_id_is_told(listen):
    here = await listen()
    await here.teams.install(MAYA, GENERAL)
    spot, _ = await here.edge.channel("payments")

    message_id = await here.edge.post(spot, reply("Checkout is fine."))

    (shown,) = here.teams.ledger.in_(PAYMENTS.id)
    assert (shown.id, shown.root, shown.words.strip()) == (message_id, "", "Checkout is fine.")


async def test_a_post_to_where_we_are_not_says_so(listen):
    here = await listen()

    with pytest.raises(CannotPost, match="I am not in that conversation"):
        await here.edge.post(place("19:gone@thread.tacv2"), reply("hello?"))


async def test_a_post_that_teams_does_not_take_now_asks_to_try_again(listen):
    here = await listen()
    await here.teams.install(MAYA, GROUP)
    here.teams.connector.spoil("send", Fault(status=503), times=10)

    with pytest.raises(Unreachable, match="Try again in a minute"):
        await here.edge.post(place(GROUP.id), reply("hello?"))


async def test_a_token_that_teams_takes_no_more_is_got_anew(listen):
    here = await listen()
    await here.teams.install(MAYA, GROUP)
    here.teams.forget_tokens()

    await here.edge.post(place(GROUP.id), reply("hello!"))

    assert [shown.words.strip() for shown in here.teams.ledger.in_(GROUP.id)] == ["hello!"]


async def test_someone_who_never_wrote_is_told_in_a_chat_of_their_own(listen):
    here = await listen()
    await here.teams.install(MAYA, GENERAL)

    await here.edge.post(place(OMAR.key), reply("I could not post the review."))

    (shown,) = here.teams.ledger.in_(chat_with(OMAR).id)
    assert shown.words.strip() == "I could not post the review."


async def test_teams_own_stop_under_an_answer_stops_the_turn(listen):
    here = await listen()
    await here.teams.install(MAYA, MAYA_CHAT)
    address = Address(
        turn_id="t1", place=place(MAYA_CHAT.id), asker=MAYA.key, asker_home=None, question="1", asked_at=NOW
    )
    delivery = here.edge.delivery(address, Once())

    await delivery.write("It will take a while to say all of this. ")
    (shown,) = await here.teams.until(lambda ledger: ledger.in_(MAYA_CHAT.id))
    here.teams.connector.cancel(shown.id)
    for _ in range(40):  # words keep coming until one of them is refused
        await delivery.write("And more of it. ")
        if here.intake.signals:
            break
        await asyncio.sleep(0.1)

    (signal,) = here.intake.signals
    assert (signal.kind, signal.place, signal.person_id) == (SignalKind.STOP, place(MAYA_CHAT.id), MAYA.key)
    await delivery.abandon()


# --- the playground --------------------------------------------------------------------------------------------------


@dataclass
class Playground:
    teams: TeamsDouble
    store: Store
    intake: Watched
    edge: TeamsEdge
    url: str

    async def post(self, activity: dict[str, Any], **headers: str) -> int:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.url}/api/messages", json=activity, headers=headers) as answer,
        ):
            return answer.status


@asynccontextmanager
async def playing(folder: Path) -> AsyncIterator[Playground]:
    async with AsyncExitStack() as stack:
        teams = await stack.enter_async_context(running())
        store = await stack.enter_async_context(open_store(f"sqlite:///{folder}/director.db"))
        await store.migrate()
        intake = Watched(store.inbox)
        edge = playground(intake, store.references, now=lambda: NOW)
        stack.push_async_callback(edge.close)
        await edge.open()
        door = WebEdge(HttpAddress(host="127.0.0.1", port=0), edge.http_routes())
        url = await door.start()
        stack.push_async_callback(door.close)
        yield Playground(teams, store, intake, edge, url)


async def test_the_playground_needs_no_token_and_no_tenant_on_a_list(tmp_path):
    async with playing(tmp_path) as here:
        activity = here.teams.message(MAYA, MAYA_CHAT, "hello", mention=False)

        assert await here.post(activity) == 200
        assert [turn.text for turn in here.intake.turns] == ["hello"]
        assert await here.edge.connected()


@pytest.mark.parametrize(
    ("more", "headers"),
    [
        ({"serviceUrl": "https://smba.trafficmanager.net/emea/"}, {}),
        ({"serviceUrl": "http://127.0.0.1.evil.example/"}, {}),
        ({"serviceUrl": "http://127.0.0.1@evil.example/"}, {}),
        ({"serviceUrl": "http://[::1"}, {}),
        ({"serviceUrl": None}, {}),
        ({}, {"Origin": "https://evil.example"}),
        ({}, {"Origin": "null"}),
        ({}, {"Host": "evil.example"}),
        ({}, {"Host": "["}),
    ],
)
async def test_the_playgrounds_edge_speaks_with_this_machine_only(tmp_path, more, headers):
    async with playing(tmp_path) as here:
        activity = here.teams.message(MAYA, MAYA_CHAT, "hello", mention=False, **more)

        assert await here.post(activity, **headers) == 401
        assert here.intake.tries == 0


async def test_the_playgrounds_edge_does_not_hear_other_machines(tmp_path):
    async with playing(tmp_path) as here:
        request = make_mocked_request(
            "POST", "/api/messages", headers={"Host": "127.0.0.1"}, transport=_From("10.0.0.7")
        )
        near = make_mocked_request("POST", "/api/messages", headers={"Host": "localhost:3978"}, transport=_From("::1"))
        body = {"serviceUrl": here.teams.service_url}

        same_machine(near, body)
        with pytest.raises(Refused, match="another machine"):
            same_machine(request, body)


def _request(address: str) -> web.Request:
    headers = {"Host": "localhost:3978"}
    return make_mocked_request("POST", "/api/messages", headers=headers, transport=_From(address))


class _From(asyncio.Transport):
    """A connection from an address that a test cannot have."""

    def __init__(self, address: str) -> None:
        super().__init__({"peername": (address, 40000)})
