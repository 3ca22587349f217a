"""Charts of committed results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from statistics import fmean
from typing import Any

from avelzoo.charts import IntervalRow, Reference, interval_chart
from avelzoo.statistics import t_interval
from pictures.sheet import WIDTH
from pictures.tables import DOCS, table, value

HEADS = {
    "single": "single branch",
    "double": "double branch",
    "classifiers": "event-aware classifiers",
    "event-aware": "event-aware (ead-b)",
    "event-aware-tuned": "event-aware, tuned on val",
}


MEMORIES = {
    "lazy-bank": "lazy-bank",
    "event-aware": "jsd-bank (ead-b)",
    "frozen": "jsd-bank, scores kept",
    "random-bank": "random-bank",
    "feature-bank": "feature-bank",
}


def heads() -> str:
    """Segment accuracy of the heads of Ge et al. 2023 on worlds."""
    return _worlds(HEADS, "Heads on worlds, full supervision, 10 epochs")


def memories() -> str:
    """Segment accuracy of `ead-b` with other memories on worlds."""
    return _worlds(MEMORIES, "Memories on worlds, full supervision, 10 epochs")


def _worlds(labels: Mapping[str, str], title: str) -> str:
    """Rows of the committed runs under full supervision, with the floor and two ideal rules."""
    runs = [
        run
        for run in json.loads((DOCS / "results" / "worlds-e10.json").read_text("utf-8"))
        if run["supervision"] == "full" and run["row"] in labels and run.get("precision", "32") == "32"
    ]
    rows = [_row(label, [run for run in runs if run["row"] == key]) for key, label in labels.items()]
    floor = Reference("floor: its own category everywhere", _percent(fmean(r["own_category_all_event"] for r in runs)))
    known = runs[0]["references"]
    blind = Reference("ideal rule that ignores the category", _percent(known["category_blind"]))
    aware = Reference("ideal rule that knows each category's modality", _percent(known["bias_aware"]))
    told = "; ".join(f"{row.label} {row.value:.1f} % ({row.low:.1f} to {row.high:.1f})" for row in rows)
    return interval_chart(
        rows,
        title=title,
        description=f"Segment accuracy on test with the 95 % interval over runs: {told}. "
        f"{floor.label}: {floor.value} %; {blind.label}: {blind.value} %.",
        floors=[floor, blind, aware],
        label="segment accuracy on test",
        width=WIDTH,
    )


def _row(label: str, runs: list[dict[str, Any]]) -> IntervalRow:
    interval = t_interval([100 * run["segment_accuracy"] for run in runs])
    low, high = max(interval.low, 0.0), min(interval.high, 100.0)
    return IntervalRow(label, interval.value, low, high, note=f"{len(runs)} runs")


def _percent(share: float) -> float:
    return round(100 * share, 1)


def recipes() -> str:
    """Every recipe on worlds, from the page's table."""
    found = table("recipes-on-worlds.md", "## Full supervision")
    rows = []
    for cells in found:
        low, _, high = cells[2].partition(" - ")
        rows.append(IntervalRow(cells[0].strip("`"), value(cells[1]), value(low), value(high)))
    floor = Reference("floor: the true category everywhere", round(value(found[0][1]) - value(found[0][3]), 1))
    best, last = rows[0], rows[-1]
    return interval_chart(
        rows,
        title="All recipes on worlds, full supervision, one run each",
        description=f"Segment accuracy on test with the 95 % interval over videos, from {best.label} with "
        f"{best.value} % to {last.label} with {last.value} %. {floor.label}: {floor.value} %.",
        floors=[floor],
        label="segment accuracy on test",
        width=WIDTH,
    )
