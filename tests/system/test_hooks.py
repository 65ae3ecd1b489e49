"""The deploy hook as docs/deploys.md leads to it: its example as it stands there, with the real openssl and curl."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from bot.reliability.deploys import Deploy
from bot.settings import HttpAddress
from handlers.hooks import hook_routes
from handlers.web import WebEdge
from tests.doubles.process import ROOT, environment

DOCS = (ROOT / "docs" / "deploys.md").read_text(encoding="utf-8")
SECRET = 'it\'s a "secret" with $signs'


class Log:
    def __init__(self) -> None:
        self.told: list[Deploy] = []

    async def note(self, deploy: Deploy) -> bool:
        known = deploy in self.told
        self.told.append(deploy)
        return not known

    async def between(self, services: Sequence[str], span: object) -> Sequence[Deploy]:
        raise NotImplementedError


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


async def example(url: str, secret: str) -> tuple[int, str]:
    """Run the script of the docs; its exit code and what it printed."""
    (script,) = re.findall(r"```sh\n(.*?)```", DOCS, re.DOTALL)
    process = await asyncio.create_subprocess_exec(
        *("sh", "-euc", script),
        env=environment({"DIRECTOR_URL": url, "DIRECTOR_HOOK_SECRET": secret}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode or 0, out.decode()


@pytest.fixture
def _tools() -> None:
    for program in ("openssl", "curl"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


@pytest.mark.usefixtures("_tools")
async def test_the_example_of_the_docs_tells_a_deploy_and_with_another_secret_it_is_told_why_not():
    log = Log()
    address = HttpAddress(host="127.0.0.1", port=0)
    edge = WebEdge(address, hook_routes(SECRET, log, lambda: ["checkout"], Clock()))
    url = await edge.start()
    try:
        code, said = await example(url, SECRET)
        assert (code, json.loads(said)) == (0, {"noted": 1, "known": 0})
        code, said = await example(url, "another")
        assert code != 0
        assert "the signature doesn't match this body and time" in said
    finally:
        await edge.close()
    (told,) = log.told
    assert abs(told.at - datetime.now(UTC)) < timedelta(minutes=1)
    assert (told.service, told.version, told.link) == ("checkout", "1.42.0", "https://ci.example/runs/4711")
