"""The overview: verdict, scores with floors and intervals, cost, and signatures."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from avelzoo.charts import IntervalRow, Reference, interval_chart
from avelzoo.comparing import Comparison
from avelzoo.comparing.comparison import Row
from avelzoo.components import LEAK_MARK, LEAK_NOTE
from avelzoo.errors import some
from avelzoo.reporting.blocks import (
    Block,
    Cell,
    DataTable,
    Panel,
    count_cell,
    interval_cell,
    number_cell,
    percent_cell,
    sentence_case,
    text_cell,
)
from avelzoo.reporting.drawing import picture
from avelzoo.reporting.runs import ReportRun, ReportRuns

MEASURED = (
    ("segment accuracy", "segment_accuracy"),
    ("floor: background everywhere", "floors.background"),
    ("floor: its own category in every segment", "floors.own_category_all_event"),
    ("floor: the true category in every segment", "floors.category_oracle_all_event"),
    ("video category accuracy", "category_accuracy"),
    ("event/background balanced accuracy", "foreground_background.balanced_accuracy"),
    ("segment IoU where the category is right", "localization.segment_iou"),
    ("segment accuracy on partial events", "partial_event.segment_accuracy"),
    ("event F1 at IoU 0.5", "event_f1_iou50"),
    ("event F1 at IoU 0.5, mean over thresholds", "ranking.event_f1_mean"),
    ("event/background AUROC", "ranking.auroc"),
    ("mean over categories", "macro.segment_accuracy"),
    ("expected calibration error", "calibration.expected_error"),
)
"""Rows of the table of scores: title and dotted name; references follow the floors."""
WIDE = 4
"""Systems that have a column each; more have a row each."""


def panel(found: ReportRuns, comparisons: Sequence[Comparison]) -> Panel:
    """The panel: one verdict and chart for each set of videos, then scores and costs of all systems."""
    blocks = [block for one in comparisons for block in _compared(one, several=len(comparisons) > 1)]
    blocks += [_scores(found), _costs(found), _signatures(found, comparisons)]
    if found.notes:
        blocks.append(Block(heading="Notes", items=list(found.notes)))
    return Panel(id="overview", title="Overview", shared=blocks)


def _compared(found: Comparison, *, several: bool) -> list[Block]:
    heading = f"Result on {found.videos:,} videos ({found.data})" if several else "Result"
    rows = [_chart_row(row) for row in found.rows]
    draw = partial(
        interval_chart,
        rows,
        title=f"{sentence_case(found.title)} on test, %",
        description=" ".join(found.sentences()),
        floors=_floors(found.rows),
        unit="%",
    )
    return [
        Block(heading=heading, items=list(found.sentences())),
        Block(
            heading="Systems, floors and intervals",
            text=[_legend(found)],
            picture=picture(lambda width: draw(width=width)),
            tables=[_rows(found)],
        ),
    ]


def _legend(found: Comparison) -> str:
    words = f"Dots are means over runs, bars {100 * found.level:g} % intervals ({_methods(found.rows)})."
    if any(row.letter for row in found.rows) and len(found.rows) > 1:
        words += " Systems that share a letter cannot be separated on these videos."
    if any(row.leaks_duration for row in found.rows):
        words += f" {LEAK_MARK} {LEAK_NOTE}"
    return words


def _methods(rows: Sequence[Row]) -> str:
    """How the intervals were made; with the systems of each way if there are several."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.interval.method, []).append(row.name)
    return next(iter(found)) if len(found) == 1 else "; ".join(f"{way}: {some(who)}" for way, who in found.items())


def _chart_row(row: Row) -> IntervalRow:
    value, low, high = (100 * v for v in (row.mean, row.interval.low, row.interval.high))
    return IntervalRow(_name(row), round(value, 2), round(low, 2), round(high, 2), note=row.letter)


def _name(row: Row) -> str:
    return f"{row.name} {LEAK_MARK}" if row.leaks_duration else row.name


def _floors(rows: Sequence[Row]) -> list[Reference]:
    known = [row.floors for row in rows if row.floors is not None]
    if not known:
        return []
    own = [floor.own_category for floor in known if floor.own_category is not None]
    found = [Reference("floor: true category everywhere", round(100 * known[0].category_oracle, 2))]
    if own and not math.isclose(max(own), known[0].category_oracle, abs_tol=5e-4):
        found.append(Reference("highest floor: own category everywhere", round(100 * max(own), 2)))
    return found


def _rows(found: Comparison) -> DataTable:
    letters = len(found.rows) > 1 and any(row.letter for row in found.rows)
    columns = ["system", "runs", found.title, "std", "interval", "floor: own category", "gain over it"]
    columns += ["letter"] if letters else []
    rows = [
        [
            text_cell(_name(row)),
            count_cell(row.runs),
            percent_cell(row.mean, 2),
            percent_cell(row.std, 2),
            interval_cell(row.interval, 2),
            percent_cell(row.floors.own_category if row.floors else None, 2),
            percent_cell(row.gain.value if row.gain else None, 2),
            *([text_cell(row.letter)] if letters else []),
        ]
        for row in found.rows
    ]
    return DataTable(
        caption=f"{sentence_case(found.title)} in percent, {found.videos:,} videos",
        columns=columns,
        rows=rows,
        numeric=frozenset(range(1, 7)),
        note=f"Interval: {100 * found.level:g} %. Std: over runs.",
    )


def value_of(scores: Mapping[str, Any], dotted: str) -> float | None:
    """A score by its dotted name; None if it is missing."""
    value: Any = scores
    for name in dotted.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return None if value is None else float(value)


def _scores(found: ReportRuns) -> Block:
    systems = found.systems
    references: list[str] = list(dict.fromkeys(n for run in found.runs for n in run.scores.get("references", {})))
    measured = [
        *MEASURED[:4],
        *(_reference(name) for name in references),
        *MEASURED[4:],
    ]
    rows = []
    for title, dotted in measured:
        spreads = [[value_of(run.scores, dotted) for run in runs] for runs in systems.values()]
        if any(v is not None for values in spreads for v in values):
            rows.append([text_cell(title), *(_spread(values) for values in spreads)])
    several = any(len(runs) > 1 for runs in systems.values())
    columns: list[str] = ["score", *systems]
    if len(systems) > WIDE:  # a row for each system
        columns = ["system", *(row[0].text for row in rows)]
        rows = [[text_cell(name), *(row[i] for row in rows)] for i, name in enumerate(systems, start=1)]
    return Block(
        heading="All scores",
        tables=[
            DataTable(
                caption="Scores on test, in percent" + (": mean ± standard deviation over runs" if several else ""),
                columns=columns,
                rows=rows,
                numeric=frozenset(range(1, len(columns))),
                behind=False,
            )
        ],
    )


def _reference(name: str) -> tuple[str, str]:
    return f"reference: {name.replace('_', '-')}", f"references.{name}"


def _spread(values: Sequence[float | None]) -> Cell:
    known = [value for value in values if value is not None]
    if not known:
        return number_cell(None)
    mean = 100 * statistics.fmean(known)
    spread = f" ± {100 * statistics.stdev(known):.1f}" if len(known) > 1 else ""
    return Cell(f"{mean:.1f}{spread}", mean)


def _costs(found: ReportRuns) -> Block:
    rows = [_cost(run) for run in found.runs]
    return Block(
        heading="Runs and their cost",
        tables=[
            DataTable(
                caption="Runs: chosen epoch, score, optimism gap and cost",
                columns=(
                    *("run", "epoch", "val %", "test %", "optimism gap"),
                    *("parameters", "seconds", "s/epoch", "memory MiB", "device"),
                ),
                rows=rows,
                numeric=frozenset(range(1, 9)),
                behind=False,
                note="Optimism gap: points that choosing the epoch on test would add.",
            )
        ],
    )


def _cost(run: ReportRun) -> list[Cell]:
    result = run.stored.result
    gap = result.get("optimism_gap")
    return [
        text_cell(run.name),
        count_cell(result["best_epoch"]),
        percent_cell(value_of(result["scores"], "val.segment_accuracy")),
        percent_cell(run.scores["segment_accuracy"]),
        number_cell(None if gap is None else 100 * gap, 2),
        count_cell(result["parameters"]),
        count_cell(round(result["seconds"])),
        number_cell(result["seconds_per_epoch"], 1),
        number_cell(result.get("peak_memory_mb"), 0),
        text_cell(result["device"]),
    ]


def _signatures(found: ReportRuns, comparisons: Sequence[Comparison]) -> Block:
    known = {name: text for one in comparisons for name, text in one.signatures.items()}
    return Block(
        heading="Signatures",
        text=[
            "How each score was measured, for the command avelzoo audit. Only scores with equal data hashes compare."
        ],
        facts=[(name, known[name]) for name in found.systems if name in known],
        left_out="" if known else "Left out: the runs do not state how they were measured.",
    )
