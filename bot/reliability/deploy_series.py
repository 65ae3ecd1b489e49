"""Deploys read off a series: the moments at which a service shows a new set of labels, or another value."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import promql_parser

from bot.reliability.asking import Source
from bot.reliability.deploys import Deploy, together
from bot.reliability.prometheus_client import Series
from bot.reliability.selectors import literal, quoted
from bot.reliability.windows import Span

_SERVICE = ("service", "job", "app")  # where a series says whose it is, the first that names one of the services
_VERSION = ("version", "app_version", "tag", "image_tag", "release", "revision", "commit", "git_sha", "sha", "image")
# What tells copies of one program apart: another pod of the same version is no deploy.
_COPIES = (
    "pod",
    "instance",
    "container",
    "container_id",
    "node",
    "host",
    "hostname",
    "ip",
    "pod_ip",
    "uid",
    "replica",
    "endpoint",
    "prometheus",
    "prometheus_replica",
)
_FINEST = timedelta(minutes=1)
_MOST_POINTS = 2_000
_BEFORE = timedelta(minutes=10)  # looked at before the span, to know what was there
_RETURN = timedelta(minutes=5)  # away for less is a missed scrape, away for longer and back is a roll-back
_LONGEST_VERSION = 100

_Labels = frozenset[tuple[str, str]]


async def deploys_near(source: Source, selector: str, services: Sequence[str], span: Span) -> tuple[Deploy, ...]:
    """What the series of this selector shows of these services' deploys within the span, oldest first.

    A moment is known to the minute; more coarsely in spans of more than 33 hours, as at most 2,000 points are asked
    for. A gap in the samples is no deploy. Raises `QueryFailed`.
    """
    step = max(_FINEST, timedelta(minutes=math.ceil(span.length / _MOST_POINTS / _FINEST)))
    start = span.start - math.ceil(_BEFORE / step) * step
    points = (span.end - start) // step
    now, before = await asyncio.gather(
        source.range(_query(selector, services), start, start + points * step, step),
        source.instant(_query(selector, services, "last_over_time", "[1d]"), start),
    )
    found = [
        deploy
        for service in services
        for deploy in _deploys(service, _of(service, now, services), _of(service, before, services))
        if span.start <= deploy.at <= span.end
    ]
    return together((), found)


# --- asking --------------------------------------------------------------------------------------------------------


def _query(selector: str, services: Sequence[str], function: str = "", window: str = "") -> str:
    own = (_narrowed(selector, label, services) for label in _SERVICE)
    series = (f"{function}({text}{window})" if function else text for text in own)
    return " or ".join(f"max without ({', '.join(_COPIES)}) ({text})" for text in series)


def _narrowed(selector: str, label: str, services: Sequence[str]) -> str:
    """The selector for these services only. One that can't be read stays as it is: the server says what is wrong."""
    try:
        parsed = promql_parser.parse(selector)
    except ValueError:
        return selector
    if not isinstance(parsed, promql_parser.VectorSelector) or parsed.matchers.or_matchers:
        return selector
    text = str(parsed.prettify()).strip()
    matcher = f"{label}=~{quoted('|'.join(map(literal, services)))}"
    if not text.endswith("}"):
        return f"{text}{{{matcher}}}"
    return f"{text[:-1]}, {matcher}}}" if parsed.matchers.matchers else f"{text[:-1]}{matcher}}}"


# --- reading -------------------------------------------------------------------------------------------------------


def _of(service: str, series: Sequence[Series], services: Sequence[str]) -> Mapping[_Labels, Mapping[float, float]]:
    """This service's sets of labels, each with its values by time."""
    return {
        frozenset(one.labels.items()): dict(one.values) for one in series if _service(one.labels, services) == service
    }


def _service(labels: Mapping[str, str], services: Sequence[str]) -> str | None:
    return next((labels[name] for name in _SERVICE if labels.get(name) in services), None)


def _deploys(
    service: str, now: Mapping[_Labels, Mapping[float, float]], before: Mapping[_Labels, Mapping[float, float]]
) -> Iterator[Deploy]:
    """Step through the times at which the service had any sample; times without one say nothing."""
    times = sorted({time for values in now.values() for time in values})
    last_seen: dict[_Labels, float] = {}
    last_value = {labels: next(iter(values.values())) for labels, values in before.items()}
    present: set[_Labels] = set(before)
    for time in times:
        here = {labels: values[time] for labels, values in now.items() if time in values}
        for labels in sorted(here, key=sorted):
            away = time - last_seen.get(labels, -math.inf)
            appeared = labels not in present and away >= _RETURN.total_seconds()
            changed = last_value.get(labels, here[labels]) != here[labels]
            if appeared or changed:
                version = _version(labels, set(last_value))
                yield Deploy(service, datetime.fromtimestamp(time, UTC), version)
        last_value.update(here)
        last_seen.update(dict.fromkeys(here, time))
        present = set(here)


def _version(labels: _Labels, known: set[_Labels]) -> str:
    """What the labels call the version, else the label that no set had before; "" where nothing tells."""
    names = dict(labels)
    said = next((names[name] for name in _VERSION if names.get(name)), "")
    if not said:
        old = {pair for other in known for pair in other}
        said = next((value for name, value in sorted(labels) if (name, value) not in old and known), "")
    return "".join(sign if sign.isprintable() else "�" for sign in said)[:_LONGEST_VERSION]
