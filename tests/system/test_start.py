"""What stops the start, and what one sentence is said about it."""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
import time
from pathlib import Path

import aiohttp
import pytest

from tests.doubles.process import run
from tests.system.conftest import Towns, write_checkout


async def test_without_any_chat_serve_says_what_to_set(tmp_path: Path) -> None:
    ended = await run("serve", cwd=tmp_path, env={})
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "There is no chat to serve. For Slack set SLACK_BOT_TOKEN and SLACK_APP_TOKEN (Socket Mode) or "
        "SLACK_SIGNING_SECRET (HTTP): docs/slack.md. For Microsoft Teams set TEAMS_CLIENT_ID, TEAMS_CLIENT_SECRET and "
        "TEAMS_TENANT_ID: docs/teams.md. `make demo` needs none.\n"
    )


async def test_a_bot_token_without_a_way_in_is_named(tmp_path: Path) -> None:
    ended = await run("serve", cwd=tmp_path, env={"SLACK_BOT_TOKEN": "xoxb-1"})
    assert ended.code == 2
    assert "SLACK_BOT_TOKEN: is set, but not how events arrive" in ended.err
    assert "xoxb-1" not in ended.err


async def test_an_unreadable_slo_file_stops_the_start_with_file_and_line(towns: Towns, tmp_path: Path) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    (tmp_path / "slos" / "broken.yaml").write_text("apiVersion: openslo/v1\nkind: SLO\nspec: [\n", encoding="utf-8")
    ended = await run("serve", cwd=tmp_path, env=town.env)
    assert ended.code == 2
    last = [line for line in ended.err.splitlines() if not line.startswith("{")]
    assert any("broken.yaml:4" in line for line in last), ended.err
    assert "Traceback" not in ended.err


async def test_a_database_from_a_newer_version_stops_the_start(towns: Towns, tmp_path: Path) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    assert (await run("migrate", cwd=tmp_path, env=town.env)).code == 0
    with sqlite3.connect(tmp_path / "director.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    ended = await run("serve", cwd=tmp_path, env=town.env)
    assert ended.code == 2
    assert "newer Director" in ended.err
    assert "Traceback" not in ended.err


async def test_a_refused_bot_token_stops_the_start(towns: Towns, tmp_path: Path) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    ended = await run("serve", cwd=tmp_path, env={**town.env, "SLACK_BOT_TOKEN": "xoxb-wrong"})
    assert ended.code == 2
    assert "Slack refused SLACK_BOT_TOKEN (invalid_auth)" in ended.err
    assert "xoxb-wrong" not in ended.err


async def test_slack_out_of_reach_is_another_exit_code(tmp_path: Path) -> None:
    write_checkout(tmp_path / "slos")
    env = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACK_API_URL": "http://127.0.0.1:9/api/"}
    ended = await run("serve", cwd=tmp_path, env=env)
    assert ended.code == 3
    assert "Slack could not be reached" in ended.err


async def test_two_processes_do_not_serve_from_one_sqlite_file(towns: Towns, tmp_path: Path) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db")
    served = await town.serve()
    ended = await run("serve", cwd=tmp_path, env={**town.env, "DIRECTOR_HTTP": "127.0.0.1:0"})
    assert ended.code != 0
    assert f"Process {served.process.pid if served.process else '?'} already serves from" in ended.err


@pytest.mark.parametrize("secret", ["wrong-secret", ""])
async def test_a_request_signed_with_another_secret_is_refused(towns: Towns, tmp_path: Path, secret: str) -> None:
    town = await towns.build(database_url=f"sqlite:///{tmp_path}/director.db", delivery="http")
    served = await town.serve()
    body = '{"type":"event_callback","team_id":"T0DEMO","event":{"type":"app_mention","user":"U0MAYA","text":"hi"}}'
    now = str(int(time.time()))
    signature = "v0=" + hmac.new(secret.encode(), f"v0:{now}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {"X-Slack-Request-Timestamp": now, "X-Slack-Signature": signature, "Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{served.url}/slack/events", data=body, headers=headers) as answer,
    ):
        assert answer.status == 401
    await served.stop()
    listed = await run("inbox", "list", "--json", cwd=tmp_path, env=town.env)
    assert (listed.code, listed.out.strip()) == (0, "[]")
