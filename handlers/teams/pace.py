"""How often one conversation is written to: all turns of this process that show something there share one pace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from handlers.teams.origin import THREAD

# Teams takes one call a second of a stream ("Stream bot messages": "the throttling limit is 1 request per second") and
# 60 calls in 30 s to a conversation ("Optimize your bot with rate limiting"). Counted from the end of one call to the
# start of the next, so that no delay on the wire brings two closer together.
GAP = 1.1
SLOWEST = 10.0
RECOVERY = 60.0  # seconds without a refusal after which the usual pace is taken up again
_MOST = 1_000  # conversations whose pace is remembered


class Pace:
    """The pace of one conversation; `now` is a monotonic clock in seconds."""

    def __init__(self, gap: float = GAP, *, now: Callable[[], float] = time.monotonic) -> None:
        self._least, self._gap, self._now = gap, gap, now
        self._next = 0.0
        self._refused = float("-inf")
        self._calling = asyncio.Lock()

    def waiting(self) -> float:
        """Seconds until a call might be made; 0.0 when it may be made now."""
        return self._gap if self._calling.locked() else self._rest()

    @property
    def idle(self) -> bool:
        return not self._calling.locked() and self._now() > self._next + RECOVERY

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Make one call inside; whoever must make one queues here, whoever may leave it out looks at `waiting`."""
        async with self._calling:
            await asyncio.sleep(self._rest())
            try:
                yield
            finally:
                if self._now() - self._refused > RECOVERY:
                    self._gap = self._least
                self._next = max(self._next, self._now() + self._gap)

    def _rest(self) -> float:
        return max(self._next - self._now(), 0.0)

    def slow(self, seconds: float | None) -> None:
        """Teams asked to wait, for so long where it says so; further calls keep twice the distance for a while."""
        self._refused = self._now()
        self._gap = min(self._gap * 2, max(SLOWEST, self._least))
        self._next = max(self._next, self._now() + (self._gap if seconds is None else seconds))


class Paces:
    """The paces of all conversations. Threads of a channel share the channel's: Teams counts them together."""

    def __init__(self, gap: float = GAP, *, now: Callable[[], float] = time.monotonic) -> None:
        self._gap, self._now = gap, now
        self._known: dict[str, Pace] = {}

    def of(self, conversation: str) -> Pace:
        bare = conversation.partition(THREAD)[0]
        if bare not in self._known:
            if len(self._known) >= _MOST:
                self._known = {key: pace for key, pace in self._known.items() if not pace.idle}
            self._known[bare] = Pace(self._gap, now=self._now)
        return self._known[bare]
