"""Standard streams: closed streams are opened, and with --json stdout carries only the JSON document.

Plugins and libraries may print through ``sys.stdout``, from C, or from child processes. With --json, all of this goes
to stderr, and the document is written once, at the end, to a duplicate of the real stdout.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

OUT, ERR = 1, 2
STDOUT = "standard output"
NARROWEST = 20
"""Smallest width of a table in columns; a smaller COLUMNS is ignored."""
_MODES = {"stdin": "r", "stdout": "w", "stderr": "w"}


class _Lossy(io.FileIO):
    """A file that drops text it cannot write, such as messages to a full disk or a closed pipe."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


class _Named(io.FileIO):
    """A file whose errors name stdout."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            error.filename = STDOUT
            raise


def open_closed() -> None:
    """Open the null device for each closed standard stream; otherwise a data file could get its descriptor."""
    for number, (name, mode) in enumerate(_MODES.items()):
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", errors="backslashreplace", closefd=False))  # noqa: SIM115


def accept_everything() -> None:
    """Escape characters that the encoding lacks, drop messages that stderr refuses, ignore a tiny COLUMNS."""
    columns = os.environ.get("COLUMNS", "")
    if not columns.isdecimal() or int(columns) < NARROWEST:
        os.environ.pop("COLUMNS", None)
    for name, number, kind in (("stdout", OUT, _Named), ("stderr", ERR, _Lossy)):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper) and _number(stream) == number:
            stream.flush()
            raw = io.BufferedWriter(kind(number, "w", closefd=False))
            by_line = number == ERR or stream.line_buffering
            made = io.TextIOWrapper(
                raw,
                stream.encoding,
                "backslashreplace",
                line_buffering=by_line,
                write_through=stream.write_through,
            )
            setattr(sys, name, made)


@contextmanager
def diverted(*, for_good: bool = False) -> Iterator[TextIO]:
    """Redirect everything that is printed to stderr; yields the real stdout.

    Args:
        for_good: keep the redirection afterwards, because threads and exit handlers may still print.
    """
    before = sys.stdout
    if _number(before) != OUT:  # a test or a notebook has replaced the stream
        sys.stdout = sys.stderr
        try:
            yield before
        finally:
            sys.stdout = before
        return
    before.flush()
    real = os.dup(OUT)
    os.dup2(ERR, OUT)
    stream = os.fdopen(real, "w", encoding=before.encoding, errors="backslashreplace")
    try:
        yield stream
    finally:
        if not for_good:
            with suppress(OSError, ValueError):
                sys.stdout.flush()
            os.dup2(real, OUT)
        with suppress(OSError):
            stream.close()


def silence() -> None:
    """Redirect Python's flush at exit to the null device, so that it does not fail again."""
    number = _number(sys.stdout)
    if number is not None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, number)
        os.close(null)


def _number(stream: TextIO) -> int | None:
    """The file descriptor of a stream; None if it has none."""
    try:
        return stream.fileno()
    except (OSError, ValueError, AttributeError):
        return None
