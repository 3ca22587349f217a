"""What a part found: rows in a file, which survive the end of the process that wrote them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

RESERVE = 3.0
"""Seconds before its limit at which a part begins nothing new."""


@dataclass(frozen=True)
class Row:
    """One finding.

    Attributes:
        part: which part found it.
        name: of what.
        ok: whether the check passed; None for a measurement.
        value: the measured number, in ``unit``.
        unit: of the value.
        note: in words.
        data: all numbers, for the JSON file.
    """

    part: str
    name: str
    ok: bool | None = None
    value: float | None = None
    unit: str = ""
    note: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass
class Job:
    """What a part works with.

    Attributes:
        part: its name.
        device: ``cuda``, or ``cpu`` for a trial.
        tiny: whether sizes are those of a trial.
        folder: for files.
        seconds: how long the part may take.
    """

    part: str
    device: str
    tiny: bool
    folder: Path
    seconds: float

    def __post_init__(self) -> None:
        self._since = time.monotonic()

    @property
    def left(self) -> float:
        """Seconds that are left for new work."""
        return self.seconds - RESERVE - (time.monotonic() - self._since)

    def add(self, name: str, **values: Any) -> None:
        """Write a row."""
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(Row(self.part, name, **values))) + "\n")

    def begin(self, name: str, seconds: float) -> bool:
        """Whether there is time for something that takes about so many seconds; a row says so where there is not."""
        if self.left >= seconds:
            return True
        self.add(name, note=f"skipped: {max(self.left, 0):.0f} s left, needs about {seconds:.0f} s")
        return False

    @property
    def file(self) -> Path:
        """Where the rows are."""
        return self.folder / f"{self.part}.jsonl"

    def rows(self) -> list[Row]:
        """The rows so far."""
        if not self.file.exists():
            return []
        lines = self.file.read_text(encoding="utf-8").split("\n")
        return [Row(**json.loads(line)) for line in lines[:-1]]  # a line without its end was cut off by a kill


def verdict(reached: bool, job: Job) -> str:
    """Whether a goal is met; on a CPU nothing is measured."""
    return ("met" if reached else "not met") if job.device == "cuda" else "no measurement on a CPU"


def table(rows: Iterable[Row]) -> Iterator[str]:
    """Lines of the table: measurements and failures each, checks that passed as one number."""
    rows = list(rows)
    shown = [row for row in rows if row.ok is not True or row.value is not None]
    cells = [
        (row.part, row.name, {True: "ok", False: "FAILED", None: ""}[row.ok], _number(row), row.note) for row in shown
    ]
    for part in dict.fromkeys(row.part for row in rows):
        passed = sum(row.part == part and row.ok is True for row in rows)
        failed = sum(row.part == part and row.ok is False for row in rows)
        if passed + failed:
            cells.append((part, "checks", "FAILED" if failed else "ok", f"{passed} of {passed + failed}", ""))
    cells.sort(key=lambda cell: list(dict.fromkeys(row.part for row in rows)).index(cell[0]))
    widths = [max(len(cell[column]) for cell in cells) for column in range(4)] if cells else []
    for cell in cells:
        yield "  ".join(text.ljust(width) for text, width in zip(cell, [*widths, 0], strict=True)).rstrip()


def _number(row: Row) -> str:
    return "" if row.value is None else f"{row.value:,.4g} {row.unit}".rstrip()
