"""Runs a workspace by itself: `python -m handlers.slack.standin --port 3111` prints where it is, as JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from dataclasses import replace
from pathlib import Path

from handlers.slack.standin.config import StandinConfig
from handlers.slack.standin.server import Standin


def _asked(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m handlers.slack.standin", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="loopback port, 0 for a free one (default)")
    parser.add_argument("--delivery", choices=("socket", "http"), default="socket", help="how events reach the app")
    parser.add_argument("--events-url", help="where signed events go with --delivery http")
    parser.add_argument("--manifest", type=Path, help="Slack manifest of the app: its events, scopes and commands")
    parser.add_argument("--no-streaming", action="store_true", help="a workspace without chat.*Stream")
    parser.add_argument("--rate-limits", action="store_true", help="limit calls by Slack's tiers")
    parser.add_argument("--time-scale", type=float, default=1.0, help="multiplies the delays between redeliveries")
    parser.add_argument("--note", default="", help="a line above the page")
    return parser.parse_args(arguments)


async def _run(asked: argparse.Namespace) -> None:
    config = replace(
        StandinConfig(),
        delivery=asked.delivery,
        events_url=asked.events_url,
        streaming=not asked.no_streaming,
        rate_limits=asked.rate_limits,
        time_scale=asked.time_scale,
        note=asked.note,
    )
    if asked.manifest is not None:
        config = config.with_manifest(asked.manifest)
    standin = Standin(config)
    await standin.start(asked.port)
    told = {
        "url": standin.url,
        "api_url": standin.api_url,
        "bot_token": standin.bot_token,
        "app_token": standin.app_token,
        "signing_secret": standin.signing_secret,
        "team_id": standin.team_id,
        "bot_user_id": standin.bot_user_id,
    }
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        await stopped.wait()
    finally:
        await standin.stop()


def main(arguments: list[str] | None = None) -> None:
    asked = _asked(arguments)
    if asked.delivery == "http" and not asked.events_url:
        raise SystemExit("--delivery http needs --events-url, the app's address for events")
    try:
        asyncio.run(_run(asked))
    except OSError as problem:
        raise SystemExit(
            f"cannot listen on port {asked.port}: {problem.strerror}; choose another with --port"
        ) from None


if __name__ == "__main__":
    main()
