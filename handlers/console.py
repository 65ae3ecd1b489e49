"""Chat in the terminal: the same Director, one line a question, answers on standard output."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import shutil
import signal
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TextIO

from bot.domain import (
    Address,
    Incoming,
    IncomingKind,
    Person,
    Place,
    Reply,
    Said,
    Signal,
    SignalKind,
    Standing,
    Text,
)
from bot.ports import Delivery, Intake, Journal
from handlers.terminal import clean, render

_LEAVING = ("/exit", "/quit", "exit", "quit")
_GREETING = "Ask the Director. /help shows the commands, Ctrl-C stops an answer, Ctrl-D leaves."
_PROMPT = "you> "
_ME = "terminal"


class Console:
    """`bot.ports.Chat` for one person at one terminal. Prompts and progress go to `notes`, answers to `out`."""

    def __init__(
        self, *, place: Place, out: TextIO, notes: TextIO, now: Callable[[], datetime], patience: float = 600.0
    ) -> None:
        self._place = place
        self._out = out
        self._notes = notes
        self._now = now
        self._patience = patience
        self._answered: dict[str, asyncio.Event] = {}
        self._quiet = not notes.isatty()

    # --- as the core sees it -------------------------------------------------------------------------------------

    async def person(self, place: Place, person_id: str) -> Person:
        """Whoever can run this command runs the Director, so nothing is withheld."""
        del place
        return Person(id=person_id, name=_user_name(), standing=Standing.ADMIN, zone=_local_zone())

    async def before(self, place: Place, *, question: str | None, limit: int) -> tuple[Said, ...]:
        del place, question, limit
        return ()

    def delivery(self, address: Address, journal: Journal) -> Delivery:
        return _Printed(self, address, journal)

    # --- as the person sees it -----------------------------------------------------------------------------------

    async def converse(self, intake: Intake, lines: AsyncIterator[str], *, interactive: bool) -> int:
        """Put each line into the inbox and wait for its answer; 1 when one did not come, 130 after Ctrl-C."""
        code = 0
        current: list[str] = []
        leave = asyncio.Event()
        with _on_interrupt(lambda: self._interrupted(intake, current, leave)):
            if interactive:
                self.note(_GREETING)
            while not leave.is_set():
                if interactive:
                    self._notes.write(_PROMPT)
                    self._notes.flush()
                line = await _first(anext(lines, None), leave)
                if interactive and line is None:
                    self.note("")
                if leave.is_set():
                    return 130
                if line is None or line.strip().lower() in _LEAVING:
                    break
                if line.strip():
                    code = max(code, await self._ask(intake, line.strip(), current))
        return code

    async def _ask(self, intake: Intake, line: str, current: list[str]) -> int:
        question = f"{_ME}-{uuid.uuid4().hex}"
        command = line.startswith("/")
        words = line.removeprefix("/").removeprefix("director ") if command else line
        answered = self._answered[question] = asyncio.Event()
        current.append(question)
        try:
            await intake.put(
                Incoming(
                    kind=IncomingKind.COMMAND if command else IncomingKind.ASK,
                    dedupe_key=f"console:{question}",
                    place=self._place,
                    text="" if words == "director" else words.strip(),
                    received_at=self._now(),
                    speaker_id=_ME,
                    question=question,
                )
            )
            async with asyncio.timeout(self._patience):
                await answered.wait()
        except TimeoutError:
            self.note(f"No answer came within {self._patience:g} s. The question is kept: `director inbox list`.")
            return 1
        finally:
            del self._answered[question]
            current.clear()
        return 0

    def _interrupted(self, intake: Intake, current: list[str], leave: asyncio.Event) -> None:
        """The first Ctrl-C stops the answer that is being made; without one, or a second time, it leaves."""
        if not current:
            leave.set()
            return
        question = current.pop()
        stop = Signal(
            kind=SignalKind.STOP,
            dedupe_key=f"console:stop:{question}",
            place=self._place,
            person_id=_ME,
            at=self._now(),
        )
        self._stopping = asyncio.ensure_future(intake.signal(stop))
        self.note("stopping …")

    # --- printing ------------------------------------------------------------------------------------------------

    def note(self, line: str) -> None:
        self._notes.write(f"{clean(line)}\n")
        self._notes.flush()

    def progress(self, line: str) -> None:
        if not self._quiet:
            self.note(f"  … {line}")

    def print(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()

    def whole(self, reply: Reply) -> str:
        return render(reply, width=shutil.get_terminal_size((100, 24)).columns)

    def settled(self, question: str | None) -> None:
        waiting = self._answered.get(question or "")
        if waiting is not None:
            waiting.set()


class _Printed:
    """One answer on its way to the terminal. What was streamed is not printed again."""

    def __init__(self, console: Console, address: Address, journal: Journal) -> None:
        self._console = console
        self._address = address
        self._journal = journal
        self._streamed = ""

    async def status(self, line: str) -> None:
        self._console.progress(line)

    async def write(self, markdown: str) -> None:
        self._streamed += markdown
        self._console.print(clean(markdown))

    async def finish(self, reply: Reply) -> None:
        if not await self._journal.known():
            self._console.print(self._rest(reply) + "\n\n")
            await self._journal.shown(0, f"{_ME}:{self._address.turn_id}")
        self._console.settled(self._address.question)

    async def abandon(self) -> None:
        if self._streamed:
            self._console.print("\n")

    def _rest(self, reply: Reply) -> str:
        """What of the reply does not stand there yet."""
        if not self._streamed:
            return self._console.whole(reply)
        match reply.parts:
            case (Text(markdown=markdown), *others) if markdown.startswith(self._streamed.rstrip()):
                missing = clean(markdown[len(self._streamed.rstrip()) :]) if len(markdown) > len(self._streamed) else ""
                if not others and not reply.detail:
                    return missing
                left = reply.model_copy(update={"parts": tuple(others)})
                return f"{missing}\n\n{self._console.whole(left)}"
            case _:
                return f"\n\n{self._console.whole(reply)}"


async def lines_of(descriptor: int) -> AsyncIterator[str]:
    """Lines of a terminal, pipe or file as they come.

    Read in a daemon thread without Python's buffers: a thread that sits in sys.stdin.readline can't be left behind.
    """
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()

    def read() -> None:
        rest = b""
        while chunk := _read(descriptor):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                _hand_over(loop, lines, line)
        if rest:
            _hand_over(loop, lines, rest)
        _hand_over(loop, lines, None)

    threading.Thread(target=read, name="terminal", daemon=True).start()
    while (line := await lines.get()) is not None:
        yield line


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65_536)
    except OSError:
        return b""


def _hand_over(loop: asyncio.AbstractEventLoop, lines: asyncio.Queue[str | None], line: bytes | None) -> None:
    text = None if line is None else line.decode("utf-8", errors="replace").rstrip("\r")
    with contextlib.suppress(RuntimeError):  # the loop has ended
        loop.call_soon_threadsafe(lines.put_nowait, text)


async def _first(line: object, leave: asyncio.Event) -> str | None:
    """The next line, or None when it is time to leave."""
    reading = asyncio.ensure_future(line)  # type: ignore[call-overload]
    leaving = asyncio.ensure_future(leave.wait())
    try:
        await asyncio.wait({reading, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return reading.result() if reading.done() else None
    finally:
        for task in (reading, leaving):
            task.cancel()
        await asyncio.gather(reading, leaving, return_exceptions=True)


@contextlib.contextmanager
def _on_interrupt(act: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGINT, act)
    except (NotImplementedError, RuntimeError, ValueError):  # not the main thread, or not Unix
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "you"


def _local_zone() -> str | None:
    """The machine's IANA zone, when it says."""
    named = os.environ.get("TZ", "").lstrip(":")
    if not named:
        _, found, named = str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")
        if not found:
            return None
    return named or None
