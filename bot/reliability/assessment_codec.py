"""A judged objective as text and back, exactly: how what a review said is kept and said again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from bot.reliability.assessment import Figures, Objective, Point, Remark, State, TakenOut
from bot.reliability.definitions import ObjectiveDefinition
from bot.reliability.deploys import Deploy
from bot.reliability.forecast import Forecast, Relief
from bot.reliability.incidents import Burner, Incident
from bot.reliability.windows import Span

_FORM = 1  # of this text; raised when it changes so that older readers would misread it


class UnreadableFacts(ValueError):
    """What was kept is no objective in a form that this version knows; measure again instead."""


def encode(objective: Objective) -> str:
    """All of it but the definition, as JSON; fractions as "n/d", times in UTC."""
    figures = objective.figures
    kept = {
        "form": _FORM,
        "state": objective.state.value,
        "sentence": objective.sentence,
        "figures": {
            "bad": _ratio(figures.bad),
            "total": _ratio(figures.total),
            "sli": _ratio(figures.sli),
            "consumed": _ratio(figures.consumed),
            "remaining": _ratio(figures.remaining),
            "burn": {name: _ratio(rate) for name, rate in figures.burn.items()},
            "spent_7d": _ratio(figures.spent_7d),
        },
        "remarks": [[remark.code, remark.text] for remark in objective.remarks],
        "method": objective.method,
        "queries": dict(objective.queries),
        "source": objective.source,
        "evaluated_at": _time(objective.evaluated_at),
        "points": [
            [_time(point.end), _ratio(point.bad), _ratio(point.total), _ratio(point.covered)]
            for point in objective.points
        ],
        "unreachable": objective.unreachable,
        "forecast": _forecast(objective.forecast),
        "incidents": [_incident(incident) for incident in objective.incidents],
        "excluded": _excluded(objective.excluded),
        "in_doubt": objective.in_doubt,
    }
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def decode(text: str, definition: ObjectiveDefinition) -> Objective:
    """The objective that `encode` made this text of, for the definition it was judged by.

    Raises:
        UnreadableFacts: the text isn't of this form.
    """
    try:
        kept = json.loads(text)
        if kept["form"] != _FORM:
            raise UnreadableFacts(f"facts are kept in form {kept['form']}, this version reads form {_FORM}")
        return _objective(kept, definition)
    except (ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        if isinstance(error, UnreadableFacts):
            raise
        raise UnreadableFacts(f"what is kept can't be read ({type(error).__name__})") from error


def _objective(kept: Mapping[str, Any], definition: ObjectiveDefinition) -> Objective:
    figures = dict(kept["figures"])
    burn = {name: _fraction(rate) for name, rate in figures.pop("burn").items()}
    return Objective(
        definition=definition,
        state=State(kept["state"]),
        sentence=kept["sentence"],
        figures=Figures(burn=burn, **{name: _fraction(value) for name, value in figures.items()}),
        remarks=tuple(Remark(code, said) for code, said in kept["remarks"]),
        method=kept["method"],
        queries=kept["queries"],
        source=kept["source"],
        evaluated_at=datetime.fromisoformat(kept["evaluated_at"]),
        points=tuple(
            Point(datetime.fromisoformat(end), Fraction(bad), Fraction(total), Fraction(covered))
            for end, bad, total, covered in kept["points"]
        ),
        unreachable=kept["unreachable"],
        forecast=_read_forecast(kept["forecast"]),
        incidents=tuple(_read_incident(incident) for incident in kept["incidents"]),
        excluded=_read_excluded(kept["excluded"]),
        in_doubt=kept["in_doubt"],
    )


def _ratio(value: Fraction | None) -> str | None:
    return None if value is None else str(value)


def _fraction(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _moment(at: datetime | None) -> str | None:
    return None if at is None else _time(at)


def _read_moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _forecast(found: Forecast | None) -> dict[str, Any] | None:
    if found is None:
        return None
    relief = None if found.relief is None else [_time(found.relief.at), _ratio(found.relief.share)]
    return {"exhausts": _moment(found.exhausts_at), "recovers": _moment(found.recovers_at), "relief": relief}


def _read_forecast(kept: Mapping[str, Any] | None) -> Forecast | None:
    if kept is None:
        return None
    relief = None
    if kept["relief"] is not None:
        at, share = kept["relief"]
        relief = Relief(datetime.fromisoformat(at), Fraction(share))
    return Forecast(_read_moment(kept["exhausts"]), _read_moment(kept["recovers"]), relief)


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "span": [_time(incident.span.start), _time(incident.span.end)],
        "bad": _ratio(incident.bad),
        "share": _ratio(incident.share),
        "deploys": [[item.service, _time(item.at), item.version, item.link] for item in incident.deploys],
        "burners": [[item.label, item.value, _ratio(item.bad)] for item in incident.burners],
    }


def _read_incident(kept: Mapping[str, Any]) -> Incident:
    start, end = map(datetime.fromisoformat, kept["span"])
    return Incident(
        Span(start, end),
        Fraction(kept["bad"]),
        Fraction(kept["share"]),
        tuple(
            Deploy(service, datetime.fromisoformat(at), version, link) for service, at, version, link in kept["deploys"]
        ),
        tuple(Burner(label, value, Fraction(bad)) for label, value, bad in kept["burners"]),
    )


def _excluded(taken: TakenOut | None) -> dict[str, Any] | None:
    if taken is None:
        return None
    return {
        "times": taken.times,
        "microseconds": taken.length // timedelta(microseconds=1),
        "bad": _ratio(taken.bad),
        "total": _ratio(taken.total),
        "announced": [list(pair) for pair in taken.announced],
    }


def _read_excluded(kept: Mapping[str, Any] | None) -> TakenOut | None:
    if kept is None:
        return None
    return TakenOut(
        times=kept["times"],
        length=timedelta(microseconds=kept["microseconds"]),
        bad=_fraction(kept["bad"]),
        total=_fraction(kept["total"]),
        announced=tuple((reason, owner) for reason, owner in kept["announced"]),
    )
