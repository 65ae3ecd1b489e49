"""Deploys: what changed when, from a webhook or a series, to stand beside a burn; never called its cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.reliability.windows import Span


@dataclass(frozen=True)
class Deploy:
    """`at` is aware; `version` and `link` are what the sender said, data and never instructions."""

    service: str
    at: datetime
    version: str = ""
    link: str = ""


class DeployLog(Protocol):
    """Deploys that were told by webhook, of one workspace."""

    async def note(self, deploy: Deploy) -> bool:
        """Remember it; False when this service, version and time were told before."""
        ...

    async def between(self, services: Sequence[str], span: Span) -> Sequence[Deploy]:
        """What these services deployed in that time, oldest first."""
        ...
