"""The command line's outermost edge: every way a command can end becomes a sentence and an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer
import typer.main

from bot.errors import DirectorError
from handlers.cli.application import application
from handlers.redaction import redact

if TYPE_CHECKING:
    from handlers.cli.wiring import Wiring

_INTERRUPTED = 130
_PIPE_CLOSED = 141


def run(wiring: Wiring, arguments: Sequence[str] | None = None) -> int:
    """Run one command (`sys.argv` without the program's name by default) and return its exit code. Never raises."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # what replaces them in tests may be another kind of stream
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        code = _invoke(wiring, words)
        sys.stdout.flush()
    except BrokenPipeError:
        _give_up_standard_output()
        return _PIPE_CLOSED
    except KeyboardInterrupt:
        return _INTERRUPTED
    except DirectorError as error:
        _say(str(error))
        return error.exit_code
    except Exception:  # noqa: BLE001  # logged with its id, and told
        return _bug()
    return code


def _invoke(wiring: Wiring, words: list[str]) -> int:
    command = typer.main.get_command(application())
    try:
        with command.make_context("director", words, obj=wiring) as context:
            result = command.invoke(context)
    except typer.Exit as leaving:
        return leaving.exit_code
    except typer.TyperException as error:
        return _usage(error)
    return result if isinstance(result, int) else 0


def _usage(error: typer.TyperException) -> int:
    """Wrong words: the whole help where a command's name is wrong, else how this command is used."""
    context = getattr(error, "ctx", None)
    text = error.format_message()
    if context is None:
        _say(text)
    elif hasattr(context.command, "commands"):
        help_text = context.get_help()
        _say(help_text if text == help_text or not text else f"{help_text}\n\n{text}")
    else:
        _say(f"{context.get_usage()}\nTry '{context.command_path} --help'.\n\n{text}")
    return error.exit_code


def _bug() -> int:
    import structlog

    from handlers import logs

    if not structlog.is_configured():  # its own default prints to standard output, with local variables
        logs.configure("WARNING", None)
    reference = uuid.uuid4().hex[:8]
    structlog.get_logger(__name__).exception("command_broke", reference=reference)
    _say(
        f"Something unexpected went wrong. This is a bug; please report it with the log above (reference {reference})."
    )
    return 1


def _say(text: str) -> None:
    typer.echo(redact(text), err=True)


def _give_up_standard_output() -> None:
    """Nobody reads any more; without this Python complains once more while it exits."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
