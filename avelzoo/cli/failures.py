"""From an exception to one message, one exit code and, with --json, plain data."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import ClassVar, TextIO

from avelzoo import errors
from avelzoo.cli import render, streams
from avelzoo.errors import AvelzooError, StorageError, UsageError, printable, reason

BROKEN_PIPE = 1  # the parser's own exit code


class StoppedError(AvelzooError):
    """The user stopped the command (exit code 130)."""

    exit_code: ClassVar[int] = 130


def report(error: BaseException, *, as_json: bool) -> int:
    """Print an error for the user; returns the exit code."""
    if isinstance(error, OSError) and (isinstance(error, BrokenPipeError) or error.filename == streams.STDOUT):
        return report_stdout(error)
    explained = explain(error)
    if os.environ.get("AVELZOO_DEBUG") == "1":
        traceback.print_exception(error)
    with suppress(OSError, ValueError):  # the pipe is closed, or a plugin has closed the stream
        _print(explained, sys.stderr)
    if as_json:
        render.emit_json(explained.to_dict())
    return explained.exit_code


def report_stdout(error: OSError) -> int:
    """Print that stdout cannot be written; returns the exit code."""
    streams.silence()
    if isinstance(error, BrokenPipeError):
        return BROKEN_PIPE
    failure = StorageError(
        f"standard output cannot be written: {reason(error)}", fix="free disk space, or redirect the output"
    )
    with suppress(OSError, ValueError):
        _print(failure, sys.stderr)
    return failure.exit_code


def explain(error: BaseException) -> AvelzooError:
    """The error as a message for users."""
    if isinstance(error, AvelzooError):
        return error
    if (
        isinstance(error, KeyboardInterrupt) or type(error).__name__ == "Abort"
    ):  # Typer before 0.26 turns one into the other
        return StoppedError("interrupted", fix="to resume an interrupted run: `avelzoo run --resume RUN_DIR`")
    message = getattr(error, "format_message", None)
    if callable(message):  # the parser's own errors, whichever Typer is installed
        command = getattr(getattr(error, "ctx", None), "command_path", "avelzoo")
        return UsageError(_sentence(message()) or "missing command", fix=f"see `{command} --help`")
    return errors.explain(error)


@contextmanager
def short_warnings() -> Iterator[None]:
    """Print each warning as one line on stderr, without its source location."""

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        del category, filename, lineno, line
        with suppress(OSError, ValueError):  # as above
            print(f"warning: {printable(' '.join(str(message).split()))}", file=file or sys.stderr)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def _print(error: AvelzooError, stream: TextIO) -> None:
    if not stream.isatty():
        stream.write(f"error: {error}\n")
        return
    from rich.text import Text

    problem, *rows = str(error).split("\n")
    lines = [Text.assemble(("error: ", "bold red"), (problem, "bold"))]
    for row in rows:
        label, colon, text = row.partition(": ")
        lines.append(Text.assemble((label + colon, "cyan"), text))
    render.console_on(stream).print(Text("\n").join(lines), soft_wrap=True)


def _sentence(text: str) -> str:
    text = " ".join(text.split()).rstrip(".")
    return text[:1].lower() + text[1:]
