"""aimock (npm `@copilotkit/aimock`), a mock of the Messages API that others wrote, where it is installed.

It is pinned in `tests/doubles/npm`. Where it is missing, its tests are skipped, unless `CI` is set: then they fail.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import pytest

_INSTALL = "npm ci --prefix tests/doubles/npm --ignore-scripts"
_ENTRY = Path(__file__).with_name("npm") / "node_modules/@copilotkit/aimock/dist/cli.js"


def find() -> Path | None:
    """The command's script, when node and the package are here."""
    return _ENTRY if shutil.which("node") and _ENTRY.is_file() else None


def require() -> Path:
    """The command's script, or a loud skip (a failure in CI)."""
    found = find()
    if found is None:
        reason = f"aimock is not installed; run: {_INSTALL}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


class Aimock:
    """One server with its fixtures (`[{"match": …, "response": …}]`), on a free port of loopback."""

    def __init__(self, folder: Path, fixtures: Sequence[dict[str, Any]], *, latency: int = 0) -> None:
        self._file = folder / "fixtures.json"
        self._file.write_text(json.dumps({"fixtures": list(fixtures)}))
        self._latency = latency
        self._process: asyncio.subprocess.Process | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = ["node", str(require()), "-h", "127.0.0.1", "-p", str(port), "-f", str(self._file)]
        command += ["--latency", str(self._latency), "--log-level", "silent", "--strict"]
        quiet = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
        async with asyncio.timeout(20), aiohttp.ClientSession() as session:
            while True:
                assert self._process.returncode is None, "aimock ended at its start"
                try:
                    async with session.get(f"{self.url}/__aimock/journal"):
                        return self
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.02)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            await self._process.wait()

    async def journal(self) -> list[dict[str, Any]]:
        """Every request that came in."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/__aimock/journal") as response:
            entries = await response.json()
        return list(entries if isinstance(entries, list) else entries["entries"])
