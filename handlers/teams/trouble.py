"""What goes wrong with calls to Teams: refused or unanswered, taken all the same or not, and what it means in words."""

from __future__ import annotations

from collections.abc import Awaitable

import structlog

from bot.ports import CannotPost, DeliveryFailed
from handlers.teams.credentials import CredentialsRefused, LoginUnreachable

log = structlog.get_logger(__name__)

PASSING = frozenset((408, 412, 429, 500, 502, 503, 504))  # Microsoft's list, and what a server says of itself


class ConnectorError(Exception):
    """The Bot Connector said no. `code` is its word for it, `http_<status>` where it gave none."""

    def __init__(self, status: int, code: str, text: str, retry_after: float | None = None, *, maybe: bool) -> None:
        super().__init__(f"{code} ({status})")
        self.status = status
        self.code = code
        self.text = text
        self.retry_after = retry_after
        self.maybe = maybe  # the call may have been taken all the same


class ConnectorUnreachable(Exception):
    """The Bot Connector did not answer. `maybe`: the call may have been taken all the same."""

    def __init__(self, reason: str, *, maybe: bool) -> None:
        super().__init__(reason)
        self.maybe = maybe


TROUBLE = (ConnectorError, ConnectorUnreachable, CredentialsRefused, LoginUnreachable)


def maybe_taken(error: BaseException) -> bool:
    """Whether a new message may have been taken although the call failed."""
    return isinstance(error, ConnectorError | ConnectorUnreachable) and error.maybe


def unfit(error: BaseException) -> bool:
    """Whether Teams refused what the message is made of, not that there is one."""
    if not isinstance(error, ConnectorError):
        return False
    return error.status in (400, 413) or (error.status == 403 and "size too large" in error.text.lower())


_GONE = "That conversation is gone, or I was removed from it. Add me there again and ask me anew."
_REFUSED = {
    "ActivityNotFoundInConversation": "That message is gone.",
    "BotDisabledByAdmin": "An administrator has switched me off. They can allow the app in the Teams admin center.",
    "BotNotInConversationRoster": "I am not a member of that conversation. Add the app there.",
    "ConversationBlockedByUser": "That person has blocked me. They can unblock me in the chat's menu.",
    "ConversationNotFound": _GONE,
    "ForbiddenOperationException": "I am not installed for that person. They can add the app in Teams under Apps.",
    "InvalidBotApiHost": "That tenant is in another cloud than the address Teams gave for it. Write to me there again.",
    "MessageSizeTooBig": "The answer is too long for one message in Teams. Ask for less at a time.",
    "MessageWritesBlocked": "Nobody can write there now: the conversation is archived or locked.",
    "NotEnoughPermissions": "I may not do that there. An owner of the team can allow it or add the app again.",
}
_BY_STATUS = {
    403: "Teams does not let me write there ({code}). Add the app to that conversation again, or ask an administrator.",
    404: _GONE,
    413: _REFUSED["MessageSizeTooBig"],
}
_STORED = "the answer is stored and will be delivered later"


def in_words(error: BaseException) -> CannotPost | DeliveryFailed:
    """What a failed call means: refused for good, or worth another try later."""
    if isinstance(error, CredentialsRefused):
        return DeliveryFailed(f"{error} {_STORED.capitalize()}.", retry_after=60)
    if isinstance(error, LoginUnreachable):
        return DeliveryFailed(f"{error} {_STORED.capitalize()}.")
    if not isinstance(error, ConnectorError):
        return DeliveryFailed(f"Teams could not be reached ({error}); {_STORED}.")
    if error.status == 401:  # about us, not about the message: once the registration is right, it can be delivered
        return DeliveryFailed(
            f"Teams refuses the bot's token ({error.code}); check TEAMS_CLIENT_ID, TEAMS_CLIENT_SECRET and that the "
            f"bot's registration has the Teams channel; {_STORED}.",
            retry_after=60,
        )
    if error.status == 429:
        return DeliveryFailed(f"Teams asks to wait; {_STORED}.", retry_after=error.retry_after)
    if error.status in PASSING or error.status >= 500 or error.maybe:
        return DeliveryFailed(f"Teams failed ({error.code}); {_STORED}.", retry_after=error.retry_after)
    known = _REFUSED.get(error.code) or _BY_STATUS.get(error.status)
    return CannotPost(known.format(code=error.code) if known else f"Teams refused the message ({error.code}).")


def code(error: BaseException) -> str:
    """One word for what went wrong, for logs."""
    if isinstance(error, ConnectorError):
        return error.code
    if isinstance(error, CredentialsRefused):
        return "credentials_refused"
    return "login_unreachable" if isinstance(error, LoginUnreachable) else "unreachable"


async def best_effort(call: Awaitable[object], what: str) -> str | None:
    """Make a call that nothing depends on; the error's code when it failed, None when it worked."""
    try:
        await call
    except TROUBLE as error:
        log.info("teams.skipped", call=what, error=code(error))
        return code(error)
    return None
