"""Settings: director.yml."""

from __future__ import annotations

import json
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from bot.settings import SettingsError, load_settings
from bot.settings_file import (
    Approval,
    ChannelEntry,
    Contact,
    DirectorFile,
    DocumentSource,
    Escalation,
    Exclusion,
    Limits,
    Links,
    Metrics,
    Personas,
    Policy,
    Price,
    Relationships,
    Retention,
    Rights,
    Roster,
    RosterPerson,
    ServiceEntry,
    Spend,
    Team,
    TurnLimit,
)
from bot.settings_later import without_effect
from bot.settings_values import DateRange

EXAMPLE = Path(__file__).parents[3] / "docs" / "director.example.yml"


def load(tmp_path: Path, text: str) -> DirectorFile:
    (tmp_path / "director.yml").write_text(text, encoding="utf-8")
    return load_settings({}, tmp_path).file


def mistakes(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    return [str(mistake).removeprefix("director.yml:") for mistake in caught.value.mistakes]


def test_the_example_file_loads_whole(tmp_path: Path) -> None:
    cards = tmp_path / "cards"
    cards.mkdir()
    names = ("061-backend-director", "062-backend-senior", "043-vp-engineering", "044-principal-architect")
    paths = [cards / f"{name}.md" for name in names]
    for path in paths:
        path.touch()
    assert load(tmp_path, EXAMPLE.read_text(encoding="utf-8")) == DirectorFile(
        workspace="acme",
        personas=Personas.model_construct(
            director=paths[0], senior_engineer=paths[1], vp_engineering=paths[2], principal_architect=paths[3]
        ),
        relationships=Relationships(
            senior_engineer=Contact(
                notify=("@dana", "S0BACKEND"), channel="#backend-delivery", accept_within=timedelta(days=2)
            ),
            vp_engineering=Contact(notify=("@vera",)),
            principal_architect=Contact(notify=("@ken",)),
            consult={"frontend": ("@fay",), "mobile": ("@mo",)},
        ),
        roster=Roster(
            teams={
                "payments": Team(
                    lead="dana",
                    people=(
                        RosterPerson(
                            name="dana",
                            slack="U02",
                            teams="8d6b0f3c-1111-4222-8333-944455556666",
                            skills=("python", "postgres"),
                            capacity=0.8,
                            zone="Europe/Berlin",
                        ),
                        RosterPerson(
                            name="eli",
                            slack="U03",
                            skills=("go", "kafka"),
                            capacity=1.0,
                            on_call=(DateRange(first=date(2026, 11, 23), last=date(2026, 11, 29)),),
                            away=(DateRange(first=date(2026, 12, 22), last=date(2027, 1, 2)),),
                        ),
                    ),
                )
            }
        ),
        services={"checkout": ServiceEntry(team="payments", depends_on=("payments-db", "fraud"), tier=1)},
        metrics=Metrics(timeout=20.0, max_samples_per_query=50_000_000, stale_after=3600.0, deploys="deploy_info"),
        exclusions=(
            Exclusion(
                service="checkout",
                rrule="FREQ=WEEKLY;BYDAY=SU;BYHOUR=3",
                duration=timedelta(hours=1),
                reason="database maintenance",
                owner="dana",
                zone="Europe/Berlin",
            ),
        ),
        policy=Policy(),
        channels={
            "#payments": ChannelEntry(
                services=("checkout", "fraud"), instructions="Answer for engineers on call.", digest="classic"
            )
        },
        rights=Rights(
            schedule=("S0BACKEND",),
            approve_plans=Approval(people=("@vera", "@ken"), needed=1),
            exceptions=("@vera",),
            admin=("@ops",),
        ),
        escalation=Escalation(budget_above=50_000.0, hires_above=0),
        documents=(
            DocumentSource.model_construct(name="runbooks", path=tmp_path / "runbooks", git=None, under=""),
            DocumentSource.model_construct(name="adr", path=None, git=tmp_path / "repo", under="docs/adr"),
        ),
        links=Links(allowed_hosts=("grafana.acme.example", "github.com")),
        limits=Limits(
            per_person_day=Spend(usd=5), per_channel_day=Spend(usd=20), turn=TurnLimit(steps=12, seconds=180)
        ),
        prices={"claude-sonnet-5-5": Price(input=2, output=10, cache_write_5m=2.5, cache_write_1h=4, cache_read=0.1)},
        retention=Retention(threads=timedelta(days=180), audit=timedelta(days=730)),
    )


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "services:\nrights:\n"])
def test_a_file_without_values_gives_the_defaults(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, text) == DirectorFile()


def test_the_file_names_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "other.yml").write_text("workspace: acme")
    settings = load_settings({"DIRECTOR_CONFIG": "other.yml"}, tmp_path)
    assert (settings.workspace, settings.config_path) == ("acme", tmp_path / "other.yml")


def test_each_mistake_has_its_line_its_key_and_a_remedy(tmp_path: Path) -> None:
    text = """\
workspace: [acme]
personas: {director: cards/none.md}
relationships:
  senior_engineer: {notfy: ["@dana"], accept_within: 2 days}
  consult: {frontend: ["fay"]}
roster:
  teams:
    payments:
      lead: dan
      people:
        - {name: dana, capacity: 1.5, zone: Europe/Berln}
        - {name: eli, on_call: ["2026-11-29/2026-11-23"], away: [soon], teams: U03}
services:
  checkout: {team: paymets, depends_on: [fraud, checkout], tier: 0}
metrics: {timeout: 20, max_samples_per_query: "many", stale_after: 0s}
exclusions:
  - {service: checkout, rrule: "FREQ=SOMETIMES", duration: 1h, owner: dana}
policy:
  ship: {remaining_above: 25}
  freeze: {remaining_at_most: yes}
channels:
  payments: {follow_threads: "no", digest: fancy}
rights:
  schedule: []
  approve_plans: {people: ["@vera"], needed: 2}
escalation: {budget_above: -1, hires_above: 1.5}
documents:
  - {name: runbooks}
links: {allowed_hosts: ["https://github.com/acme"]}
limits: {turn: {steps: .nan, seconds: .inf}}
prices: {m: {input: 2}}
retention: {threads: forever}
colour: blue
"""
    assert mistakes(tmp_path, text) == [
        "1: workspace: must be text; put it in quotes",
        (
            "2: personas.director: there is no file cards/none.md beside director.yml; "
            "leave the key out to use the built-in card"
        ),
        "4: relationships.senior_engineer.accept_within: must be a duration such as 20s, 15m, 1h, 2d or 4w",
        "4: relationships.senior_engineer.notfy: unknown key; did you mean 'notify'?",
        (
            '5: relationships.consult.frontend[0]: \'fay\' is neither a person ("@dana", "U02ABC") '
            'nor a user group ("S0BACKEND") nor an Entra object id'
        ),
        "11: roster.teams.payments.people[0].capacity: must be at most 1",
        "11: roster.teams.payments.people[0].zone: 'Europe/Berln' is no IANA time zone; did you mean Europe/Berlin?",
        (
            "12: roster.teams.payments.people[1].teams: 'U03' is no Entra object id; it looks like "
            "8d6b0f3c-1111-4222-8333-944455556666 and stands on the person's page in the Entra admin center"
        ),
        "12: roster.teams.payments.people[1].on_call[0]: the range ends (2026-11-23) before it begins (2026-11-29)",
        "12: roster.teams.payments.people[1].away[0]: must be a range of days such as 2026-11-23/2026-11-29",
        "14: services.checkout.team: there is no team 'paymets' in roster.teams; did you mean 'payments'?",
        "14: services.checkout.depends_on[1]: a service can't depend on itself",
        "14: services.checkout.tier: must be at least 1",
        "15: metrics.timeout: must be a duration such as 20s, 15m, 1h, 2d or 4w",
        "15: metrics.max_samples_per_query: must be a whole number",
        "15: metrics.stale_after: must be a duration longer than 0 and at most 100 years",
        (
            "17: exclusions[0].rrule: is no recurrence rule (RFC 5545), "
            'e.g. "FREQ=WEEKLY;BYDAY=SU;BYHOUR=3;BYMINUTE=0": '
            "invalid 'FREQ': SOMETIMES"
        ),
        "17: exclusions[0].reason: is missing",
        "19: policy.ship.remaining_above: must be at most 1",
        "20: policy.freeze.remaining_at_most: must be a number",
        "22: channels.payments: 'payments' is no channel; write \"#name\" (in quotes) or its id",
        "22: channels.payments.follow_threads: must be true or false",
        "22: channels.payments.digest: must be 'agent' or 'classic'",
        "24: rights.schedule: must not be an empty list; leave the key out for the default",
        "25: rights.approve_plans: needs 2 approvals but names only 1 who may give one",
        "26: escalation.budget_above: must be at least 0",
        "26: escalation.hires_above: must be a whole number",
        "28: documents[0]: give either path (a folder) or git (a repository on this machine)",
        (
            "29: links.allowed_hosts[0]: 'https://github.com/acme' is no host name; leave out https:// and the path, "
            "e.g. grafana.example.com"
        ),
        "30: limits.turn.steps: must be a whole number",
        "30: limits.turn.seconds: must be a finite number",
        "31: prices.m.output: is missing",
        "32: retention.threads: must be a duration such as 20s, 15m, 1h, 2d or 4w",
        (
            "33: colour: unknown key; known are workspace, personas, relationships, roster, services, metrics, "
            "exclusions, policy, channels, rights, escalation, documents, links, limits, prices, retention"
        ),
    ]


def test_an_unknown_key_of_an_entry_names_the_nearest_known_one(tmp_path: Path) -> None:
    text = """\
exclusions:
  - {service: a, rule: "FREQ=DAILY;BYHOUR=3", rrule: "FREQ=DAILY;BYHOUR=3", duration: 1h, reason: r, owner: o}
roster: {teams: {p: {people: [{name: d, slak: U1}], leed: d}}}
services: {c: {tem: p}}
channels: {"#a": {zzz: 1}}
"""
    assert mistakes(tmp_path, text) == [
        "2: exclusions[0].rule: unknown key; did you mean 'rrule'?",
        "3: roster.teams.p.people[0].slak: unknown key; did you mean 'slack'?",
        "3: roster.teams.p.leed: unknown key; did you mean 'lead'?",
        "4: services.c.tem: unknown key; did you mean 'team'?",
        "5: channels.#a.zzz: unknown key; known are services, follow_threads, instructions, digest",
    ]


def test_what_refers_to_something_else_in_the_file_is_checked(tmp_path: Path) -> None:
    text = """\
roster: {teams: {payments: {people: [{name: dana}]}}}
services:
  checkout: {team: paymets, depends_on: [fraud, checkout]}
documents:
  - {name: adr, path: ./a}
  - {name: adr, path: ./b}
"""
    assert mistakes(tmp_path, text) == [
        "3: services.checkout.team: there is no team 'paymets' in roster.teams; did you mean 'payments'?",
        "3: services.checkout.depends_on[1]: a service can't depend on itself",
        "6: documents[1].name: 'adr' is given twice",
    ]


def test_a_service_may_name_any_team_while_there_is_no_roster(tmp_path: Path) -> None:
    assert load(tmp_path, "services: {checkout: {team: payments}}").services["checkout"].team == "payments"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- one\n- two\n", "1: must hold keys and values (a mapping), see docs/director.example.yml"),
        ("workspace: a\nworkspace: b\n", "2: workspace: given twice; first in line 1. Remove one"),
        ("workspace: a\n---\nworkspace: b\n", "3: a second document begins; keep everything in one"),
        (
            "workspace: [a\n",
            (
                "2: this is not valid YAML: expected ',' or ']', but got '<stream end>'; "
                "check indentation and quotes around it"
            ),
        ),
        (
            "roster: {teams: {a: {lead: x, people: [{name: y}]}}}",
            "1: roster.teams.a: its lead 'x' is not among its people (y)",
        ),
        (
            "roster: {teams: {a: {people: [{name: y}, {name: y}]}}}",
            "1: roster.teams.a: y stands more than once among its people",
        ),
        (
            "policy: {freeze: {remaining_at_most: 0.3}}",
            "1: policy: freeze.remaining_at_most must be below ship.remaining_above, or a service is in both",
        ),
        ("roster: 3", "1: roster: must hold keys and values"),
        ("channels: {5: {}}", "1: channels.5: the name must be text; put it in quotes"),
    ],
)
def test_a_file_of_the_wrong_shape_is_refused(tmp_path: Path, text: str, told: str) -> None:
    assert mistakes(tmp_path, text) == [told]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("20s", 20.0),
        ("15m", 900.0),
        ("1h", 3600.0),
        ("1h30m", 5400.0),
        ("0.5s", 0.5),
        ("2d", 172_800.0),
        ("4w", 2_419_200.0),
    ],
)
def test_a_duration_is_read_in_seconds(tmp_path: Path, text: str, seconds: float) -> None:
    assert load(tmp_path, f"metrics: {{timeout: {text}}}").metrics.timeout == seconds


def test_an_entra_object_id_is_kept_in_lower_case_wherever_people_are_named(tmp_path: Path) -> None:
    spoken = "8D6B0F3C-1111-4222-8333-944455556666"
    file = load(
        tmp_path,
        f"roster: {{teams: {{a: {{people: [{{name: y, teams: {spoken}}}]}}}}}}\n"
        f"rights: {{schedule: [{spoken}], approve_plans: {{people: [{spoken}]}}, admin: [U02ABC, '@y']}}",
    )
    assert file.roster.teams["a"].people[0].teams == spoken.lower()
    assert file.rights == Rights(
        schedule=(spoken.lower(),), approve_plans=Approval(people=(spoken.lower(),)), admin=("U02ABC", "@y")
    )


def test_a_day_alone_is_a_range_of_one_day(tmp_path: Path) -> None:
    file = load(tmp_path, "roster: {teams: {a: {people: [{name: y, away: [2026-12-24]}]}}}")
    away = file.roster.teams["a"].people[0].away[0]
    assert away == DateRange(first=date(2026, 12, 24), last=date(2026, 12, 24))
    assert date(2026, 12, 24) in away
    assert date(2026, 12, 25) not in away


def test_aliases_that_make_billions_of_values_are_refused(tmp_path: Path) -> None:
    names = "abcdefghij"
    lines = [f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]" for before, name in pairwise(names)]
    found = mistakes(tmp_path, "\n".join([f"a: &a [{', '.join('x' * 9)}]", *lines]))
    assert len(found) == 1
    assert "holds more than 100,000 values, aliases written out" in found[0]


def test_what_is_set_for_rooms_that_are_not_built_yet_is_known(tmp_path: Path) -> None:
    path = tmp_path / "director.yml"
    path.write_text(
        "metrics: {timeout: 5s}\nretention: {threads: 90d}\nlimits: {turn: {steps: 3}, per_person_day: {usd: 1}}\n"
        'channels: {"#a": {services: [x]}, "#b": {digest: classic}}\n'
    )
    assert without_effect(load_settings({}, tmp_path)) == (
        "limits.per_person_day",
        "retention",
        'channels."#b".digest',
    )


def test_an_exclusion_that_cannot_be_meant_is_refused_with_a_remedy(tmp_path: Path) -> None:
    def exclusion(rule: str, duration: str, zone: str) -> str:
        return f'  - {{service: a, rrule: "{rule}", duration: {duration}, zone: {zone}, reason: r, owner: o}}\n'

    text = "exclusions:\n" + "".join(
        (
            exclusion("FREQ=HOURLY", "5m", "UTC"),
            exclusion("FREQ=DAILY", "1d", "Europe/Berlin"),
            exclusion("FREQ=DAILY", "1h", "Europe/Berln"),
        )
    )
    assert mistakes(tmp_path, text) == [
        "2: exclusions[0].rrule: gives more than 1,000 times a year; name fewer hours (BYHOUR), or one longer duration",
        "3: exclusions[1]: leaves no time that counts: the next one begins before this one ends; shorten duration",
        "4: exclusions[2].zone: 'Europe/Berln' is no IANA time zone; did you mean Europe/Berlin?",
    ]


@pytest.mark.parametrize("selector", ["deploy_info", "deploy_info{env=~'prod|live'}", '{__name__="deploy_info"}'])
def test_a_series_of_deploys_is_taken_as_it_is_written(selector: str, tmp_path: Path) -> None:
    (tmp_path / "director.yml").write_text(f"metrics: {{deploys: {json.dumps(selector)}}}\n")
    assert load_settings({}, tmp_path).file.metrics.deploys == selector


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("deploy info", "is no selector of a series ("),
        ("{}", "is no selector of a series ("),
        ("deploy_info[5m]", "is no plain selector of a series: no range, no function, no offset; "),
        ("changes(deploy_info[5m])", "is no plain selector of a series: no range, no function, no offset; "),
        ("deploy_info offset 5m", "is no plain selector of a series: no range, no function, no offset; "),
    ],
)
def test_what_is_no_series_of_deploys_is_refused_with_an_example(text: str, why: str, tmp_path: Path) -> None:
    (mistake,) = mistakes(tmp_path, f'metrics: {{deploys: "{text}"}}\n')
    assert mistake.startswith(f"1: metrics.deploys: {why}")
    assert mistake.endswith('write one, such as deploy_info{env="prod"}')
