"""Experiments on the terminal: declarations, plans and results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from avelzoo.cli import render
from avelzoo.cli.options import as_text
from avelzoo.components import LauncherConfig
from avelzoo.composition.experiment import Experiment, ExperimentRow
from avelzoo.plugin.registry import Registry

if TYPE_CHECKING:
    from rich.table import Table

    from avelzoo.composition.recipe import Published
    from avelzoo.experiments.results import BenchResult
    from avelzoo.experiments.running import Prepared


def described(registry: Registry, experiment: Experiment) -> dict[str, Any]:
    """The declaration of an experiment as plain data."""
    from avelzoo.experiments.resolving import published_scores

    published = published_scores(registry, experiment)
    rows = [
        {
            "name": row.name,
            "title": row.title,
            "recipe": row.recipe,
            "choices": dict(row.choices),
            "options": dict(row.options),
            "x": row.x,
            "published": [asdict(score) for score in published[row.name]],
        }
        for row in experiment.rows
    ]
    editions = [asdict(edition) for edition in experiment.editions]
    return {
        "rows": rows,
        "editions": editions,
        "reference": experiment.reference,
        "figure": experiment.figure,
        "axis": experiment.axis,
        "facts": list(experiment.facts),
    }


def rows_table(data: Mapping[str, Any]) -> Table:
    """Rows of an experiment with their recipes, overrides and published scores."""
    settings = list(
        dict.fromkeys((score["supervision"], score["features"]) for row in data["rows"] for score in row["published"])
    )
    lines = []
    for row in data["rows"]:
        scores = {(score["supervision"], score["features"]): score["segment_accuracy"] for score in row["published"]}
        changes = [*(f"{slot}={name}" for slot, name in row["choices"].items())]
        changes += [f"{path}={as_text(value)}" for path, value in row["options"].items()]
        texts = [render.percent(scores.get(setting)) for setting in settings]
        lines.append([row["name"], row["title"], " ".join([row["recipe"], *changes]), *texts])
    columns = [f"{supervision}, {features.removeprefix('VGG-19 + ')} %" for supervision, features in settings]
    title = "rows, with published segment accuracy" if settings else "rows"
    return render.table(("row", "title", "recipe and changes", *columns), lines, title=title, right=columns)


def overrides_text(row: ExperimentRow) -> str:
    """Recipe and changes of a row in one line."""
    slots = [f"{slot}={name}" for slot, name in row.choices.items()]
    return " ".join([row.recipe, *slots, *(f"{path}={as_text(value)}" for path, value in row.options.items())])


def plan_data(registry: Registry, prepared: Prepared, seconds: float | None) -> dict[str, Any]:
    """The plan as plain data: rows with their published scores, runs, expected time, power, hash."""
    trials = prepared.trials()
    rows = dict.fromkeys(cell.row.name for cell in prepared.resolved.cells)
    published = published_of(registry, prepared)
    return prepared.plan.to_dict() | {
        "summary": prepared.resolved.summary,
        "published": {name: [asdict(score) for score in published[name]] for name in rows},
        "runs": [{"name": trial.name, "seed": trial.seed} for trial in trials],
        "expected_seconds": seconds,
        "power": power_rows(prepared),
    }


def power_rows(prepared: Prepared) -> list[dict[str, Any]]:
    """Smallest difference that each test set shows in 80 % of cases, by the share of videos that differ."""
    from avelzoo.statistics import assumed_deviation, minimum_detectable_difference

    return [
        {
            "videos": videos,
            "differing_videos": share,
            "minimum_detectable": minimum_detectable_difference(assumed_deviation(share, SIZE), videos),
        }
        for videos in dict.fromkeys(prepared.test_videos.values())
        for share in SHARES
    ]


SHARES = (0.1, 0.3)
SIZE = 0.3
"""Assumed share of videos with different scores, and their difference: 3 of 10 segments."""


def print_plan(registry: Registry, prepared: Prepared, launcher: LauncherConfig, seconds: float | None) -> None:
    """Print the plan of an experiment."""
    out = render.console()
    resolved = prepared.resolved
    titles = {cell.row.name: cell.row for cell in resolved.cells}
    rows = [(row.name, row.title, overrides_text(row)) for row in titles.values()]
    out.print(render.table(("row", "title", "recipe and changes"), rows, title=prepared.experiment.title))
    if published := _published(registry, prepared):
        out.print(published)
    settings = dict.fromkeys("-".join(filter(None, (cell.supervision, cell.features.name))) for cell in resolved.cells)
    detectable = [
        f"{100 * one['minimum_detectable']:.1f} points if {one['differing_videos']:.0%} of the {one['videos']} test"
        f" videos differ by {SIZE:.0%} of their segments"
        for one in power_rows(prepared)
    ]
    out.print(
        render.fields(
            {
                "edition": f"{resolved.edition.name}: {resolved.summary}",
                "settings": ", ".join(settings),
                "seeds": ", ".join(map(str, resolved.seeds)),
                "runs": f"{len(prepared.trials())} with the launcher {launcher_name(launcher)}",
                "expected time": _expected(seconds),
                "detectable": "\n".join(detectable),
                "plan": prepared.plan.hash,
            }
        )
    )


def _published(registry: Registry, prepared: Prepared) -> Table | None:
    """Published scores of the plan's rows and settings; None if there are none."""
    cells = prepared.resolved.cells
    scores = published_of(registry, prepared)
    asked = {cell.supervision for cell in cells}
    names = list(dict.fromkeys(cell.row.name for cell in cells))
    settings = dict.fromkeys((s.supervision, s.features) for n in names for s in scores[n] if s.supervision in asked)
    if not settings:
        return None
    rows = []
    for name in names:
        known = {(one.supervision, one.features): one.segment_accuracy for one in scores[name]}
        rows.append([name, *(render.percent(known.get(setting)) for setting in settings)])
    columns = [f"{supervision}, {features.removeprefix('VGG-19 + ')} %" for supervision, features in settings]
    return render.table(("row", *columns), rows, title="published segment accuracy", right=columns)


def published_of(registry: Registry, prepared: Prepared) -> Mapping[str, Sequence[Published]]:
    """Published scores of every row of a plan."""
    from avelzoo.experiments.resolving import published_scores

    return published_scores(registry, prepared.experiment)


def _expected(seconds: float | None) -> str:
    """Expected time, what it is, and how to limit it."""
    if seconds is None:
        return duration(seconds)
    return (
        f"about {duration(seconds)}: an estimate for free cores, replaced by measured times once runs have finished\n"
        "--budget MINUTES starts only runs that end in time; --launcher local runs several at once"
    )


def launcher_name(launcher: LauncherConfig) -> str:
    """The launcher's class as a short name."""
    return type(launcher).__name__.removesuffix("Config").lower()


def duration(seconds: float | None) -> str:
    """Time in words."""
    if seconds is None:
        return "unknown until the first run has finished"
    return (
        f"{seconds:.0f} s"
        if seconds < 90
        else f"{seconds / 60:.0f} min"
        if seconds < 5400
        else f"{seconds / 3600:.1f} h"
    )


def print_result(result: BenchResult, path: str, *, stderr: bool) -> None:
    """Print the tables of a result and the paths of its files."""
    from avelzoo.experiments.tables import footnotes, narrow_tables

    out = render.console(stderr=stderr)
    for table in narrow_tables(result):
        out.print(render.table(table.columns, table.rows, title=table.title, right=table.columns[1:]))
        if table.notes:
            out.print("\n".join(table.notes) + "\n")
    for note in footnotes(result):
        out.print(note)
    for name, problem in result.failed.items():
        out.print(render.fields({"failed": name, "problem": problem}))
    if result.left_out:
        again = f"avelzoo bench {path} --resume"
        out.print(f"{len(result.left_out)} runs would not end within the budget; to run them: {again}")
    out.print(render.fields({"folder": path}))
