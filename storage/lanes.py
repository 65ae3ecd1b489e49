"""Threads of storage's own. asyncio's default executor is shared with DNS look-ups, which then wait behind the disk."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

_LAST = 9


@dataclass(frozen=True, order=True)
class _Job:
    urgency: int
    number: int
    run: Callable[[], Any] | None = field(compare=False)
    future: Future[Any] = field(compare=False)


class Lane:
    """A fixed number of threads that take jobs by urgency (0 first), then in the order they came."""

    def __init__(self, name: str, threads: int) -> None:
        self._jobs: queue.PriorityQueue[_Job] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._closed = False
        self._gate = threading.Lock()
        self._name = name
        self._size = threads
        self._threads: list[threading.Thread] = []

    def submit(self, run: Callable[[], T], *, urgency: int = 1) -> Future[T]:
        future: Future[T] = Future()
        with self._gate:
            if self._closed:
                raise RuntimeError("the store is closed")
            if len(self._threads) < self._size:
                self._start()
            self._jobs.put(_Job(urgency, next(self._numbers), run, future))
        return future

    def close(self, timeout: float) -> None:
        """Finish what was submitted, then stop. Threads stuck longer than `timeout` die with the process."""
        with self._gate:
            self._closed = True
            for _ in self._threads:
                self._jobs.put(_Job(_LAST, next(self._numbers), None, Future()))
        for thread in self._threads:
            thread.join(timeout)

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name=f"{self._name}-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            if job.run is None:
                return
            if not job.future.set_running_or_notify_cancel():
                continue
            try:
                result = job.run()
            except BaseException as error:  # noqa: BLE001  it belongs to whoever waits for the future
                job.future.set_exception(error)
            else:
                job.future.set_result(result)
            del job
