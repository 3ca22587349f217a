"""Rows of measured figures, and the JSON file that keeps them part by part: ``docs/results/performance.json``.

The file maps a part's name to ``{"rows": [...], "facts": {...}, "machine": {...}}``. Measuring a part replaces
that part alone. Pages and pictures are generated from the file, so this module needs no PyTorch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results" / "performance.json"
MET, NOT_MET = "met", "not met"


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A limit for one figure of a row.

    Attributes:
        of: ``share`` of the floor, the measured ``value``, or its ``ratio`` to the first reference.
        limit: the least share or ratio; for a value, the most or the least, whichever is better.
    """

    of: Literal["share", "value", "ratio"]
    limit: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a table.

    Attributes:
        name: what was measured.
        unit: of all values.
        value: avelzoo's.
        floor: lower bound of a time or a size, or upper bound of a speed; None if unknown.
        before: the value of an earlier avelzoo, measured in the same run.
        references: values of other programs by name; the first is the usual comparison.
        better: which values are better.
        goal: limit that the row is compared with.
        note: what a reader has to know.
    """

    name: str
    unit: str = ""
    value: float | None = None
    floor: float | None = None
    before: float | None = None
    references: Mapping[str, float] = field(default_factory=dict)
    better: Literal["lower", "higher"] = "lower"
    goal: Goal | None = None
    note: str = ""

    @property
    def share(self) -> float | None:
        """Share of the floor that the value reaches; 1 is the floor itself."""
        if not self.value or not self.floor:
            return None
        return self.floor / self.value if self.better == "lower" else self.value / self.floor

    def gain(self, other: float | None) -> float | None:
        """How many times better the value is than another one."""
        if not self.value or not other:
            return None
        return other / self.value if self.better == "lower" else self.value / other

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without a goal or without its figure."""
        if self.goal is None:
            return None
        first = next(iter(self.references.values()), None)
        found = {"share": self.share, "value": self.value, "ratio": self.gain(first)}[self.goal.of]
        if found is None:
            return None
        at_most = self.goal.of == "value" and self.better == "lower"
        return found <= self.goal.limit if at_most else found >= self.goal.limit

    def to_dict(self) -> dict[str, Any]:
        """As plain data, with share and verdict."""
        return asdict(self) | {"references": dict(self.references), "share": self.share, "met": self.met}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Row:
        """From `to_dict`."""
        given = {f.name: data[f.name] for f in fields(cls) if f.name in data}
        return cls(**given | {"goal": Goal(**given["goal"]) if given.get("goal") else None})


@dataclass(frozen=True, kw_only=True)
class Section:
    """What a part found: rows for the table, and further figures."""

    name: str
    rows: Sequence[Row]
    facts: Mapping[str, Any] = field(default_factory=dict)
    machine: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "rows": [row.to_dict() for row in self.rows],
            "facts": dict(self.facts),
            "machine": dict(self.machine),
        }


def load(path: Path = RESULTS) -> dict[str, Section]:
    """All parts of a file; none if there is no file."""
    stored = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return {
        name: Section(
            name=name,
            rows=[Row.from_dict(row) for row in part["rows"]],
            facts=part["facts"],
            machine=part.get("machine", {}),
        )
        for name, part in stored.items()
    }


def record(sections: Sequence[Section], path: Path = RESULTS) -> None:
    """Replace these parts in a file."""
    from avelzoo.system.files import write_json

    stored = {name: section.to_dict() for name, section in load(path).items()}
    stored |= {section.name: section.to_dict() for section in sections}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, stored)


def columns(rows: Sequence[Row]) -> list[str]:
    """Titles of the columns that these rows need; the share of the floor comes first."""
    references = list(dict.fromkeys(name for row in rows for name in row.references))
    wanted = {
        "share of floor": any(row.share is not None for row in rows),
        "goal": any(row.goal is not None for row in rows),
        "floor": any(row.floor is not None for row in rows),
        "avelzoo": True,
        "before": any(row.before is not None for row in rows),
    }
    notes = ["note"] if any(row.note for row in rows) else []
    return ["", *(name for name, needed in wanted.items() if needed), *references, *notes]


def cells(rows: Sequence[Row]) -> Iterator[list[str]]:
    """The texts of each row, in the order of `columns`. Other values are followed by their ratio to avelzoo's."""
    titles = columns(rows)
    for row in rows:
        texts = {
            "": row.name,
            "share of floor": "" if row.share is None else f"{100 * row.share:.0f} %",
            "goal": _goal(row),
            "floor": _value(row.floor, row.unit),
            "avelzoo": _value(row.value, row.unit),
            "before": _compared(row, row.before),
            "note": row.note,
        }
        texts |= {name: _compared(row, value) for name, value in row.references.items()}
        yield [texts.get(title, "") for title in titles]


def number(value: float) -> str:
    """Three digits, thousands with commas."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _value(value: float | None, unit: str) -> str:
    return "" if value is None else f"{number(value)} {unit}".rstrip()


def _compared(row: Row, other: float | None) -> str:
    gain = row.gain(other)
    return _value(other, row.unit) + ("" if gain is None else f" ({gain:.2f})")


def _goal(row: Row) -> str:
    if row.goal is None:
        return ""
    limit = {
        "share": f"{100 * row.goal.limit:.0f} %",
        "value": f"{number(row.goal.limit)} {row.unit}".rstrip(),
        "ratio": f"ratio {row.goal.limit:g}",
    }[row.goal.of]
    return limit if row.met is None else f"{limit}, {MET if row.met else NOT_MET}"
