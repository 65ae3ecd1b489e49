"""Every error that the Director raises on purpose: the message says what failed and what to do about it."""

from __future__ import annotations


class DirectorError(Exception):
    """Root of all errors raised on purpose. `str(error)` is fit to show to a person: no secret, no traceback."""

    exit_code = 1


class UsageError(DirectorError):
    """Something was asked for or configured wrongly; the message names it and the remedy."""

    exit_code = 2


class StoreFailed(DirectorError):
    """Our own database refused or failed: no answer to anyone, the work is done again later."""


class Unreachable(DirectorError):
    """A service that is needed did not answer (database, chat platform, metrics, model)."""

    exit_code = 3
