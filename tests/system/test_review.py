"""`director review`, `digest` and `status` against a real Prometheus: the contract's list, its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.doubles.process import free_port, run
from tests.doubles.prometheus import AT, Fleet

SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}-availability}}
spec:
  service: {name}
  timeWindow: [{{duration: 28d, isRolling: true}}]
  budgetingMethod: Occurrences
  indicator:
    metadata: {{name: {name}-requests}}
    spec:
      ratioMetric:
        counter: true
        bad: {{metricSource: {{type: Prometheus, spec: {{query: '{bad}'}}}}}}
        total: {{metricSource: {{type: Prometheus, spec: {{query: '{total}'}}}}}}
  objectives: [{{displayName: availability, target: 0.999}}]
"""

KEYS = {
    "service", "slo", "objective_name", "objective", "window", "state", "method", "events", "sli", "budget", "burn",
    "policy", "forecast", "notes", "query", "evaluated_at",
}  # fmt: skip


def promise(folder: Path, name: str, *, bad: str | None = None) -> None:
    folder.mkdir(exist_ok=True)
    text = SLO.format(
        name=name,
        bad=bad or f'events_total{{service="{name}",code="500"}}',
        total=f'events_total{{service="{name}"}}',
    )
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


async def test_each_objective_is_printed_as_the_contract_says(prometheus_fleet: Fleet, tmp_path: Path) -> None:
    for name in ("spent", "fine", "risky"):
        promise(tmp_path / "slos", name)
    at = AT.isoformat().replace("+00:00", "Z")
    ended = await run("review", "--at", at, "--json", cwd=tmp_path, env={"PROMETHEUS_URL": prometheus_fleet.url})
    assert ended.code == 0, ended.err
    items = json.loads(ended.out)
    assert [item["service"] for item in items] == ["fine", "risky", "spent"]
    for item in items:
        assert item.keys() >= KEYS
        truth = prometheus_fleet.truth[item["service"]]
        consumed = truth.bad / (0.001 * truth.total)
        assert item["budget"]["consumed"] == pytest.approx(consumed, abs=0.0005)
        assert item["budget"]["remaining"] == pytest.approx(1 - consumed, abs=0.0005)
        assert item["sli"] == pytest.approx(1 - truth.bad / truth.total, abs=1e-6)
        assert set(item["burn"]) == {"1h", "6h", "24h", "3d", "7d"}
        assert (item["method"], item["window"], item["objective"]) == ("increase", "28d", 0.999)
        assert item["evaluated_at"] == at
    assert [item["state"] for item in items] == ["OK", "AT_RISK", "EXHAUSTED"]


async def test_asked_again_for_the_same_moment_the_figures_are_the_same(
    prometheus_fleet: Fleet, tmp_path: Path
) -> None:
    promise(tmp_path / "slos", "risky")
    ask = ("review", "--at", AT.isoformat(), "--json")
    env = {"PROMETHEUS_URL": prometheus_fleet.url}
    assert json.loads((await run(*ask, cwd=tmp_path, env=env)).out) == json.loads(
        (await run(*ask, cwd=tmp_path, env=env)).out
    )


async def test_a_prometheus_that_is_down_gives_a_state_a_sentence_and_exit_code_3(tmp_path: Path) -> None:
    promise(tmp_path / "slos", "fine")
    env = {"PROMETHEUS_URL": f"http://127.0.0.1:{free_port()}"}
    ended = await run("review", "--json", cwd=tmp_path, env=env)
    assert ended.code == 3
    [item] = json.loads(ended.out)
    assert item["state"] == "QUERY_FAILED"
    figures = [item[key] for key in ("events", "sli", "budget")]
    assert not any(isinstance(value, float) for value in _numbers(figures))
    assert "127.0.0.1" in item["sentence"]
    assert "Traceback" not in ended.err


async def test_a_broken_query_costs_only_its_own_objective(prometheus_fleet: Fleet, tmp_path: Path) -> None:
    promise(tmp_path / "slos", "fine")
    promise(tmp_path / "slos", "lost", bad='no_such_metric{service="lost"}')
    at = AT.isoformat()
    ended = await run("review", "--at", at, "--json", cwd=tmp_path, env={"PROMETHEUS_URL": prometheus_fleet.url})
    assert ended.code == 1
    assert [(item["service"], item["state"]) for item in json.loads(ended.out)] == [("fine", "OK"), ("lost", "NO_DATA")]


async def test_an_unknown_service_is_wrong_usage_and_names_near_ones(prometheus_fleet: Fleet, tmp_path: Path) -> None:
    promise(tmp_path / "slos", "risky")
    ended = await run("status", "risk", cwd=tmp_path, env={"PROMETHEUS_URL": prometheus_fleet.url})
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "There is no service called 'risk'. Did you mean risky?\n"


def _numbers(value: object) -> list[object]:
    if isinstance(value, dict):
        return [number for inner in value.values() for number in _numbers(inner)]
    if isinstance(value, list):
        return [number for inner in value for number in _numbers(inner)]
    return [value]
