"""The wire to Teams: the calls to the Bot Connector, and what may be repeated of them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from pydantic import ValidationError

from handlers.teams.http import Heard, Http, Unanswered
from handlers.teams.sdk import ChannelInfo, MessageActivityInput, TeamsChannelAccount, TypingActivityInput
from handlers.teams.trouble import PASSING, ConnectorError, ConnectorUnreachable

TIMEOUT = 10.0  # seconds for one call
LONGEST_WAIT = 5.0  # a longer Retry-After is handed to whoever schedules the delivery
PAUSE = 1.1  # least seconds before a call is repeated: Teams takes one a second of a stream
NO_ID = "DO_NOT_USE_PLACEHOLDER_ID"  # what Teams answers where it has no id to give

Token = Callable[[], Awaitable[str]]
Activity = MessageActivityInput | TypingActivityInput


@dataclass(frozen=True)
class Where:
    """A conversation and the address that Teams gave for it; with `;messageid=` it is a channel's thread."""

    service_url: str
    conversation: str


class Wire:
    """Calls to the Bot Connector, every one bounded in time.

    What can be said twice without being seen twice is repeated once after a passing failure; a new message only where
    the first try was certainly not taken.

    Every call raises one of `trouble.TROUBLE`.
    """

    def __init__(
        self,
        token: Token,
        *,
        client_id: str,
        refused: Callable[[str], None] | None = None,
        timeout: float = TIMEOUT,
        pause: float = PAUSE,
    ) -> None:
        """`refused` is told of a token that the Bot Connector does not take."""
        self.me = f"28:{client_id}"
        self._token, self._refused = token, refused
        self._pause = pause
        self._http = Http(timeout)

    async def send(self, where: Where, activity: Activity) -> str:
        """Post a new message; its id, or "" where Teams took it and gave none (typing, pieces of a stream)."""
        return _id(await self._call("POST", _activities(where), body=self._whole(where, activity)))

    async def targeted(self, where: Where, activity: Activity) -> str:
        """Post a message that only its recipient sees."""
        url = f"{_activities(where)}?isTargetedActivity=true"
        return _id(await self._call("POST", url, body=self._whole(where, activity)))

    async def update(self, where: Where, activity_id: str, activity: Activity) -> None:
        body = {**self._whole(where, activity), "id": activity_id}
        await self._call("PUT", f"{_activities(where)}/{_path(activity_id)}", body=body)

    async def delete(self, where: Where, activity_id: str) -> None:
        """Take a message away; one that is gone already is none to complain about."""
        try:
            await self._call("DELETE", f"{_activities(where)}/{_path(activity_id)}")
        except ConnectorError as error:
            if error.status != 404:
                raise

    async def member(self, where: Where, person_id: str) -> TeamsChannelAccount:
        heard = await self._call("GET", f"{_conversation(where)}/members/{_path(person_id)}")
        try:
            return TeamsChannelAccount.model_validate(_object(heard, needs="id"))
        except ValidationError as wrong:
            raise _unreadable(heard) from wrong

    async def direct(self, service_url: str, tenant: str, person_id: str) -> str:
        """The id of the personal conversation with someone of this tenant, also by their Entra object id."""
        body = {
            "bot": {"id": self.me},
            "members": [{"id": person_id}],
            "isGroup": False,
            "tenantId": tenant,
            "channelData": {"tenant": {"id": tenant}},
        }
        # Asked twice, Teams gives the same conversation.
        heard = await self._call("POST", f"{_base(service_url)}/v3/conversations", body=body, repeatable=True)
        return str(_object(heard, needs="id")["id"])

    async def channels(self, service_url: str, team_id: str) -> list[ChannelInfo]:
        """The team's channels; the General one may come without a name."""
        heard = await self._call("GET", f"{_base(service_url)}/v3/teams/{_path(team_id)}/conversations")
        found = _object(heard, needs="conversations")["conversations"]
        return [
            ChannelInfo(
                id=channel["id"],
                name=channel["name"] if isinstance(channel.get("name"), str) else None,
                type=channel["type"] if channel.get("type") in ("standard", "shared", "private") else None,
            )
            for channel in (found if isinstance(found, list) else [])
            if isinstance(channel, dict) and isinstance(channel.get("id"), str)
        ]

    async def close(self) -> None:
        await self._http.close()

    def _whole(self, where: Where, activity: Activity) -> dict[str, Any]:
        """The activity as Teams wants it: also who speaks, and where."""
        return {
            "from": {"id": self.me},
            "conversation": {"id": where.conversation},
            **activity.model_dump(mode="json", by_alias=True, exclude_none=True),
        }

    async def _call(self, method: str, url: str, *, body: object = None, repeatable: bool | None = None) -> Heard:
        again = repeatable if repeatable is not None else method != "POST"
        try:
            return await self._once(method, url, body)
        except ConnectorError as error:
            wait = max(error.retry_after, self._pause) if error.retry_after is not None else self._pause
            if error.status == 401:  # with another token
                wait = 0.0
            elif error.status not in PASSING or wait > LONGEST_WAIT or (error.maybe and not again):
                raise
        except ConnectorUnreachable as error:
            wait = self._pause
            if error.maybe and not again:
                raise
        await asyncio.sleep(wait)
        return await self._once(method, url, body)

    async def _once(self, method: str, url: str, body: object) -> Heard:
        token = await self._token()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            heard = await self._http.call(method, url, body=body, headers=headers)
        except Unanswered as no:
            raise ConnectorUnreachable(str(no), maybe=no.maybe) from no
        if 200 <= heard.status < 300:
            return heard
        if heard.status == 401 and self._refused is not None:
            self._refused(token)
        raise _error(heard)


_IN_PATH = ":@;=$!*'(),&+~"  # stand in ids and mean nothing more in a path


def _path(text: str) -> str:
    return quote(text, safe=_IN_PATH)


def _base(service_url: str) -> str:
    return service_url.rstrip("/")


def _conversation(where: Where) -> str:
    return f"{_base(where.service_url)}/v3/conversations/{_path(where.conversation)}"


def _activities(where: Where) -> str:
    return f"{_conversation(where)}/activities"


def _id(heard: Heard) -> str:
    answer = heard.json()
    found = answer.get("id") if isinstance(answer, dict) else None
    return found if isinstance(found, str) and found != NO_ID else ""


def _object(heard: Heard, *, needs: str) -> dict[str, Any]:
    answer = heard.json()
    if isinstance(answer, dict) and answer.get(needs):
        return answer
    raise _unreadable(heard)


def _unreadable(heard: Heard) -> ConnectorError:
    return ConnectorError(heard.status, "unreadable", "the answer lacks what was asked for", maybe=True)


def _error(heard: Heard) -> ConnectorError:
    answer = heard.json()
    told = answer.get("error") if isinstance(answer, dict) else None
    told = told if isinstance(told, dict) else answer if isinstance(answer, dict) else {}
    code = told.get("code")
    return ConnectorError(
        heard.status,
        code if isinstance(code, str) and code else f"http_{heard.status}",
        str(told.get("message") or "")[:300],
        _retry_after(heard),
        maybe=heard.status >= 500,
    )


def _retry_after(heard: Heard) -> float | None:
    """Seconds that Teams asks to wait, an hour at most; None where it doesn't say."""
    said = heard.headers.get("Retry-After", "")
    try:
        seconds = float(said)
    except ValueError:
        seconds = _until(said)
    return min(max(seconds, 0.0), 3600.0) if math.isfinite(seconds) else None


def _until(date: str) -> float:
    """Seconds until a date as HTTP writes it; not a number where it is none."""
    try:
        at = parsedate_to_datetime(date)
    except ValueError:
        return math.nan
    return (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
