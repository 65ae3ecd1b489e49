"""The deploy hook as docs/deploys.md leads to it: its example as it stands there, with the real openssl and curl."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import hmac
import json
import re
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from bot.reliability.deploys import Deploy
from bot.settings import HttpAddress
from handlers.hooks import hook_routes
from handlers.web import WebEdge
from tests.doubles.process import ROOT, environment, run
from tests.system.conftest import Towns

DOCS = (ROOT / "docs" / "deploys.md").read_text(encoding="utf-8")
HOOK = "wombats"
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


@pytest.mark.slow
async def test_a_deploy_that_was_told_stands_beside_the_burn_it_coincides_with(
    towns: Towns, tmp_path: Path, database_url: str
) -> None:
    town = await towns.build(database_url=database_url)
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    _burning(tmp_path / "slos" / "events.csv", hour - timedelta(hours=5), hour - timedelta(hours=4))
    told = {"service": "Checkout", "version": "1.42.0", "at": f"{hour - timedelta(minutes=270):%Y-%m-%dT%H:%M:%SZ}"}
    other = {"service": "cart", "version": "7", "at": told["at"]}

    closed = await town.serve()
    assert (await _post(closed.url, told))[0] == 404
    assert await closed.stop() == 0
    served = await town.serve(DIRECTOR_HOOK_SECRET=HOOK)
    note = "No SLO file names cart; what was told is kept and shows once one does."
    assert await _post(served.url, [told, other]) == (202, {"noted": 2, "known": 0, "note": note})
    assert await _post(served.url, told) == (202, {"noted": 0, "known": 1})
    assert (await _post(served.url, told, secret="moles"))[0] == 401

    reviewed = await run("review", "--json", cwd=tmp_path, env=town.env)
    (item,) = json.loads(reviewed.out)
    (incident,) = item["incidents"]
    assert incident["start"] == f"{hour - timedelta(hours=5):%Y-%m-%dT%H:%M:%SZ}"
    assert incident["deploys"] == [{"service": "checkout", "version": "1.42.0", "at": told["at"], "link": ""}]
    assert await served.stop() == 0
    assert HOOK not in served.log
    assert "moles" not in served.log


def _burning(table: Path, *hours: datetime) -> None:
    """The same table with a hundred bad events in each of these hours."""
    starts = {hour.isoformat().replace("+00:00", "Z") for hour in hours}
    with table.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    with table.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(header)
        out.writerows([at, series, 100 if at in starts and series.endswith("bad") else n] for at, series, n in rows)


async def _post(url: str, told: object, *, secret: str = HOOK) -> tuple[int, object]:
    body = json.dumps(told).encode()
    t = round(datetime.now(UTC).timestamp())
    signature = hmac.new(secret.encode(), f"{t}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"X-Director-Signature": f"t={t},v1={signature}"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/hooks/deploys", data=body, headers=headers) as answer,
    ):
        return answer.status, await answer.json() if answer.content_type == "application/json" else None
