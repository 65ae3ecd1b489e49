"""The form for a plan and the App Home page."""

from __future__ import annotations

import json
from typing import Any

from bot.commands import HELP

PLAN = "director_plan"
FIELD = "initiative"
EXAMPLE = "Move checkout to its own database by March"
LONGEST = 2_900
SHORTEST = 4


def problem(initiative: str) -> str | None:
    """What keeps this from being an initiative that a plan can be made of; None when nothing does."""
    if len(initiative.strip()) < SHORTEST:
        return "Say in a sentence what should be achieved, for example: " + EXAMPLE
    if len(initiative) > LONGEST:
        return f"Please shorten it to {LONGEST} characters; details can follow in the plan's thread."
    return None


def plan_form(channel: str, initiative: str = "") -> dict[str, Any]:
    """The modal that asks for an initiative; the plan goes to `channel`."""
    field: dict[str, Any] = {
        "type": "plain_text_input",
        "action_id": FIELD,
        "multiline": True,
        "max_length": 3_000,
        "placeholder": _plain(EXAMPLE),
    }
    if initiative:
        field["initial_value"] = initiative[:3_000]
    return {
        "type": "modal",
        "callback_id": PLAN,
        "private_metadata": json.dumps({"channel": channel}),
        "title": _plain("New plan"),
        "submit": _plain("Plan it"),
        "close": _plain("Cancel"),
        "blocks": [
            {
                "type": "input",
                "block_id": FIELD,
                "label": _plain("What should be achieved?"),
                "hint": _plain(
                    "The goal, the services it touches, and a date if there is one. I post the plan in the channel."
                ),
                "element": field,
            }
        ],
    }


def submitted(view: dict[str, Any]) -> tuple[str, str]:
    """Channel and initiative of a submitted form."""
    channel = json.loads(view["private_metadata"])["channel"]
    return channel, (view["state"]["values"][FIELD][FIELD].get("value") or "").strip()


def home(name: str) -> dict[str, Any]:
    """What stands on the app's Home tab."""
    return {
        "type": "home",
        "blocks": [
            {"type": "header", "text": _plain("Director of Backend Engineering")},
            {
                "type": "section",
                "text": _mrkdwn(
                    "I review reliability from your own metrics, turn initiatives into project plans, and "
                    f"remember each thread I take part in. Mention @{name} in a channel I am in, "
                    "or write to me on the Messages tab."
                ),
            },
            {"type": "divider"},
            {"type": "section", "text": _mrkdwn(HELP)},
        ],
    }


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}
