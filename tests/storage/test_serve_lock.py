"""One process serves from a SQLite file; replicas share PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from storage import AlreadyServing, DatabaseUnreachable, serve_lock

HOLD = (
    "import sys; from storage import serve_lock\n"
    "with serve_lock(sys.argv[1]):\n"
    "    print('held', flush=True); sys.stdin.read()\n"
)


def test_a_second_serving_process_is_told_of_the_first(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/director.db"
    first = subprocess.Popen(
        [sys.executable, "-c", HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert first.stdout is not None
    assert first.stdin is not None
    assert first.stdout.readline() == "held\n"
    with pytest.raises(AlreadyServing) as refused, serve_lock(url):
        raise AssertionError("two processes serve")
    assert str(refused.value) == (
        f"Process {first.pid} already serves from {tmp_path}/director.db. "
        "Stop it first, or use PostgreSQL to run several replicas."
    )
    first.kill()
    first.wait()
    first.stdin.close()
    first.stdout.close()
    with serve_lock(url):
        assert True, "the lock went with the process that was killed"


def test_a_lock_that_was_given_back_can_be_taken(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/director.db"
    with serve_lock(url):
        pass
    with serve_lock(url), pytest.raises(AlreadyServing), serve_lock(url):
        pass


def test_a_folder_that_is_missing_is_a_sentence(tmp_path: Path):
    with pytest.raises(DatabaseUnreachable, match="Check its folder"), serve_lock(f"sqlite:///{tmp_path}/no/d.db"):
        pass


def test_postgresql_needs_no_lock():
    with serve_lock("postgresql://db/director"), serve_lock("postgresql://db/director"):
        pass
