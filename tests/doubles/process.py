"""The real program as a process of its own: started, watched, killed."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """A clean environment: nothing of the person who runs the tests, no colours, no proxy."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "LOG_FORMAT": "json", **extra}


@dataclass
class Finished:
    code: int
    out: str
    err: str


async def run(*args: str, cwd: Path, env: Mapping[str, str], stdin: str = "", seconds: float = 60) -> Finished:
    """`director ARGS` to its end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *args,
        cwd=cwd,
        env=environment({"PYTHONPATH": str(ROOT), **env}),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(stdin.encode()), seconds)
    except TimeoutError:
        process.kill()
        out, err = await process.communicate()
        raise AssertionError(f"director {args} did not end in {seconds} s:\n{out.decode()}\n{err.decode()}") from None
    return Finished(process.returncode or 0, out.decode(), err.decode())


@dataclass
class Served:
    """One `director serve` that can be killed and started again on the same settings."""

    cwd: Path
    env: Mapping[str, str]
    port: int = field(default_factory=free_port)
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return self._log_path.read_text(encoding="utf-8") if self._log_path.exists() else ""

    @property
    def _log_path(self) -> Path:
        return self.cwd / f"serve-{self.port}.log"

    async def start(self, *, seconds: float = 30) -> None:
        with self._log_path.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot",
                "serve",
                cwd=self.cwd,
                env=environment(
                    {"PYTHONPATH": str(ROOT), "DIRECTOR_HTTP": f"127.0.0.1:{self.port}", **self.env},
                ),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        await self._ready(seconds)

    async def kill(self) -> None:
        """kill -9: nothing is said goodbye to."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self, *, seconds: float = 30) -> int:
        """SIGTERM, as an orchestrator does; its exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.terminate()
        try:
            return await asyncio.wait_for(self.process.wait(), seconds)
        except TimeoutError:
            await self.kill()
            raise AssertionError(f"serve did not stop in {seconds} s:\n{self.log}") from None

    def memory_mb(self) -> float:
        """Resident memory of the process, in MB."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1000

    async def _ready(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
            while time.monotonic() < deadline:
                assert self.process is not None
                if self.process.returncode is not None:
                    raise AssertionError(f"serve ended with {self.process.returncode}:\n{self.log}")
                try:
                    async with session.get(f"{self.url}/ready") as answer:
                        if answer.status == 200:
                            return
                except (aiohttp.ClientError, TimeoutError):
                    pass
                await asyncio.sleep(0.1)
        await self.kill()
        raise AssertionError(f"serve was not ready in {seconds} s:\n{self.log}")
