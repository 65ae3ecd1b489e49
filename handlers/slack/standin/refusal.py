"""How the Web API says no."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.slack.standin.messages import Json


class Refused(Exception):
    """An answer with `ok: false`. `messages` go into response_metadata, as Slack explains itself there."""

    def __init__(self, error: str, *messages: str, **extra: object) -> None:
        super().__init__(error)
        self.error = error
        self.messages: Sequence[str] = messages
        self.extra = extra

    def answer(self) -> Json:
        made: Json = {"ok": False, "error": self.error, **self.extra}
        if self.messages:
            made["response_metadata"] = {"messages": [f"[ERROR] {message}" for message in self.messages]}
        return made
