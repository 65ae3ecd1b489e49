"""Logs: events with fields, never a secret."""

from __future__ import annotations

import io
import json
import logging
import warnings
from typing import Literal

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from handlers import logs
from handlers.redaction import redact

# In pieces, so that nothing that scans this repository takes them for real.
BOT, APP, KEY = "xo" + "xb-1-2-geheim", "xa" + "pp-1-A-geheim", "sk-" + "ant-api03-geheim_x"
SECRETS = [
    BOT,
    "xo" + "xp-9-geheim",
    "xo" + "xe.xoxb-1-geheim",
    APP,
    KEY,
    "Bearer geheim.geheim-geheim=",
    "Authorization: geheim",
    "'x-api-key': 'geheim'",
    "postgresql://director:geheim@db/director",
    "postgresql://director:ge:he@im/geheim@db/director",
    "https://hooks.slack.com/services/T1/B2/geheim",
    "password=geheim",
    '"signing_secret": "geheim"',
    "ey" + "JhbGciOi.eyJnZWhlaW0.geheim",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_what_looks_like_a_secret_is_blotted_out(secret: str) -> None:
    told = redact(f"it failed with {secret} and so on")
    assert "geheim" not in told
    assert told.startswith("it failed with ")
    assert told.endswith(" and so on")


@pytest.mark.parametrize(
    "text",
    [
        "review posted in #payments at 2026-11-16T08:00:00Z",
        "http://127.0.0.1:8080/slack/events answered 200",
        "sqlite:///director.db is at revision 0002",
        "SLACK_BOT_TOKEN: must be the bot token, which starts with xoxb-; this is a user token",
        "write postgresql://host/database",
        "people@acme.example asked about a password",
        "No such option --token; the tokens used were 1,200",
        "Basic Information > App-Level Tokens",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert redact(text) == text


@given(st.text(st.sampled_from("abcXYZ019-_"), min_size=4, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_no_slack_token_survives_whatever_stands_around_it(token: str, before: str, after: str) -> None:
    secret = f"Qgeheim{token}"
    assert secret not in redact(f"{before} xoxb-{secret} {after}")


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_passes_by_any_road(form: Literal["json", "console"], secret: str) -> None:
    stream = io.StringIO()
    logs.configure("DEBUG", form, stream)
    log = structlog.get_logger("director")
    log.info("connected", token=secret, nested={"deep": [secret]})
    logging.getLogger("slack_bolt.app").warning("headers %s", {"Authorization": secret})
    logging.getLogger("other").info(secret, extra={"held": secret})
    try:
        local = secret
        raise ValueError(f"no luck with {local}")
    except ValueError:
        log.exception("failed")
        logging.getLogger("other").exception("failed too")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"old {secret}", UserWarning, stacklevel=1)
    text = stream.getvalue()
    assert "geheim" not in text
    assert text.count("[secret]") >= 7
    if form == "json":
        assert len([json.loads(line) for line in text.splitlines()]) == 6


def test_json_logs_are_one_object_a_line() -> None:
    stream = io.StringIO()
    logs.configure("INFO", "json", stream)
    structlog.get_logger("bot.worker").info("turn_done", turn="t1", url="postgresql://u:geheim@h/d", token=BOT)
    logging.getLogger("sqlalchemy").error("gone: %s", 'it "hurts"')
    structlog.get_logger("bot.worker").debug("not shown")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "event": "turn_done",
        "turn": "t1",
        "url": "postgresql://u:[secret]@h/d",
        "token": "[secret]",
        "level": "info",
        "logger": "bot.worker",
    }
    assert (second["event"], second["level"], second["logger"]) == ('gone: it "hurts"', "error", "sqlalchemy")


def test_console_logs_are_read_by_people() -> None:
    stream = io.StringIO()
    logs.configure("INFO", "console", stream)
    structlog.get_logger("bot.worker").warning("turn_put_back", turn="t1", after=2.0)
    (line,) = stream.getvalue().splitlines()
    assert "turn_put_back" in line
    assert line.endswith("after=2.0 turn=t1")


def test_without_a_terminal_logs_are_json_by_themselves() -> None:
    stream = io.StringIO()
    logs.configure("INFO", None, stream)
    structlog.get_logger("x").info("hello")
    assert json.loads(stream.getvalue())["event"] == "hello"


def test_chatty_libraries_speak_only_when_asked() -> None:
    stream = io.StringIO()
    logs.configure("INFO", "json", stream)
    logging.getLogger("apscheduler.scheduler").info("tick")
    logging.getLogger("aiohttp.access").info("GET /")
    assert stream.getvalue() == ""
    logs.configure("DEBUG", "json", stream)
    logging.getLogger("apscheduler.scheduler").info("tick")
    assert json.loads(stream.getvalue())["event"] == "tick"


@pytest.mark.parametrize(
    "library", ["anthropic._base_client", "httpx2", "httpcore2.http11", "slack_sdk.web.base_client"]
)
def test_a_library_that_logs_whole_requests_is_not_asked_even_when_all_is(library: str) -> None:
    stream = io.StringIO()
    logs.configure("DEBUG", "json", stream)
    logging.getLogger(library).debug("Request options: how are the wombats?")
    assert stream.getvalue() == ""
