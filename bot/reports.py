"""Status, review and digest as replies: which services, at which moment, from one assessment."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bot.domain import Audience, Reply
from bot.reliability import Assessment, digest_reply, review_reply, status_reply
from bot.schedules import Schedule, What


class Assesses(Protocol):
    async def assess(self, services: Sequence[str] | None, at: datetime) -> Assessment:
        """Answer a question. Raises UsageError for a service that nobody defined."""
        ...

    async def issue(self, services: Sequence[str] | None, at: datetime) -> Assessment:
        """What a review or a digest says, for good. Raises UsageError for a service that nobody defined."""
        ...


class Reports:
    """`channel_services` says, by "#name", which services a channel is about when nobody names any."""

    def __init__(self, reliability: Assesses, channel_services: Mapping[str, Sequence[str]]) -> None:
        self._reliability = reliability
        self._channel_services = channel_services

    async def status(self, service: str | None, at: datetime) -> Reply:
        """Only for the person who asks."""
        assessment = await self._reliability.assess([service] if service else None, at)
        reply = await asyncio.to_thread(status_reply, assessment)  # of a thousand objectives it takes a while
        return reply.model_copy(update={"audience": Audience.ASKER})

    async def report(self, what: What, services: Sequence[str], channel_name: str | None, at: datetime) -> Reply:
        if not services and channel_name:
            services = self._channel_services.get(f"#{channel_name.lstrip('#')}", ())
        assessment = await self._reliability.issue(services or None, at)
        return await asyncio.to_thread(review_reply if what == "review" else digest_reply, assessment)

    async def scheduled(self, schedule: Schedule, at: datetime) -> Reply:
        return await self.report(schedule.what, schedule.services, schedule.channel_name, at)
