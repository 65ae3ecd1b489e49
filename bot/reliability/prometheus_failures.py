"""Why a question to a server of Prometheus' API came to nothing: the answers not to be relied on, and sentences."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, TypeVar

import aiohttp

from bot.reliability.prometheus_answers import Envelope

SILENT_AFTER = 9  # so much silence in a row, and the rest of an assessment is not asked
_SILENCE = 3  # of a question that nobody answered; of one that the server gave up it is 1
_NOT_READY = {502, 503, 504}  # what a proxy says of a server that is down, and Prometheus of itself while it starts
_INFO = "PromQL info"  # Prometheus 2.4x-2.5x put these hints among the warnings
_SLOW = ("timed out", "deadline exceeded")  # Thanos, Mimir and VictoriaMetrics say it under several types of error
_LIMITED = ("PromQL", "limit", "exceed", "exhausted", "too many", "truncated")
_Item = TypeVar("_Item")


class QueryFailed(Exception):
    """One query gave nothing that can be trusted; the message is a sentence for people.

    `unreachable`: nobody answered. `timed_out`: it took too long, here or on the server. `splittable`: asked for less
    at a time, a part of what the query wanted may well be answered. `silence`: how much it speaks against asking on;
    `SILENT_AFTER` or more is reason enough alone.
    """

    def __init__(
        self,
        sentence: str,
        *,
        unreachable: bool = False,
        timed_out: bool = False,
        splittable: bool = False,
        silence: int = 0,
    ) -> None:
        super().__init__(sentence)
        self.unreachable = unreachable
        self.timed_out = timed_out
        self.splittable = splittable
        self.silence = silence


def reliable(server: str, status: int, answer: Envelope[_Item] | None) -> Envelope[_Item]:
    """The answer of this HTTP status, when it can be relied on. Raises `QueryFailed`."""
    if status in {401, 403}:
        raise QueryFailed(f"{server} refused access (HTTP {status}); check PROMETHEUS_TOKEN and PROMETHEUS_TENANT.")
    said = answer.fields.get("status") if answer is not None else None
    if answer is None or said not in {"success", "error"}:
        raise _foreign(server, status)
    if said != "success" or status != 200:
        raise _refused(server, status, answer.fields)
    if answer.fields.get("isPartial") is True:
        raise QueryFailed(
            f"{server} says that its answer is only a part (isPartial); check that all its storage nodes run."
        )
    warning = _warning(answer.fields.get("warnings"))
    if warning is not None:
        raise QueryFailed(
            f"{server} warned that its answer may be incomplete: {warning}",
            splittable=any(word in warning for word in _LIMITED),
        )
    if not answer.listed and answer.kind is None:
        raise QueryFailed(f"{server} answered without data; check that PROMETHEUS_URL is a Prometheus.")
    return answer


def limited(server: str, wait: float | None) -> QueryFailed:
    """It is asked too often; `wait` is for how long it wants to be left alone, in seconds."""
    when = "later" if wait is None else f"in {wait:g} s"
    return QueryFailed(f"{server} limits how often it is asked (HTTP 429); ask again {when}.", silence=_SILENCE)


def too_large(server: str, megabytes: int) -> QueryFailed:
    return QueryFailed(
        f"{server} answered with more than {megabytes} MB; check that the queries sum over their series.",
        splittable=True,
    )


def too_slow(server: str, limit: float) -> QueryFailed:
    return QueryFailed(
        f"{server} did not answer within {limit:g} s; check its load, or raise metrics.timeout.",
        unreachable=True,
        timed_out=True,
        splittable=True,
        silence=_SILENCE,
    )


def broken(server: str, error: aiohttp.ClientError | OSError) -> QueryFailed:
    """What happened to the connection."""
    silence, splittable = _SILENCE, False
    match error:
        case aiohttp.ClientConnectorCertificateError():
            silence, what = SILENT_AFTER, "shows a certificate that is not trusted; set PROMETHEUS_CA to its CA file."
        case aiohttp.ClientConnectorSSLError():
            silence = SILENT_AFTER
            what = "can't be spoken to over TLS; check whether PROMETHEUS_URL should begin with http://."
        case aiohttp.ClientConnectorError():
            silence = SILENT_AFTER
            what = f"can't be reached ({_reason(error)}); check PROMETHEUS_URL and that it runs."
        case aiohttp.InvalidURL():
            silence, what = SILENT_AFTER, "is no address that can be asked; check PROMETHEUS_URL."
        case aiohttp.ServerDisconnectedError():
            what = "closed the connection; check that it runs."
        case aiohttp.ClientResponseError():
            silence = SILENT_AFTER
            what = "does not speak HTTP; check that PROMETHEUS_URL is the API's address."
        case _:
            splittable, what = True, "broke off its answer; check that it runs and what stands between."
    return QueryFailed(f"{server} {what}", unreachable=True, splittable=splittable, silence=silence)


def _foreign(server: str, status: int) -> QueryFailed:
    """An answer that isn't Prometheus' own."""
    if status in _NOT_READY:
        return _not_ready(server, status, "")
    if status in {413, 414}:
        return QueryFailed(
            f"{server} refused the length of the query (HTTP {status}); check what stands between.", splittable=True
        )
    what = "a redirection" if 300 <= status < 400 else "something else than Prometheus' JSON"
    return QueryFailed(
        f"{server} answered with {what} (HTTP {status}); check that PROMETHEUS_URL is the API's address."
    )


def _refused(server: str, status: int, fields: Mapping[str, Any]) -> QueryFailed:
    """Its own refusal. One selector may be the reason for all that are asked with it."""
    kind, text = str(fields.get("errorType", "error"))[:40], str(fields.get("error", f"HTTP {status}"))[:300]
    if kind == "timeout" or any(words in text for words in _SLOW):
        return QueryFailed(
            f"{server} gave the query up ({text}); check its load, or raise metrics.timeout.",
            timed_out=True,
            splittable=True,
            silence=1,
        )
    if status in _NOT_READY:
        return _not_ready(server, status, f": {text}")
    return QueryFailed(f"{server} refused the query ({kind}): {text}", splittable=True)


def _not_ready(server: str, status: int, text: str) -> QueryFailed:
    """A gateway's time-out (504) is as much as a slow query can do through a proxy."""
    return QueryFailed(
        f"{server} is not ready (HTTP {status}{text}); check that it runs and what stands between.",
        unreachable=True,
        timed_out=status == 504,
        splittable=status == 504,
        silence=_SILENCE,
    )


def _warning(warnings: Any) -> str | None:
    """The first of them that speaks against the answer."""
    if not warnings:
        return None
    if not isinstance(warnings, list):
        return "not readable"
    return next((str(text)[:300] for text in warnings if not str(text).startswith(_INFO)), None)


def _reason(error: aiohttp.ClientConnectorError) -> str:
    number = error.os_error.errno
    known = os.strerror(number) if number is not None and number > 0 else error.os_error.strerror
    return (known or "no connection").lower()
