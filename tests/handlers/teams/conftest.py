"""A Teams of the tests, with the Director's edge listening to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.handlers.teams.edge_world import World, world


@pytest.fixture
async def listen(tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    async with AsyncExitStack() as stack:

        async def make(*tenants: str, **options: Any) -> World:
            return await stack.enter_async_context(world(tmp_path, *tenants, **options))

        yield make
