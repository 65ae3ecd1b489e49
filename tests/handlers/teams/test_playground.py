"""What the demo's wire does otherwise than Teams': the playground finds members and draws cards in its own way."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from handlers.teams.credentials import Nobody
from handlers.teams.playground import PlaygroundWire
from handlers.teams.sdk import Attachment, MessageActivityInput
from handlers.teams.trouble import ConnectorError
from handlers.teams.wire import Where

MAYA = {"id": "user-id-0", "aadObjectId": "00000000-0000-0000-0000-000000000020", "name": "Maya", "userRole": "user"}


@pytest.fixture
async def there():
    """A playground's connector with one member in each conversation, and what was sent to it."""
    sent: list[Any] = []

    async def member(request: web.Request) -> web.Response:
        if request.match_info["member"] == MAYA["id"]:
            return web.json_response(MAYA)
        return web.json_response({"error": {"code": "MemberNotFoundInConversation"}}, status=404)

    async def members(_: web.Request) -> web.Response:
        return web.json_response({"members": [MAYA]})

    async def activities(request: web.Request) -> web.Response:
        sent.append(await request.json())
        return web.json_response({"id": "1"}, status=201)

    app = web.Application()
    app.router.add_get("/v3/conversations/{conversation}/members/{member}", member)
    app.router.add_get("/v3/conversations/{conversation}/pagedmembers", members)
    app.router.add_post("/v3/conversations/{conversation}/activities", activities)
    server = TestServer(app)
    await server.start_server()
    wire = PlaygroundWire(Nobody(), client_id="00000000-0000-0000-0000-000000000000")
    yield wire, Where(str(server.make_url("/")), "team-id;messageid=1"), sent
    await wire.close()
    await server.close()


@pytest.mark.parametrize("known_as", [MAYA["id"], MAYA["aadObjectId"]])
async def test_a_member_is_found_by_either_id(there, known_as):
    wire, where, _ = there
    member = await wire.member(where, known_as)
    assert (member.id, member.aad_object_id, member.name) == (MAYA["id"], MAYA["aadObjectId"], "Maya")


async def test_someone_else_is_no_member(there):
    wire, where, _ = there
    with pytest.raises(ConnectorError, match="MemberNotFoundInConversation"):
        await wire.member(where, "00000000-0000-0000-0000-000000000099")


async def test_a_card_goes_without_what_the_playground_warns_of(there):
    wire, where, sent = there
    shown = {"type": "Image", "url": "data:,", "msteams": {"allowExpand": True}}
    card = {"type": "AdaptiveCard", "msteams": {"width": "Full"}, "body": [shown]}
    made = MessageActivityInput().add_attachments(
        Attachment(content_type="application/vnd.microsoft.card.adaptive", content=card)
    )
    assert await wire.send(where, made) == "1"
    (whole,) = sent
    assert whole["attachments"][0]["content"] == {
        "type": "AdaptiveCard",
        "body": [{"type": "Image", "url": "data:,"}],
    }
