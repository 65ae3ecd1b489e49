"""promtool as the judge of rule files: whether one is valid, and which of its alerts fire on a history.

Where it is not installed the test is skipped with a reason; in CI it fails.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
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

    def firing(
        self, history: History, moments: Sequence[timedelta], *, every: timedelta | None = None
    ) -> list[set[str]]:
        """The names of the alerts that fire so long after the beginning, per moment (ascending).

        With `every`, rules are evaluated that often from the beginning on, as in life; else as in `fired`.
        """
        if every is None:
            return [set(alerts) for alerts in self.fired([(history, at) for at in moments])]
        report = self._run("test", "rules", self._suite(history, moments, every), code=1)
        found = [(name, time) for name, time, got in _OUTCOME.findall(report) if _ALERT.search(got)]
        times = list(dict.fromkeys(time for _, time, _ in _OUTCOME.findall(report)))
        assert len(times) == len(moments), report
        return [{name for name, at in found if at == time} for time in times]

    def fired(self, asked: Iterable[tuple[History, timedelta]]) -> list[dict[str, Fired]]:
        """Alerts by name (a file of one objective has each once), per history and moment.

        Rules are evaluated at the beginning and then once, at that moment: three days of history take no longer than
        three minutes, and an alert that would lean on an earlier evaluation shows.
        """
        files = [self._suite(history, [at], at) for history, at in asked]
        output = self._run("test", "rules", *files, code=1)
        reports = output.split("Unit Testing:  ")[1:]
        assert len(reports) == len(files), output
        return [_fired(report, self._names()) for report in reports]

    def _suite(self, history: History, moments: Sequence[timedelta], every: timedelta) -> str:
        """A file for promtool, which says what fires only where it is not what was expected."""
        expected = [{"exp_labels": {"expected": "something else"}}]
        test = {
            "interval": _text(history.step),
            "input_series": [{"series": name, "values": text} for name, text in history.series.items()],
            "alert_rule_test": [
                {"eval_time": _text(at), "alertname": name, "exp_alerts": expected}
                for at in moments
                for name in self._names()
            ],
        }
        suite = {"rule_files": ["rules.yml"], "evaluation_interval": _text(every), "tests": [test]}
        self._suites += 1
        file = self.folder / f"suite{self._suites}.yml"
        file.write_text(json.dumps(suite), encoding="utf-8")
        return file.name

    def _names(self) -> list[str]:
        return sorted(set(re.findall(r"^ *- alert: (\S+)$", self.rules, re.MULTILINE)))

    def _run(self, *words: str, code: int) -> str:
        done = subprocess.run(
            ["promtool", *words],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=55,
            check=False,
        )
        assert done.returncode == code, done.stdout
        return done.stdout


_OUTCOME = re.compile(r"^ +alertname: (\S+), time: (\S+), .*?^ +got:\[(.*?)\]$", re.MULTILINE | re.DOTALL)
_ALERT = re.compile(r"^ +Labels:\{(.*?)\}$\n^ +Annotations:\{(.*?)\}$", re.MULTILINE)


def _fired(report: str, names: Sequence[str]) -> dict[str, Fired]:
    outcomes = {name: _ALERT.findall(got) for name, _, got in _OUTCOME.findall(report)}
    assert sorted(outcomes) == names, report
    assert all(len(alerts) <= 1 for alerts in outcomes.values()), report
    return {name: Fired(*alerts[0]) for name, alerts in outcomes.items() if alerts}


def _text(length: timedelta) -> str:
    return f"{round(length.total_seconds() * 1000)}ms"
