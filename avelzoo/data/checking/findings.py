"""Findings of an examination of a data folder."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from avelzoo.data.reading.values import Values
from avelzoo.errors import AvelzooError, DataWarning, printable

Level = Literal["error", "warning", "note"]
_SHOWN = 5


def warn(text: str) -> None:
    """Issue a DataWarning once."""
    warnings.warn(printable(text), DataWarning, stacklevel=3)


@dataclass(frozen=True)
class Finding:
    """One finding about a file.

    Attributes:
        level: error, the folder is unusable as it is; warning, check it; note, information only.
        file: the file's name, or the name and a position in the file.
        problem: the fact.
        found: the value found.
        expected: the value expected.
        fix: the remedy.
    """

    level: Level
    file: str
    problem: str
    found: str = ""
    expected: str = ""
    fix: str = ""

    @classmethod
    def of(cls, error: AvelzooError, file: str) -> Finding:
        """Convert an error raised while reading a file."""
        position = error.where.rpartition(f"{file}, ")[2] if f"{file}, " in error.where else ""
        fix = "" if "data doctor" in error.fix else error.fix
        where = f"{file}, {position}" if position else file
        return cls("error", where, error.problem, error.found, error.expected, fix)


@dataclass
class FileReport:
    """One file that is present.

    Attributes:
        name: file name.
        bytes: file size.
        shape: shape of its array.
        dtype: number format of its array.
        storage: contiguous (read in place), chunked or indirect.
        values: statistics of its numbers.
        sha256: checksum of the whole file; None in a quick examination.
        public: whether it equals AVE's public file; None if unknown.
    """

    name: str
    bytes: int
    shape: tuple[int, ...] = ()
    dtype: str = ""
    storage: str = ""
    values: Values | None = None
    sha256: str | None = None
    public: bool | None = None


@dataclass
class Report:
    """Result of an examination.

    Attributes:
        root: the folder.
        quick: whether feature rows were sampled and checksums skipped.
        simulated: the marker's content, if `avelzoo data simulate` wrote the folder.
        files: every file of the layout that is present.
        findings: all findings, errors first.
    """

    root: Path
    quick: bool
    simulated: Mapping[str, Any] | None
    files: list[FileReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return all(finding.level != "error" for finding in self.findings)

    def count(self, level: Level) -> int:
        """Number of findings of a level."""
        return sum(finding.level == level for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json``."""
        return {
            "root": str(self.root),
            "ok": self.ok,
            "quick": self.quick,
            "simulated": self.simulated,
            "errors": self.count("error"),
            "warnings": self.count("warning"),
            "files": [_plain(asdict(file)) for file in self.files],
            "findings": [asdict(finding) for finding in self.findings],
        }


def _plain(value: Any) -> Any:
    """Replace NaN by None, because JSON has no NaN."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def listed(numbers: Sequence[int] | np.ndarray, noun: str = "row") -> str:
    """List numbers briefly: ``3 rows: 0, 5, 9``."""
    shown = ", ".join(str(int(number)) for number in numbers[:_SHOWN])
    more = ", ..." if len(numbers) > _SHOWN else ""
    return f"{len(numbers)} {noun}{'' if len(numbers) == 1 else 's'}: {shown}{more}"
