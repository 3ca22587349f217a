"""Scores by category and by group of videos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from avelzoo.charts import BarGroup, bar_chart
from avelzoo.metrics.counts import MEASURES, video_counts
from avelzoo.reporting.blocks import Block, DataTable, Panel, count_cell, number_cell, percent, percent_cell, text_cell
from avelzoo.reporting.drawing import picture
from avelzoo.reporting.runs import ReportRun
from avelzoo.statistics import Interval, video_interval

Groups = Mapping[str, np.ndarray]
"""Name -> (v) bool."""

SHOWN = ("balanced_accuracy", "segment_iou", "event_f1_iou50")
"""Further measures of a group."""


def panel(runs: Sequence[ReportRun], groups: Sequence[Groups], resamples: int) -> Panel:
    """The panel of all runs."""
    blocks = [_blocks(run, one, resamples) for run, one in zip(runs, groups, strict=True)]
    return Panel(id="categories", title="Categories", by_run=blocks)


def _blocks(run: ReportRun, groups: Groups, resamples: int) -> list[Block]:
    counts = video_counts(run.found.segments, run.labelled.truth, run.found.category)
    blocks = [_categories(run, counts)]
    if groups:
        blocks.append(_groups(run, counts, groups, resamples))
    return blocks


def _categories(run: ReportRun, counts: np.ndarray) -> Block:
    truth = run.labelled.truth
    sums = np.stack([counts[truth.events == k].sum(axis=0) for k in range(truth.n)])
    values = {
        name: MEASURES[name].statistic(sums)
        for name in ("segment_accuracy", "floor_true_category", "category_accuracy", *SHOWN)
    }
    videos = np.bincount(truth.events, minlength=truth.n + 1)
    present = [k for k in range(truth.n) if videos[k]]
    names = truth.categories
    order = sorted(present, key=lambda k: values["segment_accuracy"][k])
    lowest, highest = (order[0], order[-1]) if order else (0, 0)
    text = (
        f"Segment accuracy by true category goes from {percent(values['segment_accuracy'][lowest])}"
        f" ({names[lowest]}) to {percent(values['segment_accuracy'][highest])} ({names[highest]}). The floor is the"
        " true category in every segment of these videos."
        if order
        else "No test video has an event category."
    )
    draw = partial(
        bar_chart,
        [
            BarGroup(
                names[k],
                [round(100 * float(values[name][k]), 1) for name in ("segment_accuracy", "floor_true_category")],
            )
            for k in present
        ],
        title="Segment accuracy by true category, %",
        description=text,
        series=("segment accuracy", "floor: true category"),
    )
    table = DataTable(
        caption="Test videos by true category, in percent",
        columns=("category", "videos", "accuracy", "floor", "gain", "category recall", *_titles()),
        rows=[
            [
                text_cell(names[k]),
                count_cell(int(videos[k])),
                percent_cell(values["segment_accuracy"][k]),
                percent_cell(values["floor_true_category"][k]),
                number_cell(100 * float(values["segment_accuracy"][k] - values["floor_true_category"][k])),
                percent_cell(values["category_accuracy"][k]),
                *(percent_cell(values[name][k]) for name in SHOWN),
            ]
            for k in present
        ],
        numeric=frozenset(range(1, 6 + len(SHOWN))),
        behind=False,
    )
    return Block(
        heading="Scores by category", text=[text], picture=picture(lambda width: draw(width=width)), tables=[table]
    )


def _titles() -> list[str]:
    return ["event/background", "segment IoU", "event F1"]


def _groups(run: ReportRun, counts: np.ndarray, groups: Groups, resamples: int) -> Block:
    statistic = MEASURES["segment_accuracy"].statistic
    rows = []
    for name, inside in groups.items():
        part = counts[inside]
        if not len(part):
            continue
        found: Interval = video_interval(part[None], statistic, resamples=resamples)
        sums = part.sum(axis=0)
        floor = float(MEASURES["floor_own_category"].statistic(sums))
        rows.append(
            [
                text_cell(name),
                count_cell(len(part)),
                percent_cell(found.value),
                percent_cell(found.low),
                percent_cell(found.high),
                percent_cell(floor),
                number_cell(100 * (found.value - floor)),
                *(percent_cell(float(MEASURES[one].statistic(sums))) for one in SHOWN),
            ]
        )
    table = DataTable(
        caption="Test videos by group, in percent",
        columns=("group", "videos", "accuracy", "low", "high", "floor", "gain", *_titles()),
        rows=rows,
        numeric=frozenset(range(1, 7 + len(SHOWN))),
        behind=False,
        note="Low and high: 95 % interval over videos. Floor: the predicted category in every segment.",
    )
    return Block(heading="Scores by group", tables=[table])
