"""What stood beside a burn: the deploys that coincide with it, and where its bad events came from. Never a cause."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.errors import DirectorError
from bot.reliability.asking import Source
from bot.reliability.assessment import JUDGED, Assessment, Objective, Remark
from bot.reliability.burners import top_burners
from bot.reliability.definitions import Indicator
from bot.reliability.deploy_series import deploys_near
from bot.reliability.deploys import MOST, Deploy, DeployLog, around, together
from bot.reliability.exclusions import Exclusion, excluded
from bot.reliability.incidents import Burner, Incident
from bot.reliability.prometheus_client import QueryFailed
from bot.reliability.windows import Span, merged, without

_LOOKED_INTO = 5  # burns whose metrics are asked; an assessment of a fleet may have hundreds
_MOST_DEPLOYS = 10  # of one burn: the nearest to its beginning


@dataclass(frozen=True)
class _Burn:
    """What is looked up once, though several objectives of a service may share it."""

    service: str
    indicator: Indicator
    span: Span


@dataclass(frozen=True)
class _Found:
    deploys: tuple[Deploy, ...] = ()
    burners: tuple[Burner, ...] = ()
    remarks: tuple[Remark, ...] = ()


async def attribute(
    assessment: Assessment,
    *,
    log: DeployLog | None = None,
    source: Source | None = None,
    series: str | None = None,
    exclusions: Sequence[Exclusion] = (),
) -> Assessment:
    """The assessment with deploys and burners beside its incidents.

    What `log` was told is looked up for all of them. `source` is asked for the five largest only: for their burners,
    and with `series` (a selector) for deploys that show there. What can't be found out is remarked and costs nothing
    else.
    """
    if not any(item.incidents for item in assessment.items):
        return assessment
    told, remarks = await _told(assessment, log)
    burns = _largest(assessment) if source is not None else []
    looked = await asyncio.gather(*(_look(burn, source, series, exclusions) for burn in burns if source is not None))
    found = dict(zip(burns, looked, strict=True))
    items = []
    for item in assessment.items:
        items.append(_filled(item, told.get(item.service, ()), found, remarks))
        await asyncio.sleep(0)  # a fleet has thousands of burns: others run in between
    return replace(assessment, items=tuple(items))


def _filled(
    item: Objective, told: Sequence[Deploy], found: Mapping[_Burn, _Found], remarks: tuple[Remark, ...]
) -> Objective:
    if not item.incidents:
        return item
    incidents, said = [], [*item.remarks, *remarks]
    for incident in item.incidents:
        known = found.get(_burn(item, incident), _Found())
        near = around(incident.span)
        own = [deploy for deploy in told if near.start <= deploy.at <= near.end]
        deploys = _nearest(together(own, known.deploys), incident.span)
        incidents.append(replace(incident, deploys=deploys, burners=known.burners))
        said += known.remarks
    return replace(item, incidents=tuple(incidents), remarks=tuple(dict.fromkeys(said)))


def _nearest(deploys: Sequence[Deploy], burn: Span) -> tuple[Deploy, ...]:
    kept = set(sorted(deploys, key=lambda deploy: abs(deploy.at - burn.start))[:_MOST_DEPLOYS])
    return tuple(deploy for deploy in deploys if deploy in kept)


async def _told(assessment: Assessment, log: DeployLog | None) -> tuple[Mapping[str, list[Deploy]], tuple[Remark, ...]]:
    """What was told around the burns of each service."""
    found: dict[str, list[Deploy]] = {}
    if log is None:
        return found, ()
    times: dict[str, list[Span]] = {}
    for item in assessment.items:
        if item.incidents:
            times.setdefault(item.service, []).extend(around(incident.span) for incident in item.incidents)
    try:
        for deploy in await _between(log, {service: merged(tuple(spans)) for service, spans in times.items()}):
            found.setdefault(deploy.service, []).append(deploy)
    except DirectorError as error:
        return {}, (_unknown_deploys(str(error)),)
    return found, ()


async def _between(log: DeployLog, times: Mapping[str, Sequence[Span]]) -> list[Deploy]:
    """In one question, unless there is more than an answer holds: then by fewer services, at last span by span."""
    spans = [span for own in times.values() for span in own]
    hull = Span(min(span.start for span in spans), max(span.end for span in spans))
    found = list(await log.between(list(times), hull))
    if len(found) < MOST:
        return found
    if len(times) > 1:
        services = list(times)
        halves = (services[: len(services) // 2], services[len(services) // 2 :])
        return [deploy for half in halves for deploy in await _between(log, {name: times[name] for name in half})]
    return [deploy for span in spans for deploy in await log.between(list(times), span)]


# --- asking the metrics --------------------------------------------------------------------------------------------


def _largest(assessment: Assessment) -> list[_Burn]:
    """By their share of a budget, those of objectives first whose budget is judged."""
    ranked = sorted(
        ((item, incident) for item in assessment.items for incident in item.incidents),
        key=lambda pair: (pair[0].state not in JUDGED, -pair[1].share, pair[0].definition.key, pair[1].span.start),
    )
    return list(dict.fromkeys(_burn(item, incident) for item, incident in ranked))[:_LOOKED_INTO]


def _burn(item: Objective, incident: Incident) -> _Burn:
    return _Burn(item.service, item.definition.indicator, incident.span)


async def _look(burn: _Burn, source: Source, series: str | None, exclusions: Sequence[Exclusion]) -> _Found:
    deploys, burners = await asyncio.gather(
        _shown_deploys(burn, source, series),
        _burners(burn, source, [exclusion for exclusion in exclusions if exclusion.concerns(burn.service)]),
    )
    remarks = (*(_remarks(deploys)), *(_remarks(burners)))
    return _Found(
        deploys=() if isinstance(deploys, Remark) else deploys,
        burners=() if isinstance(burners, Remark) else burners,
        remarks=remarks,
    )


def _remarks(answer: object) -> Iterable[Remark]:
    return (answer,) if isinstance(answer, Remark) else ()


async def _shown_deploys(burn: _Burn, source: Source, series: str | None) -> tuple[Deploy, ...] | Remark:
    if not series:
        return ()
    try:
        return await deploys_near(source, series, (burn.service,), around(burn.span))
    except QueryFailed as failure:
        return _unknown_deploys(str(failure))


async def _burners(burn: _Burn, source: Source, exclusions: Sequence[Exclusion]) -> tuple[Burner, ...] | Remark:
    if burn.indicator.source != "prometheus":
        return ()
    taken = excluded(exclusions, burn.span) if exclusions else ()
    try:
        return await top_burners(source, burn.indicator, without(burn.span, taken))
    except QueryFailed as failure:
        return Remark("burners_unknown", f"Where its bad events came from could not be asked: {failure}")


def _unknown_deploys(why: str) -> Remark:
    return Remark("deploys_unknown", f"Which deploys coincide with its burns is not known: {why}")
