"""From measured runs to the numbers of a table: intervals, paired tests, floors, published scores, costs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from avelzoo.comparing.comparing import compare
from avelzoo.comparing.comparison import Comparison, Pair
from avelzoo.comparing.signing import signature_of
from avelzoo.comparing.systems import System
from avelzoo.composition.experiment import Experiment
from avelzoo.composition.recipe import Published
from avelzoo.experiments.claims import claims
from avelzoo.experiments.plan import BenchPlan
from avelzoo.experiments.results import BenchResult, CellResult, Difference, Score, TableResult
from avelzoo.experiments.runs import KEPT, CellRuns, Measured, RunRecord, records

MARGIN = 0.01
"""Differences within +- one point count as practically equal."""

PublishedScores = Mapping[str, tuple[Published, ...]]
"""Published scores by the name of the row."""


@dataclass(frozen=True, eq=False)
class _Sources:
    """What the tables of an experiment are made from."""

    experiment: Experiment
    plan: BenchPlan
    measured: Measured
    published: PublishedScores


def assess(
    experiment: Experiment,
    plan: BenchPlan,
    measured: Measured,
    published: PublishedScores,
    *,
    summary: str,
    failed: Mapping[str, str] | None = None,
    left_out: Sequence[str] = (),
) -> BenchResult:
    """Compute every number of an experiment from its runs.

    Args:
        experiment: the declaration.
        plan: the plan.
        measured: the finished runs.
        published: published scores of the rows.
        summary: description of the edition.
        failed: failed runs and their problems.
        left_out: runs that the budget left out.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for name, cell in plan.cells.items():
        groups.setdefault((cell["supervision"], cell["features"]), []).append(name)
    edition = next((e for e in experiment.editions if e.name == plan.edition), None)
    settings = {one.name: one.published for one in edition.features} if edition else {}
    tables = [
        _table(_Sources(experiment, plan, measured, published), names, settings.get(features, ""))
        for (_, features), names in groups.items()
    ]
    return BenchResult(
        experiment=plan.experiment,
        title=experiment.title,
        paper=experiment.paper,
        source=experiment.source,
        edition=plan.edition,
        summary=summary,
        reference=experiment.reference,
        figure=experiment.figure,
        axis=experiment.axis,
        facts=experiment.facts,
        plan=plan.hash,
        first_plan=plan.first_hash,
        written=plan.written,
        amendments=tuple({"what": one.what, "hash": one.hash} for one in plan.amendments),
        command=plan.command,
        versions=plan.versions,
        data=plan.data,
        planned=len(plan.cells) * len(plan.seeds),
        tables=tuple(tables),
        failed=dict(failed or {}),
        left_out=tuple(left_out),
    )


def _table(sources: _Sources, names: Sequence[str], published_features: str) -> TableResult:
    experiment, plan, measured = sources.experiment, sources.plan, sources.measured
    supervision, features = (plan.cells[names[0]][key] for key in ("supervision", "features"))
    there = [measured.cells[name] for name in names if name in measured.cells]
    compared = _compared(plan, measured, there)
    scores = {
        name: _scores(sources.published.get(plan.cells[name]["row"], ()), supervision, published_features)
        for name in names
    }
    reference = next((name for name in names if plan.cells[name]["row"] == experiment.reference), "")
    cells = []
    for name in names:
        row = experiment.row(plan.cells[name]["row"])
        cell = CellResult(
            name=name,
            row=row.name,
            title=row.title,
            supervision=supervision,
            features=features,
            x=row.x,
            composition=plan.cells[name]["composition"],
            published=_with_differences(scores[name], scores.get(reference, ()) if name != reference else ()),
        )
        if name in measured.cells:
            cell = _measured(cell, measured, plan, compared, reference)
        cells.append(cell)
    table = TableResult(supervision=supervision, features=features, cells=tuple(cells))
    if not compared:
        return table
    first = next(iter(compared.values()))
    floors = first.rows[0].floors
    return replace(
        table,
        videos=first.videos,
        background=floors.background if floors else None,
        category_oracle=floors.category_oracle if floors else None,
        references=dict(there[0].runs[0].references),
        claims=tuple(claims(table, first, experiment)) if len(compared) == 1 else (),
        comparison=first.to_dict() if len(compared) == 1 and len(first.rows) > 1 else {},
    )


def _compared(plan: BenchPlan, measured: Measured, there: Sequence[CellRuns]) -> dict[str, Comparison]:
    """A comparison of the cells on each test split; one, unless rows have data of their own."""
    groups: dict[str, list[System]] = {}
    for cell in there:
        system = System(
            name=plan.cells[cell.name]["row"],
            segments=cell.segments,
            category=cell.category,
            seeds=tuple(run.seed for run in cell.runs),
            leaks_duration=any(run.leaks_duration for run in cell.runs),
        )
        groups.setdefault(cell.data, []).append(system)
    return {
        data: compare(systems, measured.labelled[data].truth, measured.labelled[data].video_ids, margin=MARGIN)
        for data, systems in groups.items()
    }


def _measured(
    cell: CellResult, measured: Measured, plan: BenchPlan, compared: Mapping[str, Comparison], reference: str
) -> CellResult:
    own = measured.cells[cell.name]
    comparison, labelled = compared[own.data], measured.labelled[own.data]
    row = comparison.row(cell.row)
    first: RunRecord = own.runs[0]
    difference = None
    if reference not in ("", cell.name) and reference in measured.cells and measured.cells[reference].data == own.data:
        difference = _difference(comparison.pair(cell.row, plan.cells[reference]["row"]), cell.row)
    return replace(
        cell,
        seeds=row.seeds,
        mean=row.mean,
        std=row.std,
        low=row.interval.low,
        high=row.interval.high,
        values=row.values,
        measures={
            key: value for key in KEPT[1:] if (value := _mean([run.test.get(key) for run in own.runs])) is not None
        },
        own_category=row.floors.own_category if row.floors else None,
        gain=row.gain.value if row.gain else None,
        letter=row.letter,
        optimism_gap=_mean([run.optimism_gap for run in own.runs]),
        difference=difference,
        parameters=first.parameters,
        seconds_per_epoch=_mean([run.seconds_per_epoch for run in own.runs]),
        seconds=_mean([run.seconds for run in own.runs]),
        peak_memory_mb=_mean([run.peak_memory_mb for run in own.runs]),
        device=first.device,
        weak_protocol=first.weak_protocol,
        leaks_duration=row.leaks_duration,
        signature=str(
            signature_of(
                cell.composition["slots"],
                cell.supervision,
                "test",
                (labelled.video_ids, labelled.truth),
                interval=row.interval.method,
                seeds=len(own.runs),
            )
        ),
        data=own.data,
        runs=tuple(records(own)),
    )


def _difference(pair: Pair, row: str) -> Difference:
    sign = 1 if pair.first == row else -1
    ends = sorted((sign * pair.difference.low, sign * pair.difference.high))
    return Difference(
        value=sign * pair.difference.value,
        low=ends[0],
        high=ends[1],
        p=_finite(pair.adjusted_p),
        separated=pair.separated,
        practically_equal=pair.practically_equal,
        minimum_detectable=pair.minimum_detectable,
    )


def _scores(published: Sequence[Published], supervision: str, features: str) -> tuple[Score, ...]:
    """Published scores under a supervision, of the same features if the table has any."""
    return tuple(
        Score(value=one.segment_accuracy, features=one.features, source=one.source)
        for one in published
        if one.supervision == supervision and features in ("", one.features)
    )


def _with_differences(scores: Sequence[Score], reference: Sequence[Score]) -> tuple[Score, ...]:
    by_features = {score.features: score.value for score in reference}
    return tuple(
        replace(score, difference=score.value - by_features[score.features]) if score.features in by_features else score
        for score in scores
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
