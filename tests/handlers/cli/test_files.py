"""`director slo check` and `director persona check`."""

from __future__ import annotations

from pathlib import Path

import pytest

import bot.persona
from tests.doubles.wiring import FakeWiring
from tests.handlers.cli.conftest import Command

SLO = """\
apiVersion: openslo/v1
kind: Service
metadata: {name: checkout}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: checkout-availability}
spec:
  service: checkout
  budgetingMethod: Occurrences
  timeWindow: [{duration: 28d, isRolling: true}]
  indicator:
    metadata: {name: errors}
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: Prometheus, spec: {query: 'http_requests_total{code="500"}'}}}
        total: {metricSource: {type: Prometheus, spec: {query: http_requests_total}}}
  objectives:
    - {displayName: availability, target: 0.999}
"""


@pytest.fixture
def slo_file(wiring: FakeWiring) -> Path:
    path = wiring.folder / "slos" / "checkout.yml"
    path.write_text(SLO)
    return path


def test_right_slo_files_are_counted(director: Command, slo_file: Path) -> None:
    said = "No mistakes: 1 objective of 1 service.\n"
    assert director("slo", "check").out == said
    assert director("slo", "check", str(slo_file)).out == said
    assert director("slo", "check", "--json").data == []


def test_mistakes_come_as_they_stand_in_the_files(director: Command, slo_file: Path) -> None:
    slo_file.write_text(SLO.replace("28d", "4 weeks").replace("Occurrences", "Calendar").replace("0.999", "lots"))
    (slo_file.parent / "a.yml").write_text("oops")
    places = [mistake["where"] for mistake in director("slo", "check", "--json").data]
    assert places == [f"{slo_file.parent / 'a.yml'}:1", *(f"{slo_file}:{line}" for line in (10, 11, 20))]


def test_a_target_that_is_hardly_meant_is_told_beside_the_answer(director: Command, slo_file: Path) -> None:
    slo_file.write_text(SLO.replace("target: 0.999", "target: 99.9"))
    result = director("slo", "check")
    assert (result.code, result.out) == (0, "No mistakes: 1 objective of 1 service.\n")
    assert result.err == (
        f"{slo_file}:20: spec.objectives[0].target: 99.9 leaves no budget to judge, so reviews show INVALID_TARGET; "
        "if per cent are meant, write targetPercent: 99.9\n"
    )


def test_mistakes_in_slo_files_are_the_answer_with_exit_code_1(director: Command, slo_file: Path) -> None:
    slo_file.write_text(SLO.replace("service: checkout", "servise: checkout"))
    result = director("slo", "check", "--json")
    assert (result.code, result.err) == (1, "")
    assert {"where", "key", "text"} == set(result.data[0])
    assert f"{slo_file}:9" in {mistake["where"] for mistake in result.data}
    text = director("slo", "check")
    assert text.code == 1
    assert text.out.splitlines() == [f"{found['where']}: {found['key']}: {found['text']}" for found in result.data]


def test_slo_check_needs_files(director: Command, wiring: FakeWiring) -> None:
    gone = director("slo", "check", "nowhere.yml")
    assert (gone.code, gone.err) == (2, "There is no file or folder nowhere.yml.\n")
    (wiring.folder / "slos").rmdir()
    none = director("slo", "check")
    assert (none.code, none.err) == (2, "Which files? Name OpenSLO files or folders, or set DIRECTOR_SLOS.\n")


def test_the_built_in_cards_have_everything(director: Command) -> None:
    assert director("persona", "check").out == "The 4 built-in cards are used: nothing is missing.\n"
    cards = sorted(str(path) for path in Path(bot.persona.__file__).parent.glob("0*.md"))
    result = director("persona", "check", *cards)
    assert (result.code, result.out) == (0, "4 cards: nothing is missing.\n")


def test_a_card_that_lacks_something_is_exit_code_1(director: Command, wiring: FakeWiring) -> None:
    card = wiring.folder / "card.md"
    card.write_text("# Nobody\n")
    (wiring.folder / "director.yml").write_text("personas: {director: card.md}")
    result = director("persona", "check", "--json")
    assert result.code == 1
    assert all(mistake["where"].startswith(str(card)) for mistake in result.data)
    text = director("persona", "check")
    assert (text.code, len(text.out.splitlines())) == (1, len(result.data))
