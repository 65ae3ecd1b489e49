"""Where an activity from Teams comes from, and its fields, whatever stands in them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain import Place
from bot.references import ConversationKind, ConversationReference
from handlers.teams.words import channel_name

ID_LIMIT = 500  # characters; Teams' longest ids have about half, and an index takes no endless ones

_KINDS: Mapping[str, ConversationKind] = {"personal": "personal", "groupchat": "group", "channel": "channel"}
THREAD = ";messageid="  # between a channel's id and its thread's

Body = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where an activity comes from. `address` is the conversation's id as it came, `conversation` without its thread.

    `home` is the person's own tenant where it differs from the conversation's.
    """

    tenant: str
    service_url: str
    address: str
    conversation: str
    thread: str
    kind: ConversationKind
    activity: str
    person: str | None
    home: str | None
    team: str | None
    channel_name: str

    @property
    def place(self) -> Place:
        return Place(platform="teams", workspace=self.tenant, channel=self.conversation, thread=self.thread)

    @property
    def key(self) -> str:
        """The same for every delivery of this activity."""
        return f"teams:{self.tenant}:{self.address}:{self.activity}"

    def reference(self, at: datetime) -> ConversationReference:
        return ConversationReference(
            platform="teams",
            workspace=self.tenant,
            conversation=self.conversation,
            kind=self.kind,
            service_url=self.service_url,
            name=self.channel_name,
            person_id=self.person if self.kind == "personal" else None,
            team_id=self.team if self.kind == "channel" else None,
            known_at=at,
        )


def tenant_of(body: Body) -> str:
    """The tenant it was said in, in lower case; empty when the activity doesn't say."""
    conversation, data = as_object(body.get("conversation")), as_object(body.get("channelData"))
    tenant = as_id(conversation.get("tenantId")) or as_id(as_object(data.get("tenant")).get("id"))
    return tenant.lower()


def origin_of(body: Body) -> Origin | None:
    conversation, data = as_object(body.get("conversation")), as_object(body.get("channelData"))
    address, tenant, service_url = as_id(conversation.get("id")), tenant_of(body), as_id(body.get("serviceUrl"))
    bare, _, root = address.partition(THREAD)
    if not bare or not tenant or not service_url:
        return None
    kind = _kind(conversation, bare)
    sender = as_object(body.get("from"))
    home = as_id(sender.get("tenantId")).lower()
    team = as_id(as_object(data.get("team")).get("id")) or None
    channel = as_object(data.get("channel"))
    says_name = as_id(channel.get("id")) in ("", bare)
    return Origin(
        tenant=tenant,
        service_url=service_url,
        address=address,
        conversation=bare,
        thread=root if kind == "channel" else "",
        kind=kind,
        activity=as_id(body.get("id")),
        person=as_id(sender.get("aadObjectId")) or as_id(sender.get("id")) or None,
        home=home if home and home != tenant else None,
        team=team,
        channel_name=named(bare, team, as_text(channel.get("name")) if says_name else "") if kind == "channel" else "",
    )


def _kind(conversation: Body, bare: str) -> ConversationKind:
    said = conversation.get("conversationType")
    known = _KINDS.get(said.lower()) if isinstance(said, str) else None
    if known is not None:
        return known
    if "@thread.tacv2" in bare or "@thread.skype" in bare:
        return "channel"
    # What isn't known to be personal needs a mention.
    return "group" if conversation.get("isGroup") is True or said or "@thread." in bare else "personal"


def named(channel: str, team: str | None, name: str) -> str:
    """General has its team's id, and no name that Teams would say."""
    return channel_name(name) or ("general" if channel == team else "")


def as_object(value: object) -> Body:
    return value if isinstance(value, Mapping) else {}


def as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def as_text(value: object) -> str:
    return value if isinstance(value, str) else ""


def as_id(value: object) -> str:
    """An id that can be stored and sent back; empty when it is none."""
    if not isinstance(value, str) or not 0 < len(value) <= ID_LIMIT:
        return ""
    return "" if any(unicodedata.category(character) in ("Cc", "Cs") for character in value) else value
