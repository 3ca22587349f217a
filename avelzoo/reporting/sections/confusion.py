"""Confusion of segments: true against predicted category, background included."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from avelzoo.charts import matrix_chart
from avelzoo.reporting.blocks import Block, DataTable, Panel, count_cell, percent, percent_cell, text_cell
from avelzoo.reporting.drawing import picture
from avelzoo.reporting.runs import ReportRun

BACKGROUND = "background"
TOP = 12
"""Confusions that are listed."""


def panel(runs: Sequence[ReportRun]) -> Panel:
    """The panel of all runs."""
    return Panel(id="confusion", title="Confusion", by_run=[[_block(run)] for run in runs])


def counts(run: ReportRun) -> np.ndarray:
    """(n+1 n+1) int64, test segments by true (row) and predicted id (column), background last."""
    truth, real = run.labelled.truth, run.labelled.truth.real
    size = truth.n + 1
    pairs = truth.segments[real] * size + run.found.segments[real]
    found: np.ndarray = np.bincount(pairs, minlength=size * size).reshape(size, size)
    return found


def _block(run: ReportRun) -> Block:
    found = counts(run)
    names = [*run.labelled.truth.categories, BACKGROUND]
    totals = found.sum(axis=1)
    shares = [[100 * v / total if total else None for v in row] for row, total in zip(found, totals, strict=True)]
    shares = [[None if v is None else float(v) for v in row] for row in shares]
    wrong = [(int(found[i, j]), i, j) for i in range(len(names)) for j in range(len(names)) if i != j and found[i, j]]
    wrong.sort(key=lambda one: (-one[0], one[1], one[2]))
    errors = sum(count for count, _, _ in wrong)
    boundary = sum(count for count, i, j in wrong if len(names) - 1 in (i, j))
    text = [_sentence(errors, boundary, int(found.sum()))]
    draw = partial(
        matrix_chart,
        shares,
        names,
        names,
        title="Segments by true (row) and predicted category (column), % of the row",
        description=text[0],
        row_title="true",
        column_title="predicted",
        low=0.0,
        high=100.0,
        written=lambda value: f"{value:.0f}" if value >= 0.5 else ("·" if value else ""),
    )
    listed = DataTable(
        caption=f"The {min(TOP, len(wrong))} most frequent confusions" if wrong else "No confusion",
        columns=("true", "predicted", "segments", "% of the true"),
        rows=[
            [text_cell(names[i]), text_cell(names[j]), count_cell(count), percent_cell(count / totals[i])]
            for count, i, j in wrong[:TOP]
        ],
        numeric=frozenset((2, 3)),
        behind=False,
    )
    whole = DataTable(
        caption="Test segments by true (row) and predicted category (column)",
        columns=("true", *names, "all"),
        rows=[
            [text_cell(name), *(count_cell(int(v)) for v in row), count_cell(int(total))]
            for name, row, total in zip(names, found, totals, strict=True)
        ],
        numeric=frozenset(range(1, len(names) + 2)),
    )
    return Block(
        heading="Confusion of segments",
        text=text,
        picture=picture(lambda width: draw(width=width), narrow=len(names) <= 10),
        tables=[whole, listed],
    )


def _sentence(errors: int, boundary: int, segments: int) -> str:
    if not errors:
        return "Every test segment is right."
    return (
        f"{errors:,} of {segments:,} test segments are wrong ({percent(errors / segments)})."
        f" {percent(boundary / errors)} of the errors are between event and background, the others between categories."
    )
