"""What can be set for rooms that this version does not have yet: accepted, checked, and said to have no effect."""

from __future__ import annotations

from pydantic import BaseModel

from bot.settings import Settings

_KEYS = (
    "personas.senior_engineer",
    "personas.vp_engineering",
    "personas.principal_architect",
    "relationships",
    "policy",
    "rights.approve_plans",
    "rights.exceptions",
    "documents",
    "limits.per_person_day",
    "limits.per_channel_day",
    "prices",
    "retention",
)


def without_effect(settings: Settings) -> tuple[str, ...]:
    """The keys of director.yml that are set and do nothing yet."""
    found = [key for key in _KEYS if _is_set(settings.file, key)]
    found += [f'channels."{name}".digest' for name, entry in settings.file.channels.items() if _is_set(entry, "digest")]
    return tuple(found)


def _is_set(value: BaseModel, key: str) -> bool:
    name, _, rest = key.partition(".")
    if name not in value.model_fields_set:
        return False
    return _is_set(getattr(value, name), rest) if rest else True
