"""Errors for users: one message with the fact, the location, found, expected, and the remedy."""

from __future__ import annotations

import difflib
import errno
import os
import re
import traceback
from collections.abc import Collection, Iterable
from itertools import islice
from typing import ClassVar

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = FULL | {errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO}
# OSError has a number; safetensors and h5py say it in words alone.
_NUMBER = re.compile(r"(?:os error |Os \{ code: |errno = )(\d+)")


class AvelzooError(Exception):
    """A problem that the user can solve.

    Args:
        problem: the fact, in one sentence.
        where: the file, key, option or component.
        found: the value found.
        expected: the value expected.
        fix: the remedy.

    >>> print(AvelzooError("the file is missing", where="labels.h5"))
    the file is missing
      where: labels.h5
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, problem: str, *, where: str = "", found: str = "", expected: str = "", fix: str = "") -> None:
        self.problem = problem
        self.where = where
        self.found = found
        self.expected = expected
        self.fix = fix
        super().__init__(problem)

    def __str__(self) -> str:
        rows = (("where", self.where), ("found", self.found), ("expected", self.expected), ("what to do", self.fix))
        return "\n".join([printable(self.problem), *(f"  {label}: {printable(text)}" for label, text in rows if text)])

    def to_dict(self) -> dict[str, str | int]:
        """Plain data, for ``--json``."""
        return {
            "error": type(self).__name__,
            "problem": self.problem,
            "where": self.where,
            "found": self.found,
            "expected": self.expected,
            "fix": self.fix,
            "exit_code": self.exit_code,
        }


class UsageError(AvelzooError):
    """The request is invalid (exit code 2).

    >>> UsageError("unknown split").exit_code
    2
    """

    exit_code = 2


class OptionError(UsageError):
    """An option is unknown, of the wrong type or out of range.

    >>> OptionError("size must be at least 1", where="memory.size").where
    'memory.size'
    """


class UnknownNameError(UsageError):
    """No registered component, recipe or plugin has this name."""


class AmbiguousNameError(UsageError):
    """Several plugins register this name; it must be qualified."""


class CompositionError(UsageError):
    """The chosen components cannot be combined."""


class SupervisionError(UsageError):
    """A recipe or component does not support this supervision.

    >>> issubclass(SupervisionError, UsageError)
    True
    """


class DataError(AvelzooError):
    """A data file is missing, damaged or of the wrong form (exit code 3)."""

    exit_code = 3


class RunError(AvelzooError):
    """A run folder or checkpoint is unusable (exit code 4).

    >>> RunError("run folder missing").exit_code
    4
    """

    exit_code = 4


class StorageError(AvelzooError):
    """A file cannot be written: no space, no permission (exit code 5)."""

    exit_code = 5


class PluginError(AvelzooError):
    """A plugin violates the rules of registration (exit code 6)."""

    exit_code = 6


class ChannelError(PluginError):
    """A part reads a channel that no part gave."""


class TrainingError(AvelzooError):
    """Training failed, for example because the loss is not finite (exit code 7).

    >>> TrainingError("the loss is not finite").exit_code
    7
    """

    exit_code = 7


class DataWarning(UserWarning):
    """A data folder is usable, but something in it looks wrong."""


def printable(text: str) -> str:
    r"""Format text on one line, with non-printable characters escaped.

    >>> printable("a\tb\x1b[2J")
    'a\\tb\\x1b[2J'
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def first_line(said: object, limit: int = 200) -> str:
    r"""First line of an error's message or of a text; the kind of an error that says nothing.

    >>> first_line("one\ntwo"), first_line(ValueError())
    ('one', 'ValueError')
    """
    lines = str(said).strip().splitlines() or [type(said).__name__ if isinstance(said, BaseException) else ""]
    return lines[0][:limit]


def some(items: Collection[object], shown: int = 4, *, separator: str = ", ") -> str:
    """The first items, and how many more there are.

    >>> some("abcdef"), some("ab")
    ('a, b, c, d and 2 more', 'a, b')
    """
    text = separator.join(map(str, islice(items, shown)))
    more = len(items) - shown
    return text + (" " if separator == ", " else separator) + f"and {more:,} more" if more > 0 else text


def system_number(error: BaseException) -> int | None:
    """The operating system's number for why a file could not be used (errno); None where the error has none."""
    number = getattr(error, "errno", None)
    if number is None and (match := _NUMBER.search(str(error))):
        number = int(match[1])
    return number


def reason(error: BaseException) -> str:
    """Why a file could not be used, in the system's words, else in the error's own; in lower case."""
    number = system_number(error)
    return (os.strerror(number) if number else first_line(error)).lower()


def describe(error: BaseException) -> str:
    """Format an error as its type and first line; safe for errors whose ``str`` fails."""
    kind = type(error).__name__
    try:
        text = error.problem if isinstance(error, AvelzooError) else str(error)
    except Exception:  # noqa: BLE001 - a stranger's __str__ may do anything
        text = ""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    if isinstance(error, AvelzooError) and first:
        return first
    return f"{kind}: {first}" if first else kind


def explain(error: BaseException) -> AvelzooError:
    """Convert any exception to an error with a remedy for the user."""
    if isinstance(error, AvelzooError):
        return error
    if isinstance(error, OSError) and error.strerror:
        full = error.errno in FULL
        return (StorageError if error.errno in _REFUSED else DataError)(
            f"cannot use a file: {error.strerror.lower()}",
            where=str(error.filename or ""),
            fix="free some space, or choose another disk" if full else "check the path and its permissions",
        )
    said = describe(error)
    if type(error).__name__ == "OutOfMemoryError" or isinstance(error, MemoryError):
        first = said.removeprefix(f"{type(error).__name__}: ")
        return TrainingError("out of memory", found=first, fix="choose a smaller --batch-size")
    if isinstance(error, SystemExit):
        return AvelzooError(
            f"the program was ended by a call of sys.exit: {said}",
            where=raised_at(error),
            fix="a plugin, or a library that it uses, calls sys.exit; raise an error there instead",
        )
    return AvelzooError(
        f"an unexpected {said}" if ": " in said else f"an unexpected {said}: no further details",
        where=raised_at(error),
        fix="report this bug of avelzoo or of a plugin, with the output under AVELZOO_DEBUG=1",
    )


def raised_at(error: BaseException) -> str:
    """File and line where an error was raised; empty if it was never raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Suggest the closest known name: ``"; did you mean 'x'?"``, or an empty text if none is close."""
    by_folded = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower(), list(by_folded), n=1, cutoff=0.6)
    return f"; did you mean '{by_folded[near[0]]}'?" if near else ""
