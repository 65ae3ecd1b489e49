"""What the demo tells the person who started it, in the terminal and on the page."""

from __future__ import annotations

CHANNEL = "C0GENERAL"  # where the first review stands
COLLEAGUE = "U0OMAR"  # who asked for it; so the person in front of the page finds no note about that

SUGGESTIONS = (
    "@Director how is checkout doing?",
    "@Director what should we work on this week?",
    "/director plan Move checkout to its own database",
    "/director status",
    "/director schedule review every monday 09:00",
)


def notice(said: str | None) -> str:
    """The line above the page: what is invented here, and who speaks."""
    speaker = said or "A real model speaks."
    return f"A demo: Fernhill Outdoor, its people and its figures are invented. {speaker}"


def guide(url: str) -> str:
    return f"""
The Director is at work in a Slack workspace on this machine:

    {url}

A review of the sample company stands in #general. Mention @Director there and ask, or type
/director plan Move checkout to its own database. Ctrl-C ends the demo; nothing is kept.
"""
