"""A Prometheus that answers badly, or not at all: a state and a sentence each, never a number."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from aiohttp import web

from bot.reliability import Assessment, Prometheus, Reliability, State
from bot.reliability.definitions import (
    Definitions,
    Indicator,
    ObjectiveDefinition,
    PrometheusQuery,
    ServiceDefinition,
    Threshold,
)
from tests.bot.reliability.samples import AT, promise
from tests.doubles.prometheus_hostile import Answer, gives, hostile, never, says, success, truncated
from tests.doubles.steady import steady


async def assess(prometheus: Prometheus, *services: str) -> Assessment:
    names = services or ("checkout",)
    definitions = Definitions(tuple(ServiceDefinition(name) for name in names), tuple(promise(name) for name in names))
    async with Reliability(definitions, {"prometheus": prometheus}) as reliability:
        return await reliability.assess(None, AT)


def figure(name: str, value: str) -> dict[str, object]:
    return {"metric": {"director_figure": name}, "value": [0, value]}


GAVE_UP = '{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}'
REFUSED = '{"status":"error","errorType":"bad_data","error":"parse error"}'


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            says(200, "<html>Sign in</html>"),
            (
                "answered with something else than Prometheus' JSON (HTTP 200); "
                "check that PROMETHEUS_URL is the API's address."
            ),
        ),
        (
            says(302, "", "text/plain"),
            "answered with a redirection (HTTP 302); check that PROMETHEUS_URL is the API's address.",
        ),
        (says(401, "no"), "refused access (HTTP 401); check PROMETHEUS_TOKEN and PROMETHEUS_TENANT."),
        (says(403, "{}"), "refused access (HTTP 403); check PROMETHEUS_TOKEN and PROMETHEUS_TENANT."),
        (says(429, "slow down"), "limits how often it is asked (HTTP 429); ask again later."),
        (says(400, REFUSED, "application/json"), "refused the query (bad_data): parse error"),
        (says(200, REFUSED, "application/json"), "refused the query (bad_data): parse error"),
        (
            gives(lambda: success([figure("total/window", "7")], warnings=["store unreachable"])),
            "warned that its answer may be incomplete: store unreachable",
        ),
        (
            gives(lambda: success([], "matrix")),
            "answered with a matrix instead of a vector; check that PROMETHEUS_URL is the API of a Prometheus.",
        ),
        (
            gives(lambda: success([figure("total/window", "NaN")])),
            (
                "answered with 'NaN' where a number of events was expected; "
                "check that PROMETHEUS_URL is the API of a Prometheus."
            ),
        ),
        (
            gives(lambda: success([{"metric": {"job": "x"}, "value": [0, "1"]}])),
            "answered with another time than asked for; check that PROMETHEUS_URL is the API of a Prometheus.",
        ),
        (
            gives(lambda: success([{"metric": {"director_figure": "total/window"}}])),
            (
                "answered with a sample that is not a pair of time and value; "
                "check that PROMETHEUS_URL is the API of a Prometheus."
            ),
        ),
        (
            gives(lambda: web.json_response({"status": "success"})),
            "answered without data; check that PROMETHEUS_URL is a Prometheus.",
        ),
        (
            gives(lambda: web.json_response(["odd"])),
            (
                "answered with something else than Prometheus' JSON (HTTP 200); "
                "check that PROMETHEUS_URL is the API's address."
            ),
        ),
    ],
)
async def test_an_answer_that_can_not_be_trusted_is_a_failed_query(answer: Answer, sentence: str) -> None:
    async with hostile(answer) as server:
        found = await assess(Prometheus(server.url))
    item = found.items[0]
    assert (item.state, item.sentence) == (State.QUERY_FAILED, f"Prometheus at {server.url} {sentence}")
    assert item.contract()["events"] == {"good": None, "bad": None, "total": None}
    assert found.exit_code == 1


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_server_that_is_down_behind_a_proxy_or_still_starting_can_not_be_reached(status: int) -> None:
    async with hostile(says(status, "Service Unavailable")) as server:
        found = await assess(Prometheus(server.url))
    assert found.items[0].sentence == (
        f"Prometheus at {server.url} is not ready (HTTP {status}); check that it runs and what stands between."
    )
    assert found.exit_code == 3


async def test_hours_that_a_server_moved_to_whole_hours_are_not_taken_for_gaps() -> None:
    async def answer(_: web.Request, form: dict[str, str]) -> web.StreamResponse:
        moved = {name: str(float(form[name]) // 3600 * 3600) for name in ("start", "end") if name in form}
        return await healthy(form | moved)

    async with hostile(answer) as server:
        found = await assess(Prometheus(server.url))
    assert (found.items[0].state, found.items[0].sentence) == (
        State.QUERY_FAILED,
        (
            f"Prometheus at {server.url} answered with other hours than asked for (does it align steps?); "
            "check that PROMETHEUS_URL is the API of a Prometheus."
        ),
    )


async def test_series_that_nobody_asked_for_are_not_taken_for_an_answer() -> None:
    other = gives(lambda: success([{"metric": {"job": "x"}, "value": [AT.timestamp(), "1"]}]))
    async with hostile(other) as server:
        found = await assess(Prometheus(server.url))
    assert (found.items[0].state, found.items[0].sentence) == (
        State.QUERY_FAILED,
        "The metrics answered with series that were not asked for; check what stands between.",
    )


async def test_a_figure_that_is_given_twice_is_not_chosen_from() -> None:
    twice = gives(lambda: success([figure("total/window", "7"), figure("total/window", "8")]))
    async with hostile(twice) as server:
        found = await assess(Prometheus(server.url))
    assert found.items[0].state is State.QUERY_FAILED


@pytest.mark.parametrize("endpoint", ["query", "query_range"])
async def test_fewer_events_than_none_are_not_counted(endpoint: str) -> None:
    async def answer(_: web.Request, form: dict[str, str]) -> web.StreamResponse:
        right = await healthy(form)
        if ("start" in form) is (endpoint == "query"):
            return right
        assert right.text is not None
        return web.Response(text=re.sub(r'"([0-9.]+)"', r'"-\1"', right.text), content_type="application/json")

    async with hostile(answer) as server:
        found = await assess(Prometheus(server.url))
    assert (found.items[0].state, found.items[0].sentence) == (
        State.QUERY_FAILED,
        "The metrics answered with fewer events than none; check what stands between.",
    )


async def test_hours_that_are_all_left_out_beside_events_in_the_window_are_not_taken_for_a_gap() -> None:
    async def answer(_: web.Request, form: dict[str, str]) -> web.StreamResponse:
        return success([], "matrix") if "start" in form and "query" in form else await healthy(form)

    definitions = Definitions((ServiceDefinition("checkout"),), (promise(),))
    async with (
        hostile(answer) as server,
        Reliability(definitions, {"prometheus": Prometheus(server.url)}) as reliability,
    ):
        found = await reliability.issue(None, AT)
    assert found.items[0].sentence == (
        f"Prometheus at {server.url} gave only a part of its series (events in the window but in none of its hours); "
        "ask again, and check what stands between."
    )


async def test_a_body_cut_short_is_a_failed_query_and_nobody_was_reached() -> None:
    async with hostile(truncated) as server:
        found = await assess(Prometheus(server.url))
    assert found.items[0].sentence == (
        f"Prometheus at {server.url} broke off its answer; check that it runs and what stands between."
    )
    assert found.exit_code == 3


async def test_a_server_that_does_not_answer_is_given_up_within_the_time_limit() -> None:
    async with hostile(never) as server:
        found = await assess(Prometheus(server.url, timeout=0.2))
    assert found.items[0].sentence == (
        f"Prometheus at {server.url} did not answer within 0.2 s; check its load, or raise metrics.timeout."
    )
    assert found.exit_code == 3


async def test_a_silent_server_is_not_asked_for_each_of_a_hundred_objectives() -> None:
    async with hostile(never) as server:
        found = await assess(Prometheus(server.url, timeout=0.2), *(f"s{number:03}" for number in range(100)))
    assert {item.state for item in found.items} == {State.QUERY_FAILED}
    assert len(server.asked) < 20


async def test_a_slow_query_beside_quick_ones_is_no_server_that_can_not_be_reached() -> None:
    async def answer(request: web.Request, form: dict[str, str]) -> web.StreamResponse:
        return await (never(request, form) if "slow" in form["query"] else healthy(form))

    async with hostile(answer) as server:
        found = await assess(Prometheus(server.url, timeout=0.5), "quick", "slow")
    assert [item.state for item in found.items] == [State.OK, State.QUERY_FAILED]
    assert (found.unreachable, found.exit_code) == (False, 1)


async def test_one_slow_query_among_a_hundred_costs_its_own_objective_and_three_time_limits() -> None:
    waited = 0

    async def answer(_: web.Request, form: dict[str, str]) -> web.StreamResponse:
        nonlocal waited
        if "s042" not in form.get("query", ""):
            return await healthy(form)
        waited += 1
        await asyncio.sleep(0.05)
        return web.Response(status=503, text=GAVE_UP, content_type="application/json")

    async with hostile(answer) as server:
        found = await assess(Prometheus(server.url), *(f"s{number:03}" for number in range(100)))
    assert [item.service for item in found.items if item.state is not State.OK] == ["s042"]
    assert (found.exit_code, waited) == (1, 3)


async def test_a_server_that_gives_every_query_up_is_not_asked_for_each_of_a_hundred_objectives() -> None:
    async with hostile(says(503, GAVE_UP, "application/json")) as server:
        found = await assess(Prometheus(server.url), *(f"s{number:03}" for number in range(100)))
    assert {item.state for item in found.items} == {State.QUERY_FAILED}
    assert len(server.asked) < 20


async def test_a_server_that_falls_silent_before_it_tells_its_buckets_is_not_asked_by_each_latency() -> None:
    def latency(name: str) -> ObjectiveDefinition:
        good = PrometheusQuery(f'seconds_bucket{{job="{name}",le="0.3"}}')
        total = PrometheusQuery(f'seconds_count{{job="{name}"}}')
        threshold = Threshold(Decimal("0.3"), f'seconds_bucket{{job="{name}"}}')
        return replace(promise(name), indicator=Indicator(name, total=total, good=good, threshold=threshold))

    async def answer(request: web.Request, form: dict[str, str]) -> web.StreamResponse:
        if "group by (le)" in form.get("query", ""):
            return await never(request, form)
        if "le=" not in form.get("query", form.get("match[]", "")):
            return await healthy(form)
        if "match[]" in form:
            return web.json_response({"status": "success", "data": []})
        return success([], "matrix" if "start" in form else "vector")

    names = [f"s{number:03}" for number in range(20)]
    definitions = Definitions(tuple(map(ServiceDefinition, names)), tuple(map(latency, names)))
    async with hostile(answer) as server:
        prometheus = Prometheus(server.url, timeout=0.7)
        async with Reliability(definitions, {"prometheus": prometheus}) as reliability:
            found = await reliability.assess(None, AT)
    assert {item.sentence for item in found.items} == {
        f"Prometheus at {server.url} did not answer within 0.7 s; check its load, or raise metrics.timeout."
    }
    assert len([form for form in server.asked if "group by (le)" in form.get("query", "")]) <= 3


async def test_a_server_that_falls_silent_in_the_middle_can_not_be_reached_though_it_answered_before() -> None:
    async def answer(request: web.Request, form: dict[str, str]) -> web.StreamResponse:
        in_the_end = "increase(" in form.get("query", "") and "[28d]" in form["query"]
        return await (never(request, form) if in_the_end else healthy(form))

    sparse = [promise(name, "0.99999") for name in ("few", "rare")]  # asked for once more, when all else is known
    definitions = Definitions(tuple(map(ServiceDefinition, ("few", "many", "rare"))), (*sparse, promise("many")))
    async with (
        hostile(answer) as server,
        Reliability(definitions, {"prometheus": Prometheus(server.url, timeout=1)}) as reliability,
    ):
        found = await reliability.assess(None, AT)
    assert [item.state for item in found.items] == [State.QUERY_FAILED, State.OK, State.QUERY_FAILED]
    assert (found.unreachable, found.exit_code) == (True, 3)


async def test_nobody_listening_is_said_with_the_address_and_exit_code_3() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        found = await assess(Prometheus(url), "a", "b")
    assert [item.sentence for item in found.items] == [
        f"Prometheus at {url} can't be reached (connection refused); check PROMETHEUS_URL and that it runs."
    ] * 2
    assert (found.unreachable, found.exit_code) == (True, 3)


async def test_a_query_that_fails_for_one_service_leaves_the_others_alone() -> None:
    async def answer(_: web.Request, form: dict[str, str]) -> web.StreamResponse:
        if "broken" in form["query"]:
            return web.Response(status=400, text=REFUSED, content_type="application/json")
        return await healthy(form)

    async with hostile(answer) as server:
        found = await assess(Prometheus(server.url), "broken", "whole")
    assert [item.state for item in found.items] == [State.QUERY_FAILED, State.OK]


@pytest.mark.parametrize(("status", "state"), [(422, State.OK), (200, State.QUERY_FAILED)])
async def test_first_samples_that_cost_too_much_to_read_cost_only_their_note(status: int, state: State) -> None:
    """Answered with nothing instead, by who answered all else, they were cut."""

    async def answer(_: web.Request, form: dict[str, str]) -> web.StreamResponse:
        query = form.get("query", "")
        if "min_over_time" in query and status != 200:
            return web.Response(status=status, text=REFUSED, content_type="application/json")
        new = query.startswith("count") and "last_over_time" in query and "offset" not in query
        return success([]) if "min_over_time" in query or new else await healthy(form)

    async with hostile(answer) as server:
        found = await assess(Prometheus(server.url), "a")
    assert [item.state for item in found.items] == [state]


async def healthy(form: dict[str, str]) -> web.Response:
    return steady(form)


def obeys(_: web.Request, form: dict[str, str]) -> Awaitable[web.Response]:
    return healthy(form)


async def test_a_hundred_services_are_asked_together_and_nothing_is_asked_of_a_time_after_the_instant() -> None:
    names = [f"s{number:03}" for number in range(100)]
    async with hostile(obeys) as server:
        found = await assess(Prometheus(server.url), *names)
    assert {item.state for item in found.items} == {State.OK}
    assert len(server.asked) < 40
    instants = {float(form["time"]) for form in server.asked if "time" in form}
    ends = {float(form["end"]) for form in server.asked if form["endpoint"] == "query_range"}
    assert max(instants) <= AT.timestamp()
    assert ends == {AT.timestamp() - 0.123}


async def test_at_most_eight_queries_run_at_once() -> None:
    async def slowly(_: web.Request, form: dict[str, str]) -> web.Response:
        await asyncio.sleep(0.01)
        return await healthy(form)

    async with hostile(slowly) as server:
        found = await assess(Prometheus(server.url), *(f"s{number}" for number in range(40)))
    assert {item.state for item in found.items} == {State.OK}
    assert server.most_at_once <= 8


async def test_a_password_in_the_address_never_shows() -> None:
    async with hostile(says(401, "no")) as server:
        url = server.url.replace("http://", "http://reader:s3cret@")
        found = await assess(Prometheus(url))
    assert "s3cret" not in repr(found.contract())


async def test_the_server_s_version_stands_with_the_figures() -> None:
    async with hostile(obeys) as server:
        assert (await assess(Prometheus(server.url))).sources == (f"Prometheus 9.9.9 at {server.url}",)


async def test_a_server_that_tells_no_version_is_still_asked() -> None:
    async with hostile(obeys, version=False) as server:
        found = await assess(Prometheus(server.url))
    assert (found.sources, found.items[0].state) == ((f"Prometheus at {server.url}",), State.OK)


async def test_an_unreadable_ca_file_is_named() -> None:
    found = await assess(Prometheus("https://127.0.0.1:1", ca=Path("/nonexistent/ca.pem")))
    assert found.items[0].sentence == "The CA file /nonexistent/ca.pem can't be read; check PROMETHEUS_CA."


async def test_without_a_configured_prometheus_each_objective_says_so() -> None:
    definitions = Definitions((ServiceDefinition("checkout"),), (promise(),))
    found = await Reliability(definitions, {}).assess(None, AT)
    assert found.items[0].sentence == "No Prometheus is configured; set PROMETHEUS_URL."
