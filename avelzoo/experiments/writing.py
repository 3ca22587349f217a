"""Result files of an experiment, written from its finished runs or from its own files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from avelzoo.experiments.assessing import assess
from avelzoo.experiments.figures import EMBEDDING, charts, embedding_chart
from avelzoo.experiments.folder import BenchDir
from avelzoo.experiments.plan import BenchPlan
from avelzoo.experiments.resolving import published_scores
from avelzoo.experiments.results import BenchResult
from avelzoo.experiments.runs import Measured, load_arrays, read_runs, save_arrays
from avelzoo.experiments.tables import latex, markdown, to_csv
from avelzoo.plugin.registry import Registry
from avelzoo.sweeps.running import finished
from avelzoo.system.files import read_json, write_bytes, write_json

if TYPE_CHECKING:
    from avelzoo.experiments.running import Prepared


def write_results(
    registry: Registry,
    prepared: Prepared,
    plan: BenchPlan,
    folder: BenchDir,
    *,
    failed: Mapping[str, str] | None = None,
    left_out: Sequence[str] = (),
) -> BenchResult:
    """Gather the finished runs of an experiment and write its files."""
    trials = [cell.trial(seed) for seed in plan.seeds for cell in prepared.resolved.cells]
    done = finished(folder.sweep, trials)
    cells: dict[str, list[Path]] = {}
    for trial in trials:
        if trial.name in done:
            cells.setdefault(trial.name.removesuffix(f"-s{trial.seed}"), []).append(folder.sweep.run(trial))
    measured = read_runs(cells, done)
    result = assess(
        prepared.experiment,
        plan,
        measured,
        published_scores(registry, prepared.experiment),
        summary=prepared.resolved.summary,
        failed=failed,
        left_out=left_out,
    )
    save_arrays(folder.predictions, measured)
    write_tables(folder, result)
    if result.figure == "embedding" and cells:
        run = next(iter(cells.values()))[0]
        title = f"{result.title}: {run.name}"
        write_bytes(folder.figure(EMBEDDING), embedding_chart(registry, run, title=title).encode())
    return result


def recompute(registry: Registry, path: Path) -> BenchResult:
    """Compute every number again from ``plan.json``, ``results.json`` and ``predictions.npz``, without the runs.

    Raises:
        RunError: a file is missing, damaged or changed.
    """
    folder = BenchDir(path)
    plan = folder.load()
    stored = BenchResult.from_dict(read_json(path, folder.results.name), where=str(folder.results))
    experiment = registry.get("experiment", plan.experiment).target()
    result = assess(
        experiment,
        plan,
        measured_of(folder, stored),
        published_scores(registry, experiment),
        summary=stored.summary,
        failed=stored.failed,
        left_out=stored.left_out,
    )
    write_tables(folder, result)
    return result


def measured_of(folder: BenchDir, stored: BenchResult) -> Measured:
    """The runs' records and predictions of a folder's files."""
    cells = {cell.name: {"runs": cell.runs, "data": cell.data} for table in stored.tables for cell in table.cells}
    return load_arrays(folder.predictions, {name: cell for name, cell in cells.items() if cell["runs"]})


def write_tables(folder: BenchDir, result: BenchResult) -> None:
    """Write the result as JSON, its tables as Markdown, LaTeX and CSV, and its charts."""
    write_json(folder.results, result.to_dict())
    for name, text in charts(result):
        write_bytes(folder.figure(name), text.encode())
    for ending, text in (("md", markdown(result)), ("tex", latex(result)), ("csv", to_csv(result))):
        write_bytes(folder.table(ending), text.encode())
