"""Results of an experiment as records and plain data; tables, charts and pages are made from these only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from avelzoo.errors import RunError


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A cell minus the reference row of its table.

    Attributes:
        value: difference of the means.
        low, high: its interval.
        p: p-value of the test that swaps whole videos, after Holm's correction over the table.
        separated: whether the test set tells the two apart.
        practically_equal: whether the interval lies within +- 1 point.
        minimum_detectable: smallest difference that this test set shows in 80 % of cases.
    """

    value: float
    low: float
    high: float
    p: float | None
    separated: bool
    practically_equal: bool
    minimum_detectable: float | None


@dataclass(frozen=True, kw_only=True)
class Score:
    """A published score beside a cell.

    Attributes:
        value: segment accuracy as a fraction.
        features: features of the published score.
        source: where it is printed.
        difference: published difference to the published reference row; None for the reference itself.
    """

    value: float
    features: str
    source: str
    difference: float | None = None


@dataclass(frozen=True, kw_only=True)
class CellResult:
    """A row of a table.

    Attributes:
        name: name of the cell.
        row, title: name and printed title of the row.
        supervision, features: position in the table.
        x: position on the axis of a line chart.
        seeds: seeds of the finished runs; empty if there are none.
        mean, std, low, high: segment accuracy on test: mean, deviation over seeds, interval; None without runs.
        values: segment accuracy of each seed.
        measures: further test scores, mean over seeds.
        own_category: floor: the row's own predicted category in every segment.
        gain: segment accuracy minus this floor.
        letter: rows that share a letter cannot be separated.
        optimism_gap: mean gain from choosing the epoch on test.
        published: published scores.
        difference: difference to the reference row.
        parameters, seconds_per_epoch, seconds, peak_memory_mb, device: cost.
        weak_protocol: weak labels.
        leaks_duration: the weak labels contain the event's share of the video.
        signature: how the number was measured.
        data: hash of the test labels.
        composition: names and values of all parts.
        runs: records of the runs.
    """

    name: str
    row: str
    title: str
    supervision: str
    features: str
    composition: Mapping[str, Any]
    x: float | None = None
    seeds: tuple[int, ...] = ()
    mean: float | None = None
    std: float | None = None
    low: float | None = None
    high: float | None = None
    values: tuple[float, ...] = ()
    measures: Mapping[str, float] = field(default_factory=dict)
    own_category: float | None = None
    gain: float | None = None
    letter: str = ""
    optimism_gap: float | None = None
    published: tuple[Score, ...] = ()
    difference: Difference | None = None
    parameters: int | None = None
    seconds_per_epoch: float | None = None
    seconds: float | None = None
    peak_memory_mb: float | None = None
    device: str = ""
    weak_protocol: str | None = None
    leaks_duration: bool = False
    signature: str = ""
    data: str = ""
    runs: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class TableResult:
    """Cells with the same supervision and features.

    Attributes:
        supervision, features: position.
        videos: number of test videos; 0 without a finished run.
        background, category_oracle: floors: background everywhere; the true category in every segment.
        references: reference predictors of the data set.
        cells: rows, in the order of the experiment.
        claims: what the paired tests say about the paper's order.
        comparison: the comparison of all pairs, as `Comparison.to_dict` writes it; empty without two measured rows.
    """

    supervision: str
    features: str
    cells: tuple[CellResult, ...]
    videos: int = 0
    background: float | None = None
    category_oracle: float | None = None
    references: Mapping[str, float] = field(default_factory=dict)
    claims: tuple[str, ...] = ()
    comparison: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class BenchResult:
    """Result of an experiment.

    Attributes:
        experiment: qualified name.
        title, paper, source: as declared.
        edition, summary: name and description of the edition.
        reference: name of the reference row; empty for none.
        figure, axis: kind of the figure, and name of its axis.
        facts: what the paper states.
        plan: hash of the plan.
        first_plan: hash of the plan before amendments.
        written: when the first plan was written.
        amendments: changes of the plan.
        command: command line.
        versions: versions of the packages.
        data: fingerprints of the data.
        planned: number of planned runs.
        tables: one table per supervision and feature setting.
        failed: failed runs of the last call: name, and the problem.
        left_out: runs that the budget left out.
    """

    experiment: str
    title: str
    paper: str
    source: str
    edition: str
    summary: str
    reference: str
    figure: str
    axis: str
    facts: tuple[str, ...]
    plan: str
    first_plan: str
    written: str
    amendments: tuple[Mapping[str, str], ...]
    command: tuple[str, ...]
    versions: Mapping[str, str]
    data: Mapping[str, Mapping[str, str]]
    planned: int
    tables: tuple[TableResult, ...]
    failed: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    @property
    def finished(self) -> int:
        """Number of finished runs."""
        return sum(len(cell.seeds) for table in self.tables for cell in table.cells)

    @property
    def adopted(self) -> int:
        """Number of adopted runs."""
        return sum(run["adopted"] is not None for table in self.tables for cell in table.cells for run in cell.runs)

    @property
    def complete(self) -> bool:
        """Whether every planned run is finished."""
        return self.finished == self.planned

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for ``results.json``."""
        return asdict(self) | {"finished": self.finished, "adopted": self.adopted, "complete": self.complete}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, where: str = "") -> BenchResult:
        """Inverse of ``to_dict``.

        Raises:
            RunError: a part is missing.
        """
        try:
            own: dict[str, Any] = {f.name: data[f.name] for f in fields(cls)}
            own |= {name: tuple(own[name]) for name in ("facts", "amendments", "command", "left_out")}
            return cls(**own | {"tables": tuple(_table(table) for table in own["tables"])})
        except (KeyError, TypeError) as error:
            raise RunError("the result of the experiment is incomplete", where=where, found=f"no {error}") from error


def _table(data: Mapping[str, Any]) -> TableResult:
    own: dict[str, Any] = {f.name: data[f.name] for f in fields(TableResult)}
    return TableResult(**own | {"claims": tuple(own["claims"]), "cells": tuple(map(_cell, own["cells"]))})


def _cell(data: Mapping[str, Any]) -> CellResult:
    own: dict[str, Any] = {f.name: data[f.name] for f in fields(CellResult)}
    own |= {name: tuple(own[name]) for name in ("seeds", "values", "runs")}
    own["published"] = tuple(Score(**score) for score in own["published"])
    own["difference"] = own["difference"] and Difference(**own["difference"])
    return CellResult(**own)
