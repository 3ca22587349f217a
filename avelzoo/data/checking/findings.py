"""What an examination of a folder found."""

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
    """Say once what is odd in a data folder."""
    warnings.warn(printable(text), DataWarning, stacklevel=3)


@dataclass(frozen=True)
class Finding:
    """Something to know about a file.

    Attributes:
        level: error, the folder cannot be used as it is; warning, look at it; note, good to know.
        file: the file's name, or its path and place.
        problem: what is the matter.
        found: what is there.
        expected: what should be.
        fix: what to do.
    """

    level: Level
    file: str
    problem: str
    found: str = ""
    expected: str = ""
    fix: str = ""

    @classmethod
    def of(cls, error: AvelzooError, file: str) -> Finding:
        """An error that reading a file raised."""
        place = error.where.rpartition(f"{file}, ")[2] if f"{file}, " in error.where else ""
        fix = "" if "data doctor" in error.fix else error.fix
        return cls("error", f"{file}, {place}" if place else file, error.problem, error.found, error.expected, fix)


@dataclass
class FileReport:
    """One file that is there.

    Attributes:
        name: its name.
        bytes: its size.
        shape: of its array.
        dtype: of its numbers.
        storage: contiguous (read in place), chunked or indirect.
        values: what its numbers are like.
        sha256: of the whole file; None in a quick examination.
        public: whether that is AVE's public file; None where that is not known.
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
    """An examination.

    Attributes:
        root: the folder.
        quick: whether feature rows were sampled and checksums left out.
        simulated: the marker's content, if `avelzoo data simulate` wrote the folder.
        files: every file of the layout that is there.
        findings: what was found, errors first.
    """

    root: Path
    quick: bool
    simulated: Mapping[str, Any] | None
    files: list[FileReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return all(finding.level != "error" for finding in self.findings)

    def count(self, level: Level) -> int:
        """How many findings there are of a level."""
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
    """With None in place of NaN, which JSON does not know."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def listed(numbers: Sequence[int] | np.ndarray, noun: str = "row") -> str:
    """``3 rows: 0, 5, 9``."""
    shown = ", ".join(str(int(number)) for number in numbers[:_SHOWN])
    more = ", ..." if len(numbers) > _SHOWN else ""
    return f"{len(numbers)} {noun}{'' if len(numbers) == 1 else 's'}: {shown}{more}"
