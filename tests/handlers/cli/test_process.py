"""The real command as a process: streams, pipes, signals."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.doubles.process import ROOT, environment, run
from tests.handlers.cli.test_files import SLO


async def test_a_question_through_a_pipe_is_answered_on_standard_output(tmp_path: Path) -> None:
    ended = await run("chat", cwd=tmp_path, env={}, stdin="/help\n")
    assert ended.code == 0
    assert "`plan Move checkout" in ended.out
    assert "Traceback" not in ended.err


async def test_conversations_of_the_terminal_are_kept(tmp_path: Path) -> None:
    await run("chat", cwd=tmp_path, env={}, stdin="/help\n/schedule list\n")
    listed = await run("inbox", "list", "--json", cwd=tmp_path, env={})
    assert [(turn["kind"], turn["state"], turn["text"]) for turn in json.loads(listed.out)] == [
        ("command", "done", "schedule list"),
        ("command", "done", "help"),
    ]


async def test_metrics_that_nobody_serves_give_exit_code_3_and_the_whole_list(tmp_path: Path) -> None:
    (tmp_path / "slos").mkdir()
    (tmp_path / "slos" / "checkout.yml").write_text(SLO)
    ended = await run("review", "--json", cwd=tmp_path, env={"PROMETHEUS_URL": "http://127.0.0.1:9"})
    (item,) = json.loads(ended.out)
    assert (ended.code, item["service"], item["state"], item["sli"]) == (3, "checkout", "QUERY_FAILED", None)
    assert "Traceback" not in ended.err


async def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_shell(
        f"{sys.executable} -m bot plan schema | head -c 1; exit ${{PIPESTATUS[0]}}",
        cwd=tmp_path,
        env=environment({"PYTHONPATH": str(ROOT)}),
        executable="/bin/bash",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert (out, err) == (b"{", b"")
    assert process.returncode in (0, 141)  # the schema may fit into the pipe before its reader leaves


async def test_standard_output_that_is_closed_is_no_error(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", "plan", "schema"),
        cwd=tmp_path,
        env=environment({"PYTHONPATH": str(ROOT)}),
        stdout=writing,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(writing)
    _, err = await process.communicate()
    assert (process.returncode, err) == (141, b"")


async def test_control_c_ends_a_running_command_quietly(tmp_path: Path) -> None:
    (tmp_path / "slos").mkdir()
    (tmp_path / "slos" / "checkout.yml").write_text(SLO)
    asked = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        asked.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", "review"),
        cwd=tmp_path,
        env=environment({"PYTHONPATH": str(ROOT), "PROMETHEUS_URL": f"http://127.0.0.1:{port}"}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    await asked.wait()
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    server.close()
    await server.wait_closed()
    assert (process.returncode, out, err) == (130, b"", b"")


@pytest.mark.parametrize(
    "module", ["pydantic", "anthropic", "sqlalchemy", "aiohttp", "slack_bolt", "structlog", "rich"]
)
async def test_help_loads_nothing_heavy(tmp_path: Path, module: str) -> None:
    code = (
        "import sys; from handlers.cli import run; code = run(None, ['--help']); "
        f"print({module!r} in sys.modules, file=sys.stderr); sys.exit(code)"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", code),
        cwd=tmp_path,
        env=environment({"PYTHONPATH": str(ROOT)}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"False\n")
    assert out.startswith(b"Usage: director")
