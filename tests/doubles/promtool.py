"""promtool as the judge of rule files: whether one is valid, and which of its alerts fire on a history.

Where it is not installed the test is skipped with a reason; in CI it fails.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest


@dataclass(frozen=True)
class History:
    """Counters sampled every `step` from the beginning on, in promtool's notation (`0+10x100`)."""

    series: Mapping[str, str]
    step: timedelta = timedelta(seconds=10)


@dataclass(frozen=True)
class Fired:
    """One alert as it would be sent."""

    labels: str
    annotations: str


@dataclass
class Promtool:
    """Judges the text of one rule file; works in `folder`."""

    folder: Path
    rules: str
    _suites: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if shutil.which("promtool") is None:
            reason = "promtool is not installed (Debian package: prometheus)"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
        (self.folder / "rules.yml").write_text(self.rules, encoding="utf-8")

    def check(self) -> int:
        """How many rules there are, according to `promtool check rules`; fails where it finds fault."""
        found = re.search(r"SUCCESS: (\d+) rules found", self._run("check", "rules", "rules.yml", code=0))
        assert found is not None
        return int(found[1])

    def firing(self, history: History, at: timedelta, *, every: timedelta | None = None) -> set[str]:
        """The names of the alerts that fire so long after the beginning."""
        return set(self.fired(history, at, every=every))

    def fired(self, history: History, at: timedelta, *, every: timedelta | None = None) -> dict[str, Fired]:
        """Alerts by name (a file of one objective has each once).

        Rules are evaluated at the beginning and then once, at `at` itself: three days of history take no longer than
        three minutes, and an alert that would lean on an earlier evaluation shows. Or `every` so often, as in life.
        """
        names = sorted(set(re.findall(r"^ *- alert: (\S+)$", self.rules, re.MULTILINE)))
        # promtool says what fires only where it is not what was expected.
        expected = [{"exp_labels": {"expected": "something else"}}]
        suite = {
            "rule_files": ["rules.yml"],
            "evaluation_interval": _text(every or at),
            "tests": [
                {
                    "interval": _text(history.step),
                    "input_series": [{"series": name, "values": text} for name, text in history.series.items()],
                    "alert_rule_test": [
                        {"eval_time": _text(at), "alertname": name, "exp_alerts": expected} for name in names
                    ],
                }
            ],
        }
        self._suites += 1
        file = self.folder / f"suite{self._suites}.yml"
        file.write_text(json.dumps(suite), encoding="utf-8")
        output = self._run("test", "rules", file.name, code=1)
        found = dict(_outcomes(output))
        assert sorted(found) == names, output
        return {name: alert for name, alert in found.items() if alert is not None}

    def _run(self, *words: str, code: int) -> str:
        done = subprocess.run(
            ["promtool", *words], cwd=self.folder, capture_output=True, text=True, timeout=55, check=False
        )
        output = done.stdout + done.stderr
        assert done.returncode == code, output
        return output


_OUTCOME = re.compile(r"^ +alertname: (\S+), time: .*?^ +got:\[(.*?)\]$", re.MULTILINE | re.DOTALL)
_ALERT = re.compile(r"^ +Labels:\{(.*?)\}$\n^ +Annotations:\{(.*?)\}$", re.MULTILINE)


def _outcomes(output: str) -> list[tuple[str, Fired | None]]:
    found: list[tuple[str, Fired | None]] = []
    for name, got in _OUTCOME.findall(output):
        alerts = _ALERT.findall(got)
        assert len(alerts) <= 1, output
        found.append((name, Fired(*alerts[0]) if alerts else None))
    return found


def _text(length: timedelta) -> str:
    return f"{round(length.total_seconds() * 1000)}ms"
