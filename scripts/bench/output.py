"""The table and the plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from bench.parts import Row, Section

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, REFERENCE, OURS, MIXED, FLOOR = "#333333", "#9a9a9a", "#1f6fb2", "#e0862b", "#3b9c6b"


def table(sections: Sequence[Section]) -> Table:
    """One table of everything: reference, avelzoo and floor side by side."""
    grid = Table(title_justify="left")
    for column in ("", "unit", "reference", "avelzoo", "floor", "ratio", "goal", "note"):
        grid.add_column(column, justify="right" if column in ("reference", "avelzoo", "floor", "ratio") else "left")
    for section in sections:
        for row in section.rows:
            figures = (row.reference, row.ours, row.floor, row.ratio)
            grid.add_row(row.name, row.unit, *("" if f is None else f"{f:.3g}" for f in figures), row.goal, row.note)
        grid.add_section()
    return grid


def plot(sections: Sequence[Section], path: Path, title: str) -> None:
    """Everything that was measured, a panel each; the format is the path's suffix."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    by_name = {section.name: section for section in sections}
    panels: list[Any] = []
    ratios = [row for section in sections for row in section.rows if row.ratio is not None]
    if ratios:
        panels.append(lambda axes: _ratios(axes, ratios))
    if "training" in by_name:
        panels.append(lambda axes: _steps(axes, by_name["training"]))
    if "curves" in by_name:
        panels.append(lambda axes: _curves(axes, by_name["curves"].figures["losses"]))
    if "growth" in by_name:
        for axis, found in by_name["growth"].figures.items():
            panels.append(lambda axes, axis=axis, found=found: _growth(axes, axis, found))
    if not panels:
        return
    columns = min(3, len(panels))
    lines = -(-len(panels) // columns)
    figure, grid = plt.subplots(lines, columns, figsize=(5.2 * columns, 3.8 * lines), squeeze=False)
    for axes, draw in zip(grid.flat, panels, strict=False):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=INK, labelsize=8)
        draw(axes)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    figure.suptitle(title, fontsize=10, color=INK)
    figure.tight_layout()
    figure.savefig(path, dpi=140)
    plt.close(figure)


def _ratios(axes: Axes, rows: Sequence[Row]) -> None:
    names = [row.name.replace(", ", "\n", 1) for row in rows][::-1]
    values = [row.ratio or 0.0 for row in rows][::-1]
    axes.barh(names, values, color=OURS, height=0.6)
    for place, row in enumerate(reversed(rows)):
        axes.text(values[place], place, f" {values[place]:.2f}", va="center", fontsize=8, color=INK)
        if row.goal.replace(".", "", 1).isdecimal():
            goal = float(row.goal)
            axes.plot([goal, goal], [place - 0.4, place + 0.4], color=MIXED, lw=2)
    axes.axvline(1, color=REFERENCE, lw=1)
    axes.set_title("times better than the reference (orange: the goal)", fontsize=9)
    axes.tick_params(axis="y", labelsize=6.5)


def _steps(axes: Axes, section: Section) -> None:
    rows = section.rows[:2]
    names = ["reference\nfloat32", "avelzoo\nfloat32", "avelzoo\nbf16-mixed"]
    values = [rows[0].reference, rows[0].ours, rows[1].ours]
    axes.bar(names, [v or 0.0 for v in values], color=[REFERENCE, OURS, MIXED], width=0.6)
    for place, row in ((1, rows[0]), (2, rows[1])):
        axes.plot([place - 0.3, place + 0.3], [row.floor or 0.0] * 2, color=FLOOR, lw=2)
    axes.set_ylabel("seconds", fontsize=8)
    axes.set_title("a training step (green: arithmetic alone)", fontsize=9)


def _curves(axes: Axes, losses: dict[str, list[float]]) -> None:
    styles = {"reference": (REFERENCE, "-"), "reference, other dropout": (REFERENCE, ":")}
    styles |= {"float32": (OURS, "-"), "bf16-mixed": (MIXED, "-")}
    for name, values in losses.items():
        color, style = styles[name]
        axes.plot(range(1, len(values) + 1), values, style, color=color, lw=1.2, label=name)
    axes.set_title("loss curves", fontsize=9)
    axes.set_xlabel("step", fontsize=8)
    axes.legend(fontsize=7, frameon=False)


def _growth(axes: Axes, axis: str, found: dict[str, Any]) -> None:
    values = found["values"]
    axes.plot(values, found["median"], "o", color=OURS, ms=5)
    ends = [0, values[-1]]
    axes.plot(ends, [found["slope"] * x + found["intercept"] for x in ends], color=REFERENCE, lw=1)
    axes.set_xlim(0, None)
    axes.set_ylim(0, 1.15 * max(found["median"]))
    axes.set_title(f"a training step by {axis}, batch {found['batch']}", fontsize=9)
    axes.set_ylabel("seconds", fontsize=8)
