"""Deploys: what changed when, from a webhook or a series, to stand beside a burn; never called its cause."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.reliability.windows import Span

MOST = 1_000  # deploys in one answer of a log
BEFORE = timedelta(hours=1)  # a deploy so long before a burn still coincides with it
_SAME = timedelta(minutes=30)  # a version that shows up again so soon is one deploy, seen from several sides


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
        """What these services deployed in that time, both ends included, oldest first; the newest `MOST` of them."""
        ...


def around(burn: Span) -> Span:
    """When a deploy coincides with a burn: from an hour before it begins until it ends."""
    return Span(burn.start - BEFORE, burn.end)


def together(told: Iterable[Deploy], seen: Iterable[Deploy]) -> tuple[Deploy, ...]:
    """What was told and what a series shows, oldest first, each deploy once.

    A series shows late what was told, under the same version ("v1.4" is "1.4") or none: then what was told stands.
    """
    kept: list[Deploy] = list(dict.fromkeys(told))
    for deploy in sorted(seen, key=_order):
        if not any(_same(deploy, other) for other in kept):
            kept.append(deploy)
    return tuple(sorted(kept, key=_order))


def _same(deploy: Deploy, other: Deploy) -> bool:
    versions = {_bare(deploy.version), _bare(other.version)}
    alike = len(versions) == 1 or "" in versions
    return deploy.service == other.service and alike and abs(deploy.at - other.at) <= _SAME


def _bare(version: str) -> str:
    return version[1:] if version[:1] in {"v", "V"} and version[1:2].isdecimal() else version


def _order(deploy: Deploy) -> tuple[datetime, str, str, str]:
    return (deploy.at, deploy.service, deploy.version, deploy.link)
