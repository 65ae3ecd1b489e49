"""What an activity from Teams means: something said, a click, a verdict, coming or going, or nothing for us.

Pure, and tolerant of missing and odd fields: Teams adds kinds of activities without asking.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from handlers.plain import visible
from handlers.teams.origin import Body, Origin, as_id, as_list, as_object, as_text, named, origin_of
from handlers.teams.words import Mention, clean, command_words, plain_words, without_slash_command

_MADE = ("channelCreated", "channelRenamed", "channelRestored")
_GONE = ("teamDeleted", "teamHardDeleted")
_RICH = ("xml", "html")


class Unreadable(Exception):
    """The activity lacks what every one of its kind has."""


@dataclass(frozen=True)
class Said:
    """Something said to the Director; `command` when it was sent as one, so that only its sender sees it."""

    origin: Origin
    text: str
    command: bool


@dataclass(frozen=True)
class Clicked:
    """A button of a card. `card` is the message it stands in; `answered` when the click waits for words in return."""

    origin: Origin
    verb: str
    value: str
    card: str
    answered: bool


@dataclass(frozen=True)
class Judged:
    """A person says whether an answer helped: `verdict` is like or dislike, `words` what was added."""

    origin: Origin
    message: str
    verdict: str
    words: str


@dataclass(frozen=True)
class Added:
    """The Director can speak here now; `greets` when a person has just got it for themselves."""

    origin: Origin
    greets: bool


@dataclass(frozen=True)
class Removed:
    """The Director can no longer speak in this conversation, or in the team with this id."""

    origin: Origin
    conversation: str


@dataclass(frozen=True)
class Unasked:
    """Nothing for the Director to do; where it comes from may still be worth knowing."""

    origin: Origin | None


@dataclass(frozen=True)
class UnknownInvoke:
    """A question of Teams' that nobody here answers."""

    origin: Origin | None
    name: str


Meaning = Said | Clicked | Judged | Added | Removed | Unasked | UnknownInvoke


def meaning(body: Body, *, me: str) -> Meaning:
    """What an activity means; `me` is the Director's own id.

    Raises:
        Unreadable: a message or click without the ids that make it one.
    """
    kind = body.get("type")
    origin, ours = origin_of(body), _ours(body, me)
    if kind == "message":
        return _message(body, origin, ours)
    if kind == "invoke":
        return _invoke(body, origin)
    if origin is not None and kind == "conversationUpdate":
        return _update(body, origin, ours)
    if origin is not None and kind == "installationUpdate":
        return _installation(body, origin)
    return Unasked(origin)


# --- messages --------------------------------------------------------------------------------------------------------


def _message(body: Body, origin: Origin | None, ours: frozenset[str]) -> Meaning:
    if origin is None or not origin.activity:
        raise Unreadable("a message without conversation or id")
    if _by_a_bot(body, ours):
        return Unasked(origin)
    if origin.person is None:
        raise Unreadable("a message without a sender")
    text, value = as_text(body.get("text")), as_object(body.get("value"))
    if not text.strip() and value:
        return _submitted(body, origin, value)
    mentions = _mentions(body)
    targeted = as_object(body.get("recipient")).get("isTargeted") is True
    if origin.kind != "personal" and not targeted and not any(mention.id in ours for mention in mentions):
        return Unasked(origin)
    words = plain_words(text, mentions, me=ours, rich=body.get("textFormat") in _RICH)
    if targeted:
        # A command that begins no reply stands in no thread: nobody else sees the message that would be its root.
        root = origin.thread == origin.activity
        return Said(replace(origin, thread="") if root else origin, command_words(words), command=True)
    if origin.kind == "channel" and not origin.thread:  # it begins its own
        origin = replace(origin, thread=origin.activity)
    return Said(origin, without_slash_command(words), command=False)


def _submitted(body: Body, origin: Origin, value: Body) -> Meaning:
    """A button's click from a client that knows no Action.Execute arrives as a message without words."""
    verb = as_id(value.get("verb")) or as_id(value.get("action"))
    if not verb:
        return Unasked(origin)
    return Clicked(origin, verb, as_text(value.get("value")), as_id(body.get("replyToId")), answered=False)


def _by_a_bot(body: Body, ours: frozenset[str]) -> bool:
    sender = as_object(body.get("from"))
    sender_id = as_id(sender.get("id"))
    return sender.get("role") == "bot" or sender_id.startswith("28:") or sender_id in ours


def _mentions(body: Body) -> list[Mention]:
    found = []
    for entity in map(as_object, as_list(body.get("entities"))):
        if entity.get("type") == "mention":
            mentioned = as_object(entity.get("mentioned"))
            found.append(
                Mention(as_id(mentioned.get("id")), as_text(mentioned.get("name")), as_text(entity.get("text")))
            )
    return found


# --- invokes ---------------------------------------------------------------------------------------------------------


def _invoke(body: Body, origin: Origin | None) -> Meaning:
    name, value = as_id(body.get("name")), as_object(body.get("value"))
    if name not in ("adaptiveCard/action", "message/submitAction"):
        return UnknownInvoke(origin, name)
    if origin is None or origin.person is None:
        raise Unreadable("a click without conversation or person")
    card = as_id(body.get("replyToId"))
    if name == "adaptiveCard/action":
        action = as_object(value.get("action"))
        data = as_object(action.get("data"))
        verb = as_id(action.get("verb")) or as_id(data.get("verb"))
        return Clicked(origin, verb, as_text(data.get("value")), card, answered=True)
    if value.get("actionName") != "feedback":
        return UnknownInvoke(origin, name)
    given = as_object(value.get("actionValue"))
    verdict = given.get("reaction")
    if verdict not in ("like", "dislike"):
        raise Unreadable("feedback without a reaction")
    return Judged(origin, card, verdict, _feedback(given.get("feedback")))


def _feedback(given: object) -> str:
    """Teams sends what was added as JSON inside a string, or as the string alone."""
    try:
        parsed = json.loads(as_text(given))
    except (ValueError, RecursionError):
        parsed = None
    words = as_object(parsed).get("feedbackText", "") if isinstance(parsed, Mapping) else given
    return visible(clean(as_text(words))).strip()


# --- coming and going ------------------------------------------------------------------------------------------------


def _update(body: Body, origin: Origin, ours: frozenset[str]) -> Meaning:
    data = as_object(body.get("channelData"))
    event, channel = data.get("eventType"), as_object(data.get("channel"))
    channel_id = as_id(channel.get("id"))
    if event in _GONE and origin.team is not None:
        return Removed(origin, origin.team)
    if event == "channelDeleted" and channel_id:
        return Removed(origin, channel_id)
    if _among(ours, body.get("membersRemoved")):
        alone = event == "channelMemberRemoved"  # from one private or shared channel, not from its team
        return Removed(origin, origin.conversation if alone else _whole(origin))
    if event in _MADE and channel_id:
        name = named(channel_id, origin.team, as_text(channel.get("name")))
        return Added(
            replace(origin, conversation=channel_id, thread="", kind="channel", channel_name=name), greets=False
        )
    if _among(ours, body.get("membersAdded")):
        return Added(origin, greets=origin.kind == "personal")
    return Unasked(origin)


def _installation(body: Body, origin: Origin) -> Meaning:
    action = body.get("action")
    if action == "remove":
        return Removed(origin, _whole(origin))
    if action in ("add", "add-upgrade"):
        return Added(origin, greets=action == "add" and origin.kind == "personal")
    return Unasked(None)  # "remove-upgrade" comes before "add-upgrade"


def _among(ours: frozenset[str], members: object) -> bool:
    return any(as_id(as_object(member).get("id")) in ours for member in as_list(members))


def _whole(origin: Origin) -> str:
    return origin.team if origin.kind == "channel" and origin.team else origin.conversation


def _ours(body: Body, me: str) -> frozenset[str]:
    return frozenset(filter(None, (me, as_id(as_object(body.get("recipient")).get("id")))))
