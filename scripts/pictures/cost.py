"""Speed, memory and growth, from the results of `make bench` and the tables of pages."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bench.results import Row, load
from docs_scale import unit_costs

from avelzoo.charts import BarGroup, Point, Reference, Series, bar_chart, line_chart
from avelzoo.charts.scale import number
from pictures.sheet import WIDTH
from pictures.tables import DOCS, value

MIB, SLOTS = 1024**2, 16


def shares() -> str:
    """Shares of the arithmetic floor, and the goals."""
    rows = [
        row for part in ("training", "evaluation") for row in _measured(part) if row.goal and row.goal.of == "share"
    ]
    found = [(row.name, 100 * (row.share or 0.0), 100 * row.goal.limit) for row in rows if row.goal]
    return bar_chart(
        [BarGroup(name, [round(share), goal]) for name, share, goal in found],
        title="Share of the arithmetic floor",
        description="; ".join(f"{name}: {share:.0f} %, goal {goal:.0f} %" for name, share, goal in found) + ".",
        series=["avelzoo", "goal"],
        references=[Reference("matrix products alone", 100.0)],
        unit="%",
        label="time of the matrix products / time",
        width=WIDTH,
    )


def steps() -> str:
    """Seconds of a training step."""
    rows = [row for row in _measured("training") if row.unit == "s"]
    columns = {"matrix products alone": [row.floor for row in rows], "avelzoo": [row.value for row in rows]}
    if any(row.before for row in rows):
        columns["avelzoo before"] = [row.before for row in rows]
    columns |= {name: [row.references.get(name) for row in rows] for name in rows[0].references}
    groups = [
        BarGroup(row.name.removeprefix("training step, "), [_rounded(values[i]) for values in columns.values()])
        for i, row in enumerate(rows)
    ]
    said = (
        f"{g.label}: {', '.join(f'{n} {number(v or 0)} s' for n, v in zip(columns, g.values, strict=True))}"
        for g in groups
    )
    return bar_chart(
        groups,
        title="A training step: batch 128, bank 16",
        description="; ".join(said) + ".",
        series=list(columns),
        unit="s",
        label="time",
        width=WIDTH,
    )


def _measured(part: str) -> Sequence[Row]:
    """Rows of a part; the former ones before it was measured."""
    found = load()
    if part in found:
        return found[part].rows
    return [row for row in found["former"].rows if part in row.name] if "former" in found else ()


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


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
    costs = {row[0]: value(row[1]) for row in unit_costs() if "bytes" in row[1]}
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
    rows = {row[0]: row for row in unit_costs()}
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
