"""Charts of an experiment: intervals of every table, the curve of a sweep, the map of embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from avelzoo.charts import (
    IntervalRow,
    Point,
    Reference,
    Series,
    interval_chart,
    line_chart,
)
from avelzoo.charts.interval import split_far
from avelzoo.experiments.results import BenchResult, TableResult

if TYPE_CHECKING:
    from avelzoo.plugin.registry import Registry

CURVE = "curve"
EMBEDDING = "embedding"
SPLIT = "test"
MAP = 720.0
"""Width of the map of embeddings, in pixels."""


def charts(result: BenchResult) -> Iterator[tuple[str, str]]:
    """Name and SVG text of every chart that needs the result alone."""
    for table in result.tables:
        if table.videos and len(table.cells) > 1:
            yield "-".join(filter(None, ("accuracy", table.supervision, table.features))), _intervals(result, table)
    if result.figure == "line" and any(table.videos for table in result.tables):
        yield CURVE, _curve(result)


def embedding_chart(registry: Registry, run: Path, *, title: str, device: str = "auto") -> str:
    """A t-SNE map of a run's fused test features: dots for event segments, crosses for background.

    Raises:
        UsageError: scikit-learn is not installed.
    """
    from avelzoo.engine import load_run
    from avelzoo.engine.embeddings import embeddings
    from avelzoo.reporting.map import map_chart
    from avelzoo.reporting.projection import project

    found = embeddings(load_run(run, registry), SPLIT, device=device)
    features, category, event = found.points()
    projection = project(features, method="t-sne")
    names = (*found.categories, "no event")
    spots = [
        (float(x), float(y), int(k), bool(is_event), f"{names[k]}, {'event' if is_event else 'background'}")
        for (x, y), k, is_event in zip(projection.points, category, event, strict=True)
    ]
    return map_chart(
        spots,
        found.categories,
        title=title,
        description=f"{projection.words}. Dots are event segments, crosses background segments, coloured by the"
        " category of their video.",
        width=MAP,
    )


def _intervals(result: BenchResult, table: TableResult) -> str:
    rows = [
        IntervalRow(
            label=cell.title,
            value=_percent(cell.mean),
            low=_percent(cell.low),
            high=_percent(cell.high),
            note=cell.letter,
        )
        for cell in table.cells
    ]
    floors = [Reference("background everywhere", round(100 * (table.background or 0.0), 1))]
    floors += [Reference("true category everywhere", round(100 * (table.category_oracle or 0.0), 1))]
    setting = " ".join(filter(None, (f"{table.supervision} supervision", table.features)))
    return interval_chart(
        rows,
        title=f"{result.title[:1].upper()}{result.title[1:]}, {setting}",
        description=" ".join(table.claims) or f"Segment accuracy on {table.videos} test videos.",
        floors=floors,
        label="segment accuracy on test, with 95 % interval over videos and seeds",
    )


def _curve(result: BenchResult) -> str:
    series = [
        Series(
            label=" ".join(filter(None, (table.supervision, table.features))),
            points=[
                Point(cell.x or 0.0, _percent(cell.mean), _percent(cell.low), _percent(cell.high))
                for cell in table.cells
            ],
        )
        for table in result.tables
        if table.videos
    ]
    said = " ".join(claim for table in result.tables for claim in table.claims)
    values = [value for one in series for point in one.points for value in (point.y, point.low, point.high)]
    oracles = {table.category_oracle for table in result.tables if table.videos}
    floors = [
        Reference("true category everywhere", _percent(oracle) or 0.0) for oracle in sorted(filter(None, oracles))
    ]
    return line_chart(
        series,
        title=f"Accuracy over {result.axis}",
        description=said or f"Segment accuracy over {result.axis}.",
        x_label=result.axis,
        y_label="segment accuracy on test, %",
        bands=False,
        references=split_far(values, floors)[0],
        x_ticks=sorted({point.x for one in series for point in one.points}),
    )


def _percent(value: float | None) -> float | None:
    return None if value is None else 100 * value
