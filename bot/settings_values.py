"""The small values that director.yml is made of: durations, date ranges, zones, mentions, recurrence rules."""

from __future__ import annotations

import re
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, available_timezones

import promql_parser
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from bot.domain import Platform, Value
from bot.recurrence import Recurrence

_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:w|d|h|m|s))+")
_PIECE = re.compile(r"(\d+(?:\.\d+)?)([wdhms])")
_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_MENTION = re.compile(r"@\S+|[UWS][A-Z0-9]{2,}")
_ENTRA_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_CHANNEL = re.compile(r"#\S+|[CG][A-Z0-9]{2,}")
_HOST = re.compile(r"(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d+)?", re.IGNORECASE)


def nearest(word: str, known: list[str] | tuple[str, ...]) -> str | None:
    """The known word that was probably meant, if one is near."""
    found = get_close_matches(word, known, n=1, cutoff=0.6)
    return found[0] if found else None


def duration(text: object) -> timedelta:
    """`2d`, `20s`, `1h30m` -> timedelta. Raises ValueError."""
    if isinstance(text, timedelta):
        return text
    if not isinstance(text, str) or not _DURATION.fullmatch(text.strip()):
        raise ValueError("must be a duration such as 20s, 15m, 1h, 2d or 4w")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _PIECE.findall(text))
    if not 0 < seconds <= timedelta(days=36_500).total_seconds():
        raise ValueError("must be a duration longer than 0 and at most 100 years")
    return timedelta(seconds=seconds)


def _seconds(value: object) -> float:
    return value if isinstance(value, float) else duration(value).total_seconds()


def _number(value: object) -> object:
    """YAML's yes/no and quoted digits are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number")  # noqa: TRY004  # pydantic collects ValueErrors
    return value


def _integer(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("must be a whole number")  # noqa: TRY004
    return value


def _flag(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004
    return value


def _zone(name: str) -> str:
    if name not in available_timezones():
        meant = nearest(name, sorted(available_timezones()))
        hint = f"; did you mean {meant}?" if meant else ", e.g. Europe/Berlin"
        raise ValueError(f"{name!r} is no IANA time zone{hint}")
    ZoneInfo(name)
    return name


def _mention(text: str) -> str:
    if _ENTRA_ID.fullmatch(text):
        return text.lower()
    if not _MENTION.fullmatch(text):
        raise ValueError(
            f'{text!r} is neither a person ("@dana", "U02ABC") nor a user group ("S0BACKEND") nor an Entra object id'
        )
    return text


def mention_platform(mention: str) -> Platform | None:
    """The platform whose id this is; None for the name of somebody in the roster, which is no platform's."""
    if mention.startswith("@"):
        return None
    return "teams" if _ENTRA_ID.fullmatch(mention) else "slack"


def _entra_id(text: str) -> str:
    if not _ENTRA_ID.fullmatch(text):
        raise ValueError(
            f"{text!r} is no Entra object id; it looks like 8d6b0f3c-1111-4222-8333-944455556666 and stands on the "
            "person's page in the Entra admin center"
        )
    return text.lower()


def _channel(text: str) -> str:
    if not _CHANNEL.fullmatch(text):
        raise ValueError(f'{text!r} is no channel; write "#name" (in quotes) or its id')
    return text


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError(f"{text!r} is no host name; leave out https:// and the path, e.g. grafana.example.com")
    return text.lower()


def _rule(text: str) -> str:
    """RFC 5545 recurrence rule without DTSTART, as `Recurrence` takes it."""
    Recurrence(text)
    return text


def _selector(text: str) -> str:
    """PromQL that names a series and nothing else."""
    example = 'write one, such as deploy_info{env="prod"}'
    try:
        parsed = promql_parser.parse(text)
    except ValueError as error:
        raise ValueError(f"is no selector of a series ({error}); {example}") from error
    plain = isinstance(parsed, promql_parser.VectorSelector) and parsed.offset is None and parsed.at is None
    if not plain:
        raise ValueError(f"is no plain selector of a series: no range, no function, no offset; {example}")
    return text


def _days(value: Any) -> Any:
    """`2026-11-23/2026-11-29` or one day -> the fields of DateRange."""
    if isinstance(value, date):
        return {"first": value, "last": value}
    if not isinstance(value, str):
        return value
    first, slash, last = value.partition("/")
    try:
        begin = date.fromisoformat(first.strip())
        end = date.fromisoformat(last.strip()) if slash else begin
    except ValueError:
        raise ValueError("must be a range of days such as 2026-11-23/2026-11-29") from None
    if end < begin:
        raise ValueError(f"the range ends ({end}) before it begins ({begin})")
    return {"first": begin, "last": end}


class DateRange(Value):
    """Days from first to last, both included."""

    first: date
    last: date

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return _days(value)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("the range ends before it begins")
        return self

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


Duration = Annotated[timedelta, BeforeValidator(duration)]
Seconds = Annotated[float, BeforeValidator(_seconds)]
Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Integer = Annotated[int, BeforeValidator(_integer)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Zone = Annotated[str, AfterValidator(_zone)]
Mention = Annotated[str, AfterValidator(_mention)]
EntraId = Annotated[str, AfterValidator(_entra_id)]
ChannelName = Annotated[str, AfterValidator(_channel)]
Host = Annotated[str, AfterValidator(_host)]
Selector = Annotated[str, Field(max_length=1_000), AfterValidator(_selector)]
RecurrenceRule = Annotated[str, AfterValidator(_rule)]
