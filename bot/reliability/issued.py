"""Reviews that were issued: their facts as they were said, so that the same question gives the same answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol


class IssuedReviews(Protocol):
    """Facts of issued reviews, of one workspace: by instant and by `key` (definition, source and what is left out)."""

    async def get(self, at: datetime, keys: Sequence[str]) -> Mapping[str, str]:
        """What was said at that instant for these keys; a key that nothing was said of is left out."""
        ...

    async def put(self, at: datetime, facts: Mapping[str, str]) -> None:
        """Keep them; what was said first stays."""
        ...
