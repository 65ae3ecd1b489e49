"""What burned, what becomes of budgets, and what was left out of them: in words, the largest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from bot.domain import Part, Text
from bot.reliability import formats
from bot.reliability.assessment import Assessment, Objective, State
from bot.reliability.budget import AT_RISK_REMAINING
from bot.reliability.deploys import Deploy
from bot.reliability.forecast import Forecast
from bot.reliability.incidents import Incident
from bot.reliability.windows import Window
from bot.reliability.wording import Labels, in_markdown

_GOING_ON = "If the last 7 days' burn goes on,"
_LEAVING = "as old errors leave the window"
_MOST_DEPLOYS = 2
_MOST_BURNERS = 2


def burned(assessment: Assessment, labels: Labels, *, most: int, within: timedelta | None = None) -> tuple[Part, ...]:
    """The burns that cost the largest shares of their budgets; only those that went on `within` this time, if given."""
    since = None if within is None else assessment.at - within
    found = [
        (item, incident)
        for item in assessment.items
        for incident in item.incidents
        if since is None or incident.span.end > since
    ]
    found.sort(key=lambda one: (-float(one[1].share), one[1].span.start, one[0].definition.key))
    lines = [f"{labels.said(item)}: {incident_words(incident, item)}" for item, incident in found[:most]]
    return _listed("What burned", lines, len(found) - most, "more burn")


def largest(incidents: Sequence[Incident], most: int = 3) -> list[Incident]:
    """The largest few by their share, oldest first."""
    found = sorted(incidents, key=lambda incident: (-incident.share, incident.span.start))[:most]
    return sorted(found, key=lambda incident: incident.span.start)


def incident_words(incident: Incident, item: Objective) -> str:
    """`74.5% of its 28d budget in 1 h, Thu 22 Oct 2026 08:00–09:00 UTC; coincides with the deploy of …`."""
    length, window = formats.duration(incident.span.length), item.definition.window
    whose = f"its {item.window}" if window.period_end(item.evaluated_at) is None else f"{formats.period(window)}'s"
    words = f"{formats.percent(incident.share)} of {whose} budget in {length}, {formats.stretch(incident.span)}"
    if incident.span.end >= item.evaluated_at:
        words += ", still going on"
    burners = [
        f"{in_markdown(burner.label)}={in_markdown(burner.value)} ({formats.count(burner.bad)})"
        for burner in incident.burners[:_MOST_BURNERS]
    ]
    if burners:
        words += f"; largest sources: {formats.listing(burners)}"
    deploys = [
        f"{_deployed(deploy, item)} {formats.clock(deploy.at, incident.span.start)}"
        for deploy in incident.deploys[:_MOST_DEPLOYS]
    ]
    if deploys:
        more = len(incident.deploys) - len(deploys)
        name = "the deploy" if len(incident.deploys) == 1 else "the deploys"
        said = formats.listing([*deploys, f"{more:,} more"] if more else deploys)
        words += f"; coincides with {name} of {said}"
    return words


def _deployed(deploy: Deploy, item: Objective) -> str:
    """Its version, which says enough beside the name of the service; of another service, or without one, the name."""
    own = deploy.service.casefold() == item.service.casefold()
    return in_markdown(deploy.version if own and deploy.version else f"{deploy.service} {deploy.version}")


def explained(item: Objective) -> Iterator[str]:
    """What stands behind the figures, a line each: the state's sentence, the forecast, the largest burns, the notes."""
    yield item.sentence
    forecast = forecast_sentence(item)
    if forecast:
        yield forecast
    for number, incident in enumerate(largest(item.incidents), 1):
        yield f"burn {number}: {incident_words(incident, item)}"
    yield from (f"note: {remark.text}" for remark in item.remarks)


def outlook(assessment: Assessment, labels: Labels, *, most: int) -> tuple[Part, ...]:
    """What becomes of the budgets that are spent or will be, and relief that is none."""
    found: dict[str, list[Objective]] = {}
    for item in assessment.worst_first():
        if sentence := forecast_sentence(item).removeprefix(f"{_GOING_ON} "):
            found.setdefault(f"{sentence[0].upper()}{sentence[1:]}", []).append(item)
    lines = [f"{labels.listed(tuple(items), most=3)}: {sentence}" for sentence, items in found.items()]
    untold = sum(map(len, list(found.values())[most:]))
    return _listed("Forecast if the last 7 days' burn goes on", lines[:most], untold, "more objective")


def forecast_sentence(item: Objective) -> str:
    """What the forecast adds to the state's sentence; empty where that says it all."""
    forecast, window = item.forecast, item.definition.window
    if forecast is None:
        return ""
    calendar = window.period_end(item.evaluated_at) is not None
    said, relief = [], forecast.relief
    if item.state is State.EXHAUSTED:
        said.append(_recovery(forecast, window, calendar=calendar))
        if relief is not None and relief.at == forecast.recovers_at:
            relief = None  # the recovery says it
    elif forecast.exhausts_at is not None:
        still = "" if calendar else f", even {_LEAVING}"
        said.append(f"{_GOING_ON} the budget is gone by {formats.moment(forecast.exhausts_at)}{still}.")
    elif item.state is State.AT_RISK and not calendar and (item.figures.remaining or 0) > AT_RISK_REMAINING:
        said.append(f"{_GOING_ON} the budget still lasts {formats.duration(window.length)} or more, {_LEAVING}.")
    if relief is not None:
        at, points = formats.moment(relief.at), formats.points(relief.share)
        said.append(f"By {at} the budget looks {points} better, but only because an old burn leaves the window.")
    return " ".join(said)


def _recovery(forecast: Forecast, window: Window, *, calendar: bool) -> str:
    at, relief = forecast.recovers_at, forecast.relief
    if at is None:
        return f"The budget does not recover within {formats.duration(window.length)} unless the burn slows."
    if calendar:
        return f"The budget begins anew on {formats.moment(at, formats.zone(window))}."
    why = _LEAVING
    if relief is not None and relief.at == at:
        why = f"but only because an old burn of {formats.percent(relief.share)} of the budget leaves the window"
    return f"{_GOING_ON} the budget recovers by {formats.moment(at)}, {why}."


def left_out(assessment: Assessment, labels: Labels, *, most: int) -> tuple[Part, ...]:
    """The times that exclusions took out of the figures, and what was counted in them."""
    found: dict[str, list[Objective]] = {}
    for item in assessment.items:
        for remark in item.remarks:
            if remark.code == "excluded_windows":
                found.setdefault(remark.text, []).append(item)
    lines = [
        f"{labels.listed(tuple(items), most=3)}: {in_markdown(text.removeprefix('left out '))}"
        for text, items in found.items()
    ]
    return _listed("Left out of the figures", lines[:most], len(lines) - most, "more exclusion")


def _listed(title: str, lines: list[str], untold: int, more: str) -> tuple[Part, ...]:
    if not lines:
        return ()
    rest = [f"{formats.number(untold, more)}."] if untold > 0 else []
    return (Text(markdown="\n".join((f"**{title}**", *(f"- {line}" for line in (*lines, *rest))))),)
