"""Where one table of cases is sat through: Slack, Teams and the console, each the whole program on its own wires."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

from handlers.slack.standin import Message, Standin, StandinConfig
from tests.doubles import slack, teams_people
from tests.doubles.process import ROOT, Served, environment
from tests.doubles.teams import TeamsDouble
from tests.doubles.teams_people import Room, Someone, chat_with
from tests.doubles.teams_shown import Shown, plain

_NOTHING_MORE = 8.0  # seconds; what was whole for so long won't change


class Who(Enum):
    """Who speaks. On the console everyone is the person at the terminal."""

    MEMBER = "member"
    COLLEAGUE = "colleague"
    GUEST = "guest"
    OUTSIDER = "outsider"  # of another organisation


@dataclass(frozen=True)
class Heard:
    """What the person who spoke has been shown since. `alone`: and nobody else; None where there is nobody else."""

    text: str
    whole: bool
    alone: bool | None


class Seat(Protocol):
    """One person's place in front of one platform. A new capability needs no new method here either."""

    name: str

    async def mention(self, who: Who, words: str, talk: str | None) -> str:
        """Say something to the Director where others read along; the talk that it belongs to from then on."""
        ...

    async def direct(self, who: Who, words: str) -> None:
        """Say something to the Director alone."""
        ...

    async def command(self, who: Who, words: str) -> None:
        """The platform's slash command, or what stands for it."""
        ...

    async def stop(self, who: Who, talk: str) -> None:
        """Stop the answer that is being made, as people of this platform do."""
        ...

    def mark(self) -> int:
        """Now; for `heard`."""
        ...

    def heard(self, who: Who, since: int) -> Heard: ...


async def settled(
    seat: Seat, who: Who, since: int, wanted: tuple[str, ...], *, seconds: float = 25.0, quiet: float = 0.4
) -> Heard:
    """What was heard, once it is whole, has all the words wanted, and has not changed for a moment."""
    end = time.monotonic() + seconds
    last, changed = seat.heard(who, since), time.monotonic()
    while time.monotonic() < end:
        await asyncio.sleep(0.05)
        now = seat.heard(who, since)
        still = time.monotonic() - changed
        if now != last:
            last, changed = now, time.monotonic()
        elif now.whole and still >= quiet and all(word in now.text for word in wanted):
            return now
        elif now.whole and still >= _NOTHING_MORE:
            break
    raise AssertionError(f"{seat.name} never said {wanted} in {seconds} s; it said {last}")


# --- Slack -----------------------------------------------------------------------------------------------------------


class SlackSeat:
    name = "slack"
    _ids: Mapping[Who, str] = {Who.MEMBER: slack.MAYA, Who.COLLEAGUE: slack.OMAR, Who.GUEST: slack.GUS}

    def __init__(self, standin: Standin) -> None:
        self._slack = standin

    async def mention(self, who: Who, words: str, talk: str | None) -> str:
        ts = await self._slack.say(self._ids[who], slack.PAYMENTS, f"@Director {words}", talk)
        return talk or ts

    async def direct(self, who: Who, words: str) -> None:
        await self._slack.say(self._ids[who], self._ids[who], words)

    async def command(self, who: Who, words: str) -> None:
        await self._slack.command(self._ids[who], slack.PAYMENTS, "/director", words)

    async def stop(self, who: Who, talk: str) -> None:
        await self._slack.say(self._ids[who], slack.PAYMENTS, "@Director stop", talk)

    def mark(self) -> int:
        return len(self._slack.ledger.everything())

    def heard(self, who: Who, since: int) -> Heard:
        new = [one for one in self._slack.ledger.everything()[since:] if one.by_bot and not one.deleted]
        shown = [one for one in new if one.ephemeral_to in (None, self._ids[who])]
        public = [one for one in shown if one.ephemeral_to is None and one.channel[0] != "D"]
        text = plain(" ".join(word for one in shown for word in _slack_words(one)))
        return Heard(text, bool(text) and not any(one.streaming for one in shown), not public)


def _slack_words(message: Message) -> Iterator[str]:
    """A message as its reader sees it: its blocks, or its text where it has none."""
    found = list(_strings(message.blocks or []))
    yield from (
        word.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") for word in found or [message.text]
    )


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for one in node:
            yield from _strings(one)
    elif isinstance(node, dict) and node.get("type") not in ("actions", "button"):
        for name, value in node.items():
            if name in ("text", "alt_text", "title") and isinstance(value, str):
                yield value
            elif isinstance(value, list | dict):
                yield from _strings(value)


@asynccontextmanager
async def slack_seat(folder: Path, env: Mapping[str, str]) -> AsyncIterator[SlackSeat]:
    standin = Standin(StandinConfig())
    await standin.start()
    chat = {
        "SLACK_API_URL": standin.api_url,
        "SLACK_BOT_TOKEN": standin.bot_token,
        "SLACK_APP_TOKEN": standin.app_token,
    }
    served = Served(folder, {**env, **chat})
    try:
        await served.start()
        yield SlackSeat(standin)
        assert await served.stop() == 0
        assert "Traceback" not in served.log, served.log
    finally:
        if served.process is not None:
            await served.kill()
        await standin.stop()


# --- Teams -----------------------------------------------------------------------------------------------------------


class TeamsSeat:
    name = "teams"
    _people: Mapping[Who, Someone] = {
        Who.MEMBER: teams_people.MAYA,
        Who.COLLEAGUE: teams_people.OMAR,
        Who.GUEST: teams_people.GUS,
        Who.OUTSIDER: teams_people.EVE,
    }
    _room: Room = teams_people.PAYMENTS

    def __init__(self, teams: TeamsDouble) -> None:
        self._teams = teams

    async def mention(self, who: Who, words: str, talk: str | None) -> str:
        said = await self._teams.say(self._people[who], self._room, words, reply_to=talk)
        return said.root

    async def direct(self, who: Who, words: str) -> None:
        await self._teams.say(self._people[who], chat_with(self._people[who]), words)

    async def command(self, who: Who, words: str) -> None:
        await self._teams.say(self._people[who], self._room, f"/director {words}".strip(), targeted=True)

    async def stop(self, who: Who, talk: str) -> None:
        await self._teams.say(self._people[who], self._room, "stop", reply_to=talk)

    def mark(self) -> int:
        return len(self._teams.ledger.messages)

    def heard(self, who: Who, since: int) -> Heard:
        new = [one for one in list(self._teams.ledger.messages.values())[since:] if not one.deleted]
        shown = [one for one in new if one.only in (None, self._people[who].id)]
        public = [one for one in shown if one.only is None and self._teams.rooms[one.conversation].kind != "personal"]
        text = plain(" ".join(one.words for one in shown))
        return Heard(text, bool(text) and not any(_made(one) for one in shown), not public)


def _made(shown: Shown) -> bool:
    return shown.made


@asynccontextmanager
async def teams_seat(folder: Path, env: Mapping[str, str]) -> AsyncIterator[TeamsSeat]:
    async with TeamsDouble() as teams:
        served = Served(folder, {**env, **teams.environment()})
        teams.bot = f"{served.url}/api/messages"
        try:
            await served.start()
            yield TeamsSeat(teams)
            assert await served.stop() == 0
            assert "Traceback" not in served.log, served.log
            assert teams.ledger.problems == []
        finally:
            if served.process is not None:
                await served.kill()


# --- the console -----------------------------------------------------------------------------------------------------


class ConsoleSeat:
    """`director chat` on a terminal: its prompt says that an answer is over."""

    name = "console"

    def __init__(self, process: asyncio.subprocess.Process, terminal: int) -> None:
        self._process, self._terminal = process, terminal
        self._out, self._notes = "", ""
        self._asked = 0

    async def mention(self, who: Who, words: str, talk: str | None) -> str:
        self._type(words)
        return "terminal"

    async def direct(self, who: Who, words: str) -> None:
        self._type(words)

    async def command(self, who: Who, words: str) -> None:
        self._type(f"/director {words}")

    async def stop(self, who: Who, talk: str) -> None:
        self._process.send_signal(signal.SIGINT)

    def mark(self) -> int:
        return len(self._out)

    def heard(self, who: Who, since: int) -> Heard:
        text = plain(self._out[since:])
        return Heard(text, bool(text) and self._notes.count("you> ") > self._asked, None)

    def _type(self, line: str) -> None:
        self._asked += 1
        os.write(self._terminal, line.replace("\n", " ").encode() + b"\n")

    async def listen(self) -> None:
        """Take in all that it prints, until it ends."""

        async def read(stream: asyncio.StreamReader | None, name: str) -> None:
            assert stream is not None
            while chunk := await stream.read(65_536):
                setattr(self, name, getattr(self, name) + chunk.decode())

        await asyncio.gather(read(self._process.stdout, "_out"), read(self._process.stderr, "_notes"))

    @property
    def ready(self) -> bool:
        return "you> " in self._notes

    @property
    def notes(self) -> str:
        return self._notes


@asynccontextmanager
async def console_seat(folder: Path, env: Mapping[str, str]) -> AsyncIterator[ConsoleSeat]:
    ours, theirs = os.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "chat"),
        cwd=folder,
        env=environment({"PYTHONPATH": str(ROOT), **env}),
        stdin=theirs,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(theirs)
    seat = ConsoleSeat(process, ours)
    listening = asyncio.create_task(seat.listen())
    try:
        async with asyncio.timeout(30):
            while not seat.ready:  # noqa: ASYNC110 - another process tells nobody
                await asyncio.sleep(0.05)
        yield seat
        os.write(ours, b"\x04")
        async with asyncio.timeout(30):
            assert await process.wait() == 0
        assert not re.search("Traceback", seat.notes), seat.notes
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await listening
        os.close(ours)
