"""Calibration: whether the relevance is a probability."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from avelzoo.charts import ReliabilityBin, reliability_chart
from avelzoo.reporting.blocks import Block, DataTable, Panel, count_cell, number_cell, text_cell
from avelzoo.reporting.drawing import picture
from avelzoo.reporting.runs import ReportRun
from avelzoo.statistics import wilson


def panel(runs: Sequence[ReportRun]) -> Panel:
    """The panel of all runs."""
    return Panel(id="calibration", title="Calibration", by_run=[[_block(run)] for run in runs])


def _block(run: ReportRun) -> Block:
    found = run.scores["calibration"]
    rows, bins = [], []
    for one in found["bins"]:
        count, share = one["segments"], one["event_share"]
        interval = None if share is None else wilson(round(share * count), count)
        low, high = (None, None) if interval is None else (interval.low, interval.high)
        rows.append(
            [
                text_cell(f"{one['low']:.2f} to {one['high']:.2f}"),
                count_cell(count),
                number_cell(one["score"], 3),
                number_cell(share, 3),
                number_cell(low, 3),
                number_cell(high, 3),
            ]
        )
        if one["score"] is not None:
            bins.append(ReliabilityBin(one["score"], share, count, low, high))
    error = found["expected_error"]
    text = (
        "If the relevance were a probability, the share of events would equal it in every bin. The expected calibration"
        f" error, the mean distance from the diagonal weighted by segments, is {100 * error:.1f} points."
    )
    draw = partial(
        reliability_chart,
        bins,
        title="Share of event segments by relevance",
        description=text,
        x_label="relevance",
        y_label="share of event segments",
    )
    table = DataTable(
        caption="Test segments by relevance, with 95 % Wilson intervals of the share of events",
        columns=("relevance", "segments", "mean relevance", "share of events", "low", "high"),
        rows=rows,
        numeric=frozenset(range(1, 6)),
    )
    return Block(
        heading="Reliability of the relevance",
        text=[text],
        picture=picture(lambda width: draw(width=width), wide=460.0),
        tables=[table],
    )
