"""What the demo says in the terminal."""

from __future__ import annotations

from bot.demo import guide


def test_the_guide_speaks_of_teams_only_where_a_playground_is_listened_to() -> None:
    assert "Teams" not in guide("http://127.0.0.1:5000")
    said = guide("http://127.0.0.1:5000", 3978)
    assert "http://127.0.0.1:5000" in said
    assert "npx -y @microsoft/m365agentsplayground@0.2.28 start --dt -c msteams" in said
    assert "-e http://127.0.0.1:3978/api/messages" in said
