"""Questions over HTTP: what comes back as series, what as a sentence, and when asking goes on."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import socket
import traceback
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from bot.errors import Unreachable, UsageError
from bot.reliability.prometheus_client import PrometheusClient, QueryFailed, Round, Series
from bot.reliability.windows import Span
from tests.doubles.prometheus_hostile import (
    Answer,
    certificate,
    gives,
    hostile,
    never,
    request_on,
    response_of,
    says,
    success,
    truncated,
    wire,
)

AT = datetime(2026, 11, 16, 8, 0, 46, 877000, tzinfo=UTC)
HOUR = timedelta(hours=1)
SPAN = Span(AT - 24 * HOUR, AT)
JSON = "application/json"


def times_of(form: dict[str, str]) -> list[float]:
    start, end, step = (float(form[name]) for name in ("start", "end", "step"))
    return [round(start + step * index, 3) for index in range(round((end - start) / step) + 1)]


async def counts(_: web.Request, form: dict[str, str]) -> web.Response:
    """Two services with 1.5 events at every instant."""
    labels: list[dict[str, str]] = [{"service": "cart"}, {"service": "search"}]
    if "start" in form:
        return success([{"metric": own, "values": [[at, "1.5"] for at in times_of(form)]} for own in labels], "matrix")
    at = float(form.get("time", "0"))
    return success([{"metric": own, "value": [at, "1.5"]} for own in labels])


async def asked(answer: Answer, ask: Callable[[PrometheusClient], Awaitable[object]]) -> object:
    """What the question gives, or how it failed, of a server that answers so."""
    async with hostile(answer) as server:
        client = PrometheusClient(server.url, timeout=0.3)
        try:
            return await ask(client)
        except QueryFailed as failure:
            return (
                str(failure).replace(server.url, "URL"),
                [name for name in ("unreachable", "timed_out", "splittable") if getattr(failure, name)],
            )
        finally:
            await client.close()


async def instant_of(answer: Answer) -> object:
    return await asked(answer, lambda client: client.instant("up", AT))


async def range_of(answer: Answer) -> object:
    return await asked(answer, lambda client: client.range("up", AT - 2 * HOUR, AT, HOUR))


# --- whole answers ---


async def test_an_instant_gives_each_series_its_labels_and_one_pair() -> None:
    pair = [(AT.timestamp(), 1.5)]
    assert await instant_of(counts) == [Series({"service": "cart"}, pair), Series({"service": "search"}, pair)]


async def test_a_range_gives_each_series_its_pairs_oldest_first() -> None:
    pairs = [((AT - hours * HOUR).timestamp(), 1.5) for hours in (2, 1, 0)]
    assert await range_of(counts) == [Series({"service": "cart"}, pairs), Series({"service": "search"}, pairs)]


async def test_a_series_may_lack_some_of_the_times_of_a_range() -> None:
    async def holed(_: web.Request, form: dict[str, str]) -> web.Response:
        first, _second, third = times_of(form)
        return success([{"metric": {}, "values": [[first, "2"], [third, "1e+06"]]}], "matrix")

    assert await range_of(holed) == [Series({}, [((AT - 2 * HOUR).timestamp(), 2.0), (AT.timestamp(), 1e6)])]


async def test_no_series_is_an_empty_answer_and_no_failure() -> None:
    assert await instant_of(gives(lambda: success([]))) == []
    assert await range_of(gives(lambda: success([], "matrix"))) == []


async def test_a_question_names_its_instant_its_time_limit_and_its_dislike_of_caches() -> None:
    async with hostile(counts) as server:
        client = PrometheusClient(server.url, timeout=20)
        await client.instant("up", AT)
        await client.range("up", AT - 400 * HOUR, AT, 200 * HOUR)
        await client.close()
    own = {"query": "up", "timeout": "18000ms", "nocache": "1"}
    assert server.asked == [
        {"endpoint": "query", "time": "1794816046.877", **own},
        {
            "endpoint": "query_range",
            "start": "1793376046.877",
            "end": "1794816046.877",
            "step": "720000.000",
            **own,
        },
    ]


async def test_an_answer_as_victoriametrics_gives_it_is_read() -> None:
    text = (
        '{"status":"success","isPartial":false,"data":{"resultType":"vector","result":[{"metric":{"a":"b"},'
        f'"value":[{AT.timestamp()},"3"]}}]}},"stats":{{"seriesFetched":"1"}},"trace":{{}}}}'
    )
    assert await instant_of(says(200, text, JSON)) == [Series({"a": "b"}, [(AT.timestamp(), 3.0)])]


@pytest.mark.parametrize(
    "more",
    [
        {"infos": ["PromQL info: metric might not be a counter, name does not end in _total"]},
        {"warnings": ["PromQL info: metric might not be a counter, name does not end in _total"]},
        {"warnings": []},
        {"warnings": None},
    ],
)
async def test_hints_about_names_are_no_reason_to_distrust_an_answer(more: dict[str, object]) -> None:
    assert await instant_of(gives(lambda: success([], **more))) == []


async def test_a_packed_answer_is_unpacked() -> None:
    async def packed(request: web.Request, form: dict[str, str]) -> web.Response:
        assert "gzip" in request.headers["Accept-Encoding"]
        body = gzip.compress((await counts(request, form)).body or b"")  # type: ignore[arg-type]
        return web.Response(body=body, headers={"Content-Encoding": "gzip", "Content-Type": JSON})

    assert len(await instant_of(packed)) == 2  # type: ignore[arg-type]


async def test_an_api_below_a_path_is_asked_there() -> None:
    async with hostile(counts, below="/mimir/prometheus") as server:
        for url in (server.url, f"{server.url}/"):
            client = PrometheusClient(url)
            assert await client.check() == f"Prometheus 9.9.9 at {server.url} answers queries"
            await client.close()


# --- answers that aren't relied on ---

WRONG_ADDRESS = "check that PROMETHEUS_URL is the API's address."
NO_PROMETHEUS = "check that PROMETHEUS_URL is the API of a Prometheus."
NO_EVENTS = f"where a number of events was expected; {NO_PROMETHEUS}"
FOREIGN = "Prometheus at URL answered with something else than Prometheus' JSON"


def refusal(kind: str, text: str, status: int) -> Answer:
    return says(status, json.dumps({"status": "error", "errorType": kind, "error": text}), JSON)


def sample(*value: object, **labels: str) -> Answer:
    return gives(lambda: success([{"metric": labels, "value": [AT.timestamp(), *value]}]))


@pytest.mark.parametrize(
    ("answer", "sentence", "traits"),
    [
        (says(200, "<html>Sign in</html>"), f"{FOREIGN} (HTTP 200); {WRONG_ADDRESS}", []),
        (says(404, "404 page not found", "text/plain"), f"{FOREIGN} (HTTP 404); {WRONG_ADDRESS}", []),
        (says(500, "<html>oh</html>"), f"{FOREIGN} (HTTP 500); {WRONG_ADDRESS}", []),
        (says(200, '["odd"]', JSON), f"{FOREIGN} (HTTP 200); {WRONG_ADDRESS}", []),
        (says(200, "{}{}", JSON), f"{FOREIGN} (HTTP 200); {WRONG_ADDRESS}", []),
        (says(200, "", JSON), f"{FOREIGN} (HTTP 200); {WRONG_ADDRESS}", []),
        (says(200, "[" * 200_000, JSON), f"{FOREIGN} (HTTP 200); {WRONG_ADDRESS}", []),
        (says(200, '{"status":' + "[" * 200_000, JSON), f"{FOREIGN} (HTTP 200); {WRONG_ADDRESS}", []),
        (says(404, '{"kind":"Status","status":"Failure"}', JSON), f"{FOREIGN} (HTTP 404); {WRONG_ADDRESS}", []),
        (says(404, '{"status":404,"error":"Not Found"}', JSON), f"{FOREIGN} (HTTP 404); {WRONG_ADDRESS}", []),
        (
            says(302, "", "text/plain", Location="http://127.0.0.1:1/login"),
            f"Prometheus at URL answered with a redirection (HTTP 302); {WRONG_ADDRESS}",
            [],
        ),
        (
            says(401, "no"),
            "Prometheus at URL refused access (HTTP 401); check PROMETHEUS_TOKEN and PROMETHEUS_TENANT.",
            [],
        ),
        (
            refusal("forbidden", "no", 403),
            "Prometheus at URL refused access (HTTP 403); check PROMETHEUS_TOKEN and PROMETHEUS_TENANT.",
            [],
        ),
        (
            says(413, "<html>too large</html>"),
            "Prometheus at URL refused the length of the query (HTTP 413); check what stands between.",
            ["splittable"],
        ),
        (
            refusal("bad_data", "parse error", 400),
            "Prometheus at URL refused the query (bad_data): parse error",
            ["splittable"],
        ),
        (
            refusal("bad_data", "parse error", 200),
            "Prometheus at URL refused the query (bad_data): parse error",
            ["splittable"],
        ),
        (
            refusal("execution", "query processing would load too many samples into memory in query execution", 422),
            (
                "Prometheus at URL refused the query (execution): "
                "query processing would load too many samples into memory in query execution"
            ),
            ["splittable"],
        ),
        (
            refusal("timeout", "query timed out in expression evaluation", 503),
            (
                "Prometheus at URL gave the query up (query timed out in expression evaluation); "
                "check its load, or raise metrics.timeout."
            ),
            ["timed_out", "splittable"],
        ),
        (
            refusal("execution", "expanding series: context deadline exceeded", 422),
            (
                "Prometheus at URL gave the query up (expanding series: context deadline exceeded); "
                "check its load, or raise metrics.timeout."
            ),
            ["timed_out", "splittable"],
        ),
        (
            refusal("unavailable", "TSDB not ready", 503),
            "Prometheus at URL is not ready (HTTP 503: TSDB not ready); check that it runs and what stands between.",
            ["unreachable"],
        ),
        (
            says(502, "Bad Gateway"),
            "Prometheus at URL is not ready (HTTP 502); check that it runs and what stands between.",
            ["unreachable"],
        ),
        (
            says(503, "Service Unavailable", "text/plain"),
            "Prometheus at URL is not ready (HTTP 503); check that it runs and what stands between.",
            ["unreachable"],
        ),
        (
            says(504, "Gateway Time-out"),
            "Prometheus at URL is not ready (HTTP 504); check that it runs and what stands between.",
            ["unreachable", "timed_out", "splittable"],
        ),
        (
            gives(lambda: success([], warnings=["receive series from 10.0.0.7: store unreachable"])),
            (
                "Prometheus at URL warned that its answer may be incomplete: "
                "receive series from 10.0.0.7: store unreachable"
            ),
            [],
        ),
        (
            gives(lambda: success([], warnings=["PromQL info: hint", "results truncated due to limit"])),
            "Prometheus at URL warned that its answer may be incomplete: results truncated due to limit",
            ["splittable"],
        ),
        (
            gives(lambda: success([], warnings=["PromQL warning: encountered a mix of histograms and floats"])),
            (
                "Prometheus at URL warned that its answer may be incomplete: "
                "PromQL warning: encountered a mix of histograms and floats"
            ),
            ["splittable"],
        ),
        (
            gives(lambda: success([], warnings="odd")),
            "Prometheus at URL warned that its answer may be incomplete: not readable",
            [],
        ),
        (
            gives(lambda: success([], isPartial=True)),
            "Prometheus at URL says that its answer is only a part (isPartial); check that all its storage nodes run.",
            [],
        ),
        (
            gives(lambda: web.json_response({"status": "success"})),
            "Prometheus at URL answered without data; check that PROMETHEUS_URL is a Prometheus.",
            [],
        ),
        (
            gives(lambda: success([], "matrix")),
            f"Prometheus at URL answered with a matrix instead of a vector; {NO_PROMETHEUS}",
            [],
        ),
        (
            gives(lambda: success([1.0, "2"], "scalar")),
            f"Prometheus at URL answered with a scalar instead of a vector; {NO_PROMETHEUS}",
            [],
        ),
        (
            gives(lambda: success(["odd"])),
            f"Prometheus at URL answered with series in a form it doesn't have; {NO_PROMETHEUS}",
            [],
        ),
        (
            gives(lambda: success([{"metric": {"a": 1}, "value": [AT.timestamp(), "1"]}])),
            f"Prometheus at URL answered with series in a form it doesn't have; {NO_PROMETHEUS}",
            [],
        ),
        (
            gives(lambda: success([{"metric": {}}])),
            f"Prometheus at URL answered with a sample that is not a pair of time and value; {NO_PROMETHEUS}",
            [],
        ),
        (
            sample("1", "2"),
            f"Prometheus at URL answered with a sample that is not a pair of time and value; {NO_PROMETHEUS}",
            [],
        ),
        (
            gives(lambda: success([{"metric": {}, "histogram": [AT.timestamp(), {"count": "1"}]}])),
            f"Prometheus at URL answered with a native histogram {NO_EVENTS}",
            [],
        ),
        (
            sample("NaN"),
            f"Prometheus at URL answered with 'NaN' {NO_EVENTS}",
            [],
        ),
        (
            sample("+Inf"),
            f"Prometheus at URL answered with '+Inf' {NO_EVENTS}",
            [],
        ),
        (
            sample(None),
            f"Prometheus at URL answered with 'None' {NO_EVENTS}",
            [],
        ),
        (
            gives(lambda: success([{"metric": {}, "value": [AT.timestamp() - 30, "1"]}])),
            f"Prometheus at URL answered with another time than asked for; {NO_PROMETHEUS}",
            [],
        ),
        (
            gives(lambda: success([{"metric": {}, "value": [10**400, "1"]}])),
            f"Prometheus at URL answered with a sample that is not a pair of time and value; {NO_PROMETHEUS}",
            [],
        ),
        (
            gives(lambda: success([{"metric": {"a": "b"}, "value": [AT.timestamp(), "1"]}] * 2)),
            f"Prometheus at URL answered with the same series twice; {NO_PROMETHEUS}",
            [],
        ),
        (
            truncated,
            "Prometheus at URL broke off its answer; check that it runs and what stands between.",
            ["unreachable", "splittable"],
        ),
        (
            never,
            "Prometheus at URL did not answer within 0.3 s; check its load, or raise metrics.timeout.",
            ["unreachable", "timed_out", "splittable"],
        ),
    ],
)
async def test_an_answer_that_can_not_be_relied_on_is_a_sentence(
    answer: Answer, sentence: str, traits: list[str]
) -> None:
    assert await instant_of(answer) == (sentence, traits)


def hours(*pairs: tuple[float, str]) -> Answer:
    async def answer(_: web.Request, form: dict[str, str]) -> web.Response:
        start = float(form["start"])
        return success([{"metric": {}, "values": [[start + 3600 * after, text] for after, text in pairs]}], "matrix")

    return answer


ALIGNED = f"Prometheus at URL answered with other hours than asked for (does it align steps?); {NO_PROMETHEUS}"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (hours((0, "1"), (1.5, "1")), ALIGNED),
        (hours((0.0001, "1"), (1.0001, "1"), (2.0001, "1")), ALIGNED),
        (hours((0, "1"), (1, "1"), (2, "1"), (3, "1")), ALIGNED),
        (hours((1, "1"), (0, "1")), f"Prometheus at URL answered with times out of order; {NO_PROMETHEUS}"),
        (hours((1, "1"), (1, "2")), f"Prometheus at URL answered with times out of order; {NO_PROMETHEUS}"),
        (
            hours((0, "1"), (1, "NaN"), (2, "1")),
            f"Prometheus at URL answered with 'NaN' {NO_EVENTS}",
        ),
        (
            gives(lambda: success([{"metric": {}}], "matrix")),
            f"Prometheus at URL answered with a range without values; {NO_PROMETHEUS}",
        ),
        (
            gives(lambda: success([{"metric": {}, "histograms": [], "values": []}], "matrix")),
            f"Prometheus at URL answered with a native histogram {NO_EVENTS}",
        ),
    ],
)
async def test_a_range_that_is_not_the_one_asked_for_is_a_sentence(answer: Answer, sentence: str) -> None:
    assert await range_of(answer) == (sentence, [])


async def test_an_answer_of_more_than_64_mb_is_not_taken_in() -> None:
    packed = gzip.compress(b" " * (65 * 1024 * 1024), 1)  # a small one on the wire

    async def huge(_: web.Request, __: dict[str, str]) -> web.Response:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip", "Content-Type": JSON})

    async with hostile(huge) as server:
        client = PrometheusClient(server.url)
        with pytest.raises(QueryFailed) as failed:
            await client.instant("up", AT)
        await client.close()
    assert str(failed.value) == (
        f"Prometheus at {server.url} answered with more than 64 MB; check that the queries sum over their series."
    )
    assert failed.value.splittable


@pytest.mark.parametrize("points", [11_001, 40_000])
async def test_a_range_that_every_server_refuses_is_not_asked(points: int) -> None:
    async with hostile(counts) as server:
        client = PrometheusClient(server.url)
        with pytest.raises(ValueError, match=f"{points} points per series are more than the 11000"):
            await client.range("up", AT - (points - 1) * HOUR, AT, HOUR)
        assert len((await client.range("up", AT - 10_999 * HOUR, AT, HOUR))[0].values) == 11_000
        await client.close()
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("start", "end", "step"),
    [(AT, AT, timedelta()), (AT, AT - HOUR, HOUR), (AT.replace(tzinfo=None), AT.replace(tzinfo=None), HOUR)],
)
async def test_a_range_without_sense_is_our_own_mistake(start: datetime, end: datetime, step: timedelta) -> None:
    with pytest.raises(ValueError, match=r"goes forward|aware time"):
        await PrometheusClient("http://127.0.0.1:1").range("up", start, end, step)


# --- servers that limit, drop, drip and die ---


def limits(times: int, retry_after: str | None) -> Answer:
    """So many questions are put off before one is answered."""
    left = times

    async def answer(request: web.Request, form: dict[str, str]) -> web.StreamResponse:
        nonlocal left
        if left:
            left -= 1
            return web.Response(status=429, headers={} if retry_after is None else {"Retry-After": retry_after})
        return await counts(request, form)

    return answer


async def test_a_server_that_soon_wants_to_be_asked_again_is_asked_again() -> None:
    assert len(await instant_of(limits(2, "0"))) == 2  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "when"),
    [
        (limits(1, "30"), "in 30 s"),
        (limits(1, "6"), "in 6 s"),
        (limits(3, "0"), "in 0 s"),
        (limits(1, None), "later"),
        (limits(1, "Wed, 21 Oct 2026 07:28:00 GMT"), "later"),
        (limits(1, "-1"), "later"),
        (says(429, '{"status":"error","error":"too many"}', JSON), "later"),
    ],
)
async def test_a_server_that_limits_questions_is_left_alone(answer: Answer, when: str) -> None:
    assert await instant_of(answer) == (
        f"Prometheus at URL limits how often it is asked (HTTP 429); ask again {when}.",
        [],
    )


SAMPLE = f'{{"metric":{{}},"value":[{AT.timestamp()},"1"]}}'
VECTOR = f'{{"status":"success","data":{{"resultType":"vector","result":[{SAMPLE}]}}}}'
ONE = [Series({}, [(AT.timestamp(), 1.0)])]


async def instant_at(url: str, limit: float = 20.0) -> object:
    client = PrometheusClient(url, timeout=limit)
    try:
        return await client.instant("up", AT)
    except QueryFailed as failure:
        return str(failure).replace(url, "URL")
    finally:
        await client.close()


async def test_a_connection_that_was_dropped_between_two_questions_costs_neither_of_them() -> None:
    requests: list[int] = []

    async def once_each(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        """Answers once, takes a second question, and hangs up on it, as a proxy does whose patience is over."""
        await request_on(reader)
        requests.append(number)
        writer.write(response_of(VECTOR))
        await request_on(reader)
        requests.append(number)

    async with wire(once_each) as url:
        client = PrometheusClient(url)
        assert [await client.instant("up", AT) for _ in range(3)] == [ONE, ONE, ONE]
        await client.close()
    assert requests == [0, 0, 1, 1, 2]


async def test_a_server_that_hangs_up_on_every_question_is_not_asked_for_ever() -> None:
    requests: list[int] = []

    async def hangs_up(reader: asyncio.StreamReader, _: asyncio.StreamWriter, number: int) -> None:
        await request_on(reader)
        requests.append(number)

    async with wire(hangs_up) as url:
        assert await instant_at(url) == "Prometheus at URL closed the connection; check that it runs."
    assert requests == [0]


async def test_a_server_that_is_killed_in_the_middle_of_its_answer_has_given_none() -> None:
    async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        await request_on(reader)
        writer.write(response_of(VECTOR)[:-20])
        await writer.drain()
        writer.transport.abort()

    async with wire(dies) as url:
        assert await instant_at(url) == (
            "Prometheus at URL broke off its answer; check that it runs and what stands between."
        )


async def test_an_answer_in_chunks_that_ends_too_soon_is_none_even_where_its_json_is_whole() -> None:
    async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        await request_on(reader)
        head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        writer.write(f"{head}{len(VECTOR):x}\r\n{VECTOR}\r\n".encode())
        await writer.drain()

    async with wire(dies) as url:
        assert await instant_at(url) == (
            "Prometheus at URL broke off its answer; check that it runs and what stands between."
        )


async def test_an_answer_that_drips_is_given_up_within_the_time_limit() -> None:
    async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: int) -> None:
        await request_on(reader)
        for byte in response_of(VECTOR):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.05)

    async with wire(drips) as url:
        assert await instant_at(url, limit=0.3) == (
            "Prometheus at URL did not answer within 0.3 s; check its load, or raise metrics.timeout."
        )


async def test_something_that_is_no_web_server_is_called_so() -> None:
    async def greets(_: asyncio.StreamReader, writer: asyncio.StreamWriter, __: int) -> None:
        writer.write(b"220 mail.example.com ESMTP\r\n")
        await writer.drain()

    async with wire(greets) as url:
        assert await instant_at(url) == (
            "Prometheus at URL does not speak HTTP; check that PROMETHEUS_URL is the API's address."
        )


async def test_an_answer_that_is_wrongly_packed_is_none() -> None:
    async def odd(_: web.Request, __: dict[str, str]) -> web.Response:
        return web.Response(body=b"no gzip at all", headers={"Content-Encoding": "gzip", "Content-Type": JSON})

    assert await instant_of(odd) == (
        "Prometheus at URL broke off its answer; check that it runs and what stands between.",
        ["unreachable", "splittable"],
    )


# --- one assessment's questions ---


async def test_a_round_counts_what_it_sends() -> None:
    async with hostile(counts) as server:
        client = PrometheusClient(server.url)
        asking = Round(client)
        await asking.instant("up", AT)
        await asking.range("up", AT - HOUR, AT, HOUR)
        await client.instant("up", AT)
        await client.close()
    assert (asking.queries, asking.failure, len(server.asked)) == (2, None, 3)


async def failures_of(asking: Round, questions: int) -> list[str]:
    found = await asyncio.gather(*(asking.instant("up", AT) for _ in range(questions)), return_exceptions=True)
    assert all(isinstance(answer, QueryFailed | list) for answer in found)
    return [str(answer) for answer in found if isinstance(answer, QueryFailed)]


async def test_a_server_that_refuses_connections_is_asked_no_further() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        client = PrometheusClient(url, at_once=1)
        asking = Round(client)
        found = await failures_of(asking, 50)
        await client.close()
    assert (
        found
        == [f"Prometheus at {url} can't be reached (connection refused); check PROMETHEUS_URL and that it runs."] * 50
    )
    assert asking.queries == 1


@pytest.mark.parametrize(
    ("answer", "sent"),
    [
        (never, 3),
        (truncated, 3),
        (says(503, "Service Unavailable"), 3),
        (says(429, "slow down"), 3),
        (says(401, "no"), 10),
        (refusal("timeout", "query timed out in expression evaluation", 503), 9),
        (refusal("bad_data", "parse error", 400), 10),
    ],
)
async def test_three_silences_or_nine_given_up_in_a_row_end_a_round_and_a_refusal_does_not(
    answer: Answer, sent: int
) -> None:
    async with hostile(answer) as server:
        client = PrometheusClient(server.url, timeout=0.1, at_once=1)
        asking = Round(client)
        found = await failures_of(asking, 10)
        await client.close()
    assert (len(found), len(server.asked), asking.queries) == (10, sent, sent)


async def test_silences_with_an_answer_between_them_end_nothing() -> None:
    number = 0

    async def every_third(request: web.Request, form: dict[str, str]) -> web.StreamResponse:
        nonlocal number
        number += 1
        return await (counts(request, form) if number % 3 == 0 else says(503, "busy")(request, form))

    async with hostile(every_third) as server:
        client = PrometheusClient(server.url, at_once=1)
        found = await failures_of(Round(client), 12)
        await client.close()
    assert (len(found), len(server.asked)) == (8, 12)


async def test_slow_questions_among_others_that_are_answered_meanwhile_end_nothing() -> None:
    async def by_name(request: web.Request, form: dict[str, str]) -> web.StreamResponse:
        return await (never(request, form) if form["query"] == "slow" else counts(request, form))

    async with hostile(by_name) as server:
        client = PrometheusClient(server.url, timeout=0.3, at_once=6)
        asking = Round(client)
        slow = asyncio.gather(*(asking.instant("slow", AT) for _ in range(5)), return_exceptions=True)
        await asyncio.sleep(0.05)
        assert await failures_of(asking, 3) == []
        assert all(isinstance(answer, QueryFailed) for answer in await slow)
        await client.close()
    assert asking.failure is None


async def test_what_is_not_asked_any_more_is_not_worth_splitting() -> None:
    async with hostile(never) as server:
        client = PrometheusClient(server.url, timeout=0.1)
        asking = Round(client)
        await failures_of(asking, 3)
        with pytest.raises(QueryFailed, match=r"did not answer within 0\.1 s") as failed:
            await asking.instant("up", AT)
        await client.close()
    found = failed.value
    assert (found.unreachable, found.timed_out, found.splittable, len(server.asked)) == (True, True, False, 3)


async def test_a_new_round_asks_again_after_one_that_ended() -> None:
    async with hostile(limits(3, None)) as server:
        client = PrometheusClient(server.url, at_once=1)
        assert len(await failures_of(Round(client), 5)) == 5
        assert len(await failures_of(Round(client), 5)) == 0
        await client.close()


async def test_two_rounds_together_ask_eight_questions_at_a_time_at_most() -> None:
    async def slowly(request: web.Request, form: dict[str, str]) -> web.Response:
        await asyncio.sleep(0.005)
        return await counts(request, form)

    async with hostile(slowly) as server:
        client = PrometheusClient(server.url)
        await asyncio.gather(failures_of(Round(client), 20), failures_of(Round(client), 20))
        await client.close()
    assert (len(server.asked), server.most_at_once) == (40, 8)


async def test_labels_that_are_never_told_end_no_round_and_are_not_asked_for_again() -> None:
    async def shy(request: web.Request, form: dict[str, str]) -> web.StreamResponse:
        return await (never(request, form) if "match[]" in form else counts(request, form))

    async with hostile(shy) as server:
        client = PrometheusClient(server.url, timeout=0.1, at_once=4)
        asking = Round(client)
        assert await asyncio.gather(*(asking.series(["up"], SPAN) for _ in range(4))) == [None] * 4
        assert await asking.series(["up"], SPAN) is None
        assert (await failures_of(asking, 2), len(server.asked)) == ([], 6)
        asking.failure = QueryFailed("gone")
        assert await asking.series(["up"], SPAN) is None
        await client.close()
    assert len(server.asked) == 6


# --- labels of series ---


async def labels_of(answer: Answer, *selectors: str) -> object:
    return await asked(answer, lambda client: client.series(selectors or ("up",), SPAN))


async def test_the_labels_of_series_within_a_span_can_be_had() -> None:
    found: list[dict[str, str]] = [{"__name__": "up", "job": "a"}, {"__name__": "up", "job": "b"}]
    forms: list[list[tuple[str, str]]] = []

    async def answer(request: web.Request, _: dict[str, str]) -> web.Response:
        forms.append([(name, str(value)) for name, value in (await request.post()).items()])
        return web.json_response({"status": "success", "data": found})

    assert await labels_of(answer, 'up{job="a"}', "down") == found
    assert forms == [
        [
            ("match[]", 'up{job="a"}'),
            ("match[]", "down"),
            ("start", "1794729646.877"),
            ("end", "1794816046.877"),
            ("limit", "20001"),
        ]
    ]


async def test_no_series_at_all_is_known_to_be_none() -> None:
    assert await labels_of(gives(lambda: web.json_response({"status": "success", "data": []}))) == []


@pytest.mark.parametrize(
    "answer",
    [
        says(404, "404 page not found"),
        says(405, "Method Not Allowed"),
        says(403, "no"),
        says(429, "slow down"),
        refusal("bad_data", "no", 400),
        never,
        truncated,
        gives(lambda: web.json_response({"status": "success", "data": None})),
        gives(lambda: web.json_response({"status": "success", "data": ["odd"]})),
        gives(lambda: web.json_response({"status": "success", "data": [], "warnings": ["truncated due to limit"]})),
        gives(lambda: web.json_response({"status": "success", "data": [{"n": str(n)} for n in range(20_001)]})),
    ],
)
async def test_labels_that_can_not_be_told_are_none_and_no_failure(answer: Answer) -> None:
    assert await labels_of(answer) is None


# --- credentials, TLS, names ---


async def test_token_and_tenant_go_with_every_question() -> None:
    async with hostile(counts) as server:
        client = PrometheusClient(server.url, token="s3cret", tenant="acme")
        await client.instant("up", AT)
        await client.series(["up"], SPAN)
        await client.close()
    assert [(headers["Authorization"], headers["X-Scope-OrgID"]) for headers in server.headers] == [
        ("Bearer s3cret", "acme")
    ] * 2


async def test_user_and_password_of_the_address_go_with_every_question() -> None:
    async with hostile(counts) as server:
        client = PrometheusClient(server.url.replace("http://", "http://reader:s3cret@"))
        await client.instant("up", AT)
        await client.close()
    assert [headers["Authorization"] for headers in server.headers] == ["Basic cmVhZGVyOnMzY3JldA=="]


async def test_credentials_follow_no_redirection() -> None:
    async with hostile(counts) as other:
        there = says(307, "", "text/plain", Location=f"{other.url}/api/v1/query")
        async with hostile(there) as server:
            client = PrometheusClient(server.url, token="s3cret")
            with pytest.raises(QueryFailed, match="answered with a redirection"):
                await client.instant("up", AT)
            await client.close()
    assert other.asked == []


@pytest.mark.parametrize("answer", [says(401, "no"), truncated, never, says(200, "<html>"), says(503, "busy")])
async def test_secrets_show_in_no_sentence_trace_log_or_name(answer: Answer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with hostile(answer) as server:
        with_password = PrometheusClient(server.url.replace("http://", "http://reader:s3cret@"), timeout=0.1)
        with_token = PrometheusClient(server.url, token="s3cret", timeout=0.1)
        shown = []
        for client in (with_password, with_token):
            shown += [
                repr(client),
                client.server,
                client.source,
                client.identity,
                str(await client.series(["x"], SPAN)),
            ]
            with pytest.raises(QueryFailed) as failed:
                await client.instant("up", AT)
            shown += traceback.format_exception(failed.value)
            shown += [repr(failed.value.__cause__), repr(Round(client))]
            await client.close()
    assert "s3cret" not in "".join(shown) + caplog.text
    assert "reader" not in "".join(shown) + caplog.text


async def test_a_password_shows_in_no_trace_of_a_server_that_is_none() -> None:
    async def greets(_: asyncio.StreamReader, writer: asyncio.StreamWriter, __: int) -> None:
        writer.write(b"220 mail.example.com ESMTP\r\n")
        await writer.drain()

    async with wire(greets) as url:
        client = PrometheusClient(url.replace("http://", "http://reader:s3cret@"))
        with pytest.raises(QueryFailed) as failed:
            await client.instant("up", AT)
        await client.close()
    assert "s3cret" not in "".join(traceback.format_exception(failed.value)) + repr(failed.value.__cause__)


@pytest.mark.parametrize(
    ("url", "tenant", "identity"),
    [
        ("http://reader:s3cret@prometheus:9090/", None, "http://prometheus:9090"),
        ("https://mimir/prometheus/", "acme", "https://mimir/prometheus acme"),
        ("https://mimir/prometheus", "other", "https://mimir/prometheus other"),
        ("http://prometheus:9090/?token=s3cret#x", None, "http://prometheus:9090"),
    ],
)
def test_remembered_hours_belong_to_an_address_and_a_tenant(url: str, tenant: str | None, identity: str) -> None:
    assert PrometheusClient(url, tenant=tenant).identity == identity


@pytest.mark.parametrize(
    "url",
    [
        "prometheus:9090",
        "ftp://x",
        "http://",
        "http://[::1",
        "http://x:99999",
        "",
        "http://:9090",
        "http://a..b",
        f"http://{'x' * 64}",
    ],
)
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(UsageError, match="PROMETHEUS_URL must be an address such as http://prometheus:9090"):
        PrometheusClient(url)


@pytest.mark.parametrize("value", ["s3cret\n", "s3\r\ncret", "s3crét", "s3\x00cret"])
def test_a_token_or_tenant_that_can_not_be_sent_is_refused_at_once_and_not_shown(value: str) -> None:
    with pytest.raises(UsageError) as token:
        PrometheusClient("http://prometheus:9090", token=value)
    with pytest.raises(UsageError) as tenant:
        PrometheusClient("http://prometheus:9090", tenant=value)
    remedy = "holds a line break or another character that can't be sent; write it anew"
    assert (str(token.value), str(tenant.value)) == (f"PROMETHEUS_TOKEN {remedy}", f"PROMETHEUS_TENANT {remedy}")


def test_a_token_beside_a_user_in_the_address_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="PROMETHEUS_URL holds a user while PROMETHEUS_TOKEN is set"):
        PrometheusClient("http://reader:s3cret@prometheus:9090", token="other")


async def test_a_server_is_trusted_by_its_ca_file_alone(tmp_path: Path) -> None:
    ca, tls = certificate(tmp_path)
    async with hostile(counts, tls=tls) as server:
        trusting, stranger = PrometheusClient(server.url, ca=ca), PrometheusClient(server.url)
        assert len(await trusting.instant("up", AT)) == 2
        with pytest.raises(QueryFailed) as failed:
            await stranger.instant("up", AT)
        await trusting.close()
        await stranger.close()
    assert str(failed.value) == (
        f"Prometheus at {server.url} shows a certificate that is not trusted; set PROMETHEUS_CA to its CA file."
    )
    assert failed.value.unreachable


async def test_a_server_without_tls_is_told_from_one_that_is_down() -> None:
    async with hostile(counts) as server:
        url = server.url.replace("http://", "https://")
        assert await instant_at(url) == (
            "Prometheus at URL can't be spoken to over TLS; check whether PROMETHEUS_URL should begin with http://."
        )


async def test_numbers_that_look_like_an_address_and_are_none_are_said() -> None:
    assert await instant_at("http://256.256.256.256:9090") == (
        "Prometheus at URL is no address that can be asked; check PROMETHEUS_URL."
    )


async def test_an_unreadable_ca_file_is_named() -> None:
    client = PrometheusClient("https://127.0.0.1:1", ca=Path("/nonexistent/ca.pem"))
    with pytest.raises(QueryFailed, match=r"The CA file /nonexistent/ca\.pem can't be read; check PROMETHEUS_CA\."):
        await client.instant("up", AT)


# --- version and doctor ---


async def test_the_version_is_asked_once_and_stands_in_the_source() -> None:
    async with hostile(counts) as server:
        client = PrometheusClient(server.url)
        before = client.source
        found = [await client.version(), await client.version()]
        await client.close()
        assert (before, found, client.source) == (
            f"Prometheus at {server.url}",
            ["9.9.9", "9.9.9"],
            f"Prometheus 9.9.9 at {server.url}",
        )


async def test_a_server_that_tells_no_version_has_an_empty_one_and_one_that_is_away_none() -> None:
    async with hostile(counts, version=False) as server:
        client = PrometheusClient(server.url)
        assert (await client.version(), client.source) == ("", f"Prometheus at {server.url}")
        await client.close()
    away = PrometheusClient(server.url)
    assert await away.version() is None
    await away.close()


async def test_the_doctor_hears_that_queries_are_answered_or_what_is_wrong() -> None:
    async with hostile(counts) as server:
        client = PrometheusClient(server.url)
        assert await client.check() == f"Prometheus 9.9.9 at {server.url} answers queries"
        await client.close()
    async with hostile(says(401, "no")) as server:
        client = PrometheusClient(server.url)
        with pytest.raises(Unreachable, match="refused access"):
            await client.check()
        await client.close()
