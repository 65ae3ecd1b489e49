"""Importing Teams' SDK: what it does to the process, and what is said where it isn't installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

WITHOUT = """
import sys

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {hidden!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
        return None

sys.meta_path.insert(0, Hide())
"""


def python(program: str, cwd: Path, *flags: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, *flags, "-c", program],
        cwd=cwd,
        env={**kept, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


@pytest.mark.parametrize("environ", [{}, {"PYTHON_DOTENV_DISABLED": "0"}, {"CLIENT_ID": "someone-elses", "PORT": "1"}])
def test_importing_it_leaves_the_process_as_it_was(tmp_path, environ):
    (tmp_path / ".env").write_text("CLIENT_ID=from-a-file\nCLIENT_SECRET=from-a-file\nTEAMS_TENANT_ID=from-a-file\n")

    ran = python(
        """
import json, logging, os, warnings
before, filters, listening = dict(os.environ), list(warnings.filters), list(logging.getLogger().handlers)
import handlers.teams.sdk
print(json.dumps([dict(os.environ) == before, warnings.filters == filters, logging.getLogger().handlers == listening]))
""",
        tmp_path,
        "-W",
        "error",
        **environ,
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout) == [True, True, True]


def test_everything_that_uses_it_imports_without_a_warning(tmp_path):
    ran = python(
        "import handlers.teams.wire, handlers.teams.tokens, handlers.teams.credentials", tmp_path, "-W", "error"
    )

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


@pytest.mark.parametrize("hidden", [["microsoft_teams"], ["microsoft_teams", "jwt", "msal", "requests", "httpx"]])
def test_without_the_extra_it_says_what_to_install(tmp_path, hidden):
    ran = python(
        WITHOUT.format(hidden=hidden)
        + """
from bot.errors import UsageError
try:
    import handlers.teams.wire
except UsageError as missing:
    print(missing)
""",
        tmp_path,
        "-W",
        "error",
    )

    assert ran.stderr == ""
    assert "is not installed. Install it with `pip install 'backend-director[teams]'`" in ran.stdout


def test_what_it_logs_of_requests_and_tokens_stays_silent(tmp_path):
    ran = python(
        """
import logging
logging.basicConfig(level=logging.INFO)
import handlers.teams.sdk
for name in ("httpx", "httpcore.connection", "msal.managed_identity", "urllib3.connectionpool"):
    logging.getLogger(name).info("GET http://x/?id=%s", "an-id")
logging.getLogger("microsoft_teams.apps.auth.token_validator").error("Token validation failed: %s", "a claim")
""",
        tmp_path,
    )

    assert (ran.returncode, ran.stderr) == (0, "")
