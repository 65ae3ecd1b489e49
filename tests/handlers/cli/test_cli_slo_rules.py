"""`director slo rules`."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml

from tests.doubles.promtool import Promtool
from tests.doubles.wiring import FakeWiring
from tests.handlers.cli.conftest import Command


def slo(name: str, *, target: str = "0.999", window: str = "28d", source: str = "") -> str:
    def metric(query: str) -> str:
        spec = f"{{type: CSV, spec: {{file: events.csv, series: {query}}}}}"
        return spec if source else f"{{type: Prometheus, spec: {{query: {query}}}}}"

    return f"""\
---
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: checkout
  budgetingMethod: Occurrences
  timeWindow: [{{duration: {window}, isRolling: true}}]
  indicator:
    metadata: {{name: errors}}
    spec:
      ratioMetric:
        counter: true
        bad: {{metricSource: {metric("bad_total")}}}
        total: {{metricSource: {metric("all_total")}}}
  objectives:
    - {{displayName: availability, target: {target}}}
"""


@pytest.fixture
def slo_file(wiring: FakeWiring) -> Path:
    path = wiring.folder / "slos" / "checkout.yml"
    path.write_text(slo("checkout"))
    return path


def test_rules_go_to_standard_output_and_promtool_takes_them(director: Command, slo_file: Path, tmp_path: Path) -> None:
    printed = director("slo", "rules")
    assert (printed.code, printed.err) == (0, "")
    assert Promtool(tmp_path, printed.out).check() == 21
    for words in ([str(slo_file)], [str(slo_file.parent)], ["--out", "-"]):
        assert director("slo", "rules", *words).out == printed.out


def test_json_holds_the_same_rules_and_prometheus_reads_it_too(
    director: Command, slo_file: Path, tmp_path: Path
) -> None:
    result = director("slo", "rules", "--json")
    assert (result.code, result.err) == (0, "")
    assert Promtool(tmp_path, result.out).check() == 21
    groups = yaml.safe_load(director("slo", "rules").out)["groups"]
    for group in groups:
        for rule in group["rules"]:
            rule["expr"] = rule["expr"].removesuffix("\n")
    assert result.data == {"groups": groups}


def test_a_file_is_written_whole_with_the_rights_it_had(director: Command, slo_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "rules" / "slo.yml"
    out.parent.mkdir()
    out.write_text("old")
    out.chmod(0o640)
    link = tmp_path / "link.yml"
    link.symlink_to(out)
    result = director("slo", "rules", "--out", str(link))
    assert (result.code, result.out, result.err) == (0, "", f"Wrote the rules of 1 objective to {link}.\n")
    assert out.read_text() == director("slo", "rules").out
    assert stat.S_IMODE(out.stat().st_mode) == 0o640
    assert (link.is_symlink(), [file.name for file in out.parent.iterdir()]) == (True, ["slo.yml"])


def test_a_device_stays_a_device(director: Command, slo_file: Path) -> None:
    assert director("slo", "rules", "--out", "/dev/null").code == 0
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_place_that_cant_be_written_is_told(director: Command, slo_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "nowhere" / "slo.yml"
    result = director("slo", "rules", "--out", str(out))
    said = f"{out} can't be written (No such file or directory); give another place with --out.\n"
    assert (result.code, result.out, result.err) == (2, "", said)


def test_what_can_have_no_rules_is_named_and_the_rest_is_written(director: Command, slo_file: Path) -> None:
    others = [
        slo("always", target="1"),
        slo("table", source="csv"),
        slo("brief", window="12h"),
    ]
    slo_file.write_text("".join([slo("checkout"), *others]))
    result = director("slo", "rules")
    assert result.code == 0
    assert [group["name"] for group in yaml.safe_load(result.out)["groups"]] == ["checkout: availability"]
    first, *rest = result.err.splitlines()
    assert first == (
        "checkout / always / availability: no rules, a target of 100% has no error budget to burn; "
        "set one below 100% and above 0%"
    )
    assert [line.split(",")[0] for line in rest] == [
        "checkout / brief / availability: no rules",
        "checkout / table / availability: no rules",
    ]


def test_nothing_to_write_is_exit_code_1_and_leaves_the_file_alone(
    director: Command, slo_file: Path, tmp_path: Path
) -> None:
    slo_file.write_text(slo("always", target="1"))
    out = tmp_path / "slo.yml"
    out.write_text("old")
    result = director("slo", "rules", "--out", str(out))
    assert (result.code, result.out, out.read_text()) == (1, "", "old")
    assert result.err.splitlines()[-1] == "There is nothing to write: no objective can have rules."


def test_mistakes_in_the_files_are_told_with_their_place(director: Command, slo_file: Path) -> None:
    slo_file.write_text(slo("checkout").replace("service:", "servise:"))
    result = director("slo", "rules")
    assert (result.code, result.out) == (2, "")
    assert f"{slo_file}:6" in result.err


def test_rules_need_files(director: Command, wiring: FakeWiring) -> None:
    gone = director("slo", "rules", "nowhere.yml")
    assert (gone.code, gone.err) == (2, "There is no file or folder nowhere.yml.\n")
    (wiring.folder / "slos").rmdir()
    none = director("slo", "rules")
    assert (none.code, none.err) == (2, "Which files? Name OpenSLO files or folders, or set DIRECTOR_SLOS.\n")
