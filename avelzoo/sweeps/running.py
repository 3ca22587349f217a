"""Execution of a plan, from the first job to the table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from typing import Any

from avelzoo.components import LauncherConfig
from avelzoo.composition.provenance import require_shareable
from avelzoo.composition.resolving import from_dict
from avelzoo.errors import RunError, UsageError
from avelzoo.jobs import Job, Outcome
from avelzoo.plugin.default import add_files, as_default
from avelzoo.plugin.host import PluginHost
from avelzoo.plugin.registry import Registry
from avelzoo.sweeps.folder import SweepDir
from avelzoo.sweeps.plan import Plan, Trial
from avelzoo.sweeps.results import Failure, SweepResult, summarise
from avelzoo.sweeps.work import CALL

OnOutcome = Callable[[Outcome, int, int], None]
"""Called after each run with its outcome, the number of finished runs and the number of all runs."""


Batches = Callable[[Sequence[Trial]], Iterable[Sequence[Trial]]]
"""Splits unfinished trials into batches; the next batch starts when the last one has ended, and the rest never."""


def launcher_of(registry: Registry, described: Mapping[str, Any]) -> LauncherConfig:
    """The launcher with this name and these options.

    Raises:
        UsageError: the launcher or an option does not exist.
    """
    config: LauncherConfig = registry.get("launcher", described["name"]).target.from_dict(described["options"])
    return config


def described(registry: Registry, config: LauncherConfig) -> dict[str, Any]:
    """Name and options of a launcher, for a plan."""
    entry = registry.entry_of(config)
    if entry is None:
        raise UsageError(
            f"the launcher {type(config).__name__} is not registered",
            expected=", ".join(registry.names("launcher")),
            fix="register it in a plugin, so that the sweep can be resumed",
        )
    return {"name": entry.qualified, "options": config.to_dict()}


def run_plan(
    plan: Plan,
    folder: SweepDir,
    *,
    host: PluginHost,
    resume: bool = False,
    on_outcome: OnOutcome | None = None,
    batches: Batches | None = None,
) -> SweepResult:
    """Run the unfinished trials of a plan and gather all results.

    Args:
        plan: the plan.
        folder: sweep folder; new, or with ``resume`` the folder of the same sweep.
        host: host of components, launchers and listening plugins.
        resume: resume the sweep in the folder.
        on_outcome: called after each run.
        batches: chooses which unfinished trials start, and when; None to start all at once.

    Raises:
        AvelzooError: no run could be started. Failed runs are part of the result.
    """
    from avelzoo.engine import RunDir
    from avelzoo.system.isolation import isolated

    config = launcher_of(host.registry, plan.launcher)
    if config.isolated:
        require_shareable(host.registry, (trial.composition for trial in plan.trials))
    launcher = config.build()
    add_files(plan.plugins, host)
    with isolated():
        _require_data(plan, host.registry, folder)
    with as_default(host), RunDir(folder.path).claimed():
        plan = folder.keep(plan, resume=resume)
        results = finished(folder, plan.trials)
        known = _held(results.values())
        waiting = [trial for trial in plan.trials if trial.name not in results]
        failures: list[Failure] = []
        over = len(results)
        try:
            for batch in [waiting] if batches is None else batches(waiting):
                with closing(launcher.launch([_job(plan, folder, trial, known) for trial in batch])) as outcomes:
                    for outcome in outcomes:
                        over += 1
                        if outcome.error is not None:
                            log = folder.path / "logs" / f"{outcome.job}.log"
                            failures.append(Failure(outcome.job, outcome.error, str(log) if log.exists() else None))
                        if on_outcome is not None:
                            on_outcome(outcome, over, len(plan.trials))
        finally:
            result = _gather(plan, folder, failures)
    return result


def _gather(plan: Plan, folder: SweepDir, failures: Sequence[Failure]) -> SweepResult:
    from avelzoo.system.files import write_bytes, write_json

    result = summarise(str(folder.path), plan, finished(folder, plan.trials), failures)
    write_json(folder.results, result.to_dict())
    write_bytes(folder.table, f"{result}\n".encode())
    return result


def finished(folder: SweepDir, trials: Iterable[Trial]) -> dict[str, dict[str, Any]]:
    """Results of finished trials by name. Unreadable results are skipped; the trial itself reports them."""
    from avelzoo.engine import RunDir, RunResult

    found = {}
    for trial in trials:
        run = RunDir(folder.run(trial))
        if run.result.exists():
            with suppress(RunError):
                run.require_values(trial.composition)
                found[trial.name] = RunResult.load(run).to_dict()
    return found


def _job(plan: Plan, folder: SweepDir, trial: Trial, known: float | None) -> Job:
    from avelzoo.engine import recorded_threads

    where = {"folder": str(folder.run(trial)), "device": plan.device}
    record = {"plugins": list(plan.plugins), "command": list(plan.command)}
    return Job(
        name=trial.name,
        call=CALL,
        arguments={"composition": dict(trial.composition), **where, **record},
        log=str(folder.log(trial)),
        threads=recorded_threads(folder.run(trial)),
        memory_mb=known,
    )


def _held(results: Iterable[Mapping[str, Any]]) -> float | None:
    """Peak memory of the finished runs' processes; None on a GPU, where the record is of the device's memory."""
    held = [result["peak_memory_mb"] for result in results if result["device"] == "cpu"]
    return max((most for most in held if most), default=None)


def _require_data(plan: Plan, registry: Registry, folder: SweepDir) -> None:
    """Open every data set once, so that missing data are reported before any run starts.

    Raises:
        RunError: a run was started with other data, and no run of the sweep reads their folder.
    """
    recipes = [from_dict(registry, trial.composition).recipe for trial in plan.trials]
    opened = {(recipe.dataset, recipe.supervision) for recipe in recipes}
    known = [dict(config.open(supervision).fingerprint()) for config, supervision in opened]
    roots = {trial.data_root for trial in plan.trials}
    for name, (root, data) in folder.begun().items():
        if root not in roots and data not in known:
            raise RunError(
                "the data differ from those the sweep's runs were started with",
                where=", ".join(sorted(map(str, roots))),
                found=f"other content than '{name}' was trained on, from {root}",
                fix="pass the folder with the same files by --data, or start a new sweep in another folder",
            )
