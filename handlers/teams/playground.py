"""The wire to Microsoft's playground, for the demo: where it does not do what Teams does."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from pydantic import ValidationError

from handlers.teams.origin import THREAD
from handlers.teams.sdk import TeamsChannelAccount
from handlers.teams.trouble import ConnectorError
from handlers.teams.wire import Activity, Where, Wire


class PlaygroundWire(Wire):
    """Teams finds a member also by Entra object id, the playground by its own id alone; it can't widen cards."""

    async def member(self, where: Where, person_id: str) -> TeamsChannelAccount:
        try:
            return await super().member(where, person_id)
        except ConnectorError as error:
            for member in await self._members(where) if error.status == 404 else ():
                if member.aad_object_id == person_id:
                    return member
            raise

    async def _members(self, where: Where) -> list[TeamsChannelAccount]:
        conversation = quote(where.conversation.partition(THREAD)[0], safe="")
        url = f"{where.service_url.rstrip('/')}/v3/conversations/{conversation}/pagedmembers"
        try:
            answer = (await self._call("GET", url)).json()
            return [TeamsChannelAccount.model_validate(member) for member in answer["members"]]
        except (ValidationError, TypeError, KeyError):
            return []

    def _whole(self, where: Where, activity: Activity) -> dict[str, Any]:
        whole = super()._whole(where, activity)
        for attachment in whole.get("attachments") or ():
            attachment["content"] = _plain(attachment.get("content"))
        return whole


def _plain(element: Any) -> Any:
    """A card without what is Teams' own of it: each such word puts a warning beneath the card."""
    if isinstance(element, dict):
        return {name: _plain(value) for name, value in element.items() if name != "msteams"}
    return [_plain(one) for one in element] if isinstance(element, list) else element
