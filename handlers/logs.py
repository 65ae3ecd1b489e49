"""Logs as events with fields on standard error, for people or machines; whoever logs, no secret gets through."""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal, TextIO

import structlog

from handlers.redaction import redact

_CHATTY = ("aiohttp.access", "apscheduler", "matplotlib", "alembic")
# At DEBUG these log whole requests: what people wrote, and tokens in headers. So they are never asked.
_INDISCREET = ("anthropic", "httpx", "httpx2", "httpcore", "httpcore2", "slack_bolt", "slack_sdk")


class _Redacted(logging.Formatter):
    """Redacts the finished line, so that messages, fields, arguments and tracebacks are all covered."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        return redact(self._inner.format(record))


def configure(level: str, form: Literal["console", "json"] | None, stream: TextIO | None = None) -> None:
    """Send our events and every library's records to standard error; may be called again.

    `form` None: console on a terminal, json otherwise.
    """
    out = stream if stream is not None else sys.stderr
    console = out.isatty() if form is None else form == "console"
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if console:
        renderer: list[Any] = [
            structlog.dev.ConsoleRenderer(
                colors=out.isatty(),
                exception_formatter=structlog.dev.plain_traceback,  # others print local variables
            )
        ]
    else:
        renderer = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(_Redacted(formatter))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level) if root.level > logging.DEBUG else level)
    for name in _INDISCREET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)
