"""Delivery over HTTP: signed requests to the app's own address."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp

from handlers.slack.standin.courier import Kind, Receipt
from handlers.slack.standin.messages import Json
from handlers.slack.standin.workspace import Workspace

_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Slack's v0 signature of a request body."""
    signed = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256)
    return f"v0={signed.hexdigest()}"


class SignedHttp:
    """Posts to `events_url`, which may be set after the start when the app's port is known."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._session: aiohttp.ClientSession | None = None
        self.events_url = workspace.config.events_url
        self.secret = workspace.config.signing_secret
        self.age = 0.0  # seconds by which requests are signed in the past, for tests of replays

    async def carry(self, kind: Kind, payload: Json, *, attempt: int, reason: str | None) -> Receipt:
        headers = {}
        if attempt:
            headers = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason or "unknown_error"}
        if kind == "events_api":
            return await self._post(json.dumps(payload).encode(), _JSON, headers)
        form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
        return await self._post(urlencode(form).encode(), _FORM, headers)

    async def verify(self) -> bool:
        """Ask the app to give a challenge back, as Slack does when the address is entered."""
        challenge = secrets.token_urlsafe(16)
        body = {"type": "url_verification", "token": "standin", "challenge": challenge}
        receipt = await self._post(json.dumps(body).encode(), _JSON, {})
        answered = receipt.body or {}
        return receipt.acknowledged and challenge in (answered.get("challenge"), answered.get("text"))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _post(self, body: bytes, kind: str, headers: dict[str, str]) -> Receipt:
        if not self.events_url:
            return Receipt(acknowledged=False, reason="connection_failed")
        if self._session is None:
            self._session = aiohttp.ClientSession()
        timestamp = str(int(time.time() - self.age))
        headers = {
            "Content-Type": kind,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self.secret, timestamp, body),
            **headers,
        }
        limit = aiohttp.ClientTimeout(total=self._workspace.config.ack_seconds)
        try:
            async with self._session.post(
                self.events_url, data=body, headers=headers, timeout=limit, allow_redirects=False
            ) as response:
                text = await response.text()
                again = response.headers.get("X-Slack-No-Retry") != "1"
                if not 200 <= response.status < 300:
                    return Receipt(acknowledged=False, reason="http_error", again=again)
                return Receipt(acknowledged=True, body=_read(text, response.content_type))
        except TimeoutError:
            return Receipt(acknowledged=False, reason="http_timeout")
        except aiohttp.ClientError:
            return Receipt(acknowledged=False, reason="connection_failed")


def _read(text: str, kind: str) -> Json | None:
    if not text:
        return None
    if kind == _JSON:
        try:
            found: Any = json.loads(text)
        except ValueError:
            return {"text": text}
        return found if isinstance(found, dict) else {"text": text}
    return {"text": text}
