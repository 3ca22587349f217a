"""Speed, memory and growth, from the tables of the pages that show them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from avelzoo.charts import BarGroup, Point, Reference, Series, bar_chart, line_chart
from avelzoo.charts.scale import number
from pictures.sheet import WIDTH
from pictures.tables import DOCS, table, value

MIB, SLOTS = 1024**2, 16


def ratios() -> str:
    """How many times better than the plain reference, and the goals."""
    rows = [row for row in table("performance.md", "## Comparison with a plain reference") if row[4]]
    measured, goals = [value(row[4]) for row in rows], [value(row[5]) for row in rows]
    return bar_chart(
        [BarGroup(row[0], pair) for row, pair in zip(rows, zip(measured, goals, strict=True), strict=True)],
        title="Times better than the plain reference",
        description="; ".join(
            f"{row[0]}: {number(a)}, goal {number(b)}" for row, a, b in zip(rows, measured, goals, strict=True)
        ),
        series=["measured", "goal"],
        references=[Reference("the reference", 1.0)],
        label="ratio of time, memory or videos per second",
        width=WIDTH,
    )


def steps() -> str:
    """Seconds of a training step."""
    rows = [r for r in table("performance.md", "## Comparison with a plain reference") if "training step" in r[0]]
    groups = [BarGroup(row[0].removeprefix("training step, "), [value(cell) for cell in row[1:4]]) for row in rows]
    names = ["plain reference", "avelzoo", "matrix products alone"]
    said = (
        f"{g.label}: {', '.join(f'{n} {number(v or 0)} s' for n, v in zip(names, g.values, strict=True))}"
        for g in groups
    )
    return bar_chart(
        groups,
        title="A training step: batch 128, bank 16, two CPU cores",
        description="; ".join(said) + ".",
        series=names,
        unit="s",
        label="time",
        width=WIDTH,
    )


def growth() -> str:
    """Arithmetic of a training step when one size grows."""
    found = json.loads((DOCS / "results" / "growth.json").read_text("utf-8"))
    series = []
    for one in found.values():
        points = [Point(v / one["values"][2], f / 1e9) for v, f in zip(one["values"], one["flops"], strict=True)]
        series.append(Series(one["label"], points))
    told = "; ".join(
        f"{one['label']}, {one['values'][0]} to {one['values'][-1]} in batches of {one['batch']}: "
        f"{one['flops'][0] / 1e9:.0f} to {one['flops'][-1] / 1e9:.0f} GFLOP"
        for one in found.values()
    )
    return line_chart(
        series,
        title="Arithmetic of a training step, as one size grows",
        description=f"Three straight lines. {told}.",
        x_label="times the usual size: 16 slots, 10 segments, 28 categories",
        y_label="GFLOP per step",
        from_zero=True,
        width=WIDTH,
        height=200,
    )


def _powers(low: int, high: int) -> list[int]:
    return [10**k for k in range(low, high + 1)]


def storage() -> str:
    """Bytes of the features of many videos."""
    costs = {row[0]: value(row[1]) for row in table("scale.md", "## Unit costs") if "bytes" in row[1]}
    named = {
        "float64": next(v for k, v in costs.items() if "float64" in k),
        "float32": next(v for k, v in costs.items() if "float32" in k),
        "half precision": next(v for k, v in costs.items() if "half" in k),
    }
    return line_chart(
        [Series(name, [Point(n, n * cost / 1e9) for n in _powers(3, 7)]) for name, cost in named.items()],
        title="Storage of features",
        description="Bytes of a video times the number of videos: a million videos take "
        + ", ".join(f"{number(round(cost / 1e6, 1))} TB as {name}" for name, cost in named.items())
        + ".",
        x_label="videos",
        y_label="GB",
        marked=Reference("a million videos", 1e6),
        log_x=True,
        log_y=True,
        width=WIDTH,
        height=220,
    )


def bank() -> str:
    """Memory of a bank of the paper, by the number of categories."""
    rows = {row[0]: row for row in table("scale.md", "## Unit costs")}
    stored = value(next(row for name, row in rows.items() if "storing a bank slot" in name)[1]) / 1e9
    kept = next(row for name, row in rows.items() if "activations kept" in name)
    cpu, gpu = value(kept[1]) / 1e3, value(kept[2].partition(";")[2]) / 1e3
    categories: Sequence[int] = (10, 28, 100, 300, 1000, 3000)
    lines = {"activations, GPU": gpu, "activations, CPU": cpu, "stored features": stored}
    return line_chart(
        [Series(name, [Point(n, n * SLOTS * cost) for n in categories]) for name, cost in lines.items()],
        title=f"Memory of a bank with {SLOTS} slots for each category",
        description="With 1,000 categories: "
        + ", ".join(f"{name} {number(round(1000 * SLOTS * cost, 1))} GB" for name, cost in lines.items())
        + ".",
        x_label="categories",
        y_label="GB",
        marked=Reference("1,000 categories", 1000),
        log_x=True,
        log_y=True,
        width=WIDTH,
        height=220,
    )
