"""Charts of committed results."""

from __future__ import annotations

import json
from statistics import fmean

from avelzoo.charts import IntervalRow, Reference, interval_chart
from avelzoo.statistics import t_interval
from pictures.sheet import WIDTH
from pictures.tables import DOCS

HEADS = {
    "single": "single branch",
    "double": "double branch",
    "classifiers": "event-aware classifiers",
    "event-aware": "event-aware (ead-b)",
    "event-aware-tuned": "event-aware, tuned on val",
}


def worlds() -> str:
    """Segment accuracy of the heads of Ge et al. 2023 on worlds, full supervision, with floors and references."""
    runs = json.loads((DOCS / "results" / "worlds-e10.json").read_text("utf-8"))
    runs = [run for run in runs if run["supervision"] == "full" and run["dataset"] == "worlds" and run["row"] in HEADS]
    rows, told = [], []
    for key, label in HEADS.items():
        scores = [100 * run["segment_accuracy"] for run in runs if run["row"] == key]
        interval = t_interval(scores)
        rows.append(
            IntervalRow(label, interval.value, interval.low, min(interval.high, 100.0), note=f"{len(scores)} runs")
        )
        told.append(f"{label} {interval.value:.1f} % ({interval.low:.1f} to {interval.high:.1f})")
    floor = 100 * fmean(run["own_category_all_event"] for run in runs)
    known = runs[0]["references"]
    return interval_chart(
        rows,
        title="Heads on worlds, full supervision, 10 epochs",
        description=f"Segment accuracy on test with the 95 % interval over runs: {'; '.join(told)}. The run's own "
        f"category in every segment scores {floor:.1f} %, an ideal rule that ignores the category "
        f"{100 * known['category_blind']:.1f} %.",
        floors=[
            Reference("floor: its own category everywhere", round(floor, 1)),
            Reference("ideal rule that ignores the category", round(100 * known["category_blind"], 1)),
            Reference("ideal rule that knows each category's modality", round(100 * known["bias_aware"], 1)),
        ],
        label="segment accuracy on test",
        width=WIDTH,
    )
