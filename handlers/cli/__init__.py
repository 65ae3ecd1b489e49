"""The command line: an edge like the others. `run(wiring, arguments)` runs one command and returns its exit code."""

from __future__ import annotations

from handlers.cli.edge import run

__all__ = ["run"]
