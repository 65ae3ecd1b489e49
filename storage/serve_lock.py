"""One serving process per SQLite file: a lock that the system lets go of when the process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.address import parse
from storage.errors import AlreadyServing, DatabaseUnreachable


@contextmanager
def serve_lock(url: str) -> Iterator[None]:
    """Hold the right to serve from this database; nothing to hold on PostgreSQL, where replicas share the work.

    Raises:
        AlreadyServing: another process holds it.
    """
    file = parse(url).file
    if file is None:
        yield
        return
    path = Path(f"{file}.lock.serve")
    try:
        handle = path.open("a+", encoding="ascii")
    except OSError as error:
        why = f"The lock file {path} can't be opened: {error.strerror}. Check its folder."
        raise DatabaseUnreachable(why) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyServing(_taken(file, path)) from None
        handle.truncate(0)
        handle.write(f"{os.getpid()}\n")
        handle.flush()
        yield  # the lock goes with the handle; the file stays, since removing it would race with the next process
        handle.truncate(0)


def _taken(file: Path, path: Path) -> str:
    said = path.read_text(encoding="ascii").strip()
    who = f"Process {said}" if said.isdigit() else "Another process"
    return f"{who} already serves from {file}. Stop it first, or use PostgreSQL to run several replicas."
