"""What the demo tells the person who started it, in the terminal and on the page."""

from __future__ import annotations

CHANNEL = "C0GENERAL"  # where the first review stands
PLAYGROUND = "@microsoft/m365agentsplayground@0.2.28"
PLAYGROUND_PORT = 56150
NOT_INSTALLED = (
    "What the Director needs for Microsoft Teams is not installed. Install it with "
    "`pip install 'backend-director[teams]'` (`make setup-teams` in a checkout), or start the demo without --teams."
)
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


def guide(url: str, teams_port: int | None = None) -> str:
    """`teams_port` is where a Teams playground may find the Director, if anywhere."""
    return f"""
The Director is at work in a Slack workspace on this machine:

    {url}

A review of the sample company stands in #general. Mention @Director there and ask, or type
/director plan Move checkout to its own database. Ctrl-C ends the demo; nothing is kept.
{"" if teams_port is None else _teams(teams_port)}"""


def _teams(port: int) -> str:
    return f"""
For Microsoft Teams, Microsoft's playground shows chats and channels on this machine. It needs Node.js; its licence
is for trying things out, and it asks nobody for a password. Start it in another terminal:

    npx -y {PLAYGROUND} start --dt -c msteams -p {PLAYGROUND_PORT} -e http://127.0.0.1:{port}/api/messages

Then open http://127.0.0.1:{PLAYGROUND_PORT} and mention the Director in a channel, or ask it in the personal chat.
"""
