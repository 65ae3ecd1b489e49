"""The demo's own settings: nothing of the person's but the key of a real model."""

from __future__ import annotations

from pathlib import Path

from bot.demo import environment


def test_the_demo_takes_nothing_of_the_persons_settings_but_their_model() -> None:
    own = {"ANTHROPIC_API_KEY": "a-key", "SLACK_BOT_TOKEN": "xoxb-mine", "DATABASE_URL": "sqlite:///mine.db"}

    assert environment(Path("/demo"), own) == {
        "ANTHROPIC_API_KEY": "a-key",
        "DIRECTOR_CONFIG": "/demo/director.yml",
        "DIRECTOR_SLOS": "/demo/slos",
        "DATABASE_URL": "sqlite:////demo/director.db",
        "DIRECTOR_HTTP": "127.0.0.1:0",
    }
