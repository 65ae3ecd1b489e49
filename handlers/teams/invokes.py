"""What Teams shows to whoever clicked: the answers to invokes, in the forms that it reads."""

from __future__ import annotations

from aiohttp import web

STOPPED = "I stop working on it."
THANKS = "Thank you, I noted it."
UNKNOWN = "I don't know this button; it is from another version of me. Mention me instead."
NOT_STORED = "I could not note this in time. Please try again in a moment."


def words(text: str) -> web.Response:
    """A line that only the person sees, under the card that they clicked in."""
    return web.json_response({"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": text})


def unanswered() -> web.Response:
    """Nobody here knows this invoke."""
    return web.json_response({"error": "unknown invoke"}, status=501)
