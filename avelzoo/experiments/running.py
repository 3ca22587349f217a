"""Execution of an experiment: plan, adopted runs, training within a budget, result files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avelzoo.components import LauncherConfig
from avelzoo.composition.experiment import Experiment
from avelzoo.experiments.adopting import adopt
from avelzoo.experiments.budget import Budget, Durations
from avelzoo.experiments.folder import BenchDir
from avelzoo.experiments.plan import BenchPlan
from avelzoo.experiments.request import BenchRequest, Cell, ResolvedExperiment
from avelzoo.experiments.resolving import resolve_experiment
from avelzoo.experiments.results import BenchResult
from avelzoo.experiments.writing import write_results
from avelzoo.plugin.host import PluginHost
from avelzoo.sweeps.plan import Plan, Trial
from avelzoo.sweeps.running import OnOutcome, described, finished, run_plan
from avelzoo.system.threads import usable_cores

if TYPE_CHECKING:
    from avelzoo.jobs import Outcome


@dataclass(frozen=True, kw_only=True)
class BenchSettings:
    """Settings of an experiment apart from what it runs.

    Attributes:
        launcher: launcher of the runs.
        device: ``auto``, ``cpu`` or ``cuda``.
        resume: resume the experiment in the folder.
        budget: minutes; None for no limit.
        adopt: run folders, or folders of them, to take instead of training again.
        command: command line, for the record.
    """

    launcher: LauncherConfig
    device: str = "auto"
    resume: bool = False
    budget: float | None = None
    adopt: Sequence[Path] = ()
    command: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """An experiment that is ready to run.

    Attributes:
        owner: qualified name of the experiment.
        resolved: its cells.
        plan: the plan.
        test_videos: number of test videos of each data set.
    """

    owner: str
    resolved: ResolvedExperiment
    plan: BenchPlan
    test_videos: Mapping[str, int] = field(default_factory=dict)

    @property
    def experiment(self) -> Experiment:
        """The declaration."""
        return self.resolved.experiment

    def trials(self) -> tuple[Trial, ...]:
        """All runs, seed by seed."""
        return self.resolved.trials()

    def data_of(self, trial: Trial) -> Mapping[str, str]:
        """Fingerprint of a run's data."""
        cell = self.plan.cells[trial.name.removesuffix(f"-s{trial.seed}")]
        return self.plan.data[cell["data"]]


def prepare(host: PluginHost, name: str, request: BenchRequest, *, command: Sequence[str]) -> Prepared:
    """Compose and check all cells and read the fingerprints of the data.

    Raises:
        AvelzooError: an experiment that cannot be run, or data that cannot be read.
    """
    from avelzoo.engine.record import versions

    registry = host.registry
    entry = registry.get("experiment", name)
    resolved = resolve_experiment(registry, entry.target(), request)
    data, videos, keys = _data(resolved.cells)
    entries = {
        f"{cell.name}.{slot}": found
        for cell in resolved.cells
        for slot, found in {**cell.composition.entries, "recipe": cell.composition.owner}.items()
    }
    plan = BenchPlan.of(
        entry.qualified,
        resolved,
        data=data,
        keys=keys,
        versions=versions(entries),
        request=request.to_dict() | {"seeds": len(resolved.seeds)},
        command=command,
    )
    return Prepared(owner=entry.qualified, resolved=resolved, plan=plan, test_videos=videos)


def run_experiment(
    host: PluginHost,
    prepared: Prepared,
    path: Path,
    settings: BenchSettings,
    *,
    on_outcome: OnOutcome | None = None,
) -> BenchResult:
    """Run the unfinished runs of an experiment, and write its tables.

    Args:
        host: host of components, launchers and listening plugins.
        prepared: the experiment.
        path: its folder; new, or with ``resume`` the folder of the same plan.
        settings: launcher, budget, adopted runs.
        on_outcome: called after each run.

    Raises:
        AvelzooError: no run could be started. Failed runs are part of the result.
    """
    folder = BenchDir(path)
    durations = Durations(prepared.resolved.seconds)
    minutes, side_by_side = settings.budget, workers(settings.launcher)
    budget = None if minutes is None else Budget(60 * minutes, durations, side_by_side)
    plan = folder.keep(prepared.plan, resume=settings.resume)
    trials = tuple(cell.trial(seed) for seed in plan.seeds for cell in prepared.resolved.cells)
    if settings.adopt:
        adopt(settings.adopt, trials, folder.sweep, {trial.name: prepared.data_of(trial) for trial in trials})
    sweep = Plan(
        axes=("row", "supervision", "features"),
        trials=trials,
        device=settings.device,
        launcher=described(host.registry, settings.launcher),
        plugins=tuple(map(str, host.files)),
        command=tuple(settings.command),
    )
    done = finished(folder.sweep, trials)
    by_name = {trial.name: trial for trial in trials}
    for name, result in done.items():
        durations.add(by_name[name], float(result["seconds"]))

    def heard(outcome: Outcome, over: int, of: int) -> None:
        if outcome.error is None:
            durations.add(by_name[outcome.job], outcome.seconds)
        if on_outcome is not None:
            on_outcome(outcome, over, of)

    swept = run_plan(
        sweep,
        folder.sweep,
        host=host,
        resume=folder.sweep.plan.exists(),
        on_outcome=heard,
        batches=None if budget is None else budget.batches,
    )
    failed = {failure.run: str(failure.error["problem"]) for failure in swept.failures}
    left_out = () if budget is None else tuple(budget.left_out)
    return write_results(host.registry, prepared, plan, folder, failed=failed, left_out=left_out)


def expected_seconds(prepared: Prepared, launcher: LauncherConfig, path: Path | None = None) -> float | None:
    """Expected time of the unfinished runs, from finished ones or the edition's typical time; None if unknown."""
    durations = Durations(prepared.resolved.seconds)
    trials = prepared.trials()
    done = {} if path is None else finished(BenchDir(path).sweep, trials)
    for trial in trials:
        if trial.name in done:
            durations.add(trial, float(done[trial.name]["seconds"]))
    return durations.total([trial for trial in trials if trial.name not in done], workers(launcher))


def workers(launcher: LauncherConfig) -> int:
    """Number of runs that a launcher starts side by side on this machine."""
    if not launcher.isolated:
        return 1
    count: int | None = getattr(launcher, "workers", None)
    return count or usable_cores()


def _data(cells: Sequence[Cell]) -> tuple[dict[str, dict[str, str]], dict[str, int], dict[str, str]]:
    """Fingerprint and number of test videos of every data set, and the data set of every cell."""
    from avelzoo.system.isolation import isolated

    data: dict[str, dict[str, str]] = {}
    videos: dict[str, int] = {}
    keys: dict[str, str] = {}
    known: dict[Any, str] = {}
    with isolated():
        for cell in cells:
            config = cell.composition.recipe.dataset
            if (config, cell.supervision) not in known:
                opened = config.open(cell.supervision)
                key = "-".join(filter(None, (cell.supervision, cell.features.name)))
                key = key if key not in data else cell.name
                known[config, cell.supervision] = key
                data[key] = dict(opened.fingerprint())
                videos[key] = len(opened.split("test"))
            keys[cell.name] = known[config, cell.supervision]
    return data, videos, keys
