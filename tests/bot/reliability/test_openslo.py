"""OpenSLO files: what they define, and every mistake at once with file, line, field and remedy."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from textwrap import dedent

import pytest

from bot.reliability import DefinitionError, check, load_definitions
from bot.reliability.definitions import Definitions, ServiceDefinition, TableQuery
from tests.bot.reliability.slo_files import DEFINED, SLO, mistakes, written


def test_an_slo_with_an_inline_indicator_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, SLO)
    assert load_definitions([path]) == Definitions((ServiceDefinition("checkout"),), (DEFINED,))


def test_an_indicator_may_stand_in_another_file_and_a_data_source_may_say_its_type(tmp_path: Path) -> None:
    written(
        tmp_path,
        """\
        apiVersion: openslo/v1
        kind: DataSource
        metadata: {name: main}
        spec: {type: Prometheus, connectionDetails: {url: http://prometheus:9090}}
        ---
        apiVersion: openslo/v1
        kind: SLI
        metadata: {name: ratio}
        spec:
          ratioMetric:
            counter: true
            bad: {metricSource: {metricSourceRef: main, spec: {query: 'http_total{code=~"5.."}'}}}
            total: {metricSource: {metricSourceRef: main, spec: {query: http_total}}}
        """,
        "sli.yaml",
    )
    written(
        tmp_path,
        """\
        apiVersion: openslo/v1
        kind: SLO
        metadata: {name: checkout-availability}
        spec:
          service: checkout
          indicatorRef: ratio
          timeWindow: [{duration: 28d, isRolling: true}]
          budgetingMethod: Occurrences
          objectives: [{displayName: availability, targetPercent: 99.9}]
        """,
    )
    assert load_definitions([tmp_path]).objectives == (DEFINED,)


def test_fields_left_empty_count_as_left_out_and_an_empty_last_document_as_none(tmp_path: Path) -> None:
    empty = SLO.replace("  service:", "  description:\n  service:").replace("{name: ratio}", "{name: ratio, labels: }")
    path = written(tmp_path, f"---\n{empty}  alertPolicies: # none yet\n---\n")
    assert load_definitions([path]).objectives == (DEFINED,)


def test_a_required_field_left_empty_is_missing(tmp_path: Path) -> None:
    assert mistakes(written(tmp_path, SLO.replace("service: checkout", "service:"))) == [
        "slo.yml:5: spec.service: is missing; add service: checkout"
    ]


def test_an_unknown_field_is_told_also_when_it_is_empty(tmp_path: Path) -> None:
    assert mistakes(written(tmp_path, SLO + "  alertPolicy:\n")) == [
        "slo.yml:18: spec.alertPolicy: is no field of OpenSLO v1 here; did you mean alertPolicies?"
    ]


def test_documents_may_stand_in_a_list(tmp_path: Path) -> None:
    listed = "- " + SLO.replace("\n", "\n  ").rstrip() + "\n"
    assert load_definitions([written(tmp_path, listed)]).objectives == (DEFINED,)
    assert mistakes(written(tmp_path, listed + listed.replace("Occurrences", "Calendar"))) == [
        "slo.yml:20: metadata.name: SLO 'checkout-availability' is defined twice; first in slo.yml:3. Rename one"
    ]


def test_a_data_source_in_openslo_s_own_shape_is_read(tmp_path: Path) -> None:
    text = """\
        apiVersion: openslo/v1
        kind: DataSource
        metadata: {name: main, labels: {env: [prod, dev], team: a}, annotations: {acme.example/folder: ./x}}
        spec: {description: Ours, type: Prometheus, connectionDetails: [{url: http://prometheus.example.com}]}
        """
    assert load_definitions([written(tmp_path, text)]) == Definitions()


@pytest.mark.parametrize(
    ("declared", "asked", "told"),
    [
        ("main", "metricSourceRef: main", None),
        ("main", "type: prometheus, metricSourceRef: main", None),
        ("main", "type: Prometheus, metricSourceRef: elsewhere", None),
        (
            "main",
            "metricSourceRef: mian",
            ": there is no DataSource 'mian' (did you mean main?), so needs type: Prometheus or type: CSV",
        ),
        (
            "main",
            "type: CSV, metricSourceRef: main",
            ".type: 'CSV' is not what DataSource 'main' says ('Prometheus'); remove one of them",
        ),
        ("main", "", ": needs type: Prometheus or type: CSV"),
        (
            "cloud",
            "metricSourceRef: cloud",
            ".metricSourceRef: 'CloudWatch' is not supported; use Prometheus (anything that speaks its API) or CSV",
        ),
    ],
)
def test_a_source_is_of_its_own_type_or_of_its_data_source_s(
    tmp_path: Path, declared: str, asked: str, told: str | None
) -> None:
    kind = "Prometheus" if declared == "main" else "CloudWatch"
    document = f"apiVersion: openslo/v1\nkind: DataSource\nmetadata: {{name: {declared}}}\nspec: {{type: {kind}}}\n"
    source = SLO.replace(
        "{type: Prometheus, spec: {query: http_total}}",
        f"{{{asked}{', ' if asked else ''}spec: {{query: http_total}}}}",
    )
    field = "spec.indicator.spec.ratioMetric.total.metricSource"
    assert mistakes(written(tmp_path, f"{source}---\n{document}")) == (
        [] if told is None else [f"slo.yml:12: {field}{told}"]
    )


@pytest.mark.parametrize(
    ("policies", "told"),
    [
        ("[{alertPolicyRef: page}]", None),
        ("[{kind: AlertPolicy, metadata: {name: page}, spec: {conditions: [{conditionRef: x}]}}]", None),
        (
            "[{kind: AlertPolice}]",
            "[0].kind: 'AlertPolice' is not supported here; write kind: AlertPolicy, or alertPolicyRef",
        ),
        ("[{name: page}]", "[0]: needs alertPolicyRef, or kind: AlertPolicy with its spec"),
        ("[page]", "[0]: must be a mapping: write alertPolicyRef: and its name"),
    ],
)
def test_alert_policies_of_an_slo_are_left_alone_but_not_what_is_none(
    tmp_path: Path, policies: str, told: str | None
) -> None:
    path = written(tmp_path, f"{SLO}  alertPolicies: {policies}\n")
    assert mistakes(path) == ([] if told is None else [f"slo.yml:18: spec.alertPolicies{told}"])


def test_a_composite_slo_is_refused_by_name_and_nothing_else_is_said_of_it(tmp_path: Path) -> None:
    inline = SLO[SLO.index("  indicator:") : SLO.index("  timeWindow:")]
    text = SLO.replace(inline, "").replace("target: 0.999", "target: 0.999, indicatorRef: a, compositeWeight: 2")
    why = "composite SLOs are not supported; write one SLO per indicator, with the indicator under spec"
    assert mistakes(written(tmp_path, text)) == [
        f"slo.yml:10: spec.objectives[0].indicatorRef: {why}",
        f"slo.yml:10: spec.objectives[0].compositeWeight: {why}",
    ]


def test_a_window_that_is_left_out_is_missing_with_an_example(tmp_path: Path) -> None:
    text = SLO.replace("  timeWindow:\n    - {duration: 28d, isRolling: true}\n", "")
    assert mistakes(written(tmp_path, text)) == [
        "slo.yml:4: spec.timeWindow: is missing; add timeWindow: [{duration: 28d, isRolling: true}]"
    ]


@pytest.mark.parametrize("folder", [".git", "..2026_11_16_08_00_00.1"])
def test_hidden_folders_are_left_alone(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    written(tmp_path / folder, "no: slo\n")
    written(tmp_path, SLO)
    assert load_definitions([tmp_path]).objectives == (DEFINED,)


@pytest.mark.parametrize(
    ("spoiled", "told"),
    [
        (
            SLO.replace("  service", "\tservice").encode(),
            (
                "slo.yml:5: this is not valid YAML: found character '\\t' that cannot start any token; "
                "indent with spaces, not with tabs"
            ),
        ),
        (
            SLO.replace("  service", "   service").encode(),
            (
                "slo.yml:6: this is not valid YAML: expected <block end>, but found '<block mapping start>'; "
                "check indentation and quotes around it"
            ),
        ),
        (b"kind: caf\xe9\n", "slo.yml: can't be read: it is not UTF-8 text; save it as UTF-8"),
    ],
)
def test_a_file_that_is_no_yaml_is_told_with_what_to_do(tmp_path: Path, spoiled: bytes, told: str) -> None:
    path = tmp_path / "slo.yml"
    path.write_bytes(spoiled)
    assert mistakes(path) == [told]


@pytest.mark.parametrize("spelled", [b"\xef\xbb\xbf" + SLO.encode(), SLO.replace("\n", "\r\n").encode()])
def test_files_from_windows_are_read(tmp_path: Path, spelled: bytes) -> None:
    path = tmp_path / "slo.yml"
    path.write_bytes(spelled)
    assert load_definitions([path]).objectives == (DEFINED,)


def test_services_keep_their_titles_and_come_sorted(tmp_path: Path) -> None:
    written(
        tmp_path,
        SLO
        + """\
---
apiVersion: openslo/v1
kind: Service
metadata: {name: billing, displayName: Billing}
spec: {description: Invoices}
""",
    )
    assert load_definitions([tmp_path]).services == (
        ServiceDefinition("billing", title="Billing", description="Invoices"),
        ServiceDefinition("checkout"),
    )


def test_a_table_s_path_is_relative_to_its_file(tmp_path: Path) -> None:
    text = SLO.replace("type: Prometheus, spec: {query: http_total}", "type: CSV, spec: {file: e.csv, series: all}")
    text = text.replace(
        "type: Prometheus, spec: {query: 'http_total{code=~\"5..\"}'}", "type: CSV, spec: {file: e.csv, series: bad}"
    )
    found = load_definitions([written(tmp_path, text)]).objectives[0].indicator
    table = (tmp_path / "e.csv").resolve()
    assert (found.total, found.bad) == (TableQuery(table, "all"), TableQuery(table, "bad"))


@pytest.mark.parametrize("target", ["0.999", "0.9999999999999", "'0.9990'"])
def test_a_target_is_exactly_what_was_written(tmp_path: Path, target: str) -> None:
    path = written(tmp_path, SLO.replace("target: 0.999", f"target: {target}"))
    assert load_definitions([path]).objectives[0].target == Decimal(target.strip("'"))


@pytest.mark.parametrize("target", ["1.0", "0", "1.5"])
def test_an_impossible_target_is_accepted_so_that_it_can_be_shown(tmp_path: Path, target: str) -> None:
    path = written(tmp_path, SLO.replace("target: 0.999", f"target: {target}"))
    assert load_definitions([path]).objectives[0].target == Decimal(target)


@pytest.mark.parametrize(
    ("written_as", "told"),
    [
        ("target: 99.9", ("target: 99.9 leaves no budget to judge, so reviews show INVALID_TARGET; "
         "if per cent are meant, write targetPercent: 99.9")),
        ("target: 1.0", ("target: 1.0 leaves no budget to judge, so reviews show INVALID_TARGET; "
         "set one below 100% and above 0%")),
        ("targetPercent: 100", ("targetPercent: 100 leaves no budget to judge, so reviews show INVALID_TARGET; "
         "set one below 100% and above 0%")),
        ("targetPercent: 0.999", ("targetPercent: 0.999 is less than one per cent; "
         "if a share is meant, write target: 0.999")),
    ],
)  # fmt: skip
def test_a_target_that_is_hardly_meant_is_remarked_upon(tmp_path: Path, written_as: str, told: str) -> None:
    path = written(tmp_path, SLO.replace("target: 0.999", written_as))
    assert [str(remark) for remark in load_definitions([path]).remarks] == [f"{path}:17: spec.objectives[0].{told}"]


def test_sound_targets_get_no_remark(tmp_path: Path) -> None:
    path = written(tmp_path, SLO.replace("target: 0.999", "targetPercent: 99.95"))
    assert load_definitions([path]).remarks == ()


@pytest.mark.parametrize(
    "target", ["1e-400", f"'0.{'9' * 60}'", "'1e999999'", "0x" + "f" * 5000, "9" * 5000, ".nan", "true"]
)
def test_a_target_that_is_no_number_to_reckon_with_is_refused(tmp_path: Path, target: str) -> None:
    [told] = mistakes(written(tmp_path, SLO.replace("target: 0.999", f"target: {target}")))
    assert told.startswith("slo.yml:17: spec.objectives[0].target: ")
    assert told.endswith((" 0.999 (target) or 99.9 (targetPercent)",))


def test_an_objective_without_a_name_is_counted(tmp_path: Path) -> None:
    path = written(tmp_path, SLO.replace("- {displayName: availability, target: 0.999}", "- {target: 0.99}"))
    assert load_definitions([path]).objectives[0].name == "objective-1"


def test_an_alert_policy_beside_the_slos_is_left_alone(tmp_path: Path) -> None:
    written(tmp_path, SLO + "---\napiVersion: openslo/v1\nkind: AlertPolicy\nmetadata: {name: x}\nspec: {}\n")
    assert load_definitions([tmp_path]).objectives == (DEFINED,)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "28d",
            "4 weeks",
            ("slo.yml:14: spec.timeWindow[0].duration: '4 weeks' is no rolling window; "
            "write hours, days or weeks such as 28d, from 1h to 366d"),
        ),
        (
            "Occurrences",
            "RatioTimeslices",
            ("slo.yml:15: spec.budgetingMethod: RatioTimeslices is not supported: it averages ratios, so a quiet "
            "minute counts as much as a busy one; use Occurrences, or Timeslices with timeSliceTarget"),
        ),
        (
            "Occurrences",
            "timeslice",
            "slo.yml:15: spec.budgetingMethod: 'timeslice' is no budgeting method; did you mean Timeslices?",
        ),
        (
            "Occurrences",
            "Calendar",
            "slo.yml:15: spec.budgetingMethod: 'Calendar' is no budgeting method; use Occurrences or Timeslices",
        ),
        (
            "target: 0.999",
            "target: high",
            ("slo.yml:17: spec.objectives[0].target: 'high' is not a number; "
            "write 0.999 (target) or 99.9 (targetPercent)"),
        ),
        (
            "target: 0.999",
            "target: 0.999, targetPercent: 99.9",
            "slo.yml:17: spec.objectives[0]: needs either target (0.999) or targetPercent (99.9)",
        ),
        (
            "target: 0.999",
            "target: 0.999, compositeWeight: 1",
            ("slo.yml:17: spec.objectives[0].compositeWeight: composite SLOs are not supported; "
            "write one SLO per indicator, with the indicator under spec"),
        ),
        (
            "counter: true",
            "counter: false",
            "slo.yml:10: spec.indicator.spec.ratioMetric.counter: only counters are supported; add counter: true",
        ),
        (
            "counter: true",
            'counter: "true"',
            "slo.yml:10: spec.indicator.spec.ratioMetric.counter: must be true or false, without quotes",
        ),
        ("service: checkout", "servce: checkout", ("slo.yml:5: spec.servce: is no field of OpenSLO v1 here; "
         "did you mean service?")),
        (
            "service: checkout",
            "service: checkout\n  target: 0.9",
            "slo.yml:6: spec.target: stands in the wrong place; move it into objectives",
        ),
        (
            "spec: {query: http_total}",
            "query: http_total",
            ("slo.yml:12: spec.indicator.spec.ratioMetric.total.metricSource.query: "
             "stands in the wrong place; move it into spec"),
        ),
        (
            ", spec: {query: http_total}",
            "",
            ("slo.yml:12: spec.indicator.spec.ratioMetric.total.metricSource.spec: is missing; "
             """add spec: {query: 'http_requests_total{job="checkout"}'}"""),
        ),
        ("service: checkout", "service: 12", "slo.yml:5: spec.service: must be text; put it in quotes"),
        (
            "query: http_total}",
            "query: 'sum(rate(http_total[5m]))'}",
            ("slo.yml:12: spec.indicator.spec.ratioMetric.total.metricSource.spec.query: an aggregation is not "
            "allowed here, the Director sums by itself; write only the counter's selector: http_total"),
        ),
        (
            "type: Prometheus, spec: {query: http_total}",
            "type: Datadog, spec: {query: http_total}",
            ("slo.yml:12: spec.indicator.spec.ratioMetric.total.metricSource.type: 'Datadog' is not supported; "
            "use Prometheus (anything that speaks its API) or CSV"),
        ),
        (
            "'http_total{code=~\"5..\"}'",
            "http_total",
            ("slo.yml:9: spec.indicator.spec.ratioMetric: good or bad and total are the same query; "
            "the part must select fewer events than total"),
        ),
        (
            "apiVersion: openslo/v1",
            "apiVersion: openslo/v2alpha",
            "slo.yml:1: apiVersion: 'openslo/v2alpha' is not supported; write openslo/v1",
        ),
        (
            "kind: SLO",
            "kind: Slo",
            ("slo.yml:2: kind: 'Slo' is not supported; use one of Service, SLI, SLO, DataSource, "
            "AlertPolicy, AlertCondition, AlertNotificationTarget"),
        ),
        (
            "checkout-availability}",
            "'has space'}",
            ("slo.yml:3: metadata.name: may hold only letters, digits and - _ . / "
             "between a first and last letter or digit"),
        ),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_place_and_remedy(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in SLO
    found = mistakes(written(tmp_path, SLO.replace(old, new, 1)))
    assert expected in found


def test_an_indicator_s_own_mistakes_hide_none_of_its_queries(tmp_path: Path) -> None:
    text = SLO.replace("counter: true", "counter: false").replace("query: http_total}", "query: 'x[5m]'}")
    assert [told.partition(": ")[0] for told in mistakes(written(tmp_path, text))] == ["slo.yml:10", "slo.yml:12"]


def test_an_unknown_indicator_reference_names_near_ones(tmp_path: Path) -> None:
    inline = SLO[SLO.index("  indicator:") : SLO.index("  timeWindow:")]
    written(tmp_path, SLO.replace(inline, "  indicatorRef: rato\n"))
    ratio = "apiVersion: openslo/v1\nkind: SLI\nmetadata: {name: ratio}\nspec:\n" + dedent(
        inline[inline.index("      ratioMetric:") :]
    ).replace("\n", "\n  ").replace("ratioMetric:", "  ratioMetric:", 1)
    written(tmp_path, ratio, "sli.yml")
    assert [str(item) for item in check([tmp_path])] == [
        f"{tmp_path}/slo.yml:6: spec.indicatorRef: there is no SLI 'rato'; did you mean ratio?"
    ]


def test_a_name_given_twice_points_at_the_first(tmp_path: Path) -> None:
    first, second = written(tmp_path, SLO, "a.yml"), written(tmp_path, SLO, "b.yml")
    assert [str(item) for item in check([tmp_path])] == [
        f"{second}:3: metadata.name: SLO 'checkout-availability' is defined twice; first in {first}:3. Rename one"
    ]


def test_all_mistakes_of_all_files_come_in_one_error(tmp_path: Path) -> None:
    written(tmp_path, SLO.replace("Occurrences", "Calendar"), "a.yml")
    written(tmp_path, "just: yaml\n", "b.yml")
    written(tmp_path, "a: [1\n", "c.yml")
    missing = tmp_path / "missing"
    with pytest.raises(DefinitionError) as raised:
        load_definitions([tmp_path, missing])
    assert str(raised.value).replace(f"{tmp_path}/", "").splitlines() == [
        "The SLO files have 4 mistakes:",
        "  b.yml:1: this is no OpenSLO document; it needs apiVersion: openslo/v1 and kind",
        (
            "  c.yml:2: this is not valid YAML: expected ',' or ']', but got '<stream end>'; "
            "check indentation and quotes around it"
        ),
        "  missing: there is no such file or folder; check DIRECTOR_SLOS",
        "  a.yml:15: spec.budgetingMethod: 'Calendar' is no budgeting method; use Occurrences or Timeslices",
    ]
    assert raised.value.exit_code == 2


def test_an_empty_folder_defines_nothing(tmp_path: Path) -> None:
    assert load_definitions([tmp_path]) == Definitions()
