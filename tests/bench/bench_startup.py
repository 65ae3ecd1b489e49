"""How long the command line takes to answer, beside an empty Python process. The promise: `--help` under 0.3 s."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNS = 15
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "director --help": ["-m", "bot", "--help"],
    "director review --help": ["-m", "bot", "review", "--help"],
    "director manifest": ["-m", "bot", "manifest"],
    "director doctor (nothing set)": ["-m", "bot", "doctor"],
}


def seconds(arguments: list[str], folder: str) -> float:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    begun = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, check=True)
    return time.perf_counter() - begun


def main() -> None:
    base = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in COMMANDS.items():
            seconds(arguments, folder)  # bytecode and file cache
            runs = sorted(seconds(arguments, folder) for _ in range(RUNS))
            middle = statistics.median(runs)
            base = base or middle
            print(f"{name:<30} median {middle:.3f} s  worst {runs[-1]:.3f} s  {middle / base:5.1f} × empty Python")


if __name__ == "__main__":
    main()
