"""Standard streams: open whatever the caller closed, and with JSON alone on stdout where JSON was asked for.

Plugins and the libraries below them print where they like: through ``sys.stdout``, from C, from programs that they
start. While a command owes JSON, all of that goes to stderr, and the document is written to a duplicate of the real
stdout, once, at the end.
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
"""Columns below which a table holds no word; COLUMNS is ignored there."""
_MODES = {"stdin": "r", "stdout": "w", "stderr": "w"}


class _Lossy(io.FileIO):
    """A file that loses what it cannot write: nobody reads messages from a full disk or a closed pipe."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


class _Named(io.FileIO):
    """A file whose errors say that they are about stdout."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            error.filename = STDOUT
            raise


def open_closed() -> None:
    """Give each standard stream that is closed the null device, so that no data file is opened under its number."""
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
    """Print whatever the encoding lacks as escapes, lose messages that stderr refuses, and ignore an absurd COLUMNS."""
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
    """Send everything that is printed to stderr; yields the real stdout.

    Args:
        for_good: leave it so afterwards, because threads and exit handlers may still print.
    """
    before = sys.stdout
    if _number(before) != OUT:  # a test or a notebook has put an object of its own there
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
    """Let Python's own flush at exit go nowhere instead of failing once more."""
    number = _number(sys.stdout)
    if number is not None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, number)
        os.close(null)


def _number(stream: TextIO) -> int | None:
    """The number of the file behind a stream; None where there is none."""
    try:
        return stream.fileno()
    except (OSError, ValueError, AttributeError):
        return None
