"""What users read when something is wrong: one message with place, finding, expectation and remedy."""

from __future__ import annotations

import errno
from typing import ClassVar

_FULL = {errno.ENOSPC, errno.EDQUOT}
_REFUSED = _FULL | {errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO}


class AvelzooError(Exception):
    """A problem a user can act on.

    Args:
        problem: what is wrong, in one sentence.
        where: the file, key, option or component it concerns.
        found: what was there.
        expected: what should have been there.
        fix: what to do about it.
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
        return "\n".join([self.problem, *(f"  {label}: {text}" for label, text in rows if text)])

    def to_dict(self) -> dict[str, str | int]:
        """The error as plain data, for ``--json``."""
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
    """The request itself does not make sense (exit code 2)."""

    exit_code = 2


class OptionError(UsageError):
    """An option is unknown, of the wrong type or out of range."""


class UnknownNameError(UsageError):
    """No registered component, recipe or plugin has this name."""


class AmbiguousNameError(UsageError):
    """Several plugins offer this name, so it has to be qualified."""


class CompositionError(UsageError):
    """The chosen components do not fit together."""


class DataError(AvelzooError):
    """A data file is missing, damaged or not what it should be (exit code 3)."""

    exit_code = 3


class RunError(AvelzooError):
    """A run folder or checkpoint cannot be used (exit code 4)."""

    exit_code = 4


class StorageError(AvelzooError):
    """A file cannot be written: no space, no permission (exit code 5)."""

    exit_code = 5


class PluginError(AvelzooError):
    """A plugin breaks the rules of registration (exit code 6)."""

    exit_code = 6


class TrainingError(AvelzooError):
    """Training cannot go on, for instance because the loss is not finite (exit code 7)."""

    exit_code = 7


def explain(error: BaseException) -> AvelzooError:
    """Whatever went wrong, in words a user can act on."""
    if isinstance(error, AvelzooError):
        return error
    if isinstance(error, OSError) and error.strerror:
        full = error.errno in _FULL
        return (StorageError if error.errno in _REFUSED else DataError)(
            f"a file cannot be used: {error.strerror.lower()}",
            where=str(error.filename or ""),
            fix="free some space, or choose another disk" if full else "check the path and its permissions",
        )
    first = (str(error).strip().splitlines() or ["no further details"])[0]
    if type(error).__name__ == "OutOfMemoryError" or isinstance(error, MemoryError):
        return TrainingError("out of memory", found=first, fix="choose a smaller --batch-size")
    return AvelzooError(
        f"an unexpected {type(error).__name__}: {first}",
        fix="this is a fault of avelzoo or of a plugin; please report it with the output under AVELZOO_DEBUG=1",
    )
