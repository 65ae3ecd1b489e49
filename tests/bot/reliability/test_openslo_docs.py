"""What docs/slos.md shows can be loaded as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml

from bot.reliability import load_definitions
from tests.bot.reliability.slo_files import NOW

PAGE = (Path(__file__).parents[3] / "docs" / "slos.md").read_text(encoding="utf-8")
WHOLE, *PARTS = (yaml.safe_load(dedent(block)) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
OF_AN_SLO = [part for part in PARTS if not {"bad", "total"} & set(part)]


def test_the_page_shows_windows_latencies_and_slices() -> None:
    assert [sorted(part) for part in OF_AN_SLO] == [
        ["timeWindow"],
        ["timeWindow"],
        ["indicator", "objectives"],
        ["budgetingMethod", "objectives"],
    ]


@pytest.mark.parametrize("part", [{}, *OF_AN_SLO], ids=lambda part: "+".join(sorted(part)) or "whole")
def test_every_example_is_right(tmp_path: Path, part: dict[str, Any]) -> None:
    path = tmp_path / "slo.yml"
    path.write_text(yaml.safe_dump({**WHOLE, "spec": {**WHOLE["spec"], **part}}))
    assert load_definitions([path], now=NOW).objectives
