"""What stood beside a burn: deploys that coincide with it and where its bad events came from."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from aiohttp import web

from bot.errors import StoreFailed
from bot.reliability.assessment import Assessment, Objective, Remark
from bot.reliability.attribution import attribute
from bot.reliability.burners import top_burners
from bot.reliability.definitions import Indicator, ObjectiveDefinition, PrometheusQuery, TableQuery, Window
from bot.reliability.deploy_series import deploys_near
from bot.reliability.deploys import MOST, Deploy, together
from bot.reliability.exclusions import Exclusion
from bot.reliability.incidents import Incident
from bot.reliability.prometheus_client import PrometheusClient, QueryFailed
from bot.reliability.windows import Span
from tests.bot.reliability.samples import judged, measured
from tests.doubles.prometheus_hostile import hostile
from tests.doubles.prometheus_process import needs_prometheus, serving

START = datetime(2026, 11, 16, 0, 0, tzinfo=UTC)
AT = START + timedelta(hours=8)
BURN = Span(START + timedelta(hours=5), START + timedelta(hours=7))
MINUTES = 8 * 60


def clock(text: str) -> datetime:
    hours, minutes = text.split(":")
    return START + timedelta(hours=int(hours), minutes=int(minutes))


# --- the past ---

Flow = Callable[[int], float | None]  # events in a minute; None: no sample


def during(first: str, last: str, events: float, else_: float | None = 0.0) -> Flow:
    start, end = ((clock(text) - START) // timedelta(minutes=1) for text in (first, last))
    return lambda minute: events if start < minute <= end else else_


def counters() -> Iterator[tuple[str, Flow]]:
    """Every service burns from five to seven."""
    for route, failing in (("/pay", 9.0), ("/cart", 0.5), ("/items", 0.2)):
        for pod in ("a", "b", "c"):
            labels = f'service="checkout",route="{route}",pod="{pod}",instance="{pod}:80"'
            yield f'http_requests_total{{{labels},code="200"}}', lambda _: 40.0
            yield f'http_requests_total{{{labels},code="500"}}', during("5:00", "7:00", failing / 10)
            yield f'http_requests_total{{{labels},code="503"}}', during("5:00", "7:00", failing)
            yield f'latency_seconds_count{{service="checkout",route="{route}",pod="{pod}"}}', lambda _: 50.0
            fast = during("5:00", "7:00", 20.0, 50.0) if pod == "b" else lambda _: 50.0
            yield f'latency_seconds_bucket{{service="checkout",route="{route}",pod="{pod}",le="0.25"}}', fast
    for number in range(12):
        labels = f'service="search",pod="search-{number}",instance="10.0.0.{number}:80"'
        yield f'http_requests_total{{{labels},code="200"}}', lambda _: 30.0
        if number == 7:  # the others never had an error, so they have no such series
            yield f'http_requests_total{{{labels},code="500"}}', during("5:00", "7:00", 6.0)
    for number in range(2):
        labels = f'service="even",pod="even-{number}"'
        yield f'http_requests_total{{{labels},code="200"}}', lambda _: 30.0
        yield f'http_requests_total{{{labels},code="500"}}', during("5:00", "7:00", 6.0)
    for tenant, failing in (("a", 3.0), ("b", 2.0), ("c", 2.0), ("", 3.0)):
        labels = f'service="spread",code="500"{f""",tenant="{tenant}" """ if tenant else ""}'.strip()
        yield f"http_requests_total{{{labels}}}", during("5:00", "7:00", failing)
        yield f'http_requests_total{{service="spread",code="200",tenant="{tenant or "d"}"}}', lambda _: 30.0
    for number in range(9):
        labels = f'service="level",route="/{number}",code="500"'
        yield f"http_requests_total{{{labels}}}", during("5:00", "7:00", 3.0 if number < 1 else 2.0)
    for route in ("\x1b[31m<!channel>\\n", "/" + "long" * 100, "/a"):
        events = 1.0 if route == "/a" else 2.0
        yield f'http_requests_total{{service="odd",route="{route}",code="500"}}', during("5:00", "7:00", events)
    yield 'http_requests_total{service="quiet",route="/a",code="500"}', lambda _: 0.0
    yield 'http_requests_total{service="quiet",route="/b",code="500"}', lambda _: 0.0


def gauges() -> Iterator[tuple[str, Flow]]:
    """What runs when. A rolling deploy overlaps; pods come and go; samples are missing for a while."""
    yield 'deploy_info{service="checkout",version="1.41",pod="a"}', during("0:00", "4:42", 1, None)
    yield 'deploy_info{service="checkout",version="1.42",pod="b"}', during("4:39", "8:00", 1, None)
    yield 'deploy_info{service="checkout",version="1.42",pod="c"}', during("6:10", "8:00", 1, None)  # one pod more
    yield 'deploy_info{service="search",version="7",pod="a"}', lambda m: None if 300 < m <= 330 else 1.0  # a gap
    yield 'deploy_info{job="cart",version="2.0"}', lambda m: 1.0 if m <= 290 or m > 315 else None
    yield 'deploy_info{job="cart",version="2.1"}', lambda m: 1.0 if 289 < m <= 316 else None  # and rolled back
    yield 'deploy_info{app="payments"}', lambda m: 1000.0 if m <= 310 else 1310.0  # says when it was deployed
    yield 'deploy_info{service="newborn",version="0.1"}', during("5:30", "8:00", 1, None)
    yield 'deploy_info{service="restless",version="3",pod="a"}', lambda m: None if m % 20 < 7 else 1.0
    yield 'deploy_info{service="restless",version="2",pod="b"}', lambda m: 1.0
    yield 'deploy_info{service="hashed",build_of="checkout",config="aa"}', during("0:00", "5:20", 1, None)
    yield 'deploy_info{service="hashed",build_of="checkout",config="bb"}', during("5:20", "8:00", 1, None)
    yield 'deploy_info{service="odd.na+me\\"s\\\\",version="1\\n2"}', during("5:40", "8:00", 1, None)
    yield 'deploy_info{service="stranger",version="9"}', during("5:50", "8:00", 1, None)


def written(file: Path) -> None:
    with file.open("w", encoding="utf-8") as out:
        for name, kind, all_series in (
            ("http_requests", "counter", [one for one in counters() if one[0].startswith("http")]),
            ("latency_seconds_bucket", "unknown", [one for one in counters() if "_bucket" in one[0]]),
            ("latency_seconds_count", "unknown", [one for one in counters() if "_count" in one[0]]),
            ("deploy_info", "gauge", list(gauges())),
        ):
            out.write(f"# TYPE {name} {kind}\n")
            for series, flow in all_series:
                count = 0.0
                for minute in range(MINUTES + 1):
                    value = flow(minute)
                    if value is None:
                        continue
                    count += value
                    shown = value if kind == "gauge" else count
                    out.write(f"{series} {shown!r} {START.timestamp() + 60 * minute + 7:.0f}\n")
        out.write("# EOF\n")


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    needs_prometheus()
    folder = tmp_path_factory.mktemp("past")
    written(folder / "past.om")
    (folder / "data").mkdir()
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=54h"]
    subprocess.run([*command, "past.om", "data"], cwd=folder, check=True, capture_output=True, timeout=50)
    with serving(folder) as url:
        yield url


@pytest.fixture
async def client(past: str) -> AsyncIterator[PrometheusClient]:
    found = PrometheusClient(past)
    yield found
    await found.close()


# --- burners ---


def requests(service: str, code: str = 'code=~"5.."', *, good: bool = False) -> Indicator:
    part = PrometheusQuery(f'http_requests_total{{service="{service}",{code}}}')
    total = PrometheusQuery(f'http_requests_total{{service="{service}"}}')
    return Indicator("i", total, good=part) if good else Indicator("i", total, bad=part)


async def shares(client: PrometheusClient, indicator: Indicator, *pieces: Span) -> list[tuple[str, str, int]]:
    """Label, value and bad events to the ten."""
    found = await top_burners(client, indicator, pieces or (BURN,))
    return [(burner.label, burner.value, round(burner.bad, -1)) for burner in found]


async def test_the_route_and_the_code_that_carried_most_are_named(client):
    assert await shares(client, requests("checkout")) == [
        ("route", "/pay", 3560),
        ("route", "/cart", 200),
        ("code", "503", 3490),
        ("code", "500", 350),
    ]


async def test_where_good_events_are_counted_bad_ones_are_what_is_left_of_all(client):
    found = await shares(client, requests("checkout", 'code="200"', good=True))
    assert found == await shares(client, requests("checkout"))


async def test_a_label_that_the_selector_fixes_tells_nothing(client):
    found = await shares(client, requests("checkout", 'code="503"'))
    assert found == [("route", "/pay", 3240), ("route", "/cart", 180)]


async def test_of_a_latency_the_slow_ones_are_counted(client):
    fast = PrometheusQuery('latency_seconds_bucket{service="checkout",le=~"0.25|0.250"}')
    every = PrometheusQuery('latency_seconds_count{service="checkout"}')
    assert await shares(client, Indicator("i", every, good=fast)) == [("pod", "b", 10800)]


async def test_one_bad_pod_among_many_is_named_though_no_other_has_a_series_of_errors_and_named_once(client):
    assert await shares(client, requests("search")) == [("pod", "search-7", 720)]


async def test_what_burns_evenly_on_every_pod_names_none(client):
    assert await shares(client, requests("even")) == []


async def test_where_no_value_stands_out_the_largest_are_named_and_those_without_a_value_left_out(client):
    assert await shares(client, requests("spread")) == [
        ("tenant", "a", 360),
        ("tenant", "b", 240),
        ("tenant", "c", 240),
    ]


async def test_of_many_values_that_carried_the_same_none_is_named_by_chance(client):
    assert await shares(client, requests("level")) == [("route", "/0", 360)]


async def test_without_bad_events_or_series_there_are_no_burners(client):
    assert await shares(client, requests("quiet")) == []
    assert await shares(client, requests("nobody")) == []


async def test_values_are_one_line_of_printable_signs_and_not_too_long(client):
    found = await top_burners(client, requests("odd"), (BURN,))
    assert [burner.value for burner in found] == ["�[31m<!channel>�", f"/{'long' * 49}lo…", "/a"]


async def test_only_the_pieces_of_a_burn_that_count_are_counted(client):
    pieces = (Span(clock("5:00"), clock("5:30")), Span(clock("6:30"), clock("7:00")))
    assert await shares(client, requests("search"), *pieces) == [("pod", "search-7", 360)]


async def test_in_a_long_burn_each_label_is_asked_by_itself_with_the_same_answer(client):
    asked = Recording(client)
    long = Span(BURN.start - timedelta(hours=30), BURN.end)
    assert [burner.value for burner in await top_burners(asked, requests("checkout"), (long,))] == [
        *("/pay", "/cart"),
        *("503", "500"),
    ]
    assert [query.count("increase") for query in asked.queries] == [1] * 5


async def test_where_labels_can_not_be_told_the_usual_ones_are_tried(client):
    found = await top_burners(Recording(client, blind=True), requests("checkout"), (BURN,))
    assert [(burner.label, burner.value) for burner in found] == [
        *(("route", "/pay"), ("route", "/cart")),
        *(("code", "503"), ("code", "500")),
    ]


@dataclass
class Recording:
    """A client that notes its queries, and with `blind` can't tell labels."""

    client: PrometheusClient
    blind: bool = False
    queries: list[str] = field(default_factory=list)

    async def instant(self, query, at):
        self.queries.append(query)
        return await self.client.instant(query, at)

    async def range(self, query, start, end, step):
        self.queries.append(query)
        return await self.client.range(query, start, end, step)

    async def series(self, selectors, span):
        return None if self.blind else await self.client.series(selectors, span)


# --- deploys of a series ---


async def seen(
    client: PrometheusClient, service: str, first: str = "4:00", last: str = "7:00"
) -> list[tuple[str, str]]:
    """When and which version."""
    span = Span(clock(first), clock(last))
    found = await deploys_near(client, "deploy_info", (service,), span)
    assert {deploy.service for deploy in found} <= {service}
    return [(f"{deploy.at:%H:%M}", deploy.version) for deploy in found]


async def test_a_version_that_appears_is_a_deploy_and_one_pod_more_of_it_is_none(client):
    assert await seen(client, "checkout") == [("04:41", "1.42")]


async def test_what_ran_before_and_a_gap_in_the_samples_are_no_deploys(client):
    assert await seen(client, "checkout", "6:00", "7:00") == []
    assert await seen(client, "search") == []
    assert await seen(client, "search", "5:20", "6:00") == []  # it begins within the gap


async def test_a_roll_back_is_a_deploy(client):
    assert await seen(client, "cart") == [("04:51", "2.1"), ("05:17", "2.0")]


async def test_a_value_that_changes_is_a_deploy(client):
    assert await seen(client, "payments") == [("05:12", "")]


async def test_the_first_of_a_service_is_a_deploy(client):
    assert await seen(client, "newborn") == [("05:32", "0.1")]


async def test_a_scrape_that_is_missed_now_and_then_is_none(client):
    assert await seen(client, "restless") == []


async def test_without_a_label_for_versions_the_one_that_changed_is_shown(client):
    assert await seen(client, "hashed") == [("05:22", "bb")]


async def test_names_with_signs_of_a_query_find_their_own_and_versions_are_one_line(client):
    assert await seen(client, 'odd.na+me"s\\') == [("05:42", "1�2")]
    assert await seen(client, ".*") == []


async def test_deploys_of_several_services_come_together(client):
    span = Span(clock("4:00"), clock("7:00"))
    found = await deploys_near(client, 'deploy_info{version=~".+"}', ("newborn", "checkout"), span)
    assert [(deploy.service, deploy.version) for deploy in found] == [("checkout", "1.42"), ("newborn", "0.1")]


async def test_a_long_span_is_asked_in_steps_that_stay_within_bounds(client):
    span = Span(AT - timedelta(days=90), AT)
    found = await deploys_near(client, "deploy_info", ("checkout",), span)
    assert [deploy.version for deploy in found] == ["1.41", "1.42"]


async def test_a_selector_that_is_none_is_refused_by_the_server(client):
    with pytest.raises(QueryFailed, match="refused the query"):
        await deploys_near(client, "rate(deploy_info[5m])) or (", ("checkout",), BURN)


# --- told and seen ---


def test_what_was_told_stands_for_what_a_series_shows_of_it_later():
    told = Deploy("checkout", clock("4:38"), "v1.42", "https://ci.example/7")
    seen = [Deploy("checkout", clock("4:41"), "1.42"), Deploy("checkout", clock("6:00"), "1.43")]
    assert together([told, told], seen) == (told, seen[1])


def test_a_series_without_versions_shows_what_was_told_and_other_services_their_own():
    told = Deploy("checkout", clock("4:38"), "vanilla")
    other = Deploy("payments", clock("4:40"))
    assert together([told], [Deploy("checkout", clock("4:41")), other]) == (told, other)
    assert len(together([told], [Deploy("checkout", clock("4:41"), "anilla")])) == 2


# --- an assessment ---


@dataclass
class Log:
    told: Sequence[Deploy] = ()
    fails: StoreFailed | None = None
    asked: int = 0

    async def note(self, deploy: Deploy) -> bool:
        raise NotImplementedError

    async def between(self, services: Sequence[str], span: Span) -> Sequence[Deploy]:
        if self.fails is not None:
            raise self.fails
        self.asked += 1
        own = [deploy for deploy in self.told if deploy.service in services and span.start <= deploy.at <= span.end]
        return own[-MOST:]


def burned(service: str, *incidents: Incident, indicator: Indicator | None = None) -> Objective:
    definition = ObjectiveDefinition(
        service=service,
        slo=f"{service}-availability",
        name="availability",
        target=Decimal("0.999"),
        window=Window("28d", timedelta(days=28)),
        indicator=indicator or requests(service),
    )
    return replace(judged(measured(), definition), evaluated_at=AT, incidents=incidents, remarks=())


def incident(share: str = "0.5", span: Span = BURN) -> Incident:
    return Incident(span, Fraction(1000), Fraction(share))


def assessment(*items: Objective) -> Assessment:
    return Assessment(AT, items)


async def test_a_burn_gets_its_burners_and_the_deploys_that_were_told_or_seen(client):
    told = Deploy("checkout", clock("6:30"), "1.43", "https://ci.example/8")
    log = Log([Deploy("checkout", clock("3:59"), "early"), told, Deploy("search", clock("6:00"), "other's")])
    before = assessment(burned("checkout", incident()), burned("even"))
    after = await attribute(before, log=log, source=client, series="deploy_info")
    (found,) = after.items[0].incidents
    assert found.deploys == (Deploy("checkout", clock("4:41"), "1.42"), told)
    assert [(burner.label, burner.value) for burner in found.burners[:1]] == [("route", "/pay")]
    assert replace(found, deploys=(), burners=()) == incident()
    assert (after.items[0].remarks, after.items[1]) == ((), before.items[1])


async def test_without_metrics_what_was_told_is_still_shown_for_every_burn():
    spans = [Span(START + timedelta(hours=hour), START + timedelta(hours=hour + 1)) for hour in range(7)]
    told = [Deploy("checkout", span.start, str(number)) for number, span in enumerate(spans)]
    table = Indicator("i", TableQuery(Path("t.csv"), "total"), bad=TableQuery(Path("t.csv"), "bad"))
    before = assessment(burned("checkout", *(incident(span=span) for span in spans), indicator=table))
    after = await attribute(before, log=Log(told))
    assert [[deploy.version for deploy in one.deploys] for one in after.items[0].incidents] == [
        ["0", "1"],
        *([str(n - 1), str(n), str(n + 1)] for n in range(1, 6)),
        ["5", "6"],
    ]


async def test_of_many_deploys_the_ten_nearest_to_the_beginning_are_kept_in_order():
    told = [Deploy("checkout", BURN.start + timedelta(minutes=minute), str(minute)) for minute in range(-50, 100, 2)]
    after = await attribute(assessment(burned("checkout", incident())), log=Log(told))
    assert [deploy.version for deploy in after.items[0].incidents[0].deploys] == [str(m) for m in range(-10, 10, 2)]


async def test_a_log_that_holds_more_than_an_answer_is_asked_piece_by_piece():
    noise = [Deploy("even", START + timedelta(seconds=7 * number), str(number)) for number in range(2 * MOST)]
    early, late = Deploy("even", clock("0:11"), "early"), Deploy("search", clock("0:20"), "late")
    log = Log(sorted([*noise, early, late], key=lambda deploy: deploy.at))
    short = incident(span=Span(clock("0:11"), clock("0:12")))
    last = incident(span=Span(clock("6:00"), clock("6:01")))
    after = await attribute(assessment(burned("even", short, last), burned("search", short)), log=log)
    nearest, _ = after.items[0].incidents
    assert early in nearest.deploys
    assert after.items[1].incidents[0].deploys == ()
    assert after.items[0].incidents[1].deploys == ()
    assert log.asked == 5


async def test_a_log_is_asked_once_for_a_fleet():
    log = Log([Deploy("search", clock("4:30"), "7")])
    after = await attribute(assessment(burned("even", incident()), burned("search", incident())), log=log)
    assert [one.incidents[0].deploys for one in after.items] == [(), tuple(log.told)]
    assert log.asked == 1


async def test_only_the_five_largest_burns_ask_the_metrics_and_two_objectives_of_one_burn_ask_once(client):
    asked = Recording(client)
    small = [incident("0.03", Span(START + timedelta(hours=h), START + timedelta(hours=h + 1))) for h in range(5)]
    twice = (burned("checkout", incident()), burned("checkout", incident("0.4")))
    after = await attribute(assessment(*twice, burned("search", incident("0.6"), *small)), source=asked)
    assert len(asked.queries) == 5
    assert after.items[0].incidents[0].burners == after.items[1].incidents[0].burners != ()
    assert [bool(one.burners) for one in after.items[2].incidents] == [True] + [False] * 5


async def test_times_that_do_not_count_are_left_out_of_the_burners(client):
    exclusion = Exclusion(
        service="Search", rule="FREQ=DAILY;BYHOUR=6", duration=timedelta(hours=1), reason="upgrade", owner="dana"
    )
    after = await attribute(assessment(burned("search", incident())), source=client, exclusions=[exclusion])
    assert [round(burner.bad, -1) for burner in after.items[0].incidents[0].burners] == [360]


async def test_where_nothing_burned_nobody_is_asked():
    before = assessment(burned("checkout"))
    assert await attribute(before, log=Log(fails=StoreFailed("must not be asked"))) is before


async def test_a_database_that_is_away_costs_only_the_deploys(client):
    log = Log(fails=StoreFailed("The database is locked; try again."))
    after = await attribute(assessment(burned("search", incident())), log=log, source=client)
    assert after.items[0].remarks == (
        Remark(
            "deploys_unknown", "Which deploys coincide with its burns is not known: The database is locked; try again."
        ),
    )
    assert [burner.value for burner in after.items[0].incidents[0].burners] == ["search-7"]


async def test_metrics_that_fail_cost_only_what_they_would_have_told():
    async def refuse(request, form):
        return web.json_response({"status": "error", "errorType": "execution", "error": "wombats"}, status=422)

    told = Deploy("checkout", clock("4:30"), "1.42")
    async with hostile(refuse) as server:
        client = PrometheusClient(server.url)
        before = assessment(burned("checkout", incident(), incident("0.1", Span(clock("1:00"), clock("2:00")))))
        after = await attribute(before, log=Log([told]), source=client, series="deploy_info")
        await client.close()
    why = f"Prometheus at {server.url} refused the query (execution): wombats"
    assert after.items[0].remarks == (
        Remark("deploys_unknown", f"Which deploys coincide with its burns is not known: {why}"),
        Remark("burners_unknown", f"Where its bad events came from could not be asked: {why}"),
    )
    assert after.items[0].incidents == (replace(incident(), deploys=(told,)), before.items[0].incidents[1])
