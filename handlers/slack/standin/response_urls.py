"""Response URLs: five uses within half an hour, for answering a command or a click."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from aiohttp import web

from handlers.slack.standin import chat
from handlers.slack.standin.messages import Json
from handlers.slack.standin.refusal import Refused
from handlers.slack.standin.web_api import Unreadable, read
from handlers.slack.standin.workspace import Workspace

USES = 5
_FIELDS = {
    "attachments",
    "blocks",
    "delete_original",
    "metadata",
    "replace_original",
    "response_type",
    "text",
    "thread_ts",
    "unfurl_links",
    "unfurl_media",
}


@dataclass(kw_only=True)
class _Issued:
    channel: str
    user: str
    message_ts: str | None
    at: float
    uses: int = 0


class ResponseUrls:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._issued: dict[str, _Issued] = {}

    def issue(self, channel: str, user: str, message_ts: str | None = None) -> str:
        ticket = secrets.token_urlsafe(16)
        self._issued[ticket] = _Issued(channel=channel, user=user, message_ts=message_ts, at=self._workspace.now())
        return f"{self._workspace.base_url}/response/{ticket}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        issued = self._issued.get(request.match_info["ticket"])
        if issued is None:
            return web.json_response({"ok": False, "error": "invalid_url"}, status=404)
        if self._workspace.now() - issued.at > self._workspace.config.response_url_seconds:
            return web.json_response({"ok": False, "error": "expired_url"}, status=404)
        if issued.uses >= USES:
            return web.json_response({"ok": False, "error": "used_url"}, status=404)
        try:
            body, _ = await read(request)
            if set(body) - _FIELDS:
                raise Refused("invalid_arguments", f"unknown fields: {sorted(set(body) - _FIELDS)}")
            self._respond(issued, body)
        except Unreadable as unreadable:
            return web.json_response({"ok": False, "error": str(unreadable)}, status=400)
        except Refused as refused:
            return web.json_response(refused.answer(), status=400)
        issued.uses += 1
        return web.Response(text="ok")

    def _respond(self, issued: _Issued, body: Json) -> None:
        original = self._workspace.find(issued.channel, issued.message_ts) if issued.message_ts else None
        if body.get("delete_original") and original is not None:
            self._workspace.delete(original, by=original.user, method="response_url")
            return
        made = chat.content(self._workspace, body, text_limit=chat.TEXT_TRUNCATED)
        if body.get("replace_original") and original is not None:
            self._workspace.change(original, by=original.user, method="response_url", **{"blocks": None, **made})
            return
        to_all = body.get("response_type") == "in_channel"
        self._workspace.post(
            issued.channel,
            self._workspace.config.bot.id,
            method="response_url",
            ephemeral_to=None if to_all else issued.user,
            thread_ts=body.get("thread_ts"),
            **made,
        )
