"""Learning curves: loss by term, accuracy on val and test, and the chosen epoch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from avelzoo.charts import Point, Reference, Series, line_chart
from avelzoo.reporting.blocks import Block, Cell, DataTable, Panel, count_cell, number_cell, percent, percent_cell
from avelzoo.reporting.drawing import picture
from avelzoo.reporting.runs import ReportRun

SHARED = 8
"""Runs in one chart; more could not be told apart."""


def panel(runs: Sequence[ReportRun]) -> Panel:
    """The panel of all runs."""
    return Panel(id="learning", title="Learning", shared=_together(runs), by_run=[_blocks(run) for run in runs])


def _together(runs: Sequence[ReportRun]) -> list[Block]:
    known = [run for run in runs if run.epochs and run.first]
    if not 2 <= len(known) <= SHARED:
        return []
    series = [Series(run.name, [Point(row["epoch"], _percent(row, "val")) for row in run.epochs]) for run in known]
    draw = partial(
        line_chart,
        series,
        title="Segment accuracy on val by epoch, %",
        description="One line for the first run of each system. " + _ends(known),
        x_label="epoch",
    )
    table = DataTable(
        caption="Segment accuracy on val by epoch, in percent",
        columns=("epoch", *(run.name for run in known)),
        rows=_columns([[(row["epoch"], _percent(row, "val")) for row in run.epochs] for run in known]),
        numeric=frozenset(range(len(known) + 1)),
    )
    return [Block(heading="All systems", picture=picture(lambda width: draw(width=width)), tables=[table])]


def _ends(runs: Sequence[ReportRun]) -> str:
    last = ", ".join(f"{run.name} {_percent(run.epochs[-1], 'val') or 0:.1f} %" for run in runs)
    return f"After the last epoch: {last}."


def _columns(found: Sequence[Sequence[tuple[int, float | None]]]) -> list[list[Cell]]:
    epochs = sorted({epoch for one in found for epoch, _ in one})
    known = [dict(one) for one in found]
    return [[count_cell(epoch), *(number_cell(one.get(epoch)) for one in known)] for epoch in epochs]


def _blocks(run: ReportRun) -> list[Block]:
    if not run.epochs:
        reason = "The run has no metrics.jsonl, as imported runs and runs without training."
        return [Block(heading="Learning curves", left_out=reason)]
    result, table = run.stored.result, _table(run)
    chosen = Reference(f"chosen: {result['best_epoch']}", result["best_epoch"])
    blocks = [_accuracy(run, chosen, table)]
    terms = list(dict.fromkeys(term for row in run.epochs for term in row.get("terms", {})))
    if terms:
        blocks.append(_losses(run, terms, chosen))
    return blocks


def _accuracy(run: ReportRun, chosen: Reference, table: DataTable) -> Block:
    result = run.stored.result
    series = [Series("val", [Point(row["epoch"], _percent(row, "val")) for row in run.epochs])]
    if any("test_segment_accuracy" in row for row in run.epochs):
        points = [Point(row["epoch"], _percent(row, "test")) for row in run.epochs]
        series.append(Series("test", points))
    gap = result.get("optimism_gap")
    text = [
        f"Epoch {result['best_epoch']} of {result['epochs']} was chosen by segment accuracy on val; test had no say."
        + ("" if gap is None else f" Choosing on test would have added {100 * gap:.1f} points (optimism gap).")
    ]
    draw = partial(
        line_chart,
        series,
        title="Segment accuracy by epoch, %",
        description=f"{text[0]} Test segment accuracy of the chosen epoch: {percent(run.scores['segment_accuracy'])}.",
        x_label="epoch",
        marked=chosen,
        references=[
            Reference("floor: own category everywhere", round(100 * run.scores["floors"]["own_category_all_event"], 1))
        ],
    )
    return Block(
        heading="Accuracy by epoch", text=text, picture=picture(lambda width: draw(width=width)), tables=[table]
    )


def _losses(run: ReportRun, terms: Sequence[str], chosen: Reference) -> Block:
    weights = {name: row.get("weight") for name, row in run.stored.composition.get("terms", {}).items()}
    series = [Series("loss", [Point(row["epoch"], row.get("loss")) for row in run.epochs])]
    series += [Series(term, [Point(row["epoch"], row["terms"].get(term)) for row in run.epochs]) for term in terms]
    first, last = run.epochs[0].get("loss"), run.epochs[-1].get("loss")
    weighted = " + ".join(f"{weights[term]:g} {term}" for term in terms if weights.get(term) is not None)
    draw = partial(
        line_chart,
        series,
        title="Training loss and its unweighted terms, logarithmic",
        description=f"The loss went from {first:.3g} to {last:.3g}. Terms: {', '.join(terms)}.",
        x_label="epoch",
        marked=chosen,
        log_y=True,
    )
    return Block(
        heading="Loss by term",
        text=[f"Loss = {weighted}." if weighted else "Terms are unweighted."],
        picture=picture(lambda width: draw(width=width)),
        tables=[
            DataTable(
                caption="Mean training loss of each epoch, and its unweighted terms",
                columns=("epoch", "loss", *terms),
                rows=[
                    [
                        count_cell(row["epoch"]),
                        number_cell(row.get("loss"), 4),
                        *(number_cell(row["terms"].get(t), 4) for t in terms),
                    ]
                    for row in run.epochs
                ],
                numeric=frozenset(range(len(terms) + 2)),
            )
        ],
    )


def _table(run: ReportRun) -> DataTable:
    rows = [
        [
            count_cell(row["epoch"]),
            percent_cell(row.get("val", {}).get("segment_accuracy")),
            percent_cell(row.get("val", {}).get("category_accuracy")),
            percent_cell(row.get("test_segment_accuracy")),
            number_cell(row.get("learning_rate"), 6),
            number_cell(row.get("seconds"), 1),
        ]
        for row in run.epochs
    ]
    return DataTable(
        caption="Scores by epoch, accuracies in percent",
        columns=("epoch", "val segment", "val category", "test segment", "learning rate", "seconds"),
        rows=rows,
        numeric=frozenset(range(6)),
        note=f"Chosen: epoch {run.stored.result['best_epoch']}.",
    )


def _percent(row: object, split: str) -> float | None:
    assert isinstance(row, dict)
    value = row.get("test_segment_accuracy") if split == "test" else row.get("val", {}).get("segment_accuracy")
    return None if value is None else 100 * float(value)
