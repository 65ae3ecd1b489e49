"""A Prometheus that fails in the middle of a review: each way has its state, its sentence and its exit code."""

from __future__ import annotations

import json
import shutil
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.process import Finished, run
from tests.doubles.prometheus import AT, Fleet
from tests.doubles.prometheus_hostile import HostileServer, hostile, never, says, truncated
from tests.doubles.prometheus_proxy import Proxy, half, proxy, warning
from tests.system.conftest import write_checkout
from tests.system.test_review import promise

pytestmark = pytest.mark.slow
FAILED, GREEN = "QUERY_FAILED", "OK"
SERVICES = ("faultless", "fine", "risky", "spent")


@dataclass
class Reviewed:
    ended: Finished
    url: str

    @property
    def items(self) -> dict[str, dict[str, Any]]:
        return {item["service"]: item for item in json.loads(self.ended.out)}

    @property
    def told(self) -> set[tuple[str, str]]:
        """States with their sentences, the server's address left out."""
        return {(item["state"], item["sentence"].replace(self.url, "URL")) for item in self.items.values()}


async def review(folder: Path, url: str, *, at: str = AT.isoformat()) -> Reviewed:
    for name in SERVICES:
        _write(folder, name)
    (folder / "director.yml").write_text("metrics: {timeout: 1s}\n")
    ended = await run("review", "--at", at, "--json", cwd=folder, env={"PROMETHEUS_URL": url})
    assert (ended.err, list(json.loads(ended.out)[0]["burn"])) == ("", ["1h", "6h", "24h", "3d", "7d"])
    return Reviewed(ended, url)


Server = AbstractAsyncContextManager[HostileServer]


@pytest.mark.parametrize(
    ("server", "sentence", "code"),
    [
        (
            lambda: hostile(says(401, "who are you?")),
            "Prometheus at URL refused access (HTTP 401); check PROMETHEUS_TOKEN and PROMETHEUS_TENANT.",
            1,
        ),
        (
            lambda: hostile(says(200, "<html>Please log in</html>")),
            (
                "Prometheus at URL answered with something else than Prometheus' JSON (HTTP 200); "
                "check that PROMETHEUS_URL is the API's address."
            ),
            1,
        ),
        (
            lambda: hostile(says(503, "<html>Service Unavailable</html>")),
            "Prometheus at URL is not ready (HTTP 503); check that it runs and what stands between.",
            3,
        ),
        (
            lambda: hostile(never),
            "Prometheus at URL did not answer within 1 s; check its load, or raise metrics.timeout.",
            3,
        ),
        (
            lambda: hostile(truncated),
            "Prometheus at URL broke off its answer; check that it runs and what stands between.",
            3,
        ),
    ],
    ids=["401", "html", "503", "after the time limit", "cut short"],
)
async def test_a_server_that_answers_nothing_usable_fails_every_objective(
    tmp_path: Path, server: Any, sentence: str, code: int
) -> None:
    async with server() as found:
        reviewed = await review(tmp_path, found.url)
    assert (reviewed.ended.code, reviewed.told) == (code, {(FAILED, sentence)})
    assert {item["sli"] for item in reviewed.items.values()} == {None}


async def test_a_warning_is_distrusted(prometheus_fleet: Fleet, tmp_path: Path) -> None:
    async with proxy(prometheus_fleet.url, change=warning("store 2 is away")) as server:
        reviewed = await review(tmp_path, server.url)
    sentence = "Prometheus at URL warned that its answer may be incomplete: store 2 is away"
    assert (reviewed.ended.code, reviewed.told) == (1, {(FAILED, sentence)})


@pytest.mark.parametrize("keep", [0, 1])
async def test_half_of_the_series_makes_nothing_falsely_green(
    prometheus_fleet: Fleet, tmp_path: Path, keep: int
) -> None:
    async with proxy(prometheus_fleet.url, change=half(keep)) as server:
        reviewed = await review(tmp_path, server.url)
    plainly_green = {name for name, item in reviewed.items.items() if item["state"] == GREEN and not item["notes"]}
    assert (reviewed.ended.code, plainly_green) == (1, set())
    assert all(item["sentence"] for item in reviewed.items.values())


async def test_killed_in_the_middle_is_exit_code_3_wherever_that_was(prometheus_fleet: Fleet, tmp_path: Path) -> None:
    whole = await _killed_after(None, prometheus_fleet, tmp_path / "whole")
    counted = 0
    for number in range(0, whole.asked, 2):
        reviewed = await _killed_after(number, prometheus_fleet, tmp_path / str(number))
        if reviewed.ended.code == 0:  # it died after the last count: only what stood beside the burns is not known
            unknown = {note["code"] for item in reviewed.items.values() for note in item["notes"]}
            assert "burners_unknown" in unknown
            assert _figures(reviewed) == _figures(whole)
            counted += 1
            continue
        assert reviewed.ended.code == 3
        assert {item["state"] for item in reviewed.items.values()} == {FAILED}
        assert all("URL" in sentence for _, sentence in reviewed.told)
        assert all("check" in sentence for _, sentence in reviewed.told)
    assert counted < whole.asked // 2


async def test_what_another_source_holds_is_judged_beside_a_dead_prometheus(tmp_path: Path) -> None:
    write_checkout(tmp_path / "slos", now=AT)
    async with hostile(says(503, "")) as server:
        reviewed = await review(tmp_path, server.url)
    states = {name: item["state"] for name, item in reviewed.items.items()}
    assert (reviewed.ended.code, states) == (3, {"checkout": GREEN, **dict.fromkeys(SERVICES, FAILED)})


async def test_what_was_said_before_is_said_again_beside_a_dead_prometheus(
    prometheus_fleet: Fleet, tmp_path: Path
) -> None:
    async with proxy(prometheus_fleet.url) as server:
        whole = await review(tmp_path, server.url)
        shutil.copy(tmp_path / "slos" / "fine.yaml", tmp_path / "slos" / "later.yaml")
        text = (tmp_path / "slos" / "later.yaml").read_text().replace("name: fine-", "name: later-")
        (tmp_path / "slos" / "later.yaml").write_text(text)
        server.dead = True
        again = await review(tmp_path, server.url)
    assert (whole.ended.code, again.ended.code) == (0, 3)
    said = [item for item in json.loads(again.ended.out) if not item["slo"].startswith("later-")]
    assert said == json.loads(whole.ended.out)


def _write(folder: Path, name: str) -> None:
    folder.mkdir(exist_ok=True)
    promise(folder / "slos", name)


@dataclass
class Killed(Reviewed):
    asked: int


async def _killed_after(number: int | None, fleet: Fleet, folder: Path) -> Killed:
    server: Proxy
    async with proxy(fleet.url, dies_after=number) as server:
        reviewed = await review(folder, server.url)
        return Killed(reviewed.ended, server.url, len(server.queries))


def _figures(reviewed: Reviewed) -> list[Any]:
    return [(name, item["state"], item["events"], item["burn"]) for name, item in reviewed.items.items()]
