"""Trains the heads and memories of Ge et al. 2023 on the embedded worlds, several seeds each, and writes their tables.

Every run is `avelzoo run` with the row's arguments, one thread each. A run is not repeated if its folder holds a result
or the results file has its scores, so a call resumes where the last one ended, on another machine too. The tables hold
the runs that exist; their last column lists the seeds' scores.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from docs_markdown import table

ROWS: dict[str, str] = {
    "event-aware": "ead-b",
    "event-aware-tuned": "ead-b-tuned",
    "double": "double-branch",
    "single": "single-branch",
    "classifiers": "double-branch --head event-aware-classifiers",
    "frozen": "ead-b --set memory.refresh_scores=false",
    "random-bank": "ead-b --memory random-bank",
    "feature-bank": "ead-b --memory feature-bank",
    "lazy-bank": "ead-b --memory lazy-bank",
    "weak-relevance": "ead-b --set memory.weak_score=jsd+relevance",
    "official": "ead-b-official",
}
"""Name of a row -> arguments of `avelzoo run`."""

GROUPS: dict[str, tuple[str, ...]] = {
    "heads": ("event-aware", "event-aware-tuned", "double", "single", "classifiers", "official"),
    "memories": ("event-aware", "frozen", "random-bank", "feature-bank", "lazy-bank", "weak-relevance"),
}
"""Rows of each table."""

HEADER = ("`avelzoo run`", "test, %", "threshold from val, %", "partial events, %", "balanced, %", "by seed")


@dataclass(frozen=True)
class Cell:
    """One run of the plan."""

    row: str
    supervision: str
    epochs: int
    seed: int
    dataset: str = "worlds"
    precision: str = "32"

    @property
    def name(self) -> str:
        """Of its folder."""
        place = "" if self.dataset == "worlds" else f"{self.dataset}-"
        precision = "" if self.precision == "32" else f"-{self.precision}"
        return f"{place}{self.row}-{self.supervision}-e{self.epochs}{precision}-s{self.seed}"

    def command(self, folder: Path) -> list[str]:
        """What makes it."""
        fixed = ["supervision", "seed", "epochs", "dataset", "precision"]
        named = [f"--{name}={getattr(self, name)}" for name in fixed]
        return ["run", *ROWS[self.row].split(), *named, f"--out={folder}", "--quiet"]

    @classmethod
    def of(cls, row: dict[str, Any]) -> Cell:
        """Of a line of the results file; the first lines had no precision."""
        return cls(**{field.name: row[field.name] for field in dataclasses.fields(cls) if field.name in row})


def run(cell: Cell, out: Path) -> None:
    """Train it unless its result is there; resume it where it was cut off."""
    folder = out / cell.name
    if (folder / "result.json").exists():
        return
    command = ["run", "--resume", str(folder), "--quiet"] if (folder / "composition.json").exists() else None
    done = subprocess.run(
        [sys.executable, "-m", "avelzoo", *(command or cell.command(folder))],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=False,
    )
    if done.returncode:
        print(f"{cell.name}: exit code {done.returncode}", file=sys.stderr)


def known_runs(file: Path) -> dict[str, dict[str, Any]]:
    """The results file's runs, by name."""
    if not file.exists():
        return {}
    return {Cell.of(row).name: row for row in json.loads(file.read_text("utf-8"))}


def read(cell: Cell, out: Path, known: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    """Scores of a run on test, from its folder or the results file; None if it has not run."""
    file = out / cell.name / "result.json"
    if not file.exists():
        return known.get(cell.name)
    result = json.loads(file.read_text("utf-8"))
    test = result["scores"]["test"]
    thresholds = test.get("thresholds")
    return asdict(cell) | {
        "segment_accuracy": test["segment_accuracy"],
        "threshold_from_val": thresholds and thresholds["val"]["segment_accuracy"],
        "partial_events": test["partial_event"]["segment_accuracy"],
        "balanced_accuracy": test["foreground_background"]["balanced_accuracy"],
        "category_accuracy": test["category_accuracy"],
        "own_category_all_event": test["floors"]["own_category_all_event"],
        "references": test["references"],
        "best_epoch": result["best_epoch"],
    }


def spread(values: Sequence[float | None]) -> str:
    """Mean and, of two or more, standard deviation, in percent."""
    known = [100 * value for value in values if value is not None]
    if not known:
        return "-"
    return f"{statistics.mean(known):.1f}" + (f" ± {statistics.stdev(known):.1f}" if len(known) > 1 else "")


def lines(found: Iterable[dict[str, Any]]) -> list[list[str]]:
    """A line per row of the table, best first."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for cell in found:
        rows.setdefault(cell["row"], []).append(cell)
    ranked = sorted(rows.items(), key=lambda item: -statistics.mean(cell["segment_accuracy"] for cell in item[1]))
    return [
        [
            f"`{ROWS[name]}`",
            spread([cell["segment_accuracy"] for cell in cells]),
            spread([cell["threshold_from_val"] for cell in cells]),
            spread([cell["partial_events"] for cell in cells]),
            spread([cell["balanced_accuracy"] for cell in cells]),
            ", ".join(f"{100 * cell['segment_accuracy']:.1f}" for cell in cells),
        ]
        for name, cells in ranked
    ]


def main() -> int:
    """Run what is missing, read, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], help="all by default")
    parser.add_argument("--supervision", choices=["full", "weak", "both"], default="both")
    parser.add_argument("--dataset", default="worlds", help="worlds or worlds-hard")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=5, help="number of seeds, from 0")
    parser.add_argument("--precision", default="32", help="32, bf16-mixed, ...")
    parser.add_argument("--out", type=Path, default=Path("runs/heads-on-worlds"), help="where the runs go")
    parser.add_argument("--results", type=Path, default=Path("docs/results"), help="folder of the results files")
    parser.add_argument("--jobs", type=int, default=2, help="runs side by side, one thread each")
    parser.add_argument("--table", action="store_true", help="train nothing: tables of the runs that are there")
    options = parser.parse_args()
    supervisions = ["full", "weak"] if options.supervision == "both" else [options.supervision]
    plan = [
        Cell(row, supervision, options.epochs, seed, options.dataset, options.precision)
        for seed in range(options.seeds)
        for row in options.rows or ROWS
        for supervision in supervisions
        if (row, supervision) != ("weak-relevance", "full")
    ]
    results = options.results / f"{options.dataset}-e{options.epochs}.json"
    known = known_runs(results)
    if not options.table:
        with ThreadPoolExecutor(options.jobs) as pool:
            list(pool.map(lambda cell: run(cell, options.out), [cell for cell in plan if cell.name not in known]))
    found = [row for row in (read(cell, options.out, known) for cell in plan) if row is not None]
    kept = known | {Cell.of(row).name: row for row in found}
    results.parent.mkdir(parents=True, exist_ok=True)
    lines_of = ",\n".join(json.dumps(kept[name]) for name in sorted(kept))
    results.write_text(f"[\n{lines_of}\n]\n", "utf-8")
    text: list[str] = []
    for group, names in GROUPS.items():
        for supervision in supervisions:
            rows = lines(cell for cell in found if cell["supervision"] == supervision and cell["row"] in names)
            if rows:
                text += [f"## {group}, {supervision} supervision, {options.epochs} epochs", "", *table(HEADER, rows)]
    print("\n".join(text))
    return 0 if len(found) == len(plan) else 1


if __name__ == "__main__":
    sys.exit(main())
