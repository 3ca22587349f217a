"""Means and standard deviations over the seeds of each cell."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from avelzoo.comparing.signing import joint_signature
from avelzoo.components import LEAK_MARK, LEAK_NOTE
from avelzoo.plugin.listeners import flat
from avelzoo.sweeps.plan import Plan, Trial, as_text

COSTS = ("best_epoch", "optimism_gap", "parameters", "seconds", "seconds_per_epoch", "peak_memory_mb")
"""Further fields of `RunResult` that are averaged."""

SHOWN: dict[str, str] = {
    "test.segment_accuracy": "test segment accuracy",
    "val.segment_accuracy": "val",
    "test.category_accuracy": "category",
    "test.foreground_background.balanced_accuracy": "event/background",
    "test.localization.segment_iou": "segment IoU",
}
"""Columns of the table, in percent."""


@dataclass(frozen=True)
class Spread:
    """Statistics of one measure in a cell.

    Attributes:
        mean: mean over runs with this measure.
        std: sample standard deviation (divided by count - 1); None for a single run.
        count: number of runs with this measure.
        min: smallest value.
        max: largest value.
    """

    mean: float
    std: float | None
    count: int
    min: float
    max: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Statistics of one or more values."""
        std = statistics.stdev(values) if len(values) > 1 else None
        return cls(statistics.fmean(values), std, len(values), min(values), max(values))

    def percent(self) -> str:
        """Text in percent, such as ``71.2 ± 0.8``."""
        return f"{100 * self.mean:.1f}" + ("" if self.std is None else f" ± {100 * self.std:.1f}")


@dataclass(frozen=True)
class Cell:
    """All finished runs that differ only in their seed.

    Attributes:
        values: value of every axis.
        seeds: seeds of the finished runs.
        runs: names of the finished runs.
        leaks_duration: trained with weak labels that contain the event's share of the video.
        measures: dotted name, such as ``test.segment_accuracy`` -> statistics.
        signature: how the means were measured; None without finished runs, or with runs of earlier versions.
    """

    values: Mapping[str, Any]
    seeds: tuple[int, ...]
    runs: tuple[str, ...]
    measures: Mapping[str, Spread]
    leaks_duration: bool = False
    signature: str | None = None


@dataclass(frozen=True)
class Failure:
    """A failed run.

    Attributes:
        run: name of the run.
        error: its error, as `AvelzooError.to_dict` writes it.
        log: log of its process, if it had its own process.
    """

    run: str
    error: Mapping[str, Any]
    log: str | None = None


@dataclass(frozen=True, kw_only=True)
class SweepResult:
    """Result of a sweep.

    Attributes:
        path: sweep folder.
        axes: names of the axes.
        cells: cells in plan order; cells without a finished run have no seeds and no measures.
        failures: runs that failed in this call.
        unfinished: names of runs that neither finished nor failed because the sweep was stopped.
    """

    path: str
    axes: tuple[str, ...]
    cells: tuple[Cell, ...]
    failures: tuple[Failure, ...] = ()
    unfinished: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every run is finished."""
        return not self.failures and not self.unfinished

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self) | {"complete": self.complete}

    @property
    def signatures(self) -> str:
        """The distinct signatures of the cells, one per line."""
        return "\n".join(dict.fromkeys(cell.signature for cell in self.cells if cell.signature))

    @property
    def note(self) -> str:
        """Explanation of the mark in the table; empty if no cell has it."""
        return f"{LEAK_MARK} {LEAK_NOTE}" if any(cell.leaks_duration for cell in self.cells) else ""

    def rows(self) -> tuple[list[str], list[list[str]]]:
        """Column names and one row of text per cell; scores to which the `note` applies have its mark."""
        shown = [name for name in SHOWN if any(name in cell.measures for cell in self.cells)]
        columns = [*self.axes, "runs", *(f"{SHOWN[name]} %" for name in shown)]
        rows = []
        for cell in self.cells:
            mark = f" {LEAK_MARK}" if cell.leaks_duration else ""
            scores = [cell.measures[name].percent() + mark if name in cell.measures else "-" for name in shown]
            rows.append([*(as_text(value) for value in cell.values.values()), str(len(cell.seeds)), *scores])
        return columns, rows

    def __str__(self) -> str:
        """A table in Markdown."""
        columns, rows = self.rows()
        lines = [columns, ["---"] * len(columns), *rows]
        text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        return "\n\n".join(filter(None, [text, self.note, self.signatures.replace("\n", "\n\n")]))


def summarise(
    path: str, plan: Plan, results: Mapping[str, Mapping[str, Any]], failures: Sequence[Failure] = ()
) -> SweepResult:
    """Gather results by cell.

    Args:
        path: the sweep's folder.
        plan: its trials.
        results: name of a finished trial -> content of its ``result.json``.
        failures: failed runs.
    """
    cells: dict[str, list[Trial]] = {}
    for trial in plan.trials:
        cells.setdefault(json.dumps(trial.cell), []).append(trial)
    failed = {failure.run for failure in failures}
    left = [trial.name for trial in plan.trials if trial.name not in results and trial.name not in failed]
    return SweepResult(
        path=path,
        axes=plan.axes,
        cells=tuple(_gathered(trials, results) for trials in cells.values()),
        failures=tuple(failures),
        unfinished=tuple(left),
    )


def _gathered(trials: Sequence[Trial], results: Mapping[str, Mapping[str, Any]]) -> Cell:
    done = [trial for trial in trials if trial.name in results]
    found: dict[str, list[float]] = {}
    for trial in done:
        result = results[trial.name]
        for name, value in flat(result["scores"] | {name: result[name] for name in COSTS}).items():
            found.setdefault(name, []).append(value)
    measures = {name: Spread.of(values) for name, values in found.items()}
    return Cell(
        values=trials[0].cell,
        seeds=tuple(trial.seed for trial in done),
        runs=tuple(trial.name for trial in done),
        measures=measures,
        leaks_duration=any(results[trial.name].get("leaks_duration", False) for trial in done),
        signature=joint_signature(results[trial.name].get("signature") for trial in done),
    )
