"""Faults on demand: the next calls of a method fail, are cut off, or come late."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Fault:
    """What happens to a call. `drop_after` lets the call have its effect and loses the answer."""

    method: str
    times: int
    after: int = 0
    status: int | None = None
    error: str | None = None
    retry_after: int | None = None
    drop_before: bool = False
    drop_after: bool = False
    delay: float = 0.0
    hits: int = 0


@dataclass
class Faults:
    """The switches. A method of "*" means every method."""

    _set: list[Fault] = field(default_factory=list)

    def fail(
        self,
        method: str,
        times: int = 1,
        *,
        after: int = 0,
        status: int | None = None,
        error: str | None = None,
        retry_after: int | None = None,
        drop_before: bool = False,
        drop_after: bool = False,
        delay: float = 0.0,
    ) -> Fault:
        """Let the next `times` calls of `method` fail, after `after` calls that pass; -1 means until cleared.

        Give one of: `status` (with `retry_after` for 429), `error` (an `ok: false` answer), `drop_before`
        (cut before any effect), `drop_after` (cut after the effect), `delay` (seconds; may be joined with the others).
        """
        fault = Fault(
            method=method,
            times=times,
            after=after,
            status=status,
            error=error,
            retry_after=retry_after,
            drop_before=drop_before,
            drop_after=drop_after,
            delay=delay,
        )
        self._set.append(fault)
        return fault

    def clear(self, method: str | None = None) -> None:
        self._set = [] if method is None else [fault for fault in self._set if fault.method != method]

    def next(self, method: str) -> Fault | None:
        """The fault that this call meets; counts it."""
        for fault in self._set:
            if fault.method not in (method, "*") or fault.times == 0:
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            if fault.times > 0:
                fault.times -= 1
            fault.hits += 1
            return fault
        return None
